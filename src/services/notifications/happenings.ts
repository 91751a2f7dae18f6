import type { Sql } from '../../db/database.js';
import type { KindChoice, NotificationKind, NotificationLevel } from '../../entities/notification.js';
import { LARGE_CHAT } from '../../policies/notification-policy.js';
import type { MessageKey } from '../loaders/messages.js';

/** Something that concerns somebody. */
export interface Happening {
  userId: string;
  kind: NotificationKind;
  /** What it is about: one notification each. */
  slot: string;
  chatId: string | null;
  seq: number | null;
  actorId: string | null;
  callId: string | null;
  groupId: string | null;
  count: number;
  at: Date;
}

/** A message that concerns somebody, with what they want to hear of its chat. */
export interface MessageHappening {
  userId: string;
  kind: NotificationKind;
  chatId: string;
  seq: number;
  actorId: string;
  at: Date;
  chatKind: 'DIRECT' | 'GROUP';
  memberCount: number;
  level: NotificationLevel | null;
  mutedUntil: Date | null;
  kinds: Partial<Record<NotificationKind, KindChoice>> | null;
}

/** Messages by their keys ($1, $2), with whom they answer. */
const SENT = `sent as (
  select m.chat_id, m.seq, m.sender_id, m.mentions, m.created_at, m.thread_root_seq, r.sender_id as replied_to, t.sender_id as root_of, c.kind as chat_kind, c.member_count,
         case when m.card->>'type' = 'status' then (m.card->>'authorId')::uuid end as status_of
  from unnest($1::uuid[], $2::int[]) k(chat_id, seq) join messages m on m.chat_id = k.chat_id and m.seq = k.seq join chats c on c.id = m.chat_id
  left join messages r on r.chat_id = m.chat_id and r.seq = m.reply_to_seq left join messages t on t.chat_id = m.chat_id and t.seq = m.thread_root_seq
  where m.deleted_at is null and m.kind <> 'SYSTEM')`;
/** Whether the member \`cm\` may see and has not read the message \`s\`, and nothing stands between them and its sender. */
const CONCERNS = `cm.user_id <> s.sender_id and s.seq >= cm.visible_from_seq and s.seq > cm.last_read_seq
  and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((cm.user_id, s.sender_id), (s.sender_id, cm.user_id)))`;
const WANTS = 'c.kind as "chatKind", c.member_count as "memberCount", l.level, cm.muted_until as "mutedUntil", p.kinds';
const WISHES = 'left join notification_levels l on l.chat_id = cm.chat_id and l.user_id = cm.user_id left join notification_preferences p on p.user_id = cm.user_id';
/** Two who talk to each other alone always mean each other: of what they write in a thread only the root's author hears. */
const MEANT = `meant as (
  select chat_id, seq, sender_id, created_at, unnest(mentions) as user_id, 'MENTION' as kind from sent where chat_kind = 'GROUP'
  union all select chat_id, seq, sender_id, created_at, replied_to, 'REPLY' from sent where replied_to is not null and chat_kind = 'GROUP'
  union all select chat_id, seq, sender_id, created_at, root_of, 'REPLY' from sent where root_of is not null
  union all select chat_id, seq, sender_id, created_at, status_of, 'STATUS_REPLY' from sent where status_of is not null)`;
/** Everybody whom a message in the main history may concern. In large chats those alone who have asked for it. */
const PLAIN = `s.thread_root_seq is null and (s.member_count <= $3 or l.level = 'ALL')`;
/** The members who may hear of such, by chat and not by message: a large chat is said much in. */
const LISTENERS = `listeners as (
  select cm.* from (select distinct chat_id from sent where thread_root_seq is null and member_count <= $3) h join chat_members cm on cm.chat_id = h.chat_id
  union all select cm.* from (select distinct chat_id from sent where thread_root_seq is null and member_count > $3) h
  join notification_levels a on a.chat_id = h.chat_id and a.level = 'ALL' join chat_members cm on cm.chat_id = a.chat_id and cm.user_id = a.user_id)`;
const NOT_MEANT = `cm.user_id is distinct from s.status_of and (s.chat_kind = 'DIRECT' or (cm.user_id is distinct from s.replied_to and not cm.user_id = any(coalesce(s.mentions, '{}'))))`;

const chatIds = (keys: readonly MessageKey[]) => keys.map((key) => key.chatId);
const seqs = (keys: readonly MessageKey[]) => keys.map((key) => key.seq);

