import { createUnionType, Field, ID, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { MoneyType } from './money.js';
import { NodeType } from './node.js';
import { DateTime, JsonScalar } from './scalars.js';
import { StreamEventType } from './stream-event.js';

export const OrderState = enumOf('OrderState', ['PENDING', 'CONFIRMED', 'COMPLETED', 'CANCELLED'], 'PENDING: to be paid. CONFIRMED: paid, or held, and to be sent. COMPLETED: all has arrived.');
export const PaymentState = enumOf('PaymentState', ['CREATED', 'ACTION_REQUIRED', 'PENDING', 'AUTHORIZED', 'CAPTURED', 'FAILED'], 'AUTHORIZED: held, or to be paid by hand. CAPTURED: paid.');
export const FulfillmentState = enumOf('FulfillmentState', ['SHIPPED', 'DELIVERED']);

@ObjectType('Address')
export class AddressType {
  @Field(() => String) name: string;
  @Field(() => String) line1: string;
  @Field(() => String, { nullable: true }) line2: string | null;
  @Field(() => String) postalCode: string;
  @Field(() => String) city: string;
  @Field(() => String, { nullable: true }) region: string | null;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2.' }) country: string;
  @Field(() => String, { nullable: true }) phone: string | null;
}

@ObjectType('OrderTotals', { description: 'subtotal - discount + shipping + taxAdded = total. Each line is rounded by itself, half away from zero; parts always add up.' })
export class OrderTotalsType {
  @Field(() => MoneyType) subtotal: object;
  @Field(() => MoneyType) discount: object;
  @Field(() => MoneyType) shipping: object;
  @Field(() => MoneyType, { description: 'All tax.' }) tax: object;
  @Field(() => MoneyType, { description: 'Of it, what prices did not hold already.' }) taxAdded: object;
  @Field(() => MoneyType) total: object;
  @Field(() => MoneyType, { description: 'What gift cards pay.' }) gift: object;
}

@ObjectType('OrderLine', { description: 'What was bought, at the price of then.' })
export class OrderLineType {
  @Field(() => ID) id: string;
  @Field(() => ID) variantId: string;
  @Field(() => ID) productId: string;
  @Field(() => String) title: string;
  @Field(() => String) sku: string;
  @Field(() => [String]) options: string[];
  @Field(() => Int) quantity: number;
  @Field(() => Int, { description: 'How many of it are sent.' }) fulfilled: number;
  @Field(() => Int, { description: 'In millionths.' }) taxRatePpm: number;
}
@ObjectType('OrderShare', { description: 'How many of a line were for whom.' })
export class OrderShareType {
  @Field(() => Int) quantity: number;
}
@ObjectType('Payment')
export class PaymentType {
  @Field(() => ID) id: string;
  @Field(() => String) provider: string;
  @Field(() => PaymentState) state: string;
  @Field(() => String, { nullable: true, description: 'Where the payer has something to do, when ACTION_REQUIRED.' }) actionUrl: string | null;
  @Field(() => String, { nullable: true, description: 'When FAILED: DECLINED, EXPIRED or CANCELLED.' }) failure: string | null;
}
@ObjectType('FulfilledLine')
export class FulfilledLineType {
  @Field(() => ID) lineId: string;
  @Field(() => Int) quantity: number;
}
@ObjectType('Fulfillment', { description: 'A part of an order that is sent.' })
export class FulfillmentType {
  @Field(() => ID) id: string;
  @Field(() => FulfillmentState) state: string;
  @Field(() => String, { nullable: true }) tracking: string | null;
  @Field(() => [FulfilledLineType]) lines: object[];
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) deliveredAt: Date | null;
}
@ObjectType('OrderEvent', { description: 'Something that has happened to an order.' })
export class OrderEventType {
  @Field(() => String, { description: 'PLACED, REPRICED (a group buy has come to a lower price), CONFIRMED, COMPLETED, CANCELLED, PAYMENT_… (a state of the payment), CAPTURE_ASKED, VOID_ASKED, SHIPPED, DELIVERED, REFUND_ASKED, REFUNDED, REFUND_REFUSED, REFUND_RETURNED (the payer’s bank did not take it), RETURN_… (a state of a return), INVOICED.' }) kind: string;
  @Field(() => DateTime) at: Date;
  @Field(() => JsonScalar) detail: object;
}
@ObjectType('Order', { implements: NodeType, description: 'For whoever bought, and whoever sells.' })
export class OrderType extends NodeType {
  @Field(() => ID) override id: string;
  @Field(() => Int, { description: 'In its shop: 1, 2, 3 …' }) number: number;
  @Field(() => OrderState) state: string;
  @Field(() => String) currency: string;
  @Field(() => AddressType) address: object;
  @Field(() => String, { nullable: true }) shippingMethod: string | null;
  @Field(() => Int, { description: 'Grows with every change.' }) version: number;
  @Field(() => DateTime) createdAt: Date;
}
export const OrderPages = connectionOf('Order', () => OrderType);

