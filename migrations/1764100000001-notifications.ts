import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people are told of: the notification centre, what each wants, their devices, and the pushes that are due. */
export class Notifications1764100000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create table notifications (
  id uuid primary key, user_id uuid not null references users on delete cascade,
  kind text not null, slot text not null,              -- what it is about: one notification each
  chat_id uuid, seq int,                               -- a message; of a chat's new messages the first
  actor_id uuid, call_id uuid, group_id uuid,
  count int not null default 1,                        -- people who reacted, or who ask; of messages it is counted when asked for
  newest_at timestamptz not null,                      -- of what is counted
  created_at timestamptz not null, read_at timestamptz,
  unique (user_id, slot)
);
create index on notifications (user_id, id desc);
create index on notifications (user_id, chat_id) where read_at is null;
create index on notifications (chat_id, seq);
create index on notifications (created_at);

create table notification_preferences (
  user_id uuid primary key references users on delete cascade,
  kinds jsonb not null default '{}',                   -- { KIND: { inApp, push } }: what differs from the default, which is true
  content text not null default 'TEXT' check (content in ('TEXT', 'SENDER', 'NOTHING')), -- what a push shows
  quiet_from int check (quiet_from between 0 and 1439), quiet_to int check (quiet_to between 0 and 1439), -- minutes since midnight, there
  quiet_zone text, quiet_calls boolean not null default true -- calls are silenced, too
);
create table notification_levels (                     -- of one chat, where it is not as by default
  user_id uuid not null references users on delete cascade, chat_id uuid not null references chats on delete cascade,
  level text not null check (level in ('ALL', 'MENTIONS', 'NOTHING')), primary key (chat_id, user_id)
);
create index on notification_levels (user_id);

create table push_devices (                            -- one a session, and gone with it
  id uuid primary key, session_id uuid not null unique references sessions on delete cascade, user_id uuid not null references users on delete cascade,
  provider text not null check (provider in ('WEB_PUSH', 'FCM')),
  address text not null,                               -- the endpoint, or the token
  address_hash bytea not null unique,
  p256dh text, auth text,                              -- of Web Push: by which contents are encrypted
  created_at timestamptz not null
);
create index on push_devices (user_id);
create table pushes (                                  -- what a device is to be told, and was told last
  device_id uuid not null references push_devices on delete cascade, slot text not null,
  kind text not null, chat_id uuid, seq int, actor_id uuid, call_id uuid, group_id uuid,
  version int not null default 1,                      -- grows with each thing that happens
  noted_at timestamptz not null,                       -- when the newest did
  due_at timestamptz,                                  -- null: nothing waits
  expires_at timestamptz not null, sent_at timestamptz, attempts int not null default 0, looked_at timestamptz,
  primary key (device_id, slot)
);
create index on pushes (due_at) where due_at is not null;
create index on pushes (expires_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table pushes, push_devices, notification_levels, notification_preferences, notifications');
  }
}
