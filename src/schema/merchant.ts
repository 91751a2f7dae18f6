import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { MoneyType } from './money.js';
import { BigIntScalar, DateTime } from './scalars.js';

export const PayoutState = enumOf('PayoutState', ['REQUESTED', 'PAID', 'FAILED']);
export const PayoutEnd = enumOf('PayoutEnd', ['PAID', 'FAILED']);

@ObjectType('Payout', { description: 'Earnings of a shop on their way to it.' })
export class PayoutType {
  @Field(() => ID) id: string;
  @Field(() => PayoutState) state: string;
  @Field(() => String, { nullable: true, description: 'Of the transfer, as whoever paid it has noted.' }) reference: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) settledAt: Date | null;
}
export const PayoutPages = connectionOf('Payout', () => PayoutType);

@ObjectType('ShopBalance', { description: 'By the books, in one currency.' })
export class ShopBalanceType {
  @Field(() => MoneyType, { description: 'What can be paid out. Below zero: the shop owes it.' }) available: object;
  @Field(() => MoneyType, { description: 'What the platform has kept of its sales.' }) fees: object;
  @Field(() => MoneyType, { description: 'In payouts that were asked for.' }) underWay: object;
  @Field(() => MoneyType) paidOut: object;
}

@ObjectType('SalesDay', { description: 'Of orders that stand, by when they were placed.' })
export class SalesDayType {
  @Field(() => DateTime, { description: 'The first moment of the day, UTC.' }) day: Date;
  @Field(() => Int) orders: number;
  @Field(() => Int) items: number;
  @Field(() => MoneyType) sales: object;
  @Field(() => MoneyType, { description: 'Given back of these orders since.' }) refunds: object;
  @Field(() => MoneyType, { description: 'What the platform has kept of them.' }) fees: object;
}
@ObjectType('ProductSales')
export class ProductSalesType {
  @Field(() => ID) productId: string;
  @Field(() => String) title: string;
  @Field(() => Int) items: number;
  @Field(() => MoneyType) sales: object;
}
@ObjectType('ShopSales', { description: 'What a shop has sold in a span of time, in one currency.' })
export class ShopSalesType {
  @Field(() => String) currency: string;
  @Field(() => [SalesDayType], { description: 'Days with orders, in order; at most 367.' }) days: object[];
  @Field(() => [ProductSalesType], { description: 'The 20 that brought most.' }) products: object[];
  @Field(() => Int, { description: 'How many different people have bought.' }) buyers: number;
  @Field(() => Int, { description: 'Of them, those who bought again, or had bought before.' }) returning: number;
}

@InputType('RequestPayoutInput')
export class RequestPayoutInput {
  @Field(() => ID) shopId: string;
  @Field(() => String) currency: string;
  @Field(() => BigIntScalar, { nullable: true, description: 'Default: all that is available.' }) amount?: number | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('RequestPayoutPayload')
export class RequestPayoutPayload {
  @Field(() => PayoutType) payout: object;
}
@InputType('SettlePayoutInput')
export class SettlePayoutInput {
  @Field(() => ID) payoutId: string;
  @Field(() => PayoutEnd) state: 'PAID' | 'FAILED';
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) reference?: string | null;
}
@ObjectType('SettlePayoutPayload')
export class SettlePayoutPayload {
  @Field(() => PayoutType) payout: object;
}
