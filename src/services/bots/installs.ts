import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, forbidden } from '../../lib/errors.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { assertIsGroupChat } from '../../policies/chat-policy.js';
import { assertRuns } from '../../policies/member-policy.js';
import { assertGiven } from '../../policies/scopes.js';
import type { Actor } from '../actor.js';
import { lockChat } from '../chat-access.js';
import { directChat } from '../chats.js';
import { lockChatInGroup } from '../group-membership.js';
import type { BotRow } from '../loaders/bots.js';
import { RATING_COLUMNS, type RatingRow } from '../loaders/marketplace.js';
import { assertNotAcrossBlock, takeOut } from '../membership.js';
import { lockPairs } from '../pairs.js';
import { bringIn } from './bots.js';

const MAX_TEXT = 2_048;

export interface InstallRow {
  botId: string;
  chatId: string;
  createdAt: Date;
}

/** Where published bots work for others than those who made them, and what these think of them. */
export class BotInstalls {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Into a group chat that the actor runs, or, without one, into the actor's direct chat with it. Counted once for each chat. Errors: NOT_FOUND (bot, chat), FORBIDDEN (one's own; a chat that one does not run), BLOCKED,
   * STATE_CONFLICT (a direct chat), LIMIT_REACHED.
   */
  async install(actor: Actor, botId: string, chatId: string | null): Promise<string> {
    assertGiven(actor, 'chats:read', 'chats:write');
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'installBot' }, async (tx) => {
      const [bot] = await tx.sql<{ ownerId: string | null; kind: string }>(
        `select b.owner_id as "ownerId", p.kind from bot_listings l join bots b on b.id = l.bot_id join users u on u.id = b.id and u.suspended_at is null join users p on p.id = $2 where l.bot_id = $1 and l.unlisted_at is null`, [botId, actor.userId],
      );
      if (!bot) throw noListing();
      if (bot.ownerId === actor.userId || bot.kind !== 'PERSON') throw forbidden('A bot is there for whoever made it already, and bots install none.');
      const into = chatId ?? (await openDirect(tx, actor.userId, botId));
      if (chatId !== null) await bringIn(tx, actor, botId, chatId, false, async () => undefined);
      await tx.sql('select from bot_listings where bot_id = $1 for update', [botId]);
      const made = await tx.sql('insert into bot_installs (bot_id, chat_id, user_id, created_at) values ($1, $2, $3, $4) on conflict do nothing returning 1', [botId, into, actor.userId, tx.now]);
      if (made.length) await tx.sql('update bot_listings set installs = installs + 1 where bot_id = $1', [botId]);
      return into;
    });
  }

  /** Out of a group chat that the actor runs, which it leaves, or out of the direct chat with it, where it answers no more. Does nothing where it is not installed. Errors: NOT_FOUND (bot, chat), FORBIDDEN, STATE_CONFLICT. */
  async uninstall(actor: Actor, botId: string, chatId: string | null): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'uninstallBot' }, async (tx) => {
      const [listing] = await tx.sql('select from bot_listings where bot_id = $1', [botId]);
      if (!listing) throw noListing();
      if (chatId !== null) {
        const { access } = await lockChatInGroup(tx, chatId, actor.userId);
        assertIsGroupChat(access);
        assertRuns(access.member.role, 'chat');
      }
      await tx.sql('select from bot_listings where bot_id = $1 for update', [botId]);
      const gone = await tx.sql<{ chatId: string }>(
        `delete from bot_installs i using chats c where i.bot_id = $1 and c.id = i.chat_id and case when $3::uuid is null then c.kind = 'DIRECT' and i.user_id = $2 else i.chat_id = $3 end returning i.chat_id as "chatId"`, [botId, actor.userId, chatId],
      );
      if (gone.length) await tx.sql('update bot_listings set installs = installs - 1 where bot_id = $1', [botId]);
      if (gone.length && chatId !== null) await takeOut(tx, chatId, botId, actor.userId);
    });
  }

  /** What the actor has installed, the newest first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<InstallRow>> {
    const request = pageRequest(args, ['time', 'uuid', 'uuid']);
    const [at, bot, chat] = request.from ?? [null, null, null];
    const rows = await this.sql<InstallRow>(
      `select bot_id as "botId", chat_id as "chatId", created_at as "createdAt" from bot_installs where user_id = $1 and ($2::timestamptz is null or (created_at, bot_id, chat_id) < ($2, $3::uuid, $4::uuid))
       order by created_at desc, bot_id desc, chat_id desc limit $5`,
      [actor.userId, at === null ? null : new Date(at as number), bot, chat, request.limit],
    );
    return toPage(rows, request, (row) => [row.createdAt.getTime(), row.botId, row.chatId]);
  }

  /** One of each person who has installed it; another replaces it. Errors: NOT_FOUND (bot), FORBIDDEN (not installed), INVALID_INPUT. */
  async rate(actor: Actor, botId: string, stars: number, given: string | null): Promise<RatingRow> {
    boundedInt(stars, 'stars', 1, 5);
    const text = given === null ? null : cleanText(given, { field: 'text', maxBytes: MAX_TEXT, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'rateBot' }, async (tx) => {
      const [listing] = await tx.sql('select from bot_listings where bot_id = $1 and unlisted_at is null for update', [botId]);
      if (!listing) throw noListing();
      const [installed] = await tx.sql('select from bot_installs where bot_id = $1 and user_id = $2 limit 1', [botId, actor.userId]);
      if (!installed) throw forbidden('Only whoever has installed a bot rates it.');
      const [before] = await tx.sql<{ stars: number; text: string | null }>('select stars, text from bot_ratings where bot_id = $1 and user_id = $2', [botId, actor.userId]);
      if (before?.stars === stars && before.text === text) return;
      await tx.sql('insert into bot_ratings (bot_id, user_id, stars, text, created_at, updated_at) values ($1, $2, $3, $4, $5, $5) on conflict (bot_id, user_id) do update set stars = $3, text = $4, updated_at = $5', [botId, actor.userId, stars, text, tx.now]);
      await tx.sql('update bot_listings set rating_sum = rating_sum + $2, rating_count = rating_count + $3 where bot_id = $1', [botId, stars - (before?.stars ?? 0), before ? 0 : 1]);
    });
    const [row] = await this.sql<RatingRow>(`select ${RATING_COLUMNS} from bot_ratings r where r.bot_id = $1 and r.user_id = $2`, [botId, actor.userId]);
    return row!;
  }
}

