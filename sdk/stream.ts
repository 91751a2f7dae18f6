import { failure } from './errors.js';

export interface EventStreamOptions {
  /** Events that may wait for the reader. */
  limit?: number;
  /**
   * A source that can go on later where it stopped: `pause` when the limit is reached, `resume` once the reader has
   * caught up. Without it a reader that falls so far behind ends the stream with TOO_SLOW.
   */
  source?: { pause(): void; resume(): void };
}

export const DEFAULT_LIMIT = 1_000;

/**
 * Events as they come: an async iterable that one reader reads. What waits for the reader is bounded; `close` (or leaving
 * a `for await`) ends the subscription.
 */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  readonly #events: Event[] = [];
  readonly #limit: number;
  #paused = false;
  #waiting: { resolve(result: IteratorResult<Event>): void; reject(error: unknown): void } | null = null;
  #end: { error: unknown } | 'done' | null = null;
  #onClose: (() => void) | null = null;

  constructor(private readonly options: EventStreamOptions = {}) {
    this.#limit = options.limit ?? DEFAULT_LIMIT;
  }

  /** What to do when the reader is done, or when the stream ends for another reason than its source's. */
  onClose(action: () => void): void {
    this.#onClose = action;
  }

  /** Returns false for an event that was not taken: the stream has ended, or waits for its reader. */
  push(event: Event): boolean {
    if (this.#end || this.#paused) return false;
    if (this.#waiting) {
      const { resolve } = this.#waiting;
      this.#waiting = null;
      resolve({ value: event, done: false });
      return true;
    }
    this.#events.push(event);
    if (this.#events.length >= this.#limit) this.#full();
    return true;
  }

  /** What has arrived can still be read; then the stream throws, or is done. */
  finish(error?: unknown): void {
    if (this.#end) return;
    this.#end = error === undefined ? 'done' : { error };
    if (!this.#waiting) return;
    const { resolve, reject } = this.#waiting;
    this.#waiting = null;
    if (this.#end === 'done') resolve({ value: undefined, done: true });
    else reject(error);
  }

  /** Ends the subscription. */
  close(): void {
    this.finish();
    this.#onClose?.();
    this.#onClose = null;
  }

  next(): Promise<IteratorResult<Event>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      if (this.#paused && this.#events.length <= this.#limit / 2) this.#resume();
      return Promise.resolve({ value: event, done: false });
    }
    if (this.#end === 'done') return Promise.resolve({ value: undefined, done: true });
    if (this.#end) return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  return(): Promise<IteratorResult<Event>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #full(): void {
    if (this.options.source) {
      this.#paused = true;
      this.options.source.pause();
      return;
    }
    this.finish(failure('TOO_SLOW', `The reader is too slow: ${this.#limit} events wait for it.`));
    this.#onClose?.();
    this.#onClose = null;
  }

  #resume(): void {
    this.#paused = false;
    if (!this.#end) this.options.source?.resume();
  }
}
