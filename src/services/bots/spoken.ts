import type { Sql } from '../../db/database.js';
import { assertCanRead } from '../../policies/chat-policy.js';
import type { Actor } from '../actor.js';
import { readChatAccess } from '../chat-access.js';
import type { MessageKey } from '../loaders/messages.js';

export interface Spoken extends MessageKey {
  senderId: string;
  name: string;
  text: string;
  own: boolean;
  at: Date;
}

export interface Reach {
  /** At most so many, the last. */
  last: number;
  upTo?: number | null;
  since?: number | null;
}

/** What was said last (up to a message), oldest first, as far as the viewer may see it. Errors: NOT_FOUND. */
export async function spokenIn(sql: Sql, actor: Actor, chatId: string, { last, upTo = null, since = null }: Reach, now: Date): Promise<Spoken[]> {
  const access = await readChatAccess(sql, chatId, actor.userId);
  assertCanRead(access);
  const rows = await sql<Spoken>(
    `select m.chat_id as "chatId", m.seq, m.sender_id as "senderId", case when m.sender_id = $2 then 'me' else u.display_name end as name, m.text, m.sender_id = $2 as own, m.created_at as at
     from messages m join users u on u.id = m.sender_id
     where m.chat_id = $1 and m.seq >= $3 and ($4::int is null or m.seq <= $4) and ($5::int is null or m.seq >= $5) and m.text is not null and m.kind <> 'SYSTEM' and m.deleted_at is null
       and (m.expires_at is null or m.expires_at > $6)
       and not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $2 and h.hidden_at is not null)
     order by m.seq desc limit $7`,
    [chatId, actor.userId, access.member.visibleFromSeq, upTo, since, now, last],
  );
  return rows.reverse();
}
