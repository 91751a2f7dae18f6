import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operations that apps register, to be asked for by their hash; an app may be kept to them. */
export class AppOperations1764600000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table apps add column registered_only boolean not null default false;
create table app_operations (
  id uuid primary key, app_id uuid not null references apps on delete cascade,
  hash text not null,                                  -- SHA-256 of the document, hexadecimal
  name text, document text not null, created_at timestamptz not null, unique (app_id, hash)
);
create index on app_operations (app_id, id);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table app_operations; alter table apps drop column registered_only');
  }
}
