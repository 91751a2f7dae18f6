import { DomainError } from '../lib/errors.js';

export type OrderState = 'PENDING' | 'CONFIRMED' | 'COMPLETED' | 'CANCELLED';
export type PaymentState = 'CREATED' | 'ACTION_REQUIRED' | 'PENDING' | 'AUTHORIZED' | 'CAPTURED' | 'FAILED';
export type FulfillmentState = 'SHIPPED' | 'DELIVERED';

/** PENDING: to be paid. CONFIRMED: paid, or held, and to be sent. */
export const ORDER_TRANSITIONS: Readonly<Record<OrderState, readonly OrderState[]>> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['COMPLETED', 'CANCELLED'],
  COMPLETED: [],
  CANCELLED: [],
};

/** What comes late (an older state, told after a newer one) has no place in it, and changes nothing. */
export const PAYMENT_TRANSITIONS: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  CREATED: ['ACTION_REQUIRED', 'PENDING', 'AUTHORIZED', 'CAPTURED', 'FAILED'],
  ACTION_REQUIRED: ['PENDING', 'AUTHORIZED', 'CAPTURED', 'FAILED'],
  PENDING: ['ACTION_REQUIRED', 'AUTHORIZED', 'CAPTURED', 'FAILED'],
  AUTHORIZED: ['CAPTURED', 'FAILED'],
  CAPTURED: [],
  FAILED: [],
};

export const FULFILLMENT_TRANSITIONS: Readonly<Record<FulfillmentState, readonly FulfillmentState[]>> = { SHIPPED: ['DELIVERED'], DELIVERED: [] };

export type ReturnState = 'REQUESTED' | 'APPROVED' | 'DECLINED' | 'CANCELLED' | 'RECEIVED';
export const RETURN_TRANSITIONS: Readonly<Record<ReturnState, readonly ReturnState[]>> = {
  REQUESTED: ['APPROVED', 'DECLINED', 'CANCELLED'],
  APPROVED: ['RECEIVED', 'CANCELLED'],
  DECLINED: [],
  CANCELLED: [],
  RECEIVED: [],
};

/** Whether the payment may still come to something. */
export const isOpenPayment = (state: PaymentState): boolean => state === 'CREATED' || state === 'ACTION_REQUIRED' || state === 'PENDING';

export function assertOrderGoes(from: OrderState, to: OrderState): void {
  if (!ORDER_TRANSITIONS[from].includes(to)) throw new DomainError('STATE_CONFLICT', `An order that is ${from} can’t become ${to}.`);
}

export function assertReturnGoes(from: ReturnState, to: ReturnState): void {
  if (!RETURN_TRANSITIONS[from].includes(to)) throw new DomainError('STATE_CONFLICT', `A return that is ${from} can’t become ${to}.`);
}
