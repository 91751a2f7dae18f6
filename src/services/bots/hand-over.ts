import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { wantsPerson, type HandOverPhrases } from '../../language/hand-over.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, checkIdempotencyKey } from '../../lib/validate.js';
import { assertCanSend, assertIsGroupChat } from '../../policies/chat-policy.js';
import { assertRuns } from '../../policies/member-policy.js';
import type { Actor } from '../actor.js';
import { lockChat } from '../chat-access.js';
import { directChat } from '../chats.js';
import { BOT_COLUMNS, type BotRow } from '../loaders/bots.js';
import { SUPPORT_COLUMNS, TRANSCRIPT, type SupportReason, type SupportRow } from '../loaders/support.js';
import { assertNotAcrossBlock } from '../membership.js';
import { lockPairs } from '../pairs.js';
import type { Quota } from '../quota.js';
import { botSays, phrasesFor } from './bot-says.js';
import type { Answer, Question } from './bot-writer.js';
import { lockOwnBot } from './bots.js';
import { tellOwner } from './owner-news.js';
import { tellOfSupport } from './support-cases.js';

const LEAST_UNKNOWN = 2;
const MOST_UNKNOWN = 10;
const DEFAULT_UNKNOWN = 2;
/** Of one bot, so many wait for a person at the most. */
const MOST_WAITING = 1_000;

interface Setting {
  afterUnknown: number;
}
interface Wish {
  botId: string;
  askerId: string;
  reason: SupportReason;
  /** The message that asks for it; null: none does, and what was said last is the end of what is handed on. */
  seq: number | null;
  withTranscript: boolean;
}
/** What became of a wish. */
type Opened = { outcome: 'OPENED' | 'WAITING' | 'TAKEN'; caseId: string } | { outcome: 'FULL' };

/** The setting holds as long as the bot's owner runs the chat whose members take cases. */
const STANDING = `from bot_hand_overs h join bots b on b.id = h.bot_id join chat_members o on o.chat_id = h.chat_id and o.user_id = b.owner_id and o.role <> 'MEMBER' where h.bot_id = $1`;

/** When a bot hands over to a person: in its direct chats, when somebody asks for one, or when it did not know the answer several times in a row. */
export class HandOver {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly quota: Pick<Quota, 'consume'>,
  ) {}

  /** By the bot's owner; no chat: it hands over no more. Errors: NOT_FOUND (bot, chat), FORBIDDEN (a chat that one does not run), STATE_CONFLICT (a direct chat), INVALID_INPUT. */
  async set(actor: Actor, botId: string, chatId: string | null, afterUnknown: number | null): Promise<BotRow> {
    const after = boundedInt(afterUnknown ?? DEFAULT_UNKNOWN, 'afterUnknown', LEAST_UNKNOWN, MOST_UNKNOWN);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'setBotHandOver' }, async (tx) => {
      const access = chatId === null ? null : await lockChat(tx.sql, chatId, actor.userId);
      const bot = await lockOwnBot(tx, actor, botId);
      if (chatId === null) {
        const gone = await tx.sql('delete from bot_hand_overs where bot_id = $1 returning 1', [botId]);
        if (gone.length) tellOwner(tx, actor.userId, botId);
        return bot;
      }
      assertIsGroupChat(access);
      assertRuns(access.member.role, 'chat');
      const changed = await tx.sql(
        `insert into bot_hand_overs (bot_id, chat_id, after_unknown, created_at) values ($1, $2, $3, $4)
         on conflict (bot_id) do update set chat_id = $2, after_unknown = $3 where (bot_hand_overs.chat_id, bot_hand_overs.after_unknown) is distinct from ($2, $3) returning 1`,
        [botId, chatId, after, tx.now],
      );
      if (changed.length) tellOwner(tx, actor.userId, botId);
      return bot;
    });
  }

  /**
   * Asks for a person instead of the bot. While a case of theirs goes on with this bot, that one is answered. Errors: NOT_FOUND (bot), STATE_CONFLICT (it hands over to nobody), BLOCKED,
   * LIMIT_REACHED (too many wait), RATE_LIMITED.
   */
  async request(actor: Actor, botId: string, withTranscript: boolean, idempotencyKey: string): Promise<SupportRow> {
    checkIdempotencyKey(idempotencyKey);
    const [bot] = await this.sql<BotRow>(`select ${BOT_COLUMNS} from bots b join users u on u.id = b.id and u.suspended_at is null where b.id = $1`, [botId]);
    if (!bot) throw new DomainError('NOT_FOUND', 'There is no such bot.', { field: 'botId' });
    if (bot.id === actor.userId || !(await settingOf(this.sql, botId))) throw new DomainError('STATE_CONFLICT', 'This bot hands over to nobody.', { field: 'botId' });
    await this.quota.consume(actor.userId);
    const { caseId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'requestPerson', idempotencyKey, input: { botId, withTranscript } }, async (tx) => {
      await lockPairs(tx.sql, actor.userId, [botId]);
      await assertNotAcrossBlock(tx.sql, actor.userId, [botId], 'botId');
      const chatId = await directChat(tx, actor.userId, botId);
      const opened = await open(tx, chatId, { botId, askerId: actor.userId, reason: 'ASKED', seq: null, withTranscript });
      if (opened.outcome === 'FULL') throw new DomainError('LIMIT_REACHED', 'Too many are waiting for a person.');
      const phrases = phrasesFor('', bot);
      if (opened.outcome === 'OPENED') await botSays(tx, chatId, botId, withTranscript ? phrases.opened(TRANSCRIPT) : phrases.openedWithout);
      return { caseId: opened.caseId };
    });
    const [row] = await this.sql<SupportRow>(`select ${SUPPORT_COLUMNS} from support_cases k where k.id = $1`, [caseId]);
    return row!;
  }

  /** What a bot says to a question: what `write` makes of it, unless it hands over, and with what follows from not knowing. A repeat (the process has died) says the same. */
  async answer(bot: BotRow, question: Question, write: () => Promise<Answer>): Promise<Answer> {
    const setting = question.direct ? await settingOf(this.sql, bot.id) : null;
    if (!setting) return write();
    const phrases = phrasesFor(question.text, bot);
    if (wantsPerson(question.text)) return { text: said(phrases, await this.#open(question, 'ASKED')), sources: [], known: null };
    const answer = await write();
    if (answer.known !== false) return answer;
    const before = await this.#unknownBefore(question, setting.afterUnknown - 1);
    const more = before < setting.afterUnknown - 1 ? phrases.offer(TRANSCRIPT) : said(phrases, await this.#open(question, 'UNKNOWN'));
    return { ...answer, text: `${answer.text}\n\n${more}` };
  }

  #open({ botId, askerId, chatId, seq }: Question, reason: SupportReason): Promise<Opened> {
    return this.unitOfWork.run({ actorId: botId, operation: 'openSupportCase' }, (tx) => open(tx, chatId, { botId, askerId, reason, seq, withTranscript: true }));
  }

  /** How many answers before this one it did not know, without one that it knew between them, since it last handed over. */
  async #unknownBefore({ chatId, botId, seq }: Question, most: number): Promise<number> {
    const rows = await this.sql<{ known: boolean | null }>(
      `select known from bot_replies where chat_id = $1 and bot_id = $2 and state = 'DONE' and seq < $3
         and seq > coalesce((select max(up_to_seq) from support_cases where chat_id = $1 and bot_id = $2 and up_to_seq < $3), 0) order by seq desc limit $4`,
      [chatId, botId, seq, most],
    );
    const knew = rows.findIndex(({ known }) => known !== false);
    return knew < 0 ? rows.length : knew;
  }
}

