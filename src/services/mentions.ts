import type { Sql } from '../db/database.js';

const MAX_MENTIONS = 100;
/** Also behind a command that is for one bot of several: /order@clerk. */
const MENTION = /(?:(?<=^\s*\/[a-z0-9_]{1,32})|(?<![\p{L}\p{N}_.@]))@([a-z0-9_][a-z0-9_.]{1,30}[a-z0-9_])/giu;

/** The members of the chat whom a text names by `@handle`, in its order; null for none. */
export async function mentionsIn(sql: Sql, text: string | null, chatId: string): Promise<string[] | null> {
  if (!text?.includes('@')) return null;
  const handles = [...new Set([...text.matchAll(MENTION)].map((match) => match[1]!.toLowerCase()))].slice(0, MAX_MENTIONS);
  if (!handles.length) return null;
  const rows = await sql<{ id: string }>(
    `select u.id from unnest($1::text[]) with ordinality h(handle, o) join users u on u.handle_key = h.handle
     join chat_members m on m.chat_id = $2 and m.user_id = u.id order by h.o`,
    [handles, chatId],
  );
  return rows.length ? rows.map((row) => row.id) : null;
}
