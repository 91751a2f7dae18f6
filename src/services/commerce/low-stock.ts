import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { EventKind } from '../../events/catalogue.js';
import type { ConsumedEvent } from '../../events/commit-order.js';
import type { LogConsumer } from '../../events/log-consumers.js';
import { NOBODY } from '../actor.js';
import { tell } from '../notifications/notices.js';
import type { PushQueue } from '../notifications/push-queue.js';


interface Low {
  variantId: string;
  productId: string;
  ownerId: string;
}

/** Tells whoever runs a shop when there is little left of what was ordered: once, until more has come in. */
export class LowStock implements LogConsumer {
  readonly name = 'low-stock';
  readonly from = 'now';
  readonly roundEveryMs = 1_000;
  readonly kinds: readonly EventKind[] = ['order.changed'];

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly pushes: PushQueue,
  ) {}

  async handle(events: ConsumedEvent[]): Promise<void> {
    const orderIds = new Set(events.flatMap(({ ref }) => (ref.kind === 'order.changed' ? [ref.orderId] : [])));
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'noticeLowStock' }, async (tx) => {
      const low = await tx.sql<Low>(
        `with ordered as (
           select distinct v.id, v.product_id, s.owner_id, s.low_stock_at from order_lines l join product_variants v on v.id = l.variant_id join products p on p.id = v.product_id join shops s on s.id = p.shop_id
           where l.order_id = any($1) and v.track_stock and v.low_told_at is null and s.low_stock_at is not null)
         update product_variants v set low_told_at = $2 from ordered o
         where v.id = o.id and v.low_told_at is null and (select coalesce(sum(k.on_hand - k.reserved), 0) from stock_levels k where k.variant_id = o.id) <= o.low_stock_at
         returning v.id as "variantId", o.product_id as "productId", o.owner_id as "ownerId"`,
        [[...orderIds], tx.now],
      );
      for (const { variantId, productId, ownerId } of low) await tell(tx, this.pushes, { userId: ownerId, kind: 'LOW_STOCK', slot: `stock:${variantId}:${tx.now.getTime()}`, productId });
    });
  }
}
