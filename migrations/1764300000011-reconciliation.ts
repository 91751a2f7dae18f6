import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was found to differ between our payments and their gateways. */
export class Reconciliation1764300000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table payments add column seen_at timestamptz;
create index on payments (provider, created_at);
create table payment_findings (
  id uuid primary key, provider text not null, payment_key text not null, kind text not null, reference text, order_id uuid, shop_id uuid,
  ours text not null, theirs text not null, mended boolean not null, created_at timestamptz not null,
  unique (provider, payment_key, kind, ours, theirs)
);
create index on payment_findings (shop_id, id);
alter table sandbox_payments add column created_at timestamptz not null default now();
create index on sandbox_payments (created_at, key);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sandbox_payments drop column created_at');
    await runner.query('drop table payment_findings');
    await runner.query('drop index payments_provider_created_at_idx');
    await runner.query('alter table payments drop column seen_at');
  }
}
