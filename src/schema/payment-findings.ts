import { Field, ID, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';

export const PaymentFindingKind = enumOf(
  'PaymentFindingKind',
  ['STATE', 'HELD_WITHOUT_ORDER', 'CHARGED_WITHOUT_ORDER', 'AMOUNT', 'REFUND', 'UNKNOWN_PAYMENT', 'NOT_AT_GATEWAY'],
  'STATE: how a payment stands. REFUND: what was given back. HELD_, CHARGED_WITHOUT_ORDER: let go, or given back. UNKNOWN_PAYMENT: the gateway alone knows it. NOT_AT_GATEWAY: we alone.',
);

@ObjectType('PaymentFinding', { description: 'Something in which a payment differed from what its gateway says.' })
export class PaymentFindingType {
  @Field(() => ID) id: string;
  @Field(() => String) provider: string;
  @Field(() => PaymentFindingKind) kind: string;
  @Field(() => String, { nullable: true, description: 'Its name at the gateway.' }) reference: string | null;
  @Field(() => ID, { nullable: true }) orderId: string | null;
  @Field(() => String, { description: 'What we thought: a state, or an amount.' }) ours: string;
  @Field(() => String, { description: 'What the gateway says.' }) theirs: string;
  @Field(() => Boolean, { description: 'False: it wants somebody to look at it.' }) mended: boolean;
  @Field(() => DateTime) createdAt: Date;
}
export const PaymentFindingPages = connectionOf('PaymentFinding', () => PaymentFindingType);
