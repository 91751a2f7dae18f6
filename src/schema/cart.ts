import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { MessageType } from './message.js';
import { NodeType } from './node.js';
import { DateTime } from './scalars.js';
import { ResyncRequiredType, StreamEventType } from './stream-event.js';

export const CartState = enumOf('CartState', ['OPEN', 'CHECKOUT', 'ORDERED', 'CLOSED'], 'CHECKOUT: it is being paid; when that fails, it is OPEN again.');
export const LineAvailability = enumOf('LineAvailability', ['AVAILABLE', 'SHORT', 'UNAVAILABLE'], 'SHORT: there are fewer. UNAVAILABLE: none, or not sold any more, or without a price in this currency.');

@ObjectType('CartShare', { description: 'How many of a line one person wants.' })
export class CartShareType {
  @Field(() => Int) quantity: number;
  @Field(() => DateTime) addedAt: string;
}
@ObjectType('CartLine', { description: 'One variant in a cart, with the price and the stock of now.' })
export class CartLineType {
  @Field(() => ID) variantId: string;
  @Field(() => Int, { description: 'All shares together.' }) quantity: number;
  @Field(() => [CartShareType], { description: 'In the order in which they were added.' }) shares: object[];
}
@ObjectType('Cart', { implements: NodeType, description: 'What is to be bought at one shop, by one person or by the members of a chat.' })
export class CartType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => ID, { nullable: true, description: 'The chat that it is shared in.' }) chatId: string | null;
  @Field(() => String, { nullable: true }) title: string | null;
  @Field(() => String) currency: string;
  @Field(() => CartState) state: string;
  @Field(() => Int, { description: 'Grows with every change.' }) version: number;
  @Field(() => DateTime) createdAt: Date;
}
export const CartPages = connectionOf('Cart', () => CartType);

@ObjectType('CartCard', { description: 'A shared cart, in a message of its chat: as it is whenever the message is read.' })
export class CartCardType {
  @Field(() => ID) cartId: string;
}

const event = (name: string, description: string) => ObjectType(name, { implements: StreamEventType, description });
@ObjectType({ implements: StreamEventType })
abstract class CartStreamEvent extends StreamEventType {
  @Field(() => ID) cartId: string;
  @Field(() => Int, { description: 'Its number in the stream.' }) offset: number;
  @Field(() => CartType, { description: 'As it is now.' }) cart: object;
}
@event('CartUpdated', 'A cart was shared, is being paid, was ordered, or closed.')
export class CartUpdatedType extends CartStreamEvent {}
@event('CartLineChanged', 'A line of a cart, as it is now.')
export class CartLineChangedType extends CartStreamEvent {
  @Field(() => ID) variantId: string;
  @Field(() => CartLineType, { nullable: true, description: 'Null when it is not in the cart any more.' }) line: object | null;
}
export const CartEvent = createUnionType({ name: 'CartEvent', description: 'What happens to a cart, in order.', types: () => [CartUpdatedType, CartLineChangedType, ResyncRequiredType] as const });

@InputType('CreateCartInput')
export class CreateCartInput {
  @Field(() => ID) shopId: string;
  @Field(() => String, { nullable: true, description: 'ISO 4217; default: the shop’s.' }) currency?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 128 bytes.' }) title?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateCartPayload')
export class CreateCartPayload {
  @Field(() => CartType) cart: object;
}
@InputType('ShareCartInput')
export class ShareCartInput {
  @Field(() => ID) cartId: string;
  @Field(() => ID) chatId: string;
  @Field(() => String, { nullable: true }) text?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('ShareCartPayload')
export class ShareCartPayload {
  @Field(() => MessageType) message: object;
}
@InputType('AddToCartInput')
export class AddToCartInput {
  @Field(() => ID) cartId: string;
  @Field(() => ID) variantId: string;
  @Field(() => Int, { description: '1 to 999, on top of the viewer’s share.' }) quantity: number;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('AddToCartPayload')
export class AddToCartPayload {
  @Field(() => CartType) cart: object;
}
@InputType('SetCartLineInput')
export class SetCartLineInput {
  @Field(() => ID) cartId: string;
  @Field(() => ID) variantId: string;
  @Field(() => Int, { description: '0 takes the share away; at most 999.' }) quantity: number;
  @Field(() => ID, { nullable: true, description: 'Whose share; default: the viewer’s.' }) userId?: string | null;
  @Field(() => Int, { nullable: true, description: 'Sets it only when it is this now; else STATE_CONFLICT.' }) ifQuantity?: number | null;
}
@ObjectType('SetCartLinePayload')
export class SetCartLinePayload {
  @Field(() => CartType) cart: object;
}
@InputType('CloseCartInput')
export class CloseCartInput {
  @Field(() => ID) cartId: string;
}
@ObjectType('CloseCartPayload')
export class CloseCartPayload {
  @Field(() => CartType) cart: object;
}