/** Messages that name somebody, or answer them. */
export const meantMessages = (sql: Sql, keys: readonly MessageKey[]): Promise<MessageHappening[]> =>
  sql<MessageHappening>(
    `with ${SENT}, ${MEANT}
     select distinct on (s.user_id, s.chat_id, s.seq) s.user_id as "userId", s.kind, s.chat_id as "chatId", s.seq, s.sender_id as "actorId", s.created_at as at, ${WANTS}
     from meant s join chat_members cm on cm.chat_id = s.chat_id and cm.user_id = s.user_id join chats c on c.id = s.chat_id ${WISHES}
     where ${CONCERNS} order by s.user_id, s.chat_id, s.seq, s.kind`,
    [chatIds(keys), seqs(keys)],
  );

/** For each member of a chat the first of these messages, unless they have a notification of unread messages there already: that one counts these, too. */
export const firstMessages = (sql: Sql, keys: readonly MessageKey[]): Promise<MessageHappening[]> =>
  sql<MessageHappening>(
    `with ${SENT}, ${LISTENERS}, members as materialized (
       select cm.* from listeners cm where not exists (
         select from notifications n where n.user_id = cm.user_id and n.chat_id = cm.chat_id and n.read_at is null and n.kind in ('DIRECT_MESSAGE', 'GROUP_MESSAGE') and n.seq > cm.last_read_seq))
     select distinct on (cm.user_id, s.chat_id) cm.user_id as "userId", s.chat_kind || '_MESSAGE' as kind, s.chat_id as "chatId", s.seq, s.sender_id as "actorId", s.created_at as at, ${WANTS}
     from sent s join chats c on c.id = s.chat_id join members cm on cm.chat_id = s.chat_id ${WISHES}
     where ${PLAIN} and ${NOT_MEANT} and ${CONCERNS}
     order by cm.user_id, s.chat_id, s.seq`,
    [chatIds(keys), seqs(keys), LARGE_CHAT],
  );

export interface MessagePush {
  userId: string;
  chatId: string;
  kind: NotificationKind;
  seq: number;
  at: Date;
}

/** Whoever has a device and may have to be pushed to, one row a chat: the newest of the most personal of these messages. What they want is asked when the push is due. */
export const messagePushes = (sql: Sql, keys: readonly MessageKey[]): Promise<MessagePush[]> =>
  sql<MessagePush>(
    `with ${SENT}, reachable as materialized (
       select cm.* from (select distinct chat_id from sent) h join chat_members cm on cm.chat_id = h.chat_id where exists (select from push_devices d where d.user_id = cm.user_id)
     ), ranked as (
       select s.*, cm.user_id, case when cm.user_id = s.status_of then 1 when s.chat_kind = 'DIRECT' and s.thread_root_seq is null then 2 when cm.user_id = any(coalesce(s.mentions, '{}')) then 0
                                    when cm.user_id in (s.replied_to, s.root_of) then 1 when ${PLAIN} then 2 end as rank
       from sent s join reachable cm on cm.chat_id = s.chat_id left join notification_levels l on l.chat_id = cm.chat_id and l.user_id = cm.user_id
       where ${CONCERNS})
     select distinct on (user_id, chat_id) user_id as "userId", chat_id as "chatId", seq, created_at as at,
            case when rank = 0 then 'MENTION' when rank = 2 then chat_kind || '_MESSAGE' when user_id = status_of then 'STATUS_REPLY' else 'REPLY' end as kind
     from ranked where rank is not null order by user_id, chat_id, rank, seq desc`,
    [chatIds(keys), seqs(keys), LARGE_CHAT],
  );

/** What others think of somebody's messages, in numbers as they are now; 0: nothing any more. */
export const reactionHappenings = (sql: Sql, keys: readonly MessageKey[]): Promise<Happening[]> =>
  sql<Happening>(
    `select m.sender_id as "userId", 'REACTION' as kind, 'reaction:' || m.chat_id || ':' || m.seq as slot, m.chat_id as "chatId", m.seq, r.actor as "actorId", null as "callId", null as "groupId",
            r.n as count, coalesce(r.newest, m.created_at) as at
     from unnest($1::uuid[], $2::int[]) k(chat_id, seq) join messages m on m.chat_id = k.chat_id and m.seq = k.seq join chat_members cm on cm.chat_id = m.chat_id and cm.user_id = m.sender_id
     cross join lateral (
       select count(distinct e.user_id)::int as n, max(e.created_at) as newest, (array_agg(e.user_id order by e.created_at desc))[1] as actor
       from message_reactions e where e.chat_id = m.chat_id and e.seq = m.seq and e.user_id <> m.sender_id and m.deleted_at is null
         and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((m.sender_id, e.user_id), (e.user_id, m.sender_id)))) r`,
    [chatIds(keys), seqs(keys)],
  );

