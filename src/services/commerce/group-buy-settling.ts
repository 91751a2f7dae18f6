import type { Database } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import { priceShare, type ShareTerms } from '../../policies/group-buy-policy.js';
import type { OrderRow } from '../loaders/orders.js';
import { decideGroupBuy, lockGroupBuy } from './group-buy-records.js';
import { lockOrder, noteOrder } from './order-writer.js';
import { wantCapture, wantVoid } from './payment-records.js';
import type { PaymentService } from './payments.js';

const BATCH = 20;
/** Who joined in time, and whose gateway has not said yet whether it holds the money, is waited for so long. */
const GRACE_MS = 60_000;

/**
 * The end of group buys. First it is decided, in one transaction; then each payment is taken, or let go, in one of its own. Each step finds what the one before has
 * committed: whoever dies is followed by whoever sweeps next, and nothing is done twice.
 */
export class GroupBuySettling {
  static readonly DUE = `exists (select from group_buys where state = 'OPEN' and deadline <= $1) or exists (select from group_buy_shares where due is not null)`;

  constructor(
    private readonly db: Pick<Database, 'background'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly payments: PaymentService,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Decides what is due, and follows what was decided; true when there may be more. */
  async sweep(): Promise<boolean> {
    const now = this.clock.now();
    const due = await this.db.background<{ id: string }>(
      `select g.id from group_buys g where g.state = 'OPEN' and g.deadline <= $1 and (g.deadline <= $2 or not exists (
         select from group_buy_shares s join payments p on p.order_id = s.order_id where s.group_buy_id = g.id and not s.gone and p.wanted is null and p.state in ('CREATED', 'ACTION_REQUIRED', 'PENDING')))
       order by g.deadline limit $3`,
      [now, new Date(now.getTime() - GRACE_MS), BATCH],
    );
    await Promise.all(due.map(({ id }) => this.#safely(() => this.decide(id))));
    const decided = await this.db.background<{ orderId: string }>('select order_id as "orderId" from group_buy_shares where due is not null order by order_id limit $1', [BATCH]);
    await Promise.all(decided.map(({ orderId }) => this.#safely(() => this.follow(orderId))));
    return due.length === BATCH || decided.length === BATCH;
  }

  /** Decides a group buy whose time is up, or of which all are taken. Decided already: changes nothing. */
  async decide(groupBuyId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: groupBuyId, operation: 'decideGroupBuy' }, async (tx) => {
      const { groupBuy } = (await lockGroupBuy(tx, groupBuyId, null))!;
      const full = groupBuy.maxQuantity !== null && groupBuy.quantity >= groupBuy.maxQuantity;
      if (groupBuy.state === 'OPEN' && (full || groupBuy.deadline <= tx.now)) await decideGroupBuy(tx, groupBuy, false);
    });
  }

  /** Has one payment taken at the price that was reached, or let go. */
  async follow(orderId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: orderId, operation: 'followGroupBuy' }, async (tx) => {
      const [share] = await tx.sql<{ due: 'CAPTURE' | 'VOID'; terms: ShareTerms; price: number }>(
        `select s.due, s.terms, g.price::float8 as price from group_buy_shares s join group_buys g on g.id = s.group_buy_id where s.order_id = $1 and s.due is not null for update of s`,
        [orderId],
      );
      if (!share) return;
      const order = (await lockOrder(tx, orderId))!;
      // A hold that ended by itself meanwhile has cancelled the order.
      if (order.state === 'PENDING') {
        if (share.due === 'VOID') await wantVoid(tx, order);
        else await wantCapture(tx, order, await reprice(tx, order, share.terms, share.price));
      }
      await tx.sql('update group_buy_shares set due = null where order_id = $1', [orderId]);
    });
    await this.payments.drive(orderId);
  }

  async #safely(work: () => Promise<void>): Promise<void> {
    await work().catch((error: Error) => this.log.error({ error: error.message }, 'a group buy could not be settled; it is tried again'));
  }
}

/** An order at the price that was reached together. Answers what it costs. */
async function reprice(tx: Tx, order: OrderRow, terms: ShareTerms, price: number): Promise<number> {
  const { lines, subtotal, shipping, tax, taxAdded, total } = priceShare(terms, price);
  const [line] = lines;
  if (total !== order.total) {
    await tx.sql('update orders set subtotal = $2, shipping = $3, tax = $4, tax_added = $5, total = $6 where id = $1', [order.id, subtotal, shipping, tax, taxAdded, total]);
    await tx.sql('update order_lines set unit_price = $2, subtotal = $3, tax = $4, total = $5 where order_id = $1', [order.id, price, line!.subtotal, line!.tax, line!.total]);
    await noteOrder(tx, order, 'REPRICED', null, { total });
  }
  return total;
}
