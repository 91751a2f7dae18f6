import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { chatStream } from '../events/catalogue.js';
import { encodeCursor } from '../events/cursor.js';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ChatMemberPages, ChatMemberType, ChatType, ChatViewerStateType } from '../schema/chat.js';
import { CreateChatInput, CreateChatPayload } from '../schema/chat-inputs.js';
import { ConnectionArgs, ForwardArgs } from '../schema/connection.js';
import { FileType } from '../schema/file.js';
import { MessagePages, MessageType } from '../schema/message.js';
import { EventCursor } from '../schema/scalars.js';
import { UserType } from '../schema/user.js';
import type { ChatService } from '../services/chats.js';
import { lastVisibleMessage } from '../services/loaders/chat-list.js';
import { streamHead } from '../services/loaders/streams.js';
import { viewerMembership, type ChatRow, type MemberRow } from '../services/loaders/chats.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { MessageService } from '../services/messages.js';
import { askedAt } from './asked.js';
import type { Context } from './context.js';
import { avatarFile, type ShownFile } from './files.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => ChatType)
export class ChatResolver {
  constructor(
    private readonly chats: ChatService,
    private readonly messageService: MessageService,
  ) {}

  @Query(() => ChatType, { nullable: true, description: 'A chat that the viewer is in, or one that a group shows to the viewer; else null.' })
  chat(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<ChatRow | null> {
    context.requireViewer();
    return this.chats.find(context, decodeId('Chat', id));
  }

  @Mutation(() => CreateChatPayload, { description: 'Makes a chat. A direct chat is found, not made twice.' })
  async createChat(@Arg('input', () => CreateChatInput) input: CreateChatInput, @Ctx() context: Context): Promise<{ chat: ChatRow }> {
    const viewer = context.requireViewer();
    const memberIds = input.memberIds.map((id) => decodeId('User', id, 'memberIds'));
    const groupId = input.groupId == null ? null : decodeId('Group', input.groupId, 'groupId');
    return { chat: await this.chats.create(viewer, { ...input, memberIds, groupId }) };
  }

  @FieldResolver()
  id(@Root() chat: ChatRow): string {
    return encodeId('Chat', chat.id);
  }

  @FieldResolver(() => FileType, { nullable: true })
  avatar(@Root() chat: ChatRow, @Ctx() context: Context): ShownFile | null | Promise<ShownFile | null> {
    return avatarFile(chat.avatarUrl, context);
  }

  @FieldResolver(() => EventCursor, { description: 'Read it before the state, then subscribe from it.' })
  async eventCursor(@Root() chat: ChatRow, @Ctx() context: Context): Promise<string> {
    const stream = chatStream(chat.id);
    const { epoch, head } = (await context.load(streamHead, stream))!;
    return encodeCursor(stream, epoch, head);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatMemberPages.Connection, { description: 'For members: the owner, the admins, then the others, each in the order of joining.' })
  members(@Root() chat: ChatRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<MemberRow>> {
    return this.chats.members(context, chat.id, args);
  }

  @ViewerDependent()
  @FieldResolver(() => MessagePages.Connection, { description: 'The history, oldest first; answers in threads stand under `thread`.' })
  messages(@Root() chat: ChatRow, @Args(() => ConnectionArgs) args: ConnectionArgs, @Ctx() context: Context, @Info() info: GraphQLResolveInfo): Promise<Page<MessageRow>> {
    return this.messageService.history(context, chat.id, args, askedAt(info, 'edges.node'));
  }

  @ViewerDependent()
  @FieldResolver(() => MessageType, { nullable: true })
  lastMessage(@Root() chat: ChatRow, @Ctx() context: Context): Promise<MessageRow | null> {
    return context.load(lastVisibleMessage, chat.id);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatViewerStateType, { nullable: true })
  viewerState(@Root() chat: ChatRow, @Ctx() context: Context): Promise<MemberRow | null> {
    context.requireViewer();
    return context.load(viewerMembership, chat.id);
  }
}

@Resolver(() => ChatMemberType)
export class ChatMemberResolver {
  @FieldResolver(() => UserType)
  user(@Root() member: MemberRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, member.userId);
  }
}
