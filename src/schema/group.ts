import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { GroupJoinPolicy, GroupMemberState, GroupOrigin, GroupVisibility, MemberRole } from './enums.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';

type Visibility = 'PUBLIC' | 'PRIVATE' | 'SECRET';
type JoinPolicy = 'OPEN' | 'REQUEST' | 'INVITE';
type Role = 'OWNER' | 'ADMIN' | 'MEMBER';

@ObjectType('Group', { implements: NodeType, description: 'A community around an interest, with one or more chats.' })
export class GroupType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => String) name: string;
  @Field(() => String, { nullable: true }) description: string | null;
  @Field(() => String, { nullable: true }) rules: string | null;
  @Field(() => [String], { description: 'In lower case.' }) topics: string[];
  @Field(() => GroupVisibility) visibility: Visibility;
  @Field(() => GroupJoinPolicy) joinPolicy: JoinPolicy;
  @Field(() => GroupOrigin) origin: 'PEOPLE' | 'CLUSTER';
  @Field(() => Int) memberCount: number;
  @Field(() => DateTime) createdAt: Date;
}

@ObjectType('GroupMember')
export class GroupMemberType {
  @Field(() => MemberRole) role: Role;
  @Field(() => GroupMemberState) state: 'MEMBER' | 'REQUESTED' | 'BANNED';
  @Field(() => DateTime, { description: 'Since when the state is so.' }) joinedAt: Date;
}

@ObjectType('GroupViewerState', { description: 'What of a group is the viewer’s own; null for whoever has nothing to do with it.' })
export class GroupViewerStateType {
  @Field(() => MemberRole, { nullable: true, description: 'Null until one is a member.' }) role: Role | null;
  @Field(() => GroupMemberState) state: 'MEMBER' | 'REQUESTED' | 'BANNED';
}

export const GroupPages = connectionOf('Group', () => GroupType);
export const GroupMemberPages = connectionOf('GroupMember', () => GroupMemberType);

@InputType('CreateGroupInput')
export class CreateGroupInput {
  @Field(() => String, { description: '1 to 128 bytes.' }) name: string;
  @Field(() => String, { nullable: true, description: 'Up to 2 KiB.' }) description?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 8 KiB.' }) rules?: string | null;
  @Field(() => [String], { nullable: true, description: 'Up to 10, of up to 64 bytes.' }) topics?: string[] | null;
  @Field(() => GroupVisibility) visibility: Visibility;
  @Field(() => GroupJoinPolicy) joinPolicy: JoinPolicy;
  @Field(() => String, { nullable: true, description: 'An http(s) address.' }) avatarUrl?: string | null;
  @Field(() => ID, { nullable: true, description: 'One of one’s own pictures, instead of `avatarUrl`.' }) avatarFileId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}

@InputType('UpdateGroupInput', { description: 'What is left out stays as it is.' })
export class UpdateGroupInput {
  @Field(() => ID) groupId: string;
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => String, { nullable: true }) description?: string | null;
  @Field(() => String, { nullable: true }) rules?: string | null;
  @Field(() => [String], { nullable: true }) topics?: string[] | null;
  @Field(() => GroupVisibility, { nullable: true }) visibility?: Visibility | null;
  @Field(() => GroupJoinPolicy, { nullable: true }) joinPolicy?: JoinPolicy | null;
  @Field(() => String, { nullable: true }) avatarUrl?: string | null;
  @Field(() => ID, { nullable: true, description: 'One of one’s own pictures, instead of `avatarUrl`.' }) avatarFileId?: string | null;
}

@InputType('JoinGroupInput')
export class JoinGroupInput {
  @Field(() => ID) groupId: string;
}
@InputType('LeaveGroupInput')
export class LeaveGroupInput {
  @Field(() => ID) groupId: string;
}
@InputType('DecideGroupRequestInput')
export class DecideGroupRequestInput {
  @Field(() => ID) groupId: string;
  @Field(() => ID) userId: string;
  @Field(() => Boolean) accept: boolean;
}
@InputType('AddGroupMembersInput')
export class AddGroupMembersInput {
  @Field(() => ID) groupId: string;
  @Field(() => [ID], { description: '1 to 100. Those who are in already are skipped.' }) userIds: string[];
}
@InputType('UpdateGroupMemberRoleInput')
export class UpdateGroupMemberRoleInput {
  @Field(() => ID) groupId: string;
  @Field(() => ID) userId: string;
  @Field(() => MemberRole, { description: 'OWNER hands the group over: its owner becomes ADMIN.' }) role: Role;
}
@InputType('RemoveGroupMemberInput')
export class RemoveGroupMemberInput {
  @Field(() => ID) groupId: string;
  @Field(() => ID) userId: string;
  @Field(() => Boolean, { nullable: true, description: 'For whoever is banned the group does not exist any more. Default: no.' }) ban?: boolean | null;
}
@InputType('UnbanGroupMemberInput')
export class UnbanGroupMemberInput {
  @Field(() => ID) groupId: string;
  @Field(() => ID) userId: string;
}

@ObjectType()
abstract class WithGroup {
  @Field(() => GroupType) group: object;
}
@ObjectType('CreateGroupPayload')
export class CreateGroupPayload extends WithGroup {}
@ObjectType('UpdateGroupPayload')
export class UpdateGroupPayload extends WithGroup {}
@ObjectType('JoinGroupPayload', { description: '`viewerState.state` tells whether one is in, or has asked.' })
export class JoinGroupPayload extends WithGroup {}
@ObjectType('DecideGroupRequestPayload')
export class DecideGroupRequestPayload extends WithGroup {}
@ObjectType('AddGroupMembersPayload')
export class AddGroupMembersPayload extends WithGroup {}
@ObjectType('RemoveGroupMemberPayload')
export class RemoveGroupMemberPayload extends WithGroup {}
@ObjectType('UnbanGroupMemberPayload')
export class UnbanGroupMemberPayload extends WithGroup {}
@ObjectType('UpdateGroupMemberRolePayload')
export class UpdateGroupMemberRolePayload extends WithGroup {
  @Field(() => GroupMemberType) member: object;
}
@ObjectType('LeaveGroupPayload')
export class LeaveGroupPayload {
  @Field(() => ID) groupId: string;
}
