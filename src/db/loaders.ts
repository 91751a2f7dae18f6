import DataLoader from 'dataloader';
import type { Sql } from './database.js';

export interface LoadDeps {
  sql: Sql;
  /** Whoever asks; null in a shared execution and for the anonymous. */
  viewerId: string | null;
  now: Date;
}

/**
 * How many things of one kind are read in one statement. Declared once, beside the service it belongs to, as a constant;
 * `LoaderScope.load` makes the DataLoader when it is first needed.
 */
export interface LoaderDef<Key, Value> {
  /** Answers one value for each key, in the order of the keys; null for what there isn't. */
  batch(keys: readonly Key[], deps: LoadDeps): Promise<(Value | null)[]>;
  /** How keys are told apart when they are objects. */
  keyOf?(key: Key): string;
}

const MAX_BATCH = 500;

/** The loaders of one request, or of one event: what was loaded is kept as long as the scope lives, and no longer. */
export class LoaderScope {
  readonly #loaders = new Map<LoaderDef<never, unknown>, DataLoader<unknown, unknown, unknown>>();
  constructor(readonly deps: LoadDeps) {}

  load<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Promise<Value | null> {
    return this.#loader(def).load(key);
  }

  loadMany<Key, Value>(def: LoaderDef<Key, Value>, keys: readonly Key[]): Promise<(Value | null)[]> {
    const loader = this.#loader(def);
    return Promise.all(keys.map((key) => loader.load(key)));
  }

  /** Keeps a value that was read by other means, so that nothing reads it again. */
  prime<Key, Value>(def: LoaderDef<Key, Value>, key: Key, value: Value | null): void {
    this.#loader(def).prime(key, value);
  }

  #loader<Key, Value>(def: LoaderDef<Key, Value>): DataLoader<Key, Value | null, unknown> {
    let loader = this.#loaders.get(def as LoaderDef<never, unknown>);
    if (!loader) {
      loader = new DataLoader<unknown, unknown, unknown>((keys) => def.batch(keys as readonly Key[], this.deps), {
        maxBatchSize: MAX_BATCH,
        ...(def.keyOf ? { cacheKeyFn: def.keyOf as (key: unknown) => unknown } : {}),
      });
      this.#loaders.set(def as LoaderDef<never, unknown>, loader);
    }
    return loader as DataLoader<Key, Value | null, unknown>;
  }
}

/** Puts rows in the order of their keys: the tail of most batch functions. */
export function inOrder<Key, Row>(keys: readonly Key[], rows: Row[], keyOfRow: (row: Row) => string, keyOf: (key: Key) => string = String): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOfRow(row), row]));
  return keys.map((key) => byKey.get(keyOf(key)) ?? null);
}
