import { Arg, Args, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import type { ForwardRef } from '../entities/message.js';
import { ChatType } from '../schema/chat.js';
import { ConnectionArgs, ForwardArgs } from '../schema/connection.js';
import { AttachmentType } from '../schema/file.js';
import { MessageCard } from '../schema/message-cards.js';
import {
  ForwardOriginType, LinkPreviewType, MessageEditPages, MessagePages, MessageType, MessageViewerStateType, ReactionGroupType, ThreadSummaryType,
} from '../schema/message.js';
import { UserPages, UserType } from '../schema/user.js';
import { MAX_ATTACHMENTS } from '../services/attachments.js';
import type { ChatService } from '../services/chats.js';
import type { ChatRow } from '../services/loaders/chats.js';
import { threadParticipants, type EditRow, type ReactingUser, type ViewerMarks } from '../services/loaders/message-parts.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { pollByKey } from '../services/loaders/polls.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { MessageEditService } from '../services/message-edits.js';
import type { MessageMarkService } from '../services/message-marks.js';
import type { MessageService } from '../services/messages.js';
import type { PinService } from '../services/pins.js';
import type { ReactionGroup, ReactionService } from '../services/reactions.js';
import { AtMost } from './at-most.js';
import { shownAttachments } from './attachments.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const people = async (context: Context, ids: readonly string[]): Promise<UserRow[]> => (await context.loadMany(userById, ids)).filter((user) => user !== null);

/** What hangs on a message beside its own columns. */
@Resolver(() => MessageType)
export class MessagePartsResolver {
  constructor(
    private readonly editService: MessageEditService,
    private readonly marks: MessageMarkService,
  ) {}

  @FieldResolver(() => [UserType], { description: 'The members whom the text names by `@handle`.' })
  mentions(@Root() message: MessageRow, @Ctx() context: Context): UserRow[] | Promise<UserRow[]> {
    return message.mentions ? people(context, message.mentions) : [];
  }

  @AtMost(MAX_ATTACHMENTS)
  @FieldResolver(() => [AttachmentType], { description: 'In the order in which they were given; `text` is what is written under them all.' })
  attachments(@Root() { card }: MessageRow): { id: string; caption: string | null }[] {
    return shownAttachments(card?.type === 'files' ? card : null);
  }

  @FieldResolver(() => LinkPreviewType, { nullable: true })
  linkPreview(@Root() { preview }: MessageRow): object | null {
    return preview?.state === 'READY' ? preview : null;
  }

  @FieldResolver(() => ForwardOriginType, { nullable: true, description: 'Where it was first written; a forward of a forward keeps its first origin.' })
  forwardedFrom(@Root() message: MessageRow): ForwardRef | null {
    return message.forward;
  }

  @FieldResolver(() => ThreadSummaryType, { nullable: true, description: 'Null while nobody has answered in a thread.' })
  thread(@Root() message: MessageRow): MessageRow | null {
    return message.threadCount > 0 ? message : null;
  }

  @FieldResolver(() => MessageCard, { nullable: true })
  card(@Root() { card, chatId, seq }: MessageRow, @Ctx() context: Context): object | null | Promise<object | null> {
    if (card?.type === 'location') return { ...card, __typename: 'LocationCard' };
    if (card?.type === 'status') return { ...card, __typename: 'StatusCard' };
    if (card?.type === 'interactive') return { ...card, __typename: 'InteractiveCard' };
    if (card?.type === 'bot') return { ...card, __typename: 'BotCard' };
    if (card?.type === 'news') return { ...card, __typename: 'NewsCard' };
    if (card?.type === 'cart') return { ...card, chatId, __typename: 'CartCard' };
    if (card?.type === 'groupbuy') return { ...card, chatId, __typename: 'GroupBuyCard' };
    if (card?.type === 'product') return { ...card, __typename: 'ProductCard' };
    if (card?.type !== 'poll') return null;
    return context.load(pollByKey, { chatId, seq }).then((poll) => poll && { ...poll, __typename: 'PollCard' });
  }

  @FieldResolver(() => MessageEditPages.Connection, { description: 'Earlier texts, oldest first; none of what was deleted.' })
  edits(@Root() message: MessageRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<EditRow>> {
    return this.editService.history(context, message, args);
  }

  @ViewerDependent()
  @FieldResolver(() => MessageViewerStateType, { nullable: true })
  viewerState(@Root() message: MessageRow, @Ctx() context: Context): Promise<ViewerMarks> {
    return this.marks.viewerState(context, context.requireViewer().userId, message);
  }
}

@Resolver(() => ReactionGroupType)
export class ReactionGroupResolver {
  constructor(private readonly reactions: ReactionService) {}

  @FieldResolver(() => UserPages.Connection, { description: 'Who reacted so, in the order in which they did.' })
  users(@Root() group: ReactionGroup, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ReactingUser>> {
    return this.reactions.users(context, group, args);
  }
}

@Resolver(() => ThreadSummaryType)
export class ThreadSummaryResolver {
  constructor(private readonly messageService: MessageService) {}

  @FieldResolver()
  count(@Root() root: MessageRow): number {
    return root.threadCount;
  }

  @FieldResolver()
  lastReplyAt(@Root() root: MessageRow): Date | null {
    return root.threadLastAt;
  }

  @FieldResolver()
  async participants(@Root() root: MessageRow, @Ctx() context: Context): Promise<UserRow[]> {
    return people(context, (await context.load(threadParticipants, root)) ?? []);
  }

  @ViewerDependent()
  @FieldResolver(() => MessagePages.Connection, { description: 'The answers, oldest first, without those that the viewer has deleted for themself.' })
  messages(@Root() root: MessageRow, @Args(() => ConnectionArgs) args: ConnectionArgs, @Ctx() context: Context): Promise<Page<MessageRow>> {
    return this.messageService.thread(context, root, args);
  }
}

@Resolver(() => ForwardOriginType)
export class ForwardOriginResolver {
  constructor(
    private readonly chats: ChatService,
    private readonly messages: MessageService,
  ) {}

  @FieldResolver()
  sender(@Root() origin: ForwardRef, @Ctx() context: Context): UserRow | Promise<UserRow | null> {
    return context.peek(userById, origin.senderId) ?? context.load(userById, origin.senderId);
  }

  @FieldResolver()
  sentAt(@Root() origin: ForwardRef): Date {
    return new Date(origin.at);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatType, { nullable: true, description: 'Null unless the viewer is in that chat.' })
  chat(@Root() origin: ForwardRef, @Ctx() context: Context): Promise<ChatRow | null> {
    context.requireViewer();
    return this.chats.find(context, origin.chatId);
  }

  @ViewerDependent()
  @FieldResolver(() => MessageType, { nullable: true, description: 'Null unless the viewer may see it.' })
  message(@Root() { chatId, seq }: ForwardRef, @Ctx() context: Context): Promise<MessageRow | null> {
    context.requireViewer();
    return this.messages.find(context, { chatId, seq });
  }
}

/** What of a chat's messages is read by number, and what is pinned. */
@Resolver(() => ChatType)
export class ChatMessagesResolver {
  constructor(
    private readonly messages: MessageService,
    private readonly pins: PinService,
  ) {}

  @ViewerDependent()
  @FieldResolver(() => MessageType, { nullable: true, description: 'The message of this number, or null.' })
  message(@Root() chat: ChatRow, @Arg('seq', () => Int) seq: number, @Ctx() context: Context): Promise<MessageRow | null> {
    return this.messages.find(context, { chatId: chat.id, seq });
  }

  @ViewerDependent()
  @FieldResolver(() => MessagePages.Connection, { description: 'The history around a number: up to half of it before, the rest from it on. Go on with `messages` and these cursors.' })
  messagesAround(
    @Root() chat: ChatRow,
    @Arg('seq', () => Int) seq: number,
    @Arg('first', () => Int, { nullable: true, description: 'How many in all: 0 to 100, default 20.' }) first: number | null,
    @Ctx() context: Context,
  ): Promise<Page<MessageRow>> {
    return this.messages.around(context, chat.id, seq, first);
  }

  @ViewerDependent()
  @FieldResolver(() => MessagePages.Connection, { description: 'The last pinned first; at most 50 in a chat.' })
  pinnedMessages(@Root() chat: ChatRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<MessageRow>> {
    return this.pins.list(context, chat.id, args);
  }
}
