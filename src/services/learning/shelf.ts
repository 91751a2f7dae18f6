import type { Sql } from '../../db/database.js';
import { InFlight } from '../../lib/in-flight.js';
import { ContentSpace, DIMENSIONS } from '../../ml/content.js';
import { kernels, type Rows } from '../../ml/kernels.js';
import { dot } from '../../ml/twins.js';
import { toCounts, toDoubles, toFloats } from './bytes.js';
import { chunks } from './chunks.js';
import { MAX_PRODUCTS, Signals } from './signals.js';

/** Products as they are suggested from: of each a place, by which all that is known of it is found. */
export interface Shelf {
  modelId: string | null;
  space: ContentSpace;
  ids: string[];
  places: Map<string, number>;
  shopIds: string[];
  /** Milliseconds since 1970. */
  createdAt: number[];
  /** Places of those that came since the training. */
  unlearned: number[];
  /** Vectors of length 1. */
  contents: Rows;
  popularity: Float32Array;
  /** ln(1 + popularity) as a share of that of the most popular. */
  popular: Float32Array;
  /** 2^(−age / 14 days), as of the last look for new products. */
  fresh: Float32Array;
  /** Null where there are no factors to go by; those of products that came since are zeros, and so are their `inverses`, which make a product of factors a cosine. */
  factors: { rows: Rows; f: number; gram: Float64Array; inverses: Float32Array } | null;
  clusters: { id: string; centroid: Float32Array }[];
}

interface ActiveModel {
  id: string;
  factors: number;
}
type Listed = Pick<Shelf, 'ids' | 'shopIds' | 'createdAt' | 'places'>;
type Model = Pick<Shelf, 'modelId' | 'space' | 'clusters'> & { f: number; gram: Float64Array | null };

/** What is new counts half after so many days. */
const NEW_MS = 14 * 86_400_000;
/** New products are looked for this often, while somebody asks. */
const FRESH_MS = 300_000;
/** Ids that are read at once, vectors, and words of products that no model knows: some milliseconds each. */
const IDS = 1_000;
const VECTORS = 250;
const WORDS = 25;

/** What suggestions need of the model that is in use, kept in this process while it is asked for: at most 50,000 products, 40 MB, which lie outside of what is collected as garbage. */
export class ShelfKeeper {
  readonly #reading = new InFlight<Shelf>();
  readonly #signals: Signals;
  #shelf: Shelf | null = null;
  #readAt = 0;

  constructor(private readonly sql: Sql) {
    this.#signals = new Signals(sql);
  }

  /** While another version is taken up, or new products are looked for, whoever asks goes by what is there. Only the first who asks, and who asks long after everybody else, waits. */
  async shelf(now: Date): Promise<Shelf> {
    const active = await this.#active();
    const shelf = this.#shelf;
    const age = Math.abs(now.getTime() - this.#readAt);
    if (shelf && isOf(shelf, active) && age < FRESH_MS) return shelf;
    const reading = this.#renew(active, now);
    const isFirst = !shelf || (shelf.modelId === null && active !== null);
    if (isFirst || age > 2 * FRESH_MS) return reading;
    reading.catch(() => undefined);
    return shelf;
  }

  /** That of the version in use, also where another one is at hand. */
  async current(now: Date): Promise<Shelf> {
    const active = await this.#active();
    return this.#shelf && isOf(this.#shelf, active) ? this.#shelf : this.#renew(active, now);
  }

  async #active(): Promise<ActiveModel | null> {
    const [active = null] = await this.sql<ActiveModel>(`select id, factors from learned_models where state = 'ACTIVE'`);
    return active;
  }

