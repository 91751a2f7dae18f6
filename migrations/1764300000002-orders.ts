import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Orders: what they cost and why, how they are paid, what is sent, and the books. docs/COMMERCE.md explains the shapes. */
export class Orders1764300000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table shops add column last_order int not null default 0;
create table shipping_methods (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, name text not null, currency text not null, amount bigint not null check (amount >= 0),
  free_from bigint, countries text[] not null default '{}', created_at timestamptz not null -- of no country: of all
);
create index on shipping_methods (shop_id, id);
create table tax_rules (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, country text not null, tax_class text not null,
  rate_ppm int not null check (rate_ppm between 0 and 1000000), included boolean not null, unique (shop_id, country, tax_class)
);
create table discounts (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, code text not null,
  kind text not null check (kind in ('PERCENT', 'AMOUNT', 'FREE_SHIPPING')), value bigint not null, currency text, min_subtotal bigint not null default 0,
  starts_at timestamptz, ends_at timestamptz, max_uses int, max_uses_each int, uses int not null default 0, created_at timestamptz not null,
  unique (shop_id, code), check (max_uses is null or uses <= max_uses)
);
create table gift_cards (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, code_hash bytea not null unique, last4 text not null, currency text not null,
  initial bigint not null, balance bigint not null check (balance between 0 and initial), expires_at timestamptz, created_at timestamptz not null
);

create table orders (
  id uuid primary key, shop_id uuid not null references shops on delete restrict, number int not null, cart_id uuid references carts on delete set null, buyer_id uuid not null,
  state text not null check (state in ('PENDING', 'CONFIRMED', 'COMPLETED', 'CANCELLED')), currency text not null,
  subtotal bigint not null, discount bigint not null, shipping bigint not null, tax bigint not null, tax_added bigint not null, total bigint not null, gift bigint not null,
  refunded bigint not null default 0 check (refunded between 0 and total),
  address jsonb not null, shipping_method text, version int not null default 1, created_at timestamptz not null,
  unique (shop_id, number), check (total = subtotal - discount + shipping + tax_added), check (gift between 0 and total)
);
create index on orders (buyer_id, id);
create table order_lines (
  id uuid primary key, order_id uuid not null references orders on delete cascade, position int not null, variant_id uuid not null, product_id uuid not null,
  title text not null, sku text not null, options text[] not null, quantity int not null, unit_price bigint not null, subtotal bigint not null, discount bigint not null, tax bigint not null,
  tax_rate_ppm int not null, total bigint not null, shares jsonb not null, fulfilled int not null default 0 check (fulfilled between 0 and quantity)
);
create index on order_lines (order_id, position);
create table order_discounts (
  order_id uuid not null references orders on delete cascade, discount_id uuid not null, code text not null, amount bigint not null, buyer_id uuid not null, active boolean not null default true,
  primary key (order_id, discount_id)
);
create index on order_discounts (discount_id, buyer_id) where active;
create table order_gift_cards (
  order_id uuid not null references orders on delete cascade, gift_card_id uuid not null references gift_cards, amount bigint not null check (amount > 0), primary key (order_id, gift_card_id)
);
create table stock_reservations (
  order_id uuid not null references orders on delete cascade, variant_id uuid not null, location_id uuid not null, quantity int not null check (quantity >= 0),
  primary key (order_id, variant_id, location_id)
);
create table order_events (
  id uuid primary key, order_id uuid not null references orders on delete cascade, kind text not null, actor_id uuid, detail jsonb not null default '{}', created_at timestamptz not null
);
create index on order_events (order_id, id);

create table payments (
  id uuid primary key, order_id uuid not null unique references orders on delete cascade, provider text not null, method text not null, amount bigint not null check (amount > 0), currency text not null,
  state text not null check (state in ('CREATED', 'ACTION_REQUIRED', 'PENDING', 'AUTHORIZED', 'CAPTURED', 'FAILED')),
  reference text, action_url text, failure text, refunded bigint not null default 0 check (refunded between 0 and amount),
  try_at timestamptz, attempts int not null default 0, created_at timestamptz not null, updated_at timestamptz not null
);
create index on payments (try_at) where state in ('CREATED', 'ACTION_REQUIRED', 'PENDING');
create table refunds (
  id uuid primary key, order_id uuid not null references orders on delete cascade, amount bigint not null check (amount > 0), reason text,
  state text not null check (state in ('CREATED', 'DONE', 'REFUSED')), try_at timestamptz, created_at timestamptz not null
);
create index on refunds (order_id, id);
create index on refunds (try_at) where state = 'CREATED';
create table fulfillments (
  id uuid primary key, order_id uuid not null references orders on delete cascade, state text not null check (state in ('SHIPPED', 'DELIVERED')),
  tracking text, lines jsonb not null, created_at timestamptz not null, delivered_at timestamptz
);
create index on fulfillments (order_id, id);

-- The books, by double entry: what each account gains (and loses, below zero). Every transaction comes to nothing.
create table ledger_transactions (id uuid primary key, kind text not null, ref uuid not null, order_id uuid not null, created_at timestamptz not null, unique (kind, ref));
create table ledger_entries (
  transaction_id uuid not null references ledger_transactions, account text not null, currency text not null, amount bigint not null check (amount <> 0),
  primary key (transaction_id, account, currency)
);
create index on ledger_entries (account, currency);
create function assert_balanced() returns trigger language plpgsql as $$
begin
  if exists (select from ledger_entries where transaction_id = new.transaction_id group by currency having sum(amount) <> 0) then
    raise exception 'ledger transaction % does not balance', new.transaction_id;
  end if;
  return null;
end $$;
create constraint trigger ledger_balanced after insert or update on ledger_entries deferrable initially deferred for each row execute function assert_balanced();

-- What the sandbox gateway remembers: of no meaning to anything else.
create table sandbox_payments (key text primary key, amount bigint not null, currency text not null, method text not null, state text not null, refunded bigint not null default 0);
create table sandbox_refunds (key text primary key, payment_key text not null references sandbox_payments, amount bigint not null, state text not null);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `drop table sandbox_refunds, sandbox_payments, ledger_entries, ledger_transactions, fulfillments, refunds, payments, order_events, stock_reservations, order_gift_cards, order_discounts, order_lines, orders, gift_cards, discounts, tax_rules, shipping_methods`,
    );
    await runner.query('drop function assert_balanced');
    await runner.query('alter table shops drop column last_order');
  }
}
