import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { DomainError } from '../../lib/errors.js';
import { checkBatch, MAX_BATCH_BYTES } from './browsing.js';

describe('a batch of what a page shows', () => {
  const refused = (error: unknown) => error instanceof DomainError && error.code === 'INVALID_INPUT';

  it('is taken as it is when every event has the shape of one, packed or not', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.record({ type: fc.nat(20), timestamp: fc.integer(), data: fc.jsonValue() }), { minLength: 1, maxLength: 10 }), fc.boolean(), async (events, packed) => {
        const json = Buffer.from(JSON.stringify(events));
        const bytes = packed ? gzipSync(json) : json;
        assert.deepEqual(await checkBatch(bytes), { bytes, hasSnapshot: events.some(({ type }) => type === 2) });
      }),
      { numRuns: 100 },
    ));

  it('is refused by code when it is anything else', () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array().map((array) => Buffer.from(array)), fc.uint8Array().map((array) => Buffer.concat([Buffer.from([0x1f, 0x8b]), array])), fc.json().map((text) => Buffer.from(text)), fc.json().map((text) => gzipSync(text))), async (bytes) => {
        await checkBatch(bytes).then(({ bytes: taken }) => assert.equal(taken, bytes), (error: unknown) => assert.ok(refused(error), String(error)));
      }),
      { numRuns: 300 },
    ));

  it('that unpacks to more than may be is refused before it stands in memory', () => assert.rejects(checkBatch(gzipSync(Buffer.alloc(MAX_BATCH_BYTES + 1, ' '))), refused));
});
