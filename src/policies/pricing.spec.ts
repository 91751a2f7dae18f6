import assert from 'node:assert/strict';
import fc from 'fast-check';
import { priceOrder, type Pricing } from './pricing.js';

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);
const none: Pricing = { lines: [], discounts: [], shipping: null, taxes: new Map(), gifts: [] };
const standard = (ratePpm: number, included: boolean) => new Map([['standard', { ratePpm, included }]]);

describe('what an order costs', () => {
  it('with tax in the price, and on top of it', () => {
    const lines = [{ quantity: 3, unitPrice: 1_000, taxClass: 'standard' }];
    const held = priceOrder({ ...none, lines, taxes: standard(81_000, true) });
    assert.deepEqual([held.total, held.tax, held.taxAdded, held.due], [3_000, 225, 0, 3_000]); // 3000 × 81 / 1081 = 224.79
    const added = priceOrder({ ...none, lines, taxes: standard(81_000, false) });
    assert.deepEqual([added.total, added.tax, added.taxAdded], [3_243, 243, 243]);
  });

  it('with discounts one after the other, split over the lines, and shipping that is free from an amount on', () => {
    const lines = [{ quantity: 1, unitPrice: 1_000, taxClass: 'standard' }, { quantity: 2, unitPrice: 333, taxClass: 'none' }];
    const order = priceOrder({ ...none, lines, discounts: [{ kind: 'PERCENT', value: 1_000 }, { kind: 'AMOUNT', value: 500 }], shipping: { amount: 700, freeFrom: 1_000 } });
    assert.deepEqual([order.subtotal, order.discounts, order.shipping, order.total], [1_666, [167, 500], 700, 1_699]);
    assert.deepEqual(order.lines.map(({ discount }) => discount), [400, 267]);
    assert.equal(priceOrder({ ...none, lines, shipping: { amount: 700, freeFrom: 1_666 } }).shipping, 0);
    const free = priceOrder({ ...none, lines, discounts: [{ kind: 'FREE_SHIPPING', value: 0 }], shipping: { amount: 700, freeFrom: null } });
    assert.deepEqual([free.shipping, free.discount, free.discounts, free.total], [0, 0, [700], 1_666]);
  });

  it('with gift cards in their order, never more than is to be paid', () => {
    const order = priceOrder({ ...none, lines: [{ quantity: 1, unitPrice: 1_000, taxClass: 'a' }], gifts: [300, 900, 50] });
    assert.deepEqual([order.gifts, order.due], [[300, 700, 0], 0]);
  });

  it('always adds up: lines to totals, parts to wholes, and nothing is below zero', () => {
    const amount = fc.integer({ min: 0, max: 1e9 });
    const rate = fc.record({ ratePpm: fc.integer({ min: 0, max: 500_000 }), included: fc.boolean() });
    const pricing: fc.Arbitrary<Pricing> = fc.record({
      lines: fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 999 }), unitPrice: amount, taxClass: fc.constantFrom('standard', 'reduced', 'none') }), { minLength: 1, maxLength: 30 }),
      discounts: fc.array(
        fc.oneof(fc.record({ kind: fc.constant('PERCENT' as const), value: fc.integer({ min: 0, max: 10_000 }) }), fc.record({ kind: fc.constant('AMOUNT' as const), value: amount }), fc.constant({ kind: 'FREE_SHIPPING' as const, value: 0 })),
        { maxLength: 4 },
      ),
      shipping: fc.option(fc.record({ amount, freeFrom: fc.option(amount, { nil: null }) }), { nil: null }),
      taxes: fc.record({ standard: rate, reduced: rate, shipping: rate }).map((rates) => new Map(Object.entries(rates))),
      gifts: fc.array(amount, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(pricing, (given) => {
        const order = priceOrder(given);
        const shippingAdded = given.taxes.get('shipping')!.included ? 0 : order.shippingTax;
        assert.equal(sum(order.lines.map(({ total }) => total)) + order.shipping + shippingAdded, order.total);
        assert.equal(order.total, order.subtotal - order.discount + order.shipping + order.taxAdded);
        assert.equal(sum(order.lines.map(({ subtotal }) => subtotal)), order.subtotal);
        assert.equal(sum(order.lines.map(({ discount }) => discount)), order.discount);
        assert.equal(sum(order.lines.map(({ tax }) => tax)) + order.shippingTax, order.tax);
        assert.equal(sum(order.gifts) + order.due, order.total);
        for (const { subtotal, discount, tax, total } of order.lines) assert.ok(discount >= 0 && discount <= subtotal && tax >= 0 && total >= 0);
        assert.ok(order.due >= 0 && order.shipping >= 0 && order.gifts.every((part, index) => part >= 0 && part <= given.gifts[index]!));
      }),
      { numRuns: 300 },
    );
  });
});
