import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a bot may cost a day, as its owner says: millionths of a US dollar; null: as much as the operator lets it. */
export class CostOfBots1764900000052 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table bots add column cost_a_day bigint check (cost_a_day >= 0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table bots drop column cost_a_day');
  }
}
