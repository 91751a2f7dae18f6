import type { Database } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import { isOpenPayment, PAYMENT_TRANSITIONS, type PaymentState } from '../../policies/order-machine.js';
import { GatewayUnavailable, type Gateways, type PaymentOutcome } from '../../payments/contract.js';
import type { OrderRow } from '../loaders/orders.js';
import { bookRefund, bookSale } from './ledger.js';
import { lockOrder, moveOrder, noteOrder, releaseOrder, setCart } from './order-writer.js';

const BATCH = 20;
/** While one process asks a gateway, no other does. */
const CLAIM_SECONDS = 30;
/** What has not come to an end by then is given up: at the gateway first, so that nobody pays for an order that is gone. */
export const PAYMENT_LIFE_MS = 30 * 60_000;
const RETRY_SECONDS = [2, 5, 15, 60];

interface Claimed {
  id: string;
  orderId: string;
  provider: string;
  method: string;
  amount: number;
  currency: string;
  state: PaymentState;
  attempts: number;
  createdAt: Date;
}
const COLUMNS = `p.id, p.order_id as "orderId", p.provider, p.method, p.amount::float8 as amount, p.currency, p.state, p.attempts, p.created_at as "createdAt"`;

/**
 * Payments: an intent is committed before the gateway is asked, always under the key that is the payment's id, and what it answers is recorded
 * afterwards, under the lock of the order. Whoever dies in between is followed by somebody who asks again.
 */
export class PaymentService {
  constructor(
    private readonly db: Pick<Database, 'sql' | 'background'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly gateways: Gateways,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly feeBps: number,
  ) {}

  has(provider: string): boolean {
    return Object.hasOwn(this.gateways, provider);
  }

  /** Asks the gateway about the payment of an order, and records what it says. A gateway that does not answer is asked again later. */
  async drive(orderId: string): Promise<void> {
    const [payment] = await this.db.sql<Claimed>(`select ${COLUMNS} from payments p where p.order_id = $1`, [orderId]);
    if (payment && isOpenPayment(payment.state)) await this.#ask(payment);
  }

  /** Gives a payment up, unless it was made first. */
  async giveUp(orderId: string): Promise<void> {
    const [payment] = await this.db.sql<Claimed>(`select ${COLUMNS} from payments p where p.order_id = $1`, [orderId]);
    if (!payment || payment.state === 'CAPTURED' || payment.state === 'FAILED') return;
    await this.record(orderId, await this.gateways[payment.provider]!.cancel(payment.id));
  }

  /** Payments and refunds that wait to be asked about; true when there may be more. */
  async sweep(): Promise<boolean> {
    const now = this.clock.now();
    const due = await this.db.background<Claimed>(
      `update payments p set try_at = $1::timestamptz + make_interval(secs => $3) where p.id = any(array(
         select id from payments where state in ('CREATED', 'ACTION_REQUIRED', 'PENDING') and try_at <= $1 order by try_at, id limit $2 for update skip locked)) returning ${COLUMNS}`,
      [now, BATCH, CLAIM_SECONDS],
    );
    const refunds = await this.db.background<{ id: string; orderId: string }>(
      `update refunds r set try_at = $1::timestamptz + make_interval(secs => $3) where r.id = any(array(
         select id from refunds where state = 'CREATED' and try_at <= $1 order by try_at, id limit $2 for update skip locked)) returning r.id, r.order_id as "orderId"`,
      [now, BATCH, CLAIM_SECONDS],
    );
    const failed = (error: Error) => this.log.error({ error: error.message }, 'a payment could not be followed; it is tried again');
    await Promise.all([...due.map((payment) => this.#follow(payment).catch(failed)), ...refunds.map(({ id }) => this.refund(id).catch(failed))]);
    return due.length === BATCH || refunds.length === BATCH;
  }

  async #follow(payment: Claimed): Promise<void> {
    const old = payment.createdAt.getTime() + PAYMENT_LIFE_MS <= this.clock.now().getTime();
    if (old) return this.giveUp(payment.orderId);
    // What waits for the payer is asked about by the payer's client; we only give it up in time.
    if (payment.state !== 'ACTION_REQUIRED') return this.#ask(payment);
    await this.#later(payment);
  }

  async #ask(payment: Claimed): Promise<void> {
    const gateway = this.gateways[payment.provider]!;
    const { id: key, amount, currency, method } = payment;
    try {
      const known = payment.state === 'CREATED' && payment.attempts === 0 ? null : await gateway.find(key);
      await this.record(payment.orderId, known ?? (await gateway.pay({ key, amount, currency, method })));
    } catch (error) {
      if (!(error instanceof GatewayUnavailable)) throw error;
      await this.#later(payment);
    }
  }

  async #later({ id, attempts }: Claimed): Promise<void> {
    const seconds = RETRY_SECONDS[Math.min(attempts, RETRY_SECONDS.length - 1)]!;
    await this.db.sql('update payments set attempts = attempts + 1, try_at = $2 where id = $1', [id, new Date(this.clock.now().getTime() + seconds * 1000)]);
  }

