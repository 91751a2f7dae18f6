import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { ChatType } from './chat.js';
import { ChatKind } from './enums.js';

@InputType('CreateChatInput')
export class CreateChatInput {
  @Field(() => ChatKind) kind: 'DIRECT' | 'GROUP';
  @Field(() => [ID], { description: 'Of the others; one in a direct chat, up to 1,000 in a group chat.' }) memberIds: string[];
  @Field(() => String, { nullable: true, description: 'Of a group chat: 1 to 256 bytes.' }) title?: string | null;
  @Field(() => ID) idempotencyKey: string;
}

@ObjectType('CreateChatPayload')
export class CreateChatPayload {
  @Field(() => ChatType) chat: object;
}
