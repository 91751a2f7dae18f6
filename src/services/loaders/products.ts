import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { nestedPages } from '../../db/nested-pages.js';
import type { ProductStatus } from '../../policies/product-policy.js';

export interface ProductOption {
  name: string;
  values: string[];
}
export interface ProductAttribute {
  name: string;
  value: string;
}
export interface ProductRow {
  id: string;
  shopId: string;
  slug: string;
  title: string;
  description: string | null;
  status: ProductStatus;
  options: ProductOption[];
  attributes: ProductAttribute[];
  categoryIds: string[];
  /** Addresses, or `file:` and the id of a file. */
  media: string[];
  taxClass: string;
  ratingSum: number;
  ratingCount: number;
  version: number;
  createdAt: Date;
  publishedAt: Date | null;
}
export const PRODUCT_COLUMNS = `p.id, p.shop_id as "shopId", p.slug, p.title, p.description, p.status, p.options, p.attributes, p.category_ids as "categoryIds", p.media,
  p.tax_class as "taxClass", p.rating_sum as "ratingSum", p.rating_count as "ratingCount", p.version, p.created_at as "createdAt", p.published_at as "publishedAt"`;

const PRODUCTS = keyed<ProductRow>(`select ${PRODUCT_COLUMNS} from products p where p.id = any($1)`);
/** A product, whoever asks: what may be seen of it is the caller's question. */
export const productById: LoaderDef<string, ProductRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await PRODUCTS(sql, ids), (row) => row.id);
  },
};

/** A product that everybody may see. */
export const publishedProduct: LoaderDef<string, ProductRow> = {
  batch: async (ids, deps) => (await productById.batch(ids, deps)).map((product) => (product?.status === 'PUBLISHED' ? product : null)),
};

export interface VariantPrice {
  currency: string;
  amount: number;
  compareAt: number | null;
}
export interface VariantRow {
  id: string;
  productId: string;
  shopId: string;
  sku: string;
  optionValues: string[];
  position: number;
  active: boolean;
  trackStock: boolean;
  weightGrams: number | null;
  picture: string | null;
  prices: VariantPrice[];
  /** What can be sold now, over all locations. */
  available: number;
}
const VARIANT_COLUMNS = `v.id, v.product_id as "productId", v.shop_id as "shopId", v.sku, v.option_values as "optionValues", v.position, v.active, v.track_stock as "trackStock", v.weight_grams as "weightGrams", v.picture,
  (select coalesce(jsonb_agg(jsonb_build_object('currency', c.currency, 'amount', c.amount, 'compareAt', c.compare_at) order by c.currency), '[]') from variant_prices c where c.variant_id = v.id) as prices,
  (select coalesce(sum(l.on_hand - l.reserved), 0)::int from stock_levels l where l.variant_id = v.id) as available`;

const VARIANTS = keyed<VariantRow>(`select ${VARIANT_COLUMNS} from product_variants v where v.id = any($1)`);
export const variantById: LoaderDef<string, VariantRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await VARIANTS(sql, ids), (row) => row.id);
  },
};

const VARIANTS_OF = keyed<VariantRow>(`select ${VARIANT_COLUMNS} from product_variants v where v.product_id = any($1) order by v.product_id, v.position, v.id`);
/** All variants of a product, which are bounded; also those that are no longer sold. */
export const variantsOfProduct: LoaderDef<string, VariantRow[]> = {
  async batch(ids, { sql }) {
    const byProduct = Map.groupBy(await VARIANTS_OF(sql, ids), (row) => row.productId);
    return ids.map((id) => byProduct.get(id) ?? []);
  },
};

export const canBuy = ({ active, trackStock, available }: VariantRow): boolean => active && (!trackStock || available > 0);
export const priceIn = ({ prices }: VariantRow, currency: string): VariantPrice | undefined => prices.find((price) => price.currency === currency);

export interface StockLevelRow {
  variantId: string;
  locationId: string;
  location: string;
  onHand: number;
  reserved: number;
}
export const stockOfVariant: LoaderDef<string, StockLevelRow[]> = {
  async batch(ids, { sql }) {
    const rows = await sql<StockLevelRow>(
      `select l.variant_id as "variantId", l.location_id as "locationId", k.name as location, l.on_hand as "onHand", l.reserved
       from stock_levels l join stock_locations k on k.id = l.location_id where l.variant_id = any($1) order by k.position, k.id`,
      [ids],
    );
    const byVariant = Map.groupBy(rows, (row) => row.variantId);
    return ids.map((id) => byVariant.get(id) ?? []);
  },
};

export interface ReviewRow {
  id: string;
  productId: string;
  userId: string;
  rating: number;
  title: string | null;
  text: string | null;
  createdAt: Date;
  updatedAt: Date;
}
export const REVIEW_COLUMNS = `r.id, r.product_id as "productId", r.user_id as "userId", r.rating, r.title, r.text, r.created_at as "createdAt", r.updated_at as "updatedAt"`;

/** Reviews of products, the newest first. */
export const reviewsOfProduct = nestedPages<string, ReviewRow & { ord: number }>({
  keyOf: (id) => id,
  cursorOf: (row) => [row.id],
  read: (keys, { sql }) =>
    sql(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::int[]) with ordinality k(product_id, before, most, ord)
       cross join lateral (
         select ${REVIEW_COLUMNS} from product_reviews r where r.product_id = k.product_id and (k.before is null or r.id < k.before) order by r.id desc limit k.most) x
       order by k.ord, x.id desc`,
      [keys.map(({ parent }) => parent), keys.map(({ request }) => request.from?.[0] ?? null), keys.map(({ request }) => request.limit)],
    ),
});

/** What the viewer wrote about a product. */
export const viewerReview: LoaderDef<string, ReviewRow> = {
  async batch(ids, { sql, viewerId }) {
    const rows = await sql<ReviewRow>(`select ${REVIEW_COLUMNS} from product_reviews r where r.product_id = any($1) and r.user_id = $2`, [ids, viewerId]);
    return inOrder(ids, rows, (row) => row.productId);
  },
};