@ObjectType('OrderChanged', { implements: StreamEventType, description: 'An order that the viewer has made, or that their shop has to do with, as it is now.' })
export class OrderChangedType extends StreamEventType {
  @Field(() => ID) orderId: string;
  @Field(() => OrderType) order: object;
}

@ObjectType('ShippingMethod')
export class ShippingMethodType {
  @Field(() => ID) id: string;
  @Field(() => String) name: string;
  @Field(() => [String], { description: 'Where to; empty: everywhere.' }) countries: string[];
}
@ObjectType('QuotedLine')
export class QuotedLineType {
  @Field(() => ID) variantId: string;
  @Field(() => Int) quantity: number;
  @Field(() => MoneyType) subtotal: object;
  @Field(() => MoneyType) discount: object;
  @Field(() => MoneyType) tax: object;
  @Field(() => MoneyType) total: object;
}
@ObjectType('CheckoutQuote', { description: 'What an order would cost now.' })
export class CheckoutQuoteType {
  @Field(() => OrderTotalsType) totals: object;
  @Field(() => MoneyType, { description: 'What is left to pay after gift cards.' }) due: object;
  @Field(() => [QuotedLineType]) lines: object[];
}
@ObjectType('Shortage')
export class ShortageType {
  @Field(() => ID) variantId: string;
  @Field(() => Int) wanted: number;
  @Field(() => Int) available: number;
}

@ObjectType('CheckoutCompleted', { description: 'It is ordered, and paid (or to be paid by hand).' })
export class CheckoutCompletedType {
  @Field(() => OrderType) order: object;
}
@ObjectType('CheckoutActionRequired', { description: 'The payer has something to do (3-D Secure) at `url`; then: confirmPayment.' })
export class CheckoutActionRequiredType {
  @Field(() => OrderType) order: object;
  @Field(() => String) url: string;
}
@ObjectType('CheckoutPending', { description: 'It is ordered, and whether it is paid is not known yet: OrderChanged tells, and confirmPayment asks.' })
export class CheckoutPendingType {
  @Field(() => OrderType) order: object;
}
@ObjectType('CheckoutDeclined', { description: 'The payment failed: the order is cancelled, and the cart is open again.' })
export class CheckoutDeclinedType {
  @Field(() => OrderType) order: object;
  @Field(() => String, { nullable: true }) reason: string | null;
}
@ObjectType('CheckoutOutOfStock', { description: 'Nothing was ordered: there is too little of this.' })
export class CheckoutOutOfStockType {
  @Field(() => [ShortageType]) shortages: object[];
}
@ObjectType('CheckoutPriceChanged', { description: 'Nothing was ordered: it costs something else by now.' })
export class CheckoutPriceChangedType {
  @Field(() => CheckoutQuoteType) quote: object;
}
export const CheckoutResultUnion = createUnionType({
  name: 'CheckoutResult',
  description: 'How a checkout ended.',
  types: () => [CheckoutCompletedType, CheckoutActionRequiredType, CheckoutPendingType, CheckoutDeclinedType, CheckoutOutOfStockType, CheckoutPriceChangedType] as const,
});
