import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import {
  AddGroupMembersInput, AddGroupMembersPayload, DecideGroupRequestInput, DecideGroupRequestPayload, GroupMemberType, JoinGroupInput, JoinGroupPayload, LeaveGroupInput, LeaveGroupPayload,
  RemoveGroupMemberInput, RemoveGroupMemberPayload, UnbanGroupMemberInput, UnbanGroupMemberPayload, UpdateGroupMemberRoleInput, UpdateGroupMemberRolePayload,
} from '../schema/group.js';
import { UserType } from '../schema/user.js';
import type { GroupMemberService } from '../services/group-members.js';
import { groupById, groupMember, type GroupMemberRow } from '../services/loaders/groups.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

const keyOf = (input: { groupId: string; userId: string }) => ({ groupId: decodeId('Group', input.groupId, 'groupId'), userId: decodeId('User', input.userId, 'userId') });

@Resolver()
export class GroupMembershipResolver {
  constructor(private readonly members: GroupMemberService) {}

  @Mutation(() => JoinGroupPayload, { description: 'Joins, or asks to join, as the group takes people in.' })
  async joinGroup(@Arg('input', () => JoinGroupInput) input: JoinGroupInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { group: await this.members.join(viewer, decodeId('Group', input.groupId, 'groupId')) };
  }

  @Mutation(() => LeaveGroupPayload, { description: 'Leaves the group and all of its chats, or takes a request back.' })
  async leaveGroup(@Arg('input', () => LeaveGroupInput) input: LeaveGroupInput, @Ctx() context: Context): Promise<LeaveGroupPayload> {
    const viewer = context.requireViewer();
    await this.members.leave(viewer, decodeId('Group', input.groupId, 'groupId'));
    return { groupId: input.groupId };
  }

  @Mutation(() => DecideGroupRequestPayload, { description: 'For those who run the group.' })
  async decideGroupRequest(@Arg('input', () => DecideGroupRequestInput) input: DecideGroupRequestInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { group: await this.members.decide(viewer, { ...keyOf(input), accept: input.accept }) };
  }

  @Mutation(() => AddGroupMembersPayload, { description: 'For those who run the group: brings people in.' })
  async addGroupMembers(@Arg('input', () => AddGroupMembersInput) input: AddGroupMembersInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const userIds = input.userIds.map((id) => decodeId('User', id, 'userIds'));
    return { group: await this.members.add(viewer, decodeId('Group', input.groupId, 'groupId'), userIds) };
  }

  @Mutation(() => UpdateGroupMemberRolePayload, { description: 'For the owner. Roles in the group’s chats are given there.' })
  async updateGroupMemberRole(@Arg('input', () => UpdateGroupMemberRoleInput) input: UpdateGroupMemberRoleInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const key = keyOf(input);
    await this.members.updateRole(viewer, { ...key, role: input.role });
    return { group: await context.load(groupById, key.groupId), member: await context.load(groupMember, key) };
  }

  @Mutation(() => RemoveGroupMemberPayload, { description: 'The owner removes anybody, an admin removes members: from the group and all of its chats.' })
  async removeGroupMember(@Arg('input', () => RemoveGroupMemberInput) input: RemoveGroupMemberInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { group: await this.members.remove(viewer, { ...keyOf(input), ban: input.ban ?? false }) };
  }

  @Mutation(() => UnbanGroupMemberPayload, { description: 'For those who run the group.' })
  async unbanGroupMember(@Arg('input', () => UnbanGroupMemberInput) input: UnbanGroupMemberInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const { groupId, userId } = keyOf(input);
    return { group: await this.members.unban(viewer, groupId, userId) };
  }
}

@Resolver(() => GroupMemberType)
export class GroupMemberResolver {
  @FieldResolver(() => UserType)
  user(@Root() member: GroupMemberRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, member.userId);
  }
}
