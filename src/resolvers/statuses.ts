import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import type { StatusRef } from '../entities/message.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { FileType } from '../schema/file.js';
import { StatusCardType } from '../schema/message-cards.js';
import { ReplyToStatusInput, ReplyToStatusPayload } from '../schema/message-inputs.js';
import {
  DeleteStatusInput, DeleteStatusPayload, MuteStatusesInput, MuteStatusesPayload, PostStatusInput, PostStatusPayload, ReactToStatusInput, ReactToStatusPayload, StatusInsightsType,
  StatusReactionCountType, StatusType, StatusViewerPages, StatusViewerStateType, StatusViewerType, UnmuteStatusesInput, UnmuteStatusesPayload, ViewStatusInput, ViewStatusPayload,
} from '../schema/status.js';
import { UserPages, UserType } from '../schema/user.js';
import { fileById, type FileRow } from '../services/loaders/files.js';
import { messageByKey, type MessageRow } from '../services/loaders/messages.js';
import { statusFor, statusMarks, statusReactions, type StatusMarks, type StatusReactionCount, type StatusRow, type StatusViewerRow } from '../services/loaders/statuses.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { StatusFeed } from '../services/statuses/status-feed.js';
import type { StatusReplies } from '../services/statuses/status-replies.js';
import type { StatusService } from '../services/statuses/statuses.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const statusIdOf = ({ statusId }: { statusId: string }): string => decodeId('Status', statusId, 'statusId');

@Resolver(() => StatusType)
export class StatusResolver {
  constructor(
    private readonly statuses: StatusService,
    private readonly replies: StatusReplies,
    private readonly feed: StatusFeed,
  ) {}

