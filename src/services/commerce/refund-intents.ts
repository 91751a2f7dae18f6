import type { Tx } from '../../db/unit-of-work.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { checkAmount } from '../../policies/money.js';
import type { OrderRow } from '../loaders/orders.js';
import { noteOrder } from './order-writer.js';
import { FIRST_LOOK_MS } from './payment-records.js';

const MAX_REFUNDS = 50;

/** What is left of what was paid for an order, under the payment's lock; null: it is not paid by a gateway. */
export async function leftToRefund(tx: Tx, orderId: string): Promise<number | null> {
  const [payment] = await tx.sql<{ left: number; state: string }>('select (captured - refunded)::float8 as left, state from payments where order_id = $1 for update', [orderId]);
  return payment?.state === 'CAPTURED' ? payment.left : null;
}

/**
 * Decides that some of what was paid goes back, or all that is left. It is counted before the gateway is asked, so that no two give back more than was paid. The order is locked; after the
 * commit: `PaymentService.refund`. Errors: INVALID_INPUT (more than is left), STATE_CONFLICT (not paid, all given back), LIMIT_REACHED.
 */
export async function intendRefund(tx: Tx, order: OrderRow, asked: number | null, reason: string | null, actorId: string): Promise<string> {
  const left = await leftToRefund(tx, order.id);
  if (left === null) throw new DomainError('STATE_CONFLICT', 'There is no payment to give back.');
  if (left === 0) throw new DomainError('STATE_CONFLICT', 'All of it was given back.');
  const amount = asked === null ? left : checkAmount(asked, 'amount', 1, left);
  const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from refunds where order_id = $1', [order.id]);
  if (count!.n >= MAX_REFUNDS) throw new DomainError('LIMIT_REACHED', `At most ${MAX_REFUNDS} refunds are made of an order.`);
  const id = newId();
  await tx.sql(`insert into refunds (id, order_id, amount, reason, state, try_at, created_at) values ($1, $2, $3, $4, 'CREATED', $5, $6)`, [id, order.id, amount, reason, new Date(tx.now.getTime() + FIRST_LOOK_MS), tx.now]);
  await tx.sql('update payments set refunded = refunded + $2 where order_id = $1', [order.id, amount]);
  await tx.sql('update orders set refunded = refunded + $2 where id = $1', [order.id, amount]);
  await noteOrder(tx, order, 'REFUND_ASKED', actorId, { amount, reason });
  return id;
}
