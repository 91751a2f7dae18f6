import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';

export interface ShopRow {
  id: string;
  ownerId: string;
  slug: string;
  name: string;
  description: string | null;
  currency: string;
  holdPayments: boolean;
  /** Null: nobody is told that little is left. */
  lowStockAt: number | null;
  version: number;
  createdAt: Date;
}
export const SHOP_COLUMNS = `s.id, s.owner_id as "ownerId", s.slug, s.name, s.description, s.currency, s.hold_payments as "holdPayments", s.low_stock_at as "lowStockAt", s.version, s.created_at as "createdAt"`;

const SHOPS = keyed<ShopRow>(`select ${SHOP_COLUMNS} from shops s where s.id = any($1)`);
export const shopById: LoaderDef<string, ShopRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await SHOPS(sql, ids), (row) => row.id);
  },
};

export interface CategoryRow {
  id: string;
  shopId: string;
  parentId: string | null;
  path: string[];
  name: string;
  slug: string;
}
export const CATEGORY_COLUMNS = `c.id, c.shop_id as "shopId", c.parent_id as "parentId", c.path, c.name, c.slug`;

const CATEGORIES = keyed<CategoryRow>(`select ${CATEGORY_COLUMNS} from product_categories c where c.id = any($1)`);
export const categoryById: LoaderDef<string, CategoryRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await CATEGORIES(sql, ids), (row) => row.id);
  },
};

const CATEGORIES_OF = keyed<CategoryRow>(`select ${CATEGORY_COLUMNS} from product_categories c where c.shop_id = any($1) order by c.name, c.id`);
/** A shop's categories, which are bounded, by name. */
export const categoriesOfShop: LoaderDef<string, CategoryRow[]> = {
  async batch(ids, { sql }) {
    const byShop = Map.groupBy(await CATEGORIES_OF(sql, ids), (row) => row.shopId);
    return ids.map((id) => byShop.get(id) ?? []);
  },
};

export interface LocationRow {
  id: string;
  shopId: string;
  name: string;
}
const LOCATIONS_OF = keyed<LocationRow>(`select l.id, l.shop_id as "shopId", l.name from stock_locations l where l.shop_id = any($1) order by l.position, l.id`);
/** Where a shop keeps what it sells, in the order in which orders are served. */
export const locationsOfShop: LoaderDef<string, LocationRow[]> = {
  async batch(ids, { sql }) {
    const byShop = Map.groupBy(await LOCATIONS_OF(sql, ids), (row) => row.shopId);
    return ids.map((id) => byShop.get(id) ?? []);
  },
};
