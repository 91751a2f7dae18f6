import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { checkAmount, mulDiv } from '../../policies/money.js';
import { assertReturnGoes, type ReturnState } from '../../policies/order-machine.js';
import type { Actor } from '../actor.js';
import { linesOfOrder, type OrderLineRow, type OrderRow, type ReturnRow } from '../loaders/orders.js';
import { lockBought, lockPart, lockSold } from './order-parties.js';
import { noteOrder } from './order-writer.js';
import type { SentLine } from './orders.js';
import type { PaymentService } from './payments.js';
import { noSuch } from './product-input.js';
import { stockChanged } from './product-states.js';
import { intendRefund, leftToRefund } from './refund-intents.js';

const MAX_RETURNS = 20;

/** What comes back: asked for by whoever bought, decided and received by whoever sold; then money goes back, and what is as new into the stock. */
export class ReturnService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly payments: PaymentService,
  ) {}

  /** Asks to give back lines that were sent. Errors: NOT_FOUND (order, line), FORBIDDEN, INVALID_INPUT (more than was sent), STATE_CONFLICT (called off), LIMIT_REACHED. */
  async request(actor: Actor, orderId: string, lines: SentLine[], given: string | null, idempotencyKey: string): Promise<string> {
    const reason = given === null ? null : cleanText(given, { field: 'reason', maxBytes: 512 });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'requestReturn', idempotencyKey, input: { orderId, lines, reason } }, async (tx) => {
      const order = await lockBought(tx, orderId, actor.userId);
      if (order.state !== 'CONFIRMED' && order.state !== 'COMPLETED') throw new DomainError('STATE_CONFLICT', `The order is ${order.state}.`);
      const known = await linesOf(tx, orderId);
      if (!lines.length || lines.length > known.length || new Set(lines.map(({ lineId }) => lineId)).size < lines.length) throw invalidInput('lines', 'Give each line that comes back once.');
      const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from order_returns where order_id = $1', [orderId]);
      if (count!.n >= MAX_RETURNS) throw new DomainError('LIMIT_REACHED', `At most ${MAX_RETURNS} returns are asked for of an order.`);
      for (const { lineId, quantity } of lines) {
        const line = known.find(({ id }) => id === lineId);
        if (!line) throw noSuch('line of this order', 'lines.lineId');
        boundedInt(quantity, 'lines.quantity', 1, line.fulfilled - line.returning);
        await tx.sql('update order_lines set returning_count = returning_count + $2 where id = $1', [lineId, quantity]);
      }
      await tx.sql(`insert into order_returns (id, order_id, state, lines, reason, created_at, updated_at) values ($1, $2, 'REQUESTED', $3, $4, $5, $5)`, [newId(), orderId, JSON.stringify(lines), reason, tx.now]);
      await noteOrder(tx, order, 'RETURN_REQUESTED', actor.userId, { reason });
      return null;
    });
    return orderId;
  }

  /** Says whether it may come back. Said so already: changes nothing. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
  decide(actor: Actor, returnId: string, approve: boolean, given: string | null): Promise<string> {
    const note = given === null ? null : cleanText(given, { field: 'note', maxBytes: 512 });
    return this.#move(actor, 'decideReturn', returnId, approve ? 'APPROVED' : 'DECLINED', lockSold, async (tx, { id }) => {
      await tx.sql('update order_returns set note = $2 where id = $1', [id, note]);
    });
  }

  /** Keeps it after all: whoever asked. Errors: as above. */
  cancel(actor: Actor, returnId: string): Promise<string> {
    return this.#move(actor, 'cancelReturn', returnId, 'CANCELLED', lockBought, () => Promise.resolve());
  }

  /**
   * Notes that it has come back: the money of its lines goes back, or `amount` of it (0: none), and with `restock` they are in the stock again.
   * Errors: as above; INVALID_INPUT (more than is left to give back).
   */
  async receive(actor: Actor, returnId: string, { restock, amount }: { restock: boolean; amount: number | null }): Promise<string> {
    let refundId: string | null = null;
    const orderId = await this.#move(actor, 'receiveReturn', returnId, 'RECEIVED', lockSold, async (tx, returned, order) => {
      const paid = await leftToRefund(tx, order);
      const left = paid ? paid.gateway + paid.gift : 0;
      const worth = Math.min(left, worthOf(returned.lines, await linesOf(tx, order.id), await receivedBefore(tx, returned)));
      const back = amount === null ? worth : checkAmount(amount, 'amount', 0, left);
      if (back > 0) refundId = await intendRefund(tx, order, { amount: back, reason: 'return', actorId: actor.userId });
      if (restock) await putBack(tx, returned, order, actor.userId);
      await tx.sql('update order_returns set restocked = $2, refund_id = $3 where id = $1', [returned.id, restock, refundId]);
    });
    if (refundId !== null) await this.payments.refund(refundId);
    return orderId;
  }

  #move(
    actor: Actor,
    operation: string,
    returnId: string,
    to: ReturnState,
    lock: (tx: Tx, orderId: string, userId: string) => Promise<OrderRow>,
    then: (tx: Tx, returned: ReturnRow, order: OrderRow) => Promise<void>,
  ): Promise<string> {
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      const [known] = await tx.sql<{ orderId: string }>('select order_id as "orderId" from order_returns where id = $1', [returnId]);
      if (!known) throw notFound('return');
      const seen = await lockPart(tx, known.orderId, actor.userId).catch(() => null);
      if (!seen) throw notFound('return');
      const order = await lock(tx, known.orderId, actor.userId);
      const [returned] = await tx.sql<ReturnRow>('select r.id, r.order_id as "orderId", r.state, r.lines from order_returns r where r.id = $1 for update', [returnId]);
      if (returned!.state === to) return known.orderId;
      assertReturnGoes(returned!.state, to);
      await tx.sql('update order_returns set state = $2, updated_at = $3 where id = $1', [returnId, to, tx.now]);
      if (to === 'DECLINED' || to === 'CANCELLED') for (const { lineId, quantity } of returned!.lines) await tx.sql('update order_lines set returning_count = returning_count - $2 where id = $1', [lineId, quantity]);
      await then(tx, returned!, order);
      await noteOrder(tx, order, `RETURN_${to}`, actor.userId);
      return known.orderId;
    });
  }
}

