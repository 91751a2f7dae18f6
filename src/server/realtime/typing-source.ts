import type { Sql } from '../../db/database.js';
import type { Bus, BusMessage } from '../../events/bus.js';
import { chatStream } from '../../events/catalogue.js';
import type { StreamHint } from '../../events/hub.js';
import type { Clock } from '../../lib/clock.js';
import { notFound } from '../../lib/errors.js';
import { decodeId, encodeId } from '../../lib/ids.js';
import { typingTopic, type TypingNews } from '../../services/typing.js';
import { accessRevoked } from './chat-source.js';
import { EphemeralEvent, Outbox } from './outbox.js';
import type { Sink } from './sink.js';
import type { Source, Subscriber } from './subscriptions.js';

/** People whose typing a newcomer is told of. */
const MAX_TYPISTS = 100;

interface Watcher {
  userId: string;
  sink: Sink;
  outbox: Outbox;
  /** Stands in the room from the beginning, so that a removal is heard; is told of nothing before membership is known. */
  state: 'joining' | 'live' | 'revoked';
}

/** One chat in which somebody looks on. */
class Room {
  readonly watchers = new Set<Watcher>();
  readonly #typists = new Map<string, { event: EphemeralEvent; expiresAt: number }>();
  readonly ready: Promise<unknown>;

  constructor(
    private readonly chatId: string,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {
    this.ready = Promise.all([bus.subscribe(typingTopic(chatId), this.#onTyping), bus.subscribe(chatStream(chatId), this.#onChat)]);
  }

  close(): void {
    this.bus.unsubscribe(typingTopic(this.chatId), this.#onTyping);
    this.bus.unsubscribe(chatStream(this.chatId), this.#onChat);
  }

  /** Who types as somebody begins to look on. */
  welcome(watcher: Watcher): void {
    const now = this.clock.now().getTime();
    for (const [userId, { event, expiresAt }] of this.#typists) if (expiresAt > now && userId !== watcher.userId) watcher.outbox.offer(userId, event);
  }

  revoke(userId: string): void {
    this.#typists.delete(userId);
    for (const watcher of [...this.watchers]) {
      if (watcher.userId !== userId) continue;
      this.watchers.delete(watcher);
      if (watcher.state === 'live') watcher.sink.error([accessRevoked()]);
      watcher.state = 'revoked';
    }
  }

  readonly #onTyping = (message: BusMessage): void => {
    const { userId, typing, expiresAt } = message as TypingNews;
    const event = new EphemeralEvent({
      __typename: 'TypingEvent', chatId: encodeId('Chat', this.chatId), userId: encodeId('User', userId), userKey: userId, typing, expiresAt: new Date(expiresAt),
    });
    this.#typists.delete(userId);
    if (typing) this.#typists.set(userId, { event, expiresAt });
    if (this.#typists.size > MAX_TYPISTS) this.#typists.delete(this.#typists.keys().next().value!);
    for (const watcher of this.watchers) if (watcher.state === 'live' && watcher.userId !== userId) watcher.outbox.offer(userId, event);
  };

  readonly #onChat = (message: BusMessage): void => {
    const hint = message as StreamHint;
    if (!('published' in hint)) return;
    for (const { ref } of hint.published.events) if (ref.kind === 'member.left') this.revoke(ref.userId);
  };
}

/**
 * `typingEvents`: who else writes in a chat. Membership is asked when it begins; who leaves is cut off by the chat's own
 * event, and where that was not heard of, by asking again now and then.
 */
export class TypingSource implements Source {
  readonly #rooms = new Map<string, Room>();
  readonly #again: NodeJS.Timeout;

  constructor(
    private readonly bus: Bus,
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly onError: (error: unknown, stream: string) => void,
    askAgainMs: number,
  ) {
    this.#again = setInterval(() => void this.#askAgain().catch((error: unknown) => this.onError(error, 'typing')), askAgainMs);
    this.#again.unref();
  }

  async open({ viewer, sink, group }: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const chatId = decodeId('Chat', args['chatId'] as string, 'chatId');
    const outbox = new Outbox(sink, group, (error) => this.onError(error, chatStream(chatId)));
    const watcher: Watcher = { userId: viewer.userId, sink, outbox, state: 'joining' };
    const room = this.#room(chatId);
    room.watchers.add(watcher);
    const leave = () => this.#leave(chatId, room, watcher);
    try {
      await room.ready;
      const [member] = await this.sql('select from chat_members where chat_id = $1 and user_id = $2', [chatId, viewer.userId]);
      if (!member || (watcher.state as string) === 'revoked') throw notFound('chat');
    } catch (error) {
      leave();
      throw error;
    }
    watcher.state = 'live';
    room.welcome(watcher);
    return leave;
  }

  close(): void {
    clearInterval(this.#again);
    for (const room of this.#rooms.values()) room.close();
    this.#rooms.clear();
  }

  #room(chatId: string): Room {
    let room = this.#rooms.get(chatId);
    if (!room) this.#rooms.set(chatId, (room = new Room(chatId, this.bus, this.clock)));
    return room;
  }

  #leave(chatId: string, room: Room, watcher: Watcher): void {
    room.watchers.delete(watcher);
    if (room.watchers.size || this.#rooms.get(chatId) !== room) return;
    this.#rooms.delete(chatId);
    room.close();
  }

  async #askAgain(): Promise<void> {
    const pairs = [...this.#rooms].flatMap(([chatId, room]) => [...new Set([...room.watchers].map((watcher) => watcher.userId))].map((userId) => ({ chatId, userId })));
    if (!pairs.length) return;
    const fallen = await this.sql<{ chatId: string; userId: string }>(
      `select k.chat_id as "chatId", k.user_id as "userId" from unnest($1::uuid[], $2::uuid[]) k(chat_id, user_id)
       where not exists (select from chat_members m where m.chat_id = k.chat_id and m.user_id = k.user_id)`,
      [pairs.map((pair) => pair.chatId), pairs.map((pair) => pair.userId)],
    );
    for (const { chatId, userId } of fallen) this.#rooms.get(chatId)?.revoke(userId);
  }
}
