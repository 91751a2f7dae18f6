import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Documents that several people change at once: whiteboards, and sessions of co-browsing. */
export class Documents1763700000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table documents (
  id uuid primary key, kind text not null check (kind in ('WHITEBOARD', 'CO_BROWSING')), chat_id uuid not null references chats on delete cascade,
  call_id uuid references calls on delete set null,    -- the call in which it was begun
  title text, editing text not null default 'EVERYONE' check (editing in ('EVERYONE', 'ADMINS')),
  created_by uuid not null, created_at timestamptz not null, active_at timestamptz not null, ended_at timestamptz,
  head bigint not null default 0,                      -- the number of its newest entry in document_updates
  snapshot_seq bigint not null default 0,              -- of a whiteboard: what document_snapshots holds; of co-browsing: the newest batch with a full snapshot
  snapshot_bytes int not null default 0, tail_bytes int not null default 0, -- sizes of the snapshot, and of all entries behind it
  batches int not null default 0,                      -- of co-browsing: the presenter's last batch
  controller_id uuid, control_requests uuid[] not null default '{}'
);
create index on documents (chat_id, id);
create index on documents (active_at) where kind = 'CO_BROWSING' and ended_at is null;
create table document_updates (                        -- numbered without gaps; those that a snapshot holds are dropped in time
  document_id uuid not null references documents on delete cascade, seq bigint not null, kind text not null check (kind in ('UPDATE', 'CONTROL')),
  author_id uuid not null, body bytea not null, created_at timestamptz not null, primary key (document_id, seq)
);
create table document_snapshots (
  document_id uuid primary key references documents on delete cascade, seq bigint not null, state bytea not null, created_at timestamptz not null
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table document_snapshots, document_updates, documents');
  }
}
