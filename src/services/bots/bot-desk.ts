import type { Database } from '../../db/database.js';
import { hashInput, type UnitOfWork } from '../../db/unit-of-work.js';
import type { Bus } from '../../events/bus.js';
import { parseStream, type EventKind } from '../../events/catalogue.js';
import type { ConsumedEvent } from '../../events/commit-order.js';
import type { LogConsumer } from '../../events/log-consumers.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { NOBODY } from '../actor.js';
import { BOT_COLUMNS, type BotRow } from '../loaders/bots.js';
import type { MessageKey } from '../loaders/messages.js';
import type { MessageService } from '../messages.js';
import { Quota } from '../quota.js';
import type { AssistantService } from './assistant.js';
import type { BotWriter, Question, Writer } from './bot-writer.js';
import type { HandOver } from './hand-over.js';
import { servedAs } from './installs.js';
import { LiveReply } from './live-reply.js';
import { SERVES } from './service-area.js';

/** Answers that are written at once in this process. */
const AT_ONCE = 8;
const LEASE_SECONDS = 180;
const PATIENCE_MS = 150_000;
const TRIES = 3;
/** So many messages of bots one after another, and bots say nothing more until a person does. */
const BOTS_IN_A_ROW = 3;

interface Task extends MessageKey {
  botId: string;
  askerId: string;
  tries: number;
}

/**
 * Whom bots answer: who mentions them, replies to them, calls them by /handle or one of their commands, or talks to them directly. It follows the log, so that no send waits for it; each
 * answer is a row that one process at a time works on.
 */
export class BotDesk implements LogConsumer {
  /** SQL: whether something waits, at the time `$1`. */
  static readonly DUE = `exists (select from bot_replies where state = 'WAITING' and lease_until <= $1)`;

  readonly name = 'bots';
  readonly from = 'now';
  readonly kinds: readonly EventKind[] = ['message.sent', 'sessions.changed'];
  readonly #writing = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #taking: Promise<boolean> | null = null;

