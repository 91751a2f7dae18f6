import type { Logger } from '../lib/logger.js';
import type { ReceiptHint } from './hub.js';
import type { LoggedEvent } from './catalogue.js';
import type { StreamHead } from './log.js';

/** Whatever stands in a stream by its offset. */
export interface Numbered {
  pos: number;
}

/** Where a stream's entries are read from; see EventLog.read. */
export interface NumberedLog<Entry extends Numbered> {
  read(stream: string, after: number, upTo: number, limit: number): Promise<Entry[]>;
}

/** What follows a stream. Called in the order of offsets, without gap or repeat. */
export interface TailListener<Entry extends Numbered = LoggedEvent> {
  /** Once, before the first event: the tail's epoch and head are known. */
  onStart(tail: Tail<Entry>): void;
  onEvent(event: Entry): void;
  /** The stream's history can't be continued (its epoch changed, or events are missing from the log). */
  onReset(): void;
  /** Receipts moved; not part of the log, and may come before `onStart`. */
  onReceipts?(hint: ReceiptHint): void;
}

/** How long a missing offset may still be on its way before it is read from the log: reordering is usual, loss is not. */
const GAP_WAIT_MS = 30;
const PAGE = 500;
/** Events held for a gap to close; past this they are dropped and read from the log. */
const MAX_EARLY = 2_000;

/** The live end of one stream in this process: takes hints in any order, hands on every event once and in order. */
export class Tail<Entry extends Numbered = LoggedEvent> {
  epoch = '';
  /** The offset of the newest event handed on. -1 until started. */
  head = -1;
  #early = new Map<number, Entry>();
  /** Events were dropped unseen: only the log knows what is missing. */
  #dropped = false;
  #gapTimer: NodeJS.Timeout | null = null;
  #refilling: Promise<void> | null = null;
  #closed = false;

  constructor(
    readonly stream: string,
    private readonly log: NumberedLog<Entry>,
    private readonly listener: TailListener<Entry>,
    private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  /** Starts at a head read after hints began to arrive. */
  start({ epoch, head }: StreamHead): void {
    if (this.#closed) return;
    // What came before the epoch was known may be of another history; what is of this one can be read again.
    if (this.epoch !== epoch && this.#early.size) {
      this.#early.clear();
      this.#dropped = true;
    }
    this.epoch = epoch;
    this.head = head;
    this.listener.onStart(this);
    this.#drain();
    this.#mindGap();
  }

  accept({ epoch, events }: { stream?: string; epoch: string; events: readonly Entry[] }): void {
    if (this.#closed) return;
    if (this.head < 0 && !this.#early.size) this.epoch = epoch;
    else if (epoch !== this.epoch) return this.head < 0 ? void (this.#dropped = true) : this.#reset();
    for (const event of events) {
      if (event.pos <= this.head) continue;
      if (this.#early.size < MAX_EARLY) this.#early.set(event.pos, event);
      else this.#dropped = true;
    }
    if (this.head < 0) return;
    this.#drain();
    this.#mindGap();
  }

  /** Compares with the database's head; reads what is missing. */
  reconcile({ epoch, head }: StreamHead): void {
    if (this.#closed || this.head < 0) return;
    if (epoch !== this.epoch) this.#reset();
    else if (head > this.head) this.#refillSoon();
  }

  /** The log ends before what has been handed on: it was cut back, so that its offsets tell of other events from now on. */
  cutBack(): void {
    if (!this.#closed) this.#reset();
  }

  close(): void {
    this.#closed = true;
    if (this.#gapTimer) clearTimeout(this.#gapTimer);
    this.#gapTimer = null;
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

  #mindGap(): void {
    if (this.#closed || this.#refilling) return;
    if (this.#dropped) return this.#refillSoon();
    if (this.#gapTimer || !this.#early.size) return;
    this.#gapTimer = setTimeout(() => {
      this.#gapTimer = null;
      if (this.#early.size) this.#refillSoon();
    }, GAP_WAIT_MS);
  }

  #refillSoon(): void {
    if (this.#refilling) return;
    this.#dropped = false;
    this.#refilling = this.#refill().then(
      () => {
        this.#refilling = null;
        // What arrived behind the last page read may have left a gap of its own.
        this.#mindGap();
      },
      (error: Error) => {
        // The next reconciliation tries again: sooner would only press a database that is in trouble.
        this.#refilling = null;
        this.logger.warn({ stream: this.stream, error: error.message }, 'could not read missing events');
      },
    );
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
