import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a section listed when it was read last, as hashes (hashtextextended) of link_key: an article that is forgotten before would be told again as new. */
export class ListedArticles1764900000083 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table news_sources add column listed bigint[] not null default array[]::bigint[]');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table news_sources drop column listed');
  }
}
