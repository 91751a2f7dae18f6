import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a chat lets it be told how it feels. */
export class Sentiment1764400000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table chats add column sentiment boolean not null default true');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table chats drop column sentiment');
  }
}
