import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Endpoints that are told of events, and what each is to be told, was told, and could not be told. docs/PARTNERS.md explains them. */
export class Webhooks1764600000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table webhooks (
  id uuid primary key, owner_id uuid not null references users on delete cascade,
  url text not null, description text, kinds text[] not null,
  chat_ids uuid[], shop_ids uuid[],                    -- of these alone; null: of all
  secret bytea not null, old_secret bytea, old_secret_until timestamptz, -- it signs, so it can't be a hash
  state text not null default 'ACTIVE' check (state in ('ACTIVE', 'PAUSED', 'DISABLED')), disabled_reason text, disabled_at timestamptz,
  failures int not null default 0, failing_since timestamptz, -- in a row; null: it answers well
  paused_until timestamptz,                            -- it failed, and is left alone until then
  next_at timestamptz,                                 -- when there is something to send; null: nothing waits
  lease_until timestamptz not null default '-infinity', lease_id uuid, -- the process that sends to it
  delivered_at timestamptz, created_at timestamptz not null, since timestamptz not null -- what happened before is not told
);
create index on webhooks (owner_id, id desc);
create index on webhooks (next_at) where state = 'ACTIVE' and next_at is not null;

create table webhook_deliveries (
  id uuid primary key, webhook_id uuid not null references webhooks on delete cascade,
  stream text not null, pos bigint not null, kind text not null, ref jsonb not null, at timestamptz not null, -- the event: ids alone, as in the log
  state text not null default 'PENDING' check (state in ('PENDING', 'DELIVERED', 'FAILED', 'DROPPED')),
  attempts int not null default 0, due_at timestamptz, status int, error text, took_ms int, settled_at timestamptz,
  unique (webhook_id, stream, pos)
);
create index on webhook_deliveries (webhook_id, id desc);
create index on webhook_deliveries (webhook_id, due_at, id) where state = 'PENDING';
create index on webhook_deliveries (settled_at) where settled_at is not null;

alter table notifications add column webhook_id uuid references webhooks on delete cascade;
create index on notifications (webhook_id) where webhook_id is not null;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table notifications drop column webhook_id; drop table webhook_deliveries, webhooks');
  }
}
