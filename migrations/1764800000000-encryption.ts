import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * End-to-end encrypted chats (MLS, RFC 9420): devices, their key packages, and of each group what orders its commits. What is said is in `messages.card`, as ciphertext, so that it is
 * erased as every message is.
 */
export class Encryption1764800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
-- A session that has an identity of its own. Its row stays while a group may still hold it.
create table mls_devices (
  session_id uuid primary key, user_id uuid not null references users on delete cascade, signature_key bytea not null,
  created_at timestamptz not null, ended_at timestamptz
);
create index on mls_devices (user_id) where ended_at is null;
create index on mls_devices (ended_at) where ended_at is not null;

-- A claimed one is for one device and one chat: asked again, it is answered again.
create table mls_key_packages (
  device_id uuid not null references mls_devices on delete cascade, ref bytea not null, package bytea not null, last_resort boolean not null, expires_at timestamptz not null,
  created_at timestamptz not null, claimed_by uuid, claimed_chat uuid, claimed_at timestamptz, primary key (device_id, ref)
);
create index on mls_key_packages (expires_at);
create unique index on mls_key_packages (device_id, claimed_chat, claimed_by) where claimed_by is not null;
create index on mls_key_packages (claimed_by, claimed_at) where claimed_by is not null;
create unique index on mls_key_packages (device_id) where last_resort;

create table mls_groups (
  chat_id uuid primary key references chats on delete cascade, generation int not null default 1, epoch int not null default 0, group_info bytea not null,
  founder_id uuid not null, updated_at timestamptz not null
);
create table mls_leaves (
  chat_id uuid not null references mls_groups on delete cascade, device_id uuid not null, user_id uuid not null, since_epoch int not null, primary key (chat_id, device_id)
);
create index on mls_leaves (device_id);
create index on mls_leaves (user_id);
-- One commit leads out of an epoch.
create table mls_commits (
  chat_id uuid not null references mls_groups on delete cascade, generation int not null, epoch int not null, device_id uuid not null, content bytea not null, created_at timestamptz not null,
  primary key (chat_id, generation, epoch)
);
create index on mls_commits (created_at);
create table mls_welcomes (
  id uuid primary key, device_id uuid not null references mls_devices on delete cascade, chat_id uuid not null references mls_groups on delete cascade, generation int not null, epoch int not null,
  content bytea not null, created_at timestamptz not null
);
create index on mls_welcomes (device_id, id);
create index on mls_welcomes (chat_id);
create index on mls_welcomes (created_at);
create index chats_encrypted on chats (id) where encryption = 'MLS';
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index chats_encrypted; drop table mls_welcomes, mls_commits, mls_leaves, mls_groups, mls_key_packages, mls_devices');
  }
}