  @Query(() => StatusType, { nullable: true, description: 'A status that the viewer may see, else null.' })
  status(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<StatusRow | null> {
    context.requireViewer();
    return this.feed.find(context, decodeId('Status', id));
  }

  @Mutation(() => PostStatusPayload, { description: 'Shows something to the viewer’s mutual contacts for 24 hours. At most 100 a day.' })
  async postStatus(@Arg('input', () => PostStatusInput) input: PostStatusInput, @Ctx() context: Context): Promise<object> {
    const { kind, userIds } = input.audience ?? { kind: 'CONTACTS' };
    const audience = { kind, userIds: userIds?.map((id) => decodeId('User', id, 'audience.userIds')) ?? [] };
    const id = await this.statuses.post(context.requireViewer(), {
      text: input.text ?? null, backgroundColor: input.backgroundColor ?? null, font: input.font ?? null, fileId: input.fileId == null ? null : decodeId('File', input.fileId, 'fileId'),
      audience, idempotencyKey: input.idempotencyKey,
    });
    return { status: await this.#read(context, id) };
  }

  @Mutation(() => ViewStatusPayload, { description: 'Says that the viewer has seen a status: its author is told.' })
  async viewStatus(@Arg('input', () => ViewStatusInput) input: ViewStatusInput, @Ctx() context: Context): Promise<object> {
    await this.statuses.view(context.requireViewer(), statusIdOf(input));
    return { status: await this.#read(context, statusIdOf(input)) };
  }

  @Mutation(() => ReactToStatusPayload, { description: 'One emoji a person. It says, too, that the viewer has seen the status.' })
  async reactToStatus(@Arg('input', () => ReactToStatusInput) input: ReactToStatusInput, @Ctx() context: Context): Promise<object> {
    await this.statuses.react(context.requireViewer(), statusIdOf(input), input.emoji ?? null);
    return { status: await this.#read(context, statusIdOf(input)) };
  }

  @Mutation(() => ReplyToStatusPayload, { description: 'Sends a message to the author, in the direct chat, which is made where there is none. It carries a StatusCard.' })
  async replyToStatus(@Arg('input', () => ReplyToStatusInput) input: ReplyToStatusInput, @Ctx() context: Context): Promise<{ message: MessageRow | null }> {
    const key = await this.replies.reply(context.requireViewer(), { ...input, statusId: statusIdOf(input) });
    return { message: await context.load(messageByKey, key) };
  }

  @Mutation(() => DeleteStatusPayload, { description: 'Takes back a status of the viewer’s own, for everybody and out of highlights.' })
  async deleteStatus(@Arg('input', () => DeleteStatusInput) input: DeleteStatusInput, @Ctx() context: Context): Promise<object> {
    await this.statuses.delete(context.requireViewer(), statusIdOf(input));
    return { statusId: input.statusId };
  }

  @Mutation(() => MuteStatusesPayload, { description: 'Puts aside what somebody shows: it stands in a list of its own.' })
  async muteStatuses(@Arg('input', () => MuteStatusesInput) { userId }: MuteStatusesInput, @Ctx() context: Context): Promise<object> {
    await this.statuses.mute(context.requireViewer(), decodeId('User', userId, 'userId'), true);
    return { user: await context.load(userById, decodeId('User', userId)) };
  }

  @Mutation(() => UnmuteStatusesPayload)
  async unmuteStatuses(@Arg('input', () => UnmuteStatusesInput) { userId }: UnmuteStatusesInput, @Ctx() context: Context): Promise<object> {
    await this.statuses.mute(context.requireViewer(), decodeId('User', userId, 'userId'), false);
    return { user: await context.load(userById, decodeId('User', userId)) };
  }

  @FieldResolver()
  id(@Root() status: StatusRow): string {
    return encodeId('Status', status.id);
  }
  @FieldResolver(() => UserType)
  author(@Root() status: StatusRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, status.authorId);
  }
  @FieldResolver(() => FileType, { nullable: true, description: 'The picture or video.' })
  file(@Root() { fileId }: StatusRow, @Ctx() context: Context): FileRow | null | Promise<FileRow | null> {
    return fileId === null ? null : (context.peek(fileById, fileId) ?? context.load(fileById, fileId));
  }
  @ViewerDependent()
  @FieldResolver(() => StatusViewerStateType, { nullable: true })
  viewerState(@Root() status: StatusRow, @Ctx() context: Context): Promise<StatusMarks | null> {
    return context.load(statusMarks, { statusId: status.id, viewerId: context.requireViewer().userId });
  }
  @ViewerDependent()
  @FieldResolver(() => StatusInsightsType, { nullable: true, description: 'For its author; null for everybody else.' })
  insights(@Root() status: StatusRow, @Ctx() context: Context): StatusRow | null {
    return status.authorId === context.requireViewer().userId ? status : null;
  }

  #read(context: Context, statusId: string): Promise<StatusRow | null> {
    return context.load(statusFor, { statusId, viewerId: context.requireViewer().userId });
  }
}

@Resolver(() => StatusInsightsType)
export class StatusInsightsResolver {
  constructor(private readonly feed: StatusFeed) {}

  @FieldResolver(() => UserPages.Connection, { description: 'Whom the audience’s list names.' })
  listed(@Root() status: StatusRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<UserRow>> {
    return this.feed.listed(context, status, args);
  }
  @FieldResolver(() => [StatusReactionCountType], { description: 'The 20 emoji that were given most, these first.' })
  async reactions(@Root() status: StatusRow, @Ctx() context: Context): Promise<StatusReactionCount[]> {
    return status.reactionCount ? (await context.load(statusReactions, status.id))! : [];
  }
  @FieldResolver(() => StatusViewerPages.Connection, { description: 'Who has seen it, the newest first.' })
  viewers(@Root() status: StatusRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<StatusViewerRow>> {
    return this.feed.viewers(context, status, args);
  }
}

@Resolver(() => StatusViewerType)
export class StatusViewerResolver {
  @FieldResolver(() => UserType)
  user(@Root() viewer: StatusViewerRow): UserRow {
    return viewer;
  }
}

@Resolver(() => StatusCardType)
export class StatusCardResolver {
  @FieldResolver()
  statusId(@Root() card: StatusRef): string {
    return encodeId('Status', card.statusId);
  }
  @FieldResolver(() => UserType)
  author(@Root() card: StatusRef, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, card.authorId);
  }
  @ViewerDependent()
  @FieldResolver()
  status(@Root() card: StatusRef, @Ctx() context: Context): Promise<StatusRow | null> {
    return context.load(statusFor, { statusId: card.statusId, viewerId: context.requireViewer().userId });
  }
}
