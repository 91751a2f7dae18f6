import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  type AddressInput, CancelOrderInput, CancelOrderPayload, CapturePaymentInput, CapturePaymentPayload, CheckoutInput, CheckoutPayload, CheckoutTermsInput, ConfirmPaymentInput, ConfirmPaymentPayload, CreateDiscountInput,
  CreateDiscountPayload, CreateShippingMethodInput, CreateShippingMethodPayload, DeliverFulfillmentInput, DeliverFulfillmentPayload, FulfillOrderInput, FulfillOrderPayload, IssueGiftCardInput,
  IssueGiftCardPayload, RefundOrderInput, RefundOrderPayload, SetTaxRuleInput, SetTaxRulePayload,
} from '../schema/order-inputs.js';
import { CheckoutQuoteType, ShortageType } from '../schema/order.js';
import type { Quote, Shortage, Terms } from '../services/commerce/checkout-quote.js';
import type { CheckoutResult, CheckoutService } from '../services/commerce/checkout.js';
import type { OrderService } from '../services/commerce/orders.js';
import type { SellingTerms } from '../services/commerce/selling-terms.js';
import type { Address } from '../services/loaders/orders.js';
import type { Context } from './context.js';

export const addressOf = (address: AddressInput): Address => ({ ...address, line2: address.line2 ?? null, region: address.region ?? null, phone: address.phone ?? null });

const termsOf = ({ address, shippingMethodId, couponCodes, giftCardCodes }: CheckoutTermsInput): Terms => ({
  address: addressOf(address),
  shippingMethodId: shippingMethodId == null ? null : decodeId('ShippingMethod', shippingMethodId, 'terms.shippingMethodId'),
  couponCodes: couponCodes ?? [],
  giftCardCodes: giftCardCodes ?? [],
});

const TYPES = {
  COMPLETED: 'CheckoutCompleted', ACTION_REQUIRED: 'CheckoutActionRequired', PENDING: 'CheckoutPending', DECLINED: 'CheckoutDeclined', OUT_OF_STOCK: 'CheckoutOutOfStock', PRICE_CHANGED: 'CheckoutPriceChanged',
} as const;

/** A result as the union shows it. */
const shown = (result: CheckoutResult): object => ({
  ...result,
  __typename: TYPES[result.kind],
  ...('payment' in result ? { url: result.payment?.actionUrl, reason: result.payment?.failure } : {}),
});

@Resolver()
export class CheckoutResolver {
  constructor(private readonly checkouts: CheckoutService) {}

  @Query(() => CheckoutQuoteType, { description: 'What an order of a cart would cost now.' })
  quoteCheckout(@Arg('cartId', () => ID) cartId: string, @Arg('terms', () => CheckoutTermsInput) terms: CheckoutTermsInput, @Ctx() context: Context): Promise<Quote> {
    return this.checkouts.quote(context, context.requireViewer(), decodeId('Cart', cartId, 'cartId'), termsOf(terms));
  }

  @Mutation(() => CheckoutPayload, { description: 'Orders what is in a cart, and pays. A repeat under the key goes on where the first has come to.' })
  async checkout(@Arg('input', () => CheckoutInput) { cartId, terms, provider, method, expectedTotal, idempotencyKey }: CheckoutInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const input = { cartId: decodeId('Cart', cartId, 'cartId'), ...termsOf(terms), provider, method, expectedTotal: expectedTotal ?? null, idempotencyKey };
    return { result: shown(await this.checkouts.checkout(viewer, input)) };
  }

  @Mutation(() => ConfirmPaymentPayload, { description: 'Asks how the payment of one’s order stands: after what the gateway wanted is done, or when it was pending.' })
  async confirmPayment(@Arg('input', () => ConfirmPaymentInput) { orderId }: ConfirmPaymentInput, @Ctx() context: Context): Promise<object> {
    return { result: shown(await this.checkouts.confirm(context.requireViewer(), decodeId('Order', orderId, 'orderId'))) };
  }
}

@Resolver(() => CheckoutQuoteType)
export class CheckoutQuoteResolver {
  @FieldResolver()
  totals(@Root() { totals, cart }: Quote): object {
    return { ...totals, gift: totals.total - totals.due, currency: cart.currency };
  }

  @FieldResolver()
  due(@Root() { totals, cart }: Quote): object {
    return { amount: totals.due, currency: cart.currency };
  }

  @FieldResolver()
  lines(@Root() { totals, lines, cart }: Quote): object[] {
    const money = (amount: number) => ({ amount, currency: cart.currency });
    return lines.map(({ variantId, quantity }, index) => {
      const { subtotal, discount, tax, total } = totals.lines[index]!;
      return { variantId: encodeId('ProductVariant', variantId), quantity, subtotal: money(subtotal), discount: money(discount), tax: money(tax), total: money(total) };
    });
  }
}