const noListing = (): DomainError => new DomainError('NOT_FOUND', 'There is no such bot to be installed.', { field: 'botId' });

async function openDirect(tx: Tx, userId: string, botId: string): Promise<string> {
  await lockPairs(tx.sql, userId, [botId]);
  await assertNotAcrossBlock(tx.sql, userId, [botId], 'botId');
  const chatId = await directChat(tx, userId, botId);
  await lockChat(tx.sql, chatId, userId);
  return chatId;
}

/** How a bot is served in a chat: as its owner has it now where they are; elsewhere as it was when its listed version was looked at. */
export async function servedAs<Bot extends BotRow>(sql: Sql, bot: Bot, chatId: string): Promise<Bot> {
  const [version] = await sql<Pick<BotRow, 'instructions' | 'model' | 'temperature' | 'tools' | 'languages'>>(
    `select v.instructions, v.model, v.temperature, v.tools, v.languages from bot_installs i join bot_listings l on l.bot_id = i.bot_id and l.unlisted_at is null join bot_versions v on v.id = l.version_id
     where i.bot_id = $1 and i.chat_id = $2 and not exists (select from chat_members o where o.chat_id = $2 and o.user_id = $3)`,
    [bot.id, chatId, bot.ownerId],
  );
  return version ? { ...bot, ...version } : bot;
}
