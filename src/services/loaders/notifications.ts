import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { NotificationKind, NotificationLevel } from '../../entities/notification.js';
import { defaultLevel } from '../../policies/notification-policy.js';

export interface NotificationRow {
  id: string;
  userId: string;
  kind: NotificationKind;
  chatId: string | null;
  seq: number | null;
  actorId: string | null;
  callId: string | null;
  groupId: string | null;
  webhookId: string | null;
  productId: string | null;
  dataExportId: string | null;
  /** Of messages see `messagesOf`. */
  count: number;
  createdAt: Date;
  read: boolean;
}

/** Reading its message reads a notification. `n` and, of the chat that it is about, the membership `cm`. */
export const IS_READ = `(n.read_at is not null or (n.seq <= cm.last_read_seq and n.kind <> 'REACTION'))`;
export const FROM_NOTIFICATIONS = 'notifications n left join chat_members cm on cm.chat_id = n.chat_id and cm.user_id = n.user_id';
export const NOTIFICATION_COLUMNS = `n.id, n.user_id as "userId", n.kind, n.chat_id as "chatId", n.seq, n.actor_id as "actorId", n.call_id as "callId", n.group_id as "groupId", n.webhook_id as "webhookId", n.product_id as "productId", n.data_export_id as "dataExportId",
  n.count, n.created_at as "createdAt", coalesce(${IS_READ}, false) as read`;

/** Whosever it is: what may be seen of it is the caller's question. */
export const notificationById: LoaderDef<string, NotificationRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<NotificationRow>(`select ${NOTIFICATION_COLUMNS} from ${FROM_NOTIFICATIONS} where n.id = any($1)`, [ids]), (row) => row.id);
  },
};

/** Counted up to here. */
export const MAX_UNREAD_NOTIFICATIONS = 99;

/** How many a person has not read, by the person. */
export const unreadNotificationsOf: LoaderDef<string, { id: string; count: number }> = {
  async batch(ids, { sql }) {
    const rows = await sql<{ id: string; count: number }>(
      `select k.id, c.count from unnest($1::uuid[]) k(id) cross join lateral (
         select count(*)::int as count from (select from ${FROM_NOTIFICATIONS} where n.user_id = k.id and n.read_at is null and ${IS_READ} is not true limit $2) u) c`,
      [ids, MAX_UNREAD_NOTIFICATIONS],
    );
    return inOrder(ids, rows, (row) => row.id);
  },
};

/** Of a notification of new messages: how many there are from the first on that others have written in the main history. */
export const messagesOf: LoaderDef<string, { id: string; count: number }> = {
  async batch(ids, { sql, now }) {
    const rows = await sql<{ id: string; count: number }>(
      `select n.id, c.count from notifications n cross join lateral (
         select count(*)::int as count from (
           select from messages x where x.chat_id = n.chat_id and x.seq >= n.seq and x.sender_id <> n.user_id and x.kind <> 'SYSTEM' and x.thread_root_seq is null
             and x.deleted_at is null and (x.expires_at is null or x.expires_at > $2) limit $3) u) c
       where n.id = any($1)`,
      [ids, now, MAX_UNREAD_NOTIFICATIONS],
    );
    return inOrder(ids, rows, (row) => row.id);
  },
};

/** What the viewer is told of a chat, by the chat's id: as they have chosen, or as by default. */
export const viewerLevel: LoaderDef<string, { chatId: string; level: NotificationLevel; chosen: boolean }> = {
  async batch(chatIds, { sql, viewerId }) {
    const rows = await sql<{ chatId: string; kind: 'DIRECT' | 'GROUP'; memberCount: number; level: NotificationLevel | null }>(
      `select c.id as "chatId", c.kind, c.member_count as "memberCount", l.level from chats c left join notification_levels l on l.chat_id = c.id and l.user_id = $2 where c.id = any($1)`,
      [chatIds, viewerId],
    );
    return inOrder(chatIds, rows.map(({ level, ...chat }) => ({ chatId: chat.chatId, level: level ?? defaultLevel(chat), chosen: level !== null })), (row) => row.chatId);
  },
};
