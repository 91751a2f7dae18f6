import assert from 'node:assert/strict';
import { groupOf, ListSink, offsetsOnly } from '../../../test/testkit/fake-groups.js';
import type { Sql } from '../../db/database.js';
import { cartStream, chatStream } from '../../events/catalogue.js';
import { encodeId } from '../../lib/ids.js';
import type { Attachment, ReplayResult } from './attachment.js';
import type { Channel } from './channel.js';
import type { Channels } from './channels.js';
import { CartSource } from './cart-source.js';

const [CART, CHAT, OWNER, VIEWER] = [1, 2, 3, 4].map((number) => `00000000-0000-4000-8000-00000000000${number}`) as [string, string, string, string];

/** A channel on which attaching comes to what is told. */
class FakeChannel {
  readonly delivered = 0;
  readonly attached = new Set<Attachment>();
  readonly tail = { epoch: 'epoch', head: 0 };

  constructor(
    readonly stream: string,
    private readonly result: ReplayResult,
  ) {}

  async attach(attachment: Attachment): Promise<ReplayResult> {
    if (this.result === 'live') this.attached.add(attachment);
    return this.result;
  }
  detach(attachment: Attachment): void {
    this.attached.delete(attachment);
  }
}

describe('CartSource', () => {
  /** What a subscriber is told, and whether they hear of the cart, when the chat is followed so. */
  async function follow(watching: ReplayResult): Promise<{ sink: ListSink; cart: FakeChannel; chat: FakeChannel; open: number; end: () => void }> {
    const [cart, chat] = [new FakeChannel(cartStream(CART), 'live'), new FakeChannel(chatStream(CHAT), watching)];
    const held = { open: 0 };
    const channels = {
      open: async (streams: readonly string[]) => {
        held.open += streams.length;
        return new Map([cart, chat].map((channel) => [channel.stream, channel as unknown as Channel]));
      },
      release: () => held.open--,
    };
    const sql = async () => [{ id: CART, ownerId: OWNER, chatId: CHAT, member: true }];
    const sink = new ListSink();
    const source = new CartSource(channels as unknown as Channels, sql as unknown as Sql);
    const subscriber = { viewer: { userId: VIEWER, sessionId: VIEWER, role: 'USER' as const }, request: { id: 'test', address: '' }, sink, group: groupOf(offsetsOnly) };
    const end = await source.open(subscriber, { cartId: encodeId('Cart', CART) });
    return { sink, cart, chat, get open() { return held.open; }, end };
  }

  it('tells of a cart as long as it hears of the viewer’s leaving the chat', async () => {
    const one = await follow('live');
    assert.deepEqual([one.sink.errors, one.cart.attached.size, one.chat.attached.size], [[], 1, 1]);
    one.end();
    assert.deepEqual([one.cart.attached.size, one.chat.attached.size, one.open], [0, 0, 0]);
  });

  for (const result of ['EXPIRED', 'UNREADABLE', 'TOO_FAR_BEHIND'] as const)
    it(`tells of nothing where the chat can’t be followed: ${result}`, async () => {
      const one = await follow(result);
      assert.deepEqual([one.sink.errors, one.cart.attached.size], [['UNAVAILABLE'], 0]);
      one.end();
      assert.equal(one.open, 0);
    });
});
