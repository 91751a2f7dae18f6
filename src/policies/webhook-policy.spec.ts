import assert from 'node:assert/strict';
import fc from 'fast-check';
import { endpointPauseMs, FAILING_FOR_MS, RETRY_PAUSES_MS, retryPauseMs, verdictOf } from './webhook-policy.js';

describe('the policy of webhooks', () => {
  it('tries for three days, later and later, and then no more', () => {
    for (const spread of [0, 1]) {
      const pauses = RETRY_PAUSES_MS.map((_, index) => retryPauseMs(index + 1, spread, null)!);
      assert.deepEqual(pauses, [...pauses].sort((a, b) => a - b));
      const whole = pauses.reduce((sum, pause) => sum + pause, 0);
      assert.ok(whole > FAILING_FOR_MS * 0.85 && whole < FAILING_FOR_MS * 1.15);
    }
    assert.equal(retryPauseMs(RETRY_PAUSES_MS.length + 1, 0.5, null), null);
  });

  it('waits for as long as it is asked to, and never for more than a day because of that', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: RETRY_PAUSES_MS.length }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 2 ** 31 }), (attempts, spread, asked) => {
        const [plain, kind] = [retryPauseMs(attempts, spread, null)!, retryPauseMs(attempts, spread, asked)!];
        assert.ok(kind >= plain && kind >= Math.min(asked, 86_400_000) && kind <= Math.max(plain, 86_400_000));
      }),
    ));

  it('leaves an endpoint that fails alone for five minutes at the most', () => {
    assert.deepEqual([0, 1, 2, 8, 9, 1_000].map(endpointPauseMs), [1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
  });

  it('takes 2xx for a yes, 410 for good-bye, and everything else for later', () => {
    assert.deepEqual([200, 204, 299, 301, 400, 404, 410, 429, 500].map(verdictOf), ['delivered', 'delivered', 'delivered', 'later', 'later', 'later', 'gone', 'later', 'later']);
  });
});
