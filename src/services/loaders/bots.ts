import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { BotCommand, BotTool } from '../../entities/bot.js';

export type BotEngine = 'BUILT_IN' | 'EXTERNAL';

export interface BotRow {
  /** Also of the bot as a user. */
  id: string;
  /** Null: it comes with the product. */
  ownerId: string | null;
  engine: BotEngine;
  instructions: string;
  model: string | null;
  temperature: number | null;
  tools: BotTool[];
  languages: string[];
  commands: BotCommand[];
  repliesAnHour: number;
  /** US dollars; null: as much as the operator lets it. */
  costADay: number | null;
  /** Grows with every change of what it was given to read. */
  knowledge: number;
  sessionId: string | null;
  createdAt: Date;
}
export const BOT_COLUMNS = `b.id, b.owner_id as "ownerId", b.engine, b.instructions, b.model, b.temperature, b.tools, b.languages, b.commands, b.replies_an_hour as "repliesAnHour", b.cost_a_day::float8 / 1e6 as "costADay", b.knowledge,
  b.session_id as "sessionId", b.created_at as "createdAt"`;

const BOTS = keyed<BotRow>(`select ${BOT_COLUMNS} from bots b where b.id = any($1) and b.deleted_at is null`);
/** One that was deleted is none any more. */
export const botById: LoaderDef<string, BotRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await BOTS(sql, ids), (row) => row.id);
  },
};

/** A command of a bot, in a chat that the bot is in. */
export interface ChatCommandRow extends BotCommand {
  botId: string;
}
const MAX_CHAT_COMMANDS = 200;
const COMMANDS = keyed<ChatCommandRow & { chatId: string }>(
  `select m.chat_id as "chatId", b.id as "botId", c.name, c.description from chat_members m join bots b on b.id = m.user_id cross join lateral jsonb_to_recordset(b.commands) c(name text, description text)
   where m.chat_id = any($1) order by c.name, b.id`,
);
export const commandsOfChat: LoaderDef<string, ChatCommandRow[]> = {
  async batch(ids, { sql }) {
    const byChat = Map.groupBy(await COMMANDS(sql, ids), (row) => row.chatId);
    return ids.map((id) => (byChat.get(id) ?? []).slice(0, MAX_CHAT_COMMANDS));
  },
};

export type KnowledgeKind = 'TEXT' | 'FAQ' | 'FILE' | 'PAGE';
export interface KnowledgeRow {
  id: string;
  kind: KnowledgeKind;
  title: string;
  url: string | null;
  passages: number;
  createdAt: Date;
}
export const KNOWLEDGE_COLUMNS = `k.id, k.kind, k.title, k.url, k.passages, k.created_at as "createdAt"`;

export interface MemoryRow {
  id: string;
  botId: string;
  chatId: string;
  text: string;
  createdAt: Date;
}