  #renew(active: ActiveModel | null, now: Date): Promise<Shelf> {
    return this.#reading.run(active?.id ?? 'none', async () => {
      const before = this.#shelf;
      const read = await this.#read(active, now.getTime(), before && isOf(before, active) ? before : null);
      this.#readAt = now.getTime();
      return (this.#shelf = read);
    });
  }

  /** `before`: of the same model. Where the products are the same, it is kept. */
  async #read(active: ActiveModel | null, now: number, before: Shelf | null): Promise<Shelf> {
    const listed = await this.#list();
    const fresh = Float32Array.from(listed.createdAt, (at) => 2 ** (-Math.max(0, now - at) / NEW_MS));
    const shelf = before && sameItems(before.ids, listed.ids) ? { ...before, fresh } : await this.#fill(await this.#model(active), listed, fresh);
    // Their words may have changed since.
    for await (const { part } of chunks(shelf.unlearned, WORDS)) {
      for (const { id, bag } of await this.#signals.productsOf(part.map((place) => shelf.ids[place]!))) shelf.contents.values.set(shelf.space.vector(bag), shelf.places.get(id)! * DIMENSIONS);
    }
    return shelf;
  }

  async #model(active: ActiveModel | null): Promise<Model> {
    const space = ContentSpace.empty();
    if (!active) return { modelId: null, space, clusters: [], f: 0, gram: null };
    const [model] = await this.sql<{ frequencies: Buffer | null; bags: number; gram: Buffer | null }>('select frequencies, bags, gram from learned_models where id = $1', [active.id]);
    if (model?.frequencies) Object.assign(space, { frequencies: toCounts(model.frequencies), bags: model.bags });
    const rows = await this.sql<{ id: string; centroid: Buffer }>('select id, centroid from learned_clusters where model_id = $1 and centroid is not null order by number', [active.id]);
    return { modelId: active.id, space, clusters: rows.map(({ id, centroid }) => ({ id, centroid: toFloats(centroid) })), f: active.factors, gram: model?.gram ? toDoubles(model.gram) : null };
  }

  async #list(): Promise<Listed> {
    const listed: Listed = { ids: [], shopIds: [], createdAt: [], places: new Map() };
    for (let after: string | null = null; listed.ids.length < MAX_PRODUCTS; after = listed.ids.at(-1)!) {
      const page: { id: string; shopId: string; createdAt: Date }[] = await this.sql(
        `select id, shop_id as "shopId", created_at as "createdAt" from products where status = 'PUBLISHED' and ($1::uuid is null or id > $1) order by id limit $2`, [after, IDS],
      );
      for (const { id, shopId, createdAt } of page) {
        listed.places.set(id, listed.ids.push(id) - 1);
        listed.shopIds.push(shopId);
        listed.createdAt.push(createdAt.getTime());
      }
      if (page.length < IDS) break;
    }
    return listed;
  }

  /** Whatever is learned of each; of those that came since nothing yet. */
  async #fill({ f, gram, ...model }: Model, listed: Listed, fresh: Float32Array): Promise<Shelf> {
    const { ids } = listed;
    const n = ids.length;
    const [contents, popularity, unlearned] = [kernels().rows(n, DIMENSIONS), new Float32Array(n), [] as number[]];
    const factors = f && gram ? { rows: kernels().rows(n, f), f, gram, inverses: new Float32Array(n) } : null;
    const [noVector, noFactors] = [Buffer.alloc(4 * DIMENSIONS), Buffer.alloc(4 * f)];
    for await (const { part, from } of chunks(ids, VECTORS)) {
      // One text for all of them: as many rows and buffers would be garbage at once.
      const [page] = await this.sql<{ vectors: Buffer; factors: Buffer; popularity: Buffer }>(
        `select string_agg(coalesce(l.vector, $3), ''::bytea order by k.n) as vectors, string_agg(coalesce(l.factors, $4), ''::bytea order by k.n) as factors, string_agg(float4send(coalesce(l.popularity, -1)), ''::bytea order by k.n) as popularity
         from unnest($2::uuid[]) with ordinality k(id, n) left join learned_products l on l.model_id = $1 and l.product_id = k.id`,
        [model.modelId, part, noVector, noFactors],
      );
      contents.values.set(toFloats(page!.vectors), from * DIMENSIONS);
      factors?.rows.values.set(toFloats(page!.factors), from * f);
      for (let place = from; place < from + part.length; place++) {
        const known = page!.popularity.readFloatBE(4 * (place - from));
        if (known < 0) unlearned.push(place);
        else popularity[place] = known;
        const length = factors ? Math.sqrt(dot(factors.rows.values, place * f, factors.rows.values, place * f, f)) : 0;
        if (length > 0) factors!.inverses[place] = 1 / length;
      }
    }
    const most = Math.log1p(popularity.reduce((best, value) => Math.max(best, value), 0));
    return { ...model, ...listed, fresh, contents, popularity, popular: popularity.map((value) => (most ? Math.log1p(value) / most : 0)), factors, unlearned };
  }
}

const isOf = ({ modelId }: Shelf, active: ActiveModel | null): boolean => modelId === (active?.id ?? null);
const sameItems = (one: readonly string[], other: readonly string[]): boolean => one.length === other.length && one.every((id, at) => id === other[at]);
