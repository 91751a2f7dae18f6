import type { Logger } from '../lib/logger.js';
import type { LoggedEvent } from './catalogue.js';
import type { EventLog, Published, StreamHead } from './log.js';

/** What follows a stream. Called in the order of offsets, without gap or repeat. */
export interface TailListener {
  /** Once, before the first event: the tail's epoch and head are known. */
  onStart(tail: Tail): void;
  onEvent(event: LoggedEvent): void;
  /** The stream's history can't be continued (its epoch changed, or events are missing from the log). */
  onReset(): void;
}

/** How long a missing offset may still be on its way before it is read from the log: reordering is usual, loss is not. */
const GAP_WAIT_MS = 30;
const PAGE = 500;
/** Events held for a gap to close; past this they are dropped and read from the log. */
const MAX_EARLY = 2_000;

/** The live end of one stream in this process: takes hints in any order, hands on every event once and in order. */
export class Tail {
  epoch = '';
  /** The offset of the newest event handed on. -1 until opened. */
  head = -1;
  #early = new Map<number, LoggedEvent>();
  #gapTimer: NodeJS.Timeout | null = null;
  #refilling: Promise<void> | null = null;
  #closed = false;

  constructor(
    readonly stream: string,
    private readonly log: EventLog,
    private readonly listener: TailListener,
    private readonly logger: Logger,
  ) {}

  /** Starts at a head read after hints began to arrive. */
  start({ epoch, head }: StreamHead): void {
    this.epoch = epoch;
    this.head = head;
    this.listener.onStart(this);
    this.#drain();
  }

  accept(published: Published): void {
    if (this.#closed) return;
    if (this.head >= 0 && published.epoch !== this.epoch) return this.#reset();
    for (const event of published.events) if (event.pos > this.head) this.#early.set(event.pos, event);
    if (this.head < 0) return;
    this.#drain();
    if (this.#early.size > MAX_EARLY) {
      this.#early.clear();
      this.#refillSoon();
    } else if (this.#early.size && !this.#gapTimer && !this.#refilling) {
      this.#gapTimer = setTimeout(() => {
        this.#gapTimer = null;
        if (this.#early.size) this.#refillSoon();
      }, GAP_WAIT_MS);
    }
  }

  /** Compares with the database's head; reads what is missing. */
  reconcile({ epoch, head }: StreamHead): void {
    if (this.#closed || this.head < 0) return;
    if (epoch !== this.epoch) this.#reset();
    else if (head > this.head) this.#refillSoon();
  }

  close(): void {
    this.#closed = true;
    if (this.#gapTimer) clearTimeout(this.#gapTimer);
    this.#early.clear();
  }

  #drain(): void {
    for (let event; (event = this.#early.get(this.head + 1)); ) {
      this.#early.delete(event.pos);
      this.head = event.pos;
      this.listener.onEvent(event);
    }
    if (this.#early.size) for (const pos of this.#early.keys()) if (pos <= this.head) this.#early.delete(pos);
  }

  #refillSoon(): void {
    this.#refilling ??= this.#refill()
      // The next reconciliation tries again.
      .catch((error: Error) => this.logger.warn({ stream: this.stream, error: error.message }, 'could not read missing events'))
      .finally(() => (this.#refilling = null));
  }

  async #refill(): Promise<void> {
    for (;;) {
      const page = await this.log.read(this.stream, this.head, Number.MAX_SAFE_INTEGER, PAGE);
      if (this.#closed || !page.length) return;
      for (const event of page) {
        if (event.pos <= this.head) continue;
        if (event.pos !== this.head + 1) return this.#reset();
        this.head = event.pos;
        this.#early.delete(event.pos);
        this.listener.onEvent(event);
      }
      this.#drain();
      if (page.length < PAGE) return;
    }
  }

  #reset(): void {
    this.close();
    this.listener.onReset();
  }
}
