import type { Tx } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { assertRunsShop } from '../../policies/product-policy.js';
import { SHOP_COLUMNS, type ShopRow } from '../loaders/shops.js';
import { PRODUCTS } from './product-states.js';
import { lockPictures } from './product-pictures.js';
import { facetOf, noSuch, slugOf, type ProductValues, type VariantValues } from './product-input.js';

const MAX_PRODUCTS = 50_000;

/** Locks a shop that the actor runs: what is changed of its catalogue is changed by one at a time. */
export async function lockShop(tx: Tx, shopId: string, userId: string): Promise<ShopRow> {
  const [shop] = await tx.sql<ShopRow>(`select ${SHOP_COLUMNS} from shops s where s.id = $1 for no key update`, [shopId]);
  assertRunsShop(shop, userId);
  return shop;
}

interface Target {
  id: string;
  slug: string;
}

/**
 * Writes a product as a whole, under the lock of its shop. All that can be refused is refused before anything is written, so that an
 * import may go on with its next line. Variants are known by their sku; those that are not given are no longer sold. Returns its id.
 */
export async function writeProduct(tx: Tx, shop: ShopRow, target: Target | null, values: ProductValues, actorId: string): Promise<string> {
  const paths = await checkCategories(tx, shop.id, values.categoryIds);
  await checkSkus(tx, shop.id, target?.id ?? null, values.variants);
  const slug = await chooseSlug(tx, shop.id, target, values);
  if (!target) await checkRoom(tx, shop.id);
  const id = target?.id ?? newId();
  const pictures = await lockPictures(tx, actorId, id, [...values.media, ...values.variants.map(({ picture }) => picture)]);
  const words = [values.title, [...values.attributes.map(({ value }) => value), ...values.variants.map(({ sku }) => sku)].join(' '), values.description ?? ''];
  const row = [
    id, slug, values.title, values.description, JSON.stringify(values.options), JSON.stringify(values.attributes), [...new Set(values.attributes.map(facetOf))],
    values.categoryIds, paths, values.media, values.taxClass, tx.now, ...words,
  ];
  if (target) await tx.sql(UPDATE, row);
  else await tx.sql(INSERT, [...row, shop.id]);
  await writeVariants(tx, shop.id, id, values.variants, actorId);
  await pictures.keep();
  tx.changed(PRODUCTS, id);
  return id;
}

const WORDS = `setweight(to_tsvector('simple', $13), 'A') || setweight(to_tsvector('simple', $14), 'B') || setweight(to_tsvector('simple', $15), 'C')`;
const INSERT = `insert into products (id, shop_id, slug, title, description, options, attributes, facets, category_ids, category_paths, media, tax_class, created_at, updated_at, words)
  values ($1, $16, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, ${WORDS})`;
const UPDATE = `update products set slug = $2, title = $3, description = $4, options = $5, attributes = $6, facets = $7, category_ids = $8, category_paths = $9, media = $10, tax_class = $11,
  updated_at = $12, words = ${WORDS}, version = version + 1 where id = $1`;

/** The given categories and all above them. */
async function checkCategories(tx: Tx, shopId: string, ids: string[]): Promise<string[]> {
  if (!ids.length) return [];
  const rows = await tx.sql<{ path: string[] }>('select path from product_categories where shop_id = $1 and id = any($2)', [shopId, ids]);
  if (rows.length < ids.length) throw noSuch('category in this shop', 'categoryIds');
  return [...new Set(rows.flatMap((row) => row.path))];
}

async function checkSkus(tx: Tx, shopId: string, productId: string | null, variants: VariantValues[]): Promise<void> {
  const [taken] = await tx.sql<{ sku: string }>('select sku from product_variants where shop_id = $1 and sku = any($2) and product_id is distinct from $3 limit 1', [
    shopId, variants.map((variant) => variant.sku), productId,
  ]);
  if (taken) throw invalidInput('variants.sku', `Another product of this shop has the sku ${taken.sku}.`);
}

