import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { newsStream } from '../../events/catalogue.js';
import { newId } from '../../lib/ids.js';
import type { FeedItem, ReadFeed } from '../../news/feed.js';
import { distance, NEAR, quarters } from '../../news/simhash.js';
import { NOBODY } from '../actor.js';
import type { SourceRow } from '../loaders/news.js';

/** Nobody in particular: what the product does by itself. */
export /** Near-same texts are looked for among those of the last days: a yearly report is not last year's. */
const NEAR_DAYS = 3;
const DAY_MS = 86_400_000;
/** Dictionaries by which words are found in their other forms; every text is indexed as it stands too. */
const DICTIONARIES: Readonly<Record<string, string>> = { en: 'english', ar: 'arabic' };

interface Known {
  id: string;
  linkKey: string;
  sourceId: string;
  title: string;
  summary: string | null;
  imageUrl: string | null;
  /** Its own link, not that of a text near the same. */
  own: boolean;
  /** In this section already. */
  here: boolean;
}

/** What an article is found by: its title above all, then its summary, then the rest. */
const SEARCH = `setweight(to_tsvector('simple', $1) || to_tsvector($4::regconfig, $1), 'A') || setweight(to_tsvector('simple', $2) || to_tsvector($4::regconfig, $2), 'B')
  || setweight(to_tsvector('simple', $3) || to_tsvector($4::regconfig, $3), 'C')`;
/** Words of a text beyond this many characters are not indexed: a tsvector has a bound of its own. */
const INDEXED_CHARACTERS = 50_000;

const LIST = 'update news_sources s set listed = l.keys from (select array_agg(hashtextextended(key, 0)) as keys from unnest($2::text[]) k(key)) l where s.id = $1 and s.listed is distinct from l.keys';

export const dictionaryOf = (language: string): string => DICTIONARIES[language] ?? 'simple';

/** Finds the article by its contents too, once they are known. */
export async function indexArticle(sql: Sql, articleId: string, text: string): Promise<void> {
  const [row] = await sql<{ title: string; summary: string | null; language: string }>('select title, summary, language from news_articles where id = $1', [articleId]);
  if (!row) return;
  await sql(`update news_articles set search = ${SEARCH} where id = $5`, [row.title, row.summary ?? '', text.slice(0, INDEXED_CHARACTERS), dictionaryOf(row.language), articleId]);
}

/** Takes what a feed tells into the articles: new ones, changed ones, and such as are known from elsewhere. */
export class NewsIngest {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Takes the items of one section. An article is known by its canonical link, whatever the order of the feed; one whose text is near the same as another's of the last days is
   * that article, standing at one more place. Each article is told once in each section (`news.published`). What is listed is noted, so that it is not forgotten. Answers how many were told.
   */
  take(source: SourceRow, { items, broken }: Pick<ReadFeed, 'items' | 'broken'>): Promise<number> {
    const wanted = source.category === null ? items : items.filter(({ topics }) => topics.some((topic) => topic.toLowerCase() === source.category!.toLowerCase()));
    // The oldest first, so that events come in the order of the news.
    const ordered = [...wanted].sort((a, b) => (a.publishedAt ?? 0) - (b.publishedAt ?? 0));
    if (!ordered.length) return Promise.resolve(0);
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'takeNews' }, async (tx) => {
      // One feed at a time: two that tell of the same article at once would not see each other's.
      await tx.sql(`select pg_advisory_xact_lock(hashtext('news'))`);
      const known = await this.#known(tx, source, ordered);
      const recent = new RecentTexts(tx);
      let told = 0;
      for (const item of ordered) {
        const same = known.get(item.key);
        if (same?.own && same.sourceId === source.id && differs(same, item)) await this.#change(tx, same.id, item);
        if (same?.here) continue;
        const id = same?.id ?? (await recent.like(item.simhash)) ?? (await this.#insert(tx, source, item));
        recent.add(id, item.simhash);
        if (await this.#place(tx, source, id, item)) told++;
      }
      // The end of one that broke off is listed still, as far as anybody knows.
      if (!broken) await tx.sql(LIST, [source.id, ordered.map(({ key }) => key)]);
      return told;
    });
  }

