import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkBatch } from '../src/services/documents/browsing.js';
import { batchesOf, BatchReader, countOfBatch, FULL_SNAPSHOT, META, type BrowsingEvent, type WaitingEvent } from './browsing-batches.js';
import { toBase64 } from './bytes.js';
import { OmniTalkError } from './errors.js';

const INCREMENTAL = 3;
const waiting = (event: BrowsingEvent): WaitingEvent => ({ type: event.type, timestamp: event.timestamp, text: JSON.stringify(event) });
/** What packing does not make smaller. */
const noise = (bytes: number): string => {
  let text = '';
  while (text.length < bytes) text += toBase64(crypto.getRandomValues(new Uint8Array(Math.min(49_152, bytes - text.length))));
  return text;
};
/** Sends all that waits, as a presenter does, and reads it as somebody who looks on. */
async function through(events: BrowsingEvent[], reader = new BatchReader()): Promise<{ read: BrowsingEvent[]; snapshots: boolean[]; sizes: number[] }> {
  const left = events.map(waiting);
  const [read, snapshots, sizes]: [BrowsingEvent[], boolean[], number[]] = [[], [], []];
  while (left.length) {
    for (const batch of await batchesOf(left.splice(0, countOfBatch(left)))) {
      snapshots.push((await checkBatch(Buffer.from(batch))).hasSnapshot);
      sizes.push(batch.length);
      read.push(...(await reader.read(toBase64(batch))));
    }
  }
  return { read, snapshots, sizes };
}
const untimed = (events: BrowsingEvent[]) => events.map(({ type, data }) => ({ type, data }));

describe('batches of co-browsing', function () {
  this.timeout(120_000);
  it('bring what was sent, in order, in batches that the server takes', async () => {
    const event = fc.record({ type: fc.constantFrom(META, FULL_SNAPSHOT, INCREMENTAL), timestamp: fc.integer({ min: 0, max: 2 ** 41 }), data: fc.string({ unit: 'grapheme' }) });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 60 }), async (events) => {
        assert.deepEqual(untimed((await through(events)).read), untimed(events));
      }),
      { numRuns: 30 },
    );
  });

  it('hold at most as many events, and as much, as the server takes', async () => {
    const many = [...Array(4_500)].map((_, timestamp) => ({ type: INCREMENTAL, timestamp, data: {} }));
    assert.equal((await through(many)).sizes.length, 3);
    const wide = [...Array(5)].map((_, timestamp) => ({ type: INCREMENTAL, timestamp, data: { text: '漢'.repeat(900_000) } }));
    assert.deepEqual(untimed((await through(wide)).read), untimed(wide));
    const huge = [{ type: FULL_SNAPSHOT, timestamp: 1, data: { text: 'x'.repeat(12 * 1024 * 1024) } }];
    assert.deepEqual(untimed((await through(huge)).read), untimed(huge));
  });

  it('begin with what comes before a full snapshot, so that whoever begins there has both', async () => {
    const events = [INCREMENTAL, META, FULL_SNAPSHOT, INCREMENTAL, META, FULL_SNAPSHOT].map((type, timestamp) => ({ type, timestamp, data: noise(1_100_000) }));
    const { read, snapshots, sizes } = await through(events);
    assert.deepEqual(untimed(read), untimed(events));
    // 0.8 MiB packed of one and 1.6 MiB of two: in pieces, of which the first alone tells of the snapshot.
    assert.deepEqual(snapshots.flatMap((is, index) => (is ? [index] : [])).length, 2);
    assert.ok(sizes.length > 8 && sizes.every((size) => size <= 512 * 1024), sizes.join());
  });

  it('in pieces: whoever has not had the first waits for the next batch, and what is left of one that was broken off is forgotten', async () => {
    const large = (text: string) => [waiting({ type: FULL_SNAPSHOT, timestamp: 1, data: text + noise(1_000_000) })];
    const [first, second] = [await batchesOf(large('first')), await batchesOf(large('second'))];
    assert.ok(first.length >= 3);
    const reader = new BatchReader();
    for (const batch of [...first.slice(1), ...first.slice(0, 2), ...second.slice(0, -1)]) assert.deepEqual(await reader.read(toBase64(batch)), []);
    const [event] = await reader.read(toBase64(second.at(-1)!));
    assert.match(event!.data as string, /^second/);
    await reader.read(toBase64(first[0]!));
    assert.equal((await through([{ type: INCREMENTAL, timestamp: 1 }], reader)).read.length, 1);
    assert.deepEqual(await reader.read(toBase64(first[1]!)), []);
  });

  it('are refused when they are too large, to send and to read', async () => {
    const tooLarge = (error: unknown) => error instanceof OmniTalkError && error.code === 'TOO_LARGE';
    await assert.rejects(batchesOf([waiting({ type: FULL_SNAPSHOT, timestamp: 1, data: noise(3_500_000) })]), tooLarge);
    await assert.rejects(batchesOf([waiting({ type: FULL_SNAPSHOT, timestamp: 1, data: 'x'.repeat(33 * 1024 * 1024) })]), tooLarge);
    const reader = new BatchReader();
    const piece = (index: number) => toBase64(new TextEncoder().encode(JSON.stringify([{ type: 5, timestamp: 1, piece: { index, of: 1_000, bytes: toBase64(new Uint8Array(360 * 1024)) } }])));
    for (let index = 0; index < 6; index++) assert.deepEqual(await reader.read(piece(index)), []);
    await assert.rejects(reader.read(piece(6)), tooLarge);
  });

  it('have times by the reader’s clock: in order, from when it began on, never later than now', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.array(fc.array(fc.nat(5_000), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 10 }), async (skew, batches) => {
        const began = Date.now();
        const reader = new BatchReader();
        let time = Date.now() + skew;
        let last = began;
        for (const gaps of batches) {
          const events = gaps.map((gap) => ({ type: INCREMENTAL, timestamp: (time += gap) }));
          for (const { timestamp } of (await through(events, reader)).read) {
            assert.ok(timestamp >= last && timestamp <= Date.now(), `${timestamp} after ${last}`);
            last = timestamp;
          }
          assert.ok(last >= Date.now() - 1_000, `${Date.now() - last} ms late`);
        }
      }),
      { numRuns: 50 },
    );
  });
});
