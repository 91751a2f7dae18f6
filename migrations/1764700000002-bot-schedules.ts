import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When bots speak by themselves. docs/BOTS.md explains it. */
export class BotSchedules1764700000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table bot_schedules (
  id uuid primary key, bot_id uuid not null references bots on delete cascade, chat_id uuid not null,
  rule jsonb not null,                                 -- {every, hours, at, weekdays, zone}
  prompt text, text text,                              -- what it is asked, or what it says as it stands
  next_at timestamptz not null, last_at timestamptz,
  lease_until timestamptz not null default '-infinity', -- a process is at it until then
  created_at timestamptz not null
);
create index on bot_schedules (bot_id, id);
create index on bot_schedules (chat_id, bot_id);
create index on bot_schedules (next_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table bot_schedules');
  }
}
