import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often a feed asks to be fetched stands in its body, which a 304 has none of. Null: it asks nothing, or was not read since. */
export class PaceOfFeeds1764900000082 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table news_sources add column asked_seconds int');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table news_sources drop column asked_seconds');
  }
}
