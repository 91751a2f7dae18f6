import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import type { LanguageModel } from '../../language/contract.js';
import { KnowledgeIndex, type Hit, type Passage } from '../../language/retrieval.js';
import type { Logger } from '../../lib/logger.js';
import type { BotRow } from '../loaders/bots.js';

const KEPT = 50;
const HITS = 4;
const VECTORS_AT_ONCE = 100;

interface Shelf {
  index: KnowledgeIndex;
  vectors: boolean;
  /** Where each passage's source is found. */
  urls: ReadonlyMap<string, string | null>;
}
export interface FoundPassage extends Hit {
  url: string | null;
}

/** Finds in what bots were given to read. Indexes are made when first asked, and kept until their bot reads something else. */
export class ReadingRoom {
  readonly #shelves = new LRUCache<string, Promise<Shelf>>({ max: KEPT });

  constructor(
    private readonly sql: Sql,
    private readonly model: LanguageModel | null,
    private readonly log: Logger,
  ) {}

  /** `paid`: the bot may cost something still. Else no model is asked for vectors either: words alone are compared. */
  async find(bot: Pick<BotRow, 'id' | 'knowledge'>, question: string, paid: boolean): Promise<FoundPassage[]> {
    if (!bot.knowledge) return [];
    const byModel = paid && !!this.model?.embed;
    const key = `${bot.id} ${bot.knowledge} ${byModel}`;
    let shelf = this.#shelves.get(key);
    if (!shelf) {
      this.#shelves.set(key, (shelf = this.#fill(bot.id, byModel)));
      shelf.catch(() => this.#shelves.delete(key));
    }
    const { index, vectors, urls } = await shelf;
    const vector = vectors ? await this.#vectors([question]).then((found) => found?.[0] ?? null) : null;
    return index.find(question, HITS, vector).map((hit) => ({ ...hit, url: urls.get(hit.passage.id) ?? null }));
  }

  async #fill(botId: string, byModel: boolean): Promise<Shelf> {
    const rows = await this.sql<Passage & { url: string | null }>(
      `select p.knowledge_id || ' ' || p.ord as id, k.title, k.url, p.question, p.text from bot_knowledge k join bot_passages p on p.knowledge_id = k.id where k.bot_id = $1 order by k.id, p.ord`, [botId],
    );
    const vectors = byModel ? await this.#vectors(rows.map(({ title, question, text }) => `${question ?? title}\n${text}`)) : null;
    return { index: new KnowledgeIndex(rows, vectors), vectors: vectors !== null, urls: new Map(rows.map(({ id, url }) => [id, url])) };
  }

  /** By the model, where it makes any; when it fails, words alone must do. */
  async #vectors(texts: readonly string[]): Promise<number[][] | null> {
    if (!this.model?.embed) return null;
    try {
      const vectors: number[][] = [];
      for (let at = 0; at < texts.length; at += VECTORS_AT_ONCE) vectors.push(...(await this.model.embed(texts.slice(at, at + VECTORS_AT_ONCE))));
      return vectors;
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'a model made no vectors: words alone are compared');
      return null;
    }
  }
}
