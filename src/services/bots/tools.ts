import { z } from 'zod';
import type { Database, Sql } from '../../db/database.js';
import type { BotTool } from '../../entities/bot.js';
import { calculate } from '../../language/calculator.js';
import type { ToolCall, ToolSpec } from '../../language/contract.js';
import { DomainError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { OrderService } from '../commerce/orders.js';
import type { ProductSearch } from '../commerce/product-search.js';
import type { MessageSearch } from '../message-search.js';
import type { NewsArticleService } from '../news/articles.js';
import { AskerReading } from './asker.js';

const FOUND = 5;
const MAX_QUERY = 200;
const MAX_MEMORY = 500;
const MEMORIES_EACH = 50;

/** For whom, and where, a bot works. */
export interface Errand {
  botId: string;
  chatId: string;
  direct: boolean;
  askerId: string;
  /** The first message that the bot may see. */
  botSeesFrom: number;
  now: Date;
}

interface Tool {
  spec: ToolSpec;
  /** What is somebody's own is told where nobody else listens. */
  privateOnly?: true;
  run(given: Record<string, unknown>, errand: Errand): Promise<string>;
}

const query = z.object({ query: z.string().min(1).max(MAX_QUERY) });
const QUERY = { type: 'object', properties: { query: { type: 'string', description: 'a few words' } }, required: ['query'] };
const NOTHING = { type: 'object', properties: {} };

/** What bots can do. Whatever a model asks for, each tool reads as the asker would, and none writes anything but the asker's own memory. */
export class BotTools {
  readonly #tools: Readonly<Record<BotTool, Tool>>;

  constructor(
    private readonly db: Database,
    private readonly services: { messages: MessageSearch; products: ProductSearch; news: NewsArticleService; orders: OrderService },
  ) {
    this.#tools = {
      SEARCH_MESSAGES: { spec: { name: 'search_messages', description: 'Finds messages of this chat that hold all words.', parameters: QUERY }, run: (given, errand) => this.#messages(query.parse(given).query, errand) },
      PRODUCTS: { spec: { name: 'search_products', description: 'Finds products that are sold here.', parameters: QUERY }, run: (given, errand) => this.#products(query.parse(given).query, errand) },
      NEWS: { spec: { name: 'search_news', description: 'Finds news.', parameters: QUERY }, run: (given, errand) => this.#news(query.parse(given).query, errand) },
      ORDERS: { spec: { name: 'list_orders', description: 'The orders of whoever asks, the newest first.', parameters: NOTHING }, privateOnly: true, run: (_, errand) => this.#orders(errand) },
      CALCULATOR: {
        spec: { name: 'calculate', description: 'Works out a sum.', parameters: { type: 'object', properties: { expression: { type: 'string' } }, required: ['expression'] } },
        run: async (given) => String(calculate(z.object({ expression: z.string().max(MAX_QUERY) }).parse(given).expression) ?? 'That is no sum.'),
      },
      DATE: { spec: { name: 'current_time', description: 'The time, UTC.', parameters: NOTHING }, run: async (_, { now }) => now.toISOString() },
      REMEMBER: {
        spec: { name: 'remember', description: 'Keeps something that the asker wants kept in mind in this chat.', parameters: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } },
        run: (given, errand) => remember(this.db.sql, errand, z.object({ text: z.string().min(1) }).parse(given).text),
      },
    };
  }

  specs(allowed: readonly BotTool[], direct: boolean): ToolSpec[] {
    return allowed.map((name) => this.#tools[name]).filter(({ privateOnly }) => direct || !privateOnly).map(({ spec }) => spec);
  }

  /** What a tool answers, for the model to read. A tool that the bot has not, a wrong argument, what the asker may not: all are answers, too. */
  async run(call: ToolCall, allowed: readonly BotTool[], errand: Errand): Promise<string> {
    const name = allowed.find((one) => this.#tools[one].spec.name === call.name);
    const tool = name && this.#tools[name];
    if (!tool || (tool.privateOnly && !errand.direct)) return 'There is no such tool.';
    try {
      const given: unknown = JSON.parse(call.arguments || '{}');
      return await tool.run(z.record(z.string(), z.unknown()).parse(given), errand);
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError) return 'The arguments are wrong.';
      if (error instanceof DomainError) return error.message;
      throw error;
    }
  }

  /** The chat is the one in which was asked, whatever the model would like; of it only what both the asker and the bot may see. */
  async #messages(words: string, errand: Errand): Promise<string> {
    const { edges } = await this.services.messages.search(new AskerReading(this.db, errand.askerId, errand.now), words, { chatId: errand.chatId }, { first: 20 });
    const seen = edges.filter(({ node }) => node.seq >= errand.botSeesFrom).slice(0, FOUND);
    return listed(seen.map(({ node }) => `${node.createdAt.toISOString().slice(0, 10)}: ${node.text?.slice(0, 300) ?? ''}`));
  }

  async #products(words: string, { askerId, now }: Errand): Promise<string> {
    const find = this.services.products.find(words, {}, 'RELEVANCE');
    const { edges } = await this.services.products.page(new AskerReading(this.db, askerId, now), find, 'RELEVANCE', { first: FOUND });
    return listed(edges.map(({ node }) => node.title));
  }

  async #news(words: string, { askerId, now }: Errand): Promise<string> {
    const { edges } = await this.services.news.list(new AskerReading(this.db, askerId, now), { sourceIds: null, topics: null, search: words }, 'RELEVANCE', { first: FOUND });
    return listed(edges.map(({ node }) => `${node.title} (${node.url})`));
  }

  async #orders({ askerId, now }: Errand): Promise<string> {
    const reading = new AskerReading(this.db, askerId, now);
    const { edges } = await this.services.orders.listOwn(reading, reading.viewer, { first: FOUND });
    return listed(edges.map(({ node }) => `Order ${node.number}: ${node.state}`));
  }
}

const listed = (lines: string[]): string => (lines.length ? lines.map((line) => `- ${line}`).join('\n') : 'Nothing was found.');

/** Keeps something for a person, in this chat; the oldest gives way. */
export async function remember(sql: Sql, { botId, askerId, chatId, now }: Errand, text: string): Promise<string> {
  await sql('insert into bot_memories (id, bot_id, user_id, chat_id, text, created_at) values ($1, $2, $3, $4, $5, $6)', [newId(), botId, askerId, chatId, text.toWellFormed().replaceAll('\0', '').slice(0, MAX_MEMORY), now]);
  await sql(
    'delete from bot_memories where id in (select id from bot_memories where bot_id = $1 and user_id = $2 and chat_id = $3 order by id desc offset $4)', [botId, askerId, chatId, MEMORIES_EACH],
  );
  return 'I will remember that.';
}
