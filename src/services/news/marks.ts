import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, notFound } from '../../lib/errors.js';
import type { Actor, Reading } from '../actor.js';
import { ARTICLE_COLUMNS, type ArticleRow } from '../loaders/news.js';

const MAX_BOOKMARKS = 5_000;
type Mark = 'read' | 'shared' | 'summarized';

/** The first time counts: a mark that moved would move pages of the order "for you" that are cut from how it stood before. */
const NOTE: Readonly<Record<Mark, string>> = {
  read: 'insert into news_marks (user_id, article_id, read_at) values ($1, $2, $3) on conflict (user_id, article_id) do update set read_at = coalesce(news_marks.read_at, $3)',
  shared: 'insert into news_marks (user_id, article_id, shared_at) values ($1, $2, $3) on conflict (user_id, article_id) do update set shared_at = coalesce(news_marks.shared_at, $3)',
  summarized: 'insert into news_marks (user_id, article_id, summarized_at) values ($1, $2, $3) on conflict (user_id, article_id) do update set summarized_at = coalesce(news_marks.summarized_at, $3)',
};

/** What one does with articles: one's own bookmarks, and what the order "for you" goes by. */
export class NewsMarks {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Keeps an article. Again: changes nothing. Errors: NOT_FOUND, LIMIT_REACHED (5,000 are kept). */
  bookmark(actor: Actor, articleId: string): Promise<ArticleRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'bookmarkArticle' }, async (tx) => {
      const article = await articleIn(tx.sql, articleId);
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [{ kept, here }] = (await tx.sql<{ kept: number; here: boolean }>(
        'select count(*)::int as kept, coalesce(bool_or(article_id = $2), false) as here from news_marks where user_id = $1 and bookmarked_at is not null', [actor.userId, articleId],
      )) as [{ kept: number; here: boolean }];
      if (here) return article;
      if (kept >= MAX_BOOKMARKS) throw new DomainError('LIMIT_REACHED', `At most ${MAX_BOOKMARKS} bookmarks are kept.`);
      await tx.sql('insert into news_marks (user_id, article_id, bookmarked_at) values ($1, $2, $3) on conflict (user_id, article_id) do update set bookmarked_at = $3', [actor.userId, articleId, tx.now]);
      return article;
    });
  }

  /** Errors: NOT_FOUND (the article). */
  unbookmark(actor: Actor, articleId: string): Promise<ArticleRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'removeArticleBookmark' }, async (tx) => {
      const article = await articleIn(tx.sql, articleId);
      await tx.sql('update news_marks set bookmarked_at = null where user_id = $1 and article_id = $2', [actor.userId, articleId]);
      return article;
    });
  }

  /** Notes that somebody has read, shared or summarised an article. Errors: NOT_FOUND. */
  note(actor: Actor, articleId: string, mark: Mark): Promise<ArticleRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'markArticle' }, async (tx) => {
      const article = await articleIn(tx.sql, articleId);
      await tx.sql(NOTE[mark], [actor.userId, articleId, tx.now]);
      return article;
    });
  }

  /** The viewer's bookmarks, the newest first. */
  async bookmarks(reading: Reading, args: PageArgs): Promise<Page<ArticleRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    const from = request.from === null ? null : new Date(request.from[0] as number);
    const rows = await this.sql<ArticleRow & { bookmarkedAt: Date }>(
      `select ${ARTICLE_COLUMNS}, m.bookmarked_at as "bookmarkedAt" from news_marks m join news_articles a on a.id = m.article_id
       where m.user_id = $1 and m.bookmarked_at is not null and ($2::timestamptz is null or (m.bookmarked_at, m.article_id) < ($2, $3::uuid)) order by m.bookmarked_at desc, m.article_id desc limit $4`,
      [reading.viewer!.userId, from, request.from?.[1] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.bookmarkedAt.getTime(), row.id]);
  }
}

/** Kept against being forgotten until the transaction ends. */
async function articleIn(sql: Sql, id: string): Promise<ArticleRow> {
  const [article] = await sql<ArticleRow>(`select ${ARTICLE_COLUMNS} from news_articles a where a.id = $1 for key share`, [id]);
  if (!article) throw notFound('article');
  return article;
}
