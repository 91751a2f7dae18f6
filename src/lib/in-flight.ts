/** Collapses concurrent calls of one key into the first of them. */
export class InFlight<Result> {
  readonly #calls = new Map<string, Promise<Result>>();

  get(key: string): Promise<Result> | undefined {
    return this.#calls.get(key);
  }

  async run(key: string, work: () => Promise<Result>): Promise<Result> {
    const first = this.#calls.get(key);
    if (first) return first;
    const call = work();
    this.#calls.set(key, call);
    try {
      return await call;
    } finally {
      this.#calls.delete(key);
    }
  }
}