  constructor(
    private readonly db: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly bus: Bus,
    private readonly messages: Pick<MessageService, 'deliver'>,
    private readonly writer: BotWriter,
    private readonly handOver: HandOver,
    private readonly assistant: AssistantService | null,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  async handle(events: ConsumedEvent[]): Promise<void> {
    const sent = events.flatMap(({ stream, ref }) => (ref.kind === 'message.sent' ? [{ chatId: parseStream(stream).id, seq: ref.seq }] : []));
    const signedIn = new Set(events.flatMap(({ stream, ref }) => (ref.kind === 'sessions.changed' ? [parseStream(stream).id] : [])));
    if (this.assistant) for (const userId of signedIn) await this.assistant.welcome(userId);
    if (!sent.length) return;
    const made = await this.unitOfWork.run({ actorId: NOBODY, operation: 'addressBots' }, (tx) => tx.sql(ADDRESSED, [sent.map(({ chatId }) => chatId), sent.map(({ seq }) => seq), tx.now, BOTS_IN_A_ROW]));
    if (made.length) void this.sweep().catch((error: Error) => this.log.error({ error: error.message }, 'bots could not be woken'));
  }

  /** Begins what waits, as far as there is room. True when there may be more. */
  sweep(): Promise<boolean> {
    return (this.#taking ??= this.#take().finally(() => (this.#taking = null)));
  }

  /** Ends what is under way: another process writes it anew. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#taking?.catch(() => undefined);
    await Promise.all(this.#writing);
  }

  async #take(): Promise<boolean> {
    const room = AT_ONCE - this.#writing.size;
    if (room <= 0 || this.#closing.signal.aborted) return false;
    const tasks = await this.db.background<Task>(
      `update bot_replies set lease_until = $1::timestamptz + make_interval(secs => $3), tries = tries + 1 where (chat_id, seq, bot_id) in (
         select w.chat_id, w.seq, w.bot_id from bot_replies w where w.state = 'WAITING' and w.lease_until <= $1
           and not exists (select from bot_replies o where o.chat_id = w.chat_id and o.bot_id = w.bot_id and o.state = 'WAITING' and o.seq < w.seq)
         order by w.created_at limit $2 for update skip locked)
       returning chat_id as "chatId", seq, bot_id as "botId", asker_id as "askerId", tries`,
      [this.clock.now(), room, LEASE_SECONDS],
    );
    for (const task of tasks) {
      const writing: Promise<void> = this.#serve(task)
        .catch((error: Error) => this.log.error({ bot: task.botId, error: error.message }, 'a bot could not answer; it is tried again'))
        .finally(() => {
          this.#writing.delete(writing);
          if (!this.#closing.signal.aborted) void this.sweep().catch(() => undefined); // the sweep by the clock tells of what is wrong
        });
      this.#writing.add(writing);
    }
    return tasks.length === room && this.#writing.size < AT_ONCE;
  }

  async #serve(task: Task): Promise<void> {
    const live = new LiveReply(this.bus, task, task.botId);
    const asked = await this.#read(task);
    // It has been deleted, or the bot has left, or been sent away, since.
    if (!asked || task.tries > TRIES) return this.#settle(task, 'FAILED', null, live);
    const { question } = asked;
    const bot = await servedAs(this.db.sql, asked.bot, task.chatId);
    if (task.tries === 1 && !(await this.#mayAnswer(bot, task.askerId))) return this.#settle(task, 'LIMITED', null, live);
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      const write = () => this.writer.write(bot, question, { say: (piece) => live.add(piece), restart: () => live.restart() }, signal);
      const { text, sources, known } = await this.handOver.answer(bot, question, write);
      const key = `bot ${task.chatId} ${task.seq}`.replaceAll(' ', ':');
      const { seq } = await this.messages.deliver(
        {
          chatId: task.chatId, senderId: task.botId, idempotencyKey: key, inputHash: hashInput({ key }), kind: sources.length ? 'CARD' : 'TEXT', text,
          // A bot calls nobody: whoever asked is told by the reply.
          mentions: null, replyToSeq: question.direct ? null : task.seq, threadRootSeq: null, forward: null, card: sources.length ? { type: 'bot', sources } : null,
        },
        { poll: null, files: null },
      );
      await this.#settle(task, 'DONE', seq, live, text, known);
    } catch (error) {
      live.end('FAILED', '', null);
      if (this.#closing.signal.aborted) {
        await this.db.background(`update bot_replies set lease_until = '-infinity', tries = tries - 1 where chat_id = $1 and seq = $2 and bot_id = $3 and state = 'WAITING'`, [task.chatId, task.seq, task.botId]);
        return;
      }
      if (error instanceof DomainError && error.details.retryAfter === undefined) return this.#settle(task, 'FAILED', null, live);
      await this.db.background(`update bot_replies set lease_until = $4 where chat_id = $1 and seq = $2 and bot_id = $3 and state = 'WAITING'`, [
        task.chatId, task.seq, task.botId, new Date(this.clock.now().getTime() + 1_000 * 2 ** task.tries),
      ]);
      throw error;
    }
  }

  async #mayAnswer(bot: BotRow, askerId: string): Promise<boolean> {
    try {
      await new Quota(this.db.sql, this.clock, { name: 'bot-replies', points: bot.repliesAnHour, seconds: 3_600 }).consume(`${bot.id} ${askerId}`);
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'RATE_LIMITED') return false;
      throw error;
    }
  }

  async #read({ chatId, seq, botId, askerId }: Task): Promise<{ bot: Writer; question: Question } | null> {
    const [row] = await this.db.sql<Writer & { text: string; askerName: string; direct: boolean; botSeesFrom: number; handle: string }>(
      `select ${BOT_COLUMNS}, u.display_name as "displayName", u.about, u.handle, m.text, a.display_name as "askerName", c.kind = 'DIRECT' as direct, me.visible_from_seq as "botSeesFrom"
       from messages m join chats c on c.id = m.chat_id join bots b on b.id = $3 join users u on u.id = b.id join users a on a.id = m.sender_id
         join chat_members me on me.chat_id = m.chat_id and me.user_id = b.id and me.visible_from_seq <= m.seq join chat_members asker on asker.chat_id = m.chat_id and asker.user_id = m.sender_id
       where m.chat_id = $1 and m.seq = $2 and m.deleted_at is null and m.text is not null and u.suspended_at is null`,
      [chatId, seq, botId],
    );
    if (!row) return null;
    const { text, askerName, direct, botSeesFrom, handle, ...bot } = row;
    // Of a handle only the full stop means something in a pattern.
    const name = handle.replaceAll('.', '\\.');
    const question = text.replace(new RegExp(`^(\\s*/[A-Za-z0-9_]{1,32})@${name}(?!\\w)`, 'i'), '$1').replace(new RegExp(`^\\s*/${name}(?!\\w)|(?<![\\w.@])@${name}(?!\\w)`, 'gi'), ' ').trim();
    return { bot, question: { chatId, seq, botId, askerId, text: question || text, askerName, direct, botSeesFrom, now: this.clock.now() } };
  }

  async #settle({ chatId, seq, botId }: Task, state: 'DONE' | 'FAILED' | 'LIMITED', answerSeq: number | null, live: LiveReply, text = '', known: boolean | null = null): Promise<void> {
    await this.db.sql(`update bot_replies set state = $4, answer_seq = $5, known = $6 where chat_id = $1 and seq = $2 and bot_id = $3 and state = 'WAITING'`, [chatId, seq, botId, state, answerSeq, known]);
    live.end(state, text, answerSeq);
  }
}

/**
 * Of messages that were sent: which bots they are for, as far as those work in the chat.
 * Nothing is for a bot once only bots have spoken for a while.
 */
const ADDRESSED = `
with sent as (
  select m.chat_id, m.seq, m.sender_id, m.mentions, m.reply_to_seq, m.text, c.kind from unnest($1::uuid[], $2::int[]) k(chat_id, seq)
  join messages m on m.chat_id = k.chat_id and m.seq = k.seq join chats c on c.id = m.chat_id
  where m.deleted_at is null and m.text is not null and m.kind <> 'SYSTEM' and c.encryption = 'NONE'),
addressed as (
  select s.chat_id, s.seq, s.sender_id, n.id as bot_id from sent s, unnest(s.mentions) n(id)
  union select s.chat_id, s.seq, s.sender_id, r.sender_id from sent s join messages r on r.chat_id = s.chat_id and r.seq = s.reply_to_seq and r.deleted_at is null
  union select s.chat_id, s.seq, s.sender_id, o.user_id from sent s join chat_members o on o.chat_id = s.chat_id where s.kind = 'DIRECT'
  union select s.chat_id, s.seq, s.sender_id, b.id from sent s join chat_members m on m.chat_id = s.chat_id join bots b on b.id = m.user_id
    where exists (select from jsonb_to_recordset(b.commands) c(name text) where c.name = lower(substring(s.text from '^/([A-Za-z0-9_]{1,32})(?:[[:space:]]|$)')))
  union select s.chat_id, s.seq, s.sender_id, u.id from sent s join users u on u.handle_key = lower(substring(s.text from '^/([A-Za-z0-9_.]{1,32})')))
insert into bot_replies (chat_id, seq, bot_id, asker_id, created_at)
select a.chat_id, a.seq, b.id, a.sender_id, $3 from addressed a join bots b on b.id = a.bot_id and b.engine = 'BUILT_IN' and b.id <> a.sender_id
join chat_members me on me.chat_id = a.chat_id and me.user_id = b.id and me.visible_from_seq <= a.seq
join chats c on c.id = a.chat_id where ${SERVES}
  and exists (select from (select p.sender_id from messages p where p.chat_id = a.chat_id and p.seq <= a.seq and p.kind <> 'SYSTEM' order by p.seq desc limit $4) l
              join users u on u.id = l.sender_id where u.kind = 'PERSON')
on conflict do nothing returning seq`;
