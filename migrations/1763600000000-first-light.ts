import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People, groups, chats, messages, and the event log. docs/ARCHITECTURE.md explains the shapes. */
export class FirstLight1763600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
create extension if not exists pg_trgm;
create extension if not exists btree_gin;

-- ── events ────────────────────────────────────────────────────────────────────────────────────────────────
create table streams (
  id    text primary key,                              -- chat:<uuid>, user:<uuid>, …
  epoch uuid   not null default gen_random_uuid(),     -- changes when history can't be continued
  head  bigint not null default 0                      -- offset of the newest event
) with (fillfactor = 50);                              -- updated with every event: leave room for HOT updates

create table events (
  stream text   not null,
  pos    bigint not null,                              -- offset in the stream: 1, 2, 3 … without gaps, in commit order
  kind   text   not null,
  ref    jsonb  not null,                              -- ids and numbers, never contents: replay reads today's rows
  at     timestamptz not null default now(),
  xid    xid8   not null default pg_current_xact_id(), -- for consumers that read across streams in commit order
  primary key (stream, pos, at)
) partition by range (at);
create table events_default partition of events default;
create index on events (xid);

-- Makes the partitions of this week and of the coming ones. Where upkeep was late, their events have gone to the default
-- partition and are taken from there. Attaching, unlike creating in place, lets the log be written meanwhile.
create function ensure_event_partitions(weeks_ahead int) returns void language plpgsql set lock_timeout = '5s' as $$
declare
  first_moment timestamptz; name text;
begin
  perform pg_advisory_xact_lock(hashtext('event partitions'));
  for week in 0..weeks_ahead loop
    first_moment := (date_trunc('week', now() at time zone 'UTC') + week * interval '7 days') at time zone 'UTC';
    name := 'events_' || to_char(first_moment at time zone 'UTC', 'YYYYMMDD');
    continue when to_regclass(name) is not null;
    execute format('create table %I (like events including all)', name);
    lock table events_default in access exclusive mode;
    execute format('with late as (delete from events_default where at >= %L and at < %L returning *) insert into %I select * from late',
                   first_moment, first_moment + interval '7 days', name);
    execute format('alter table events attach partition %I for values from (%L) to (%L)', name, first_moment, first_moment + interval '7 days');
  end loop;
end $$;
-- Drops what is older than a moment: partitions that ended before it, and rows of the default partition.
create function drop_event_partitions(before timestamptz) returns void language plpgsql set lock_timeout = '5s' as $$
declare
  name text;
