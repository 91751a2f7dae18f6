import type { Sql } from '../db/database.js';
import type { Tx } from '../db/unit-of-work.js';
import type { ChatEncryption } from '../entities/chat.js';
import type { SystemAction } from '../entities/message.js';
import { chatStream, userStream } from '../events/catalogue.js';
import { DomainError, notFound } from '../lib/errors.js';
import { heirOf, type Heir, type MemberRole } from '../policies/member-policy.js';
import { endSchedules } from './bots/schedule-ends.js';
import { writeSystemMessage } from './message-writer.js';
import { blockedPairs } from './pairs.js';

/** Of a group chat. */
export const MAX_MEMBERS = 10_000;
/** Seconds between two messages. */
export const MAX_SLOW_MODE = 3_600;
/** Of an encrypted one: every device of each takes part in every change of who is in it. */
export const MAX_ENCRYPTED_MEMBERS = 250;
export const tooManyForMls = (): DomainError => new DomainError('LIMIT_REACHED', `An encrypted chat has at most ${MAX_ENCRYPTED_MEMBERS} members.`);

export async function assertPeopleExist(tx: Tx, ids: string[]): Promise<void> {
  const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from users where id = any($1) and suspended_at is null', [ids]);
  if (row!.n < ids.length) throw notFound('user');
}

/** Whether somebody who moderates keeps any of these people out of the chat. */
export async function someAreBanned(tx: Tx, chatId: string, userIds: readonly string[]): Promise<boolean> {
  return (await tx.sql('select from chat_bans where chat_id = $1 and user_id = any($2) and until > $3 limit 1', [chatId, userIds, tx.now])).length > 0;
}

/** Throws BLOCKED when any of these people has blocked the actor, or the other way round. */
export async function assertNotAcrossBlock(sql: Sql, actorId: string, userIds: string[], field: string): Promise<void> {
  if ((await blockedPairs(sql, actorId, userIds)).size) throw new DomainError('BLOCKED', 'One of you has blocked the other.', { field });
}

/**
 * Puts people into a chat whose row this transaction has made or locked: they see what comes from now on. Those who are
 * in already stay as they are, and those who are banned stay out; in a chat that was empty the first becomes its owner. Who comes back is silenced, and
 * waits, as they were. Returns who was added.
 * Errors: LIMIT_REACHED.
 */
export async function addMembers(tx: Tx, chatId: string, members: { userId: string; role: MemberRole }[]): Promise<string[]> {
  const stream = chatStream(chatId);
  await tx.sql('insert into streams (id) values ($1) on conflict do nothing', [stream]);
  const rows = await tx.sql<{ user_id: string; visible_from_seq: number; held: boolean }>(
    `insert into chat_members (chat_id, user_id, role, joined_at, visible_from_seq, visible_from_pos, last_read_seq, last_delivered_seq, silenced_until, last_sent_at)
     select c.id, n.user_id, case when c.kind = 'GROUP' and c.member_count = 0 and n.o = 1 then 'OWNER' else n.role end, $4, c.last_seq + 1, s.head, c.last_seq, c.last_seq, a.silenced_until, a.last_sent_at
     from (select u.user_id, u.role, row_number() over (order by u.o) as o from unnest($2::uuid[], $3::text[]) with ordinality u(user_id, role, o)
           where not exists (select from chat_bans b where b.chat_id = $1 and b.user_id = u.user_id and b.until > $4)) n
     left join chat_absences a on a.chat_id = $1 and a.user_id = n.user_id and a.over_at > $4, chats c, (select head from streams where id = $5 for update) s where c.id = $1 order by n.o
     on conflict do nothing returning user_id, visible_from_seq, coalesce(silenced_until, last_sent_at) is not null as held`,
    [chatId, members.map((member) => member.userId), members.map((member) => member.role), tx.now, stream],
  );
  if (!rows.length) return [];
  const held = rows.filter((row) => row.held).map((row) => row.user_id);
  if (held.length) await tx.sql('delete from chat_absences where chat_id = $1 and user_id = any($2)', [chatId, held]);
  const [chat] = await tx.sql<{ member_count: number; encryption: ChatEncryption }>(
    'update chats set member_count = member_count + $2, acl_version = acl_version + 1 where id = $1 returning member_count, encryption',
    [chatId, rows.length],
  );
  if (chat!.member_count > MAX_MEMBERS) throw new DomainError('LIMIT_REACHED', `A chat has at most ${MAX_MEMBERS} members.`);
  if (chat!.encryption === 'MLS') await assertFitsEncrypted(tx, chat!.member_count, rows.map((row) => row.user_id));
  for (const row of rows) {
    tx.append(stream, { kind: 'member.joined', userId: row.user_id, visibleFromSeq: row.visible_from_seq });
    tx.append(userStream(row.user_id), { kind: 'chat.added', chatId });
  }
  return rows.map((row) => row.user_id);
}

