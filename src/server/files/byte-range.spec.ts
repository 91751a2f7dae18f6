import assert from 'node:assert/strict';
import fc from 'fast-check';
import { byteRange } from './byte-range.js';

describe('the bytes that a Range header asks for', () => {
  it('from, to, the last ones', () => {
    assert.deepEqual(byteRange('bytes=0-', 10), { start: 0, end: 9 });
    assert.deepEqual(byteRange('bytes=3-5', 10), { start: 3, end: 5 });
    assert.deepEqual(byteRange('bytes=3-500', 10), { start: 3, end: 9 });
    assert.deepEqual(byteRange('bytes=-4', 10), { start: 6, end: 9 });
    assert.deepEqual(byteRange('bytes=-40', 10), { start: 0, end: 9 });
  });

  it('behind the end there is nothing; what is not understood asks for all', () => {
    for (const header of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) assert.equal(byteRange(header, 10), 'unsatisfiable', header);
    for (const header of [undefined, '', 'bytes=-', 'bytes=5-3', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b', 'bytes=1e3-']) assert.equal(byteRange(header, 10), null, header);
  });

  it('whatever is asked, what is answered lies within', () => {
    const number = fc.option(fc.nat(2_000), { nil: '' });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 1_000 }), (from, to, bytes) => {
        const range = byteRange(`bytes=${from}-${to}`, bytes);
        if (range && range !== 'unsatisfiable') assert.ok(range.start >= 0 && range.start <= range.end && range.end < bytes);
      }),
    );
  });
});
