import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { AttachmentInput } from './file.js';
import { MessageType } from './message.js';
import { DateTime } from './scalars.js';

@InputType('PollInput')
export class PollInput {
  @Field(() => String, { description: '1 to 1,024 bytes.' }) question: string;
  @Field(() => [String], { description: '2 to 12, all different, each of 1 to 256 bytes.' }) options: string[];
  @Field(() => Boolean, { nullable: true, description: 'One may vote for several options. Default: no.' }) multiple?: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Nobody sees who voted for what. Default: no.' }) anonymous?: boolean | null;
  @Field(() => DateTime, { nullable: true, description: 'When it takes no more votes: a time to come.' }) closesAt?: Date | null;
}

@InputType('LocationInput')
export class LocationInput {
  @Field(() => Float, { description: 'Degrees, -90 to 90.' }) latitude: number;
  @Field(() => Float, { description: 'Degrees, -180 to 180.' }) longitude: number;
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) name?: string | null;
}

@InputType('SendMessageInput')
export class SendMessageInput {
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true, description: 'Up to 16 KiB. May be left out with files, a poll or a location.' }) text?: string | null;
  @Field(() => [ID], { nullable: true, description: 'Up to 10 of one’s own files that are READY; `text` is their caption. Not together with a poll or a location.' }) attachmentIds?: string[] | null;
  @Field(() => [AttachmentInput], { nullable: true, description: 'Instead of `attachmentIds`: files with a caption each.' }) attachments?: AttachmentInput[] | null;
  @Field(() => ID, { nullable: true }) replyToId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Answers in the thread of this message; the reply does not show in the main history.' }) threadRootId?: string | null;
  @Field(() => PollInput, { nullable: true, description: 'Not together with `location`.' }) poll?: PollInput | null;
  @Field(() => LocationInput, { nullable: true }) location?: LocationInput | null;
  @Field(() => Boolean, { nullable: true, description: 'False: no preview is made of what stands behind its first link. Default: one is.' }) linkPreview?: boolean | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('SendMessagePayload')
export class SendMessagePayload {
  @Field(() => MessageType) message: object;
}

@InputType('ReplyToStatusInput')
export class ReplyToStatusInput {
  @Field(() => ID) statusId: string;
  @Field(() => String, { description: 'Up to 16 KiB.' }) text: string;
  @Field(() => ID) idempotencyKey: string;
}

@InputType('EditMessageInput')
export class EditMessageInput {
  @Field(() => ID) messageId: string;
  @Field(() => String, { description: 'Up to 16 KiB. The same text again changes nothing.' }) text: string;
  @Field(() => Int, { nullable: true, description: 'Refused as STATE_CONFLICT when the message has another version.' }) expectedVersion?: number | null;
}

export const DeleteScope = enumOf('DeleteScope', ['FOR_ME', 'FOR_EVERYONE']);

@InputType('DeleteMessageInput')
export class DeleteMessageInput {
  @Field(() => ID) messageId: string;
  @Field(() => DeleteScope, { description: 'FOR_EVERYONE: one’s own, or any by those who run a group chat.' }) scope: 'FOR_ME' | 'FOR_EVERYONE';
}

@InputType()
abstract class OfMessageInput {
  @Field(() => ID) messageId: string;
}
@InputType('StarMessageInput')
export class StarMessageInput extends OfMessageInput {}
@InputType('UnstarMessageInput')
export class UnstarMessageInput extends OfMessageInput {}
@InputType('PinMessageInput')
export class PinMessageInput extends OfMessageInput {}
@InputType('UnpinMessageInput')
export class UnpinMessageInput extends OfMessageInput {}
@InputType('RemoveLinkPreviewInput')
export class RemoveLinkPreviewInput extends OfMessageInput {}
@InputType('ClosePollInput')
export class ClosePollInput extends OfMessageInput {}

@InputType()
abstract class ReactionInput extends OfMessageInput {
  @Field(() => String, { description: 'One emoji.' }) emoji: string;
}
@InputType('AddReactionInput')
export class AddReactionInput extends ReactionInput {}
@InputType('RemoveReactionInput')
export class RemoveReactionInput extends ReactionInput {}

@InputType('VotePollInput')
export class VotePollInput extends OfMessageInput {
  @Field(() => [Int], { description: 'All votes of the viewer: they replace the earlier ones. None: withdraws them.' }) optionIndexes: number[];
}

@InputType('ForwardMessagesInput')
export class ForwardMessagesInput {
  @Field(() => [ID], { description: '1 to 30, from any of the viewer’s chats; sent in this order.' }) messageIds: string[];
  @Field(() => [ID], { description: '1 to 5.' }) chatIds: string[];
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('ForwardMessagesPayload')
export class ForwardMessagesPayload {
  @Field(() => [MessageType], { description: 'What was written, chat by chat.' }) messages: object[];
}

@ObjectType()
abstract class MessagePayload {
  @Field(() => MessageType) message: object;
}
@ObjectType('EditMessagePayload')
export class EditMessagePayload extends MessagePayload {}
@ObjectType('DeleteMessagePayload')
export class DeleteMessagePayload extends MessagePayload {}
@ObjectType('StarMessagePayload')
export class StarMessagePayload extends MessagePayload {}
@ObjectType('UnstarMessagePayload')
export class UnstarMessagePayload extends MessagePayload {}
@ObjectType('PinMessagePayload')
export class PinMessagePayload extends MessagePayload {}
@ObjectType('UnpinMessagePayload')
export class UnpinMessagePayload extends MessagePayload {}
@ObjectType('RemoveLinkPreviewPayload')
export class RemoveLinkPreviewPayload extends MessagePayload {}
@ObjectType('ClosePollPayload')
export class ClosePollPayload extends MessagePayload {}
@ObjectType('AddReactionPayload')
export class AddReactionPayload extends MessagePayload {}
@ObjectType('RemoveReactionPayload')
export class RemoveReactionPayload extends MessagePayload {}
@ObjectType('VotePollPayload')
export class VotePollPayload extends MessagePayload {}
@ObjectType('ReplyToStatusPayload')
export class ReplyToStatusPayload extends MessagePayload {}
