import assert from 'node:assert/strict';
import fc from 'fast-check';
import { retryAfterMs } from './contract.js';

describe('Retry-After of a push service', () => {
  const now = new Date('2026-05-01T12:00:00Z');

  it('is seconds, or a date', () => {
    assert.deepEqual(['120', ' 5 ', now.toUTCString(), 'Fri, 01 May 2026 12:01:00 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', undefined, ''].map((header) => retryAfterMs(header, now)), [120_000, 5_000, 0, 60_000, 0, null, null]);
  });

  it('is nothing, or at most a day, whatever it says', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String), fc.date().map(String)), (header) => {
        const wait = retryAfterMs(header, now);
        assert.ok(wait === null || (wait >= 0 && wait <= 86_400_000));
      }),
      { numRuns: 500 },
    ));
});