async function settingOf(sql: Sql, botId: string): Promise<Setting | null> {
  const [row] = await sql<Setting>(`select h.after_unknown as "afterUnknown" ${STANDING}`, [botId]);
  return row ?? null;
}

function said(phrases: HandOverPhrases, { outcome }: Opened): string {
  return { OPENED: phrases.opened(TRANSCRIPT), WAITING: phrases.waiting, TAKEN: phrases.taken, FULL: phrases.full }[outcome];
}

/** Opens a case, once: of each asker, one goes on with a bot at a time. */
async function open(tx: Tx, chatId: string, { botId, askerId, reason, seq, withTranscript }: Wish): Promise<Opened> {
  assertCanSend(await lockChat(tx.sql, chatId, askerId));
  const [there] = await tx.sql<{ id: string; state: string; upToSeq: number }>(
    `select id, state, up_to_seq as "upToSeq" from support_cases where bot_id = $1 and asker_id = $2 and state in ('OPEN', 'ASSIGNED')`, [botId, askerId],
  );
  if (there) return { outcome: there.upToSeq === seq ? 'OPENED' : there.state === 'OPEN' ? 'WAITING' : 'TAKEN', caseId: there.id };
  const [waiting] = await tx.sql<{ n: number }>(`select count(*)::int as n from (select from support_cases where bot_id = $1 and state = 'OPEN' limit $2) w`, [botId, MOST_WAITING]);
  if (waiting!.n >= MOST_WAITING) return { outcome: 'FULL' };
  const [row] = await tx.sql<{ id: string }>(
    `insert into support_cases (id, bot_id, chat_id, asker_id, reason, with_transcript, from_seq, up_to_seq, created_at)
     select $1, $2, c.id, $3, $4, $5, greatest(coalesce($6, c.last_seq) - $7 + 1, 1), coalesce($6, c.last_seq), $8 from chats c where c.id = $9 returning id`,
    [newId(), botId, askerId, reason, withTranscript, seq, TRANSCRIPT, tx.now, chatId],
  );
  await tellOfSupport(tx, row!.id);
  return { outcome: 'OPENED', caseId: row!.id };
}
