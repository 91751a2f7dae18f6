import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { MESSAGE_COLUMNS, shown, type MessageRow } from './messages.js';

/** Counted up to here; one more is told as "and more". */
export const MAX_UNREAD = 99;

/**
 * What of a message `x` counts as unread for the person `$2` at the time `$3`: not their own, not a system message, not
 * deleted or disappeared, not in a thread, not hidden by them.
 */
export const COUNTABLE = `x.sender_id <> $2 and x.kind <> 'SYSTEM' and x.deleted_at is null and (x.expires_at is null or x.expires_at > $3) and x.thread_root_seq is null
  and not exists (select from message_marks h where h.chat_id = x.chat_id and h.seq = x.seq and h.user_id = $2 and h.hidden_at is not null)`;

export interface Unread {
  chatId: string;
  /** 0 to 99. */
  count: number;
  /** There are more than 99. */
  capped: boolean;
  /** How many of the unread name the viewer; 0 to 99. */
  mentions: number;
}

/** How much the viewer has not read, by the chat's id. */
export const unreadOf: LoaderDef<string, Unread> = {
  async batch(chatIds, { sql, viewerId, now }) {
    const rows = await sql<{ chat_id: string; n: number; mentions: number }>(
      `select m.chat_id, u.n, a.n as mentions
       from chat_members m
       cross join lateral (select count(*)::int as n from (
         select from messages x where x.chat_id = m.chat_id and x.seq > greatest(m.last_read_seq, m.visible_from_seq - 1) and ${COUNTABLE} limit $4) c) u
       cross join lateral (select count(*)::int as n from (
         select from messages x where x.chat_id = m.chat_id and x.seq > greatest(m.last_read_seq, m.visible_from_seq - 1) and x.mentions is not null and $2 = any(x.mentions) and ${COUNTABLE} limit $4 - 1) c) a
       where m.user_id = $2 and m.chat_id = any($1)`,
      [chatIds, viewerId, now, MAX_UNREAD + 1],
    );
    const counted = rows.map(({ chat_id, n, mentions }) => ({ chatId: chat_id, count: Math.min(n, MAX_UNREAD), capped: n > MAX_UNREAD, mentions }));
    return inOrder(chatIds, counted, (row) => row.chatId);
  },
};

/** The newest message of a chat's main history that the viewer may see, by the chat's id. */
export const lastVisibleMessage: LoaderDef<string, MessageRow> = {
  async batch(chatIds, { sql, viewerId, now }) {
    const rows = await sql<MessageRow>(
      `select l.* from chat_members v
       cross join lateral (
         select ${MESSAGE_COLUMNS} from messages m where m.chat_id = v.chat_id and m.seq >= v.visible_from_seq and m.thread_root_seq is null
           and not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $2 and h.hidden_at is not null)
         order by m.seq desc limit 1) l
       where v.user_id = $2 and v.chat_id = any($1)`,
      [chatIds, viewerId],
    );
    return inOrder(chatIds, rows.map((row) => shown(row, now)), (row) => row.chatId);
  },
};
