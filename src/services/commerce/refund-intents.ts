import type { Tx } from '../../db/unit-of-work.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { checkAmount } from '../../policies/money.js';
import type { OrderRow } from '../loaders/orders.js';
import { bookGiftRefund } from './ledger.js';
import { GOOD_AGAIN_MS, noteOrder } from './order-writer.js';
import { FIRST_LOOK_MS } from './payment-records.js';

const MAX_REFUNDS = 50;

/** What is left of what was paid for an order: by a gateway, of which `captured` was taken, and by gift cards. */
export interface Left {
  gateway: number;
  gift: number;
  captured: number;
}

/** Under the locks of the payment and of the gift cards; null: nothing was paid. */
export async function leftToRefund(tx: Tx, order: OrderRow): Promise<Left | null> {
  const [payment] = await tx.sql<{ captured: number; left: number; state: string }>('select captured::float8 as captured, (captured - refunded)::float8 as left, state from payments where order_id = $1 for update', [order.id]);
  // What gift cards alone have paid is paid while the order stands.
  if (payment ? payment.state !== 'CAPTURED' : order.state !== 'CONFIRMED' && order.state !== 'COMPLETED') return null;
  const cards = await tx.sql<{ left: number }>('select (u.amount - u.refunded)::float8 as left from order_gift_cards u join gift_cards g on g.id = u.gift_card_id where u.order_id = $1 order by g.id for update', [order.id]);
  return { gateway: payment?.left ?? 0, gift: cards.reduce((sum, { left }) => sum + left, 0), captured: payment?.captured ?? 0 };
}

/**
 * Decides that some of what was paid goes back, or all that is left: first what a gateway was paid, then what gift cards have paid, which is on them again at once. The rest is counted before the gateway is
 * asked, so that no two give back more than was paid. The order is locked; after the commit: `PaymentService.refund`. Errors: INVALID_INPUT (more than is left), STATE_CONFLICT (not paid, all given back), LIMIT_REACHED.
 */
export async function intendRefund(tx: Tx, order: OrderRow, { amount: asked, reason, actorId }: { amount: number | null; reason: string | null; actorId: string }): Promise<string> {
  const left = await leftToRefund(tx, order);
  if (left === null) throw new DomainError('STATE_CONFLICT', 'There is no payment to give back.');
  const all = left.gateway + left.gift;
  if (all === 0) throw new DomainError('STATE_CONFLICT', 'All of it was given back.');
  const amount = asked === null ? all : checkAmount(asked, 'amount', 1, all);
  const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from refunds where order_id = $1', [order.id]);
  if (count!.n >= MAX_REFUNDS) throw new DomainError('LIMIT_REACHED', `At most ${MAX_REFUNDS} refunds are made of an order.`);
  const id = newId();
  const byGateway = Math.min(amount, left.gateway);
  await tx.sql(`insert into refunds (id, order_id, amount, gift, reason, state, try_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`, [
    id, order.id, byGateway, amount - byGateway, reason, byGateway ? 'CREATED' : 'DONE', byGateway ? new Date(tx.now.getTime() + FIRST_LOOK_MS) : null, tx.now,
  ]);
  await tx.sql('update payments set refunded = refunded + $2 where order_id = $1', [order.id, byGateway]);
  await tx.sql('update orders set refunded = refunded + $2 where id = $1', [order.id, amount]);
  if (amount > byGateway) await backOntoCards(tx, order, id, amount - byGateway, left);
  await noteOrder(tx, order, byGateway ? 'REFUND_ASKED' : 'REFUNDED', actorId, { amount, reason });
  return id;
}

/** The card that was used last has its money first. */
async function backOntoCards(tx: Tx, order: OrderRow, refundId: string, amount: number, left: Left): Promise<void> {
  const cards = await tx.sql<{ id: string; left: number }>('select gift_card_id as id, (amount - refunded)::float8 as left from order_gift_cards where order_id = $1 and amount > refunded order by gift_card_id desc', [order.id]);
  let rest = amount;
  for (const card of cards) {
    const part = Math.min(rest, card.left);
    if (part === 0) break;
    rest -= part;
    await tx.sql('update order_gift_cards set refunded = refunded + $3 where order_id = $1 and gift_card_id = $2', [order.id, card.id, part]);
    await tx.sql('update gift_cards set balance = balance + $2, expires_at = case when expires_at <= $3 then $4 else expires_at end where id = $1', [card.id, part, tx.now, new Date(tx.now.getTime() + GOOD_AGAIN_MS)]);
  }
  // As if all that the gateway took had gone back before: so the parts of the fee add up to the whole, whichever goes back first.
  await bookGiftRefund(tx, { id: refundId, orderId: order.id, shopId: order.shopId, currency: order.currency, amount, before: left.captured + order.gift - left.gift });
}
