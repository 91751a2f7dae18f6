import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Calls: who is in them, what they send, who was asked, and what is left of it in people's lists. docs/CALLS.md explains the shapes. */
export class Calls1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
-- A process that serves calls. Its media and its sockets are as dead as it is: lease by the database's clock, seen_at by the server's.
create table call_nodes (
  id uuid primary key, seen_at timestamptz not null, lease_until timestamptz not null,
  media boolean not null                                 -- calls can be had in it
);

create table calls (
  id uuid primary key, chat_id uuid not null references chats on delete cascade,
  kind text not null check (kind in ('VOICE', 'VIDEO')),
  state text not null check (state in ('RINGING', 'ACTIVE', 'ENDED')),
  started_by uuid not null references users on delete cascade,
  locked boolean not null default false, lobby boolean not null default false,
  screen_share text not null default 'ONE' check (screen_share in ('ONE', 'HOST')),
  started_at timestamptz not null, answered_at timestamptz, ended_at timestamptz, end_reason text,
  media_node uuid,                                       -- the process in which its media lives; null until somebody joins, and between two
  recording_state text not null default 'OFF' check (recording_state in ('OFF', 'ASKING', 'ON')),
  recording_id uuid,
  check ((state = 'ENDED') = (ended_at is not null))
);
create unique index calls_one_a_chat on calls (chat_id) where state <> 'ENDED';
create index on calls (media_node) where media_node is not null;

-- A row each person of a call: their seat while it goes on, their line in the call log for ever.
create table call_participants (
  id uuid primary key, call_id uuid not null references calls on delete cascade,
  user_id uuid references users on delete cascade,
  token_id uuid, name text,                              -- of a guest
  role text not null check (role in ('HOST', 'SPEAKER', 'LISTENER')),
  state text not null check (state in ('RINGING', 'BUSY', 'DECLINED', 'MISSED', 'WAITING', 'JOINED', 'LEFT', 'REMOVED')),
  muted_sources text[] not null default '{}',            -- what the host does not let them send
  recording_consent boolean,
  device uuid,                                           -- the session (or token) that holds the seat
  ring_until timestamptz, joined_at timestamptz, left_at timestamptz,
  stay_since timestamptz, talked_ms bigint not null default 0,
  link_node uuid,                                        -- the process that they follow the call's events through
  lost_at timestamptz, seat_until timestamptz,           -- gone since, and kept until
  quality jsonb, created_at timestamptz not null,
  check ((user_id is null) <> (token_id is null)),
  unique (call_id, user_id), unique (call_id, token_id)
);
create index on call_participants (user_id, call_id desc);
create index on call_participants (ring_until) where ring_until is not null;
create index on call_participants (seat_until) where seat_until is not null;
create index on call_participants (link_node) where link_node is not null;
create index on call_participants (call_id) where state = 'JOINED';

-- What is sent in a call now.
create table call_producers (
  id uuid primary key, call_id uuid not null references calls on delete cascade,
  participant_id uuid not null references call_participants on delete cascade,
  kind text not null check (kind in ('AUDIO', 'VIDEO', 'DATA')),
  source text check (source in ('MICROPHONE', 'CAMERA', 'SCREEN', 'SCREEN_AUDIO')),
  label text, protocol text, app_data jsonb,
  paused boolean not null default false, created_at timestamptz not null
);
create index on call_producers (call_id);
create index on call_producers (participant_id);
create unique index call_producers_one_screen on call_producers (call_id) where source = 'SCREEN';

-- By which somebody without an account joins: one seat each.
create table call_tokens (
  id uuid primary key, call_id uuid not null references calls on delete cascade, created_by uuid not null references users on delete cascade,
  name text not null, role text not null check (role in ('SPEAKER', 'LISTENER')), skip_lobby boolean not null,
  created_at timestamptz not null, expires_at timestamptz not null, revoked_at timestamptz
);
create index on call_tokens (call_id);

create table call_recordings (
  id uuid primary key, call_id uuid not null references calls on delete cascade, started_by uuid not null,
  media_recording_id text not null, started_at timestamptz not null, ended_at timestamptz,
  file text, bytes bigint, duration_ms bigint
);
create index on call_recordings (call_id);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table call_recordings, call_tokens, call_producers, call_participants, calls, call_nodes');
  }
}
