import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, decodeMessageId, encodeId, encodeMessageId } from '../lib/ids.js';
import { ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import { ScheduledMessageChangedType } from '../schema/events.js';
import { AttachmentType } from '../schema/file.js';
import { MessageType } from '../schema/message.js';
import {
  CancelScheduledMessageInput,
  CancelScheduledMessagePayload,
  ScheduledMessagePages,
  ScheduledMessageState,
  ScheduledMessageType,
  ScheduleMessageInput,
  ScheduleMessagePayload,
} from '../schema/scheduled.js';
import { ViewerType } from '../schema/viewer.js';
import { MAX_ATTACHMENTS } from '../services/attachments.js';
import { chatById, viewerMembership, type ChatRow } from '../services/loaders/chats.js';
import { messageByKey, type MessageRow } from '../services/loaders/messages.js';
import { scheduledById, type ScheduledRow, type ScheduledState } from '../services/loaders/scheduled-messages.js';
import type { ScheduledMessageService } from '../services/scheduled-messages.js';
import { AtMost } from './at-most.js';
import { newAttachments, shownAttachments } from './attachments.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => ScheduledMessageType)
export class ScheduledMessageResolver {
  constructor(private readonly scheduled: ScheduledMessageService) {}

  @Mutation(() => ScheduleMessagePayload, { description: 'Sends a message later. Whether it may be sent is asked again then.' })
  async scheduleMessage(@Arg('input', () => ScheduleMessageInput) input: ScheduleMessageInput, @Ctx() context: Context): Promise<{ scheduledMessage: ScheduledRow }> {
    const replyTo = input.replyToId == null ? null : decodeMessageId(input.replyToId, 'replyToId');
    const threadRoot = input.threadRootId == null ? null : decodeMessageId(input.threadRootId, 'threadRootId');
    const { text = null, sendAt, idempotencyKey } = input;
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    return { scheduledMessage: await this.scheduled.schedule(context.requireViewer(), { chatId, text, attachments: newAttachments(input), replyTo, threadRoot, sendAt, idempotencyKey }) };
  }

  @Mutation(() => CancelScheduledMessagePayload, { description: 'Takes back a message that waits, or puts away one that has failed. STATE_CONFLICT when it was sent.' })
  async cancelScheduledMessage(@Arg('input', () => CancelScheduledMessageInput) input: CancelScheduledMessageInput, @Ctx() context: Context): Promise<{ scheduledMessage: ScheduledRow }> {
    const viewer = context.requireViewer();
    return { scheduledMessage: await this.scheduled.cancel(viewer, decodeId('ScheduledMessage', input.scheduledMessageId, 'scheduledMessageId')) };
  }

  @FieldResolver()
  id(@Root() row: ScheduledRow): string {
    return encodeId('ScheduledMessage', row.id);
  }

  @FieldResolver()
  chatId(@Root() row: ScheduledRow): string {
    return encodeId('Chat', row.chatId);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatType, { nullable: true, description: 'Null when the sender has left it.' })
  async chat(@Root() row: ScheduledRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return (await context.load(viewerMembership, row.chatId)) ? context.load(chatById, row.chatId) : null;
  }

  @AtMost(MAX_ATTACHMENTS)
  @FieldResolver(() => [AttachmentType], { description: 'None once it was sent (see `message`) or cancelled.' })
  attachments(@Root() { files }: ScheduledRow): { id: string; caption: string | null }[] {
    return shownAttachments(files);
  }

  @FieldResolver(() => ID, { nullable: true })
  replyToId(@Root() row: ScheduledRow): string | null {
    return row.replyToSeq === null ? null : encodeMessageId(row.chatId, row.replyToSeq);
  }

  @FieldResolver(() => ID, { nullable: true })
  threadRootId(@Root() row: ScheduledRow): string | null {
    return row.threadRootSeq === null ? null : encodeMessageId(row.chatId, row.threadRootSeq);
  }

  @ViewerDependent()
  @FieldResolver(() => MessageType, { nullable: true, description: 'When SENT.' })
  async message(@Root() row: ScheduledRow, @Ctx() context: Context): Promise<MessageRow | null> {
    if (row.sentSeq === null || row.sentSeq < (await context.visibleFrom(row.chatId))) return null;
    return context.load(messageByKey, { chatId: row.chatId, seq: row.sentSeq });
  }
}

@Resolver(() => ViewerType)
export class ViewerScheduledResolver {
  constructor(private readonly scheduled: ScheduledMessageService) {}

  @FieldResolver(() => ScheduledMessagePages.Connection, { description: 'By the time at which they are due. What was sent or cancelled is kept for 30 days.' })
  scheduledMessages(
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('states', () => [ScheduledMessageState], { defaultValue: ['WAITING', 'FAILED'] }) states: ScheduledState[],
    @Ctx() context: Context,
  ): Promise<Page<ScheduledRow>> {
    context.requireViewer();
    return this.scheduled.list(context, states, args);
  }
}

@Resolver(() => ScheduledMessageChangedType)
export class ScheduledMessageChangedResolver {
  @FieldResolver(() => ScheduledMessageType, { nullable: true })
  scheduledMessage(@Root() event: { scheduledKey: string }, @Ctx() context: Context): Promise<ScheduledRow | null> {
    return context.load(scheduledById, event.scheduledKey);
  }
}
