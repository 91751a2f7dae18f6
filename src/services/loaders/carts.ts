import { keyed } from '../../db/keyed.js';
import type { Sql } from '../../db/database.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { CartAccess, CartState } from '../../policies/cart-policy.js';
import type { ProductStatus } from '../../policies/product-policy.js';

export interface CartRow {
  id: string;
  shopId: string;
  ownerId: string;
  chatId: string | null;
  title: string | null;
  currency: string;
  state: CartState;
  version: number;
  createdAt: Date;
}
export const CART_COLUMNS = `k.id, k.shop_id as "shopId", k.owner_id as "ownerId", k.chat_id as "chatId", k.title, k.currency, k.state, k.version, k.created_at as "createdAt"`;

const CARTS = keyed<CartRow>(`select ${CART_COLUMNS} from carts k where k.id = any($1)`);
/** A cart, whoever asks: what may be seen of it is the caller's question. */
export const cartById: LoaderDef<string, CartRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await CARTS(sql, ids), (row) => row.id);
  },
};

const ACCESS = keyed<CartRow & { member: boolean }>(
  `select ${CART_COLUMNS}, exists (select from chat_members m where m.chat_id = k.chat_id and m.user_id = $2) as member from carts k where k.id = any($1)`,
);
type Access = CartAccess & { cart: CartRow };
async function readAccess(sql: Sql, ids: readonly string[], userId: string | null): Promise<(Access | null)[]> {
  const rows = inOrder(ids, await ACCESS(sql, ids, userId), (row) => row.id);
  return rows.map((row) => row && { cart: row, member: row.member });
}
/** What decides whether the viewer sees a cart. */
export const cartAccess: LoaderDef<string, Access> = {
  batch: (ids, { sql, viewerId }) => readAccess(sql, ids, viewerId),
};
export const readCartAccess = async (sql: Sql, id: string, userId: string): Promise<Access | null> => (await readAccess(sql, [id], userId))[0] ?? null;

export interface CartShare {
  userId: string;
  quantity: number;
  addedAt: string;
}
export interface CartLineRow {
  cartId: string;
  variantId: string;
  productId: string;
  quantity: number;
  shares: CartShare[];
  /** Of now, in the cart's currency; null: it has none. */
  unitPrice: number | null;
  currency: string;
  active: boolean;
  status: ProductStatus;
  trackStock: boolean;
  available: number;
  taxClass: string;
  weightGrams: number | null;
}

/** The lines of a cart `k`, as they are now: each variant once, in the order in which the first of it was added. */
export const CART_LINES = `select k.id as "cartId", i.variant_id as "variantId", v.product_id as "productId", i.quantity, i.shares, c.amount::float8 as "unitPrice", k.currency, v.active, p.status, v.track_stock as "trackStock",
    (select coalesce(sum(l.on_hand - l.reserved), 0)::int from stock_levels l where l.variant_id = v.id) as available, p.tax_class as "taxClass", v.weight_grams as "weightGrams"
  from carts k
  cross join lateral (
    select variant_id, sum(quantity)::int as quantity, min(added_at) as first_at, jsonb_agg(jsonb_build_object('userId', user_id, 'quantity', quantity, 'addedAt', added_at) order by added_at, user_id) as shares
    from cart_shares s where s.cart_id = k.id group by variant_id) i
  join product_variants v on v.id = i.variant_id join products p on p.id = v.product_id
  left join variant_prices c on c.variant_id = v.id and c.currency = k.currency`;

const LINES = keyed<CartLineRow>(`${CART_LINES} where k.id = any($1) order by k.id, i.first_at, i.variant_id`);
export const linesOfCart: LoaderDef<string, CartLineRow[]> = {
  async batch(ids, { sql }) {
    const byCart = Map.groupBy(await LINES(sql, ids), (row) => row.cartId);
    return ids.map((id) => byCart.get(id) ?? []);
  },
};

export type Availability = 'AVAILABLE' | 'SHORT' | 'UNAVAILABLE';

/** Whether a line could be bought now. */
export function availabilityOf({ active, status, unitPrice, trackStock, available, quantity }: CartLineRow): Availability {
  if (!active || status !== 'PUBLISHED' || unitPrice === null || (trackStock && available === 0)) return 'UNAVAILABLE';
  return trackStock && available < quantity ? 'SHORT' : 'AVAILABLE';
}

/** What the lines come to that have a price. */
export const subtotalOf = (lines: readonly CartLineRow[]): number => lines.reduce((sum, { unitPrice, quantity }) => sum + (unitPrice ?? 0) * quantity, 0);
