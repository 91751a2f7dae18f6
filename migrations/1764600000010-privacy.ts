import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What somebody may ask of a place that has their data: a copy, and to be forgotten. */
export class Privacy1764600000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table users add column erased_at timestamptz;    -- from then on the row is a pseudonym

create table data_exports (
  id uuid primary key, user_id uuid not null references users on delete cascade, requested_by uuid not null,
  file_id uuid, created_at timestamptz not null, finished_at timestamptz, expires_at timestamptz
);
create index on data_exports (user_id, id desc);
create unique index data_exports_one_at_a_time on data_exports (user_id) where finished_at is null;

create table erasures (                                -- who is being erased, and who was
  user_id uuid primary key, requested_by uuid,         -- null: time did, by a rule of retention
  created_at timestamptz not null, finished_at timestamptz, counts jsonb
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table erasures, data_exports; alter table users drop column erased_at');
  }
}
