import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { inspect } from './inspect.js';

/** How formats begin whose heads are long to read: containers of containers, with lengths that a sender may choose. */
const HEADS = [
  '504b0304140000000800', '3026b2758e66cf11a6d900aa0062ce6c', '1a45dfa3', '4944330300', '89504e470d0a1a0a', 'ffd8ffe1', '0000001866747970', '52494646ffffffff57454250', '4f67675300020000', '49492a00080000', '4d4d002a00000008', 'd0cf11e0a1b11ae1', '25504446', '1f8b0800', 'fd377a585a00', '504b0102', '7b5c727466',
].map((hex) => Buffer.from(hex, 'hex'));

describe('what is uploaded', () => {
  it('is looked at to its end, whatever it pretends to be', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(...HEADS), fc.array(fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.constant(new Uint8Array(16)), fc.constant(new Uint8Array(8).fill(255)), fc.constantFrom(...HEADS)), { maxLength: 6 }), async (head, rest) => {
        const body = Buffer.concat([head, ...rest]);
        const found = await inspect(Readable.from([body], { objectMode: false }));
        assert.deepEqual([found.bytes, found.sha256], [body.length, createHash('sha256').update(body).digest('hex')]);
        assert.ok(found.contentType === null || /^[\w.+-]+\/[\w.+-]+$/.test(found.contentType), String(found.contentType));
      }),
      { numRuns: 500 },
    ));
});
