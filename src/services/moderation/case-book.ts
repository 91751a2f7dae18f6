import type { Tx } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import { newId } from '../../lib/ids.js';
import type { ReportReason, ReportTarget } from '../reports.js';

/** Of those who run a chat: so many hear of its cases. */
const MAX_TOLD = 20;

/** Tells whoever a case is about, and those who run the chat in which it was said. */
export async function tellOfCase(tx: Tx, { caseId, chatId, senderId }: { caseId: string; chatId: string | null; senderId: string | null }): Promise<void> {
  const running = chatId
    ? await tx.sql<{ id: string }>(
        `select m.user_id as id from chat_members m join chats c on c.id = m.chat_id and c.kind = 'GROUP' where m.chat_id = $1 and m.role <> 'MEMBER' order by m.role = 'OWNER' desc, m.joined_at, m.user_id limit $2`,
        [chatId, MAX_TOLD],
      )
    : [];
  for (const userId of new Set([...running.map(({ id }) => id), ...(senderId ? [senderId] : [])])) tx.append(userStream(userId), { kind: 'moderation.changed', caseId });
}

/** What somebody has reported, for those who moderate: one case for all reports of a thing until it is decided. Whom it is about is not told of it. */
export async function bookReport(tx: Tx, { type, id, seq }: ReportTarget, reason: ReportReason): Promise<void> {
  const chatId = type === 'MESSAGE' || type === 'CHAT' ? id : null;
  const [row] = await tx.sql<{ id: string }>(
    `insert into moderation_cases as k (id, kind, target_type, target_id, seq, chat_id, sender_id, reasons, reports, created_at)
     values ($1, 'REPORTED', $2, $3, $4, case when $2 = 'MESSAGE' then $3::uuid end, case when $2 = 'USER' then $3::uuid when $2 = 'MESSAGE' then (select sender_id from messages where chat_id = $3 and seq = $4) end, array[$5], 1, $6)
     on conflict (target_type, target_id, coalesce(seq, 0)) where kind = 'REPORTED' and state in ('OPEN', 'APPEALED')
     do update set reports = k.reports + 1, reasons = case when $5 = any(k.reasons) then k.reasons else k.reasons || $5 end returning id`,
    [newId(), type, id, seq, reason, tx.now],
  );
  if (type === 'MESSAGE') await tellOfCase(tx, { caseId: row!.id, chatId, senderId: null });
}
