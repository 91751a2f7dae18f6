import type { Tx } from '../../db/unit-of-work.js';
import { cartStream, userStream } from '../../events/catalogue.js';
import { newId } from '../../lib/ids.js';
import { assertOrderGoes, type OrderState } from '../../policies/order-machine.js';
import { ORDER_COLUMNS, type OrderRow } from '../loaders/orders.js';
import type { Quote, Shortage, Terms } from './checkout-quote.js';
import { stockChanged } from './product-states.js';

/** What goes back onto a gift card that has ended since would be lost: it is good again for so long. */
export const GOOD_AGAIN_MS = 90 * 86_400_000;

/** Notes what has happened to an order, and tells those whom it concerns. */
export async function noteOrder(tx: Tx, order: Pick<OrderRow, 'id' | 'buyerId'>, kind: string, actorId: string | null, detail: Record<string, string | number | null> = {}): Promise<void> {
  await tx.sql('insert into order_events (id, order_id, kind, actor_id, detail, created_at) values ($1, $2, $3, $4, $5, $6)', [newId(), order.id, kind, actorId, JSON.stringify(detail), tx.now]);
  await tx.sql('update orders set version = version + 1 where id = $1', [order.id]);
  const [shop] = await tx.sql<{ ownerId: string }>('select s.owner_id as "ownerId" from orders o join shops s on s.id = o.shop_id where o.id = $1', [order.id]);
  for (const userId of new Set([order.buyerId, shop!.ownerId])) tx.append(userStream(userId), { kind: 'order.changed', orderId: order.id });
}

export async function lockOrder(tx: Tx, orderId: string): Promise<OrderRow | null> {
  const [row] = await tx.sql<OrderRow>(`select ${ORDER_COLUMNS} from orders o where o.id = $1 for update`, [orderId]);
  return row ?? null;
}

/** Moves an order by the table. Throws STATE_CONFLICT for what is not in it. */
export async function moveOrder(tx: Tx, order: OrderRow, to: OrderState, actorId: string | null, detail: Record<string, string | number | null> = {}): Promise<void> {
  assertOrderGoes(order.state, to);
  await tx.sql('update orders set state = $2 where id = $1', [order.id, to]);
  await noteOrder(tx, order, to, actorId, detail);
}

interface Level {
  variantId: string;
  locationId: string;
  free: number;
}

/**
 * Reserves what is wanted, from the oldest location on. The levels are locked in one order, so that of fifty who want the last
 * one gets it. Answers what there is too little of; then nothing was reserved.
 */
export async function reserveStock(tx: Tx, orderId: string, wanted: readonly { variantId: string; quantity: number }[]): Promise<Shortage[]> {
  const levels = await tx.sql<Level>(
    `select l.variant_id as "variantId", l.location_id as "locationId", l.on_hand - l.reserved as free from stock_levels l join stock_locations k on k.id = l.location_id
     where l.variant_id = any($1) order by l.variant_id, k.position, k.id for update of l`,
    [wanted.map((line) => line.variantId)],
  );
  const taken: (Level & { quantity: number })[] = [];
  const short: Shortage[] = [];
  for (const { variantId, quantity } of wanted) {
    const of = levels.filter((level) => level.variantId === variantId);
    const available = of.reduce((sum, { free }) => sum + free, 0);
    if (available < quantity) short.push({ variantId, wanted: quantity, available });
    let left = quantity;
    for (const level of of) {
      const part = Math.min(left, level.free);
      if (part > 0) taken.push({ ...level, quantity: part });
      left -= part;
    }
  }
  if (short.length) return short;
  stockChanged(tx, taken.map(({ variantId }) => variantId));
  const rows = JSON.stringify(taken.map(({ variantId, locationId, quantity }) => ({ variant_id: variantId, location_id: locationId, quantity })));
  await tx.sql(
    `update stock_levels l set reserved = l.reserved + t.quantity from jsonb_to_recordset($1) t(variant_id uuid, location_id uuid, quantity int) where l.variant_id = t.variant_id and l.location_id = t.location_id`,
    [rows],
  );
  await tx.sql('insert into stock_reservations (order_id, variant_id, location_id, quantity) select $1, * from jsonb_to_recordset($2) t(variant_id uuid, location_id uuid, quantity int)', [orderId, rows]);
  return [];
}

/** What an order is made of: a cart that was quoted, or what stands for one (`id`: null). */
export interface Ordered extends Pick<Quote, 'shipping' | 'discounts' | 'giftCards' | 'totals'> {
  cart: { id: string | null; shopId: string; currency: string };
  lines: Pick<Quote['lines'][number], 'variantId' | 'quantity' | 'unitPrice' | 'shares'>[];
}

