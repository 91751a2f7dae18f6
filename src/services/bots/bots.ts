import { isDeepStrictEqual } from 'node:util';
import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { BOT_TOOLS, type BotTool } from '../../entities/bot.js';
import { DomainError, forbidden, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { assertIsGroupChat } from '../../policies/chat-policy.js';
import { assertRuns } from '../../policies/member-policy.js';
import { assertGiven } from '../../policies/scopes.js';
import { cleanDisplayName, cleanHandle } from '../account-input.js';
import { handleTaken } from '../accounts.js';
import type { Actor, Reading } from '../actor.js';
import { admitToGroup, lockChatInGroup } from '../group-membership.js';
import { BOT_COLUMNS, botById, type BotEngine, type BotRow, type MemoryRow } from '../loaders/bots.js';
import { USERS } from '../loaders/users.js';
import { admitMembers, assertNotAcrossBlock } from '../membership.js';
import type { SessionGate } from '../session-gate.js';
import type { AccessTokens } from '../tokens.js';
import { tellOwner } from './owner-news.js';

const MAX_BOTS = 20;
const MAX_INSTRUCTIONS = 8_192;
const MAX_ABOUT = 2_048;
const MAX_LANGUAGES = 20;
const MAX_MODEL = 128;
const MAX_REPLIES_AN_HOUR = 1_000;
const DEFAULT_REPLIES_AN_HOUR = 60;
const MAX_COST_A_DAY = 100_000;
/** Costs are kept in millionths. */
const MICRO = 1e6;
const microOf = (dollars: number | null | undefined): number | null => (dollars == null ? null : Math.round(dollars * MICRO));

/** What is absent stays as it is. */
export interface BotChange {
  displayName?: string | null;
  about?: string | null;
  instructions?: string | null;
  model?: string | null;
  temperature?: number | null;
  tools?: BotTool[] | null;
  languages?: string[] | null;
  repliesAnHour?: number | null;
  /** US dollars. */
  costADay?: number | null;
}
export interface CreateBot extends BotChange {
  handle: string;
  displayName: string;
  engine: BotEngine;
  idempotencyKey: string;
}
/** A bot with the token that was made for it. */
export interface BotWithToken {
  bot: BotRow;
  token: string;
}

function checked(change: BotChange): BotChange {
  const result: BotChange = {};
  if (change.displayName != null) result.displayName = cleanDisplayName(change.displayName);
  if (change.about !== undefined) result.about = change.about === null ? null : cleanText(change.about, { field: 'about', maxBytes: MAX_ABOUT, multiline: true });
  if (change.instructions != null) result.instructions = cleanText(change.instructions, { field: 'instructions', maxBytes: MAX_INSTRUCTIONS, multiline: true, minLength: 0 });
  if (change.model !== undefined) result.model = change.model === null ? null : cleanText(change.model, { field: 'model', maxBytes: MAX_MODEL });
  if (change.temperature !== undefined) {
    if (change.temperature !== null && !(change.temperature >= 0 && change.temperature <= 2)) throw invalidInput('temperature', 'A temperature is from 0 to 2.');
    result.temperature = change.temperature;
  }
  if (change.tools != null) result.tools = distinct(change.tools, 'tools', BOT_TOOLS.length);
  if (change.languages != null) result.languages = cleanLanguages(change.languages);
  if (change.repliesAnHour != null) result.repliesAnHour = boundedInt(change.repliesAnHour, 'repliesAnHour', 1, MAX_REPLIES_AN_HOUR);
  if (change.costADay !== undefined) {
    if (change.costADay !== null && !(change.costADay >= 0 && change.costADay <= MAX_COST_A_DAY)) throw invalidInput('costADay', `costADay is from 0 to ${MAX_COST_A_DAY} US dollars.`);
    result.costADay = change.costADay === null ? null : Math.round(change.costADay * MICRO) / MICRO;
  }
  return result;
}

export function cleanLanguages(given: readonly string[]): string[] {
  const languages = distinct(given, 'languages', MAX_LANGUAGES);
  if (!languages.every((language) => /^[a-z]{2}$/.test(language))) throw invalidInput('languages', 'Languages are codes of two letters (ISO 639-1).');
  return languages;
}

/** Bots: users of their own kind, which somebody has made and answers for. What they answer stands in bot-desk.ts. */
export class BotService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: AccessTokens,
    private readonly gate: SessionGate,
  ) {}

  /** Anybody signed in may know of a bot what they may of its user. */
  find(reading: Reading, id: string): Promise<BotRow | null> {
    return reading.load(botById, id);
  }

  /** The viewer's own, the newest first. */
  async listOwn(actor: Actor, args: PageArgs): Promise<Page<BotRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<BotRow>(`select ${BOT_COLUMNS} from bots b where b.owner_id = $1 and b.deleted_at is null and ($2::uuid is null or b.id < $2) order by b.id desc limit $3`, [
      actor.userId, request.from?.[0] ?? null, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.id]);
  }

  async builtIn(): Promise<BotRow | null> {
    const [row] = await this.sql<BotRow>(`select ${BOT_COLUMNS} from bots b where b.owner_id is null`);
    return row ?? null;
  }

  /** Errors: HANDLE_TAKEN, LIMIT_REACHED, FORBIDDEN (a bot), INVALID_INPUT. */
  async create(actor: Actor, { idempotencyKey, handle: givenHandle, engine, ...given }: CreateBot): Promise<BotWithToken> {
    const handle = cleanHandle(givenHandle);
    const change = checked(given);
    // The token is signed anew for a repeat: a secret is kept nowhere.
    const { botId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createBot', idempotencyKey, input: { handle, engine, ...change } }, async (tx) => {
      const [maker] = await tx.sql<{ kind: string }>('select kind from users where id = $1 for no key update', [actor.userId]);
      if (maker?.kind !== 'PERSON') throw forbidden('Bots make no bots.');
      const [owned] = await tx.sql<{ n: number }>('select count(*)::int as n from bots where owner_id = $1 and deleted_at is null', [actor.userId]);
      if (owned!.n >= MAX_BOTS) throw new DomainError('LIMIT_REACHED', `A person has at most ${MAX_BOTS} bots.`);
      const botId = await insertBot(tx, actor.userId, handle, engine, change);
      tellOwner(tx, actor.userId, botId);
      return { botId };
    });
    return this.#withToken(botId);
  }

  /** What is as it was changes nothing. Errors: NOT_FOUND, INVALID_INPUT. */
  async update(actor: Actor, botId: string, given: BotChange): Promise<BotRow> {
    const change = checked(given);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateBot' }, async (tx) => {
      const before = await lockOwnBot(tx, actor, botId);
      const [shown] = await tx.sql<{ displayName: string; about: string | null }>('select display_name as "displayName", about from users where id = $1 for no key update', [botId]);
      const known: Record<string, unknown> = { ...before, ...shown };
      if (Object.entries(change).every(([name, value]) => value === undefined || isDeepStrictEqual(value, known[name]))) return;
      tellOwner(tx, actor.userId, botId);
      const after = { ...before, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) } as BotRow;
      await tx.sql('update bots set instructions = $2, model = $3, temperature = $4, tools = $5, languages = $6, replies_an_hour = $7, cost_a_day = $8 where id = $1', [
        botId, after.instructions, after.model, after.temperature, after.tools, after.languages, after.repliesAnHour, microOf(after.costADay),
      ]);
      if (change.displayName === undefined && change.about === undefined) return;
      await tx.sql('update users set display_name = coalesce($2, display_name), about = case when $4 then $3 else about end, version = version + 1 where id = $1', [
        botId, change.displayName ?? null, change.about ?? null, change.about !== undefined,
      ]);
      tx.changed(USERS, botId);
    });
    return this.#read(botId);
  }

  /** The token before it is good for nothing from now on. Whoever has the new one is in the bot's chats. Errors: NOT_FOUND, FORBIDDEN (an app that may not be there). */
  async rotateToken(actor: Actor, botId: string): Promise<BotWithToken> {
    assertGiven(actor, 'chats:read', 'chats:write');
    const before = await this.unitOfWork.run({ actorId: actor.userId, operation: 'rotateBotToken' }, async (tx) => {
      const { sessionId } = await lockOwnBot(tx, actor, botId);
      await tx.sql(`update sessions set ended_at = $2, end_reason = 'SIGNED_OUT' where id = $1 and ended_at is null`, [sessionId, tx.now]);
      await openSession(tx, botId);
      return { sessionId };
    });
    if (before.sessionId) this.gate.ended([before.sessionId]);
    return this.#withToken(botId);
  }

  /**
   * Brings a bot into a group chat that the actor runs. It sees what comes from now on, or with `seesHistory` what the actor sees. There already: only what it sees may grow.
   * Errors: NOT_FOUND (bot, chat), FORBIDDEN, BLOCKED, LIMIT_REACHED, STATE_CONFLICT (direct).
   */
  async addToChat(actor: Actor, botId: string, chatId: string, seesHistory: boolean): Promise<void> {
    assertGiven(actor, 'chats:read', 'chats:write');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'addBotToChat' }, async (tx) => {
      await bringIn(tx, actor, botId, chatId, seesHistory, async () => {
        const [bot] = await tx.sql<{ ownerId: string | null }>('select owner_id as "ownerId" from bots where id = $1 and deleted_at is null', [botId]);
        if (!bot || (bot.ownerId !== null && bot.ownerId !== actor.userId)) throw new DomainError('NOT_FOUND', 'There is no such bot.', { field: 'botId' });
      });
    });
  }

  /** What the viewer has had bots remember, the newest first. */
  async memories(actor: Actor, args: PageArgs): Promise<Page<MemoryRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<MemoryRow>(
      `select id, bot_id as "botId", chat_id as "chatId", text, created_at as "createdAt" from bot_memories where user_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
      [actor.userId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** Has a bot forget what the actor has had it remember: everywhere, or one thing. Answers how much it was. Errors: NOT_FOUND (bot). */
  async eraseMemory(actor: Actor, botId: string, memoryId: string | null): Promise<number> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'eraseBotMemory' }, async (tx) => {
      const [bot] = await tx.sql('select from bots where id = $1', [botId]);
      if (!bot) throw new DomainError('NOT_FOUND', 'There is no such bot.', { field: 'botId' });
      const gone = await tx.sql('delete from bot_memories where user_id = $1 and bot_id = $2 and ($3::uuid is null or id = $3) returning id', [actor.userId, botId, memoryId]);
      return gone.length;
    });
  }

  async #read(id: string): Promise<BotRow> {
    const [row] = await this.sql<BotRow>(`select ${BOT_COLUMNS} from bots b where b.id = $1`, [id]);
    return row!;
  }

  async #withToken(id: string): Promise<BotWithToken> {
    const [row] = await this.sql<{ sessionId: string; at: Date }>('select s.id as "sessionId", s.created_at as at from bots b join sessions s on s.id = b.session_id where b.id = $1', [id]);
    return { bot: await this.#read(id), token: this.tokens.signForBot(id, row!.sessionId, row!.at) };
  }
}

/** Puts a bot into a group chat that the actor runs; `allowed` throws where it is none of theirs to bring. Errors: NOT_FOUND (chat), FORBIDDEN, BLOCKED, LIMIT_REACHED, STATE_CONFLICT (direct), and those of `allowed`. */
export async function bringIn(tx: Tx, actor: Actor, botId: string, chatId: string, seesHistory: boolean, allowed: () => Promise<void>): Promise<void> {
  const { access, groupId } = await lockChatInGroup(tx, chatId, actor.userId);
  assertIsGroupChat(access);
  assertRuns(access.member.role, 'chat');
  await allowed();
  await assertNotAcrossBlock(tx.sql, actor.userId, [botId], 'botId');
  if (groupId) await admitToGroup(tx, groupId, actor.userId, [botId]);
  await admitMembers(tx, chatId, actor.userId, [botId]);
  if (!seesHistory) return;
  await tx.sql(
    `update chat_members b set visible_from_seq = least(b.visible_from_seq, a.visible_from_seq), visible_from_pos = least(b.visible_from_pos, a.visible_from_pos)
     from chat_members a where b.chat_id = $1 and b.user_id = $2 and a.chat_id = $1 and a.user_id = $3`,
    [chatId, botId, actor.userId],
  );
  await tx.sql('update chats set acl_version = acl_version + 1 where id = $1', [chatId]);
}

/** A bot of the actor's, locked. Whose it is not, is told that there is none. */
export async function lockOwnBot(tx: Tx, actor: Actor, botId: string): Promise<BotRow> {
  const [bot] = await tx.sql<BotRow>(`select ${BOT_COLUMNS} from bots b where b.id = $1 and b.deleted_at is null for update`, [botId]);
  if (!bot || bot.ownerId !== actor.userId) throw notFound('bot');
  return bot;
}

/** Writes a bot and its user. Errors: HANDLE_TAKEN. */
export async function insertBot(tx: Tx, ownerId: string | null, handle: string, engine: BotEngine, change: BotChange): Promise<string> {
  const id = newId();
  const made = await tx.sql(
    `insert into users (id, kind, handle, handle_key, display_name, about, presence_privacy, find_by_phone, discoverable, created_at)
     values ($1, 'BOT', $2, lower($2), $3, $4, 'EVERYONE', false, $5, $6) on conflict (handle_key) do nothing returning id`,
    [id, handle, change.displayName ?? handle, change.about ?? null, ownerId === null, tx.now],
  );
  if (!made.length) throw handleTaken();
  await tx.sql(
    `insert into bots (id, owner_id, engine, instructions, model, temperature, tools, languages, replies_an_hour, created_at, cost_a_day) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      id, ownerId, engine, change.instructions ?? '', change.model ?? null, change.temperature ?? null, change.tools ?? ['SEARCH_MESSAGES', 'CALCULATOR', 'DATE', 'REMEMBER'],
      change.languages ?? [], change.repliesAnHour ?? DEFAULT_REPLIES_AN_HOUR, tx.now, microOf(change.costADay),
    ],
  );
  await openSession(tx, id);
  return id;
}

/** What a bot's token is good for: it ends with the next rotation, and not before. */
async function openSession(tx: Tx, botId: string): Promise<void> {
  const sessionId = newId();
  await tx.sql(`insert into sessions (id, user_id, device, created_at, last_active_at) values ($1, $2, 'bot token', $3, $3)`, [sessionId, botId, tx.now]);
  await tx.sql('update bots set session_id = $2 where id = $1', [botId, sessionId]);
}
