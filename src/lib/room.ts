/** So much room, for those who each take a part of it: first come, first served, and whoever waits is not passed by a smaller one. */
export class Room {
  #free: number;
  readonly #waiting: { part: number; go: () => void }[] = [];

  constructor(private readonly size: number) {
    this.#free = size;
  }

  /** Runs once there is room for this part; what is larger than the room takes all of it. */
  async within<Result>(part: number, work: () => Promise<Result>): Promise<Result> {
    const taken = Math.min(part, this.size);
    if (this.#waiting.length || taken > this.#free) await new Promise<void>((resolve) => this.#waiting.push({ part: taken, go: resolve }));
    else this.#free -= taken;
    try {
      return await work();
    } finally {
      this.#free += taken;
      for (let next = this.#waiting[0]; next && next.part <= this.#free; next = this.#waiting[0]) {
        this.#waiting.shift();
        this.#free -= next.part;
        next.go();
      }
    }
  }
}
