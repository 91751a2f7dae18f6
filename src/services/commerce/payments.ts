import type { Database } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { GatewayUnavailable, type Gateways, type PaymentOutcome } from '../../payments/contract.js';
import { isOpenPayment } from '../../policies/order-machine.js';
import { bookRefund, bookRefundReturned } from './ledger.js';
import { lockOrder, noteOrder } from './order-writer.js';
import { KNOWN_PAYMENT, recordOutcome, RETRY_SECONDS, wantVoid, type KnownPayment } from './payment-records.js';

const BATCH = 20;
/** While one process asks a gateway, no other does. */
const CLAIM_SECONDS = 30;
/** The least and the most that is waited until a refund that is under way is asked about again. */
const REFUND_SECONDS = [15, 3_600];
/** What has not come to an end by then is given up: at the gateway first, so that nobody pays for an order that is gone. */
export const PAYMENT_LIFE_MS = 30 * 60_000;

interface KnownRefund extends KnownPayment {
  refundState: string;
  refundAmount: number;
  shopId: string;
}

/**
 * Payments: what is wanted of a gateway is committed before it is asked, always under the key that is the payment's id, and what it answers is recorded
 * afterwards, under the lock of the order. Whoever dies in between is followed by somebody who asks again.
 */
export class PaymentService {
  static readonly DUE = `exists (select from payments where try_at <= $1) or exists (select from refunds where state = 'CREATED' and try_at <= $1)`;

  constructor(
    private readonly db: Pick<Database, 'sql' | 'background'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly gateways: Gateways,
    private readonly offered: ReadonlySet<string>,
    private readonly clock: Clock,
    private readonly log: Logger,
    readonly feeBps: number,
  ) {}

  /** Whether an order may be paid so. Of the other gateways only what was begun by them is followed. */
  has(provider: string): boolean {
    return this.offered.has(provider);
  }

  /** Asks the gateway for what is wanted of it for an order, or how its payment stands, and records what it says. A gateway that does not answer is asked again later. */
  async drive(orderId: string): Promise<void> {
    const [payment] = await this.db.sql<KnownPayment>(`select ${KNOWN_PAYMENT} from payments p where p.order_id = $1`, [orderId]);
    if (payment && (isOpenPayment(payment.state) || payment.wanted)) await this.#ask(payment);
  }

