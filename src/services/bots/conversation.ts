import type { Sql } from '../../db/database.js';
import { gist } from '../../language/salience.js';

/** Messages that are shown to a model as they are. */
const WINDOW = 20;
/** The summary is made anew once so many have left the window since. */
const SUMMARY_EVERY = 40;
const SUMMARY_OF = 500;
const SUMMARY_SIZE = 12;

export interface Said {
  seq: number;
  name: string;
  text: string;
}

/** What a bot has before it when it answers: nothing that it may not see. */
export interface Conversation {
  earlier: Said[];
  recent: Said[];
  memories: string[];
}

const SAID = `select m.seq, u.display_name as name, m.text from messages m join users u on u.id = m.sender_id
  where m.chat_id = $1 and m.seq >= $2 and m.deleted_at is null and (m.expires_at is null or m.expires_at > $4) and m.text is not null and m.kind <> 'SYSTEM'`;

/** The last messages before one, the gist of what was said before those, and what the asker has had the bot remember in this chat. */
export async function conversationBefore(sql: Sql, botId: string, chatId: string, seq: number, seesFrom: number, askerId: string, now: Date): Promise<Conversation> {
  const recent = (await sql<Said>(`${SAID} and m.seq < $3 order by m.seq desc limit ${WINDOW}`, [chatId, seesFrom, seq, now])).reverse();
  const first = recent[0]?.seq ?? seq;
  const seqs = recent.length < WINDOW ? [] : await summarySeqs(sql, botId, chatId, first, seesFrom, now);
  const earlier = seqs.length ? await sql<Said>(`${SAID} and m.seq = any($3) order by m.seq`, [chatId, seesFrom, seqs, now]) : [];
  const memories = await sql<{ text: string }>('select text from bot_memories where bot_id = $1 and user_id = $2 and chat_id = $3 order by id desc limit 20', [botId, askerId, chatId]);
  return { earlier, recent, memories: memories.map(({ text }) => text) };
}

/** Which messages before `before` stand for all of them; rolled on as the chat goes on. Kept are numbers, not words. */
async function summarySeqs(sql: Sql, botId: string, chatId: string, before: number, seesFrom: number, now: Date): Promise<number[]> {
  const [kept] = await sql<{ upTo: number; seqs: number[] }>('select up_to_seq as "upTo", seqs from bot_summaries where chat_id = $1 and bot_id = $2', [chatId, botId]);
  if (kept && before - kept.upTo < SUMMARY_EVERY) return kept.seqs;
  // What stood for the older part competes with what has come since.
  const since = await sql<Said>(`${SAID} and m.seq < $3 and (m.seq >= $5 or m.seq = any($6)) order by m.seq desc limit ${SUMMARY_OF}`, [chatId, seesFrom, before, now, kept?.upTo ?? 0, kept?.seqs ?? []]);
  since.reverse();
  const seqs = gist(since.map(({ text }) => text), SUMMARY_SIZE).map((at) => since[at]!.seq);
  await sql(
    `insert into bot_summaries (bot_id, chat_id, up_to_seq, seqs) values ($1, $2, $3, $4) on conflict (chat_id, bot_id) do update set up_to_seq = $3, seqs = $4`, [botId, chatId, before, seqs],
  );
  return seqs;
}