  /** Records how a payment stands. What was recorded already, or comes too late, changes nothing. */
  async record(orderId: string, outcome: PaymentOutcome): Promise<void> {
    await this.unitOfWork.run({ actorId: orderId, operation: 'recordPayment' }, async (tx) => {
      const order = await lockWithCart(tx, orderId);
      const [payment] = await tx.sql<Claimed>(`select ${COLUMNS} from payments p where p.order_id = $1 for update`, [orderId]);
      if (!order || !payment || !PAYMENT_TRANSITIONS[payment.state].includes(outcome.state)) return;
      await tx.sql('update payments set state = $2, reference = coalesce($3, reference), action_url = $4, failure = $5, attempts = attempts + 1, try_at = $6, updated_at = $7 where id = $1', [
        payment.id, outcome.state, outcome.reference, outcome.state === 'ACTION_REQUIRED' ? outcome.url : null, outcome.state === 'FAILED' ? outcome.reason : null,
        isOpenPayment(outcome.state) ? new Date(tx.now.getTime() + RETRY_SECONDS[1]! * 1000) : null, tx.now,
      ]);
      await this.#apply(tx, order, payment, outcome);
    });
  }

  async #apply(tx: Tx, order: OrderRow, payment: Claimed, outcome: PaymentOutcome): Promise<void> {
    await noteOrder(tx, order, `PAYMENT_${outcome.state}`, null, { amount: payment.amount });
    if (outcome.state === 'FAILED' && order.state !== 'CANCELLED') {
      await moveOrder(tx, order, 'CANCELLED', null, { reason: outcome.reason });
      await releaseOrder(tx, order.id);
      // What was confirmed was held, not paid: the cart stays what was ordered.
      if (order.cartId && order.state === 'PENDING') await setCart(tx, order.cartId, 'OPEN');
      if (order.state === 'CONFIRMED') await countSold(tx, order.id, -1);
    }
    if (outcome.state === 'CAPTURED') await this.bookPaid(tx, order, payment.provider, payment.amount);
    if ((outcome.state === 'CAPTURED' || outcome.state === 'AUTHORIZED') && order.state === 'PENDING') await confirmOrder(tx, order);
  }

  /** Books what was paid for an order; once. */
  async bookPaid(tx: Tx, order: OrderRow, provider: string | null, paid: number): Promise<void> {
    await bookSale(tx, { orderId: order.id, shopId: order.shopId, provider, currency: order.currency, paid, gift: order.gift, feeBps: this.feeBps });
  }

  /** Asks the gateway for a refund that was recorded, and records what came of it. */
  async refund(refundId: string): Promise<void> {
    const [refund] = await this.db.sql<{ state: string; orderId: string; amount: number; provider: string; paymentId: string }>(
      `select r.state, r.order_id as "orderId", r.amount::float8 as amount, p.provider, p.id as "paymentId" from refunds r join payments p on p.order_id = r.order_id where r.id = $1`,
      [refundId],
    );
    if (refund?.state !== 'CREATED') return;
    const answer = await this.gateways[refund.provider]!.refund({ key: refundId, paymentKey: refund.paymentId, amount: refund.amount });
    await this.unitOfWork.run({ actorId: refund.orderId, operation: 'recordRefund' }, async (tx) => {
      const order = (await lockOrder(tx, refund.orderId))!;
      const settled = await tx.sql(`update refunds set state = $2, try_at = null where id = $1 and state = 'CREATED' returning id`, [refundId, answer]);
      if (!settled.length) return;
      if (answer === 'REFUSED') {
        // It was counted when it was asked for, so that no two can give back more than was paid.
        await tx.sql('update orders set refunded = refunded - $2 where id = $1', [order.id, refund.amount]);
        await tx.sql('update payments set refunded = refunded - $2 where order_id = $1', [order.id, refund.amount]);
      } else {
        const [before] = await tx.sql<{ done: number }>(`select coalesce(sum(amount), 0)::float8 as done from refunds where order_id = $1 and state = 'DONE' and id <> $2`, [order.id, refundId]);
        await bookRefund(tx, { id: refundId, orderId: order.id, shopId: order.shopId, provider: refund.provider, currency: order.currency, amount: refund.amount, before: before!.done, feeBps: this.feeBps });
      }
      await noteOrder(tx, order, answer === 'DONE' ? 'REFUNDED' : 'REFUND_REFUSED', null, { amount: refund.amount });
    });
  }
}

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
