import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput, type ErrorCode } from '../../lib/errors.js';
import { decodeId, encodeId } from '../../lib/ids.js';
import { assertRunsShop } from '../../policies/product-policy.js';
import type { Actor, Reading } from '../actor.js';
import { UPLOADED } from '../files/avatars.js';
import { PRODUCT_COLUMNS, variantsOfProduct, type ProductRow, type VariantRow } from '../loaders/products.js';
import { shopById, type ShopRow } from '../loaders/shops.js';
import { cleanProduct } from './product-input.js';
import { givenPicture, type GivenPicture } from './product-pictures.js';
import { MAX_FILED, readCsv, readJson, writeCsv, type Filed, type FiledProduct } from './product-tables.js';
import { lockShop, writeProduct } from './product-writer.js';
import { changeStatus } from './products.js';

export type ExchangeFormat = 'CSV' | 'JSON';
const MAX_BYTES = 512 * 1024;
const EXPORT_PAGE = 200;

export interface ImportLine {
  /** Of the file, from 1; in JSON the item. */
  line: number;
  slug: string | null;
  outcome: 'CREATED' | 'UPDATED' | 'FAILED';
  code: ErrorCode | null;
  field: string | null;
  message: string | null;
}
export interface ProductImport {
  shopId: string;
  format: ExchangeFormat;
  content: string;
  /** Reports, and changes nothing. */
  dryRun: boolean;
  idempotencyKey: string;
}

class DryRun extends Error {
  constructor(readonly lines: ImportLine[]) {
    super('nothing is kept');
  }
}

/** Products that come and go as files. */
export class ProductExchange {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Takes up products by their slugs, in one transaction: each line succeeds or fails alone, by the report.
   * Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (no such table, or more than 500 products or 512 KiB).
   */
  async take(actor: Actor, { idempotencyKey, ...given }: ProductImport): Promise<ImportLine[]> {
    if (Buffer.byteLength(given.content) > MAX_BYTES) throw invalidInput('content', `At most ${MAX_BYTES / 1024} KiB are taken at a time.`);
    if (given.content.includes('\0') || !given.content.isWellFormed()) throw invalidInput('content', 'content is not well-formed text.');
    const products = given.format === 'CSV' ? readCsv(given.content) : readJson(given.content);
    if (!products.length) throw invalidInput('content', 'There is no product in it.');
    if (products.length > MAX_FILED) throw invalidInput('content', `At most ${MAX_FILED} products are taken at a time.`);
    try {
      const { lines } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'importProducts', idempotencyKey, input: given }, async (tx) => {
        const shop = await lockShop(tx, given.shopId, actor.userId);
        const taken = await takeAll(tx, shop, products, actor.userId);
        if (given.dryRun) throw new DryRun(taken);
        return { lines: taken };
      });
      return lines;
    } catch (error) {
      if (error instanceof DryRun) return error.lines;
      throw error;
    }
  }

  /** A page of a shop's products as a file, by slug. Errors: NOT_FOUND, FORBIDDEN. */
  async give(reading: Reading, actor: Actor, shopId: string, format: ExchangeFormat, after: string | null): Promise<{ content: string; count: number; last: string | null }> {
    const shop = await reading.load(shopById, shopId);
    assertRunsShop(shop, actor.userId);
    const rows = await this.sql<ProductRow & { categories: string[] }>(
      `select ${PRODUCT_COLUMNS}, array(select c.slug from product_categories c where c.id = any(p.category_ids) order by c.slug) as categories
       from products p where p.shop_id = $1 and ($2::text is null or p.slug > $2) order by p.slug limit $3`,
      [shopId, after, EXPORT_PAGE + 1],
    );
    const page = rows.slice(0, EXPORT_PAGE);
    const variants = await variantsOfProduct.batch(page.map((row) => row.id), { sql: this.sql, viewerId: null, now: reading.now });
    const products = page.map((row, index) => filedOf(row, variants[index]!));
    const content = format === 'CSV' ? writeCsv(products) : JSON.stringify(products, null, 1);
    return { content, count: page.length, last: rows.length > page.length ? page.at(-1)!.slug : null };
  }
}

function filedOf({ slug, title, description, status, categories, attributes, media, taxClass, options }: ProductRow & { categories: string[] }, variants: VariantRow[]): FiledProduct {
  const sold = variants.filter((variant) => variant.active);
  return {
    slug, title, description, status, categories, attributes, media: media.map(filedPicture), taxClass, options,
    variants: sold.map(({ sku, optionValues, prices, trackStock, weightGrams, picture, available }) => ({
      sku, optionValues, prices, trackStock, weightGrams, picture: picture === null ? null : filedPicture(picture), stock: available,
    })),
  };
}

/** In a file a file of ours goes by its public id. */
function filedPicture(picture: string): string {
  const { fileId } = givenPicture(picture);
  return fileId == null ? picture : UPLOADED + encodeId('File', fileId);
}
const pictureOf = (filed: string, field: string): GivenPicture => (filed.startsWith(UPLOADED) ? { fileId: decodeId('File', filed.slice(UPLOADED.length), field) } : { url: filed });

async function takeAll(tx: Tx, shop: ShopRow, products: Filed[], actorId: string): Promise<ImportLine[]> {
  const categories = new Map((await tx.sql<{ id: string; slug: string }>('select id, slug from product_categories where shop_id = $1', [shop.id])).map((row) => [row.slug, row.id]));
  const known = await tx.sql<{ id: string; slug: string; status: FiledProduct['status'] }>('select id, slug, status from products where shop_id = $1 and slug = any($2)', [
    shop.id, products.flatMap(({ slug }) => slug ?? []),
  ]);
  const bySlug = new Map(known.map((row) => [row.slug, row]));
  const lines: ImportLine[] = [];
  for (const item of products) {
    const { line, slug } = item;
    if (!('product' in item)) {
      lines.push({ line, slug, outcome: 'FAILED', code: 'INVALID_INPUT', field: item.field, message: item.message });
      continue;
    }
    try {
      const target = bySlug.get(slug!) ?? null;
      const values = cleanProduct({
        ...item.product,
        categoryIds: item.product.categories.map((name) => idOf(categories, name)),
        media: item.product.media.map((picture) => pictureOf(picture, 'media')),
        variants: item.product.variants.map((variant) => ({ ...variant, picture: variant.picture === null ? null : pictureOf(variant.picture, 'variants.picture') })),
      });
      const willSell = item.product.status === 'PUBLISHED' && values.variants.length > 0 && values.variants.every((variant) => variant.prices.some((price) => price.currency === shop.currency));
      if (item.product.status === 'PUBLISHED' && !willSell) throw new DomainError('STATE_CONFLICT', `What is published needs a variant, and each variant a price in ${shop.currency}.`, { field: 'status' });
      const id = await writeProduct(tx, shop, target, values, actorId);
      if (item.product.status !== (target?.status ?? 'DRAFT')) await changeStatus(tx, shop, id, item.product.status);
      bySlug.set(slug!, { id, slug: slug!, status: item.product.status });
      lines.push({ line, slug, outcome: target ? 'UPDATED' : 'CREATED', code: null, field: null, message: null });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      lines.push({ line, slug, outcome: 'FAILED', code: error.code, field: error.details.field ?? null, message: error.message });
    }
  }
  return lines;
}

function idOf(categories: ReadonlyMap<string, string>, slug: string): string {
  const id = categories.get(slug);
  if (id === undefined) throw new DomainError('NOT_FOUND', `There is no category ${slug.slice(0, 100)} in this shop.`, { field: 'categories' });
  return id;
}
