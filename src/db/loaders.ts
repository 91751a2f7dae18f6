import DataLoader from 'dataloader';
import type { Sql } from './database.js';
import type { NodeCache } from './node-cache.js';

export interface LoadDeps {
  readonly sql: Sql;
  /** What an operation that writes nothing reads by, where replicas may answer; what is kept across requests is not read by it. */
  readonly reads?: Sql;
  /** Whoever asks; null for the anonymous. Throws in a shared execution. */
  readonly viewerId: string | null;
  readonly now: Date;
}

/** Of a shared execution: what depends on who asks must not be loaded there as if nobody did. */
export class SharedDeps implements LoadDeps {
  constructor(
    readonly sql: Sql,
    readonly now: Date,
  ) {}

  get viewerId(): never {
    throw new Error('A shared execution has no viewer: what this loads must stand under viewerState, or be marked viewer-dependent.');
  }
}

/**
 * How many things of one kind are read in one statement. Declared once, beside the service it belongs to, as a constant;
 * `LoaderScope.load` makes the DataLoader when it is first needed.
 */
export interface LoaderDef<Key, Value> {
  /** Answers one value for each key, in the order of the keys; null for what there isn't. */
  batch(keys: readonly Key[], deps: LoadDeps): Promise<(Value | null)[]>;
  /** The same for many viewers in one statement: for what is asked of one event for everybody who listens. In the order of the pairs. */
  acrossViewers?(pairs: readonly ViewerPair<Key>[], deps: Pick<LoadDeps, 'sql' | 'now'>): Promise<(Value | null)[]>;
  /** How keys are told apart when they are objects. */
  keyOf?(key: Key): string;
  /** The name under which values are kept across requests (see NodeCache); keys are strings then. Only for what is the same for every viewer. */
  cache?: string;
}

export interface ViewerPair<Key> {
  viewerId: string;
  key: Key;
}

const MAX_BATCH = 500;

/** Loads, for the scopes of many viewers, what can be read for all of them at once. */
export class AcrossViewers {
  readonly #loaders = new Map<LoaderDef<never, unknown>, DataLoader<ViewerPair<unknown>, unknown, string>>();
  constructor(private readonly deps: Pick<LoadDeps, 'sql' | 'now'>) {}

  load<Key, Value>(def: LoaderDef<Key, Value>, pair: ViewerPair<Key>): Promise<Value | null> {
    let loader = this.#loaders.get(def as LoaderDef<never, unknown>);
    if (!loader) {
      const keyOf = (def.keyOf ?? String) as (key: unknown) => string;
      loader = new DataLoader((pairs) => def.acrossViewers!(pairs as readonly ViewerPair<Key>[], this.deps), {
        maxBatchSize: MAX_BATCH,
        cacheKeyFn: ({ viewerId, key }) => `${viewerId} ${keyOf(key)}`,
      });
      this.#loaders.set(def as LoaderDef<never, unknown>, loader);
    }
    return loader.load(pair) as Promise<Value | null>;
  }
}

/** The loaders of one request, or of one event: what was loaded is kept as long as the scope lives, and no longer. */
export class LoaderScope {
  readonly #loaders = new Map<LoaderDef<never, unknown>, DataLoader<unknown, unknown, unknown>>();
  /** What was committed when the operation began is enough: until it writes itself. */
  #mayBeOlder = true;
  constructor(
    readonly deps: LoadDeps,
    private readonly cache: NodeCache,
    /** Where this is the scope of one of many viewers of one event. */
    private readonly across: AcrossViewers | null = null,
  ) {}

  load<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Promise<Value | null> {
    if (this.across && def.acrossViewers && this.deps.viewerId) return this.across.load(def, { viewerId: this.deps.viewerId, key });
    const kept = this.peek(def, key);
    if (kept !== undefined) return Promise.resolve(kept);
    const load = () => this.#loader(def).load(key);
    return def.cache === undefined ? load() : (this.cache.reading(def.cache, key as string, load as () => Promise<object | null>) as Promise<Value | null>);
  }

  /** What this process keeps of a cached kind, without waiting; undefined when it must be loaded. */
  peek<Key, Value>(def: LoaderDef<Key, Value>, key: Key): Value | undefined {
    return def.cache === undefined ? undefined : (this.cache.get(def.cache, key as string) as Value | undefined);
  }

  loadMany<Key, Value>(def: LoaderDef<Key, Value>, keys: readonly Key[]): Promise<(Value | null)[]> {
    return Promise.all(keys.map((key) => this.load(def, key)));
  }

  /** Keeps a value that was read by other means, so that nothing reads it again. */
  prime<Key, Value>(def: LoaderDef<Key, Value>, key: Key, value: Value | null): void {
    this.#loader(def).prime(key, value);
  }

  /** Forgets what was loaded: after a write, the rest of the operation sees it. */
  forget(): void {
    this.#loaders.clear();
    this.#mayBeOlder = false;
  }

  async #batch<Key, Value>(def: LoaderDef<Key, Value>, keys: readonly Key[]): Promise<(Value | null)[]> {
    const { generation } = this.cache;
    const reads = this.#mayBeOlder ? this.deps.reads : undefined;
    const values = await def.batch(keys, reads && def.cache === undefined ? { sql: reads, viewerId: this.deps.viewerId, now: this.deps.now } : this.deps);
    if (def.cache !== undefined) values.forEach((value, index) => value && this.cache.set(def.cache!, keys[index] as string, value, generation));
    return values;
  }

  #loader<Key, Value>(def: LoaderDef<Key, Value>): DataLoader<Key, Value | null, unknown> {
    let loader = this.#loaders.get(def as LoaderDef<never, unknown>);
    if (!loader) {
      loader = new DataLoader<unknown, unknown, unknown>((keys) => this.#batch(def, keys as readonly Key[]), {
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
