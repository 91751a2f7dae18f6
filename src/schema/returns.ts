import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { FulfilledLineInput } from './order-inputs.js';
import { FulfilledLineType, OrderType } from './order.js';
import { BigIntScalar, DateTime } from './scalars.js';

export const ReturnState = enumOf('ReturnState', ['REQUESTED', 'APPROVED', 'DECLINED', 'CANCELLED', 'RECEIVED'], 'CANCELLED: by whoever asked.');

@ObjectType('OrderReturn', { description: 'What somebody gives back.' })
export class OrderReturnType {
  @Field(() => ID) id: string;
  @Field(() => ReturnState) state: string;
  @Field(() => [FulfilledLineType]) lines: object[];
  @Field(() => String, { nullable: true, description: 'Why, as the buyer says.' }) reason: string | null;
  @Field(() => String, { nullable: true, description: 'What the shop says to it.' }) note: string | null;
  @Field(() => Boolean, { description: 'It is in the stock again.' }) restocked: boolean;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime) updatedAt: Date;
}
@InputType('RequestReturnInput')
export class RequestReturnInput {
  @Field(() => ID) orderId: string;
  @Field(() => [FulfilledLineInput], { description: 'Of what was sent.' }) lines: FulfilledLineInput[];
  @Field(() => String, { nullable: true, description: 'Up to 512 bytes.' }) reason?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('RequestReturnPayload')
export class RequestReturnPayload {
  @Field(() => OrderType) order: object;
}
@InputType('DecideReturnInput')
export class DecideReturnInput {
  @Field(() => ID) returnId: string;
  @Field(() => Boolean) approve: boolean;
  @Field(() => String, { nullable: true, description: 'Up to 512 bytes.' }) note?: string | null;
}
@ObjectType('DecideReturnPayload')
export class DecideReturnPayload {
  @Field(() => OrderType) order: object;
}
@InputType('CancelReturnInput')
export class CancelReturnInput {
  @Field(() => ID) returnId: string;
}
@ObjectType('CancelReturnPayload')
export class CancelReturnPayload {
  @Field(() => OrderType) order: object;
}
@InputType('ReceiveReturnInput')
export class ReceiveReturnInput {
  @Field(() => ID) returnId: string;
  @Field(() => Boolean, { defaultValue: true, description: 'It can be sold again.' }) restock: boolean;
  @Field(() => BigIntScalar, { nullable: true, description: 'What goes back; default: what was paid for it, as far as it is left. 0: nothing.' }) amount?: number | null;
}
@ObjectType('ReceiveReturnPayload')
export class ReceiveReturnPayload {
  @Field(() => OrderType) order: object;
}
@InputType('CreateInvoiceInput')
export class CreateInvoiceInput {
  @Field(() => ID) orderId: string;
}
@ObjectType('CreateInvoicePayload')
export class CreateInvoicePayload {
  @Field(() => OrderType) order: object;
}
