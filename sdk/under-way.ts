/** What is being made of one kind: the server has it, perhaps, before it is known here. */
export class UnderWay {
  readonly #all = new Set<Promise<unknown>>();

  async add<Made>(making: Promise<Made>): Promise<Made> {
    this.#all.add(making);
    return making.finally(() => this.#all.delete(making));
  }

  /** Resolves once all that is being made is known by its id, or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#all);
  }
}
