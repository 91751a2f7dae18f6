import type { Sql } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { chatStream, userStream } from '../events/catalogue.js';
import { DomainError, invalidInput, notFound } from '../lib/errors.js';
import { boundedInt, cleanText } from '../lib/validate.js';
import { assertCanUpdateChat, type ChatAccess } from '../policies/chat-policy.js';
import type { Actor } from './actor.js';
import { bumpAcl, lockChat } from './chat-access.js';
import { MAX_TITLE_BYTES } from './chats.js';
import { changeAvatar, cleanAvatar } from './files/avatars.js';
import { CHAT_COLUMNS, type ChatRow } from './loaders/chats.js';
import { MAX_SLOW_MODE } from './membership.js';
import { writeSystemMessage } from './message-writer.js';

const MIN_TTL = 5;
const MAX_TTL = 365 * 24 * 3_600;
const MAX_PINNED = 20;
const MAX_DRAFT_BYTES = 16 * 1024;
/** Muted until somebody unmutes it. */
export const FOREVER = new Date('9999-12-31T00:00:00Z');

/** What is absent stays as it is. */
export interface UpdateChat {
  chatId: string;
  title?: string | null;
  avatarUrl?: string | null;
  avatarFileId?: string | null;
  slowModeSeconds?: number | null;
  /** Null: messages stay. */
  messageTtlSeconds?: number | null;
  sentiment?: boolean | null;
}

export interface UpdateChatSettings {
  chatId: string;
  muted?: boolean | null;
  mutedUntil?: Date | null;
  pinned?: boolean | null;
  archived?: boolean | null;
  /** Null or empty: there is none any more. */
  draft?: string | null;
}

/** What a chat is like for all, and what it is like for one member. */
export class ChatSettingsService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Errors: NOT_FOUND, FORBIDDEN, BLOCKED, INVALID_INPUT. */
  async update(actor: Actor, input: UpdateChat): Promise<ChatRow> {
    const { chatId } = input;
    const change = checkedChange(input);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateChat' }, async (tx) => {
      const access = await lockChat(tx.sql, chatId, actor.userId);
      assertCanUpdateChat(access);
      if (access.chat.kind === 'DIRECT') assertFitsDirect(change);
      const [before] = await tx.sql<ChatRow>(`select ${CHAT_COLUMNS} from chats c where c.id = $1`, [chatId]);
      const after = { ...before!, ...change };
      const moved = (Object.keys(change) as (keyof Change)[]).filter((key) => before![key] !== after[key]);
      if (!moved.length) return;
      await tx.sql('update chats set title = $2, avatar_url = $3, slow_mode_seconds = $4, message_ttl_seconds = $5, sentiment = $6, version = version + 1 where id = $1', [
        chatId, after.title, after.avatarUrl, after.slowModeSeconds, after.messageTtlSeconds, after.sentiment,
      ]);
      if (moved.includes('avatarUrl')) await changeAvatar(tx, actor.userId, { before: before!.avatarUrl, after: after.avatarUrl }, 'CHAT_AVATAR', chatId);
      await bumpAcl(tx.sql, chatId);
      tx.append(chatStream(chatId), { kind: 'chat.updated' });
      await this.#tell(tx, access, actor.userId, after, moved);
    });
    const [chat] = await this.sql<ChatRow>(`select ${CHAT_COLUMNS} from chats c where c.id = $1`, [chatId]);
    return chat!;
  }

  async #tell(tx: Tx, access: ChatAccess, actorId: string, after: ChatRow, moved: (keyof Change)[]): Promise<void> {
    const say = (action: 'TITLE_CHANGED' | 'AVATAR_CHANGED' | 'MESSAGE_TTL_CHANGED', value: string | null) =>
      writeSystemMessage(tx, access.chat.id, actorId, { action, subjectIds: [], value });
    if (moved.includes('title')) await say('TITLE_CHANGED', after.title);
    if (moved.includes('avatarUrl')) await say('AVATAR_CHANGED', null);
    if (moved.includes('messageTtlSeconds')) await say('MESSAGE_TTL_CHANGED', after.messageTtlSeconds === null ? null : String(after.messageTtlSeconds));
  }

  /** The actor's own settings of a chat that they are in. Errors: NOT_FOUND, LIMIT_REACHED (pinned chats), ENCRYPTED_CHAT (a draft), INVALID_INPUT. */
  async updateOwn(actor: Actor, input: UpdateChatSettings): Promise<void> {
    const { chatId } = input;
    const mutedUntil = muting(input);
    const draft = input.draft == null || input.draft.trim() === '' ? null : cleanText(input.draft, { field: 'draft', maxBytes: MAX_DRAFT_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateChatSettings' }, async (tx) => {
      // Pins are counted over all chats: one person's are changed one after another.
      if (input.pinned) await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [was] = await tx.sql<OwnSettings>(
        `select muted_until as "mutedUntil", pinned_at as "pinnedAt", archived_at as "archivedAt", draft, draft_updated_at as "draftUpdatedAt"
         from chat_members where chat_id = $1 and user_id = $2 for update`,
        [chatId, actor.userId],
      );
      if (!was) throw notFound('chat');
      if (draft !== null) await assertKeepsDrafts(tx, chatId);
      const now: OwnSettings = { ...was };
      if (mutedUntil !== undefined) now.mutedUntil = mutedUntil;
      if (input.pinned != null && input.pinned !== (was.pinnedAt !== null)) now.pinnedAt = input.pinned ? tx.now : null;
      if (input.archived != null && input.archived !== (was.archivedAt !== null)) now.archivedAt = input.archived ? tx.now : null;
      if (input.draft !== undefined && draft !== was.draft) Object.assign(now, { draft, draftUpdatedAt: tx.now });
      if (JSON.stringify(now) === JSON.stringify(was)) return;
      if (now.pinnedAt && !was.pinnedAt) await assertRoomForPin(tx, actor.userId);
      await tx.sql('update chat_members set muted_until = $3, pinned_at = $4, archived_at = $5, draft = $6, draft_updated_at = $7 where chat_id = $1 and user_id = $2', [
        chatId, actor.userId, now.mutedUntil, now.pinnedAt, now.archivedAt, now.draft, now.draftUpdatedAt,
      ]);
      tx.append(userStream(actor.userId), { kind: 'chat.settings', chatId });
    });
  }
}

