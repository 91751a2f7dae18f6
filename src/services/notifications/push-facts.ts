import type { Sql } from '../../db/database.js';
import type { NotificationKind, NotificationLevel } from '../../entities/notification.js';
import type { PushTarget } from '../../push/contract.js';
import { MAX_UNREAD_NOTIFICATIONS } from '../loaders/notifications.js';
import { PREFERENCE_COLUMNS, type PreferencesRow } from './preferences.js';
import type { PushSubject } from './push-content.js';

/** A push that is due, with everything that decides about it and that it tells, as it is now. */
export interface DuePush extends PushTarget, Omit<PushSubject, 'at' | 'content'>, Nullable<PreferencesRow> {
  deviceId: string;
  kind: NotificationKind;
  version: number;
  attempts: number;
  notedAt: Date;
  expiresAt: Date;
  lookedAt: Date | null;
  /** Of the session whose device it is: what an app is kept to. */
  scopes: string[] | null;
  over: boolean;
  blocked: boolean;
  live: boolean;
  encrypted: boolean;
  memberCount: number | null;
  mutedUntil: Date | null;
  level: NotificationLevel | null;
}
type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };

const MESSAGE_KINDS = `('DIRECT_MESSAGE', 'GROUP_MESSAGE', 'MENTION', 'REPLY', 'STATUS_REPLY')`;

/** Of messages for all the newest that is unread and still there, up to the one that was noted; of others that one. */
const FACTS = `
select p.device_id as "deviceId", p.slot, p.kind, p.version, p.attempts, p.noted_at as "notedAt", p.expires_at as "expiresAt", p.looked_at as "lookedAt",
       d.provider, d.address, d.p256dh, d.auth, ${PREFERENCE_COLUMNS.replaceAll('p.', 'w.')},
       c.id as "chatId", c.kind as "chatKind", c.title as "chatTitle", c.member_count as "memberCount", coalesce(c.encryption <> 'NONE', false) as encrypted, cm.muted_until as "mutedUntil", l.level,
       m.seq, m.kind as "messageKind", m.card->>'type' as "cardType", m.text, p.call_id as "callId", call.kind as "callKind", p.group_id as "groupId", g.name as "groupName",
       a.id as "actorId", coalesce(contact.name, a.display_name) as "actorName", reaction.emoji,
       case when p.kind in ${MESSAGE_KINDS} then unread.n when p.kind = 'REACTION' then reaction.n when p.kind = 'GROUP_REQUEST' then requests.n else 1 end as count,
       s.scopes, s.ended_at is not null or s.expires_at <= $3 or u.suspended_at is not null or ao.suspended_at is not null
         or (p.chat_id is not null and cm.user_id is null)
         or (p.kind in ${MESSAGE_KINDS} and m.seq is null)
         or (p.kind = 'REACTION' and (m.seq is null or reaction.n = 0))
         or (p.kind = 'INCOMING_CALL' and coalesce(part.state <> 'RINGING' or part.ring_until <= $3, true))
         or (p.kind = 'MISSED_CALL' and coalesce(part.state <> 'MISSED', true))
         or (p.kind = 'CONTACT_ADDED' and contact.contact_id is null)
         or (p.kind = 'GROUP_REQUEST' and requests.n = 0)
         or (p.kind in ('MISSED_CALL', 'CONTACT_ADDED', 'CHAT_ADDED', 'GROUP_REQUEST', 'REACTION') and exists (select from notifications n where n.user_id = d.user_id and n.slot = p.slot and n.read_at is not null)) as over,
       exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((d.user_id, a.id), (a.id, d.user_id))) as blocked,
       not s.away and exists (select from presence here join nodes on nodes.id = here.node_id and nodes.lease_until > now() where here.session_id = d.session_id) as live
from unnest($1::uuid[], $2::text[]) k(device_id, slot) join pushes p on p.device_id = k.device_id and p.slot = k.slot
join push_devices d on d.id = p.device_id join sessions s on s.id = d.session_id join users u on u.id = d.user_id
left join apps app on app.id = s.app_id left join users ao on ao.id = app.owner_id
left join notification_preferences w on w.user_id = d.user_id
left join chats c on c.id = p.chat_id left join chat_members cm on cm.chat_id = p.chat_id and cm.user_id = d.user_id
left join notification_levels l on l.chat_id = p.chat_id and l.user_id = d.user_id
left join lateral (
  select x.seq, x.kind, x.card, x.text, x.sender_id from messages x
  where p.seq is not null and x.chat_id = p.chat_id and x.deleted_at is null and (x.expires_at is null or x.expires_at > $3)
    and case when p.kind = 'REACTION' then x.seq = p.seq else x.seq <= p.seq and (p.kind like '%_MESSAGE' or x.seq = p.seq) and x.seq > greatest(cm.last_read_seq, cm.visible_from_seq - 1)
      and x.sender_id <> d.user_id and x.kind <> 'SYSTEM' end
    and not exists (select from message_marks h where h.chat_id = x.chat_id and h.seq = x.seq and h.user_id = d.user_id and h.hidden_at is not null)
  order by x.seq desc limit 1) m on true
left join lateral (
  select greatest(count(*), 1)::int as n from (select from messages x where x.chat_id = p.chat_id and x.seq > greatest(cm.last_read_seq, cm.visible_from_seq - 1) and x.sender_id <> d.user_id
    and x.kind <> 'SYSTEM' and x.thread_root_seq is null and x.deleted_at is null and (x.expires_at is null or x.expires_at > $3) limit $4) x) unread on p.kind in ${MESSAGE_KINDS}
left join lateral (
  select count(distinct e.user_id)::int as n, (array_agg(e.emoji order by e.created_at desc))[1] as emoji from message_reactions e
  where e.chat_id = p.chat_id and e.seq = p.seq and e.user_id <> d.user_id) reaction on p.kind = 'REACTION'
left join calls call on call.id = p.call_id left join call_participants part on part.call_id = p.call_id and part.user_id = d.user_id
left join groups g on g.id = p.group_id
left join lateral (select count(*)::int as n from group_members r where r.group_id = p.group_id and r.state = 'REQUESTED') requests on p.kind = 'GROUP_REQUEST'
left join users a on a.id = case when p.kind in ${MESSAGE_KINDS} then m.sender_id else p.actor_id end
left join contacts contact on contact.owner_id = d.user_id and contact.contact_id = a.id`;

/** One reading for all that were taken. Those whose device is gone by now are left out. */
export const readPushes = (sql: Sql, keys: readonly { deviceId: string; slot: string }[], now: Date): Promise<DuePush[]> =>
  sql<DuePush>(FACTS, [keys.map(({ deviceId }) => deviceId), keys.map(({ slot }) => slot), now, MAX_UNREAD_NOTIFICATIONS]);
