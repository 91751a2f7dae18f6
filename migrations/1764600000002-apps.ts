import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Programs of others: apps with their secrets, keys, and the sessions that they hold for people. Of every secret there is the hash alone. */
export class Apps1764600000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table apps (
  id uuid primary key, owner_id uuid not null references users on delete cascade, name text not null,
  redirect_uris text[] not null, scopes text[] not null,
  secret_hash bytea not null, old_secret_hash bytea, old_secret_until timestamptz, created_at timestamptz not null
);
create index on apps (owner_id, id desc);

alter table sessions add column app_id uuid references apps on delete cascade, add column scopes text[]; -- null: all that the person may
create index on sessions (app_id) where app_id is not null;

create table api_keys (
  id uuid primary key, app_id uuid not null references apps on delete cascade, session_id uuid not null unique references sessions on delete cascade,
  name text not null, hash bytea not null unique, hint text not null, created_at timestamptz not null, expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz
);
create index on api_keys (app_id, id desc);

create table oauth_codes (
  hash bytea primary key, app_id uuid not null references apps on delete cascade, user_id uuid not null references users on delete cascade,
  redirect_uri text not null, scopes text[] not null, challenge text not null, expires_at timestamptz not null, session_id uuid, used_at timestamptz
);
create index on oauth_codes (expires_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table oauth_codes, api_keys; alter table sessions drop column app_id, drop column scopes; drop table apps');
  }
}
