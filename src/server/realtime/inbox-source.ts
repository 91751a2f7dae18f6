import type { Sql } from '../../db/database.js';
import { chatStream, parseStream, userStream, type LoggedEvent } from '../../events/catalogue.js';
import { decodeCursor, encodeCursor, type Cursor } from '../../events/cursor.js';
import { DomainError } from '../../lib/errors.js';
import { DeliveredEvent } from '../../services/chat-events.js';
import type { Attachment, Channel } from './channel.js';
import { endUnavailable, unfit, writeResync, type ResyncReason } from './chat-source.js';
import type { Channels } from './channels.js';
import type { Source, Subscriber } from './subscriptions.js';

const MAX_CURSORS = 5_000;

interface Membership {
  chat_id: string;
  visible_from_seq: number;
  pos: string;
}

/** `inboxEvents`: the viewer's own stream, and that of every chat they are in, as it changes. */
export class InboxSource implements Source {
  constructor(
    private readonly channels: Channels,
    private readonly sql: Sql,
    private readonly onError: (error: unknown, stream: string) => void,
  ) {}

  async open(subscriber: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const given = (args['after'] as string[] | null | undefined) ?? [];
    if (given.length > MAX_CURSORS) throw new DomainError('INVALID_INPUT', `after holds more than ${MAX_CURSORS} cursors.`, { field: 'after' });
    const cursors = new Map(given.map((text) => decodeCursor(text)).map((cursor) => [cursor.stream, cursor]));
    const own = userStream(subscriber.viewer.userId);
    for (const stream of cursors.keys()) {
      if (parseStream(stream).kind === 'user' && stream !== own) throw new DomainError('INVALID_CURSOR', 'This cursor is of somebody else’s stream.', { field: 'after' });
    }
    const inbox = new Inbox(subscriber, own, this.channels, this.sql, this.onError);
    try {
      await inbox.start(cursors);
    } catch (error) {
      inbox.close();
      throw error;
    }
    return () => inbox.close();
  }
}

class Inbox {
  readonly #attached = new Map<string, { channel: Channel; attachment: Attachment | null }>();
  #closed = false;

  constructor(
    private readonly subscriber: Subscriber,
    private readonly own: string,
    private readonly channels: Channels,
    private readonly sql: Sql,
    private readonly onError: (error: unknown, stream: string) => void,
  ) {}

