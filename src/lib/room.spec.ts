import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Room } from './room.js';

describe('room that is shared', () => {
  it('is never taken beyond its size, and everybody comes in, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ part: fc.nat(14), turns: fc.nat(4), fails: fc.boolean() }), { maxLength: 30 }), async (works) => {
        const room = new Room(10);
        let taken = 0;
        const begun: number[] = [];
        const done = await Promise.allSettled(
          works.map(({ part, turns, fails }, index) =>
            room.within(part, async () => {
              taken += Math.min(part, 10);
              assert.ok(taken <= 10, `${taken} of 10`);
              begun.push(index);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              taken -= Math.min(part, 10);
              if (fails) throw new Error('as the test wants');
            }),
          ),
        );
        assert.deepEqual(done.map(({ status }) => status), works.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')));
        assert.deepEqual(begun, works.map((_, index) => index));
      }),
    );
  });
});
