import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { checkCurrency } from '../../policies/money.js';
import type { Actor, Reading } from '../actor.js';
import { CATEGORY_COLUMNS, shopById, SHOP_COLUMNS, type CategoryRow, type LocationRow, type ShopRow } from '../loaders/shops.js';
import { cleanSlug, isSlug, noSuch, slugOf } from './product-input.js';
import { lockShop } from './product-writer.js';

const MAX_SHOPS = 20;
const MAX_CATEGORIES = 500;
const MAX_DEPTH = 5;
const MAX_LOCATIONS = 20;

export interface NewShop {
  name: string;
  slug: string;
  description?: string | null;
  currency: string;
  idempotencyKey: string;
}
/** What is absent stays as it is. */
export interface ShopChange {
  name?: string | null;
  description?: string | null;
  holdPayments?: boolean | null;
  /** Null: nobody is told. */
  lowStockAt?: number | null;
}

const cleanName = (name: string): string => cleanText(name, { field: 'name', maxBytes: 128 });
const cleanDescription = (text: string): string => cleanText(text, { field: 'description', maxBytes: 4_096, multiline: true });

/** Shops, their categories, and where they keep what they sell. */
export class ShopService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Makes a shop of the actor's, with one location. Errors: INVALID_INPUT (also for a slug that is taken), LIMIT_REACHED. */
  async create(actor: Actor, { idempotencyKey, ...given }: NewShop): Promise<ShopRow> {
    const name = cleanName(given.name);
    const slug = cleanSlug(given.slug, 'slug');
    const description = given.description == null ? null : cleanDescription(given.description);
    const currency = checkCurrency(given.currency, 'currency');
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createShop', idempotencyKey, input: given }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [owned] = await tx.sql<{ n: number }>('select count(*)::int as n from shops where owner_id = $1', [actor.userId]);
      if (owned!.n >= MAX_SHOPS) throw new DomainError('LIMIT_REACHED', `A person has at most ${MAX_SHOPS} shops.`);
      const made = newId();
      const rows = await tx.sql(
        'insert into shops (id, owner_id, slug, name, description, currency, created_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict (slug) do nothing returning id',
        [made, actor.userId, slug, name, description, currency, tx.now],
      );
      if (!rows.length) throw invalidInput('slug', 'Another shop has this slug.');
      await tx.sql(`insert into stock_locations (id, shop_id, name, position, created_at) values ($1, $2, 'Main', 0, $3)`, [newId(), made, tx.now]);
      return { id: made };
    });
    return this.#read(id);
  }

  /** Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT. */
  async update(actor: Actor, shopId: string, change: ShopChange): Promise<ShopRow> {
    const name = change.name == null ? null : cleanName(change.name);
    const description = change.description == null ? change.description : cleanDescription(change.description);
    const lowStockAt = change.lowStockAt == null ? change.lowStockAt : boundedInt(change.lowStockAt, 'lowStockAt', 0, 1_000_000);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateShop' }, async (tx) => {
      const shop = await lockShop(tx, shopId, actor.userId);
      const after = { name: name ?? shop.name, description: description === undefined ? shop.description : description, holdPayments: change.holdPayments ?? shop.holdPayments, lowStockAt: lowStockAt === undefined ? shop.lowStockAt : lowStockAt };
      if (after.name === shop.name && after.description === shop.description && after.holdPayments === shop.holdPayments && after.lowStockAt === shop.lowStockAt) return;
      await tx.sql('update shops set name = $2, description = $3, hold_payments = $4, low_stock_at = $5, version = version + 1 where id = $1', [
        shopId, after.name, after.description, after.holdPayments, after.lowStockAt,
      ]);
    });
    return this.#read(shopId);
  }

  find(reading: Reading, id: string): Promise<ShopRow | null> {
    return reading.load(shopById, id);
  }

  async findBySlug(slug: string): Promise<ShopRow | null> {
    if (!isSlug(slug)) return null;
    const [row] = await this.sql<ShopRow>(`select ${SHOP_COLUMNS} from shops s where s.slug = $1`, [slug]);
    return row ?? null;
  }

  /** Those that the viewer runs, the oldest first. */
  async listOwn(reading: Reading, actor: Actor, args: PageArgs): Promise<Page<ShopRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<ShopRow>(`select ${SHOP_COLUMNS} from shops s where s.owner_id = $1 and ($2::uuid is null or s.id > $2) order by s.id limit $3`, [
      actor.userId, request.from?.[0] ?? null, request.limit,
    ]);
    for (const row of rows) reading.prime(shopById, row.id, row);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** Errors: NOT_FOUND (shop, parent), FORBIDDEN, INVALID_INPUT (also for a slug that is taken), LIMIT_REACHED. */
  async createCategory(actor: Actor, shopId: string, given: { name: string; slug?: string | null; parentId?: string | null }): Promise<CategoryRow> {
    const name = cleanName(given.name);
    const slug = cleanSlug(given.slug ?? slugOf(name), 'slug');
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'createCategory' }, async (tx) => {
      await lockShop(tx, shopId, actor.userId);
      const known = await tx.sql<CategoryRow>(`select ${CATEGORY_COLUMNS} from product_categories c where c.shop_id = $1`, [shopId]);
      const parent = given.parentId == null ? null : known.find((category) => category.id === given.parentId);
      if (parent === undefined) throw noSuch('category in this shop', 'parentId');
      if (known.some((category) => category.slug === slug)) throw invalidInput('slug', 'Another category of this shop has this slug.');
      if (known.length >= MAX_CATEGORIES) throw new DomainError('LIMIT_REACHED', `A shop has at most ${MAX_CATEGORIES} categories.`);
      if ((parent?.path.length ?? 0) >= MAX_DEPTH) throw new DomainError('LIMIT_REACHED', `Categories are at most ${MAX_DEPTH} deep.`, { field: 'parentId' });
      const id = newId();
      const path = [...(parent?.path ?? []), id];
      await tx.sql('insert into product_categories (id, shop_id, parent_id, path, name, slug) values ($1, $2, $3, $4, $5, $6)', [id, shopId, parent?.id ?? null, path, name, slug]);
      return { id, shopId, parentId: parent?.id ?? null, path, name, slug };
    });
  }

  /** With all below it; products stay, without it. Errors: NOT_FOUND, FORBIDDEN. */
  async deleteCategory(actor: Actor, categoryId: string): Promise<{ categoryId: string }> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteCategory' }, async (tx) => {
      const [category] = await tx.sql<{ shop_id: string }>('select shop_id from product_categories where id = $1', [categoryId]);
      if (!category) throw notFound('category');
      await lockShop(tx, category.shop_id, actor.userId);
      const gone = (await tx.sql<{ id: string }>('delete from product_categories where shop_id = $1 and path @> array[$2::uuid] returning id', [category.shop_id, categoryId])).map((row) => row.id);
      // What is above the category stays where another category of the product brings it.
      await tx.sql(
        `update products p set category_ids = k.kept, version = version + 1,
           category_paths = array(select distinct unnest(c.path) from product_categories c where c.id = any(k.kept))
         from (select id, array(select i from unnest(category_ids) with ordinality u(i, n) where not i = any($2) order by n) as kept from products where shop_id = $1 and category_paths && $2) k
         where p.id = k.id`,
        [category.shop_id, gone],
      );
      return { categoryId };
    });
  }

  /** Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (also for a name that is taken), LIMIT_REACHED. */
  async createLocation(actor: Actor, shopId: string, given: string): Promise<LocationRow> {
    const name = cleanName(given);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'createStockLocation' }, async (tx) => {
      await lockShop(tx, shopId, actor.userId);
      const known = await tx.sql<{ name: string }>('select name from stock_locations where shop_id = $1', [shopId]);
      if (known.some((location) => location.name === name)) throw invalidInput('name', 'Another location of this shop has this name.');
      if (known.length >= MAX_LOCATIONS) throw new DomainError('LIMIT_REACHED', `A shop has at most ${MAX_LOCATIONS} locations.`);
      const id = newId();
      await tx.sql('insert into stock_locations (id, shop_id, name, position, created_at) values ($1, $2, $3, $4, $5)', [id, shopId, name, known.length, tx.now]);
      return { id, shopId, name };
    });
  }

  async #read(id: string): Promise<ShopRow> {
    const [row] = await this.sql<ShopRow>(`select ${SHOP_COLUMNS} from shops s where s.id = $1`, [id]);
    return row!;
  }
}
