import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { FakeMedia } from '../../../test/testkit/fake-media.js';
import { eventually } from '../../../test/testkit/world.js';
import { LocalBus } from '../../events/bus.js';
import { createLogger } from '../../lib/logger.js';
import { CallFeed } from './call-feed.js';

describe('what media tells while PostgreSQL is away', () => {
  const feedWith = (media: FakeMedia, mediaLost: () => Promise<void>): CallFeed =>
    new CallFeed(media, new LocalBus(), {} as never, { mediaLost, parted: mediaLost } as never, { id: randomUUID(), shareNone: async () => undefined }, createLogger('silent'));

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
