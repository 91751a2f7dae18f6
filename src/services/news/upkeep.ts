import type { Sql } from '../../db/database.js';
import type { Clock } from '../../lib/clock.js';

const DAY_MS = 86_400_000;
const BATCH = 1_000;

/** Forgets old articles, and previews of links that nobody asks for any more. */
export class NewsUpkeep {
  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly keepDays: number,
  ) {}

  /** Articles that somebody has bookmarked or shared stay, and those that a feed lists still: it would tell of them again as new. */
  async articles(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - this.keepDays * DAY_MS);
    let gone;
    do {
      gone = await this.sql(
        `delete from news_articles where id = any(array(select a.id from news_articles a where a.first_seen_at < $1
           and not exists (select from news_marks m where m.article_id = a.id and (m.bookmarked_at is not null or m.shared_at is not null))
           and not exists (select from news_article_sources p join news_sources s on s.id = p.source_id where p.article_id = a.id and s.state <> 'GONE' and hashtextextended(p.link_key, 0) = any(s.listed)) limit $2)) returning 1`,
        [before, BATCH],
      );
    } while (gone.length === BATCH);
  }

  async previews(): Promise<void> {
    let gone;
    do {
      gone = await this.sql(
        'delete from link_previews where url = any(array(select p.url from link_previews p where p.expires_at < $1 and not exists (select from link_preview_waits w where w.url = p.url) limit $2)) returning 1',
        [this.clock.now(), BATCH],
      );
    } while (gone.length === BATCH);
  }
}