@Resolver(() => ShortageType)
export class ShortageResolver {
  @FieldResolver()
  variantId(@Root() shortage: Shortage): string {
    return encodeId('ProductVariant', shortage.variantId);
  }
}

/** What becomes of orders. */
@Resolver()
export class OrderVerbsResolver {
  constructor(private readonly orders: OrderService) {}

  @Mutation(() => CancelOrderPayload, { description: 'What is not sent: not paid, by whoever bought, or sells; paid, by whoever sells, and all of it goes back.' })
  async cancelOrder(@Arg('input', () => CancelOrderInput) { orderId }: CancelOrderInput, @Ctx() context: Context): Promise<object> {
    return { order: await this.orders.cancel(context.requireViewer(), decodeId('Order', orderId, 'orderId')) };
  }

  @Mutation(() => CapturePaymentPayload, { description: 'Takes what is held for an order, or so much of it; or notes that it is paid by hand.' })
  async capturePayment(@Arg('input', () => CapturePaymentInput) { orderId, amount }: CapturePaymentInput, @Ctx() context: Context): Promise<object> {
    return { order: await this.orders.capture(context.requireViewer(), decodeId('Order', orderId, 'orderId'), amount ?? null) };
  }

  @Mutation(() => FulfillOrderPayload, { description: 'Sends an order, or a part of it.' })
  async fulfillOrder(@Arg('input', () => FulfillOrderInput) { orderId, lines, tracking, idempotencyKey }: FulfillOrderInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const sent = lines?.map((line) => ({ lineId: decodeId('OrderLine', line.lineId, 'lines.lineId'), quantity: line.quantity })) ?? null;
    return { order: await this.orders.fulfill(viewer, decodeId('Order', orderId, 'orderId'), sent, tracking ?? null, idempotencyKey) };
  }

  @Mutation(() => DeliverFulfillmentPayload, { description: 'Notes that a part has arrived.' })
  async deliverFulfillment(@Arg('input', () => DeliverFulfillmentInput) { fulfillmentId }: DeliverFulfillmentInput, @Ctx() context: Context): Promise<object> {
    return { order: await this.orders.deliver(context.requireViewer(), decodeId('Fulfillment', fulfillmentId, 'fulfillmentId')) };
  }

  @Mutation(() => RefundOrderPayload, { description: 'Gives back some of what was paid, or all that is left.' })
  async refundOrder(@Arg('input', () => RefundOrderInput) { orderId, amount, reason, idempotencyKey }: RefundOrderInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { order: await this.orders.refund(viewer, decodeId('Order', orderId, 'orderId'), { amount: amount ?? null, reason: reason ?? null, idempotencyKey }) };
  }
}

/** On what terms a shop sells. */
@Resolver()
export class SellingTermsResolver {
  constructor(private readonly terms: SellingTerms) {}

  @Mutation(() => CreateShippingMethodPayload)
  async createShippingMethod(@Arg('input', () => CreateShippingMethodInput) { shopId, name, price, freeFrom, countries }: CreateShippingMethodInput, @Ctx() context: Context): Promise<object> {
    const given = { shopId: decodeId('Shop', shopId, 'shopId'), name, ...price, freeFrom: freeFrom ?? null, countries: countries ?? [] };
    return { shippingMethod: await this.terms.createShipping(context.requireViewer(), given) };
  }

  @Mutation(() => SetTaxRulePayload)
  setTaxRule(@Arg('input', () => SetTaxRuleInput) { shopId, ...rule }: SetTaxRuleInput, @Ctx() context: Context): Promise<object> {
    return this.terms.setTaxRule(context.requireViewer(), decodeId('Shop', shopId, 'shopId'), rule);
  }

  @Mutation(() => CreateDiscountPayload)
  async createDiscount(@Arg('input', () => CreateDiscountInput) { shopId, code, kind, value, ...rest }: CreateDiscountInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const { currency = null, minSubtotal, startsAt = null, endsAt = null, maxUses = null, maxUsesEach = null } = rest;
    const made = await this.terms.createDiscount(viewer, { shopId: decodeId('Shop', shopId, 'shopId'), code, kind, value, currency, minSubtotal: minSubtotal ?? 0, startsAt, endsAt, maxUses, maxUsesEach });
    return { discountId: encodeId('Discount', made.id), code: made.code };
  }

  @Mutation(() => IssueGiftCardPayload, { description: 'The code is told once.' })
  async issueGiftCard(@Arg('input', () => IssueGiftCardInput) { shopId, value, expiresAt, idempotencyKey }: IssueGiftCardInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const card = await this.terms.issueGiftCard(viewer, { shopId: decodeId('Shop', shopId, 'shopId'), ...value, expiresAt: expiresAt ?? null, idempotencyKey });
    return { ...card, giftCardId: encodeId('GiftCard', card.id) };
  }
}
