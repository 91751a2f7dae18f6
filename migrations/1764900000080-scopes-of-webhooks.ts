import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a key or token was given by which an endpoint was made or changed last; null: it was a person's own. */
export class ScopesOfWebhooks1764900000080 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table webhooks add column scopes text[]');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table webhooks drop column scopes');
  }
}