/** Writes an order as it was quoted, and uses up what it uses. The cart, the discounts and the gift cards are locked. */
export async function writeOrder(tx: Tx, id: string, { cart, lines, shipping, discounts, giftCards, totals }: Ordered, terms: Terms, buyerId: string): Promise<void> {
  const [last] = await tx.sql<{ number: number }>('update shops set last_order = last_order + 1 where id = $1 returning last_order as number', [cart.shopId]);
  await tx.sql(
    `insert into orders (id, shop_id, number, cart_id, buyer_id, state, currency, subtotal, discount, shipping, tax, tax_added, total, gift, address, shipping_method, created_at)
     values ($1, $2, $3, $4, $5, 'PENDING', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      id, cart.shopId, last!.number, cart.id, buyerId, cart.currency, totals.subtotal, totals.discount, totals.shipping, totals.tax, totals.taxAdded, totals.total, totals.total - totals.due,
      JSON.stringify(terms.address), shipping?.name ?? null, tx.now,
    ],
  );
  await tx.sql(
    `insert into order_lines (id, order_id, position, variant_id, product_id, title, sku, options, quantity, unit_price, subtotal, discount, tax, tax_rate_ppm, total, shares)
     select l.id, $1, l.position, l.variant_id, p.id, p.title, v.sku, v.option_values, l.quantity, l.unit_price, l.subtotal, l.discount, l.tax, l.tax_rate_ppm, l.total, l.shares
     from jsonb_to_recordset($2) l(id uuid, position int, variant_id uuid, quantity int, unit_price bigint, subtotal bigint, discount bigint, tax bigint, tax_rate_ppm int, total bigint, shares jsonb)
     join product_variants v on v.id = l.variant_id join products p on p.id = v.product_id`,
    [
      id,
      JSON.stringify(
        lines.map((line, position) => {
          const { subtotal, discount, tax, taxRatePpm, total } = totals.lines[position]!;
          return { id: newId(), position, variant_id: line.variantId, quantity: line.quantity, unit_price: line.unitPrice, subtotal, discount, tax, tax_rate_ppm: taxRatePpm, total, shares: line.shares };
        }),
      ),
    ],
  );
  if (discounts.length) {
    await tx.sql('insert into order_discounts (order_id, discount_id, code, amount, buyer_id) select $1, d.id, d.code, d.amount, $2 from unnest($3::uuid[], $4::text[], $5::bigint[]) d(id, code, amount)', [
      id, buyerId, discounts.map((discount) => discount.id), discounts.map((discount) => discount.code), totals.discounts,
    ]);
    await tx.sql('update discounts set uses = uses + 1 where id = any($1)', [discounts.map((discount) => discount.id)]);
  }
  const used = giftCards.map((card, index) => ({ id: card.id, amount: totals.gifts[index]! })).filter(({ amount }) => amount > 0);
  if (used.length) {
    const columns = [used.map((card) => card.id), used.map((card) => card.amount)];
    await tx.sql('update gift_cards g set balance = g.balance - u.amount from unnest($1::uuid[], $2::bigint[]) u(id, amount) where g.id = u.id', columns);
    await tx.sql('insert into order_gift_cards (order_id, gift_card_id, amount) select $3, u.id, u.amount from unnest($1::uuid[], $2::bigint[]) u(id, amount)', [...columns, id]);
  }
  if (cart.id) await setCart(tx, cart.id, 'CHECKOUT');
  await noteOrder(tx, { id, buyerId }, 'PLACED', buyerId, { total: totals.total });
}

export async function setCart(tx: Tx, cartId: string, state: 'OPEN' | 'CHECKOUT' | 'ORDERED'): Promise<void> {
  const changed = await tx.sql('update carts set state = $2, version = version + 1, updated_at = $3 where id = $1 and state <> $2 returning id', [cartId, state, tx.now]);
  if (changed.length) tx.append(cartStream(cartId), { kind: 'cart.updated' });
}

/** Gives back all that an order held: uses of discounts, gift cards, stock that was not sent; locked in the order in which checkouts lock them. */
export async function releaseOrder(tx: Tx, orderId: string): Promise<void> {
  await tx.sql('update discounts d set uses = d.uses - 1 from order_discounts u where u.order_id = $1 and u.discount_id = d.id and u.active', [orderId]);
  await tx.sql('update order_discounts set active = false where order_id = $1', [orderId]);
  await tx.sql(
    'update gift_cards g set balance = g.balance + u.amount - u.refunded, expires_at = case when g.expires_at <= $2 and u.amount > u.refunded then $3 else g.expires_at end from order_gift_cards u where u.order_id = $1 and u.gift_card_id = g.id',
    [orderId, tx.now, new Date(tx.now.getTime() + GOOD_AGAIN_MS)],
  );
  await tx.sql('delete from order_gift_cards where order_id = $1', [orderId]);
  const freed = await tx.sql<{ variantId: string }>(
    `with freed as materialized (
       select l.variant_id, l.location_id, r.quantity from stock_reservations r join stock_levels l on l.variant_id = r.variant_id and l.location_id = r.location_id join stock_locations k on k.id = l.location_id
       where r.order_id = $1 and r.quantity > 0 order by l.variant_id, k.position, k.id for update of l)
     update stock_levels l set reserved = l.reserved - f.quantity from freed f where l.variant_id = f.variant_id and l.location_id = f.location_id returning l.variant_id as "variantId"`,
    [orderId],
  );
  stockChanged(tx, freed.map(({ variantId }) => variantId));
  await tx.sql('update stock_reservations set quantity = 0 where order_id = $1', [orderId]);
}
