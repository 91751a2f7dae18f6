import type { Logger } from '../lib/logger.js';
import type { AfterCommit } from '../db/unit-of-work.js';
import type { Bus, BusHandler } from './bus.js';
import type { EventLog, Published } from './log.js';
import { Tail, type TailListener } from './tail.js';

export interface HubOptions {
  reconcileMs: number;
}

interface Live {
  tail: Tail;
  handler: BusHandler;
}

/** How far one person has received and read in a chat. */
export interface OwnReceipt {
  chatId: string;
  lastReadSeq: number;
  lastDeliveredSeq: number;
}
/** On a chat's stream: members whose pointers moved; on a person's own: where theirs stand. */
export type ReceiptHint = { moved: string[] } | { own: OwnReceipt };

/** What a bus message of a stream's topic holds: committed events, or what is not in the log. */
export type StreamHint = { published: Published } | { receipts: ReceiptHint };

const CHANGED_TOPIC = 'changed';
/** The log has new events: for those who read all of it. */
const GREW_TOPIC = 'log';
/** One such hint tells of all events of this time. */
const GREW_EVERY_MS = 20;
/** Rows that processes keep have been written. */
interface ChangedHint {
  name: string;
  keys: string[];
}

/**
 * Publishes committed events and follows live streams: one bus subscription and one Tail for each stream that somebody
 * in this process listens to. Every few seconds all heads are compared with the database, which bounds the delay of a
 * hint that was lost and that nothing followed.
 */
export class Hub implements AfterCommit {
  readonly #live = new Map<string, Live>();
  readonly #timer: NodeJS.Timeout;
  #reconciling = false;
  #growing: NodeJS.Timeout | null = null;

  constructor(
    private readonly bus: Bus,
    readonly log: EventLog,
    private readonly logger: Pick<Logger, 'warn'>,
    options: HubOptions,
  ) {
    this.#timer = setInterval(() => void this.reconcile(), options.reconcileMs);
    this.#timer.unref();
    bus.onRecovered(() => void this.reconcile());
  }

  publish(batches: Published[]): void {
    for (const published of batches) this.bus.publish(published.stream, { published } satisfies StreamHint);
    if (this.#growing || !batches.length) return;
    this.#growing = setTimeout(() => {
      this.#growing = null;
      this.bus.publish(GREW_TOPIC, {});
    }, GREW_EVERY_MS);
    this.#growing.unref();
  }

  /** Tells those who follow a stream that receipts moved. At most once: nothing refills it. */
  receipts(stream: string, hint: ReceiptHint): void {
    this.bus.publish(stream, { receipts: hint } satisfies StreamHint);
  }

  changed(name: string, keys: string[]): void {
    this.bus.publish(CHANGED_TOPIC, { name, keys } satisfies ChangedHint);
  }

  /** Calls back, soon, when any process has written events. At most once, as all hints. */
  onGrown(handler: () => void): Promise<void> {
    return this.bus.subscribe(GREW_TOPIC, handler);
  }

  /** Calls back for every change of a kept row, made by any process. */
  onChanged(handler: (name: string, keys: string[]) => void): Promise<void> {
    return this.bus.subscribe(CHANGED_TOPIC, (message) => {
      const { name, keys } = message as ChangedHint;
      handler(name, keys);
    });
  }

  /** Follows streams; each may be followed once. Resolves when every event after the head that each listener was started with will be handed on. */
  async follow(listeners: Map<string, TailListener>): Promise<void> {
    const made = new Map<string, Live>();
    const subscribing: Promise<void>[] = [];
    for (const stream of listeners.keys()) if (this.#live.has(stream)) throw new Error(`${stream} is followed already`);
    for (const [stream, listener] of listeners) {
      const tail = new Tail(stream, this.log, listener, this.logger);
      const handler: BusHandler = (message) => {
        const hint = message as StreamHint;
        if ('published' in hint) tail.accept(hint.published);
        else listener.onReceipts?.(hint.receipts);
      };
      const live = { tail, handler };
      this.#live.set(stream, live);
      made.set(stream, live);
      subscribing.push(this.bus.subscribe(stream, handler));
    }
    try {
      await Promise.all(subscribing);
      // Read after the subscriptions stand: what is committed from here on arrives as a hint.
      const heads = await this.log.heads([...made.keys()]);
      for (const [stream, { tail }] of made) tail.start(heads.get(stream) ?? (await this.log.head(stream)));
    } catch (error) {
      for (const [stream, live] of made) this.#end(stream, live);
      throw error;
    }
  }

  unfollow(stream: string): void {
    const live = this.#live.get(stream);
    if (live) this.#end(stream, live);
  }

  #end(stream: string, live: Live): void {
    // Somebody else may follow the stream by now.
    if (this.#live.get(stream) === live) this.#live.delete(stream);
    live.tail.close();
    this.bus.unsubscribe(stream, live.handler);
  }

  get liveStreams(): number {
    return this.#live.size;
  }

  async reconcile(): Promise<void> {
    if (this.#reconciling || !this.#live.size) return;
    this.#reconciling = true;
    try {
      const before = [...this.#live].map(([stream, { tail }]) => ({ stream, tail, head: tail.head, epoch: tail.epoch }));
      const heads = await this.log.heads(before.map(({ stream }) => stream));
      for (const { stream, tail, head, epoch } of before) {
        const found = heads.get(stream);
        if (!found) continue;
        // Read after `head` was handed on: a log that ends earlier has lost what everybody has seen.
        if (found.epoch === epoch && found.head < head) tail.cutBack();
        else tail.reconcile(found);
      }
    } catch (error) {
      this.logger.warn({ error: (error as Error).message }, 'could not compare live streams with the database');
    } finally {
      this.#reconciling = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#growing) clearTimeout(this.#growing);
    for (const stream of [...this.#live.keys()]) this.unfollow(stream);
  }
}
