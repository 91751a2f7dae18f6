import type { Sql } from '../db/database.js';
import type { Tx } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import { DomainError, forbidden, notFound } from '../lib/errors.js';
import type { ChatAccess } from '../policies/chat-policy.js';
import { canBringIn, type GroupAccess, type GroupMemberState } from '../policies/group-policy.js';
import { heirOf, type Heir, type MemberRole } from '../policies/member-policy.js';
import { lockChat } from './chat-access.js';
import { admitMembers, IDLE, MAX_MEMBERS, takeOut } from './membership.js';

/** Of those who are told of a change of a group that is not their own doing. */
const MAX_TOLD = 100;

export async function readGroupAccess(sql: Sql, groupId: string, userId: string): Promise<GroupAccess | null> {
  const [row] = await sql<GroupAccess['group'] & { role: MemberRole | null; state: GroupMemberState | null }>(
    `select g.id, g.visibility, g.join_policy as "joinPolicy", g.member_count as "memberCount", m.role, m.state
     from groups g left join group_members m on m.group_id = g.id and m.user_id = $2 where g.id = $1`,
    [groupId, userId],
  );
  if (!row) return null;
  const { role, state, ...group } = row;
  return { group, membership: state && { role: role!, state } };
}

/**
 * Locks the group, then reads what decides about the actor. Whatever changes who is in a group, or in a chat of it, starts
 * here: the group's row comes before the chats', and those in the order of their ids.
 */
export async function lockGroup(sql: Sql, groupId: string, userId: string): Promise<GroupAccess | null> {
  await sql('select from groups where id = $1 for update', [groupId]);
  return readGroupAccess(sql, groupId, userId);
}

/** The chat that everybody in the group is in unless they left it: its oldest. */
const FIRST_CHAT = '(select id from chats where group_id = $2 order by id limit 1)';

/** `lockChat`, for whatever brings people in: a chat of a group is locked after its group, and together with the group's first chat. */
export async function lockChatInGroup(tx: Tx, chatId: string, userId: string): Promise<{ access: ChatAccess | null; groupId: string | null }> {
  const [chat] = await tx.sql<{ group_id: string | null }>('select group_id from chats where id = $1', [chatId]);
  const groupId = chat?.group_id ?? null;
  if (groupId) {
    await tx.sql('select from groups where id = $1 for update', [groupId]);
    await tx.sql(`select from chats where id = $1 or id = ${FIRST_CHAT} order by id for update`, [chatId, groupId]);
  }
  return { access: await lockChat(tx.sql, chatId, userId), groupId };
}

export const tellOfGroup = (tx: Tx, groupId: string, userIds: Iterable<string>): void => {
  for (const userId of userIds) tx.append(userStream(userId), { kind: 'group.changed', groupId });
};

/** Those to tell: who runs the group first, then who has been in longest, at most a hundred. */
export async function toBeTold(tx: Tx, groupId: string, whom: 'ADMINS' | 'MEMBERS'): Promise<string[]> {
  const rows = await tx.sql<{ user_id: string }>(
    `select user_id from group_members where group_id = $1 and state = 'MEMBER' and ($2 = 'MEMBERS' or role <> 'MEMBER')
     order by role = 'OWNER' desc, role = 'ADMIN' desc, joined_at, user_id limit $3`,
    [groupId, whom, MAX_TOLD],
  );
  return rows.map((row) => row.user_id);
}

/**
 * Makes people members of a group that this transaction has locked, and of its first chat while that has room. Those who
 * are in, or banned, stay as they are. Returns who is new.
 */
export async function enterGroup(tx: Tx, groupId: string, actorId: string, userIds: string[]): Promise<string[]> {
  const rows = await tx.sql<{ user_id: string }>(
    `insert into group_members as m (group_id, user_id, role, state, joined_at) select $1, u.id, 'MEMBER', 'MEMBER', $3 from unnest($2::uuid[]) u(id)
     on conflict (group_id, user_id) do update set state = 'MEMBER', role = 'MEMBER', joined_at = $3 where m.state = 'REQUESTED' returning user_id`,
    [groupId, userIds, tx.now],
  );
  const entered = rows.map((row) => row.user_id);
  if (!entered.length) return [];
  await tx.sql('update groups set member_count = member_count + $2 where id = $1', [groupId, entered.length]);
  tellOfGroup(tx, groupId, entered);
  const [first] = await tx.sql<{ id: string; member_count: number }>('select id, member_count from chats where group_id = $1 order by id limit 1 for update', [groupId]);
  if (first && first.member_count + entered.length <= MAX_MEMBERS) await admitMembers(tx, first.id, actorId, entered);
  return entered;
}

