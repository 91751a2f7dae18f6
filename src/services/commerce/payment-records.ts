import type { Tx } from '../../db/unit-of-work.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { GatewayPayment, PaymentOutcome } from '../../payments/contract.js';
import { isOpenPayment, ORDER_TRANSITIONS, PAYMENT_TRANSITIONS, type PaymentState } from '../../policies/order-machine.js';
import type { OrderRow } from '../loaders/orders.js';
import { tellHeld } from './group-buy-records.js';
import { bookSale, undoGiftSale } from './ledger.js';
import { lockOrder, moveOrder, noteOrder, releaseOrder, setCart } from './order-writer.js';

/** Whoever began a payment asks the gateway at once; when they have said nothing by then, somebody else does. */
export const FIRST_LOOK_MS = 20_000;
export const RETRY_SECONDS = [2, 5, 15, 60];

export interface KnownPayment extends GatewayPayment {
  orderId: string;
  provider: string;
  state: PaymentState;
  /** What the gateway is to be asked for next, whatever dies meanwhile. */
  wanted: 'CAPTURE' | 'VOID' | null;
  captureAmount: number | null;
  attempts: number;
  createdAt: Date;
}
export const KNOWN_PAYMENT = `p.id as key, p.order_id as "orderId", p.provider, p.method, p.hold, p.reference, p.amount::float8 as amount, p.currency, p.state, p.wanted, p.capture_amount::float8 as "captureAmount", p.attempts,
  p.created_at as "createdAt"`;

/** What is committed before a gateway is asked to pay, or with `hold` to hold. Answers the payment's id, which is its key there. */
export async function intendPayment(tx: Tx, { orderId, provider, method, amount, currency, hold }: Pick<KnownPayment, 'orderId' | 'provider' | 'method' | 'amount' | 'currency' | 'hold'>): Promise<string> {
  const id = newId();
  await tx.sql(`insert into payments (id, order_id, provider, method, amount, currency, hold, state, try_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, 'CREATED', $8, $9, $9)`, [
    id, orderId, provider, method, amount, currency, hold, new Date(tx.now.getTime() + FIRST_LOOK_MS), tx.now,
  ]);
  return id;
}

/**
 * Decides that what is held for an order is taken, or so much of it. The gateway is asked after the commit, by `PaymentService.drive` or a sweep. The order is locked.
 * Wanted already, or taken: false. Errors: STATE_CONFLICT (nothing is held, it is being let go, or another amount is being taken).
 */
export async function wantCapture(tx: Tx, order: OrderRow, amount: number): Promise<boolean> {
  const payment = await lockPayment(tx, order.id);
  if (payment?.state === 'CAPTURED') return false;
  if (payment?.state !== 'AUTHORIZED' || payment.wanted === 'VOID') throw new DomainError('STATE_CONFLICT', 'There is no payment that is held.');
  if (payment.wanted === 'CAPTURE' && payment.captureAmount !== amount) throw new DomainError('STATE_CONFLICT', 'Another amount is being taken.');
  if (payment.wanted === 'CAPTURE') return false;
  await tx.sql(`update payments set wanted = 'CAPTURE', capture_amount = $2, attempts = 0, try_at = $3, updated_at = $4 where order_id = $1`, [order.id, amount, new Date(tx.now.getTime() + FIRST_LOOK_MS), tx.now]);
  await noteOrder(tx, order, 'CAPTURE_ASKED', null, { amount });
  return true;
}

/** Decides that a payment is given up, and what it holds let go; as above. Given up already, or being so: false. Errors: STATE_CONFLICT (taken, or being so). */
export async function wantVoid(tx: Tx, order: OrderRow): Promise<boolean> {
  const payment = await lockPayment(tx, order.id);
  if (!payment || payment.state === 'FAILED' || payment.wanted === 'VOID') return false;
  if (payment.state === 'CAPTURED' || payment.wanted === 'CAPTURE') throw new DomainError('STATE_CONFLICT', 'It is paid: whoever sells gives it back, or calls it off.');
  await tx.sql(`update payments set wanted = 'VOID', attempts = greatest(attempts, 1), try_at = $2, updated_at = $3 where order_id = $1`, [order.id, new Date(tx.now.getTime() + FIRST_LOOK_MS), tx.now]);
  await noteOrder(tx, order, 'VOID_ASKED', null);
  return true;
}

async function lockPayment(tx: Tx, orderId: string): Promise<KnownPayment | null> {
  const [payment] = await tx.sql<KnownPayment>(`select ${KNOWN_PAYMENT} from payments p where p.order_id = $1 for update`, [orderId]);
  return payment ?? null;
}