async function linesOf(tx: Tx, orderId: string): Promise<OrderLineRow[]> {
  const [lines] = await linesOfOrder.batch([orderId], { sql: tx.sql, viewerId: null, now: tx.now });
  return lines ?? [];
}

/** Of each line, what came back by returns before this one. */
async function receivedBefore(tx: Tx, { id, orderId }: Pick<ReturnRow, 'id' | 'orderId'>): Promise<Map<string, number>> {
  const rows = await tx.sql<{ lineId: string; quantity: number }>(
    `select l->>'lineId' as "lineId", sum((l->>'quantity')::int)::int as quantity from order_returns r cross join jsonb_array_elements(r.lines) l where r.order_id = $1 and r.state = 'RECEIVED' and r.id <> $2 group by 1`,
    [orderId, id],
  );
  return new Map(rows.map(({ lineId, quantity }) => [lineId, quantity]));
}

/** What was paid for what comes back: of each line the part up to it less the part before it, each rounded as everything is, so that the parts of a line add up to it however it comes back. */
const worthOf = (lines: readonly SentLine[], known: readonly OrderLineRow[], before: ReadonlyMap<string, number>): number =>
  lines.reduce((sum, { lineId, quantity }) => {
    const line = known.find(({ id }) => id === lineId);
    if (!line) return sum;
    const upTo = (pieces: number) => mulDiv(line.total, pieces, line.quantity);
    const had = before.get(lineId) ?? 0;
    return sum + upTo(had + quantity) - upTo(had);
  }, 0);

/** Into the shop's first place, of what is counted at all. */
async function putBack(tx: Tx, { lines }: ReturnRow, order: OrderRow, actorId: string): Promise<void> {
  const known = await linesOf(tx, order.id);
  const wanted = lines.map(({ lineId, quantity }) => ({ variantId: known.find(({ id }) => id === lineId)!.variantId, quantity })).sort((a, b) => (a.variantId < b.variantId ? -1 : 1));
  for (const { variantId, quantity } of wanted) {
    const [level] = await tx.sql<{ locationId: string }>(
      `select l.location_id as "locationId" from stock_levels l join stock_locations k on k.id = l.location_id join product_variants v on v.id = l.variant_id
       where l.variant_id = $1 and v.track_stock order by k.position, k.id limit 1`,
      [variantId],
    );
    if (!level) continue;
    await tx.sql('update stock_levels set on_hand = on_hand + $3 where variant_id = $1 and location_id = $2', [variantId, level.locationId, quantity]);
    await tx.sql(`insert into stock_movements (id, variant_id, location_id, delta, kind, actor_id, created_at) values ($1, $2, $3, $4, 'RETURNED', $5, $6)`, [newId(), variantId, level.locationId, quantity, actorId, tx.now]);
    stockChanged(tx, [variantId]);
  }
}
