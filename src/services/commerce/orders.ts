import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { checkAmount } from '../../policies/money.js';
import type { OrderState } from '../../policies/order-machine.js';
import type { Actor, Reading } from '../actor.js';
import { linesOfOrder, orderById, ORDER_COLUMNS, type OrderRow } from '../loaders/orders.js';
import { shopById } from '../loaders/shops.js';
import { lockPart, lockSold } from './order-parties.js';
import { moveOrder, noteOrder } from './order-writer.js';
import { callOffGift, cancelOrder, wantCapture, wantVoid } from './payment-records.js';
import type { PaymentService } from './payments.js';
import { noSuch } from './product-input.js';
import { intendRefund, leftToRefund } from './refund-intents.js';

const MAX_FULFILLMENTS = 50;

export interface SentLine {
  lineId: string;
  quantity: number;
}

/** What becomes of orders, for those who buy and those who sell. */
export class OrderService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly payments: PaymentService,
  ) {}

  /** An order of the viewer's, or of their shop; or null. */
  async find(reading: Reading, id: string): Promise<OrderRow | null> {
    const order = reading.viewer && (await reading.load(orderById, id));
    if (!order) return null;
    const { userId } = reading.viewer!;
    return order.buyerId === userId || (await reading.load(shopById, order.shopId))?.ownerId === userId ? order : null;
  }

  /** What the viewer has bought, the newest first. */
  async listOwn(reading: Reading, actor: Actor, args: PageArgs): Promise<Page<OrderRow>> {
    return this.#list(reading, 'o.buyer_id = $1', actor.userId, null, args);
  }

  /** What a shop has sold, the newest first; null for those who don't run it. */
  async ofShop(reading: Reading, shopId: string, state: OrderState | null, args: PageArgs): Promise<Page<OrderRow> | null> {
    const shop = await reading.load(shopById, shopId);
    return shop && shop.ownerId === reading.viewer?.userId ? this.#list(reading, 'o.shop_id = $1', shopId, state, args) : null;
  }

  /**
   * Calls off what is not sent: a payment under way is given up, and what is held is let go, at its gateway first; when that does not answer the order is CANCELLED as soon as it does. What is paid is called off by
   * whoever sells: all of it goes back, and the goods are for sale again at once. Called off already: changes nothing. Errors: NOT_FOUND, STATE_CONFLICT.
   */
  async cancel(actor: Actor, orderId: string): Promise<OrderRow> {
    let refundId: string | null = null;
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'cancelOrder' }, async (tx) => {
      refundId = null;
      const order = await lockPart(tx, orderId, actor.userId);
      if (order.state === 'CANCELLED') return;
      assertOwnPayment(order);
      const [line] = await tx.sql('select from order_lines where order_id = $1 and fulfilled > 0', [orderId]);
      if (line) throw new DomainError('STATE_CONFLICT', 'Some of it is sent.');
      if (order.gift === order.total) await callOffGift(tx, order);
      else if (order.ownerId === actor.userId && (await isTaken(tx, orderId))) refundId = await callOffPaid(tx, order, actor.userId);
      else await wantVoid(tx, order);
    });
    if (refundId) await this.payments.refund(refundId);
    else await this.payments.drive(orderId);
    const after = await this.#read(orderId);
    if (after.state === 'CONFIRMED' && !(await this.#isGivenUp(orderId))) throw new DomainError('STATE_CONFLICT', 'It was paid meanwhile.');
    return after;
  }

  /**
   * Takes what is held for an order, or so much of it and lets go of the rest; with the manual provider: notes that it is paid. Taken already: changes nothing.
   * Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (more than is held), STATE_CONFLICT (nothing is held).
   */
  async capture(actor: Actor, orderId: string, amount: number | null): Promise<OrderRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'capturePayment' }, async (tx) => {
      const order = await lockSold(tx, orderId, actor.userId);
      assertOwnPayment(order);
      const held = order.total - order.gift;
      await wantCapture(tx, order, amount === null ? held : checkAmount(amount, 'amount', 1, Math.max(held, 1)));
    });
    await this.payments.drive(orderId);
    return this.#read(orderId);
  }

  /**
   * Sends lines of an order, or all that is left of it: what was reserved leaves the stock.
   * Errors: NOT_FOUND (order, line), FORBIDDEN, INVALID_INPUT (more than is left), STATE_CONFLICT (not confirmed, all sent), LIMIT_REACHED.
   */
  async fulfill(actor: Actor, orderId: string, given: SentLine[] | null, tracking: string | null, idempotencyKey: string): Promise<OrderRow> {
    const note = tracking === null ? null : cleanText(tracking, { field: 'tracking', maxBytes: 256 });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'fulfillOrder', idempotencyKey, input: { orderId, given, note } }, async (tx) => {
      const order = await lockSold(tx, orderId, actor.userId);
      if (order.state !== 'CONFIRMED') throw new DomainError('STATE_CONFLICT', `The order is ${order.state}.`);
      const [voided] = await tx.sql(`select from payments where order_id = $1 and wanted = 'VOID'`, [orderId]);
      if (voided) throw new DomainError('STATE_CONFLICT', 'The order is being called off.');
      const [lines] = await linesOfOrder.batch([orderId], { sql: tx.sql, viewerId: null, now: tx.now });
      const sent = given ?? lines!.filter((line) => line.fulfilled < line.quantity).map((line) => ({ lineId: line.id, quantity: line.quantity - line.fulfilled }));
      if (given === null && !sent.length) throw new DomainError('STATE_CONFLICT', 'All of it is sent.');
      if (!sent.length || sent.length > lines!.length || new Set(sent.map(({ lineId }) => lineId)).size < sent.length) throw invalidInput('lines', 'Give each line that is sent, and each once; without lines all that is left is sent.');
      const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from fulfillments where order_id = $1', [orderId]);
      if (count!.n >= MAX_FULFILLMENTS) throw new DomainError('LIMIT_REACHED', `An order is sent in at most ${MAX_FULFILLMENTS} parts.`);
      for (const { lineId, quantity } of sent) {
        const line = lines!.find(({ id }) => id === lineId);
        if (!line) throw noSuch('line of this order', 'lines.lineId');
        boundedInt(quantity, 'lines.quantity', 1, line.quantity - line.fulfilled);
        await tx.sql('update order_lines set fulfilled = fulfilled + $2 where id = $1', [lineId, quantity]);
        await takeStock(tx, orderId, line.variantId, quantity, actor.userId);
      }
      await tx.sql(`insert into fulfillments (id, order_id, state, tracking, lines, created_at) values ($1, $2, 'SHIPPED', $3, $4, $5)`, [newId(), orderId, note, JSON.stringify(sent), tx.now]);
      await noteOrder(tx, order, 'SHIPPED', actor.userId, { tracking: note, items: sent.reduce((sum, { quantity }) => sum + quantity, 0) });
      return null;
    });
    return this.#read(orderId);
  }

  /** Notes that a part has arrived; when all have, the order is COMPLETED. Arrived already: changes nothing. Errors: NOT_FOUND, FORBIDDEN. */
  async deliver(actor: Actor, fulfillmentId: string): Promise<OrderRow> {
    const { orderId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'deliverFulfillment' }, async (tx) => {
      const [found] = await tx.sql<{ order_id: string }>('select order_id from fulfillments where id = $1', [fulfillmentId]);
      if (!found) throw notFound('fulfillment');
      const order = await lockSold(tx, found.order_id, actor.userId);
      const moved = await tx.sql(`update fulfillments set state = 'DELIVERED', delivered_at = $2 where id = $1 and state = 'SHIPPED' returning id`, [fulfillmentId, tx.now]);
      if (!moved.length) return { orderId: order.id };
      await noteOrder(tx, order, 'DELIVERED', actor.userId);
      const [left] = await tx.sql(
        `select from orders o where o.id = $1 and (exists (select from order_lines l where l.order_id = o.id and l.fulfilled < l.quantity) or exists (select from fulfillments f where f.order_id = o.id and f.state = 'SHIPPED'))`,
        [order.id],
      );
      if (!left) await moveOrder(tx, order, 'COMPLETED', actor.userId);
      return { orderId: order.id };
    });
    return this.#read(orderId);
  }

  /**
   * Gives back some of what was paid, or all that is left. It is counted before the gateway is asked, so that no two give back more than was paid.
   * Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (more than is left), STATE_CONFLICT (not paid), LIMIT_REACHED.
   */
  async refund(actor: Actor, orderId: string, given: { amount: number | null; reason: string | null; idempotencyKey: string }): Promise<OrderRow> {
    const reason = given.reason === null ? null : cleanText(given.reason, { field: 'reason', maxBytes: 512 });
    const { idempotencyKey, amount: asked } = given;
    const { refundId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'refundOrder', idempotencyKey, input: { orderId, asked, reason } }, async (tx) => {
      const order = await lockSold(tx, orderId, actor.userId);
      return { refundId: await intendRefund(tx, order, { amount: asked, reason, actorId: actor.userId }) };
    });
    await this.payments.refund(refundId);
    return this.#read(orderId);
  }

  async #list(reading: Reading, whose: 'o.buyer_id = $1' | 'o.shop_id = $1', id: string, state: OrderState | null, args: PageArgs): Promise<Page<OrderRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<OrderRow>(`select ${ORDER_COLUMNS} from orders o where ${whose} and ($2::text is null or o.state = $2) and ($3::uuid is null or o.id < $3) order by o.id desc limit $4`, [
      id, state, request.from?.[0] ?? null, request.limit,
    ]);
    for (const row of rows) reading.prime(orderById, row.id, row);
    return toPage(rows, request, (row) => [row.id]);
  }

  async #isGivenUp(orderId: string): Promise<boolean> {
    return (await this.sql(`select from payments where order_id = $1 and wanted = 'VOID'`, [orderId])).length > 0;
  }

  async #read(id: string): Promise<OrderRow> {
    const [row] = await this.sql<OrderRow>(`select ${ORDER_COLUMNS} from orders o where o.id = $1`, [id]);
    return row!;
  }
}

