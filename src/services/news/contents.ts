import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import { InFlight } from '../../lib/in-flight.js';
import type { Logger } from '../../lib/logger.js';
import type { Reader } from '../../news/reader.js';
import { OutboundError } from '../../outbound/errors.js';
import type { Outbound } from '../../outbound/outbound.js';
import { contentOfArticle, type ArticleRow, type ContentRow } from '../loaders/news.js';
import { indexArticle } from './ingest.js';

const MAX_PAGE_BYTES = 3 * 1_048_576;
const TIMEOUT_MS = 12_000;
const FIRST_PAUSE_SECONDS = 60;
const LONGEST_PAUSE_SECONDS = 86_400;

/** Contents to read in the app: the feed's own where it has the whole article, else the article's page without what stands around it. */
export class NewsContents {
  readonly #underWay = new InFlight<ContentRow | null>();

  constructor(
    private readonly sql: Sql,
    private readonly outbound: Pick<Outbound, 'fetch'>,
    private readonly reader: Pick<Reader, 'page'>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Null when it can't be had now. A page is fetched once for all who ask at once, kept, and after a failure asked for later and later. */
  of(article: Pick<ArticleRow, 'id' | 'url'>): Promise<ContentRow | null> {
    return this.#underWay.run(article.id, () => this.#of(article));
  }

  async #of({ id, url }: Pick<ArticleRow, 'id' | 'url'>): Promise<ContentRow | null> {
    const [kept] = await this.sql<{ html: string | null; attempts: number; retryAt: Date | null }>('select html, attempts, retry_at as "retryAt" from news_contents where article_id = $1', [id]);
    if (!kept || (kept.html === null && (kept.retryAt === null || kept.retryAt <= this.clock.now()))) await this.#fetch(id, url, kept?.attempts ?? 0);
    const [row] = await contentOfArticle.batch([id], { sql: this.sql, viewerId: null, now: this.clock.now() });
    return row ?? null;
  }

  async #fetch(id: string, url: string, attempts: number): Promise<void> {
    const page = await this.#page(url);
    const now = this.clock.now();
    const pause = Math.min(FIRST_PAUSE_SECONDS * 2 ** attempts, LONGEST_PAUSE_SECONDS);
    await this.sql(
      `insert into news_contents (article_id, html, text, origin, made_at, attempts, retry_at) select id, $2, $3, 'PAGE', $4, $5, $6 from news_articles where id = $1
       on conflict (article_id) do update set html = excluded.html, text = excluded.text, made_at = excluded.made_at, attempts = excluded.attempts, retry_at = excluded.retry_at
       where news_contents.html is null`,
      [id, page?.html ?? null, page?.text ?? null, now, attempts + 1, page ? null : new Date(now.getTime() + pause * 1_000)],
    );
    if (page) await indexArticle(this.sql, id, page.text);
  }

  async #page(url: string): Promise<{ html: string; text: string } | null> {
    try {
      const answer = await this.outbound.fetch(url, { headers: { accept: 'text/html, application/xhtml+xml' }, types: ['text/html', 'application/xhtml+xml'], maxBytes: MAX_PAGE_BYTES, timeoutMs: TIMEOUT_MS });
      return answer.status === 200 ? await this.reader.page({ body: answer.body, contentType: answer.headers['content-type'] ?? '', url: answer.url }) : null;
    } catch (error) {
      this.log.debug({ url, reason: error instanceof OutboundError ? error.reason : (error as Error).message }, 'an article’s page could not be had');
      return null;
    }
  }
}
