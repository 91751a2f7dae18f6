import type { Sql } from '../../db/database.js';
import { newsStream } from '../../events/catalogue.js';
import { decodeCursor } from '../../events/cursor.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { decodeId } from '../../lib/ids.js';
import type { Attachment, ResyncReason } from './attachment.js';
import type { Channel } from './channel.js';
import { endUnavailable, RESYNC, writeResync } from './chat-source.js';
import type { Channels } from './channels.js';
import type { Source, Subscriber } from './subscriptions.js';

const MAX_SOURCES = 50;

/** `newsPublished`: what sections publish, each a stream of its own that is resumed as a chat's is. */
export class NewsSource implements Source {
  constructor(
    private readonly channels: Channels,
    private readonly sql: Sql,
    private readonly onError: (error: unknown, stream: string) => void,
  ) {}

  async open(subscriber: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const ids = [...new Set((args['sourceIds'] as string[]).map((id) => decodeId('NewsSource', id, 'sourceIds')))];
    if (!ids.length || ids.length > MAX_SOURCES) throw invalidInput('sourceIds', `sourceIds holds 1 to ${MAX_SOURCES} ids.`);
    const streams = ids.map(newsStream);
    const cursors = new Map(((args['after'] as string[] | null | undefined) ?? []).map((text) => decodeCursor(text)).map((cursor) => [cursor.stream, cursor]));
    for (const stream of cursors.keys()) if (!streams.includes(stream)) throw new DomainError('INVALID_CURSOR', 'This cursor is of a stream that is not asked for.', { field: 'after' });
    const known = await this.sql('select from news_sources where id = any($1)', [ids]);
    if (known.length < ids.length) throw notFound('news source');
    const channels = [...(await this.channels.open(streams)).values()];
    const attached = new Map<Channel, Attachment>();
    const leave = (channel: Channel) => {
      const attachment = attached.get(channel);
      if (!attachment) return;
      attached.delete(channel);
      channel.detach(attachment);
      this.channels.release(channel);
    };
    const end = () => channels.forEach(leave);
    /** Of this section nothing follows; the others go on. */
    const resync = async (channel: Channel, reason: ResyncReason) => {
      leave(channel);
      await writeResync(subscriber, channel.stream, channel.tail!.epoch, channel.tail!.head, reason);
    };
    for (const channel of channels) attached.set(channel, this.#attachment(subscriber, channel, resync));
    try {
      await Promise.all(
        channels.map(async (channel) => {
          const cursor = cursors.get(channel.stream);
          const misfit = cursor && (await channel.misfit(cursor));
          const result = misfit ? misfit : await channel.attach(attached.get(channel)!, cursor?.pos ?? channel.delivered);
          if (result !== 'live' && result !== 'closed') await resync(channel, result);
        }),
      );
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  #attachment({ sink, group, viewer }: Subscriber, channel: Channel, resync: (channel: Channel, reason: ResyncReason) => Promise<void>): Attachment {
    return {
      sink,
      group,
      viewerId: viewer.userId,
      visibleFrom: 0,
      onRevoked: () => undefined, // nobody is shut out of news
      onReset: (reason) => {
        if (reason === 'unavailable') return endUnavailable(sink);
        resync(channel, RESYNC[reason]).catch((error: unknown) => {
          this.onError(error, channel.stream);
          endUnavailable(sink);
        });
      },
    };
  }
}
