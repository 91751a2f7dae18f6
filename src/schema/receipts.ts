import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ChatType } from './chat.js';

@ObjectType('ReceiptSummary', { description: 'How many members have received and read a message: its sender aside, and those who joined later.' })
export class ReceiptSummaryType {
  @Field(() => Int, { description: 'How many there are.' }) recipientCount: number;
  @Field(() => Int) deliveredCount: number;
  @Field(() => Int) readCount: number;
}

@InputType('MarkDeliveredInput')
export class MarkDeliveredInput {
  @Field(() => ID) chatId: string;
  @Field(() => Int, { description: 'The message’s number.' }) seq: number;
}

@ObjectType('MarkDeliveredPayload')
export class MarkDeliveredPayload {
  @Field(() => ChatType) chat: object;
}

@InputType('MarkReadInput')
export class MarkReadInput {
  @Field(() => ID) chatId: string;
  @Field(() => Int, { description: 'The message’s number.' }) seq: number;
}

@ObjectType('MarkReadPayload')
export class MarkReadPayload {
  @Field(() => ChatType) chat: object;
}