begin
  perform pg_advisory_xact_lock(hashtext('event partitions'));
  for name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'events'::regclass and c.relname ~ '^events_\\d{8}$' loop
    continue when to_date(substr(name, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' + interval '7 days' > before;
    execute format('drop table %I', name);
  end loop;
  delete from events_default where at < before;
end $$;
select ensure_event_partitions(3);

create table idempotency_keys (
  actor_id   uuid  not null,
  operation  text  not null,
  key        text  not null,
  input_hash bytea not null,
  result     jsonb,
  created_at timestamptz not null default now(),
  primary key (actor_id, operation, key)
);
create index on idempotency_keys using brin (created_at);

create table server_keys (name text primary key, value text not null);

-- ── people ────────────────────────────────────────────────────────────────────────────────────────────────
create table users (
  id                 uuid primary key,
  kind               text not null default 'PERSON' check (kind in ('PERSON', 'BOT')),
  handle             text not null,
  handle_key         text not null unique,             -- lower-cased
  display_name       text not null,
  about              text,
  avatar_url         text,
  email              text unique,                      -- lower-cased
  email_verified_at  timestamptz,
  phone              text unique,                      -- E.164, verified
  password_hash      text,
  role               text not null default 'USER' check (role in ('USER', 'MODERATOR', 'ADMIN')),
  last_seen_at       timestamptz,
  presence_privacy   text not null default 'CONTACTS' check (presence_privacy in ('EVERYONE', 'CONTACTS', 'NOBODY')),
  find_by_phone      boolean not null default true,
  discoverable       boolean not null default true,
  suspended_at       timestamptz,
  version            int not null default 1,
  created_at         timestamptz not null default now()
);
-- With a space before it, so that a pattern can ask for the beginning of any word.
create index users_search on users using gin ((lower(' ' || handle || ' ' || display_name)) gin_trgm_ops) where discoverable;

create table identities (
  issuer text not null, subject text not null, user_id uuid not null references users on delete cascade, created_at timestamptz not null default now(),
  primary key (issuer, subject)
);
create index on identities (user_id);

create table sessions (                                -- one a device
  id uuid primary key, user_id uuid not null references users on delete cascade,
  device text, created_at timestamptz not null default now(), last_active_at timestamptz not null default now(),
  expires_at timestamptz not null default 'infinity',  -- as its newest refresh token does
  ended_at timestamptz, end_reason text,
  away boolean not null default false                  -- said by the device itself; until it says otherwise or disconnects
);
create index on sessions (user_id, id desc);
create index on sessions (least(ended_at, expires_at)); -- what is over can be forgotten

create table refresh_tokens (
  hash bytea primary key, session_id uuid not null references sessions on delete cascade,
  created_at timestamptz not null default now(), expires_at timestamptz not null, rotated_at timestamptz
);
create index on refresh_tokens (session_id);

create table one_time_codes (
  id uuid primary key, purpose text not null check (purpose in ('VERIFY_EMAIL', 'RESET_PASSWORD', 'PHONE')),
  subject text not null,                               -- the e-mail address or phone number that it was sent to
  user_id uuid references users on delete cascade, code_hash bytea not null,
  tries int not null default 0, created_at timestamptz not null default now(), expires_at timestamptz not null, used_at timestamptz
);
create index on one_time_codes (purpose, subject, created_at desc);
create index on one_time_codes (code_hash);

create table contacts (
  owner_id uuid not null references users on delete cascade, contact_id uuid not null references users on delete cascade,
  name text, created_at timestamptz not null default now(), primary key (owner_id, contact_id), check (owner_id <> contact_id)
);
create index on contacts (contact_id);

create table blocks (
  blocker_id uuid not null references users on delete cascade, blocked_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(), primary key (blocker_id, blocked_id), check (blocker_id <> blocked_id)
);
create index on blocks (blocked_id);

-- Who is connected where. A node that dies stops renewing its lease; what it held is then swept.
create unlogged table nodes (id uuid primary key, lease_until timestamptz not null);
create unlogged table presence (                       -- a row: this session has a connection to this node
  session_id uuid not null, node_id uuid not null, user_id uuid not null, primary key (session_id, node_id)
);
create index on presence (user_id);
create index on presence (node_id);

-- How much of a limited thing somebody has used in the window that began then.
create table quotas (key text primary key, began_at timestamptz not null, used int not null);

-- ── groups ────────────────────────────────────────────────────────────────────────────────────────────────
create table groups (
  id uuid primary key, name text not null, description text, rules text, topics text[] not null default '{}', avatar_url text,
  visibility text not null check (visibility in ('PUBLIC', 'PRIVATE', 'SECRET')),
  join_policy text not null check (join_policy in ('OPEN', 'REQUEST', 'INVITE')),
  origin text not null default 'PEOPLE' check (origin in ('PEOPLE', 'CLUSTER')),
  member_count int not null default 0, version int not null default 1, created_at timestamptz not null default now()
);
create index groups_search on groups using gin ((lower(name || ' ' || coalesce(description, ''))) gin_trgm_ops) where visibility <> 'SECRET';
create index groups_topics on groups using gin (topics) where visibility <> 'SECRET';

create table group_members (
  group_id uuid not null references groups on delete cascade, user_id uuid not null references users on delete cascade,
  role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER')), state text not null check (state in ('MEMBER', 'REQUESTED', 'BANNED')),
  joined_at timestamptz not null default now(), primary key (group_id, user_id)
);
create index on group_members (user_id);

-- ── chats ─────────────────────────────────────────────────────────────────────────────────────────────────
create table chats (
  id uuid primary key, kind text not null check (kind in ('DIRECT', 'GROUP')),
  encryption text not null default 'NONE' check (encryption in ('NONE', 'MLS')),
  title text, avatar_url text, group_id uuid references groups on delete set null,
  direct_key text unique,                              -- both members' ids, the smaller first: a direct chat exists once
  last_seq int not null default 0, last_message_at timestamptz not null default now(),
  member_count int not null default 0,
  acl_version int not null default 1,                  -- grows with every change of who may do what: guards decisions made on a snapshot
  slow_mode_seconds int not null default 0, message_ttl_seconds int,
  version int not null default 1, created_at timestamptz not null default now()
) with (fillfactor = 70);
create index on chats (group_id) where group_id is not null;

create table chat_members (
  chat_id uuid not null, user_id uuid not null references users on delete cascade,
  role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER')),
  joined_at timestamptz not null default now(),
  visible_from_seq int not null default 1,             -- the first message that they may see
  visible_from_pos bigint not null default 0,          -- the first event of the chat's stream that may be replayed to them
  last_read_seq int not null default 0, last_delivered_seq int not null default 0,
  muted_until timestamptz, pinned_at timestamptz, archived_at timestamptz, draft text, draft_updated_at timestamptz,
  last_sent_at timestamptz,                            -- kept only where slow mode is on
  primary key (chat_id, user_id)
) with (fillfactor = 70);
create index on chat_members (user_id);

create table messages (
  chat_id uuid not null, seq int not null, sender_id uuid not null,
  kind text not null check (kind in ('TEXT', 'MEDIA', 'VOICE', 'CARD', 'SYSTEM', 'ENCRYPTED')),
  version int not null default 1, created_at timestamptz not null default now(), edited_at timestamptz, deleted_at timestamptz, expires_at timestamptz,
  reply_to_seq int, thread_root_seq int, thread_count int not null default 0, thread_last_at timestamptz,
  text text, mentions uuid[],                          -- the body
  forward jsonb,                                       -- { chatId, seq, senderId, at } of the original
  card jsonb,                                          -- { type: 'poll' } (see polls), { type: 'location', … }, system messages: { type: 'member.joined', … }
  reactions jsonb,                                     -- [["👍", 3], …]: counts by emoji, in the order of first use; message_reactions holds who
  primary key (chat_id, seq)
);
create index on messages (chat_id, thread_root_seq, seq) where thread_root_seq is not null;
create index on messages (expires_at) where expires_at is not null and deleted_at is null;
create index messages_mentions on messages (chat_id, seq) where mentions is not null; -- counts those unread ones that name somebody
create index messages_search on messages using gin (chat_id, to_tsvector('simple', text)) where text is not null and deleted_at is null;

create table message_edits (
  chat_id uuid not null, seq int not null, version int not null, text text not null, replaced_at timestamptz not null default now(), primary key (chat_id, seq, version)
);
create table message_reactions (
  chat_id uuid not null, seq int not null, user_id uuid not null, emoji text not null, created_at timestamptz not null default now(), primary key (chat_id, seq, emoji, user_id)
);
create table message_marks (                           -- one person's own marks on a message
  chat_id uuid not null, seq int not null, user_id uuid not null, starred_at timestamptz, hidden_at timestamptz, primary key (chat_id, seq, user_id)
);
create index on message_marks (user_id, starred_at desc) where starred_at is not null;
create table pinned_messages (
  chat_id uuid not null, seq int not null, pinned_by uuid not null, pinned_at timestamptz not null default now(), primary key (chat_id, seq)
);

create table polls (
  chat_id uuid not null, seq int not null, question text not null, multiple boolean not null, anonymous boolean not null,
  closes_at timestamptz, voter_count int not null default 0, primary key (chat_id, seq)
);
create table poll_options (
  chat_id uuid not null, seq int not null, idx int not null, text text not null, votes int not null default 0, primary key (chat_id, seq, idx)
);
create table poll_votes (
  chat_id uuid not null, seq int not null, user_id uuid not null, idx int not null, created_at timestamptz not null default now(), primary key (chat_id, seq, user_id, idx)
);

create table invite_links (
  id uuid primary key, token_hash bytea not null unique, chat_id uuid not null, created_by uuid not null references users on delete cascade,
  max_uses int, uses int not null default 0, expires_at timestamptz, revoked_at timestamptz, created_at timestamptz not null default now()
);
create index on invite_links (chat_id);

create table scheduled_messages (
  id uuid primary key, chat_id uuid not null, sender_id uuid not null references users on delete cascade, input jsonb not null,
  send_at timestamptz not null,
  try_at timestamptz not null, sending boolean not null default false, -- when it is next tried; whether a process has taken it, which it has until try_at
  state text not null default 'WAITING' check (state in ('WAITING', 'SENT', 'FAILED', 'CANCELLED')),
  sent_seq int, failure text, created_at timestamptz not null default now()
);
create index on scheduled_messages (sender_id, send_at, id);
create index on scheduled_messages (try_at) where state = 'WAITING';

create table reports (
  id uuid primary key, reporter_id uuid not null references users on delete cascade, target_type text not null, target_id uuid not null, target_seq int,
  reason text not null, note text, created_at timestamptz not null default now()
);
create unique index on reports (reporter_id, target_type, target_id, coalesce(target_seq, 0));
`);
    await runner.query(SEND_MESSAGES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
drop function send_messages; drop function ensure_event_partitions; drop function drop_event_partitions;
drop table reports, scheduled_messages, invite_links, poll_votes, poll_options, polls, pinned_messages, message_marks, message_reactions, message_edits, messages,
  chat_members, chats, group_members, groups, quotas, presence, nodes, blocks, contacts, one_time_codes, refresh_tokens, sessions, identities, users, server_keys,
  idempotency_keys, events, streams;
`);
  }
}