  async #known(tx: Tx, source: SourceRow, items: readonly FeedItem[]): Promise<Map<string, Known>> {
    const rows = await tx.sql<Known>(
      `select distinct on (k.key) k.key as "linkKey", a.id, a.source_id as "sourceId", a.title, a.summary, a.image_url as "imageUrl", a.link_key = k.key as own,
              exists (select from news_article_sources h where h.article_id = a.id and h.source_id = $2) as here
       from unnest($1::text[]) k(key) join news_article_sources p on p.link_key = k.key join news_articles a on a.id = p.article_id order by k.key, a.first_seen_at`,
      [items.map(({ key }) => key), source.id],
    );
    return new Map(rows.map((row) => [row.linkKey, row]));
  }

  async #insert(tx: Tx, source: SourceRow, item: FeedItem): Promise<string> {
    const id = newId();
    const topics = topicsOf(source, item);
    // A feed's clock may be ahead, and must not hold an article above all others.
    const publishedAt = new Date(Math.min(item.publishedAt ?? tx.now.getTime(), tx.now.getTime()));
    await tx.sql(
      `insert into news_articles (id, link_key, source_id, url, title, summary, author, image_url, language, topics, topic_keys, published_at, first_seen_at, simhash, quarters, search)
       values ($5, $6, $7, $8, $1, nullif($2, ''), $9, $10, $11, $12, $13, $14, $15, $16, $17, ${SEARCH})`,
      [
        item.title, item.summary ?? '', item.content?.text.slice(0, INDEXED_CHARACTERS) ?? '', dictionaryOf(source.language), id, item.key, source.id, item.url, item.author, item.imageUrl, source.language,
        topics, topics.map((topic) => topic.toLowerCase()), publishedAt, tx.now, item.simhash === null ? null : BigInt.asIntN(64, item.simhash).toString(), item.simhash === null ? null : quarters(item.simhash),
      ],
    );
    if (item.content) {
      await tx.sql(`insert into news_contents (article_id, html, text, origin, made_at) values ($1, $2, $3, 'FEED', $4)`, [id, item.content.html, item.content.text, tx.now]);
    }
    return id;
  }

  async #change(tx: Tx, id: string, item: FeedItem): Promise<void> {
    await tx.sql('update news_articles set title = $2, summary = $3, image_url = $4, updated_at = $5, version = version + 1 where id = $1', [id, item.title, item.summary, item.imageUrl, tx.now]);
    if (item.content) {
      await tx.sql(
        `insert into news_contents (article_id, html, text, origin, made_at) values ($1, $2, $3, 'FEED', $4)
         on conflict (article_id) do update set html = excluded.html, text = excluded.text, origin = 'FEED', made_at = excluded.made_at, attempts = 0, retry_at = null`,
        [id, item.content.html, item.content.text, tx.now],
      );
    }
    const [content] = await tx.sql<{ text: string | null }>('select text from news_contents where article_id = $1', [id]);
    await indexArticle(tx.sql, id, content?.text ?? '');
  }

  /** Says where an article stands; false when it was said before. */
  async #place(tx: Tx, source: SourceRow, id: string, item: FeedItem): Promise<boolean> {
    const [placed] = await tx.sql<{ first: boolean }>(
      `insert into news_article_sources (article_id, source_id, url, link_key, seen_at) values ($1, $2, $3, $4, $5) on conflict do nothing
       returning not exists (select from news_article_sources o where o.article_id = $1 and o.source_id = $2) as first`,
      [id, source.id, item.url, item.key, tx.now],
    );
    if (!placed?.first) return false;
    const topics = topicsOf(source, item);
    await tx.sql(
      `update news_articles set topics = topics || array(select t from unnest($2::text[]) t where lower(t) <> all(topic_keys)),
         topic_keys = topic_keys || array(select lower(t) from unnest($2::text[]) t where lower(t) <> all(topic_keys))
       where id = $1 and not topic_keys @> $3::text[] and cardinality(topic_keys) < 16`,
      [id, topics, topics.map((topic) => topic.toLowerCase())],
    );
    tx.append(newsStream(source.id), { kind: 'news.published', articleId: id });
    return true;
  }
}

const differs = (known: Known, item: FeedItem): boolean => known.title !== item.title || known.summary !== item.summary || known.imageUrl !== item.imageUrl;

function topicsOf(source: SourceRow, item: FeedItem): string[] {
  return [...new Map([...item.topics, ...source.topics].map((topic) => [topic.toLowerCase(), topic])).values()];
}

/** Texts of the last days, and those of this batch, to find one that says the same. */
class RecentTexts {
  readonly #added: { id: string; hash: bigint }[] = [];
  constructor(private readonly tx: Tx) {}

  add(id: string, hash: bigint | null): void {
    if (hash !== null) this.#added.push({ id, hash });
  }

  async like(hash: bigint | null): Promise<string | null> {
    if (hash === null) return null;
    const added = this.#added.find((one) => distance(one.hash, hash) <= NEAR);
    if (added) return added.id;
    const rows = await this.tx.sql<{ id: string; simhash: string }>('select id, simhash from news_articles where quarters && $1::int[] and first_seen_at > $2 order by first_seen_at limit 200', [
      quarters(hash), new Date(this.tx.now.getTime() - NEAR_DAYS * DAY_MS),
    ]);
    return rows.find((row) => distance(BigInt(row.simhash), hash) <= NEAR)?.id ?? null;
  }
}
