import type { CartEventRef } from '../../events/catalogue.js';
import { encodeId } from '../../lib/ids.js';
import type { DeliveredEvent, Load, Make } from '../chat-events.js';
import { linesOfCart } from '../loaders/carts.js';

/** An event of a cart's stream, with today's rows. */
export async function hydrateCartEvent(cartId: string, ref: CartEventRef, make: Make, load: Load): Promise<DeliveredEvent> {
  const cart = { cartId: encodeId('Cart', cartId), cartKey: cartId };
  switch (ref.kind) {
    case 'cart.updated':
      return make('CartUpdated', cart);
    case 'cart.line': {
      const line = (await load(linesOfCart, cartId))!.find(({ variantId }) => variantId === ref.variantId) ?? null;
      return make('CartLineChanged', { ...cart, variantId: encodeId('ProductVariant', ref.variantId), line });
    }
    default:
      // A newer server may have written what this one has never heard of.
      throw new Error(`There is no shape for ${(ref as { kind: string }).kind}.`);
  }
}
