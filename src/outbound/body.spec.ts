import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readBody } from './body.js';

const PACK: Readonly<Record<string, (bytes: Buffer) => Buffer>> = { gzip: (bytes) => gzipSync(bytes), deflate: (bytes) => deflateSync(bytes), br: (bytes) => brotliCompressSync(bytes), identity: (bytes) => bytes };
const MAX = 500;
const bytes = fc.uint8Array({ maxLength: 1_000 }).map((array) => Buffer.from(array));

describe('the body of an answer', () => {
  it('is what was sent, however it was packed, or its beginning, and never more than may be', () =>
    fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.constantFrom(...Object.keys(PACK)), { maxLength: 2 }), fc.constantFrom('fail', 'cut'), async (body, encodings, overflow) => {
        const packed = encodings.reduce<Buffer>((all, name) => PACK[name]!(all), body);
        const read = readBody(Readable.from([packed], { objectMode: false }), encodings.join(', '), { maxBytes: MAX, overflow });
        if (overflow === 'cut') assert.deepEqual(await read, { bytes: body.subarray(0, MAX), cut: body.length > MAX });
        else if (body.length > MAX || packed.length > MAX) await assert.rejects(read, { reason: 'TOO_LARGE' });
        else assert.deepEqual((await read).bytes, body);
      }),
      { numRuns: 200 },
    ));

  it('that is not packed as it says is an error, or bytes, within its bound', () =>
    fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.oneof(fc.constantFrom('gzip', 'x-gzip', 'deflate', 'br', 'identity', '', 'zstd', 'constructor', '__proto__'), fc.string()), { maxLength: 4 }), async (body, encodings) => {
        const read = await readBody(Readable.from([body], { objectMode: false }), encodings.join(','), { maxBytes: MAX, overflow: 'cut' }).catch((error: unknown) => error);
        assert.ok(read instanceof Error || (read as { bytes: Buffer }).bytes.length <= MAX);
      }),
      { numRuns: 300 },
    ));
});
