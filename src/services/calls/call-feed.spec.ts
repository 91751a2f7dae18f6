import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { FakeMedia } from '../../../test/testkit/fake-media.js';
import { eventually } from '../../../test/testkit/world.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { LocalBus } from '../../events/bus.js';
import { createLogger } from '../../lib/logger.js';
import { CallFeed } from './call-feed.js';

describe('what media tells while PostgreSQL is away', () => {
  const feedWith = (media: FakeMedia, mediaLost: () => Promise<void>, unitOfWork: Pick<UnitOfWork, 'run'> = {} as never): CallFeed =>
    new CallFeed(media, new LocalBus(), unitOfWork as UnitOfWork, { mediaLost, parted: mediaLost } as never, { id: randomUUID(), shareNone: async () => undefined }, createLogger('silent'));

  for (const [kind, event] of [['roomReset', { roomId: 'call' }], ['nodeUnreachable', { roomId: 'call', node: 'other' }]] as const) {
    it(`is written once it is back: ${kind}`, async () => {
      const media = new FakeMedia();
      let tries = 0;
      const feed = feedWith(media, async () => {
        if (++tries < 3) throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
      });
      media.emit(kind, event as never);
      await eventually(() => tries === 3, 'it is written');
      await new Promise((resolve) => setTimeout(resolve, 700));
      assert.equal(tries, 3);
      feed.close();
    });
  }

  it('is written as it was said last: whether somebody is paused', async () => {
    const media = new FakeMedia();
    const written: unknown[] = [];
    let tries = 0;
    const sql = async (text: string, values: unknown[]) => {
      if (!text.startsWith('update call_producers')) return [];
      written.push(values[2]);
      return [{}];
    };
    const run = async (_options: unknown, work: (tx: unknown) => Promise<unknown>) => {
      if (++tries < 3) throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
      return work({ sql, append: () => undefined });
    };
    const feed = feedWith(media, async () => undefined, { run } as never);
    const told = { roomId: 'call', peerId: 'ann', producerId: 'microphone' };
    media.emit('producerPaused', { ...told, paused: true });
    await eventually(() => tries === 1, 'it could not be written');
    media.emit('producerPaused', { ...told, paused: false });
    await eventually(() => written.length === 1, 'it is written');
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual([written, tries], [[false], 3]);
    // And the next as any.
    media.emit('producerPaused', { ...told, paused: true });
    await eventually(() => written.length === 2, 'the next is written');
    assert.deepEqual(written, [false, true]);
    feed.close();
  });

  it('is tried no more once the process stops, and not where trying again is of no use', async () => {
    for (const [code, expected] of [['57P03', 1], ['42P01', 1]] as const) {
      const media = new FakeMedia();
      let tries = 0;
      const feed = feedWith(media, async () => {
        tries++;
        throw Object.assign(new Error('no'), { code });
      });
      media.emit('roomReset', { roomId: 'call' });
      if (code === '57P03') feed.close();
      await new Promise((resolve) => setTimeout(resolve, 700));
      assert.equal(tries, expected);
      feed.close();
    }
  });
});
