import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bots, what they were given to read, and what they have been asked. docs/BOTS.md explains the shapes. */
export class Bots1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table bots (
  id              uuid primary key references users on delete cascade, -- the bot as a user
  owner_id        uuid references users on delete cascade,             -- null: it comes with the product
  engine          text not null check (engine in ('BUILT_IN', 'EXTERNAL')),
  instructions    text not null default '',
  model           text,
  temperature     real,
  tools           text[] not null default '{}',
  languages       text[] not null default '{}',
  replies_an_hour int not null,                        -- to one person
  session_id      uuid,                                -- the one that its token is good for
  knowledge       int not null default 0,              -- grows with every change of what it was given to read
  created_at      timestamptz not null
);
create index on bots (owner_id, id);
create unique index bots_built_in on bots ((true)) where owner_id is null;

create table bot_knowledge (
  id uuid primary key, bot_id uuid not null references bots on delete cascade,
  kind text not null check (kind in ('TEXT', 'FAQ', 'FILE', 'PAGE')), title text not null, url text,
  passages int not null, created_at timestamptz not null
);
create index on bot_knowledge (bot_id, id);
create table bot_passages (
  knowledge_id uuid not null references bot_knowledge on delete cascade, ord int not null, question text, text text not null,
  primary key (knowledge_id, ord)
);

-- What a person has had a bot remember in a chat; it is used there and nowhere else.
create table bot_memories (
  id uuid primary key, bot_id uuid not null references bots on delete cascade, user_id uuid not null references users on delete cascade,
  chat_id uuid not null, text text not null, created_at timestamptz not null
);
create index on bot_memories (user_id, bot_id, id);

-- The older part of a chat as a bot keeps it in mind: numbers of messages, so that what is deleted is forgotten here, too.
create table bot_summaries (
  bot_id uuid not null references bots on delete cascade, chat_id uuid not null, up_to_seq int not null, seqs int[] not null,
  primary key (chat_id, bot_id)
);

-- A row: this bot is to answer this message.
create table bot_replies (
  chat_id uuid not null, seq int not null, bot_id uuid not null references bots on delete cascade, asker_id uuid not null,
  state text not null default 'WAITING' check (state in ('WAITING', 'DONE', 'FAILED', 'LIMITED')),
  answer_seq int, tries int not null default 0, lease_until timestamptz not null default '-infinity', created_at timestamptz not null,
  primary key (chat_id, seq, bot_id)
);
create index on bot_replies (created_at) where state = 'WAITING';
create index on bot_replies (chat_id, bot_id) where state = 'WAITING';

create table bot_spending (
  bot_id uuid not null references bots on delete cascade, day date not null,
  requests int not null, input_tokens bigint not null, output_tokens bigint not null, cost bigint not null, primary key (bot_id, day)
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table bot_spending, bot_replies, bot_summaries, bot_memories, bot_passages, bot_knowledge, bots');
  }
}
