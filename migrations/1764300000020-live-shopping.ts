import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is shown in calls, to be bought. docs/COMMERCE.md explains the shapes. */
export class LiveShopping1764300000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table call_showcase (
  call_id uuid not null references calls on delete cascade, product_id uuid not null references products on delete cascade,
  shown_at timestamptz not null, place bigint not null generated always as identity, -- the newest first
  primary key (call_id, product_id)
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table call_showcase');
  }
}