/**
 * The hot path: writes a batch of messages, over one or many chats, in one round trip and one commit, by a handful of
 * statements whatever the batch's size.
 *
 * Who may send was decided on a snapshot of the chat; `acl_version`, compared under the chat's lock, tells whether that
 * snapshot still holds (null: the caller holds the lock). Each send succeeds or fails alone, by its status:
 *   ok | stale (decide again) | busy (the chat is locked by another transaction: send it on its own) | key (the idempotency key was used)
 *   | reply (no such message to reply to) | thread (no such root) | slow (slow mode: not yet; at most one send of a slowed member in a batch)
 * Raises serialization_failure when a key is being used by another transaction at this moment: write the sends one by one.
 */
const SEND_MESSAGES = /* sql */ `
create function send_messages(
  p_chat uuid[], p_acl int[], p_sender uuid[], p_key text[], p_hash bytea[], p_kind text[], p_text text[], p_mentions jsonb[], p_reply int[], p_thread int[],
  p_forward jsonb[], p_card jsonb[], p_visible_from int[], p_slow int[], p_now timestamptz, p_skip_locked boolean
) returns table (ord int, status text, seq int, pos bigint, epoch uuid, expires_at timestamptz, root_pos bigint) language plpgsql as $$
#variable_conflict use_column
declare
  v_locked uuid[]; v_status text[]; v_seq int[]; v_rank int[]; v_expires timestamptz[];
  v_pos bigint[]; v_epoch uuid[]; v_sent int; v_claims int; v_claimed int; v_threads boolean; v_slowed boolean;
begin
  -- Locks in one order. Every statement from here on sees what the holders before us have committed.
  if p_skip_locked then
    select array_agg(id) into v_locked from (select id from chats where id = any (p_chat) order by id for update skip locked) l;
  else
    select array_agg(id) into v_locked from (select id from chats where id = any (p_chat) order by id for update) l;
  end if;

  -- Judge each send, then number those that pass: messages by chat, and events (a reply in a thread tells of its root too).
  -- Scalar subqueries, not EXISTS: the planner may answer that by reading the whole table into a hash.
  with sends as (
    select o, c.id as chat_id, c.last_seq, c.message_ttl_seconds as ttl, u.thread, u.slow, u.sender, u.key,
      case
        when c.id is null then 'busy'
        -- Before all that may have changed since the first use of the key: a repeat gets the same answer.
        when (select true from idempotency_keys k where k.actor_id = u.sender and k.operation = 'sendMessage' and k.key = u.key limit 1) then 'key'
        when c.acl_version <> u.acl then 'stale'
        when u.reply is not null and (
          select true from messages m where m.chat_id = c.id and m.seq = u.reply and m.seq >= u.visible_from and m.deleted_at is null limit 1) is null then 'reply'
        when u.thread is not null and (
          select true from messages m where m.chat_id = c.id and m.seq = u.thread and m.seq >= u.visible_from and m.deleted_at is null and m.thread_root_seq is null
            and m.kind <> 'SYSTEM' limit 1) is null then 'thread'
        when u.slow > 0 and (
          select true from chat_members s where s.chat_id = c.id and s.user_id = u.sender and s.last_sent_at > p_now - make_interval(secs => u.slow) limit 1) then 'slow'
        else 'ok'
      end as status
    from unnest(p_chat, p_acl, p_sender, p_key, p_reply, p_thread, p_visible_from, p_slow) with ordinality u(chat, acl, sender, key, reply, thread, visible_from, slow, o)
    left join chats c on c.id = u.chat and c.id = any (v_locked)
  ), judged as (
    select *, case when status = 'ok' and key is not null and row_number() over (partition by sender, key, status order by o) > 1 then 'key' else status end as verdict from sends
  ), numbered as (
    select o, verdict, ttl, key, thread, slow,
      case when verdict = 'ok' then last_seq + (count(*) filter (where verdict = 'ok') over by_chat)::int end as seq,
      (sum(case when verdict <> 'ok' then 0 when thread is null then 1 else 2 end) over by_chat)::int as rank
    from judged window by_chat as (partition by chat_id order by o)
  )
  select array_agg(verdict order by o), array_agg(seq order by o), array_agg(rank order by o), array_agg(p_now + make_interval(secs => ttl) order by o),
         count(*) filter (where verdict = 'ok'), count(*) filter (where verdict = 'ok' and key is not null),
         bool_or(verdict = 'ok' and thread is not null), bool_or(verdict = 'ok' and slow > 0)
    into v_status, v_seq, v_rank, v_expires, v_sent, v_claims, v_threads, v_slowed from numbered;

  -- Arrays are taken apart by unnest throughout: a subscript walks a text array from its start.
  if v_sent > 0 then
    insert into idempotency_keys (actor_id, operation, key, input_hash, result, created_at)
      select sender, 'sendMessage', key, hash, jsonb_build_object('seq', seq), p_now
      from unnest(p_sender, p_key, p_hash, v_seq, v_status) u(sender, key, hash, seq, status) where status = 'ok' and key is not null on conflict do nothing;
    get diagnostics v_claimed = row_count;
    if v_claimed < v_claims then raise exception 'an idempotency key is in use' using errcode = 'serialization_failure'; end if;

    update chats c set last_seq = n.seq, last_message_at = p_now
      from (select chat as id, max(seq) as seq from unnest(p_chat, v_seq, v_status) u(chat, seq, status) where status = 'ok' group by 1) n where c.id = n.id;

    with n as (
      select chat as id, 'chat:' || chat as stream, max(rank) as events from unnest(p_chat, v_rank, v_status) u(chat, rank, status) where status = 'ok' group by 1
    ), moved as (
      update streams s set head = s.head + n.events from n where s.id = n.stream returning n.id, s.epoch, s.head - n.events as before
    )
    select array_agg(m.before + u.rank order by o), array_agg(m.epoch order by o) into v_pos, v_epoch
      from unnest(p_chat, v_rank, v_status) with ordinality u(chat, rank, status, o) left join moved m on m.id = u.chat and u.status = 'ok';

    insert into messages (chat_id, seq, sender_id, kind, created_at, expires_at, reply_to_seq, thread_root_seq, text, mentions, forward, card)
      select chat, seq, sender, kind, p_now, expires, reply, thread, text,
             case when mentions is not null then (select array_agg(m::uuid) from jsonb_array_elements_text(mentions) m) end, forward, card
      from unnest(p_chat, v_seq, p_sender, p_kind, v_expires, p_reply, p_thread, p_text, p_mentions, p_forward, p_card, v_status)
        u(chat, seq, sender, kind, expires, reply, thread, text, mentions, forward, card, status) where status = 'ok';
    -- Each statement costs a single send as much as its rows do: what few batches need is left out of the others.
    if not v_threads then
      insert into events (stream, pos, kind, ref, at)
        select 'chat:' || chat, pos, 'message.sent', jsonb_build_object('seq', seq), p_now from unnest(p_chat, v_seq, v_pos, v_status) u(chat, seq, pos, status) where status = 'ok';
    else
      insert into events (stream, pos, kind, ref, at)
        select 'chat:' || chat, pos - e.back, e.kind, jsonb_build_object('seq', case e.back when 0 then coalesce(thread, seq) else seq end), p_now
        from unnest(p_chat, v_seq, v_pos, p_thread, v_status) u(chat, seq, pos, thread, status),
             lateral (select 0 as back, 'message.sent' as kind where thread is null
                      union all select 1, 'message.sent' where thread is not null
                      union all select 0, 'message.updated' where thread is not null) e
        where status = 'ok';
      update messages m set thread_count = m.thread_count + r.replies, thread_last_at = p_now, version = m.version + r.replies
        from (select chat, thread, count(*)::int as replies from unnest(p_chat, p_thread, v_status) u(chat, thread, status) where status = 'ok' and thread is not null group by 1, 2) r
        where m.chat_id = r.chat and m.seq = r.thread;
    end if;
    if v_slowed then
      update chat_members m set last_sent_at = p_now
        from unnest(p_chat, p_sender, p_slow, v_status) u(chat, sender, slow, status) where status = 'ok' and slow > 0 and m.chat_id = chat and m.user_id = sender;
    end if;
  end if;

  return query select o::int, u.status, case when u.status = 'ok' then u.seq end, u.pos - (u.thread is not null)::int, u.epoch, u.expires,
                      case when u.status = 'ok' and u.thread is not null then u.pos end
    from unnest(v_status, v_seq, v_pos, v_epoch, v_expires, p_thread) with ordinality u(status, seq, pos, epoch, expires, thread, o);
end $$;
`;