/** Whether the gateway has taken the money of an order that is locked. */
async function isTaken(tx: Tx, orderId: string): Promise<boolean> {
  return (await tx.sql(`select from payments where order_id = $1 and state = 'CAPTURED'`, [orderId])).length > 0;
}

/** What is left of what was paid goes back, and what the order held is free again; discounts are locked first, as checkouts do. Null: all of it had gone back before. */
async function callOffPaid(tx: Tx, order: OrderRow, actorId: string): Promise<string | null> {
  await tx.sql('select from discounts d join order_discounts u on u.discount_id = d.id where u.order_id = $1 and u.active order by d.id for update of d', [order.id]);
  const left = (await leftToRefund(tx, order))!;
  const refundId = left.gateway + left.gift > 0 ? await intendRefund(tx, order, { amount: null, reason: 'called off', actorId }) : null;
  await cancelOrder(tx, order, 'CANCELLED', actorId);
  return refundId;
}

/** What was reserved leaves the stock, location by location. */
async function takeStock(tx: Tx, orderId: string, variantId: string, quantity: number, actorId: string): Promise<void> {
  const held = await tx.sql<{ locationId: string; quantity: number }>(
    'select location_id as "locationId", quantity from stock_reservations where order_id = $1 and variant_id = $2 and quantity > 0 order by location_id for update',
    [orderId, variantId],
  );
  let left = quantity;
  for (const reservation of held) {
    const part = Math.min(left, reservation.quantity);
    if (part === 0) break;
    left -= part;
    await tx.sql('update stock_reservations set quantity = quantity - $4 where order_id = $1 and variant_id = $2 and location_id = $3', [orderId, variantId, reservation.locationId, part]);
    await tx.sql('update stock_levels set on_hand = on_hand - $3, reserved = reserved - $3 where variant_id = $1 and location_id = $2', [variantId, reservation.locationId, part]);
    await tx.sql(`insert into stock_movements (id, variant_id, location_id, delta, kind, actor_id, created_at) values ($1, $2, $3, $4, 'SOLD', $5, $6)`, [
      newId(), variantId, reservation.locationId, -part, actorId, tx.now,
    ]);
  }
}

/** Until a group buy is decided, nobody takes what is held for it, nor lets it go by the order alone. */
function assertOwnPayment({ groupBuyId, state }: Pick<OrderRow, 'groupBuyId' | 'state'>): void {
  if (groupBuyId !== null && state === 'PENDING') throw new DomainError('STATE_CONFLICT', 'It belongs to a group buy: leave that, or wait until it is decided.');
}
