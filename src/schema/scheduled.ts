import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { AttachmentInput } from './file.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';

export const ScheduledMessageState = enumOf('ScheduledMessageState', ['WAITING', 'SENT', 'FAILED', 'CANCELLED']);
export const ScheduledMessageFailure = enumOf(
  'ScheduledMessageFailure',
  ['NOT_A_MEMBER', 'BLOCKED', 'NOT_ALLOWED', 'THREAD_GONE', 'HELD'],
  'Why a scheduled message was not sent: its sender had left the chat, one of two had blocked the other, the sender might not send any more, the root of its thread was deleted, or the chat’s rules hold it until a moderator has decided.',
);

@ObjectType('ScheduledMessage', { implements: NodeType, description: 'A message that is sent later. Only its sender sees it.' })
export class ScheduledMessageType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true, description: 'Null once it was sent (see `message`) or cancelled.' }) text: string | null;
  @Field(() => DateTime) sendAt: Date;
  @Field(() => ScheduledMessageState) state: string;
  @Field(() => ScheduledMessageFailure, { nullable: true, description: 'When FAILED.' }) failure: string | null;
  @Field(() => DateTime) createdAt: Date;
}

export const ScheduledMessagePages = connectionOf('ScheduledMessage', () => ScheduledMessageType);

@InputType('ScheduleMessageInput')
export class ScheduleMessageInput {
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true, description: 'Up to 16 KiB. May be left out with files.' }) text?: string | null;
  @Field(() => [ID], { nullable: true, description: 'Up to 10 of one’s own files that are READY. They are kept for the message; when it is cancelled they go.' }) attachmentIds?: string[] | null;
  @Field(() => [AttachmentInput], { nullable: true, description: 'Instead of `attachmentIds`: files with a caption each.' }) attachments?: AttachmentInput[] | null;
  @Field(() => ID, { nullable: true, description: 'When that message is deleted meanwhile, this one is sent without.' }) replyToId?: string | null;
  @Field(() => ID, { nullable: true }) threadRootId?: string | null;
  @Field(() => DateTime, { description: '5 seconds to a year ahead.' }) sendAt: Date;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('ScheduleMessagePayload')
export class ScheduleMessagePayload {
  @Field(() => ScheduledMessageType) scheduledMessage: object;
}

@InputType('CancelScheduledMessageInput')
export class CancelScheduledMessageInput {
  @Field(() => ID) scheduledMessageId: string;
}

@ObjectType('CancelScheduledMessagePayload')
export class CancelScheduledMessagePayload {
  @Field(() => ScheduledMessageType) scheduledMessage: object;
}
