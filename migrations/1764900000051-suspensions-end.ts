import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A suspension may have an end of its own. */
export class SuspensionsEnd1764900000051 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table users add column suspended_until timestamptz');
    await runner.query('create index on users (suspended_until) where suspended_until is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table users drop column suspended_until');
  }
}
