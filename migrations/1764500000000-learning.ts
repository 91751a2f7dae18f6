import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people do with things, what they want to be done with it, and what was learned. docs/ML.md explains the shapes. */
export class Learning1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table interactions (
  user_id uuid not null references users on delete cascade, key text not null, -- the client's, so that a repeat is none
  kind text not null check (kind in ('SHOWN', 'VIEWED', 'CLICKED', 'LIKED', 'ADDED_TO_CART', 'BOUGHT')),
  target_type text not null check (target_type in ('PRODUCT', 'ARTICLE', 'GROUP', 'USER')), target_id uuid not null, at timestamptz not null,
  primary key (user_id, key)
);
create index on interactions (user_id, target_type, target_id);
create index on interactions (at);

create table suggestion_dismissals (
  user_id uuid not null references users on delete cascade, target_type text not null check (target_type in ('PRODUCT', 'ARTICLE', 'GROUP', 'USER', 'CLUSTER')), target_id uuid not null, at timestamptz not null,
  primary key (user_id, target_type, target_id)
);

create table personalizations (
  user_id uuid primary key references users on delete cascade, enabled boolean not null, use_messages boolean not null,
  interests text[] not null, profession text, place text, updated_at timestamptz not null
);

create table learned_models (
  id uuid primary key, version int not null unique, state text not null check (state in ('TRAINING', 'ACTIVE', 'KEPT', 'REJECTED', 'FAILED')), reason text,
  options jsonb not null, metrics jsonb not null default '{}', frequencies bytea, bags int not null default 0, factors int not null default 0, gram bytea,
  created_at timestamptz not null, finished_at timestamptz
);
create unique index one_active_model on learned_models ((true)) where state = 'ACTIVE';
create unique index one_training on learned_models ((true)) where state = 'TRAINING';

create table learned_clusters (
  model_id uuid not null references learned_models on delete cascade, id uuid not null, -- the same from model to model, as long as it is the same people
  number int not null, basis text not null check (basis in ('SUBJECT', 'PROFESSION', 'PLACE')), title text not null, interests text[] not null, size int not null, centroid bytea,
  primary key (model_id, id)
);
create table cluster_groups (cluster_id uuid primary key, group_id uuid not null references groups on delete cascade);
create table learned_people (
  model_id uuid not null references learned_models on delete cascade, user_id uuid not null references users on delete cascade,
  cluster_ids uuid[] not null, vector bytea, factors bytea, neighbours uuid[] not null, closeness real[] not null, primary key (model_id, user_id)
);
create index on learned_people (user_id);
create index on learned_people using gin (cluster_ids);
create table learned_products (
  model_id uuid not null references learned_models on delete cascade, product_id uuid not null, factors bytea, vector bytea not null, popularity real not null, similar_ids uuid[] not null,
  primary key (model_id, product_id)
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table learned_products, learned_people, cluster_groups, learned_clusters, learned_models, personalizations, suggestion_dismissals, interactions');
  }
}
