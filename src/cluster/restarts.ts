/** A worker that has lived this long had no trouble starting: its death is the first of its kind. */
const STEADY_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** So many deaths in a row, without a steady life between them, are a crash loop. */
const GIVE_UP_AFTER = 6;

/** How soon the worker of one slot is started again after its death: later each time, until it is no use. */
export class Restarts {
  #deaths = 0;

  /** The pause before the next start, ms; null when there shall be none. */
  died(livedMs: number): number | null {
    this.#deaths = livedMs >= STEADY_MS ? 1 : this.#deaths + 1;
    if (this.#deaths >= GIVE_UP_AFTER) return null;
    return Math.min(FIRST_PAUSE_MS * 2 ** (this.#deaths - 1), LONGEST_PAUSE_MS);
  }

  get deaths(): number {
    return this.#deaths;
  }
}