/** Calls that ring for, or were missed by, these people: by pairs. Nobody is rung by somebody across a block. */
export const callHappenings = (sql: Sql, kind: 'INCOMING_CALL' | 'MISSED_CALL', userIds: readonly string[], callIds: readonly string[]): Promise<Happening[]> =>
  sql<Happening>(
    `select p.user_id as "userId", $1 as kind, 'call:' || c.id as slot, c.chat_id as "chatId", null as seq, c.started_by as "actorId", c.id as "callId", null as "groupId", 1 as count,
            case when $1 = 'MISSED_CALL' then coalesce(p.left_at, c.started_at) else c.started_at end as at
     from unnest($2::uuid[], $3::uuid[]) k(user_id, call_id) join calls c on c.id = k.call_id join call_participants p on p.call_id = c.id and p.user_id = k.user_id
     where c.started_by <> p.user_id and p.state = case when $1 = 'MISSED_CALL' then 'MISSED' else 'RINGING' end
       and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((c.started_by, p.user_id), (p.user_id, c.started_by)))`,
    [kind, userIds, callIds],
  );

/** Those of a person's contacts who have added them later: only of those does one learn it. */
export const contactHappenings = (sql: Sql, userIds: readonly string[], otherIds: readonly string[]): Promise<Happening[]> =>
  sql<Happening>(
    `select mine.owner_id as "userId", 'CONTACT_ADDED' as kind, 'contact:' || theirs.owner_id as slot, null as "chatId", null as seq, theirs.owner_id as "actorId", null as "callId", null as "groupId",
            1 as count, theirs.created_at as at
     from unnest($1::uuid[], $2::uuid[]) k(user_id, other_id) join contacts mine on mine.owner_id = k.user_id and mine.contact_id = k.other_id
     join contacts theirs on theirs.owner_id = k.other_id and theirs.contact_id = k.user_id where theirs.created_at > mine.created_at`,
    [userIds, otherIds],
  );

/** Group chats into which somebody else has brought these people. Who that was stands in the history; in a chat that was made with them it was its owner. */
export const chatHappenings = (sql: Sql, userIds: readonly string[], ids: readonly string[]): Promise<Happening[]> =>
  sql<Happening>(
    `select cm.user_id as "userId", 'CHAT_ADDED' as kind, 'added:' || c.id || ':' || cm.visible_from_seq as slot, c.id as "chatId", null as seq, a.actor as "actorId", null as "callId", c.group_id as "groupId",
            1 as count, cm.joined_at as at
     from unnest($1::uuid[], $2::uuid[]) k(user_id, chat_id) join chats c on c.id = k.chat_id and c.kind = 'GROUP' join chat_members cm on cm.chat_id = c.id and cm.user_id = k.user_id
     cross join lateral (select coalesce(
       (select m.sender_id from messages m where m.chat_id = c.id and m.seq >= cm.visible_from_seq and m.kind = 'SYSTEM' and m.card->'subjectIds' ? cm.user_id::text and m.card->>'action' in ('MEMBER_ADDED', 'MEMBER_JOINED')
        order by m.seq limit 1),
       (select o.user_id from chat_members o where o.chat_id = c.id and o.role = 'OWNER')) as actor) a
     where a.actor <> cm.user_id and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((cm.user_id, a.actor), (a.actor, cm.user_id)))`,
    [userIds, ids],
  );

/** How many wait to be let into groups that these people run; 0: nobody any more. */
export const requestHappenings = (sql: Sql, userIds: readonly string[], groupIds: readonly string[]): Promise<Happening[]> =>
  sql<Happening>(
    `select g.user_id as "userId", 'GROUP_REQUEST' as kind, 'requests:' || g.group_id as slot, null as "chatId", null as seq, w.actor as "actorId", null as "callId", g.group_id as "groupId",
            w.n as count, coalesce(w.newest, g.joined_at) as at
     from unnest($1::uuid[], $2::uuid[]) k(user_id, group_id) join group_members g on g.group_id = k.group_id and g.user_id = k.user_id and g.state = 'MEMBER' and g.role <> 'MEMBER'
     cross join lateral (select count(*)::int as n, max(r.joined_at) as newest, (array_agg(r.user_id order by r.joined_at desc))[1] as actor from group_members r where r.group_id = g.group_id and r.state = 'REQUESTED') w`,
    [userIds, groupIds],
  );
