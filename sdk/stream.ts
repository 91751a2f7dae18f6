/**
 * Events as they come: an async iterable that one reader reads. Bounded by its source: a reader that stops reading holds
 * what has arrived, and `close` ends it.
 */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  readonly #events: Event[] = [];
  #waiting: { resolve(result: IteratorResult<Event>): void; reject(error: unknown): void } | null = null;
  #end: { error: unknown } | 'done' | null = null;
  #onClose: (() => void) | null = null;

  /** What to do when the reader is done. */
  onClose(action: () => void): void {
    this.#onClose = action;
  }

  push(event: Event): void {
    if (this.#end) return;
    if (this.#waiting) {
      const { resolve } = this.#waiting;
      this.#waiting = null;
      resolve({ value: event, done: false });
    } else {
      this.#events.push(event);
    }
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
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
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
}
