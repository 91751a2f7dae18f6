import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Buying together, for less: a campaign, and who takes part by an order whose payment is held. docs/COMMERCE.md explains the shapes. */
export class GroupBuys1764300000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table group_buys (
  id uuid primary key, shop_id uuid not null references shops on delete restrict, owner_id uuid not null,
  chat_id uuid references chats on delete set null,        -- whose members take part
  product_id uuid not null, variant_id uuid not null, currency text not null,
  tiers jsonb not null,                                    -- [{ quantity, price }], the first is the least that it takes
  max_quantity int, deadline timestamptz not null,
  state text not null default 'OPEN' check (state in ('OPEN', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  price bigint, quantity int, people int,                  -- as it was decided; null while OPEN
  created_at timestamptz not null, settled_at timestamptz, check ((state = 'OPEN') = (settled_at is null)), check (state <> 'SUCCEEDED' or price is not null)
);
create index on group_buys (deadline) where state = 'OPEN';
alter table orders add column group_buy_id uuid references group_buys on delete restrict;
create table group_buy_shares (
  order_id uuid primary key references orders on delete cascade, group_buy_id uuid not null references group_buys on delete cascade, user_id uuid not null,
  quantity int not null check (quantity > 0),
  terms jsonb not null,                                    -- what the order is priced by again, at the price that was reached
  gone boolean not null default false,                     -- they left before it was decided
  due text check (due in ('CAPTURE', 'VOID')),             -- decided, and not yet asked of the payment
  created_at timestamptz not null
);
create index on group_buy_shares (group_buy_id, user_id);
create index on group_buy_shares (order_id) where due is not null;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table group_buy_shares');
    await runner.query('alter table orders drop column group_buy_id');
    await runner.query('drop table group_buys');
  }
}
