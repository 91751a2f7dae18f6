import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Statuses: what somebody shows to their contacts for a day, and highlights, which keep some of it. */
export class Statuses1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table statuses (
  id uuid primary key, author_id uuid not null references users on delete cascade,
  kind text not null check (kind in ('TEXT', 'IMAGE', 'VIDEO')), text text, background text, font text,
  file_id uuid,                                        -- the picture or video; file_references holds it
  audience text not null check (audience in ('CONTACTS', 'EXCEPT', 'ONLY')), -- of the last two, status_audience holds whom
  view_count int not null default 0, reaction_count int not null default 0,
  kept int not null default 0,                         -- how many highlights hold it: with any, it outlives its day
  created_at timestamptz not null, expires_at timestamptz not null,
  expired boolean not null default false,              -- its day is over, and that is being told or was
  news_at timestamptz,                                 -- since when its author has not been told of views and reactions
  removed_at timestamptz                               -- its contents are erased; the row stays until everybody has been told
);
create index on statuses (author_id, id) where removed_at is null;
create index on statuses (expires_at) where removed_at is null and not expired;
create index on statuses (news_at) where news_at is not null;
create table status_audience (
  status_id uuid not null references statuses on delete cascade, user_id uuid not null references users on delete cascade, primary key (status_id, user_id)
);
create index on status_audience (user_id);
create table status_views (
  status_id uuid not null references statuses on delete cascade, viewer_id uuid not null references users on delete cascade,
  viewed_at timestamptz not null, reaction text, reacted_at timestamptz, primary key (status_id, viewer_id)
);
create index on status_views (status_id, viewed_at, viewer_id);
create index on status_views (viewer_id);
create table status_tellings (                         -- what is being told to whoever may see a status, in batches: up to whom it has been
  status_id uuid not null references statuses on delete cascade, change text not null check (change in ('POSTED', 'DELETED', 'EXPIRED')),
  after uuid not null default '00000000-0000-0000-0000-000000000000', primary key (status_id, change)
);
create table status_mutes (
  owner_id uuid not null references users on delete cascade, muted_id uuid not null references users on delete cascade, created_at timestamptz not null,
  primary key (owner_id, muted_id)
);
create index on status_mutes (muted_id);
create table status_highlights (
  id uuid primary key, owner_id uuid not null references users on delete cascade, title text not null,
  cover_id uuid,                                       -- one of its statuses; null: the first of them
  version int not null default 1, created_at timestamptz not null
);
create index on status_highlights (owner_id, id);
create table status_highlight_items (
  highlight_id uuid not null references status_highlights on delete cascade, status_id uuid not null references statuses on delete cascade,
  primary key (highlight_id, status_id)
);
create index on status_highlight_items (status_id);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table status_highlight_items, status_highlights, status_mutes, status_tellings, status_views, status_audience, statuses');
  }
}
