import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What holds for somebody in a chat also when they come back: until when they may say nothing, and when they said something last. */
export class Absences1764900000070 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table chat_absences (
  chat_id uuid not null references chats on delete cascade, user_id uuid not null references users on delete cascade, silenced_until timestamptz, last_sent_at timestamptz, over_at timestamptz not null,
  primary key (chat_id, user_id)
)`);
    await runner.query('create index on chat_absences (user_id)');
    await runner.query('create index on chat_absences (over_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table chat_absences');
  }
}
