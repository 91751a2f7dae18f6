import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Carts, alone or shared in a chat. A line is what all shares of one variant add up to. docs/COMMERCE.md explains the shapes. */
export class Carts1764300000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table carts (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, owner_id uuid not null references users on delete cascade,
  chat_id uuid references chats on delete set null,      -- whose members fill it too
  title text, currency text not null,
  state text not null default 'OPEN' check (state in ('OPEN', 'CHECKOUT', 'ORDERED', 'CLOSED')),
  version int not null default 1, created_at timestamptz not null, updated_at timestamptz not null
);
create index on carts (owner_id, id);
create index on carts (chat_id, id) where chat_id is not null;

-- Who wants how many: each person's share of a line is theirs.
create table cart_shares (
  cart_id uuid not null references carts on delete cascade, variant_id uuid not null references product_variants on delete cascade,
  user_id uuid not null references users on delete cascade, quantity int not null check (quantity > 0), added_at timestamptz not null,
  primary key (cart_id, variant_id, user_id)
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table cart_shares, carts');
  }
}