  async start(cursors: Map<string, Cursor>): Promise<void> {
    // The own stream stands first: a chat that is joined from here on is told by it.
    const own = await this.#open([this.own]);
    const memberships = await this.#memberships(null);
    const streams = memberships.map((row) => chatStream(row.chat_id));
    const chats = await this.#open(streams);
    // Read again now that the channels stand: a removal from here on comes along them.
    const still = new Map((await this.#memberships(memberships.map((row) => row.chat_id))).map((row) => [chatStream(row.chat_id), row]));
    for (const stream of streams) if (!still.has(stream)) this.#leave(stream);
    const ownChannel = own.get(this.own)!;
    const ownCursor = cursors.get(this.own) ?? null;
    // A chat that was joined while the client was away has no cursor, and is replayed from the joining.
    const joinedSince = ownCursor ? await this.#joinedSince(ownCursor) : new Set<string>();
    const liveOnly = [ownChannel, ...[...still.keys()].map((stream) => chats.get(stream)!)].filter((channel) => !cursors.has(channel.stream) && !joinedSince.has(channel.stream));
    await this.#checkpoint(liveOnly);
    await this.#join(ownChannel, null, ownCursor, ownChannel.delivered);
    for (const [stream, row] of still) {
      const channel = chats.get(stream)!;
      await this.#join(channel, row, cursors.get(stream) ?? null, joinedSince.has(stream) ? 0 : channel.delivered);
    }
  }

  close(): void {
    this.#closed = true;
    for (const stream of [...this.#attached.keys()]) this.#leave(stream);
  }

  async #open(streams: string[]): Promise<Map<string, Channel>> {
    const channels = await this.channels.open(streams);
    for (const [stream, channel] of channels) {
      if (this.#closed || this.#attached.has(stream)) this.channels.release(stream);
      else this.#attached.set(stream, { channel, attachment: null });
    }
    return channels;
  }

  #memberships(chatIds: string[] | null): Promise<Membership[]> {
    const { userId } = this.subscriber.viewer;
    return this.sql<Membership>(
      'select chat_id, visible_from_seq, visible_from_pos as pos from chat_members where user_id = $1 and ($2::uuid[] is null or chat_id = any($2)) order by chat_id',
      [userId, chatIds],
    );
  }

  async #joinedSince(cursor: Cursor): Promise<Set<string>> {
    const rows = await this.sql<{ chat_id: string }>(`select distinct ref->>'chatId' as chat_id from events where stream = $1 and pos > $2 and kind = 'chat.added'`, [this.own, cursor.pos]);
    return new Set(rows.map((row) => chatStream(row.chat_id)));
  }

  async #checkpoint(channels: Channel[]): Promise<void> {
    if (!channels.length) return;
    const { sink, group } = this.subscriber;
    const own = this.#attached.get(this.own)!.channel;
    const cursors = channels.map((channel) => encodeCursor(channel.stream, channel.tail!.epoch, channel.delivered));
    const bytes = await group.render(new DeliveredEvent('InboxCheckpoint', this.own, own.tail!.epoch, own.delivered, new Date(), { cursors }), 0);
    if (!sink.closed) sink.next(bytes);
  }

  /** Replays and follows one stream; `live` is where it is joined when there is no cursor. */
  async #join(channel: Channel, membership: Membership | null, cursor: Cursor | null, live: number): Promise<void> {
    const { subscriber } = this;
    const entry = this.#attached.get(channel.stream);
    if (!entry || entry.attachment) return;
    const attachment: Attachment = {
      sink: subscriber.sink,
      group: subscriber.group,
      viewerId: subscriber.viewer.userId,
      visibleFrom: membership?.visible_from_seq ?? 0,
      onRevoked: () => {
        this.#leave(channel.stream);
        // Who was removed and added again at once may have heard of the second before the first.
        this.#followSoon(parseStream(channel.stream).id);
      },
      onReset: (reason) => {
        if (reason === 'unavailable') return endUnavailable(subscriber.sink);
        void this.#resync(channel, 'EPOCH_CHANGED').catch((error: unknown) => this.onError(error, channel.stream));
      },
      ...(membership ? {} : { onDelivered: (event: LoggedEvent) => this.#onOwnEvent(event) }),
    };
    entry.attachment = attachment;
    const misfit = cursor && unfit(cursor, channel);
    if (misfit) return this.#resync(channel, misfit);
    const from = Math.max(cursor?.pos ?? live, Number(membership?.pos ?? 0));
    const result = await channel.attach(attachment, from);
    if (result === 'expired') await this.#resync(channel, 'EXPIRED');
    if (result === 'too-far') await this.#resync(channel, 'TOO_FAR_BEHIND');
  }

  /** Of this stream nothing follows; the others go on. */
  async #resync(channel: Channel, reason: ResyncReason): Promise<void> {
    this.#leave(channel.stream);
    await writeResync(this.subscriber, channel.stream, channel.tail!.epoch, channel.tail!.head, reason);
    if (channel.stream === this.own) this.subscriber.sink.complete();
  }

  #onOwnEvent({ ref }: LoggedEvent): void {
    if (ref.kind === 'chat.added') this.#followSoon(ref.chatId);
    // A removal has come along the chat's own stream already, unless that was being replayed.
    if (ref.kind === 'chat.removed') void this.#reconsider(ref.chatId).catch((error: unknown) => this.#failed(error, ref.chatId));
  }

  #followSoon(chatId: string): void {
    void this.#follow(chatId).catch((error: unknown) => this.#failed(error, chatId));
  }

  async #follow(chatId: string): Promise<void> {
    const stream = chatStream(chatId);
    if (this.#closed || this.#attached.has(stream)) return;
    const channel = (await this.#open([stream])).get(stream)!;
    const [membership] = await this.#memberships([chatId]);
    if (this.#closed || !membership) return this.#leave(stream);
    await this.#join(channel, membership, null, 0);
  }

  async #reconsider(chatId: string): Promise<void> {
    const [membership] = await this.#memberships([chatId]);
    if (!membership) this.#leave(chatStream(chatId));
  }

  #failed(error: unknown, chatId: string): void {
    this.onError(error, chatStream(chatId));
    endUnavailable(this.subscriber.sink);
  }

  #leave(stream: string): void {
    const entry = this.#attached.get(stream);
    if (!entry) return;
    this.#attached.delete(stream);
    if (entry.attachment) entry.channel.detach(entry.attachment);
    this.channels.release(stream);
  }
}
