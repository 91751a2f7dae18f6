import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { assertCanPublish, assertRunsShop, canSeeProduct, PRODUCT_TRANSITIONS, type ProductStatus } from '../../policies/product-policy.js';
import type { Actor, Reading } from '../actor.js';
import { productById, PRODUCT_COLUMNS, variantById, variantsOfProduct, type ProductRow, type VariantRow } from '../loaders/products.js';
import { shopById, type ShopRow } from '../loaders/shops.js';
import { cleanProduct, isSlug, noSuch, type GivenProduct } from './product-input.js';
import { givenPicture } from './product-pictures.js';
import { PRODUCTS } from './product-states.js';
import { lockShop, writeProduct } from './product-writer.js';

/** What is absent stays as it is; lists replace. */
export type ProductChange = { [Field in keyof GivenProduct]?: GivenProduct[Field] | null | undefined };

/** What a shop sells: made, changed, published, read. */
export class ProductService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Makes a draft. Errors: NOT_FOUND (shop, category), FORBIDDEN, INVALID_INPUT, LIMIT_REACHED. */
  async create(actor: Actor, shopId: string, given: GivenProduct, idempotencyKey: string): Promise<ProductRow> {
    const values = cleanProduct(given);
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createProduct', idempotencyKey, input: { shopId, values } }, async (tx) => {
      const shop = await lockShop(tx, shopId, actor.userId);
      return { id: await writeProduct(tx, shop, null, values, actor.userId) };
    });
    return this.#read(id);
  }

  /**
   * Changes a product, as a whole: with `version`, only if nobody else has changed it meanwhile.
   * Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT, STATE_CONFLICT (another version; what is published would have nothing to sell).
   */
  async update(actor: Actor, productId: string, change: ProductChange, version: number | null): Promise<ProductRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateProduct' }, async (tx) => {
      const { shop, product } = await lockProduct(tx, productId, actor.userId);
      if (version !== null && version !== product.version) throw new DomainError('STATE_CONFLICT', `The product is at version ${product.version}.`, { field: 'version' });
      const [variants] = await variantsOfProduct.batch([productId], { sql: tx.sql, viewerId: null, now: tx.now });
      const values = cleanProduct(merge(product, variants!, change));
      if (product.status === 'PUBLISHED') assertCanPublish(values.variants.map((variant) => ({ active: true, prices: variant.prices })), shop.currency);
      await writeProduct(tx, shop, product, values, actor.userId);
    });
    return this.#read(productId);
  }

  /** Publishes, takes back, puts away. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (nothing to sell). */
  async setStatus(actor: Actor, productId: string, status: ProductStatus): Promise<ProductRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'setProductStatus' }, async (tx) => {
      const { shop, product } = await lockProduct(tx, productId, actor.userId);
      if (status === product.status) return;
      if (!PRODUCT_TRANSITIONS[product.status].includes(status)) throw new DomainError('STATE_CONFLICT', `What is ${product.status} can’t become ${status}.`);
      await changeStatus(tx, shop, productId, status);
    });
    return this.#read(productId);
  }

  /** A product that the viewer may see, or null. */
  async find(reading: Reading, id: string): Promise<ProductRow | null> {
    const product = await reading.load(productById, id);
    return product && canSeeProduct(product, (await reading.load(shopById, product.shopId))!, reading.viewer?.userId ?? null) ? product : null;
  }

  async findBySlug(reading: Reading, shopSlug: string, slug: string): Promise<ProductRow | null> {
    if (!isSlug(shopSlug) || !isSlug(slug)) return null;
    const [row] = await this.sql<{ id: string }>('select p.id from products p join shops s on s.id = p.shop_id where s.slug = $1 and p.slug = $2', [shopSlug, slug]);
    return row ? this.find(reading, row.id) : null;
  }

  async findVariant(reading: Reading, id: string): Promise<VariantRow | null> {
    const variant = await reading.load(variantById, id);
    return variant && (await this.find(reading, variant.productId)) ? variant : null;
  }

  /** All that a shop has, drafts too, the newest first; null for those who don't run it. */
  async catalogue(reading: Reading, shopId: string, status: ProductStatus | null, args: PageArgs): Promise<Page<ProductRow> | null> {
    const request = pageRequest(args, ['uuid']);
    if ((await reading.load(shopById, shopId))?.ownerId !== reading.viewer?.userId) return null;
    if (!request.size) return emptyPage();
    const rows = await this.sql<ProductRow>(
      `select ${PRODUCT_COLUMNS} from products p where p.shop_id = $1 and ($2::text is null or p.status = $2) and ($3::uuid is null or p.id < $3) order by p.id desc limit $4`,
      [shopId, status, request.from?.[0] ?? null, request.limit],
    );
    for (const row of rows) reading.prime(productById, row.id, row);
    return toPage(rows, request, (row) => [row.id]);
  }

  async #read(id: string): Promise<ProductRow> {
    const [row] = await this.sql<ProductRow>(`select ${PRODUCT_COLUMNS} from products p where p.id = $1`, [id]);
    return row!;
  }
}

