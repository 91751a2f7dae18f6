import { chatStream, parseStream } from '../../events/catalogue.js';
import { decodeCursor } from '../../events/cursor.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { decodeId } from '../../lib/ids.js';
import { DeliveredEvent } from '../../services/chat-events.js';
import { chatMember } from '../../services/loaders/chats.js';
import type { LoaderScope } from '../../db/loaders.js';
import type { Attachment, ResetReason, ResyncReason } from './attachment.js';
import type { Channel } from './channel.js';
import type { Channels } from './channels.js';
import type { Source, Subscriber } from './subscriptions.js';
import type { Sink } from './sink.js';

/** Writes ResyncRequired, in the subscription's own shape. */
export async function writeResync({ sink, group }: Pick<Subscriber, 'sink' | 'group'>, stream: string, epoch: string, pos: number, reason: ResyncReason): Promise<void> {
  const { bytes } = await group.render(new DeliveredEvent('ResyncRequired', stream, epoch, pos, new Date(), { reason }), 0);
  if (!sink.closed) sink.next(bytes);
}

export const accessRevoked = () => ({ message: 'You are no longer in this chat.', extensions: { code: 'ACCESS_REVOKED' } });
export const streamUnavailable = () => ({ message: 'The stream could not be read: resume from the last cursor.', extensions: { code: 'UNAVAILABLE', retryAfter: 1 } });

export const RESYNC = { epoch: 'EPOCH_CHANGED', unreadable: 'UNREADABLE' } as const satisfies Partial<Record<ResetReason, ResyncReason>>;

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
      // Both before the membership is asked for: a removal that the answer doesn't tell of comes behind this place.
      const live = channel.delivered;
      const misfit = cursor && (await channel.misfit(cursor));
      const member = await this.scope().load(chatMember, { chatId, userId: viewer.userId });
      if (!member) throw notFound('chat');
      const attachment: Attachment = {
        sink,
        group,
        viewerId: viewer.userId,
        visibleFrom: member.visibleFromSeq,
        onRevoked: () => sink.error([accessRevoked()]),
        onReset: (reason) => this.#reset(subscriber, channel, reason),
      };
      if (misfit) await this.#resync(subscriber, channel, misfit);
      // From before the viewer left and came back: what was seen then is not theirs any more.
      else if (cursor && cursor.pos < member.visibleFromPos) await this.#resync(subscriber, channel, 'EXPIRED');
      else {
        const result = await channel.attach(attachment, Math.max(cursor?.pos ?? live, member.visibleFromPos));
        if (result !== 'live' && result !== 'closed') await this.#resync(subscriber, channel, result);
      }
      return () => {
        channel.detach(attachment);
        this.channels.release(channel);
      };
    } catch (error) {
      this.channels.release(channel);
      throw error;
    }
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

export const endUnavailable = (sink: Sink): void => sink.error([streamUnavailable()]);
