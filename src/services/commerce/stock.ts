import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import { MAX_STOCK, noSuch } from './product-input.js';
import { stockChanged } from './product-states.js';
import { assertSells } from './products.js';

export interface StockChange {
  variantId: string;
  /** None: the shop's first. */
  locationId: string | null;
  /** How many came in, or went; or else `onHand`: how many were counted. */
  delta: number | null;
  onHand: number | null;
  reason: string | null;
  idempotencyKey: string;
}

/** How many there are of what is sold, and where. */
export class StockService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Books what came in or went, or what was counted. What is reserved for orders stays.
   * Errors: NOT_FOUND (variant, location), FORBIDDEN, INVALID_INPUT, STATE_CONFLICT (fewer would be left than are reserved).
   */
  async adjust(actor: Actor, { idempotencyKey, ...change }: StockChange): Promise<string> {
    if ((change.delta === null) === (change.onHand === null)) throw invalidInput('delta', 'Give either delta or onHand.');
    const delta = change.delta === null ? null : boundedInt(change.delta, 'delta', -MAX_STOCK, MAX_STOCK);
    const counted = change.onHand === null ? null : boundedInt(change.onHand, 'onHand', 0, MAX_STOCK);
    const reason = change.reason === null ? null : cleanText(change.reason, { field: 'reason', maxBytes: 256 });
    const { variantId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'adjustStock', idempotencyKey, input: change }, async (tx) => {
      const { shopId } = await assertSells(tx, change.variantId, actor.userId);
      const [location] = await tx.sql<{ id: string }>('select id from stock_locations where shop_id = $1 and ($2::uuid is null or id = $2) order by position, id limit 1', [shopId, change.locationId]);
      if (!location) throw noSuch('location in this shop', 'locationId');
      await tx.sql('insert into stock_levels (variant_id, location_id, on_hand) values ($1, $2, 0) on conflict do nothing', [change.variantId, location.id]);
      const [level] = await tx.sql<{ onHand: number; reserved: number }>('select on_hand as "onHand", reserved from stock_levels where variant_id = $1 and location_id = $2 for update', [
        change.variantId, location.id,
      ]);
      const { onHand, reserved } = level!;
      const after = counted ?? onHand + delta!;
      if (after < reserved) throw new DomainError('STATE_CONFLICT', `${onHand} are there, of which ${reserved} are reserved for orders.`, { field: delta === null ? 'onHand' : 'delta' });
      if (after > MAX_STOCK) throw invalidInput('delta', `At most ${MAX_STOCK} of a variant are at one place.`);
      if (after !== onHand) {
        stockChanged(tx, [change.variantId]);
        if (after > onHand) await tx.sql('update product_variants set low_told_at = null where id = $1', [change.variantId]);
        await tx.sql('update stock_levels set on_hand = $3 where variant_id = $1 and location_id = $2', [change.variantId, location.id, after]);
        await tx.sql('insert into stock_movements (id, variant_id, location_id, delta, kind, reason, actor_id, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
          newId(), change.variantId, location.id, after - onHand, counted === null ? 'ADJUSTED' : 'COUNTED', reason, actor.userId, tx.now,
        ]);
      }
      return { variantId: change.variantId };
    });
    return variantId;
  }
}