type Change = Partial<Pick<ChatRow, 'title' | 'avatarUrl' | 'slowModeSeconds' | 'messageTtlSeconds' | 'sentiment'>>;
interface OwnSettings {
  mutedUntil: Date | null;
  pinnedAt: Date | null;
  archivedAt: Date | null;
  draft: string | null;
  draftUpdatedAt: Date | null;
}

function checkedChange({ title, slowModeSeconds, messageTtlSeconds, sentiment, ...input }: UpdateChat): Change {
  const change: Change = {};
  if (title !== undefined) change.title = title === null ? null : cleanText(title, { field: 'title', maxBytes: MAX_TITLE_BYTES });
  const avatarUrl = cleanAvatar(input);
  if (avatarUrl !== undefined) change.avatarUrl = avatarUrl;
  if (slowModeSeconds != null) change.slowModeSeconds = boundedInt(slowModeSeconds, 'slowModeSeconds', 0, MAX_SLOW_MODE);
  if (messageTtlSeconds !== undefined) change.messageTtlSeconds = messageTtlSeconds === null ? null : boundedInt(messageTtlSeconds, 'messageTtlSeconds', MIN_TTL, MAX_TTL);
  if (sentiment != null) change.sentiment = sentiment;
  return change;
}

/** Two people have no title, avatar or slow mode; either may let messages disappear. */
function assertFitsDirect(change: Change): void {
  for (const field of ['title', 'avatarUrl', 'slowModeSeconds'] as const) {
    if (change[field] !== undefined) throw invalidInput(field, `A direct chat has no ${field}.`);
  }
}

/** When the muting ends; null: not muted; undefined: stays as it is. */
function muting({ muted, mutedUntil }: UpdateChatSettings): Date | null | undefined {
  if (muted === false) {
    if (mutedUntil != null) throw invalidInput('mutedUntil', 'mutedUntil goes with muted: true.');
    return null;
  }
  if (mutedUntil != null) {
    if (mutedUntil > FOREVER) throw invalidInput('mutedUntil', 'mutedUntil is too far away; leave it out to mute for good.');
    return mutedUntil;
  }
  return muted === true ? FOREVER : mutedUntil;
}

async function assertKeepsDrafts(tx: Tx, chatId: string): Promise<void> {
  const encrypted = await tx.sql(`select from chats where id = $1 and encryption <> 'NONE'`, [chatId]);
  if (encrypted.length) throw new DomainError('ENCRYPTED_CHAT', 'What is begun in an end-to-end encrypted chat stays on the device.', { field: 'draft' });
}

async function assertRoomForPin(tx: Tx, userId: string): Promise<void> {
  const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from chat_members where user_id = $1 and pinned_at is not null', [userId]);
  if (row!.n >= MAX_PINNED) throw new DomainError('LIMIT_REACHED', `At most ${MAX_PINNED} chats are pinned.`, { field: 'pinned' });
}
