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

/** What a bus message of a stream's topic holds: committed events. */
interface StreamHint {
  published: Published;
}

const CHANGED_TOPIC = 'changed';
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

  constructor(
    private readonly bus: Bus,
    readonly log: EventLog,
    private readonly logger: Logger,
    options: HubOptions,
  ) {
    this.#timer = setInterval(() => void this.reconcile(), options.reconcileMs);
    this.#timer.unref();
    bus.onRecovered(() => void this.reconcile());
  }

  publish(batches: Published[]): void {
    for (const published of batches) this.bus.publish(published.stream, { published } satisfies StreamHint);
  }

  changed(name: string, keys: string[]): void {
    this.bus.publish(CHANGED_TOPIC, { name, keys } satisfies ChangedHint);
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
    const tails = new Map<string, Tail>();
    const subscribing: Promise<void>[] = [];
    for (const [stream, listener] of listeners) {
      if (this.#live.has(stream)) throw new Error(`${stream} is followed already`);
      const tail = new Tail(stream, this.log, listener, this.logger);
      const handler: BusHandler = (message) => tail.accept((message as StreamHint).published);
      this.#live.set(stream, { tail, handler });
      tails.set(stream, tail);
      subscribing.push(this.bus.subscribe(stream, handler));
    }
    try {
      await Promise.all(subscribing);
      // Read after the subscriptions stand: what is committed from here on arrives as a hint.
      const heads = await this.log.heads([...tails.keys()]);
      for (const [stream, tail] of tails) tail.start(heads.get(stream) ?? (await this.log.head(stream)));
    } catch (error) {
      for (const stream of tails.keys()) this.unfollow(stream);
      throw error;
    }
  }

  unfollow(stream: string): void {
    const live = this.#live.get(stream);
    if (!live) return;
    this.#live.delete(stream);
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
      const heads = await this.log.heads([...this.#live.keys()]);
      for (const [stream, head] of heads) this.#live.get(stream)?.tail.reconcile(head);
    } catch (error) {
      this.logger.warn({ error: (error as Error).message }, 'could not compare live streams with the database');
    } finally {
      this.#reconciling = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const stream of [...this.#live.keys()]) this.unfollow(stream);
  }
}
