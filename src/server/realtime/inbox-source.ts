import type { Sql } from '../../db/database.js';
import { chatStream, parseStream, userStream, type LoggedEvent } from '../../events/catalogue.js';
import { decodeCursor, encodeCursor, type Cursor } from '../../events/cursor.js';
import { DomainError } from '../../lib/errors.js';
import { DeliveredEvent } from '../../services/chat-events.js';
import type { Attachment, ResyncReason } from './attachment.js';
import type { Channel } from './channel.js';
import { endUnavailable, RESYNC, writeResync } from './chat-source.js';
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
  /** Chats whose membership is being looked at; true when it has changed again since. */
  readonly #looking = new Map<string, boolean>();
  #closed = false;

  constructor(
    private readonly subscriber: Subscriber,
    private readonly own: string,
    private readonly channels: Channels,
    private readonly sql: Sql,
    private readonly onError: (error: unknown, stream: string) => void,
  ) {}

  async start(cursors: Map<string, Cursor>): Promise<void> {
    // The own stream stands first, and is followed from here: it tells of every chat that is joined or left from now on.
    const own = (await this.#open([this.own])).get(this.own)!;
    const places = new Map([[this.own, own.delivered]]);
    const memberships = await this.#memberships(null);
    const chats = await this.#open(memberships.map((row) => chatStream(row.chat_id)));
    for (const [stream, channel] of chats) places.set(stream, channel.delivered);
    // Read again now that the channels stand: a removal that this doesn't tell of comes along them.
    const still = new Map((await this.#memberships(memberships.map((row) => row.chat_id))).map((row) => [chatStream(row.chat_id), row]));
    for (const stream of chats.keys()) if (!still.has(stream)) this.#leave(stream);
    // A chat that was joined while the client was away has no cursor, or one from an earlier stay: it is replayed from the joining.
    const ownCursor = cursors.get(this.own);
    const joinedSince = ownCursor ? await this.#joinedSince(ownCursor) : new Set<string>();
    const followed = [own, ...[...still.keys()].map((stream) => chats.get(stream)!)];
    await this.#checkpoint(own, followed.filter(({ stream }) => !cursors.has(stream) && !joinedSince.has(stream)), places);
    for (const channel of followed) {
      const { stream } = channel;
      const row = still.get(stream) ?? null;
      const cursor = cursors.get(stream);
      if (cursor && row && cursor.pos < Number(row.pos) && !joinedSince.has(stream)) await this.#resync(channel, 'EXPIRED');
      else await this.#join(channel, row, cursor ?? null, joinedSince.has(stream) ? 0 : places.get(stream)!);
    }
  }

  close(): void {
    this.#closed = true;
    for (const stream of [...this.#attached.keys()]) this.#leave(stream);
  }

  async #open(streams: string[]): Promise<Map<string, Channel>> {
    const channels = await this.channels.open(streams);
    for (const [stream, channel] of channels) {
      if (this.#closed || this.#attached.has(stream)) this.channels.release(channel);
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

  /** Tells from where each stream without a cursor is followed: exactly from there it is. */
  async #checkpoint(own: Channel, channels: Channel[], places: Map<string, number>): Promise<void> {
    if (!channels.length) return;
    const { sink, group } = this.subscriber;
    const cursors = channels.map((channel) => encodeCursor(channel.stream, channel.tail!.epoch, places.get(channel.stream)!));
    const { bytes } = await group.render(new DeliveredEvent('InboxCheckpoint', this.own, own.tail!.epoch, places.get(this.own)!, new Date(), { cursors }), 0);
    if (!sink.closed) sink.next(bytes);
  }

  /** Replays and follows one stream; `live` is where it is joined when there is no cursor. */
  async #join(channel: Channel, membership: Membership | null, cursor: Cursor | null, live: number): Promise<void> {
    const { subscriber } = this;
    const entry = this.#attached.get(channel.stream);
    if (entry?.channel !== channel || entry.attachment) return;
    const attachment: Attachment = {
      sink: subscriber.sink,
      group: subscriber.group,
      viewerId: subscriber.viewer.userId,
      visibleFrom: membership?.visible_from_seq ?? 0,
      onRevoked: () => {
        this.#leave(channel.stream);
        // Who was removed and added again at once may have heard of the second before the first.
        this.#lookAt(parseStream(channel.stream).id);
      },
      onReset: (reason) => {
        if (reason === 'unavailable') return endUnavailable(subscriber.sink);
        this.#resync(channel, RESYNC[reason]).catch((error: unknown) => this.#failed(error, channel.stream));
      },
      ...(membership ? {} : { onDelivered: (event: LoggedEvent) => this.#onOwnEvent(event) }),
    };
    entry.attachment = attachment;
    const misfit = cursor && (await channel.misfit(cursor));
    if (misfit) return this.#resync(channel, misfit);
    if (this.#attached.get(channel.stream) !== entry) return;
    const result = await channel.attach(attachment, Math.max(cursor?.pos ?? live, Number(membership?.pos ?? 0)));
    if (result !== 'live' && result !== 'closed') await this.#resync(channel, result);
  }

  /** Of this stream nothing follows; the others go on. */
  async #resync(channel: Channel, reason: ResyncReason): Promise<void> {
    this.#leave(channel.stream);
    await writeResync(this.subscriber, channel.stream, channel.tail!.epoch, channel.tail!.head, reason);
    if (channel.stream === this.own) this.subscriber.sink.complete();
  }

  #onOwnEvent({ ref }: LoggedEvent): void {
    if (ref.kind === 'chat.added' || ref.kind === 'chat.removed') this.#lookAt(ref.chatId);
  }

  /** Follows or leaves a chat as the viewer's membership says now. One look at a time for a chat: an older answer never overrules a newer one. */
  #lookAt(chatId: string): void {
    const looking = this.#looking.has(chatId);
    this.#looking.set(chatId, looking);
    if (!looking) this.#look(chatId).catch((error: unknown) => this.#failed(error, chatStream(chatId)));
  }

  async #look(chatId: string): Promise<void> {
    const stream = chatStream(chatId);
    try {
      do {
        this.#looking.set(chatId, false);
        const channel = this.#attached.has(stream) ? null : (await this.#open([stream])).get(stream)!;
        const [membership] = await this.#memberships([chatId]);
        if (!membership) this.#leaveSilent(stream);
        // Not waited for: the replay may be long, and a removal must end it.
        else if (channel) this.#join(channel, membership, null, 0).catch((error: unknown) => this.#failed(error, stream));
      } while (this.#looking.get(chatId) && !this.#closed);
    } finally {
      this.#looking.delete(chatId);
    }
  }

  /** Ends what does not end by itself: the live end of a chat's stream tells of the leaving, which is the last of it, in its turn. */
  #leaveSilent(stream: string): void {
    const entry = this.#attached.get(stream);
    if (!entry?.attachment || !entry.channel.isLive(entry.attachment)) this.#leave(stream);
  }

  #failed(error: unknown, stream: string): void {
    this.onError(error, stream);
    endUnavailable(this.subscriber.sink);
  }

  #leave(stream: string): void {
    const entry = this.#attached.get(stream);
    if (!entry) return;
    this.#attached.delete(stream);
    if (entry.attachment) entry.channel.detach(entry.attachment);
    this.channels.release(entry.channel);
  }
}
