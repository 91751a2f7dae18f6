import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { BotCategory, VersionState } from '../../entities/bot-version.js';
import { DomainError, forbidden, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import { assertMay, may } from '../../policies/role-policy.js';
import type { Actor } from '../actor.js';
import { audit } from '../audit.js';
import type { BotRow } from '../loaders/bots.js';
import { VERSION_COLUMNS, type VersionRow } from '../loaders/marketplace.js';
import { cleanLanguages, lockOwnBot } from './bots.js';
import { tellOwner } from './owner-news.js';

const MAX_DESCRIPTION = 4_096;
const MAX_REASON = 2_048;
const MAX_VERSIONS = 1_000;

export interface Publish {
  botId: string;
  category: BotCategory;
  description: string;
  /** None: those of the bot. */
  languages: string[] | null;
  idempotencyKey: string;
}

/** What is published of bots, and by whose leave. A version is what was handed in, as it was then; the one that was approved last is what others than its owner are served. */
export class BotPublishing {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Hands a bot in as it is now. One that waits already gives way; what is listed stays, until this is approved. Errors: NOT_FOUND, STATE_CONFLICT (of an external program), LIMIT_REACHED, INVALID_INPUT. */
  async publish(actor: Actor, { idempotencyKey, ...given }: Publish): Promise<VersionRow> {
    const description = cleanText(given.description, { field: 'description', maxBytes: MAX_DESCRIPTION, multiline: true });
    const languages = given.languages && cleanLanguages(given.languages);
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'publishBot', idempotencyKey, input: { ...given, description } }, async (tx) => {
      const bot = await lockOwnBot(tx, actor, given.botId);
      if (bot.engine !== 'BUILT_IN') throw new DomainError('STATE_CONFLICT', 'What a program answers can not be looked at: only bots for which this server answers are published.', { field: 'botId' });
      await tx.sql(`update bot_versions set state = 'WITHDRAWN', decided_at = $2 where bot_id = $1 and state = 'PENDING'`, [bot.id, tx.now]);
      const [last] = await tx.sql<{ number: number }>('select coalesce(max(number), 0)::int as number from bot_versions where bot_id = $1', [bot.id]);
      if (last!.number >= MAX_VERSIONS) throw new DomainError('LIMIT_REACHED', `A bot has at most ${MAX_VERSIONS} versions.`);
      return { id: await insertVersion(tx, bot, last!.number + 1, { category: given.category, description, languages: languages ?? bot.languages }) };
    });
    return this.#read(id);
  }

  /** By somebody who moderates the place, and not about their own. The same decision again changes nothing. Errors: FORBIDDEN, NOT_FOUND, STATE_CONFLICT (decided otherwise, or withdrawn), INVALID_INPUT (no reason for a refusal). */
  async review(actor: Actor, versionId: string, decision: 'APPROVE' | 'REJECT', given: string | null): Promise<VersionRow> {
    assertMay(actor, 'MODERATE');
    const reason = given === null ? null : cleanText(given, { field: 'reason', maxBytes: MAX_REASON, multiline: true });
    if (decision === 'REJECT' && reason === null) throw invalidInput('reason', 'Whoever made it wants to know why.');
    const state: VersionState = decision === 'APPROVE' ? 'APPROVED' : 'REJECTED';
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'reviewBotVersion' }, async (tx) => {
      const [known] = await tx.sql<{ botId: string; ownerId: string }>('select v.bot_id as "botId", b.owner_id as "ownerId" from bot_versions v join bots b on b.id = v.bot_id where v.id = $1', [versionId]);
      if (!known) throw new DomainError('NOT_FOUND', 'There is no such version.', { field: 'versionId' });
      if (known.ownerId === actor.userId) throw forbidden('Nobody decides about their own.');
      await tx.sql('select from bots where id = $1 for update', [known.botId]);
      const [version] = await tx.sql<{ state: VersionState }>('select state from bot_versions where id = $1 for update', [versionId]);
      if (version!.state === state) return null;
      if (version!.state !== 'PENDING') throw new DomainError('STATE_CONFLICT', `The version is ${version!.state.toLowerCase()}.`);
      await tx.sql('update bot_versions set state = $2, decided_by = $3, decided_at = $4, reason = $5 where id = $1', [versionId, state, actor.userId, tx.now, reason]);
      if (state === 'APPROVED') await list(tx, versionId);
      tellOwner(tx, known.ownerId, known.botId);
      await audit(tx, { actorId: actor.userId, action: 'BOT_VERSION_DECIDED', subject: { type: 'Bot', id: known.botId }, details: { decision, reason } });
      return null;
    });
    return this.#read(versionId);
  }

  /** By its owner, or with a reason by somebody who moderates: it is found no more, and silent where others have installed it. Errors: NOT_FOUND, INVALID_INPUT. */
  async unlist(actor: Actor, botId: string, given: string | null): Promise<void> {
    const reason = given === null ? null : cleanText(given, { field: 'reason', maxBytes: MAX_REASON, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'unlistBot' }, async (tx) => {
      const [bot] = await tx.sql<{ ownerId: string | null }>('select owner_id as "ownerId" from bots where id = $1 for update', [botId]);
      const own = bot?.ownerId === actor.userId;
      if (!bot || (!own && !may(actor, 'MODERATE'))) throw notFound('bot');
      if (!own && reason === null) throw invalidInput('reason', 'Whoever made it wants to know why.');
      const taken = await tx.sql('update bot_listings set unlisted_at = $2 where bot_id = $1 and unlisted_at is null returning 1', [botId, tx.now]);
      const waiting = await tx.sql(`update bot_versions set state = 'WITHDRAWN', decided_at = $2, reason = $3 where bot_id = $1 and state = 'PENDING' returning 1`, [botId, tx.now, reason]);
      if (taken.length + waiting.length && bot.ownerId) tellOwner(tx, bot.ownerId, botId);
      if (!own && taken.length + waiting.length) await audit(tx, { actorId: actor.userId, action: 'BOT_UNLISTED', subject: { type: 'Bot', id: botId }, details: { reason } });
      return null;
    });
  }

  /** What waits to be looked at, the oldest first. Errors: FORBIDDEN. */
  async queue(actor: Actor, args: PageArgs): Promise<Page<VersionRow>> {
    assertMay(actor, 'MODERATE');
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<VersionRow>(`select ${VERSION_COLUMNS} from bot_versions v where v.state = 'PENDING' and ($1::uuid is null or v.id > $1) order by v.id limit $2`, [request.from?.[0] ?? null, request.limit]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** Of a bot of the actor's, or for those who moderate of any: the newest first. Errors: NOT_FOUND. */
  async versions(actor: Actor, botId: string, args: PageArgs): Promise<Page<VersionRow>> {
    const request = pageRequest(args, ['uuid']);
    const [bot] = await this.sql<{ ownerId: string | null }>('select owner_id as "ownerId" from bots where id = $1', [botId]);
    if (!bot || (bot.ownerId !== actor.userId && !may(actor, 'MODERATE'))) throw notFound('bot');
    const rows = await this.sql<VersionRow>(`select ${VERSION_COLUMNS} from bot_versions v where v.bot_id = $1 and ($2::uuid is null or v.id < $2) order by v.id desc limit $3`, [botId, request.from?.[0] ?? null, request.limit]);
    return toPage(rows, request, (row) => [row.id]);
  }

  async #read(id: string): Promise<VersionRow> {
    const [row] = await this.sql<VersionRow>(`select ${VERSION_COLUMNS} from bot_versions v where v.id = $1`, [id]);
    return row!;
  }
}

