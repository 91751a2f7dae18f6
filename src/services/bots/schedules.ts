import type { Database } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import { hashInput, type Tx, type UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { assertCanSend } from '../../policies/chat-policy.js';
import { assertRuns } from '../../policies/member-policy.js';
import { knownZone } from '../../policies/notification-policy.js';
import { nextTime, type ScheduleRule, type Weekday } from '../../policies/schedule-rule.js';
import { NOBODY, type Actor } from '../actor.js';
import { lockChat } from '../chat-access.js';
import { BOT_COLUMNS } from '../loaders/bots.js';
import { MAX_TEXT_BYTES, type MessageService } from '../messages.js';
import type { BotWriter, Writer } from './bot-writer.js';
import { lockOwnBot } from './bots.js';
import { tellOwner } from './owner-news.js';
import { endSchedules } from './schedule-ends.js';

const MAX_SCHEDULES = 10;
const MAX_HOURS = 168;
const MAX_PROMPT_BYTES = 2_048;
const AT_ONCE = 4;
const LEASE_SECONDS = 180;
const PATIENCE_MS = 150_000;
/** What could not be said for so long is not said any more: the next time is. */
const LATEST_MS = 3_600_000;
const RETRY_SECONDS = 30;

export interface ScheduleRow {
  id: string;
  botId: string;
  chatId: string;
  rule: ScheduleRule;
  prompt: string | null;
  text: string | null;
  nextAt: Date;
  lastAt: Date | null;
}
const COLUMNS = 's.id, s.bot_id as "botId", s.chat_id as "chatId", s.rule, s.prompt, s.text, s.next_at as "nextAt", s.last_at as "lastAt"';

export interface SetSchedule {
  botId: string;
  chatId: string;
  /** Of the one that it replaces. */
  scheduleId: string | null;
  every: ScheduleRule['every'];
  hours: number | null;
  at: string | null;
  weekdays: readonly Weekday[] | null;
  timeZone: string | null;
  prompt: string | null;
  text: string | null;
  idempotencyKey: string;
}

type Standing = Writer & { askerName: string; direct: boolean; botSeesFrom: number; seq: number };

/** Bots that speak by themselves, when their owners have them do so. Each time is said once, whatever dies and however many processes there are: its message has a key made of it. */
export class BotScheduleService {
  static readonly DUE = 'exists (select from bot_schedules where next_at <= $1 and lease_until <= $1)';

  constructor(
    private readonly db: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly messages: Pick<MessageService, 'deliver'>,
    private readonly writer: Pick<BotWriter, 'write'>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Of a bot of the actor's, the oldest first; of others' none. */
  async list(actor: Actor, botId: string, args: PageArgs): Promise<Page<ScheduleRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.db.sql<ScheduleRow>(`select ${COLUMNS} from bot_schedules s join bots b on b.id = s.bot_id where b.id = $1 and b.owner_id = $2 and ($3::uuid is null or s.id > $3) order by s.id limit $4`, [
      botId, actor.userId, request.from?.[0] ?? null, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** By the bot's owner, in a chat that they run. Errors: NOT_FOUND (bot, chat, schedule), FORBIDDEN, BLOCKED, INVALID_INPUT, STATE_CONFLICT (the bot is not in the chat), LIMIT_REACHED. */
  async set(actor: Actor, { idempotencyKey, ...input }: SetSchedule): Promise<ScheduleRow> {
    const rule = cleanRule(input);
    if ((input.prompt === null) === (input.text === null)) throw invalidInput('text', 'Give one of prompt and text.');
    const prompt = input.prompt === null ? null : cleanText(input.prompt, { field: 'prompt', maxBytes: MAX_PROMPT_BYTES, multiline: true });
    const text = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'setBotSchedule', idempotencyKey, input }, async (tx) => {
      const access = await lockChat(tx.sql, input.chatId, actor.userId);
      assertCanSend(access);
      if (access.chat.kind === 'GROUP') assertRuns(access.member.role, 'chat');
      const bot = await lockOwnBot(tx, actor, input.botId);
      if (!(await tx.sql('select from chat_members where chat_id = $1 and user_id = $2', [input.chatId, bot.id])).length) throw new DomainError('STATE_CONFLICT', 'The bot is not in this chat.', { field: 'chatId' });
      if (prompt !== null && bot.engine === 'EXTERNAL') throw invalidInput('prompt', 'A bot that is a program of its own is asked nothing here: give it a text to say.');
      const made = await write(tx, input.scheduleId, { botId: bot.id, chatId: input.chatId, rule, prompt, text });
      tellOwner(tx, actor.userId, bot.id);
      return { id: made };
    });
    const [row] = await this.db.sql<ScheduleRow>(`select ${COLUMNS} from bot_schedules s where s.id = $1`, [id]);
    if (!row) throw noSchedule();
    return row;
  }

  /** Errors: NOT_FOUND. */
  async remove(actor: Actor, id: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'removeBotSchedule' }, async (tx) => {
      const [gone] = await tx.sql<{ botId: string }>('delete from bot_schedules s using bots b where s.id = $1 and b.id = s.bot_id and b.owner_id = $2 returning s.bot_id as "botId"', [id, actor.userId]);
      if (!gone) throw noSchedule();
      tellOwner(tx, actor.userId, gone.botId);
      return null;
    });
  }

  /** Says what is due; true when there may be more. Each is taken by one process at a time. */
  async sweep(): Promise<boolean> {
    const due = await this.db.background<ScheduleRow>(
      `update bot_schedules s set lease_until = $1::timestamptz + make_interval(secs => $3)
       where s.id = any(array(select id from bot_schedules where next_at <= $1 and lease_until <= $1 order by next_at, id limit $2 for update skip locked)) returning ${COLUMNS}`,
      [this.clock.now(), AT_ONCE, LEASE_SECONDS],
    );
    await Promise.all(due.map((row) => this.#serve(row).catch((error: Error) => this.log.error({ schedule: row.id, error: error.message }, 'a bot could not say what it was to; it is tried again'))));
    return due.length === AT_ONCE;
  }

  async #serve(row: ScheduleRow): Promise<void> {
    const now = this.clock.now();
    const late = now.getTime() - row.nextAt.getTime() > LATEST_MS;
    const key = `schedule ${row.id} ${row.nextAt.getTime()}`; // with a space: no client can have used it
    if (late || (await this.#saidBefore(row, key))) return this.#moveOn(row, now);
    try {
      const said = await this.#say(row, now);
      if (!said) return await this.#drop(row);
      const { text, sources } = said;
      await this.messages.deliver(
        {
          chatId: row.chatId, senderId: row.botId, idempotencyKey: key, inputHash: hashInput({ key }), kind: sources.length ? 'CARD' : 'TEXT', text,
          mentions: null, replyToSeq: null, threadRootSeq: null, forward: null, card: sources.length ? { type: 'bot', sources } : null,
        },
        { poll: null, files: null },
      );
      await this.#moveOn(row, now);
    } catch (error) {
      if (error instanceof DomainError && error.details.retryAfter === undefined) return this.#moveOn(row, now);
      const pause = error instanceof DomainError ? error.details.retryAfter! : RETRY_SECONDS;
      await this.db.sql('update bot_schedules set lease_until = $3 where id = $1 and next_at = $2', [row.id, row.nextAt, new Date(now.getTime() + pause * 1000)]);
      throw error;
    }
  }

  async #saidBefore({ botId }: ScheduleRow, key: string): Promise<boolean> {
    return (await this.db.sql(`select from idempotency_keys where actor_id = $1 and operation = 'sendMessage' and key = $2`, [botId, key])).length > 0;
  }

  /** Asked in the name of its owner, and so with their rights. Null: it is not to be said any more. */
  async #say(schedule: ScheduleRow, now: Date): Promise<{ text: string; sources: { title: string; quote: string; url: string | null }[] } | null> {
    const standing = await this.#standing(schedule);
    if (!standing) return null;
    const { botId, chatId, prompt, text } = schedule;
    if (prompt === null) return { text: text!, sources: [] };
    const { askerName, direct, botSeesFrom, seq, ...bot } = standing;
    const said = await this.writer.write(bot, { chatId, seq, botId, askerId: bot.ownerId!, text: prompt, askerName, direct, botSeesFrom, now }, { say: () => undefined, restart: () => undefined }, AbortSignal.timeout(PATIENCE_MS));
    // A model takes minutes, and its owner did not wait with taking it back.
    return (await this.#standing(schedule)) && said;
  }

  /** Who says it. Null: it was removed or replaced, or the bot or its owner is not there any more: nobody answers for it here. */
  async #standing({ id, botId, chatId, nextAt }: ScheduleRow): Promise<Standing | null> {
    const [standing] = await this.db.sql<Standing>(
      `select ${BOT_COLUMNS}, u.display_name as "displayName", u.about, o.display_name as "askerName", c.kind = 'DIRECT' as direct, me.visible_from_seq as "botSeesFrom", c.last_seq + 1 as seq
       from bot_schedules s join bots b on b.id = s.bot_id join users u on u.id = b.id join users o on o.id = b.owner_id join chats c on c.id = s.chat_id
         join chat_members me on me.chat_id = c.id and me.user_id = b.id join chat_members owner on owner.chat_id = c.id and owner.user_id = b.owner_id
       where s.id = $1 and s.next_at = $2 and s.bot_id = $3 and s.chat_id = $4 and u.suspended_at is null and o.suspended_at is null`,
      [id, nextAt, botId, chatId],
    );
    return standing ?? null;
  }

  /** To the next time that is still to come: what was missed is not made up for. */
  async #moveOn({ id, rule, nextAt }: ScheduleRow, now: Date): Promise<void> {
    let next = nextTime(rule, nextAt);
    while (next <= now) next = nextTime(rule, rule.every === 'HOURS' ? next : now);
    await this.db.sql(`update bot_schedules set next_at = $3, last_at = $2, lease_until = '-infinity' where id = $1 and next_at = $2`, [id, nextAt, next]);
  }

  async #drop({ id, nextAt }: ScheduleRow): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'dropBotSchedule' }, async (tx) => {
      await endSchedules(tx, 's.id = $1 and s.next_at = $2', [id, nextAt]);
      return null;
    });
  }
}