/** Records how the payment of an order stands. What was recorded already, or comes too late, changes nothing. */
export async function recordOutcome(tx: Tx, orderId: string, outcome: PaymentOutcome, feeBps: number): Promise<void> {
  const order = await lockWithCart(tx, orderId);
  const payment = await lockPayment(tx, orderId);
  if (!order || !payment || !PAYMENT_TRANSITIONS[payment.state].includes(outcome.state)) return;
  const ended = outcome.state === 'CAPTURED' || outcome.state === 'FAILED';
  const wanted = ended ? null : payment.wanted;
  await tx.sql(
    `update payments set state = $2, reference = coalesce($3, reference), action_url = $4, failure = $5, captured = $6, wanted = $7, attempts = attempts + 1, try_at = $8, updated_at = $9 where order_id = $1`,
    [
      orderId, outcome.state, outcome.reference, outcome.state === 'ACTION_REQUIRED' ? outcome.url : null, outcome.state === 'FAILED' ? outcome.reason : null, outcome.state === 'CAPTURED' ? outcome.captured : 0, wanted,
      isOpenPayment(outcome.state) || wanted ? new Date(tx.now.getTime() + RETRY_SECONDS[1]! * 1000) : null, tx.now,
    ],
  );
  await noteOrder(tx, order, `PAYMENT_${outcome.state}`, null, { amount: outcome.state === 'CAPTURED' ? outcome.captured : payment.amount });
  if (outcome.state === 'FAILED' && ORDER_TRANSITIONS[order.state].includes('CANCELLED')) await cancelOrder(tx, order, outcome.reason);
  if (outcome.state === 'CAPTURED') await bookPaid(tx, order, payment.provider, outcome.captured, feeBps);
  // What is held for a group buy stands only once that has succeeded.
  const stands = outcome.state === 'CAPTURED' || (outcome.state === 'AUTHORIZED' && order.groupBuyId === null);
  if (stands && order.state === 'PENDING') await confirmOrder(tx, order);
  const held = (state: PaymentState) => state === 'AUTHORIZED' && !payment.wanted;
  if (order.groupBuyId && held(outcome.state) !== held(payment.state)) await tellHeld(tx, order.groupBuyId);
}

/** The order is gone: what it held goes back. */
export async function cancelOrder(tx: Tx, order: OrderRow, reason: string, actorId: string | null = null): Promise<void> {
  await moveOrder(tx, order, 'CANCELLED', actorId, { reason });
  await releaseOrder(tx, order.id);
  // Of what was confirmed the cart stays what was ordered.
  if (order.cartId && order.state === 'PENDING') await setCart(tx, order.cartId, 'OPEN');
  if (order.state === 'CONFIRMED') await countSold(tx, order.id, -1);
}

/** Calls off an order that gift cards alone have paid: their money is on them again. */
export async function callOffGift(tx: Tx, order: OrderRow): Promise<void> {
  const [given] = await tx.sql<{ refunded: number }>('select coalesce(sum(refunded), 0)::float8 as refunded from order_gift_cards where order_id = $1', [order.id]);
  await undoGiftSale(tx, { refunded: given!.refunded, orderId: order.id, shopId: order.shopId, currency: order.currency, gift: order.gift });
  await cancelOrder(tx, order, 'CANCELLED');
}

/** Books what was paid for an order; once. */
export const bookPaid = (tx: Tx, order: OrderRow, provider: string | null, paid: number, feeBps: number): Promise<boolean> =>
  bookSale(tx, { orderId: order.id, shopId: order.shopId, provider, currency: order.currency, paid, gift: order.gift, feeBps });

/** The cart before the order, as checkouts do. */
async function lockWithCart(tx: Tx, orderId: string): Promise<OrderRow | null> {
  await tx.sql('select from carts where id = (select cart_id from orders where id = $1) for update', [orderId]);
  return lockOrder(tx, orderId);
}

/** An order that is paid, or whose payment is held: it is to be sent. */
export async function confirmOrder(tx: Tx, order: OrderRow): Promise<void> {
  await moveOrder(tx, order, 'CONFIRMED', null);
  if (order.cartId) await setCart(tx, order.cartId, 'ORDERED');
  await countSold(tx, order.id, 1);
}

const countSold = (tx: Tx, orderId: string, sign: 1 | -1) =>
  tx.sql('update products p set sold = p.sold + l.quantity * $2::int from (select product_id, sum(quantity)::int as quantity from order_lines where order_id = $1 group by product_id) l where p.id = l.product_id', [
    orderId, sign,
  ]);
