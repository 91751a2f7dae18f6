import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Shops, what they sell, and what of it is where. docs/COMMERCE.md explains the shapes. Amounts are in the smallest unit of their currency. */
export class Catalogue1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table shops (
  id uuid primary key, owner_id uuid not null, slug text not null unique, name text not null, description text, currency text not null,
  version int not null default 1, created_at timestamptz not null
);
create index on shops (owner_id, id);

create table stock_locations (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, name text not null, position int not null, created_at timestamptz not null,
  unique (shop_id, name)
);
create table product_categories (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, parent_id uuid references product_categories on delete cascade,
  path uuid[] not null,                                  -- from the topmost to itself
  name text not null, slug text not null, unique (shop_id, slug)
);

create table products (
  id uuid primary key, shop_id uuid not null references shops on delete cascade, slug text not null,
  title text not null, description text,
  status text not null default 'DRAFT' check (status in ('DRAFT', 'PUBLISHED', 'ARCHIVED')),
  options jsonb not null default '[]',                   -- [{ name, values }], in the order of variants' option_values
  attributes jsonb not null default '[]',                -- [{ name, value }]
  facets text[] not null default '{}',                   -- name=value of each attribute, in lower case
  category_ids uuid[] not null default '{}', category_paths uuid[] not null default '{}', -- those, and all above them
  media_urls text[] not null default '{}', tax_class text not null default 'standard',
  rating_sum int not null default 0, rating_count int not null default 0, sold int not null default 0,
  words tsvector not null, version int not null default 1,
  created_at timestamptz not null, updated_at timestamptz not null, published_at timestamptz,
  unique (shop_id, slug)
);
create index on products (shop_id, status, id);
create index on products (published_at desc, id desc) where status = 'PUBLISHED';
create index on products using gin (words) where status = 'PUBLISHED';
create index on products using gin (facets) where status = 'PUBLISHED';
create index on products using gin (category_paths) where status = 'PUBLISHED';

create table product_variants (
  id uuid primary key, product_id uuid not null references products on delete cascade, shop_id uuid not null references shops on delete cascade,
  sku text not null, option_values text[] not null, position int not null,
  active boolean not null default true,                  -- false: no longer sold; orders still name it
  track_stock boolean not null, weight_grams int, unique (shop_id, sku)
);
create index on product_variants (product_id, position);
create table variant_prices (
  variant_id uuid not null references product_variants on delete cascade, currency text not null,
  amount bigint not null check (amount >= 0), compare_at bigint, primary key (variant_id, currency)
);
-- The least and the highest price of what is sold of a product: what lists sort and filter by.
create table product_prices (
  product_id uuid not null references products on delete cascade, currency text not null, min_amount bigint not null, max_amount bigint not null,
  primary key (product_id, currency)
);
create index on product_prices (currency, min_amount, product_id);

-- What can be sold is on_hand - reserved: the checks are what makes overselling impossible.
create table stock_levels (
  variant_id uuid not null references product_variants on delete cascade, location_id uuid not null references stock_locations on delete cascade,
  on_hand int not null check (on_hand >= 0), reserved int not null default 0 check (reserved between 0 and on_hand),
  primary key (variant_id, location_id)
);
create table stock_movements (
  id uuid primary key, variant_id uuid not null references product_variants on delete cascade, location_id uuid not null references stock_locations on delete cascade,
  delta int not null, kind text not null, reason text, actor_id uuid, created_at timestamptz not null
);
create index on stock_movements (variant_id, id);

create table product_reviews (
  id uuid primary key, product_id uuid not null references products on delete cascade, user_id uuid not null references users on delete cascade,
  rating int not null check (rating between 1 and 5), title text, text text, created_at timestamptz not null, updated_at timestamptz not null,
  unique (product_id, user_id)
);
create index on product_reviews (product_id, id);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table product_reviews, stock_movements, stock_levels, product_prices, variant_prices, product_variants, products, product_categories, stock_locations, shops');
  }
}