const noSchedule = (): DomainError => new DomainError('NOT_FOUND', 'There is no such schedule.', { field: 'scheduleId' });

async function write(tx: Tx, scheduleId: string | null, { botId, chatId, rule, prompt, text }: Omit<ScheduleRow, 'id' | 'nextAt' | 'lastAt'>): Promise<string> {
  const values = [botId, chatId, JSON.stringify(rule), prompt, text, nextTime(rule, tx.now)];
  if (scheduleId !== null) {
    const changed = await tx.sql(`update bot_schedules set chat_id = $2, rule = $3, prompt = $4, text = $5, next_at = $6, lease_until = '-infinity' where id = $7 and bot_id = $1 returning 1`, [...values, scheduleId]);
    if (!changed.length) throw noSchedule();
    return scheduleId;
  }
  const [known] = await tx.sql<{ n: number }>('select count(*)::int as n from bot_schedules where bot_id = $1', [botId]);
  if (known!.n >= MAX_SCHEDULES) throw new DomainError('LIMIT_REACHED', `A bot has at most ${MAX_SCHEDULES} schedules.`);
  const id = newId();
  await tx.sql('insert into bot_schedules (id, bot_id, chat_id, rule, prompt, text, next_at, created_at) values ($7, $1, $2, $3, $4, $5, $6, $8)', [...values, id, tx.now]);
  return id;
}

function cleanRule({ every, hours, at, weekdays, timeZone }: Omit<SetSchedule, 'idempotencyKey'>): ScheduleRule {
  const foreign = every === 'HOURS' ? (at !== null ? 'at' : weekdays !== null ? 'weekdays' : null) : hours !== null ? 'hours' : every === 'DAY' && weekdays !== null ? 'weekdays' : null;
  if (foreign) throw invalidInput(foreign, `A schedule by ${every} has no ${foreign}.`);
  const zone = knownZone(timeZone ?? 'UTC');
  if (zone === null) throw invalidInput('timeZone', 'timeZone is the name of a time zone, as Europe/Zurich.');
  if (every === 'HOURS') return { every, hours: boundedInt(hours ?? 0, 'hours', 1, MAX_HOURS), at: null, weekdays: [], zone };
  if (!at || !/^([01]\d|2[0-3]):[0-5]\d$/.test(at)) throw invalidInput('at', 'at is a time as 09:30.');
  const days = distinct(weekdays ?? [], 'weekdays', 7);
  if (every === 'WEEK' && !days.length) throw invalidInput('weekdays', 'weekdays names at least one day.');
  return { every, hours: null, at, weekdays: days, zone };
}
