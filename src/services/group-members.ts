import type { Sql } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { distinct } from '../lib/validate.js';
import { assertCanSeeGroup, assertIsGroupMember, assertRunsGroup, deciding, joining, type GroupMemberState } from '../policies/group-policy.js';
import { assertCanRemove, roleChange, type MemberRole } from '../policies/member-policy.js';
import type { Actor } from './actor.js';
import { enterGroup, exitGroup, giveGroupRole, lockGroup, tellOfGroup, toBeTold } from './group-membership.js';
import { GROUP_COLUMNS, type GroupRow } from './loaders/groups.js';
import { assertNotAcrossBlock, assertPeopleExist } from './membership.js';

const MAX_ADDED = 100;
/** Requests that may wait in one group. */
const MAX_REQUESTS = 10_000;

interface Membership {
  role: MemberRole;
  state: GroupMemberState;
}

/** Who is in a group, who asks to be, and as what. */
export class GroupMemberService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Joins an open group, or asks to join; a repeat changes nothing. Errors: NOT_FOUND, FORBIDDEN (by invitation alone), LIMIT_REACHED. */
  async join(actor: Actor, groupId: string): Promise<GroupRow> {
    await this.#change(actor, 'joinGroup', groupId, async (tx, access) => {
      const outcome = joining(access);
      if (outcome === 'join') await enterGroup(tx, groupId, actor.userId, [actor.userId]);
      if (outcome !== 'request') return;
      const [waiting] = await tx.sql<{ n: number }>(`select count(*)::int as n from group_members where group_id = $1 and state = 'REQUESTED'`, [groupId]);
      if (waiting!.n >= MAX_REQUESTS) throw new DomainError('LIMIT_REACHED', 'Too many people wait to join this group.');
      await tx.sql(`insert into group_members (group_id, user_id, role, state, joined_at) values ($1, $2, 'MEMBER', 'REQUESTED', $3)`, [groupId, actor.userId, tx.now]);
      await this.#tell(tx, groupId, actor.userId);
    });
    return this.#read(groupId);
  }

  /** Leaves the group and all of its chats, or takes a request back. Errors: NOT_FOUND. */
  leave(actor: Actor, groupId: string): Promise<void> {
    return this.#change(actor, 'leaveGroup', groupId, async (tx, access) => {
      assertCanSeeGroup(access);
      if (!access.membership) throw new DomainError('NOT_FOUND', 'You are not in this group.', { field: 'groupId' });
      await exitGroup(tx, groupId, actor.userId, actor.userId, false);
      if (access.membership.state === 'REQUESTED') tellOfGroup(tx, groupId, await toBeTold(tx, groupId, 'ADMINS'));
    });
  }

  /** Errors: NOT_FOUND (group, request), FORBIDDEN. */
  async decide(actor: Actor, { groupId, userId, accept }: { groupId: string; userId: string; accept: boolean }): Promise<GroupRow> {
    await this.#change(actor, 'decideGroupRequest', groupId, async (tx, access) => {
      assertRunsGroup(access);
      const outcome = deciding((await membershipOf(tx, groupId, userId))?.state ?? null, accept);
      if (outcome === 'admit') await enterGroup(tx, groupId, actor.userId, [userId]);
      if (outcome === 'refuse') await exitGroup(tx, groupId, userId, actor.userId, false);
      if (outcome !== 'none') tellOfGroup(tx, groupId, (await toBeTold(tx, groupId, 'ADMINS')).filter((id) => id !== userId));
    });
    return this.#read(groupId);
  }

  /** Brings people in whatever the join policy; those who are in are skipped. Errors: NOT_FOUND (group, user), FORBIDDEN, BLOCKED, STATE_CONFLICT (banned). */
  async add(actor: Actor, groupId: string, ids: string[]): Promise<GroupRow> {
    const userIds = distinct(ids, 'userIds', MAX_ADDED);
    if (!userIds.length) throw invalidInput('userIds', 'userIds is empty.');
    await this.#change(actor, 'addGroupMembers', groupId, async (tx, access) => {
      assertRunsGroup(access);
      await assertPeopleExist(tx, userIds);
      await assertNotAcrossBlock(tx.sql, actor.userId, userIds, 'userIds');
      const [banned] = await tx.sql(`select from group_members where group_id = $1 and user_id = any($2) and state = 'BANNED' limit 1`, [groupId, userIds]);
      if (banned) throw new DomainError('STATE_CONFLICT', 'One of them is banned from the group.', { field: 'userIds' });
      await enterGroup(tx, groupId, actor.userId, userIds);
    });
    return this.#read(groupId);
  }

  /** Gives a role. Making somebody OWNER makes the owner ADMIN. Errors: NOT_FOUND (group, member), FORBIDDEN, STATE_CONFLICT. */
  async updateRole(actor: Actor, { groupId, userId, role }: { groupId: string; userId: string; role: MemberRole }): Promise<void> {
    await this.#change(actor, 'updateGroupMemberRole', groupId, async (tx, access) => {
      assertIsGroupMember(access);
      const target = await membershipOf(tx, groupId, userId);
      if (target?.state !== 'MEMBER') throw noSuchMember();
      const change = roleChange(access.membership.role, target.role, role, userId === actor.userId);
      if (change === 'none') return;
      if (change === 'transfer') await giveGroupRole(tx, groupId, actor.userId, 'ADMIN');
      await giveGroupRole(tx, groupId, userId, role);
    });
  }

  /** Takes somebody out of the group and all of its chats, for good when banned; a request can be answered so too. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (oneself). */
  async remove(actor: Actor, { groupId, userId, ban }: { groupId: string; userId: string; ban: boolean }): Promise<GroupRow> {
    await this.#change(actor, 'removeGroupMember', groupId, async (tx, access) => {
      assertIsGroupMember(access);
      const target = await membershipOf(tx, groupId, userId);
      if (!target || target.state === 'BANNED') throw noSuchMember();
      assertCanRemove(access.membership.role, target.role, userId === actor.userId);
      await exitGroup(tx, groupId, userId, actor.userId, ban);
    });
    return this.#read(groupId);
  }

  /** Lets somebody who was banned find the group again; a repeat changes nothing. Errors: NOT_FOUND, FORBIDDEN. */
  async unban(actor: Actor, groupId: string, userId: string): Promise<GroupRow> {
    await this.#change(actor, 'unbanGroupMember', groupId, async (tx, access) => {
      assertRunsGroup(access);
      const lifted = await tx.sql(`delete from group_members where group_id = $1 and user_id = $2 and state = 'BANNED' returning user_id`, [groupId, userId]);
      if (lifted.length) tellOfGroup(tx, groupId, [userId]);
    });
    return this.#read(groupId);
  }

  #change(actor: Actor, operation: string, groupId: string, work: (tx: Tx, access: Awaited<ReturnType<typeof lockGroup>>) => Promise<void>): Promise<void> {
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => work(tx, await lockGroup(tx.sql, groupId, actor.userId)));
  }

  /** Of a request: the one who asks, and those who decide. */
  async #tell(tx: Tx, groupId: string, userId: string): Promise<void> {
    tellOfGroup(tx, groupId, new Set([userId, ...(await toBeTold(tx, groupId, 'ADMINS'))]));
  }

  async #read(id: string): Promise<GroupRow> {
    const [row] = await this.sql<GroupRow>(`select ${GROUP_COLUMNS} from groups g where g.id = $1`, [id]);
    return row!;
  }
}

async function membershipOf(tx: Tx, groupId: string, userId: string): Promise<Membership | null> {
  const [row] = await tx.sql<Membership>('select role, state from group_members where group_id = $1 and user_id = $2', [groupId, userId]);
  return row ?? null;
}

const noSuchMember = (): DomainError => new DomainError('NOT_FOUND', 'There is no such member.', { field: 'userId' });
