import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Returns, payouts, and addresses that people keep. */
export class Merchants1764300000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table order_lines add column returning_count int not null default 0, add check (returning_count between 0 and fulfilled); -- asked to come back, or come back
create table order_returns (
  id uuid primary key, order_id uuid not null references orders on delete cascade, state text not null check (state in ('REQUESTED', 'APPROVED', 'DECLINED', 'CANCELLED', 'RECEIVED')),
  lines jsonb not null, reason text, note text, restocked boolean not null default false, refund_id uuid, created_at timestamptz not null, updated_at timestamptz not null
);
create index on order_returns (order_id, id);
create table order_invoices (order_id uuid primary key references orders on delete cascade, number text not null, file_id uuid not null, created_at timestamptz not null);
create table payouts (
  id uuid primary key, shop_id uuid not null references shops on delete restrict, amount bigint not null check (amount > 0), currency text not null,
  state text not null check (state in ('REQUESTED', 'PAID', 'FAILED')), reference text, created_at timestamptz not null, settled_at timestamptz
);
create index on payouts (shop_id, id);
create index on payouts (id) where state = 'REQUESTED';
create table saved_addresses (id uuid primary key, user_id uuid not null references users on delete cascade, label text, address jsonb not null, created_at timestamptz not null);
create index on saved_addresses (user_id, id);
-- What a shop was paid into its own hand is not owed to it: each shop has its own account for it.
update ledger_entries e set account = 'cash:' || o.shop_id from ledger_transactions t join orders o on o.id = t.order_id where t.id = e.transaction_id and e.account = 'provider:manual';
create index on orders (shop_id, created_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index orders_shop_id_created_at_idx');
    await runner.query(`update ledger_entries set account = 'provider:manual' where account like 'cash:%'`);
    await runner.query('drop table saved_addresses, payouts, order_invoices, order_returns');
    await runner.query('alter table order_lines drop column returning_count');
  }
}
