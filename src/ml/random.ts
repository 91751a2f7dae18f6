/** Numbers that look random and are the same for the same seed: sfc32 (C. Doty-Humphrey, PractRand), 128 bits of state. */
export class SeededRandom {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c: number;
  #count = 1;

  constructor(seed: number) {
    this.#c = seed >>> 0;
    this.#b ^= Math.floor(seed / 2 ** 32) >>> 0;
    for (let i = 0; i < 12; i++) this.#bits();
  }

  /** From 0 to below 1. */
  next(): number {
    return this.#bits() / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Of mean 0 and deviation 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** So many different numbers below a limit, in random order. */
  sample(limit: number, count: number): Int32Array {
    const all = Int32Array.from({ length: limit }, (_, index) => index);
    const most = Math.min(count, limit);
    for (let i = 0; i < most; i++) {
      const j = i + this.below(limit - i);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return all.slice(0, most);
  }

  #bits(): number {
    const t = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }
}
