import type { PaymentGateway, PaymentOutcome } from './contract.js';

const held = (key: string): PaymentOutcome => ({ state: 'AUTHORIZED', reference: key });

/** Paid to those who sell, on delivery or by invoice: they say when it was, and give back what they give back. */
export const manualGateway: PaymentGateway = {
  pay: ({ key }) => Promise.resolve(held(key)),
  find: ({ key }) => Promise.resolve(held(key)),
  capture: ({ key }, amount) => Promise.resolve({ state: 'CAPTURED', reference: key, captured: amount }),
  void: ({ key }) => Promise.resolve({ state: 'FAILED', reference: key, reason: 'CANCELLED' }),
  refund: () => Promise.resolve('DONE'),
};