async function insertVersion(tx: Tx, bot: BotRow, number: number, { category, description, languages }: { category: BotCategory; description: string; languages: string[] }): Promise<string> {
  const id = newId();
  await tx.sql(
    `insert into bot_versions (id, bot_id, number, category, description, languages, instructions, model, temperature, tools, passages, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (select coalesce(sum(passages), 0) from bot_knowledge where bot_id = $2), $11)`,
    [id, bot.id, number, category, description, languages, bot.instructions, bot.model, bot.temperature, bot.tools, tx.now],
  );
  return id;
}

/** Makes an approved version what is found, and what those are served who have installed the bot. */
async function list(tx: Tx, versionId: string): Promise<void> {
  await tx.sql(
    `insert into bot_listings as l (bot_id, version_id, category, languages, words, listed_at)
     select v.bot_id, v.id, v.category, v.languages, setweight(to_tsvector('simple', u.display_name || ' ' || u.handle), 'A') || setweight(to_tsvector('simple', v.description), 'B'), $2
     from bot_versions v join users u on u.id = v.bot_id where v.id = $1
     on conflict (bot_id) do update set version_id = excluded.version_id, category = excluded.category, languages = excluded.languages, words = excluded.words, unlisted_at = null,
       listed_at = case when l.unlisted_at is null then l.listed_at else excluded.listed_at end`,
    [versionId, tx.now],
  );
}
