import type { Sql } from '../../db/database.js';
import { notFound } from '../../lib/errors.js';
import { Bag, wordsOf } from '../../ml/content.js';
import { seesCall } from '../../policies/call-policy.js';
import type { Actor } from '../actor.js';
import { readCallAccess } from '../calls/call-access.js';

/** So many of the last messages are what is being talked about. */
const MESSAGES = 30;
const MAX_WORDS = 500;

/** What is being talked about where somebody is. */
export interface Talk {
  bag: Bag;
  /** The words of what was written. */
  words: string[];
  /** Products that a call's host shows: they speak for what is like them, and need not be suggested. */
  shown: string[];
}

/** Reads what is being talked about; it is kept nowhere. */
export class Talks {
  constructor(private readonly sql: Sql) {}

  /** By the last messages that the actor sees. Errors: NOT_FOUND (chat). */
  async inChat(actor: Actor, chatId: string): Promise<Talk> {
    const words = await this.#words(actor, chatId);
    if (!words) throw notFound('chat');
    return talkOf(words, [], []);
  }

  /** By the last messages in its chat, for who is a member of that, and by what its host shows. Errors: NOT_FOUND (call). */
  async inCall(actor: Actor, callId: string): Promise<Talk> {
    const access = await readCallAccess(this.sql, callId, { userId: actor.userId, tokenId: null, device: actor.sessionId });
    if (!access || !seesCall(access)) throw notFound('call');
    const shown = await this.sql<{ id: string; title: string }>(`select p.id, p.title from call_showcase s join products p on p.id = s.product_id and p.status = 'PUBLISHED' where s.call_id = $1 order by s.place desc`, [callId]);
    return talkOf((await this.#words(actor, access.call.chatId)) ?? [], shown.flatMap(({ title }) => wordsOf(title)), shown.map(({ id }) => id));
  }

  /** Null for who is not in the chat. */
  async #words(actor: Actor, chatId: string): Promise<string[] | null> {
    const [member] = await this.sql<{ from: number }>('select visible_from_seq as "from" from chat_members where chat_id = $1 and user_id = $2', [chatId, actor.userId]);
    if (!member) return null;
    const rows = await this.sql<{ text: string }>(
      `select text from messages where chat_id = $1 and seq >= $2 and kind = 'TEXT' and deleted_at is null and text is not null and (expires_at is null or expires_at > now()) order by seq desc limit ${MESSAGES}`,
      [chatId, member.from],
    );
    return rows.flatMap(({ text }) => wordsOf(text)).slice(0, MAX_WORDS);
  }
}

function talkOf(words: string[], ofShown: readonly string[], shown: string[]): Talk {
  const bag = new Bag();
  for (const word of [...words, ...ofShown]) bag.add(word);
  return { bag, words, shown };
}
