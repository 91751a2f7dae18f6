import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { Sha256 } from './sha256.js';

describe('SHA-256 piece by piece', () => {
  it('is what OpenSSL says, however it is cut', () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), (pieces) => {
        const hash = new Sha256();
        for (const piece of pieces) hash.update(piece);
        assert.equal(hash.hex(), createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
      }),
    );
  });

  it('around the edges of a block, and of the nothing', () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1_000_003]) {
      const data = Buffer.alloc(length, 0xa5);
      assert.equal(new Sha256().update(data).hex(), createHash('sha256').update(data).digest('hex'), String(length));
    }
  });
});
