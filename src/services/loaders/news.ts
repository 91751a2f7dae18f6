import { inOrder, type LoaderDef } from '../../db/loaders.js';

export type SourceState = 'ACTIVE' | 'PAUSED' | 'GONE';

export interface SourceRow {
  id: string;
  publisher: string;
  section: string;
  feedUrl: string;
  category: string | null;
  homepage: string | null;
  language: string;
  topics: string[];
  origin: 'BUILT_IN' | 'SETTINGS' | 'ADMIN';
  state: SourceState;
  everySeconds: number | null;
  /** How often its feed asks to be fetched, as of the last time that it was read. */
  askedSeconds: number | null;
  nextFetchAt: Date;
  etag: string | null;
  lastModified: string | null;
  fetchedAt: Date | null;
  failures: number;
  failure: string | null;
}

export const SOURCE_COLUMNS = `s.id, s.publisher, s.section, s.feed_url as "feedUrl", s.category, s.homepage, s.language, s.topics, s.origin, s.state, s.every_seconds as "everySeconds", s.asked_seconds as "askedSeconds",
  s.next_fetch_at as "nextFetchAt", s.etag, s.last_modified as "lastModified", s.fetched_at as "fetchedAt", s.failures, s.failure`;

export interface ArticleRow {
  id: string;
  sourceId: string;
  url: string;
  title: string;
  summary: string | null;
  author: string | null;
  imageUrl: string | null;
  language: string;
  topics: string[];
  publishedAt: Date;
  updatedAt: Date | null;
  version: number;
}

export const ARTICLE_COLUMNS = `a.id, a.source_id as "sourceId", a.url, a.title, a.summary, a.author, a.image_url as "imageUrl", a.language, a.topics, a.published_at as "publishedAt",
  a.updated_at as "updatedAt", a.version`;

/** Where an article stands: a section, and its link there. */
export interface PlaceRow {
  sourceId: string;
  url: string;
}

export interface ContentRow {
  articleId: string;
  html: string;
  text: string;
  origin: 'FEED' | 'PAGE';
  madeAt: Date;
}

export interface SummaryRow {
  articleId: string;
  articleVersion: number;
  method: 'EXTRACTIVE' | 'MODEL';
  sentences: string[];
  madeAt: Date;
}

export interface ArticleMarks {
  read: boolean;
  bookmarked: boolean;
}

export const sourceById: LoaderDef<string, SourceRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<SourceRow>(`select ${SOURCE_COLUMNS} from news_sources s where s.id = any($1)`, [ids]), (row) => row.id);
  },
};

export const articleById: LoaderDef<string, ArticleRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<ArticleRow>(`select ${ARTICLE_COLUMNS} from news_articles a where a.id = any($1)`, [ids]), (row) => row.id);
  },
};

/** The first section that told of it stands first. */
export const articlePlaces: LoaderDef<string, PlaceRow[]> = {
  async batch(ids, { sql }) {
    const rows = await sql<PlaceRow & { articleId: string }>(
      'select article_id as "articleId", source_id as "sourceId", url from news_article_sources where article_id = any($1) order by seen_at, source_id', [ids],
    );
    const byArticle = Map.groupBy(rows, (row) => row.articleId);
    return ids.map((id) => byArticle.get(id) ?? []);
  },
};

export const contentOfArticle: LoaderDef<string, ContentRow> = {
  async batch(ids, { sql }) {
    const rows = await sql<ContentRow>(`select article_id as "articleId", html, text, origin, made_at as "madeAt" from news_contents where article_id = any($1) and html is not null`, [ids]);
    return inOrder(ids, rows, (row) => row.articleId);
  },
};

export const summaryOfArticle: LoaderDef<string, SummaryRow> = {
  async batch(ids, { sql }) {
    const rows = await sql<SummaryRow>(
      `select article_id as "articleId", article_version as "articleVersion", method, sentences, made_at as "madeAt" from news_summaries where article_id = any($1) and sentences is not null`, [ids],
    );
    return inOrder(ids, rows, (row) => row.articleId);
  },
};

/** The viewer's own marks on an article. */
export const viewerArticleMarks: LoaderDef<string, ArticleMarks> = {
  async batch(ids, { sql, viewerId }) {
    const rows = await sql<ArticleMarks & { id: string }>(
      `select article_id as id, read_at is not null as read, bookmarked_at is not null as bookmarked from news_marks where article_id = any($1) and user_id = $2`, [ids, viewerId],
    );
    return inOrder(ids, rows, (row) => row.id).map((row) => row ?? { read: false, bookmarked: false });
  },
};
