import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OmniTalkError } from './errors.js';
import { EventStream } from './stream.js';

describe('an event stream', () => {
  it('hands on what has arrived, then what arrives, in order; then it is done', async () => {
    const stream = new EventStream<number>();
    stream.push(1);
    const reading = (async () => {
      const read: number[] = [];
      for await (const event of stream) read.push(event);
      return read;
    })();
    await Promise.resolve();
    stream.push(2);
    stream.push(3);
    stream.finish();
    assert.equal(stream.push(4), false);
    assert.deepEqual(await reading, [1, 2, 3]);
    assert.equal((await stream.next()).done, true);
  });

  it('throws its error after what had arrived before', async () => {
    const stream = new EventStream<number>();
    stream.push(1);
    stream.finish(new Error('broken'));
    stream.finish();
    assert.deepEqual(await stream.next(), { value: 1, done: false });
    await assert.rejects(stream.next(), /broken/);
    await assert.rejects(stream.next(), /broken/);
  });

  it('ends its source once, whoever ends it', async () => {
    for (const end of [(stream: EventStream<number>) => stream.close(), (stream: EventStream<number>) => void stream.return()]) {
      let ended = 0;
      const stream = new EventStream<number>();
      stream.onClose(() => ended++);
      end(stream);
      stream.close();
      assert.equal(ended, 1);
      assert.equal((await stream.next()).done, true);
    }
  });

  it('without a source that can wait, ends with TOO_SLOW at its limit, and keeps what it holds', async () => {
    let ended = 0;
    const stream = new EventStream<number>({ limit: 3 });
    stream.onClose(() => ended++);
    assert.deepEqual([1, 2, 3, 4].map((event) => stream.push(event)), [true, true, true, false]);
    assert.equal(ended, 1);
    for (const expected of [1, 2, 3]) assert.equal((await stream.next()).value, expected);
    await assert.rejects(stream.next(), (error) => error instanceof OmniTalkError && error.code === 'TOO_SLOW');
  });

  it('with one, loses nothing, repeats nothing, and never holds more than its limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(fc.boolean(), { maxLength: 200 }), async (limit, reads) => {
        // A source that goes on behind the last event that was taken, as the server does behind a cursor.
        let taken = 0;
        let flowing = true;
        let held = 0;
        const stream = new EventStream<number>({ limit, source: { pause: () => (flowing = false), resume: () => (flowing = true) } });
        const read: number[] = [];
        for (const reading of reads) {
          if (!reading) {
            if (flowing && stream.push(taken + 1)) {
              taken++;
              held++;
            }
          } else if (held) {
            read.push((await stream.next()).value as number);
            held--;
          }
          assert.ok(held <= limit);
        }
        while (held--) read.push((await stream.next()).value as number);
        assert.equal(flowing, true);
        assert.deepEqual(read, [...Array(taken).keys()].map((index) => index + 1));
      }),
      { numRuns: 200 },
    );
  });
});
