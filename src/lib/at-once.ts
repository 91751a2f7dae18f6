/** Counts what is under way for each of many, up to so many each. */
export class AtOnce {
  readonly #counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Null when there is no more room; else what is to be called, once, at the end. */
  enter(key: string): (() => void) | null {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.most) return null;
    this.#counts.set(key, count + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const rest = this.#counts.get(key)! - 1;
      if (rest) this.#counts.set(key, rest);
      else this.#counts.delete(key);
    };
  }
}
