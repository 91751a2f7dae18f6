import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import { cleanTiers, priceShare, tierAt, type ShareTerms } from './group-buy-policy.js';

describe('group buys', () => {
  const rate = fc.record({ ratePpm: fc.integer({ min: 0, max: 300_000 }), included: fc.boolean() });
  const terms: fc.Arbitrary<ShareTerms> = fc.record({
    quantity: fc.integer({ min: 1, max: 999 }), taxClass: fc.constantFrom('standard', 'food'), shipping: fc.option(fc.integer({ min: 0, max: 10_000 })),
    taxes: fc.uniqueArray(fc.tuple(fc.constantFrom('standard', 'food', 'shipping'), rate), { selector: ([name]) => name }),
  });

  it('what is held is enough at every lower price', () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 1_000_000 }), (share, a, b) => {
        const [low, high] = [priceShare(share, Math.min(a, b)), priceShare(share, Math.max(a, b))];
        assert.ok(low.due <= high.due && low.due > 0);
        assert.equal(low.total, low.subtotal + low.shipping + low.taxAdded);
      }),
    );
  });

  it('more together cost less each, in order', () => {
    const tiers = cleanTiers([{ quantity: 3, price: 900 }, { quantity: 10, price: 800 }]);
    assert.deepEqual([0, 2, 3, 9, 10, 11].map((quantity) => tierAt(tiers, quantity)?.price ?? null), [null, null, 900, 900, 800, 800]);
    const wrong = [[], [{ quantity: 0, price: 1 }], [{ quantity: 1, price: 0 }], [{ quantity: 2, price: 5 }, { quantity: 2, price: 4 }], [{ quantity: 2, price: 5 }, { quantity: 3, price: 5 }], Array(11).fill({ quantity: 1, price: 1 })];
    for (const one of wrong) assert.throws(() => cleanTiers(one), (error) => error instanceof DomainError && error.code === 'INVALID_INPUT');
  });
});
