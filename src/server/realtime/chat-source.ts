import { chatStream, parseStream } from '../../events/catalogue.js';
import { decodeCursor, type Cursor } from '../../events/cursor.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { decodeId } from '../../lib/ids.js';
import { DeliveredEvent } from '../../services/chat-events.js';
import { chatMember } from '../../services/loaders/chats.js';
import type { LoaderScope } from '../../db/loaders.js';
import type { Attachment, Channel, ResetReason } from './channel.js';
import type { Channels } from './channels.js';
import type { Source, Subscriber } from './subscriptions.js';
import type { Sink } from './sink.js';

/** Why a subscription can't be continued from its cursor, as the schema's ResyncReason says it. */
export type ResyncReason = 'EXPIRED' | 'EPOCH_CHANGED' | 'TOO_FAR_BEHIND' | 'AHEAD';

/** Writes ResyncRequired, in the subscription's own shape. */
export async function writeResync({ sink, group }: Pick<Subscriber, 'sink' | 'group'>, stream: string, epoch: string, pos: number, reason: ResyncReason): Promise<void> {
  const bytes = await group.render(new DeliveredEvent('ResyncRequired', stream, epoch, pos, new Date(), { reason }), 0);
  if (!sink.closed) sink.next(bytes);
}

/** Whether a cursor fits a stream as it stands; null when it does. */
export function unfit(cursor: Cursor, channel: Channel): ResyncReason | null {
  if (cursor.epoch !== channel.tail!.epoch) return 'EPOCH_CHANGED';
  return cursor.pos > channel.tail!.head ? 'AHEAD' : null;
}

export const accessRevoked = () => ({ message: 'You are no longer in this chat.', extensions: { code: 'ACCESS_REVOKED' } });
export const streamUnavailable = () => ({ message: 'The stream could not be read: resume from the last cursor.', extensions: { code: 'UNAVAILABLE', retryAfter: 1 } });

/** `chatEvents`: one chat's stream, for its members. */
export class ChatSource implements Source {
  constructor(
    private readonly channels: Channels,
    private readonly scope: () => LoaderScope,
  ) {}

  async open(subscriber: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const chatId = decodeId('Chat', args['chatId'] as string, 'chatId');
    const stream = chatStream(chatId);
    const cursor = args['after'] == null ? null : decodeCursor(args['after'] as string);
    if (cursor && cursor.stream !== stream) {
      throw new DomainError('INVALID_CURSOR', `This cursor is of another ${parseStream(cursor.stream).kind}’s stream.`, { field: 'after' });
    }
    const { sink, group, viewer } = subscriber;
    const channel = (await this.channels.open([stream])).get(stream)!;
    try {
      // Asked after the channel stands: a removal from here on comes along the channel.
      const member = await this.scope().load(chatMember, { chatId, userId: viewer.userId });
      if (!member) throw notFound('chat');
      const attachment: Attachment = {
        sink,
        group,
        viewerId: viewer.userId,
        visibleFrom: member.visibleFromSeq,
        onRevoked: () => sink.error([accessRevoked()]),
        onReset: (reason: ResetReason) => void this.#reset(subscriber, channel, reason),
      };
      const misfit = cursor && unfit(cursor, channel);
      if (misfit) {
        await this.#resync(subscriber, channel, misfit);
      } else {
        const from = Math.max(cursor?.pos ?? channel.delivered, member.visibleFromPos);
        const result = await channel.attach(attachment, from);
        if (result === 'expired') await this.#resync(subscriber, channel, 'EXPIRED');
        if (result === 'too-far') await this.#resync(subscriber, channel, 'TOO_FAR_BEHIND');
      }
      return () => {
        channel.detach(attachment);
        this.channels.release(stream);
      };
    } catch (error) {
      this.channels.release(stream);
      throw error;
    }
  }

  async #reset(subscriber: Subscriber, channel: Channel, reason: ResetReason): Promise<void> {
    if (reason === 'epoch') await this.#resync(subscriber, channel, 'EPOCH_CHANGED');
    else endUnavailable(subscriber.sink);
  }

  async #resync(subscriber: Subscriber, channel: Channel, reason: ResyncReason): Promise<void> {
    await writeResync(subscriber, channel.stream, channel.tail!.epoch, channel.tail!.head, reason);
    subscriber.sink.complete();
  }
}

export const endUnavailable = (sink: Sink): void => sink.error([streamUnavailable()]);
