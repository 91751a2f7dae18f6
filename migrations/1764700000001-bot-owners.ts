import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What owners of bots decide: their commands, and that they are no more. */
export class BotOwners1764700000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table bots
  add column commands   jsonb not null default '[]', -- [{name, description}], as they were declared
  add column deleted_at timestamptz;                 -- its row stays, since others have its messages
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table bots drop column commands, drop column deleted_at');
  }
}