async function chooseSlug(tx: Tx, shopId: string, target: Target | null, { slug, title }: ProductValues): Promise<string> {
  if (target && (slug === null || slug === target.slug)) return target.slug;
  const wanted = slug ?? (slugOf(title) || 'product');
  const taken = new Set((await tx.sql<{ slug: string }>(`select slug from products where shop_id = $1 and (slug = $2 or slug like $2 || '-%')`, [shopId, wanted])).map((row) => row.slug));
  if (!taken.has(wanted)) return wanted;
  if (slug !== null) throw invalidInput('slug', 'Another product of this shop has this slug.');
  for (let number = 2; ; number++) if (!taken.has(`${wanted}-${number}`)) return `${wanted}-${number}`;
}

async function checkRoom(tx: Tx, shopId: string): Promise<void> {
  const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from products where shop_id = $1', [shopId]);
  if (count!.n >= MAX_PRODUCTS) throw new DomainError('LIMIT_REACHED', `A shop has at most ${MAX_PRODUCTS} products.`);
}

async function writeVariants(tx: Tx, shopId: string, productId: string, variants: VariantValues[], actorId: string): Promise<void> {
  const rows = await tx.sql<{ id: string; sku: string; fresh: boolean }>(
    `insert into product_variants (id, product_id, shop_id, sku, option_values, position, track_stock, weight_grams, picture)
     select v.id, $1, $2, v.sku, array(select jsonb_array_elements_text(v.option_values)), v.position, v.track_stock, v.weight_grams, v.picture
     from jsonb_to_recordset($3) v(id uuid, sku text, option_values jsonb, position int, track_stock boolean, weight_grams int, picture text)
     on conflict (shop_id, sku) do update set option_values = excluded.option_values, position = excluded.position, track_stock = excluded.track_stock, weight_grams = excluded.weight_grams, picture = excluded.picture, active = true
     returning id, sku, xmax = 0 as fresh`,
    [
      productId, shopId,
      JSON.stringify(variants.map((variant, position) => ({ id: newId(), sku: variant.sku, option_values: variant.optionValues, position, track_stock: variant.trackStock, weight_grams: variant.weightGrams, picture: variant.picture }))),
    ],
  );
  const idOf = new Map(rows.map((row) => [row.sku, row.id]));
  const ids = rows.map((row) => row.id);
  await tx.sql('update product_variants set active = false where product_id = $1 and active and not id = any($2)', [productId, ids]);
  await tx.sql('delete from variant_prices where variant_id = any($1)', [ids]);
  const prices = variants.flatMap((variant) => variant.prices.map((price) => ({ variant_id: idOf.get(variant.sku), currency: price.currency, amount: price.amount, compare_at: price.compareAt })));
  await tx.sql(
    `insert into variant_prices (variant_id, currency, amount, compare_at) select * from jsonb_to_recordset($1) p(variant_id uuid, currency text, amount bigint, compare_at bigint)`,
    [JSON.stringify(prices)],
  );
  await tx.sql('delete from product_prices where product_id = $1', [productId]);
  await tx.sql(
    `insert into product_prices (product_id, currency, min_amount, max_amount)
     select $1, c.currency, min(c.amount), max(c.amount) from product_variants v join variant_prices c on c.variant_id = v.id where v.product_id = $1 and v.active group by c.currency`,
    [productId],
  );
  const fresh = new Set(rows.filter((row) => row.fresh).map((row) => row.sku));
  const stocked = variants.filter((variant) => fresh.has(variant.sku) && variant.stock > 0);
  if (stocked.length) await firstStock(tx, shopId, stocked.map((variant) => ({ variant_id: idOf.get(variant.sku)!, id: newId(), quantity: variant.stock })), actorId);
}

async function firstStock(tx: Tx, shopId: string, stock: { variant_id: string; id: string; quantity: number }[], actorId: string): Promise<void> {
  const [location] = await tx.sql<{ id: string }>('select id from stock_locations where shop_id = $1 order by position, id limit 1', [shopId]);
  const rows = JSON.stringify(stock);
  await tx.sql(`insert into stock_levels (variant_id, location_id, on_hand) select s.variant_id, $2, s.quantity from jsonb_to_recordset($1) s(variant_id uuid, quantity int)`, [rows, location!.id]);
  await tx.sql(
    `insert into stock_movements (id, variant_id, location_id, delta, kind, actor_id, created_at) select s.id, s.variant_id, $2, s.quantity, 'RECEIVED', $3, $4 from jsonb_to_recordset($1) s(id uuid, variant_id uuid, quantity int)`,
    [rows, location!.id, actorId, tx.now],
  );
}
