/** So many at once, the others in a queue with an end. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(
    private readonly slots: number,
    private readonly queue: number,
  ) {}

  /** Resolves once there is a slot; false when too many wait already. Whoever got one releases it. */
  async take(): Promise<boolean> {
    if (this.#taken < this.slots) {
      this.#taken++;
      return true;
    }
    if (this.#waiting.length >= this.queue) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken--;
  }
}
