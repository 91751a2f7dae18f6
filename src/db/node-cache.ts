import { LRUCache } from 'lru-cache';

/** A value that was forgotten elsewhere without this process hearing of it is served this long at the most. */
const TTL_MS = 10_000;
const KEPT = 50_000;

/**
 * Rows that this process keeps across requests, for loaders that ask for it (`LoaderDef.cache`). Whoever writes such a row
 * says so by `tx.changed(name, key)`: every process then forgets it.
 */
export class NodeCache {
  readonly #values = new LRUCache<string, object>({ max: KEPT, ttl: TTL_MS });
  /** When a key was last forgotten, in forgettings: a reading that began before must not be kept. */
  readonly #forgotten = new LRUCache<string, number>({ max: KEPT, ttl: TTL_MS * 3 });
  /** Readings under way: whoever asks meanwhile waits for the same. */
  readonly #readings = new Map<string, Promise<object | null>>();
  #generation = 0;

  get(name: string, key: string): object | undefined {
    return this.#values.get(`${name} ${key}`);
  }

  /** To be asked before a reading whose result may be kept. */
  get generation(): number {
    return this.#generation;
  }

  /** Keeps what was read, unless it has been forgotten since the reading began at `generation`. */
  set(name: string, key: string, value: object, generation: number): void {
    const slot = `${name} ${key}`;
    if ((this.#forgotten.get(slot) ?? 0) <= generation) this.#values.set(slot, value);
  }

  /** The reading of a key that is under way, or else a new one. */
  reading<Value extends object>(name: string, key: string, read: () => Promise<Value | null>): Promise<Value | null> {
    const slot = `${name} ${key}`;
    const first = this.#readings.get(slot);
    if (first) return first as Promise<Value | null>;
    const reading = read().finally(() => {
      if (this.#readings.get(slot) === reading) this.#readings.delete(slot);
    });
    this.#readings.set(slot, reading);
    return reading;
  }

  forget(name: string, keys: readonly string[]): void {
    this.#generation++;
    for (const key of keys) {
      this.#readings.delete(`${name} ${key}`); // it may answer what was before: nobody else joins it
      this.#values.delete(`${name} ${key}`);
      this.#forgotten.set(`${name} ${key}`, this.#generation);
    }
  }
}
