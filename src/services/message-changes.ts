import type { Tx } from '../db/unit-of-work.js';
import { chatStream } from '../events/catalogue.js';
import { notFound } from '../lib/errors.js';
import { assertCanSee, type SeenBy } from '../policies/message-policy.js';
import { lockChat } from './chat-access.js';
import { releaseFiles } from './files/file-claims.js';
import { MESSAGE_COLUMNS, messageByKey, shown, type MessageKey, type MessageRow } from './loaders/messages.js';

/** Locks the chat, then reads a message: every change of one starts here. Throws NOT_FOUND for what the actor may not see. */
export async function lockMessage(tx: Tx, key: MessageKey, actorId: string): Promise<{ access: SeenBy; message: MessageRow }> {
  const access = await lockChat(tx.sql, key.chatId, actorId);
  assertCanSee(access, key.seq);
  return { access, message: await readMessage(tx, key) };
}

/** A message whose visibility was asked already. Throws NOT_FOUND. */
export async function readMessage(tx: Tx, key: MessageKey): Promise<MessageRow> {
  const [message] = await messageByKey.batch([key], { sql: tx.sql, viewerId: null, now: tx.now });
  if (!message) throw notFound('message');
  return message;
}

/** Tells that something which hangs on a message (a vote, a thread) has changed. */
export async function touchMessage(tx: Tx, { chatId, seq }: MessageKey): Promise<MessageRow> {
  const [row] = await tx.sql<MessageRow>(`update messages m set version = version + 1 where m.chat_id = $1 and m.seq = $2 returning ${MESSAGE_COLUMNS}`, [chatId, seq]);
  tx.append(chatStream(chatId), { kind: 'message.updated', seq });
  return shown(row!, tx.now);
}

/**
 * Erases messages for everyone, under the chat's lock, which the caller holds: text, card, reactions, earlier texts, poll,
 * pin, files. What stays is that there was a message. Those that were erased before stay as they are. Returns the numbers of
 * those that were not; each is told by `message.deleted`, and a thread that has lost answers by `message.updated` of its root.
 */
export async function eraseMessages(tx: Tx, chatId: string, seqs: readonly number[]): Promise<number[]> {
  const rows = await tx.sql<{ seq: number; root: number | null }>(
    `with erased as (
       update messages m set text = null, mentions = null, forward = null, card = null, preview = null, reactions = null, deleted_at = least(m.expires_at, $3), version = version + 1
       where m.chat_id = $1 and m.seq = any($2) and m.deleted_at is null returning m.seq, m.thread_root_seq),
     edits as (delete from message_edits d using erased e where d.chat_id = $1 and d.seq = e.seq),
     reactions as (delete from message_reactions d using erased e where d.chat_id = $1 and d.seq = e.seq),
     pins as (delete from pinned_messages d using erased e where d.chat_id = $1 and d.seq = e.seq),
     votes as (delete from poll_votes d using erased e where d.chat_id = $1 and d.seq = e.seq),
     options as (delete from poll_options d using erased e where d.chat_id = $1 and d.seq = e.seq),
     gone as (delete from polls d using erased e where d.chat_id = $1 and d.seq = e.seq)
     select seq, thread_root_seq as root from erased order by seq`,
    [chatId, seqs, tx.now],
  );
  if (rows.length) await releaseFiles(tx, 'MESSAGE', rows.map(({ seq }) => ({ id: chatId, seq })));
  for (const { seq } of rows) tx.append(chatStream(chatId), { kind: 'message.deleted', seq });
  const roots = [...new Set(rows.flatMap(({ root }) => (root === null ? [] : [root])))];
  if (roots.length) await recountThreads(tx, chatId, roots);
  return rows.map((row) => row.seq);
}

async function recountThreads(tx: Tx, chatId: string, roots: number[]): Promise<void> {
  const rows = await tx.sql<{ seq: number }>(
    `update messages m set thread_count = t.replies, thread_last_at = t.last_at, version = version + 1
     from (select r.seq, count(a.seq)::int as replies, max(a.created_at) as last_at from unnest($2::int[]) r(seq)
           left join messages a on a.chat_id = $1 and a.thread_root_seq = r.seq and a.deleted_at is null group by r.seq) t
     where m.chat_id = $1 and m.seq = t.seq returning m.seq`,
    [chatId, roots],
  );
  for (const { seq } of rows.sort((a, b) => a.seq - b.seq)) tx.append(chatStream(chatId), { kind: 'message.updated', seq });
}
