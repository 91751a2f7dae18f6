import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allocate, checkAmount, checkCurrency, MAX_PRICE, MINOR_DIGITS, minorDigits, mulDiv } from './money.js';

describe('money', () => {
  it('has the minor units of ISO 4217, not those by which people write prices', () => {
    const digits = (currencies: string) => currencies.split(' ').map(minorDigits);
    assert.deepEqual(digits('CHF EUR HUF IDR COP PKR RSD MGA'), [2, 2, 2, 2, 2, 2, 2, 2]);
    assert.deepEqual(digits('JPY ISK UGX KRW KWD TND'), [0, 0, 0, 0, 3, 3]);
    for (const currency of Object.keys(MINOR_DIGITS)) assert.equal(checkCurrency(currency, 'currency'), currency);
  });

  it('is rounded half away from zero', () => {
    assert.deepEqual([mulDiv(5, 1, 2), mulDiv(-5, 1, 2), mulDiv(4, 1, 3), mulDiv(5, 1, 3), mulDiv(1, 1, 3), mulDiv(1000, 81, 1000), mulDiv(7, 1, 1)], [3, -3, 1, 2, 0, 81, 7]);
  });

  it('is never further than half a unit from the exact value', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 1_000_000 }), (amount, numerator, denominator) => {
        fc.pre(Math.abs((amount * numerator) / denominator) < 2 ** 52);
        const rounded = BigInt(mulDiv(amount, numerator, denominator)) * BigInt(denominator) * 2n;
        const exact = BigInt(amount) * BigInt(numerator) * 2n;
        const apart = rounded > exact ? rounded - exact : exact - rounded;
        assert.ok(apart <= BigInt(denominator));
      }),
    );
  });

  it('that is split adds up again, and no part is further than a unit from its share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 100 }), (amount, weights) => {
        const parts = allocate(amount, weights);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        assert.equal(parts.reduce((sum, part) => sum + part, 0), amount);
        if (total) parts.forEach((part, index) => assert.ok(Math.abs(part - (amount * weights[index]!) / total) <= 1 + 1e-3));
        if (total) parts.forEach((part, index) => assert.ok(weights[index] !== 0 || part === 0));
      }),
    );
    assert.deepEqual([allocate(10, [1, 1, 1]), allocate(10, [0, 0]), allocate(0, [3, 4]), allocate(5, [])], [[4, 3, 3], [10, 0], [0, 0], []]);
  });

  it('is an integer of a known currency', () => {
    assert.equal(checkAmount(9_007_199, 'price'), 9_007_199);
    for (const amount of [-1, 1.5, MAX_PRICE + 1, Infinity, NaN]) assert.throws(() => checkAmount(amount, 'price'), { code: 'INVALID_INPUT' });
    assert.equal(checkCurrency('CHF', 'currency'), 'CHF');
    for (const currency of ['chf', 'XYZ', '']) assert.throws(() => checkCurrency(currency, 'currency'), { code: 'INVALID_INPUT' });
  });
});
