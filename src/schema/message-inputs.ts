import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { MessageType } from './message.js';

@InputType('SendMessageInput')
export class SendMessageInput {
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true, description: 'Up to 16 KiB.' }) text?: string | null;
  @Field(() => [ID], { nullable: true }) attachmentIds?: string[] | null;
  @Field(() => ID, { nullable: true }) replyToId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Answers in the thread of this message; the reply does not show in the main history.' }) threadRootId?: string | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('SendMessagePayload')
export class SendMessagePayload {
  @Field(() => MessageType) message: object;
}
