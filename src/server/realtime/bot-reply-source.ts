import type { Sql } from '../../db/database.js';
import type { Bus, BusMessage } from '../../events/bus.js';
import { chatStream } from '../../events/catalogue.js';
import type { StreamHint } from '../../events/hub.js';
import { notFound } from '../../lib/errors.js';
import { decodeMessageId, encodeId, encodeMessageId } from '../../lib/ids.js';
import { botReplyTopic, type BotReplyNews } from '../../services/bots/live-reply.js';
import { accessRevoked } from './chat-source.js';
import { EphemeralEvent, Outbox } from './outbox.js';
import type { Source, Subscriber } from './subscriptions.js';

interface Watcher {
  chatId: string;
  seq: number;
  userId: string;
  revoke(): void;
}

/**
 * `botReply`: what bots are writing in answer to one message. Whether the viewer sees it is asked when it begins; who leaves is cut off by the
 * chat's own event, and where that was not heard of, by asking again now and then.
 */
export class BotReplySource implements Source {
  readonly #watchers = new Set<Watcher>();
  readonly #again: NodeJS.Timeout;

  constructor(
    private readonly bus: Bus,
    private readonly sql: Sql,
    private readonly onError: (error: unknown, stream: string) => void,
    askAgainMs: number,
  ) {
    this.#again = setInterval(() => void this.#askAgain().catch((error: unknown) => this.onError(error, 'bot replies')), askAgainMs);
    this.#again.unref();
  }

  async open({ viewer, sink, group }: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const key = decodeMessageId(args['messageId'] as string, 'messageId');
    const topic = botReplyTopic(key);
    const outbox = new Outbox(sink, group, (error) => this.onError(error, topic));
    const tell = (news: BotReplyNews) =>
      outbox.offer(
        news.botId,
        new EphemeralEvent({
          __typename: 'BotReplyEvent', messageId: encodeMessageId(key.chatId, key.seq), userId: encodeId('User', news.botId), userKey: news.botId, state: news.state, text: news.text,
          answerId: news.answerSeq === null ? null : encodeMessageId(key.chatId, news.answerSeq),
        }),
      );
    // Heard from the beginning, so that nothing is missed; told once it is known that the viewer may.
    let held: Map<string, BotReplyNews> | null = new Map();
    const hear = (message: BusMessage) => {
      const news = message as BotReplyNews;
      if (held) held.set(news.botId, news);
      else tell(news);
    };
    const left = (message: BusMessage) => {
      const hint = message as StreamHint;
      if ('published' in hint && hint.published.events.some(({ ref }) => ref.kind === 'member.left' && ref.userId === viewer.userId)) watcher.revoke();
    };
    const watcher: Watcher = {
      ...key,
      userId: viewer.userId,
      revoke: () => {
        end();
        sink.error([accessRevoked()]);
      },
    };
    const end = () => {
      this.#watchers.delete(watcher);
      this.bus.unsubscribe(topic, hear);
      this.bus.unsubscribe(chatStream(key.chatId), left);
    };
    await Promise.all([this.bus.subscribe(topic, hear), this.bus.subscribe(chatStream(key.chatId), left)]);
    try {
      const [seen] = await this.sql('select from chat_members m join messages s on s.chat_id = m.chat_id and s.seq = $2 and m.visible_from_seq <= s.seq where m.chat_id = $1 and m.user_id = $3', [key.chatId, key.seq, viewer.userId]);
      if (!seen) throw notFound('message');
      if (!sink.closed) this.#watchers.add(watcher);
      // What has been answered already is told at once.
      const rows = await this.sql<BotReplyNews>(
        `select r.bot_id as "botId", r.state, coalesce(a.text, '') as text, r.answer_seq as "answerSeq" from bot_replies r
         left join messages a on a.chat_id = r.chat_id and a.seq = r.answer_seq and a.deleted_at is null where r.chat_id = $1 and r.seq = $2 and r.state <> 'WAITING'`,
        [key.chatId, key.seq],
      );
      const waiting = held;
      held = null;
      rows.forEach(tell);
      for (const news of waiting.values()) if (!rows.some(({ botId }) => botId === news.botId)) tell(news);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  close(): void {
    clearInterval(this.#again);
  }

  async #askAgain(): Promise<void> {
    const watchers = [...this.#watchers];
    if (!watchers.length) return;
    const fallen = await this.sql<{ place: number }>(
      `select k.place::int from unnest($1::uuid[], $2::int[], $3::uuid[]) with ordinality k(chat_id, seq, user_id, place)
       where not exists (select from chat_members m where m.chat_id = k.chat_id and m.user_id = k.user_id and m.visible_from_seq <= k.seq)`,
      [watchers.map(({ chatId }) => chatId), watchers.map(({ seq }) => seq), watchers.map(({ userId }) => userId)],
    );
    for (const { place } of fallen) watchers[place - 1]!.revoke();
  }
}
