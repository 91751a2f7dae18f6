import type { MigrationInterface, QueryRunner } from 'typeorm';

/** News: sources, articles and what people do with them; previews of links in messages. */
export class News1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table news_sources (
  id uuid primary key, publisher text not null, section text not null, feed_url text not null,
  category text,                                       -- of a feed that serves several sections: takes items of this category alone
  homepage text, language text not null default 'en', topics text[] not null default '{}',
  origin text not null check (origin in ('BUILT_IN', 'SETTINGS', 'ADMIN')),
  state text not null default 'ACTIVE' check (state in ('ACTIVE', 'PAUSED', 'GONE')), -- GONE: its server said so (410)
  every_seconds int,                                   -- null: as the settings and the feed say
  next_fetch_at timestamptz not null default now(), etag text, last_modified text, fetched_at timestamptz,
  failures int not null default 0, failure text,       -- in a row; the last one's reason
  created_at timestamptz not null default now()
);
create unique index on news_sources (feed_url, coalesce(category, ''));
create index on news_sources (next_fetch_at) where state = 'ACTIVE';

create table news_articles (
  id uuid primary key, link_key text not null unique,  -- the canonical link: tells articles apart
  source_id uuid not null references news_sources on delete cascade, -- which told of it first, and may change it
  url text not null, title text not null, summary text, author text, image_url text, language text not null,
  topics text[] not null, topic_keys text[] not null,  -- as shown, and in lower case
  published_at timestamptz not null, first_seen_at timestamptz not null, updated_at timestamptz, version int not null default 1,
  simhash bigint, quarters int[],                      -- of its text; by one equal quarter near ones are found
  search tsvector not null
);
create index on news_articles (published_at desc, id desc);
create index on news_articles using gin (search);
create index on news_articles using gin (topic_keys);
create index on news_articles using gin (quarters);
create index on news_articles (source_id);

create table news_article_sources (                    -- an article stands in several sections, and near the same at several publishers
  article_id uuid not null references news_articles on delete cascade, source_id uuid not null references news_sources on delete cascade,
  url text not null, link_key text not null, seen_at timestamptz not null, primary key (article_id, source_id, link_key)
);
create index on news_article_sources (source_id, article_id);
create index on news_article_sources (link_key);

create table news_contents (
  article_id uuid primary key references news_articles on delete cascade, html text, text text, -- null: it could not be had
  origin text not null check (origin in ('FEED', 'PAGE')), made_at timestamptz not null, attempts int not null default 0, retry_at timestamptz
);
create table news_summaries (
  article_id uuid primary key references news_articles on delete cascade, article_version int not null, method text not null, sentences text[], -- null: being made, until lease_until
  lease_until timestamptz, made_at timestamptz
);
create table news_marks (
  user_id uuid not null references users on delete cascade, article_id uuid not null references news_articles on delete cascade,
  read_at timestamptz, bookmarked_at timestamptz, shared_at timestamptz, summarized_at timestamptz, primary key (user_id, article_id)
);
create index on news_marks (user_id, bookmarked_at desc, article_id) where bookmarked_at is not null;
create index on news_marks (article_id);

-- ── previews of links ─────────────────────────────────────────────────────────────────────────────────────
alter table messages add column preview jsonb;         -- null: not looked at; else { state: 'NONE' | 'PENDING' | 'READY', url, title, … }
-- What a text with a link waits in until it was looked at: a send writes nothing else for it, and loses nothing.
create index messages_to_preview on messages (created_at) where preview is null and deleted_at is null and kind = 'TEXT' and text like '%://%';
create table link_previews (                           -- by address: fetched once for all messages
  url text primary key, host text not null, state text not null default 'PENDING' check (state in ('PENDING', 'READY', 'NONE')),
  title text, description text, image_url text, site_name text,
  attempts int not null default 0, try_at timestamptz not null, expires_at timestamptz
);
create index on link_previews (try_at) where state = 'PENDING';
create index on link_previews (expires_at) where expires_at is not null;
create table link_preview_waits (
  url text not null, chat_id uuid not null, seq int not null, primary key (chat_id, seq)
);
create index on link_preview_waits (url);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table link_preview_waits, link_previews; alter table messages drop column preview;
      drop table news_marks, news_summaries, news_contents, news_article_sources, news_articles, news_sources`);
  }
}
