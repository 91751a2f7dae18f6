import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import { assertOpen, assertSeesCart } from '../../policies/cart-policy.js';
import type { Actor, Reading } from '../actor.js';
import { readCartAccess } from '../loaders/carts.js';
import { ORDER_COLUMNS, paymentOfOrder, type OrderRow, type PaymentRow } from '../loaders/orders.js';
import { lockCart } from './carts.js';
import { cleanTerms, quoteCart, shortagesOf, type Quote, type Shortage, type Terms } from './checkout-quote.js';
import { lockOrder, reserveStock, writeOrder } from './order-writer.js';
import { bookPaid, confirmOrder, intendPayment } from './payment-records.js';
import type { PaymentService } from './payments.js';

export interface CheckoutInput extends Terms {
  cartId: string;
  provider: string;
  method: string;
  /** What the buyer was shown; null: whatever it costs. */
  expectedTotal: { amount: number; currency: string } | null;
  idempotencyKey: string;
}

/** How a checkout ended, as the buyer's screen must tell. */
export type CheckoutResult =
  | { kind: 'COMPLETED' | 'PENDING' | 'DECLINED'; order: OrderRow; payment: PaymentRow | null }
  | { kind: 'ACTION_REQUIRED'; order: OrderRow; payment: PaymentRow }
  | { kind: 'OUT_OF_STOCK'; shortages: Shortage[] }
  | { kind: 'PRICE_CHANGED'; quote: Quote };

/** Ends the transaction without a trace: nothing was ordered, and the key may be used again. */
class NotOrdered extends Error {
  constructor(readonly result: CheckoutResult) {
    super('nothing was ordered');
  }
}

/** From a cart to an order that is paid. */
export class CheckoutService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly payments: PaymentService,
  ) {}

  /** What an order of a cart would cost now. Errors: NOT_FOUND (cart, shipping, coupon, gift card), INVALID_INPUT, STATE_CONFLICT (empty), LIMIT_REACHED. */
  async quote(reading: Reading, actor: Actor, cartId: string, terms: Terms): Promise<Quote> {
    const clean = cleanTerms(terms);
    const access = await readCartAccess(this.sql, cartId, actor.userId);
    assertSeesCart(access, actor.userId);
    return quoteCart(this.sql, access.cart, clean, actor.userId, reading.now, false);
  }

  /**
   * Orders what is in a cart, and pays. The stock is reserved, the discounts and gift cards are used and the intent to pay is recorded in one transaction; then the gateway is asked. A
   * repeat under the key goes on where the first has come to, and never orders twice. Who fills the cart may buy it.
   * Errors: as of a quote; STATE_CONFLICT (the cart is being paid, or was ordered), IDEMPOTENCY_KEY_REUSED.
   */
  async checkout(actor: Actor, { idempotencyKey, ...given }: CheckoutInput): Promise<CheckoutResult> {
    const terms = cleanTerms(given);
    const method = cleanText(given.method, { field: 'method', maxBytes: 256 });
    try {
      const { orderId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'checkout', idempotencyKey, input: given }, async (tx) => {
        const access = await lockCart(tx, given.cartId, actor.userId);
        assertSeesCart(access, actor.userId);
        assertOpen(access.cart);
        const quote = await quoteCart(tx.sql, access.cart, terms, actor.userId, tx.now, true);
        const { currency } = access.cart;
        const unavailable = shortagesOf(quote.lines);
        if (unavailable.length) throw new NotOrdered({ kind: 'OUT_OF_STOCK', shortages: unavailable });
        const expected = given.expectedTotal;
        if (expected && (expected.amount !== quote.totals.total || expected.currency !== currency)) throw new NotOrdered({ kind: 'PRICE_CHANGED', quote });
        // What gift cards pay wholly needs nobody beside them.
        if (quote.totals.due > 0 && !this.payments.has(given.provider)) throw invalidInput('provider', 'Nobody is paid by that provider here.');
        const id = newId();
        await writeOrder(tx, id, quote, terms, actor.userId);
        const short = await reserveStock(tx, id, quote.lines.filter((line) => line.trackStock));
        if (short.length) throw new NotOrdered({ kind: 'OUT_OF_STOCK', shortages: short });
        if (quote.totals.due > 0) {
          const [shop] = await tx.sql<{ hold: boolean }>('select hold_payments as hold from shops where id = $1', [access.cart.shopId]);
          await intendPayment(tx, { orderId: id, provider: given.provider, method, amount: quote.totals.due, currency, hold: shop!.hold });
        } else {
          const order = (await lockOrder(tx, id))!;
          await confirmOrder(tx, order);
          await bookPaid(tx, order, null, 0, this.payments.feeBps);
        }
        return { orderId: id };
      });
      return await this.#goOn(orderId);
    } catch (error) {
      if (error instanceof NotOrdered) return error.result;
      throw error;
    }
  }

  /** Asks how the payment of the buyer's order stands: after they have done what the gateway wanted. Errors: NOT_FOUND. */
  async confirm(actor: Actor, orderId: string): Promise<CheckoutResult> {
    const [own] = await this.sql('select from orders where id = $1 and buyer_id = $2', [orderId, actor.userId]);
    if (!own) throw notFound('order');
    return this.#goOn(orderId);
  }

  async #goOn(orderId: string): Promise<CheckoutResult> {
    await this.payments.drive(orderId);
    const [order] = await this.sql<OrderRow>(`select ${ORDER_COLUMNS} from orders o where o.id = $1`, [orderId]);
    const [payment] = await paymentOfOrder.batch([orderId], { sql: this.sql, viewerId: null, now: order!.createdAt });
    if (order!.state === 'CANCELLED') return { kind: 'DECLINED', order: order!, payment: payment ?? null };
    if (payment?.state === 'ACTION_REQUIRED') return { kind: 'ACTION_REQUIRED', order: order!, payment };
    return { kind: order!.state === 'PENDING' ? 'PENDING' : 'COMPLETED', order: order!, payment: payment ?? null };
  }
}
