import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { MessageType } from './message.js';
import { MoneyInput, MoneyType } from './money.js';
import { AddressInput } from './order-inputs.js';
import { OrderType } from './order.js';
import { DateTime } from './scalars.js';

export const GroupBuyState = enumOf('GroupBuyState', ['OPEN', 'SUCCEEDED', 'FAILED', 'CANCELLED'], 'SUCCEEDED: everybody’s payment is taken. FAILED (too few by the deadline) and CANCELLED: everybody’s is let go.');

@ObjectType('GroupBuyTier', { description: 'What one costs once so many are taken together.' })
export class GroupBuyTierType {
  @Field(() => Int) quantity: number;
  @Field(() => MoneyType) price: object;
}
@ObjectType('GroupBuyViewerState')
export class GroupBuyViewerStateType {
  @Field(() => ID, { description: 'Of the viewer’s order, whose payment is held.' }) orderId: string;
  @Field(() => Int, { description: 'How many the viewer takes.' }) quantity: number;
  @Field(() => Boolean, { description: 'They have left it.' }) gone: boolean;
}
@ObjectType('GroupBuy', { description: 'Buying together for less, in a chat, until a deadline: by payments that are held, and taken only if enough take part.' })
export class GroupBuyType {
  @Field(() => ID) id: string;
  @Field(() => ID, { nullable: true }) chatId: string | null;
  @Field(() => [GroupBuyTierType], { description: 'The first is the least that it takes.' }) tiers: object[];
  @Field(() => Int, { nullable: true, description: 'When so many are taken it is decided at once.' }) maxQuantity: number | null;
  @Field(() => DateTime) deadline: Date;
  @Field(() => GroupBuyState) state: string;
  @Field(() => Int, { description: 'How many are taken, by payments that are held; once it is decided: as it was then.' }) quantity: number;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true, description: 'When it was decided.' }) settledAt: Date | null;
}

@ObjectType('GroupBuyCard', { description: 'A group buy, in a message of its chat: as it is whenever the message is read.' })
export class GroupBuyCardType {
  @Field(() => ID) groupBuyId: string;
}

@InputType('GroupBuyTierInput')
export class GroupBuyTierInput {
  @Field(() => Int) quantity: number;
  @Field(() => MoneyInput, { description: 'In the currency of the shop.' }) price: MoneyInput;
}
@InputType('CreateGroupBuyInput')
export class CreateGroupBuyInput {
  @Field(() => ID) chatId: string;
  @Field(() => ID) variantId: string;
  @Field(() => [GroupBuyTierInput], { description: '1 to 10: each takes more than the one before, and costs less.' }) tiers: GroupBuyTierInput[];
  @Field(() => Int, { nullable: true, description: 'At least the last tier’s.' }) maxQuantity?: number | null;
  @Field(() => DateTime, { description: 'From a minute to six days ahead: a bank does not hold money for longer.' }) deadline: Date;
  @Field(() => String, { nullable: true }) text?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateGroupBuyPayload')
export class CreateGroupBuyPayload {
  @Field(() => GroupBuyType) groupBuy: object;
  @Field(() => MessageType) message: object;
}
@InputType('JoinGroupBuyInput')
export class JoinGroupBuyInput {
  @Field(() => ID) groupBuyId: string;
  @Field(() => Int) quantity: number;
  @Field(() => AddressInput) address: AddressInput;
  @Field(() => ID, { nullable: true }) shippingMethodId?: string | null;
  @Field(() => String, { defaultValue: 'sandbox', description: 'One that holds payments.' }) provider: string;
  @Field(() => String, { defaultValue: 'sandbox_ok', description: 'What the provider’s form gave.' }) method: string;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('JoinGroupBuyPayload')
export class JoinGroupBuyPayload {
  @Field(() => GroupBuyType) groupBuy: object;
  @Field(() => OrderType, { description: 'PENDING until it is decided, at the dearest price; its payment says whether the money is held.' }) order: object;
}
@InputType('LeaveGroupBuyInput')
export class LeaveGroupBuyInput {
  @Field(() => ID) groupBuyId: string;
}
@ObjectType('LeaveGroupBuyPayload')
export class LeaveGroupBuyPayload {
  @Field(() => GroupBuyType) groupBuy: object;
}
@InputType('CancelGroupBuyInput')
export class CancelGroupBuyInput {
  @Field(() => ID) groupBuyId: string;
}
@ObjectType('CancelGroupBuyPayload')
export class CancelGroupBuyPayload {
  @Field(() => GroupBuyType) groupBuy: object;
}
