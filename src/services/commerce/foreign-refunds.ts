import type { Tx } from '../../db/unit-of-work.js';
import { newId } from '../../lib/ids.js';
import { bookRefund } from './ledger.js';
import { lockOrder, noteOrder } from './order-writer.js';
import type { KnownPayment } from './payment-records.js';

/** Notes money that was given back at the gateway's own desk, so that the order and the books say so too. */
export async function noteForeignRefund(tx: Tx, payment: KnownPayment & { shopId: string; givenBack: number }, amount: number): Promise<void> {
  const { orderId, shopId, provider, currency, givenBack } = payment;
  const order = await lockOrder(tx, orderId);
  const [now] = await tx.sql<{ done: number }>(`select coalesce(sum(amount), 0)::float8 as done from refunds where order_id = $1 and state in ('CREATED', 'DONE')`, [orderId]);
  // Somebody gives some of it back by us at this moment: the next run sees clearer.
  if (!order || now!.done !== givenBack) return;
  const id = newId();
  await tx.sql(`insert into refunds (id, order_id, amount, reason, state, created_at) values ($1, $2, $3, 'at the gateway', 'DONE', $4)`, [id, orderId, amount, tx.now]);
  await tx.sql('update payments set refunded = refunded + $2 where order_id = $1', [orderId, amount]);
  await tx.sql('update orders set refunded = refunded + $2 where id = $1', [orderId, amount]);
  await bookRefund(tx, { id, orderId, shopId, provider, currency, amount, before: givenBack });
  await noteOrder(tx, order, 'REFUNDED', null, { amount, reason: 'at the gateway' });
}
