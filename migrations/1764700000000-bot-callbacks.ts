import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people have pressed and filled in on cards of bots. docs/BOTS.md explains it. */
export class BotCallbacks1764700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table bot_callbacks (
  id uuid primary key, bot_id uuid not null references bots on delete cascade, user_id uuid not null references users on delete cascade,
  chat_id uuid not null, seq int not null,             -- the message with the card
  button text, payload text, "values" jsonb,           -- a button with its payload, or what was filled in
  created_at timestamptz not null, expires_at timestamptz not null, -- until then it can be answered
  answered_at timestamptz, notice text, alert boolean  -- what whoever it was is told
);
create index on bot_callbacks (user_id, created_at);
create index on bot_callbacks (created_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table bot_callbacks');
  }
}
