import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { safetyNumber, spaced } from './safety-number.js';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const ann = { userId: 'usr_ann', signatureKeys: [key(1), key(2)] };
const bob = { userId: 'usr_bob', signatureKeys: [key(3)] };

describe('safety numbers', () => {
  it('are the same for both, whatever the order of devices', async () => {
    const number = await safetyNumber(ann, bob);
    assert.match(number, /^\d{60}$/);
    assert.equal(await safetyNumber(bob, { ...ann, signatureKeys: [key(2), key(1)] }), number);
    assert.match(spaced(number), /^(\d{5} ){11}\d{5}$/);
  });

  it('are others with another key, a device more, or somebody else', async () => {
    const number = await safetyNumber(ann, bob);
    for (const other of [{ ...bob, signatureKeys: [key(4)] }, { ...bob, signatureKeys: [key(3), key(4)] }, { ...bob, userId: 'usr_bobby' }]) assert.notEqual(await safetyNumber(ann, other), number);
  });

  it('are what the formula says, computed another way', async () => {
    const half = (userId: string, keys: Uint8Array[]): string => {
      let hash = Buffer.concat([Buffer.from([0, 0]), ...keys, Buffer.from(userId)]);
      for (let round = 0; round < 5_200; round++) hash = createHash('sha512').update(hash).update(Buffer.concat(keys)).digest();
      return Array.from({ length: 6 }, (_, chunk) => (BigInt(`0x${hash.subarray(chunk * 5, chunk * 5 + 5).toString('hex')}`) % 100_000n).toString().padStart(5, '0')).join('');
    };
    const halves = [half('usr_ann', [key(1), key(2)]), half('usr_bob', [key(3)])].sort();
    assert.equal(await safetyNumber(ann, bob), halves.join(''));
  });
});
