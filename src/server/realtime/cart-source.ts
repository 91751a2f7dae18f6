import type { Sql } from '../../db/database.js';
import { cartStream, chatStream, parseStream } from '../../events/catalogue.js';
import { decodeCursor, type Cursor } from '../../events/cursor.js';
import { DomainError } from '../../lib/errors.js';
import { decodeId } from '../../lib/ids.js';
import { assertSeesCart } from '../../policies/cart-policy.js';
import { readCartAccess } from '../../services/loaders/carts.js';
import type { Attachment, ResetReason, ResyncReason } from './attachment.js';
import type { Channel } from './channel.js';
import type { Channels } from './channels.js';
import { accessRevoked, endUnavailable, RESYNC, writeResync } from './chat-source.js';
import type { Source, Subscriber } from './subscriptions.js';

/** `cartEvents`: a cart's stream, for whoever made it and for the members of its chat, as long as they are. */
export class CartSource implements Source {
  constructor(
    private readonly channels: Channels,
    private readonly sql: Sql,
  ) {}

  async open(subscriber: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const cartId = decodeId('Cart', args['cartId'] as string, 'cartId');
    const stream = cartStream(cartId);
    const cursor = args['after'] == null ? null : decodeCursor(args['after'] as string);
    if (cursor && cursor.stream !== stream) throw new DomainError('INVALID_CURSOR', `This cursor is of another ${parseStream(cursor.stream).kind}’s stream.`, { field: 'after' });
    // Asked before a channel is made: nobody opens channels of carts that are not there.
    const chatId = await this.#chatToWatch(cartId, subscriber.viewer.userId);
    const watched = chatId === null ? [] : [chatStream(chatId)];
    const opened = await this.channels.open([stream, ...watched]);
    const [channel, chat] = [opened.get(stream)!, watched.length ? opened.get(watched[0]!)! : null];
    const release = () => {
      for (const one of opened.values()) this.channels.release(one);
    };
    try {
      const leave = await this.#follow(subscriber, cartId, channel, chat, cursor);
      return () => {
        leave();
        release();
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #follow(subscriber: Subscriber, cartId: string, channel: Channel, chat: Channel | null, cursor: Cursor | null): Promise<() => void> {
    // Both before the membership is asked for again: a leaving that the answer doesn't tell of comes behind these places.
    const [live, chatLive] = [channel.delivered, chat?.delivered ?? 0];
    const misfit = cursor && (await channel.misfit(cursor));
    await this.#chatToWatch(cartId, subscriber.viewer.userId);
    const attachment = this.#attachment(subscriber, channel);
    const guard = this.#guard(subscriber, () => leave());
    const leave = () => {
      channel.detach(attachment);
      chat?.detach(guard);
    };
    try {
      const watching = chat ? await chat.attach(guard, chatLive) : 'live';
      // Nothing would tell of the viewer's leaving: they come back in a moment.
      if (watching !== 'live' && watching !== 'closed') endUnavailable(subscriber.sink);
      else if (misfit) await this.#resync(subscriber, channel, misfit);
      else {
        const result = await channel.attach(attachment, cursor?.pos ?? live);
        if (result !== 'live' && result !== 'closed') await this.#resync(subscriber, channel, result);
      }
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** The chat by which the person sees the cart; null for whoever made it, who sees it anyway. Throws NOT_FOUND. */
  async #chatToWatch(cartId: string, userId: string): Promise<string | null> {
    const access = await readCartAccess(this.sql, cartId, userId);
    assertSeesCart(access, userId);
    return access.cart.ownerId === userId ? null : access.cart.chatId;
  }

  #attachment(subscriber: Subscriber, channel: Channel): Attachment {
    const { sink, group, viewer } = subscriber;
    return { sink, group, viewerId: viewer.userId, visibleFrom: 0, isLast: () => false, onRevoked: () => undefined, onReset: (reason) => this.#reset(subscriber, channel, reason) };
  }

  /** Hears of nothing in the chat, and of the viewer's leaving it. */
  #guard({ sink, group, viewer }: Subscriber, leave: () => void): Attachment {
    const revoke = () => {
      leave();
      sink.error([accessRevoked()]);
    };
    return {
      sink, group, viewerId: viewer.userId, visibleFrom: Number.MAX_SAFE_INTEGER,
      hears: (event) => {
        if (event?.ref.kind === 'member.left' && event.ref.userId === viewer.userId) setImmediate(revoke); // not while the channel is at its list
        return false;
      },
      onRevoked: revoke,
      onReset: () => endUnavailable(sink),
    };
  }

  #reset(subscriber: Subscriber, channel: Channel, reason: ResetReason): void {
    if (reason === 'unavailable') return endUnavailable(subscriber.sink);
    this.#resync(subscriber, channel, RESYNC[reason]).catch(() => endUnavailable(subscriber.sink));
  }

  async #resync(subscriber: Subscriber, channel: Channel, reason: ResyncReason): Promise<void> {
    await writeResync(subscriber, channel.stream, channel.tail!.epoch, channel.tail!.head, reason);
    subscriber.sink.complete();
  }
}
