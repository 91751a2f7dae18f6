import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type CursorPart, type CursorValue, type Page, type PageArgs } from '../../db/pages.js';
import { invalidInput } from '../../lib/errors.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { checkAmount, checkCurrency } from '../../policies/money.js';
import { splitSearch } from '../../policies/search-query.js';
import type { Reading } from '../actor.js';
import { productById, PRODUCT_COLUMNS, type ProductRow } from '../loaders/products.js';
import { facetOf } from './product-input.js';

export type ProductSort = 'RELEVANCE' | 'NEWEST' | 'PRICE_LOW' | 'PRICE_HIGH' | 'RATING' | 'BEST_SELLING';

export interface ProductFilter {
  shopId?: string | null;
  /** In one of them, or below. */
  categoryIds?: string[] | null;
  /** Of each name, one of the values. */
  attributes?: { name: string; values: string[] }[] | null;
  price?: { currency: string; min?: number | null; max?: number | null } | null;
  inStock?: boolean | null;
  minRating?: number | null;
}

/** What a search looks for, as the parameters $1 … $11 of its statements. */
export interface ProductFind {
  where: unknown[];
  worded: boolean;
  priced: boolean;
}
export interface FacetValue {
  value: string;
  count: number;
}
export interface ProductFacets {
  total: number;
  inStock: number;
  price: { min: number; max: number } | null;
  currency: string | null;
  categories: { id: string; count: number }[];
  attributes: { name: string; values: FacetValue[] }[];
}

const MAX_VALUES = 50;
const MAX_FACETS = 300;

interface Order {
  key: string;
  type: string;
  kinds: CursorPart[];
  descending: boolean;
}
/** By what a page goes on: the key of the order, then the id. */
const ORDERS: Readonly<Record<ProductSort, Order>> = {
  RELEVANCE: { key: `(ts_rank(p.words, q.query) * 1000000)::int`, type: 'int', kinds: ['number', 'uuid'], descending: true },
  NEWEST: { key: 'p.published_at', type: 'timestamptz', kinds: ['time', 'uuid'], descending: true },
  PRICE_LOW: { key: 'c.min_amount', type: 'bigint', kinds: ['amount', 'uuid'], descending: false },
  PRICE_HIGH: { key: 'c.min_amount', type: 'bigint', kinds: ['amount', 'uuid'], descending: true },
  RATING: { key: '(p.rating_sum * 1000 / greatest(p.rating_count, 1))', type: 'int', kinds: ['number', 'uuid'], descending: true },
  BEST_SELLING: { key: 'p.sold', type: 'int', kinds: ['number', 'uuid'], descending: true },
};

const QUERY = `(select case when $4 then websearch_to_tsquery('simple', $2) || to_tsquery('simple', $3) else websearch_to_tsquery('simple', $2) && to_tsquery('simple', $3) end as query) q`;
const IN_STOCK = `exists (select from product_variants v where v.product_id = p.id and v.active and (not v.track_stock or exists (
  select from stock_levels l where l.variant_id = v.id and l.on_hand > l.reserved)))`;

/** Products that are found; what was not asked for does not stand in the statement, so that the index of what was is used. */
const found = ({ worded, priced, where }: ProductFind): string => `
  products p ${priced ? 'join product_prices c on c.product_id = p.id and c.currency = $8' : ''} ${worded ? `cross join ${QUERY}` : ''}
  where p.status = 'PUBLISHED' and $2::text is not distinct from $2 and $3::text is not distinct from $3 and $4::boolean is not distinct from $4
    ${worded ? 'and p.words @@ q.query' : ''}
    and ($5::uuid is null or p.shop_id = $5) ${where[5] === null ? 'and $6::uuid[] is null' : 'and p.category_paths && $6::uuid[]'}
    ${where[6] === null ? 'and $7::jsonb is null' : 'and not exists (select from jsonb_array_elements($7::jsonb) f where not p.facets && array(select jsonb_array_elements_text(f)))'}
    and ${priced ? '($9::bigint is null or c.min_amount >= $9) and ($10::bigint is null or c.min_amount <= $10)' : '$8::text is null and $9::bigint is null and $10::bigint is null'}
    and ($11::boolean is null or $11 = ${IN_STOCK}) and ($12::int is null or p.rating_sum >= $12 * p.rating_count and p.rating_count > 0)`;

/** Finding products. Everybody finds what is published. */
export class ProductSearch {
  constructor(private readonly sql: Sql) {}

