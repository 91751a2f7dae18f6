import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bots that are published: their versions, listings, who has installed them, and what they think of them. docs/BOTS.md explains the shapes. */
export class BotMarketplace1764710000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
-- What was handed in to be published, as it was then.
create table bot_versions (
  id uuid primary key, bot_id uuid not null references bots on delete cascade, number int not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
  category text not null, description text not null, languages text[] not null,
  instructions text not null, model text, temperature real, tools text[] not null, passages int not null,
  decided_by uuid, decided_at timestamptz, reason text, created_at timestamptz not null,
  unique (bot_id, number)
);
create unique index bot_versions_pending on bot_versions (bot_id) where state = 'PENDING';
create index on bot_versions (id) where state = 'PENDING';

create table bot_listings (
  bot_id uuid primary key references bots on delete cascade, version_id uuid not null references bot_versions on delete cascade,
  category text not null, languages text[] not null, words tsvector not null,
  installs int not null default 0, rating_sum int not null default 0, rating_count int not null default 0,
  listed_at timestamptz not null, unlisted_at timestamptz
);
create index on bot_listings using gin (words);

create table bot_installs (
  bot_id uuid not null references bots on delete cascade, chat_id uuid not null, user_id uuid not null, created_at timestamptz not null, primary key (bot_id, chat_id)
);
create index on bot_installs (user_id, created_at);
create index on bot_installs (created_at, bot_id);

create table bot_ratings (
  bot_id uuid not null references bots on delete cascade, user_id uuid not null, stars int not null check (stars between 1 and 5), text text,
  created_at timestamptz not null, updated_at timestamptz not null, primary key (bot_id, user_id)
);
create index on bot_ratings (bot_id, updated_at, user_id);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table bot_ratings, bot_installs, bot_listings, bot_versions');
  }
}
