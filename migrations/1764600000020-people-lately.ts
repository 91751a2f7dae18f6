import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who has said something of themselves last, so that people are suggested to each other before the next training. */
export class PeopleLately1764600000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index personalizations_lately on personalizations (updated_at desc) where enabled');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index personalizations_lately');
  }
}
