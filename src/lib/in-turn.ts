/** Work of one key, one after the other, in the order in which it came. */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const own = (this.#last.get(key) ?? Promise.resolve()).then(work);
    // Whoever comes next goes on, however this ends.
    const over = own.catch(() => undefined);
    this.#last.set(key, over);
    try {
      return await own;
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
    }
  }
}
