import type { UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { distinct } from '../lib/validate.js';
import { assertIsGroupChat } from '../policies/chat-policy.js';
import { assertCanRemove, assertRuns, roleChange, type MemberRole } from '../policies/member-policy.js';
import type { Actor } from './actor.js';
import { bumpAcl, lockChat } from './chat-access.js';
import { admitToGroup, lockChatInGroup } from './group-membership.js';
import { admitMembers, assertNotAcrossBlock, assertPeopleExist, giveRole, someAreBanned, takeOut } from './membership.js';
import { writeSystemMessage } from './message-writer.js';
import type { Tx } from '../db/unit-of-work.js';

const MAX_ADDED = 100;

/** Who is in a group chat, and as what. A direct chat's two members never change. */
export class ChatMemberService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Adds people; those who are in already are skipped. In a chat of a group they become members of the group too.
   * Returns who was added. Errors: NOT_FOUND (chat, user), FORBIDDEN, BLOCKED, LIMIT_REACHED, STATE_CONFLICT (direct; banned), INVALID_INPUT.
   */
  add(actor: Actor, input: { chatId: string; memberIds: string[] }): Promise<string[]> {
    const { chatId } = input;
    const memberIds = distinct(input.memberIds, 'memberIds', MAX_ADDED);
    if (!memberIds.length) throw invalidInput('memberIds', 'memberIds is empty.');
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'addChatMembers' }, async (tx) => {
      const { access, groupId } = await lockChatInGroup(tx, chatId, actor.userId);
      assertIsGroupChat(access);
      assertRuns(access.member.role, 'chat');
      await assertPeopleExist(tx, memberIds);
      await assertNotAcrossBlock(tx.sql, actor.userId, memberIds, 'memberIds');
      if (await someAreBanned(tx, chatId, memberIds)) throw new DomainError('STATE_CONFLICT', 'One of them is banned from the chat.', { field: 'memberIds' });
      if (!groupId) return admitMembers(tx, chatId, actor.userId, memberIds);
      const before = new Set(await inChat(tx, chatId, memberIds));
      // Who comes into the group comes into its first chat by that: it may be this one.
      await admitToGroup(tx, groupId, actor.userId, memberIds);
      await admitMembers(tx, chatId, actor.userId, memberIds);
      return (await inChat(tx, chatId, memberIds)).filter((id) => !before.has(id));
    });
  }

  /** Errors: NOT_FOUND (chat, member), FORBIDDEN, STATE_CONFLICT (direct; oneself). */
  async remove(actor: Actor, { chatId, userId }: { chatId: string; userId: string }): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'removeChatMember' }, async (tx) => {
      const access = await lockChat(tx.sql, chatId, actor.userId);
      assertIsGroupChat(access);
      assertCanRemove(access.member.role, await roleOf(tx, chatId, userId), userId === actor.userId);
      await takeOut(tx, chatId, userId, actor.userId);
    });
  }

  /** An owner who leaves passes the ownership to the admin who has been in longest, else to such a member. Errors: NOT_FOUND, STATE_CONFLICT (direct). */
  async leave(actor: Actor, chatId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'leaveChat' }, async (tx) => {
      assertIsGroupChat(await lockChat(tx.sql, chatId, actor.userId));
      await takeOut(tx, chatId, actor.userId, actor.userId);
    });
  }

  /** Gives a role. Making somebody OWNER makes the owner ADMIN. Errors: NOT_FOUND (chat, member), FORBIDDEN, STATE_CONFLICT. */
  async updateRole(actor: Actor, { chatId, userId, role }: { chatId: string; userId: string; role: MemberRole }): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateChatMemberRole' }, async (tx) => {
      const access = await lockChat(tx.sql, chatId, actor.userId);
      assertIsGroupChat(access);
      const change = roleChange(access.member.role, await roleOf(tx, chatId, userId), role, userId === actor.userId);
      if (change === 'none') return;
      if (change === 'transfer') await giveRole(tx, chatId, actor.userId, 'ADMIN');
      await giveRole(tx, chatId, userId, role);
      await bumpAcl(tx.sql, chatId);
      if (change === 'transfer') await writeSystemMessage(tx, chatId, actor.userId, { action: 'OWNER_CHANGED', subjectIds: [userId] });
    });
  }
}

async function inChat(tx: Tx, chatId: string, userIds: readonly string[]): Promise<string[]> {
  return (await tx.sql<{ id: string }>('select user_id as id from chat_members where chat_id = $1 and user_id = any($2) order by 1', [chatId, userIds])).map(({ id }) => id);
}

async function roleOf(tx: Tx, chatId: string, userId: string): Promise<MemberRole> {
  const [member] = await tx.sql<{ role: MemberRole }>('select role from chat_members where chat_id = $1 and user_id = $2', [chatId, userId]);
  if (!member) throw new DomainError('NOT_FOUND', 'There is no such member.', { field: 'userId' });
  return member.role;
}
