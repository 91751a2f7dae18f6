import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import type { GroupAccess } from '../policies/group-policy.js';
import { ChatPages, ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import { FileType } from '../schema/file.js';
import { CreateGroupInput, CreateGroupPayload, GroupMemberPages, GroupPages, GroupType, GroupViewerStateType, UpdateGroupInput, UpdateGroupPayload } from '../schema/group.js';
import { ViewerType } from '../schema/viewer.js';
import type { GroupService } from '../services/groups.js';
import type { ChatRow } from '../services/loaders/chats.js';
import { groupAccess, groupById, type GroupMemberRow, type GroupRow } from '../services/loaders/groups.js';
import type { Context } from './context.js';
import { avatarFile, avatarInput, type ShownFile } from './files.js';
import { ViewerDependent } from './viewer-dependent.js';

type Membership = NonNullable<GroupAccess['membership']>;

@Resolver(() => GroupType)
export class GroupResolver {
  constructor(private readonly groups: GroupService) {}

  @Query(() => GroupType, { nullable: true, description: 'A group that the viewer may see, or null.' })
  group(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<GroupRow | null> {
    context.requireViewer();
    return this.groups.find(context, decodeId('Group', id));
  }

  @Query(() => GroupPages.Connection, { description: 'Public and private groups: by a part of name or description, by topic, or by both.' })
  searchGroups(
    @Arg('query', () => String, { nullable: true }) query: string | null,
    @Arg('topic', () => String, { nullable: true }) topic: string | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<GroupRow>> {
    return this.groups.search(context, context.requireViewer(), { query, topic }, args);
  }

  @Mutation(() => CreateGroupPayload, { description: 'Makes a group with its first chat; whoever joins the group is in that chat.' })
  async createGroup(@Arg('input', () => CreateGroupInput) input: CreateGroupInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { group: await this.groups.create(viewer, { ...input, ...avatarInput(input) }) };
  }

  @Mutation(() => UpdateGroupPayload, { description: 'For those who run the group.' })
  async updateGroup(@Arg('input', () => UpdateGroupInput) { groupId, ...change }: UpdateGroupInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { group: await this.groups.update(viewer, decodeId('Group', groupId, 'groupId'), { ...change, ...avatarInput(change) }) };
  }

  @FieldResolver()
  id(@Root() group: GroupRow): string {
    return encodeId('Group', group.id);
  }

  @FieldResolver(() => FileType, { nullable: true })
  avatar(@Root() group: GroupRow, @Ctx() context: Context): ShownFile | null | Promise<ShownFile | null> {
    return avatarFile(group.avatarUrl, context);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatPages.Connection, { nullable: true, description: 'The oldest first; null where only members see the inside.' })
  chats(@Root() group: GroupRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ChatRow> | null> {
    return this.groups.chats(context, group.id, args);
  }

  @ViewerDependent()
  @FieldResolver(() => GroupMemberPages.Connection, { nullable: true, description: 'The owner, the admins, then the others; null where only members see the inside.' })
  members(@Root() group: GroupRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<GroupMemberRow> | null> {
    return this.groups.members(context, group.id, args);
  }

  @ViewerDependent()
  @FieldResolver(() => GroupMemberPages.Connection, { nullable: true, description: 'Those who ask to join; null for whoever does not run the group.' })
  requests(@Root() group: GroupRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<GroupMemberRow> | null> {
    return this.groups.waiting(context, group.id, 'REQUESTED', args);
  }

  @ViewerDependent()
  @FieldResolver(() => GroupMemberPages.Connection, { nullable: true, description: 'Those who are banned; null for whoever does not run the group.' })
  banned(@Root() group: GroupRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<GroupMemberRow> | null> {
    return this.groups.waiting(context, group.id, 'BANNED', args);
  }

  @ViewerDependent()
  @FieldResolver(() => GroupViewerStateType, { nullable: true })
  async viewerState(@Root() group: GroupRow, @Ctx() context: Context): Promise<Membership | null> {
    context.requireViewer();
    return (await context.load(groupAccess, group.id))?.membership ?? null;
  }
}

@Resolver(() => GroupViewerStateType)
export class GroupViewerStateResolver {
  @FieldResolver()
  role(@Root() membership: Membership): Membership['role'] | null {
    return membership.state === 'MEMBER' ? membership.role : null;
  }
}

@Resolver(() => ChatType)
export class ChatGroupResolver {
  @FieldResolver(() => GroupType, { nullable: true, description: 'The group that the chat is a part of.' })
  group(@Root() chat: ChatRow, @Ctx() context: Context): Promise<GroupRow | null> | null {
    return chat.groupId === null ? null : context.load(groupById, chat.groupId);
  }
}

@Resolver(() => ViewerType)
export class ViewerGroupsResolver {
  constructor(private readonly list: GroupService) {}

  @FieldResolver(() => GroupPages.Connection, { description: 'The groups that the viewer is a member of, the newest membership first.' })
  groups(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<GroupRow>> {
    return this.list.listOwn(context, context.requireViewer(), args);
  }
}
