import type { Sql } from '../../db/database.js';
import { InFlight } from '../../lib/in-flight.js';
import { ContentSpace, DIMENSIONS } from '../../ml/content.js';
import { toCounts, toDoubles, toFloats } from './bytes.js';
import { chunks } from './chunks.js';
import { MAX_PRODUCTS, Signals } from './signals.js';

/** Products as they are suggested from: their vectors lie side by side. */
export interface Shelf {
  modelId: string | null;
  trainedAt: Date | null;
  space: ContentSpace;
  ids: string[];
  places: Map<string, number>;
  shopIds: string[];
  createdAt: number[];
  vectors: Float32Array;
  popularity: Float32Array;
  /** ln(1 + popularity) as a share of that of the most popular. */
  popular: Float32Array;
  /** 2^(−age / 14 days), as of the last look for new products. */
  fresh: Float32Array;
  /** Null where there are no factors to go by; those of products that came since are zeros. */
  factors: { values: Float32Array; f: number; gram: Float64Array } | null;
  clusters: { id: string; centroid: Float32Array }[];
}

interface ActiveModel {
  id: string;
  trainedAt: Date;
  factors: number;
}

/** What is new counts half after so many days. */
const NEW_DAYS = 14;
/** New products are looked for this often, while somebody asks. */
const FRESH_MS = 300_000;
const PAGE = 200;

/** What suggestions need of the model that is in use, kept in this process while it is asked for: at most 50,000 products, 32 MB. */
export class ShelfKeeper {
  readonly #reading = new InFlight<Shelf>();
  readonly #signals: Signals;
  #shelf: Shelf | null = null;
  #readAt = 0;

  constructor(private readonly sql: Sql) {
    this.#signals = new Signals(sql);
  }

  async shelf(now: Date): Promise<Shelf> {
    const [active] = await this.sql<ActiveModel>(`select id, finished_at as "trainedAt", factors from learned_models where state = 'ACTIVE'`);
    const same = this.#shelf?.modelId === (active?.id ?? null) ? this.#shelf : null;
    if (same && Math.abs(now.getTime() - this.#readAt) < FRESH_MS) return same;
    const reading = this.#reading.run(active?.id ?? 'none', async () => {
      this.#shelf = await this.#read(active ?? null, now.getTime());
      this.#readAt = now.getTime();
      return this.#shelf;
    });
    // Twice as old at the most: whoever asks then waits. Until then, whoever asks goes by what is there.
    if (!same || Math.abs(now.getTime() - this.#readAt) > 2 * FRESH_MS) return reading;
    reading.catch(() => undefined);
    return same;
  }

  async #read(active: ActiveModel | null, now: number): Promise<Shelf> {
    const space = ContentSpace.empty();
    let gram: Float64Array | null = null;
    const kept = new Map<string, { factors: Buffer | null; vector: Buffer; popularity: number }>();
    const clusters: Shelf['clusters'] = [];
    if (active) {
      const [model] = await this.sql<{ frequencies: Buffer; bags: number; gram: Buffer | null }>('select frequencies, bags, gram from learned_models where id = $1', [active.id]);
      if (model?.frequencies) Object.assign(space, { frequencies: toCounts(model.frequencies), bags: model.bags });
      gram = model?.gram ? toDoubles(model.gram) : null;
      for (let after: string | null = null; ; ) {
        const page: { id: string; factors: Buffer | null; vector: Buffer; popularity: number }[] = await this.sql(
          'select product_id as id, factors, vector, popularity from learned_products where model_id = $1 and ($2::uuid is null or product_id > $2) order by product_id limit $3',
          [active.id, after, PAGE],
        );
        for (const row of page) kept.set(row.id, row);
        if (page.length < PAGE) break;
        after = page.at(-1)!.id;
      }
      const rows = await this.sql<{ id: string; centroid: Buffer }>('select id, centroid from learned_clusters where model_id = $1 and centroid is not null order by number', [active.id]);
      clusters.push(...rows.map(({ id, centroid }) => ({ id, centroid: toFloats(centroid) })));
    }
    const products: { id: string; shopId: string; createdAt: Date; vector: Float32Array }[] = [];
    for (let after: string | null = null; products.length < MAX_PRODUCTS; ) {
      const page = await this.#signals.products(after, PAGE);
      for (const { id, shopId, createdAt, bag } of page) {
        const known = kept.get(id);
        products.push({ id, shopId, createdAt, vector: known ? toFloats(known.vector) : space.vector(bag) });
      }
      if (page.length < PAGE) break;
      after = page.at(-1)!.id;
    }
    const n = products.length;
    const [vectors, popularity] = [new Float32Array(n * DIMENSIONS), new Float32Array(n)];
    const f = active?.factors ?? 0;
    const values = new Float32Array(n * f);
    for await (const { part, from } of chunks(products, PAGE)) {
      part.forEach(({ id, vector }, offset) => {
        const place = from + offset;
        vectors.set(vector, place * DIMENSIONS);
        const known = kept.get(id);
        popularity[place] = known?.popularity ?? 0;
        if (f && known?.factors) values.set(toFloats(known.factors), place * f);
      });
    }
    const most = Math.log1p(popularity.reduce((best, value) => Math.max(best, value), 0));
    return {
      modelId: active?.id ?? null, trainedAt: active?.trainedAt ?? null, space, clusters, vectors, popularity,
      ids: products.map(({ id }) => id), places: new Map(products.map(({ id }, place) => [id, place])), shopIds: products.map(({ shopId }) => shopId), createdAt: products.map(({ createdAt }) => createdAt.getTime()),
      popular: popularity.map((value) => (most ? Math.log1p(value) / most : 0)),
      fresh: Float32Array.from(products, ({ createdAt }) => 2 ** (-Math.max(0, now - createdAt.getTime()) / (NEW_DAYS * 86_400_000))),
      factors: f && gram ? { values, f, gram } : null,
    };
  }
}