  /** Gives a payment up and lets go of what it holds, unless it was made first. */
  async giveUp(orderId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: orderId, operation: 'giveUpPayment' }, async (tx) => {
      const order = await lockOrder(tx, orderId);
      if (order) await wantVoid(tx, order);
    });
    await this.drive(orderId);
  }

  /** Payments and refunds that wait to be asked about; true when there may be more. */
  async sweep(): Promise<boolean> {
    const now = this.clock.now();
    const due = await this.db.background<KnownPayment>(
      `update payments p set try_at = $1::timestamptz + make_interval(secs => $3) where p.id = any(array(
         select id from payments where try_at <= $1 order by try_at, id limit $2 for update skip locked)) returning ${KNOWN_PAYMENT}`,
      [now, BATCH, CLAIM_SECONDS],
    );
    const refunds = await this.db.background<{ id: string }>(
      `update refunds r set try_at = $1::timestamptz + make_interval(secs => $3) where r.id = any(array(
         select id from refunds where state = 'CREATED' and try_at <= $1 order by try_at, id limit $2 for update skip locked)) returning r.id`,
      [now, BATCH, CLAIM_SECONDS],
    );
    const failed = (error: Error) => this.log.error({ error: error.message }, 'a payment could not be followed; it is tried again');
    await Promise.all([...due.map((payment) => this.#follow(payment).catch(failed)), ...refunds.map(({ id }) => this.refund(id).catch(failed))]);
    return due.length === BATCH || refunds.length === BATCH;
  }

  async #follow(payment: KnownPayment): Promise<void> {
    if (payment.wanted) return this.#ask(payment);
    const old = payment.createdAt.getTime() + PAYMENT_LIFE_MS <= this.clock.now().getTime();
    if (old) return this.giveUp(payment.orderId).catch(passOver);
    // What waits for the payer is asked about by the payer's client; we only give it up in time.
    if (payment.state !== 'ACTION_REQUIRED') return this.#ask(payment);
    await this.#later(payment);
  }

  async #ask(payment: KnownPayment): Promise<void> {
    try {
      const outcome = await this.#answer(payment);
      await this.record(payment.orderId, outcome);
      // What was wanted has not come to an end: a bank that is still at it can't be stopped, say.
      if (payment.wanted && outcome.state !== 'CAPTURED' && outcome.state !== 'FAILED') await this.#later(payment);
    } catch (error) {
      if (!(error instanceof GatewayUnavailable)) throw error;
      await this.#later(payment);
    }
  }

  async #answer(payment: KnownPayment): Promise<PaymentOutcome> {
    const gateway = this.gateways[payment.provider]!;
    if (payment.wanted === 'CAPTURE') return gateway.capture(payment, payment.captureAmount!);
    if (payment.wanted === 'VOID') return gateway.void(payment);
    const fresh = payment.state === 'CREATED' && payment.attempts === 0 && payment.reference === null;
    return (fresh ? null : await gateway.find(payment)) ?? gateway.pay(payment);
  }

  async #later({ key, attempts }: KnownPayment): Promise<void> {
    await this.db.sql('update payments set attempts = attempts + 1, try_at = $2 where id = $1 and try_at is not null', [key, this.#retryAt(attempts)]);
  }

  #retryAt(attempts: number): Date {
    return new Date(this.clock.now().getTime() + RETRY_SECONDS[Math.min(attempts, RETRY_SECONDS.length - 1)]! * 1000);
  }

  /** Records how a payment stands, whoever says so. What was recorded already, or comes too late, changes nothing. */
  async record(orderId: string, outcome: PaymentOutcome): Promise<void> {
    await this.unitOfWork.run({ actorId: orderId, operation: 'recordPayment' }, (tx) => recordOutcome(tx, orderId, outcome, this.feeBps));
  }

  /** Asks the gateway for a refund that was recorded, and records what came of it; of one that was done, whether it has come back. A gateway that does not answer is asked again later. */
  async refund(refundId: string): Promise<void> {
    const [refund] = await this.db.sql<KnownRefund>(
      `select ${KNOWN_PAYMENT}, r.state as "refundState", r.amount::float8 as "refundAmount", o.shop_id as "shopId"
       from refunds r join payments p on p.order_id = r.order_id join orders o on o.id = r.order_id where r.id = $1`,
      [refundId],
    );
    if (refund?.refundState === 'DONE') return this.#lookAgain(refundId, refund);
    if (refund?.refundState !== 'CREATED') return;
    try {
      const answer = await this.gateways[refund.provider]!.refund(refund, { key: refundId, amount: refund.refundAmount });
      if (answer === 'PENDING') await this.#refundLater(refundId);
      else await this.#recordRefund(refundId, refund, answer);
    } catch (error) {
      if (!(error instanceof GatewayUnavailable)) throw error;
      await this.#refundLater(refundId);
    }
  }

  /** The payer's bank may refuse days later what the gateway held to be done: the money is with the gateway again. */
  async #lookAgain(refundId: string, { refundAmount: amount, ...payment }: KnownRefund): Promise<void> {
    const answer = await this.gateways[payment.provider]!.findRefund?.(payment, refundId).catch((error: unknown) => {
      if (!(error instanceof GatewayUnavailable)) throw error; // the reconciliation looks at it
      return null;
    });
    if (answer !== 'REFUSED') return;
    await this.unitOfWork.run({ actorId: payment.orderId, operation: 'recordRefundReturned' }, async (tx) => {
      const order = (await lockOrder(tx, payment.orderId))!;
      const returned = await tx.sql(`update refunds set state = 'RETURNED' where id = $1 and state = 'DONE' returning id`, [refundId]);
      if (!returned.length) return;
      await uncount(tx, payment.orderId, amount);
      await bookRefundReturned(tx, { id: refundId, orderId: payment.orderId, currency: payment.currency });
      await noteOrder(tx, order, 'REFUND_RETURNED', null, { amount });
    });
  }

  /** After as long as it is under way by now: a bank may take days, and tells when it has done it. */
  async #refundLater(refundId: string): Promise<void> {
    await this.db.sql(
      `update refunds set try_at = $2::timestamptz + least(greatest($2::timestamptz - created_at, make_interval(secs => $3)), make_interval(secs => $4)) where id = $1 and state = 'CREATED'`,
      [refundId, this.clock.now(), ...REFUND_SECONDS],
    );
  }

  async #recordRefund(refundId: string, { orderId, shopId, provider, currency, refundAmount: amount }: KnownRefund, answer: 'DONE' | 'REFUSED'): Promise<void> {
    await this.unitOfWork.run({ actorId: orderId, operation: 'recordRefund' }, async (tx) => {
      const order = (await lockOrder(tx, orderId))!;
      const settled = await tx.sql(`update refunds set state = $2, try_at = null where id = $1 and state = 'CREATED' returning id`, [refundId, answer]);
      if (!settled.length) return;
      if (answer === 'REFUSED') {
        await uncount(tx, orderId, amount);
      } else {
        const [before] = await tx.sql<{ done: number }>(`select coalesce(sum(amount), 0)::float8 as done from refunds where order_id = $1 and state = 'DONE' and id <> $2`, [orderId, refundId]);
        await bookRefund(tx, { id: refundId, orderId, shopId, provider, currency, amount, before: before!.done });
      }
      await noteOrder(tx, order, answer === 'DONE' ? 'REFUNDED' : 'REFUND_REFUSED', null, { amount });
    });
  }
}

/** What was counted when it was asked for, so that no two could give back more than was paid, has not gone. */
async function uncount(tx: Tx, orderId: string, amount: number): Promise<void> {
  await tx.sql('update orders set refunded = refunded - $2 where id = $1', [orderId, amount]);
  await tx.sql('update payments set refunded = refunded - $2 where order_id = $1', [orderId, amount]);
}

/** It was paid in the meantime: then there is nothing to give up. */
function passOver(error: Error): void {
  if (!(error instanceof DomainError)) throw error;
}
