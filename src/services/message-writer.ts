import type { Tx } from '../db/unit-of-work.js';
import type { SystemRef } from '../entities/message.js';
import { chatStream } from '../events/catalogue.js';

/**
 * Writes into a chat's history what has happened to the chat, under the chat's lock, which the caller holds. Such a message
 * is never unread, and doesn't disappear. Returns its number.
 */
export async function writeSystemMessage(tx: Tx, chatId: string, actorId: string, card: Omit<SystemRef, 'type'>): Promise<number> {
  const [chat] = await tx.sql<{ last_seq: number }>('update chats set last_seq = last_seq + 1, last_message_at = $2 where id = $1 returning last_seq', [chatId, tx.now]);
  const seq = chat!.last_seq;
  await tx.sql(`insert into messages (chat_id, seq, sender_id, kind, created_at, card) values ($1, $2, $3, 'SYSTEM', $4, $5)`, [
    chatId, seq, actorId, tx.now, JSON.stringify({ type: 'system', ...card } satisfies SystemRef),
  ]);
  tx.append(chatStream(chatId), { kind: 'message.sent', seq });
  return seq;
}
