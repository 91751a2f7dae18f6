import type { ChatEncryption, ChatKind } from '../../entities/chat.js';
import type { MemberRole } from '../../entities/chat-member.js';
import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';

export interface ChatRow {
  id: string;
  kind: ChatKind;
  encryption: ChatEncryption;
  title: string | null;
  avatarUrl: string | null;
  groupId: string | null;
  /** Of a direct chat: both members' ids, joined by a colon. */
  directKey: string | null;
  lastSeq: number;
  lastMessageAt: Date;
  memberCount: number;
  aclVersion: number;
  slowModeSeconds: number;
  messageTtlSeconds: number | null;
  sentiment: boolean;
  createdAt: Date;
}

export const CHAT_COLUMNS = `c.id, c.kind, c.encryption, c.title, c.avatar_url as "avatarUrl", c.group_id as "groupId", c.direct_key as "directKey", c.last_seq as "lastSeq",
  c.last_message_at as "lastMessageAt", c.member_count as "memberCount", c.acl_version as "aclVersion", c.slow_mode_seconds as "slowModeSeconds",
  c.message_ttl_seconds as "messageTtlSeconds", c.sentiment, c.created_at as "createdAt"`;

export interface MemberRow {
  chatId: string;
  userId: string;
  role: MemberRole;
  joinedAt: Date;
  visibleFromSeq: number;
  visibleFromPos: number;
  lastReadSeq: number;
  lastDeliveredSeq: number;
  mutedUntil: Date | null;
  silencedUntil: Date | null;
  pinnedAt: Date | null;
  archivedAt: Date | null;
  draft: string | null;
  draftUpdatedAt: Date | null;
}

export const MEMBER_COLUMNS = `m.chat_id as "chatId", m.user_id as "userId", m.role, m.joined_at as "joinedAt", m.visible_from_seq as "visibleFromSeq",
  m.visible_from_pos::int8::float8 as "visibleFromPos", m.last_read_seq as "lastReadSeq", m.last_delivered_seq as "lastDeliveredSeq", m.muted_until as "mutedUntil", m.silenced_until as "silencedUntil",
  m.pinned_at as "pinnedAt", m.archived_at as "archivedAt", m.draft, m.draft_updated_at as "draftUpdatedAt"`;

const CHATS_BY_ID = keyed<ChatRow>(`select ${CHAT_COLUMNS} from chats c where c.id = any($1)`);

/** A chat, whoever asks: what may be seen of it is the caller's question. */
export const chatById: LoaderDef<string, ChatRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await CHATS_BY_ID(sql, ids), (row) => row.id);
  },
};

const MEMBERSHIPS = keyed<MemberRow>(`select ${MEMBER_COLUMNS} from chat_members m where m.chat_id = any($1) and m.user_id = $2`);

/** The viewer's own membership of a chat, by the chat's id. */
export const viewerMembership: LoaderDef<string, MemberRow> = {
  async batch(chatIds, { sql, viewerId }) {
    if (!viewerId) return chatIds.map(() => null);
    return inOrder(chatIds, await MEMBERSHIPS(sql, chatIds, viewerId), (row) => row.chatId);
  },
  acrossViewers: (pairs, deps) => chatMember.batch(pairs.map(({ viewerId, key }) => ({ chatId: key, userId: viewerId })), { ...deps, viewerId: null }),
};

const CHATS_OF_MEMBER = keyed<ChatRow & MemberRow>(
  `select ${MEMBER_COLUMNS}, ${CHAT_COLUMNS} from chat_members m join chats c on c.id = m.chat_id where m.chat_id = any($1) and m.user_id = $2`,
);

/** A chat that the viewer is in, with the membership, in one reading. */
export const viewerChat: LoaderDef<string, { chat: ChatRow; member: MemberRow }> = {
  async batch(ids, { sql, viewerId }) {
    if (!viewerId) return ids.map(() => null);
    return inOrder(ids, await CHATS_OF_MEMBER(sql, ids, viewerId), (row) => row.id).map((row) => row && { chat: row, member: row });
  },
};

export interface MemberKey {
  chatId: string;
  userId: string;
}
export const memberKey = ({ chatId, userId }: MemberKey): string => `${chatId} ${userId}`;

export const chatMember: LoaderDef<MemberKey, MemberRow> = {
  keyOf: memberKey,
  async batch(keys, { sql }) {
    const [first, another] = keys;
    if (!another) return MEMBERSHIPS(sql, [first!.chatId], first!.userId).then(([row]) => [row ?? null]);
    const rows = await sql<MemberRow>(
      `select ${MEMBER_COLUMNS} from unnest($1::uuid[], $2::uuid[]) k(chat_id, user_id) join chat_members m on m.chat_id = k.chat_id and m.user_id = k.user_id`,
      [keys.map((key) => key.chatId), keys.map((key) => key.userId)],
    );
    return inOrder(keys, rows, memberKey, memberKey);
  },
};
