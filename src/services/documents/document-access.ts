import type { Sql } from '../../db/database.js';
import type { ChatAccess } from '../../policies/chat-policy.js';
import { readChatAccess } from '../chat-access.js';

/**
 * What decides about people in a document's chat, to stay so until commit: a membership can't end meanwhile. Much lighter than
 * the chat's lock, which a stroke on a whiteboard must not make everybody wait for.
 */
export async function accessOfMembers(sql: Sql, chatId: string, userIds: readonly string[]): Promise<Map<string, ChatAccess | null>> {
  const distinct = [...new Set(userIds)];
  await sql('select from chat_members where chat_id = $1 and user_id = any($2) order by user_id for key share', [chatId, distinct]);
  const access = new Map<string, ChatAccess | null>();
  for (const userId of distinct) access.set(userId, await readChatAccess(sql, chatId, userId));
  return access;
}
