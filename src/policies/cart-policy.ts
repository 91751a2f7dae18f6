import { DomainError, forbidden, notFound } from '../lib/errors.js';

export type CartState = 'OPEN' | 'CHECKOUT' | 'ORDERED' | 'CLOSED';

/** Where a cart may go from each state. It comes back from CHECKOUT when the payment fails. */
export const CART_TRANSITIONS: Readonly<Record<CartState, readonly CartState[]>> = {
  OPEN: ['CHECKOUT', 'CLOSED'],
  CHECKOUT: ['OPEN', 'ORDERED'],
  ORDERED: [],
  CLOSED: [],
};

/** What decides about a person and a cart. */
export interface CartAccess {
  cart: { state: CartState; ownerId: string; chatId: string | null };
  /** Whether they are in the chat that the cart is shared in. */
  member: boolean;
}

/** Whoever made it, and those in whose chat it is. */
export const canSeeCart = ({ cart, member }: CartAccess, userId: string): boolean => cart.ownerId === userId || (cart.chatId !== null && member);

export function assertSeesCart(access: CartAccess | null, userId: string): asserts access is CartAccess {
  if (!access || !canSeeCart(access, userId)) throw notFound('cart');
}

export function assertOwnsCart(access: CartAccess | null, userId: string): asserts access is CartAccess {
  assertSeesCart(access, userId);
  if (access.cart.ownerId !== userId) throw forbidden('This is for whoever made the cart.');
}

export function assertOpen({ state }: { state: CartState }): void {
  if (state !== 'OPEN') throw new DomainError('STATE_CONFLICT', `The cart is ${state}.`);
}
