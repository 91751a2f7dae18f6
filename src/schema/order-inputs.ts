import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { MoneyInput } from './money.js';
import { CheckoutResultUnion, OrderType, ShippingMethodType } from './order.js';
import { BigIntScalar, DateTime } from './scalars.js';

export const DiscountKind = enumOf('DiscountKind', ['PERCENT', 'AMOUNT', 'FREE_SHIPPING']);

@InputType('AddressInput')
export class AddressInput {
  @Field(() => String) name: string;
  @Field(() => String) line1: string;
  @Field(() => String, { nullable: true }) line2?: string | null;
  @Field(() => String) postalCode: string;
  @Field(() => String) city: string;
  @Field(() => String, { nullable: true }) region?: string | null;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2, as CH.' }) country: string;
  @Field(() => String, { nullable: true }) phone?: string | null;
}

@InputType('CheckoutTermsInput')
export class CheckoutTermsInput {
  @Field(() => AddressInput) address: AddressInput;
  @Field(() => ID, { nullable: true, description: 'One of the shop’s, where it has one for this country and currency.' }) shippingMethodId?: string | null;
  @Field(() => [String], { nullable: true, description: 'Used one after the other, each of what those before have left; at most 10.' }) couponCodes?: string[] | null;
  @Field(() => [String], { nullable: true, description: 'Used one after the other; at most 10.' }) giftCardCodes?: string[] | null;
}
@InputType('CheckoutInput')
export class CheckoutInput {
  @Field(() => ID) cartId: string;
  @Field(() => CheckoutTermsInput) terms: CheckoutTermsInput;
  @Field(() => String, { defaultValue: 'sandbox', description: 'sandbox (where the operator offers it: by default only without an account), manual, or stripe where the operator has an account. What gift cards pay wholly needs none.' }) provider: string;
  @Field(() => String, { defaultValue: 'sandbox_ok', description: 'What the provider’s form gave (of Stripe: the id of a payment method). Of the sandbox: sandbox_ok, sandbox_declined, sandbox_action, sandbox_action_failed, sandbox_timeout, sandbox_lost, sandbox_pending.' }) method: string;
  @Field(() => MoneyInput, { nullable: true, description: 'What the buyer was shown: with another total nothing is ordered.' }) expectedTotal?: MoneyInput | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CheckoutPayload')
export class CheckoutPayload {
  @Field(() => CheckoutResultUnion) result: object;
}
@InputType('ConfirmPaymentInput')
export class ConfirmPaymentInput {
  @Field(() => ID) orderId: string;
}
@ObjectType('ConfirmPaymentPayload')
export class ConfirmPaymentPayload {
  @Field(() => CheckoutResultUnion) result: object;
}
@InputType('CancelOrderInput')
export class CancelOrderInput {
  @Field(() => ID) orderId: string;
}
@ObjectType('CancelOrderPayload')
export class CancelOrderPayload {
  @Field(() => OrderType) order: object;
}
@InputType('CapturePaymentInput')
export class CapturePaymentInput {
  @Field(() => ID) orderId: string;
  @Field(() => BigIntScalar, { nullable: true, description: 'In the order’s currency; the rest is let go. Default: all that is held.' }) amount?: number | null;
}
@ObjectType('CapturePaymentPayload')
export class CapturePaymentPayload {
  @Field(() => OrderType) order: object;
}
@InputType('FulfilledLineInput')
export class FulfilledLineInput {
  @Field(() => ID) lineId: string;
  @Field(() => Int) quantity: number;
}
@InputType('FulfillOrderInput')
export class FulfillOrderInput {
  @Field(() => ID) orderId: string;
  @Field(() => [FulfilledLineInput], { nullable: true, description: 'Default: all that is left.' }) lines?: FulfilledLineInput[] | null;
  @Field(() => String, { nullable: true, description: 'Up to 256 bytes.' }) tracking?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('FulfillOrderPayload')
export class FulfillOrderPayload {
  @Field(() => OrderType) order: object;
}
@InputType('DeliverFulfillmentInput')
export class DeliverFulfillmentInput {
  @Field(() => ID) fulfillmentId: string;
}
@ObjectType('DeliverFulfillmentPayload')
export class DeliverFulfillmentPayload {
  @Field(() => OrderType) order: object;
}
@InputType('RefundOrderInput')
export class RefundOrderInput {
  @Field(() => ID) orderId: string;
  @Field(() => BigIntScalar, { nullable: true, description: 'In the order’s currency; default: all that is left of the payment.' }) amount?: number | null;
  @Field(() => String, { nullable: true, description: 'Up to 512 bytes.' }) reason?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('RefundOrderPayload')
export class RefundOrderPayload {
  @Field(() => OrderType) order: object;
}

@InputType('CreateShippingMethodInput')
export class CreateShippingMethodInput {
  @Field(() => ID) shopId: string;
  @Field(() => String) name: string;
  @Field(() => MoneyInput) price: MoneyInput;
  @Field(() => BigIntScalar, { nullable: true, description: 'Free for goods of this much or more, after discounts.' }) freeFrom?: number | null;
  @Field(() => [String], { nullable: true, description: 'ISO 3166-1 alpha-2; default: everywhere.' }) countries?: string[] | null;
}
@ObjectType('CreateShippingMethodPayload')
export class CreateShippingMethodPayload {
  @Field(() => ShippingMethodType) shippingMethod: object;
}
@InputType('SetTaxRuleInput', { description: 'Of one country and tax class; `shipping` is the class of shipping. What has no rule is not taxed.' })
export class SetTaxRuleInput {
  @Field(() => ID) shopId: string;
  @Field(() => String) country: string;
  @Field(() => String) taxClass: string;
  @Field(() => Int, { description: 'Millionths: 81000 is 8.1 %.' }) ratePpm: number;
  @Field(() => Boolean, { description: 'Prices hold it already.' }) included: boolean;
}
@ObjectType('SetTaxRulePayload')
export class SetTaxRulePayload {
  @Field(() => String) country: string;
  @Field(() => String) taxClass: string;
  @Field(() => Int) ratePpm: number;
  @Field(() => Boolean) included: boolean;
}
@InputType('CreateDiscountInput')
export class CreateDiscountInput {
  @Field(() => ID) shopId: string;
  @Field(() => String, { description: '3 to 40 of A–Z, 0–9 and hyphens, whatever their case.' }) code: string;
  @Field(() => DiscountKind) kind: 'PERCENT' | 'AMOUNT' | 'FREE_SHIPPING';
  @Field(() => BigIntScalar, { description: 'PERCENT: hundredths of a percent, 1 to 10000. AMOUNT: money.' }) value: number;
  @Field(() => String, { nullable: true, description: 'With it, for orders in this currency alone.' }) currency?: string | null;
  @Field(() => BigIntScalar, { nullable: true }) minSubtotal?: number | null;
  @Field(() => DateTime, { nullable: true }) startsAt?: Date | null;
  @Field(() => DateTime, { nullable: true }) endsAt?: Date | null;
  @Field(() => Int, { nullable: true }) maxUses?: number | null;
  @Field(() => Int, { nullable: true, description: 'By one person.' }) maxUsesEach?: number | null;
}
@ObjectType('CreateDiscountPayload')
export class CreateDiscountPayload {
  @Field(() => ID) discountId: string;
  @Field(() => String) code: string;
}
@InputType('IssueGiftCardInput')
export class IssueGiftCardInput {
  @Field(() => ID) shopId: string;
  @Field(() => MoneyInput) value: MoneyInput;
  @Field(() => DateTime, { nullable: true }) expiresAt?: Date | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('IssueGiftCardPayload')
export class IssueGiftCardPayload {
  @Field(() => ID) giftCardId: string;
  @Field(() => String, { nullable: true, description: 'Told once: null for a repeat under the key.' }) code: string | null;
  @Field(() => String, { description: 'The end of the code.' }) last4: string;
}