/** Locks the shop of a product that the actor sells. A draft of somebody else's is not there. */
export async function lockProduct(tx: Tx, productId: string, userId: string): Promise<{ shop: ShopRow; product: ProductRow }> {
  const [found] = await tx.sql<{ shopId: string; ownerId: string; status: ProductStatus }>(
    'select p.shop_id as "shopId", s.owner_id as "ownerId", p.status from products p join shops s on s.id = p.shop_id where p.id = $1',
    [productId],
  );
  if (!found || !canSeeProduct(found, found, userId)) throw notFound('product');
  assertRunsShop(found, userId);
  const shop = await lockShop(tx, found.shopId, userId);
  const [product] = await tx.sql<ProductRow>(`select ${PRODUCT_COLUMNS} from products p where p.id = $1`, [productId]);
  return { shop, product: product! };
}

/** Sets the status of a product whose shop is locked. Throws STATE_CONFLICT when it would sell nothing. */
export async function changeStatus(tx: Tx, shop: ShopRow, productId: string, status: ProductStatus): Promise<void> {
  if (status === 'PUBLISHED') {
    const [variants] = await variantsOfProduct.batch([productId], { sql: tx.sql, viewerId: null, now: tx.now });
    assertCanPublish(variants!, shop.currency);
  }
  tx.changed(PRODUCTS, productId);
  await tx.sql(`update products set status = $2, published_at = case when $2 = 'PUBLISHED' then coalesce(published_at, $3) else published_at end, version = version + 1 where id = $1`, [
    productId, status, tx.now,
  ]);
}

/** The product as it would be. */
export function merge(product: ProductRow, variants: readonly VariantRow[], change: ProductChange): GivenProduct {
  const kept = variants.filter((variant) => variant.active).map(({ sku, optionValues, prices, trackStock, weightGrams, picture }) => ({
    sku, optionValues, prices, trackStock, weightGrams, picture: picture === null ? null : givenPicture(picture),
  }));
  const { slug, title, description, options, attributes, categoryIds, media, taxClass } = product;
  const before = { slug, title, description, options, attributes, categoryIds, media: media.map(givenPicture), taxClass, variants: kept };
  const given = Object.fromEntries(Object.entries(change).filter(([field, value]) => value !== undefined && (value !== null || field === 'description')));
  return { ...before, ...given };
}

/** A variant that the actor sells, for a change. Throws NOT_FOUND, FORBIDDEN. */
export async function assertSells(tx: Tx, variantId: string, userId: string): Promise<{ productId: string; shopId: string }> {
  const [row] = await tx.sql<{ productId: string; shopId: string; ownerId: string; status: ProductStatus }>(
    `select v.product_id as "productId", v.shop_id as "shopId", s.owner_id as "ownerId", p.status
     from product_variants v join products p on p.id = v.product_id join shops s on s.id = v.shop_id where v.id = $1`,
    [variantId],
  );
  if (!row || !canSeeProduct(row, row, userId)) throw noSuch('variant', 'variantId');
  assertRunsShop(row, userId);
  return row;
}
