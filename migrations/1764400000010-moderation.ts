import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rules of chats and groups, what is held by them, and what follows for people. docs/MODERATION.md explains the shapes. */
export class Moderation1764400000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
alter table chats add column moderation jsonb;                    -- its rules; null: none
alter table groups add column moderation jsonb;                   -- of all its chats
alter table chat_members add column silenced_until timestamptz;   -- may send nothing until then

-- What somebody who moderates decides about.
create table moderation_cases (
  id uuid primary key,
  kind text not null check (kind in ('HELD', 'FLAGGED', 'REPORTED')),
  state text not null default 'OPEN' check (state in ('OPEN', 'APPROVED', 'REJECTED', 'APPEALED')),
  target_type text not null check (target_type in ('MESSAGE', 'USER', 'CHAT', 'GROUP')),
  target_id uuid not null,             -- of a message its chat
  seq int,                             -- of a message; of a held one once it was sent
  chat_id uuid,                        -- whose moderators decide; null: those of the place alone
  sender_id uuid,                      -- whose it is
  reasons text[] not null,
  score real,                          -- of the classifier
  reports int not null default 0,
  draft jsonb,                         -- a held message, until it was sent or forgotten
  idempotency_key text, input_hash bytea,
  decided_by uuid, decided_at timestamptz, note text, appeal text, appealed_at timestamptz,
  created_at timestamptz not null
);
create index on moderation_cases (chat_id, id) where state in ('OPEN', 'APPEALED');
create index on moderation_cases (id) where state in ('OPEN', 'APPEALED');
create index on moderation_cases (sender_id, id);
create index on moderation_cases (decided_at) where draft is not null;
create unique index moderation_held on moderation_cases (sender_id, idempotency_key) where kind = 'HELD';
create unique index moderation_flagged on moderation_cases (target_id, seq) where kind = 'FLAGGED';
create unique index moderation_reported on moderation_cases (target_type, target_id, coalesce(seq, 0)) where kind = 'REPORTED' and state in ('OPEN', 'APPEALED');

create table moderation_strikes (
  id uuid primary key, user_id uuid not null references users on delete cascade, chat_id uuid not null, case_id uuid not null references moderation_cases on delete cascade,
  created_at timestamptz not null, expires_at timestamptz not null, unique (case_id)
);
create index on moderation_strikes (chat_id, user_id);

create table chat_bans (
  chat_id uuid not null, user_id uuid not null references users on delete cascade, until timestamptz not null, reason text not null, banned_by uuid, created_at timestamptz not null,
  primary key (chat_id, user_id)
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table chat_bans, moderation_strikes, moderation_cases;
alter table chat_members drop column silenced_until; alter table groups drop column moderation; alter table chats drop column moderation;`);
  }
}