  /** Checks what is asked. Errors: INVALID_INPUT. */
  find(query: string | null, filter: ProductFilter, sort: ProductSort): ProductFind {
    const text = query === null || query.trim() === '' ? null : splitSearch(cleanText(query, { field: 'query', maxBytes: 256 }));
    if (sort === 'RELEVANCE' && !text) throw invalidInput('sort', 'RELEVANCE goes with a query.');
    const { price } = filter;
    if (sort.startsWith('PRICE') && !price) throw invalidInput('filter.price', 'An order by price needs the currency, in filter.price.');
    const categories = filter.categoryIds?.length ? distinct(filter.categoryIds, 'filter.categoryIds', MAX_VALUES) : null;
    const attributes = filter.attributes?.length ? filter.attributes.map(cleanAttribute) : null;
    if (attributes && attributes.length > MAX_VALUES) throw invalidInput('filter.attributes', `At most ${MAX_VALUES} attributes are asked for.`);
    const where = [
      null, text?.words ?? null, text?.prefix ?? null, text?.either ?? null, filter.shopId ?? null, categories, attributes && JSON.stringify(attributes),
      price ? checkCurrency(price.currency, 'filter.price.currency') : null,
      price?.min == null ? null : checkAmount(price.min, 'filter.price.min'),
      price?.max == null ? null : checkAmount(price.max, 'filter.price.max'),
      filter.inStock ?? null,
      filter.minRating == null ? null : boundedInt(filter.minRating, 'filter.minRating', 1, 5),
    ];
    return { where, worded: text !== null, priced: price != null };
  }

  /** One page, in one statement. With a price given, what has none in that currency is not found. */
  async page(reading: Reading, find: ProductFind, sort: ProductSort, args: PageArgs): Promise<Page<ProductRow>> {
    const { key, type, kinds, descending } = ORDERS[sort];
    const request = pageRequest(args, kinds);
    if (!request.size) return emptyPage();
    const [from, id] = request.from ?? [null, null];
    const direction = descending ? 'desc' : 'asc';
    const rows = await this.sql<ProductRow & { key: CursorValue | Date }>(
      `select ${PRODUCT_COLUMNS}, ${type === 'bigint' ? `${key}::float8` : key} as key from ${found(find)}
         and ($13::${type} is null or (${key}, p.id) ${descending ? '<' : '>'} ($13::${type}, $14::uuid)) order by ${key} ${direction}, p.id ${direction} limit $1`,
      [request.limit, ...find.where.slice(1), from !== null && type === 'timestamptz' ? new Date(from as number) : from, id],
    );
    for (const row of rows) reading.prime(productById, row.id, row);
    return toPage(rows, request, (row) => [row.key instanceof Date ? row.key.getTime() : row.key, row.id]);
  }

  /** How many are found, and of what kinds: in one statement, under all filters. */
  async facets(find: ProductFind): Promise<ProductFacets> {
    const [row] = await this.sql<{ total: number; inStock: number; min: number | null; max: number | null; categories: ProductFacets['categories']; attributes: { name: string; value: string; count: number }[] }>(
      `with found as materialized (
         select p.id, p.attributes, p.category_paths, ${find.priced ? 'c.min_amount' : 'null::bigint'} as amount, ${IN_STOCK} as in_stock from ${found(find)})
       select count(*)::int as total, (count(*) filter (where in_stock))::int as "inStock", min(amount)::float8 as min, max(amount)::float8 as max,
         (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'count', g.n) order by g.n desc, g.id), '[]') from (
            select i.id, count(*) as n from found f cross join unnest(f.category_paths) i(id) group by i.id order by n desc, i.id limit $1) g) as categories,
         (select coalesce(jsonb_agg(jsonb_build_object('name', g.name, 'value', g.value, 'count', g.n) order by g.n desc, g.name, g.value), '[]') from (
            select a->>'name' as name, a->>'value' as value, count(distinct f.id) as n from found f cross join jsonb_array_elements(f.attributes) a group by 1, 2 order by n desc, 1, 2 limit $1) g) as attributes
       from found`,
      [MAX_FACETS, ...find.where.slice(1)],
    );
    const { total, inStock, min, max, categories, attributes } = row!;
    return {
      total,
      inStock,
      price: min === null ? null : { min, max: max! },
      currency: (find.where[7] as string | null) ?? null,
      categories,
      attributes: [...Map.groupBy(attributes, ({ name }) => name)].map(([name, values]) => ({ name, values: values.map(({ value, count }) => ({ value, count })) })),
    };
  }
}

function cleanAttribute({ name, values }: { name: string; values: string[] }): string[] {
  const of = cleanText(name, { field: 'filter.attributes.name', maxBytes: 64 });
  const wanted = distinct(values, 'filter.attributes.values', MAX_VALUES).map((value) => cleanText(value, { field: 'filter.attributes.values', maxBytes: 256 }));
  if (!wanted.length) throw invalidInput('filter.attributes.values', 'An attribute is asked for by at least one value.');
  return wanted.map((value) => facetOf({ name: of, value }));
}