/** Before people come into a chat of the group: those who are not in the group come into it too, as far as the actor may bring them. */
export async function admitToGroup(tx: Tx, groupId: string, actorId: string, userIds: string[]): Promise<void> {
  const known = await tx.sql<{ user_id: string; state: GroupMemberState }>('select user_id, state from group_members where group_id = $1 and user_id = any($2)', [groupId, userIds]);
  if (known.some((row) => row.state === 'BANNED')) throw new DomainError('STATE_CONFLICT', 'One of them is banned from the group.');
  const members = new Set(known.filter((row) => row.state === 'MEMBER').map((row) => row.user_id));
  const strangers = userIds.filter((id) => !members.has(id));
  if (!strangers.length) return;
  const access = await readGroupAccess(tx.sql, groupId, actorId);
  if (!access || !canBringIn(access)) throw forbidden('Only those who run the group bring people into it.');
  await enterGroup(tx, groupId, actorId, strangers);
}

/** Before a holder of an invite link comes into a chat of the group: the link opens the group too, unless everybody has left it or the holder is banned. */
export async function admitByInvite(tx: Tx, groupId: string, userId: string): Promise<void> {
  const access = await readGroupAccess(tx.sql, groupId, userId);
  if (!access?.group.memberCount || access.membership?.state === 'BANNED') throw notFound('invite link');
  await enterGroup(tx, groupId, userId, [userId]);
}

/**
 * Ends somebody's membership of, or request to, a group that this transaction has locked: they leave all of its chats, and
 * the ownership of who owned the group passes on.
 */
export async function exitGroup(tx: Tx, groupId: string, userId: string, actorId: string, ban: boolean): Promise<void> {
  const [was] = await tx.sql<{ role: MemberRole; state: GroupMemberState }>('delete from group_members where group_id = $1 and user_id = $2 returning role, state', [groupId, userId]);
  if (ban) await tx.sql(`insert into group_members (group_id, user_id, role, state, joined_at) values ($1, $2, 'MEMBER', 'BANNED', $3)`, [groupId, userId, tx.now]);
  tellOfGroup(tx, groupId, [userId]);
  if (was?.state !== 'MEMBER') return;
  await tx.sql('update groups set member_count = member_count - 1 where id = $1', [groupId]);
  const chats = await tx.sql<{ id: string }>(
    'select c.id from chats c where c.group_id = $1 and exists (select from chat_members m where m.chat_id = c.id and m.user_id = $2) order by c.id for update of c',
    [groupId, userId],
  );
  for (const chat of chats) await takeOut(tx, chat.id, userId, actorId);
  if (was.role === 'OWNER') await passGroupOn(tx, groupId);
}

async function passGroupOn(tx: Tx, groupId: string): Promise<void> {
  const eldest = await tx.sql<Heir>(
    `select distinct on (${IDLE}, m.role) m.user_id as "userId", m.role, m.joined_at as "joinedAt", ${IDLE} as idle from group_members m join users u on u.id = m.user_id
     where m.group_id = $1 and m.state = 'MEMBER' order by ${IDLE}, m.role, m.joined_at, m.user_id`,
    [groupId],
  );
  const heir = heirOf(eldest);
  if (heir) await giveGroupRole(tx, groupId, heir.userId, 'OWNER');
}

export async function giveGroupRole(tx: Tx, groupId: string, userId: string, role: MemberRole): Promise<void> {
  await tx.sql('update group_members set role = $3 where group_id = $1 and user_id = $2', [groupId, userId, role]);
  tellOfGroup(tx, groupId, [userId]);
}