/** Whoever works on the server, as bots do, can hold no keys of their own. */
async function assertFitsEncrypted(tx: Tx, members: number, userIds: readonly string[]): Promise<void> {
  if (members > MAX_ENCRYPTED_MEMBERS) throw tooManyForMls();
  const bots = await tx.sql(`select from users where id = any($1) and kind = 'BOT' limit 1`, [userIds]);
  if (bots.length) throw new DomainError('ENCRYPTED_CHAT', 'Bots can’t be in an end-to-end encrypted chat.', { field: 'memberIds' });
}

/** `addMembers`, told in the history: people who came by themselves have joined, others were added. */
export async function admitMembers(tx: Tx, chatId: string, actorId: string, userIds: string[]): Promise<string[]> {
  const added = await addMembers(tx, chatId, userIds.map((userId) => ({ userId, role: 'MEMBER' })));
  const action: SystemAction = added.length === 1 && added[0] === actorId ? 'MEMBER_JOINED' : 'MEMBER_ADDED';
  if (added.length) await writeSystemMessage(tx, chatId, actorId, { action, subjectIds: added });
  return added;
}

/**
 * Takes somebody out of a group chat that this transaction has locked; the ownership of who owned it passes on. Who was
 * removed by somebody else also loses the invite links that they had made. A silence, and the wait of slow mode, hold when they come back. False when they were not in.
 */
export async function takeOut(tx: Tx, chatId: string, userId: string, actorId: string): Promise<boolean> {
  const stream = chatStream(chatId);
  const [gone] = await tx.sql<{ role: MemberRole }>(
    `with gone as (delete from chat_members where chat_id = $1 and user_id = $2 returning chat_id, user_id, role, silenced_until, last_sent_at),
       kept as (select chat_id, user_id, silenced_until, last_sent_at, greatest(silenced_until, last_sent_at + make_interval(secs => $4)) as at from gone),
       held as (insert into chat_absences (chat_id, user_id, silenced_until, last_sent_at, over_at) select * from kept where at > $3
         on conflict (chat_id, user_id) do update set silenced_until = excluded.silenced_until, last_sent_at = excluded.last_sent_at, over_at = excluded.over_at)
     select role from gone`,
    [chatId, userId, tx.now, MAX_SLOW_MODE],
  );
  if (!gone) return false;
  const [chat] = await tx.sql<{ member_count: number }>(
    'update chats set member_count = member_count - 1, acl_version = acl_version + 1 where id = $1 returning member_count',
    [chatId],
  );
  tx.append(stream, { kind: 'member.left', userId });
  tx.append(userStream(userId), { kind: 'chat.removed', chatId });
  // A bot that is not there any more is not installed there either.
  await tx.sql('with gone as (delete from bot_installs where chat_id = $1 and bot_id = $2 returning bot_id) update bot_listings l set installs = l.installs - 1 from gone where l.bot_id = gone.bot_id', [chatId, userId]);
  await endSchedules(tx, 's.chat_id = $1 and s.bot_id = $2', [chatId, userId]);
  const left = userId === actorId;
  if (!left) await tx.sql('update invite_links set revoked_at = $3 where chat_id = $1 and created_by = $2 and revoked_at is null', [chatId, userId, tx.now]);
  if (!chat!.member_count) return true;
  await writeSystemMessage(tx, chatId, actorId, { action: left ? 'MEMBER_LEFT' : 'MEMBER_REMOVED', subjectIds: [userId] });
  if (gone.role === 'OWNER') await passOn(tx, chatId, actorId);
  return true;
}

/** Whether a user `u` can run nothing. */
export const IDLE = `(u.kind = 'BOT' or u.suspended_at is not null)`;

async function passOn(tx: Tx, chatId: string, actorId: string): Promise<void> {
  const eldest = await tx.sql<Heir>(
    `select distinct on (${IDLE}, m.role) m.user_id as "userId", m.role, m.joined_at as "joinedAt", ${IDLE} as idle from chat_members m join users u on u.id = m.user_id where m.chat_id = $1
     order by ${IDLE}, m.role, m.joined_at, m.user_id`,
    [chatId],
  );
  const { userId } = heirOf(eldest)!;
  await giveRole(tx, chatId, userId, 'OWNER');
  await writeSystemMessage(tx, chatId, actorId, { action: 'OWNER_CHANGED', subjectIds: [userId] });
}

/** Sets a member's role in a chat that this transaction has locked; the caller increases the chat's `acl_version`. */
export async function giveRole(tx: Tx, chatId: string, userId: string, role: MemberRole): Promise<void> {
  await tx.sql('update chat_members set role = $3 where chat_id = $1 and user_id = $2', [chatId, userId, role]);
  tx.append(chatStream(chatId), { kind: 'member.updated', userId });
}
