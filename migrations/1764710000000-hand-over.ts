import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bots that hand over to people, and what is handed over. docs/BOTS.md explains the shapes. */
export class HandOver1764710000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table bot_replies add column known boolean;     -- whether it knew the answer; null: it was not a question to its knowledge

create table bot_hand_overs (
  bot_id        uuid primary key references bots on delete cascade,
  chat_id       uuid not null,                        -- whose members take cases, as long as the bot's owner runs it
  after_unknown int not null,                         -- so many answers in a row that it did not know
  created_at    timestamptz not null
);

create table support_cases (
  id uuid primary key,
  bot_id uuid not null references bots on delete cascade,
  chat_id uuid not null,                              -- the bot's direct chat with the asker
  asker_id uuid not null, agent_id uuid,
  state text not null default 'OPEN' check (state in ('OPEN', 'ASSIGNED', 'RESOLVED', 'CANCELLED')),
  reason text not null check (reason in ('ASKED', 'UNKNOWN')),
  with_transcript boolean not null, from_seq int not null, up_to_seq int not null,
  case_chat_id uuid,                                  -- of the bot, the asker and whoever has taken it
  created_at timestamptz not null, assigned_at timestamptz, closed_at timestamptz
);
create unique index support_cases_open on support_cases (bot_id, asker_id) where state in ('OPEN', 'ASSIGNED');
create index on support_cases (bot_id, id);
create index on support_cases (asker_id, id);
create index on support_cases (agent_id) where state = 'ASSIGNED';
create index on support_cases (case_chat_id) where case_chat_id is not null;
create index on support_cases (chat_id);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table support_cases, bot_hand_overs; alter table bot_replies drop column known;');
  }
}
