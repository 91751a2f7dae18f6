import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { InFlight } from '../../lib/in-flight.js';
import type { Summarizer } from '../../news/summarizer.js';
import { articleById, summaryOfArticle, type ArticleRow, type SummaryRow } from '../loaders/news.js';
import type { NewsContents } from './contents.js';

/** Another process takes over when the one that makes a summary has said nothing for so long. */
const LEASE_SECONDS = 60;
const LOOK_AGAIN_MS = 100;
const MAX_CHARACTERS = 60_000;

/** Makes articles short: each version of an article once, whoever asks and however many at once. */
export class NewsSummaries {
  readonly #underWay = new InFlight<SummaryRow>();

  constructor(
    private readonly sql: Sql,
    private readonly contents: NewsContents,
    private readonly summarizer: Summarizer,
    private readonly clock: Clock,
  ) {}

  /**
   * The summary that is kept, or a new one. Those who ask while it is being made wait for it, also in other processes.
   * Errors: NOT_FOUND (the article), UNAVAILABLE (it could not be made now).
   */
  of(articleId: string): Promise<SummaryRow> {
    return this.#underWay.run(articleId, async () => {
      const end = Date.now() + LEASE_SECONDS * 1_000;
      for (;;) {
        const article = await this.#read(articleById, articleId);
        if (!article) throw notFound('article');
        const kept = await this.#read(summaryOfArticle, articleId);
        if (kept && kept.articleVersion === article.version && kept.method === this.summarizer.method) return kept;
        if (await this.#claim(article)) return this.#make(article);
        if (Date.now() > end) throw unavailable();
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
    });
  }

  async #read<Value>(loader: { batch(keys: readonly string[], deps: { sql: Sql; viewerId: null; now: Date }): Promise<(Value | null)[]> }, id: string): Promise<Value | null> {
    const [value] = await loader.batch([id], { sql: this.sql, viewerId: null, now: this.clock.now() });
    return value ?? null;
  }

  /** Whether it is ours to make: nobody makes it, or who did has died. */
  async #claim({ id, version }: ArticleRow): Promise<boolean> {
    const now = this.clock.now();
    const claimed = await this.sql(
      `insert into news_summaries (article_id, article_version, method, lease_until) values ($1, $2, $3, $4)
       on conflict (article_id) do update set article_version = $2, method = $3, sentences = null, lease_until = $4
       where (news_summaries.sentences is null and news_summaries.lease_until <= $5)
          or (news_summaries.sentences is not null and (news_summaries.article_version <> $2 or news_summaries.method <> $3))
       returning 1`,
      [id, version, this.summarizer.method, new Date(now.getTime() + LEASE_SECONDS * 1_000), now],
    );
    return claimed.length > 0;
  }

  async #make(article: ArticleRow): Promise<SummaryRow> {
    try {
      const content = await this.contents.of(article);
      const text = (content?.text ?? article.summary ?? article.title).slice(0, MAX_CHARACTERS);
      const { sentences, method } = await this.summarizer.summarize({ title: article.title, text, language: article.language });
      await this.sql('update news_summaries set sentences = $2, lease_until = null, made_at = $3, method = $4 where article_id = $1', [article.id, sentences.length ? sentences : [article.summary ?? article.title], this.clock.now(), method]);
    } catch (error) {
      // The next who asks tries again.
      await this.sql('delete from news_summaries where article_id = $1 and sentences is null', [article.id]).catch(() => undefined);
      throw error instanceof DomainError ? error : unavailable(error);
    }
    return (await this.#read(summaryOfArticle, article.id))!;
  }
}

const unavailable = (cause?: unknown): DomainError => Object.assign(new DomainError('UNAVAILABLE', 'The summary could not be made now; try again.', { retryAfter: 5 }), { cause });
