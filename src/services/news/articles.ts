import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import { invalidInput } from '../../lib/errors.js';
import { cleanText, distinct } from '../../lib/validate.js';
import type { Reading } from '../actor.js';
import { ARTICLE_COLUMNS, articleById, type ArticleRow } from '../loaders/news.js';
import { FOR_YOU_SCORES } from './for-you.js';

const MAX_SOURCES = 50;
const MAX_TOPICS = 20;
const MAX_SEARCH_BYTES = 500;

export type NewsOrder = 'LATEST' | 'RELEVANCE' | 'FOR_YOU';

export interface NewsFilter {
  sourceIds: string[] | null;
  topics: string[] | null;
  search: string | null;
}

/** In every language that is indexed by a dictionary of its own, and as it stands. Never an error, whatever was typed. */
const QUERY = `(websearch_to_tsquery('simple', $3) || websearch_to_tsquery('english', $3) || websearch_to_tsquery('arabic', $3))`;
/** `$1` sources, `$2` topics, `$3` words; null: any. */
const FILTER = `($1::uuid[] is null or exists (select from news_article_sources p where p.article_id = a.id and p.source_id = any($1))) and ($2::text[] is null or a.topic_keys && $2)
  and ($3::text is null or a.search @@ ${QUERY})`;

const LATEST = `select ${ARTICLE_COLUMNS} from news_articles a where ${FILTER} and ($4::timestamptz is null or (a.published_at, a.id) < ($4, $5::uuid)) order by a.published_at desc, a.id desc limit $6`;

type Scored = ArticleRow & { score: number };
/** ts_rank_cd: how near to each other the words stand, and where; in millionths. */
const RELEVANCE = `select * from (select ${ARTICLE_COLUMNS}, least(1e6 * ts_rank_cd(a.search, ${QUERY}), 2e9)::int as score from news_articles a where ${FILTER}) r
  where $4::int is null or (r.score, r.id) < ($4, $5::uuid) order by r.score desc, r.id desc limit $6`;
const FOR_YOU = `with ${FOR_YOU_SCORES('$7', '$8', FILTER)} select ${ARTICLE_COLUMNS}, f.score from scores f join news_articles a on a.id = f.id
  where $4::int is null or (f.score, f.id) < ($4, $5::uuid) order by f.score desc, f.id desc limit $6`;

/** Finding and listing articles. */
export class NewsArticleService {
  constructor(private readonly sql: Sql) {}

  find(reading: Reading, id: string): Promise<ArticleRow | null> {
    return reading.load(articleById, id);
  }

  /**
   * Articles of all sources, or of those asked for. FOR_YOU goes by what the viewer has read (see for-you.ts), as it stood when the first page was asked for.
   * Errors: INVALID_INPUT, INVALID_CURSOR.
   */
  async list(reading: Reading, filter: NewsFilter, order: NewsOrder, args: PageArgs): Promise<Page<ArticleRow>> {
    const search = filter.search === null ? null : cleanText(filter.search, { field: 'search', maxBytes: MAX_SEARCH_BYTES });
    if (order === 'RELEVANCE' && search === null) throw invalidInput('order', 'RELEVANCE goes with a search.');
    const sources = filter.sourceIds && distinct(filter.sourceIds, 'sourceIds', MAX_SOURCES);
    const topics = filter.topics && distinct(filter.topics.map((topic) => cleanText(topic, { field: 'topics', maxBytes: 200 }).toLowerCase()), 'topics', MAX_TOPICS);
    const viewerId = reading.viewer!.userId;
    const given = [sources, topics, search];
    if (order === 'LATEST') {
      const request = pageRequest(args, ['time', 'uuid']);
      const from = request.from === null ? null : new Date(request.from[0] as number);
      const rows = await this.sql<ArticleRow>(LATEST, [...given, from, request.from?.[1] ?? null, request.limit]);
      return this.#page(reading, rows, request, (row) => [row.publishedAt.getTime(), row.id]);
    }
    if (order === 'RELEVANCE') {
      const request = pageRequest(args, ['number', 'uuid']);
      const rows = await this.sql<Scored>(RELEVANCE, [...given, ...(request.from ?? [null, null]), request.limit]);
      return this.#page(reading, rows, request, (row) => [row.score, row.id]);
    }
    const request = pageRequest(args, ['number', 'uuid', 'time']);
    // Later pages are cut from the order of the first: what is read or published meanwhile moves nothing.
    const asOf = request.from === null ? reading.now : new Date(request.from[2] as number);
    const rows = await this.sql<Scored>(FOR_YOU, [...given, ...(request.from?.slice(0, 2) ?? [null, null]), request.limit, viewerId, asOf]);
    return this.#page(reading, rows, request, (row) => [row.score, row.id, asOf.getTime()]);
  }

  #page<Row extends ArticleRow>(reading: Reading, rows: Row[], request: ReturnType<typeof pageRequest>, keyOf: (row: Row) => (string | number)[]): Page<ArticleRow> {
    for (const row of rows) reading.prime(articleById, row.id, row);
    return toPage(rows, request, keyOf);
  }
}
