import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import type { Money } from '../policies/money.js';
import type { OrderState as State } from '../policies/order-machine.js';
import { ForwardArgs } from '../schema/connection.js';
import { MoneyType } from '../schema/money.js';
import {
  FulfilledLineType, FulfillmentType, OrderChangedType, OrderEventType, OrderLineType, OrderPages, OrderShareType, OrderState, OrderTotalsType, OrderType, PaymentType, ShippingMethodType,
} from '../schema/order.js';
import { ShopType } from '../schema/shop.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { OrderService } from '../services/commerce/orders.js';
import type { SellingTerms, ShippingMethodRow } from '../services/commerce/selling-terms.js';
import type { CartShare } from '../services/loaders/carts.js';
import {
  fulfillmentsOfOrder, linesOfOrder, orderById, paymentOfOrder, timelineOfOrder, type FulfillmentRow, type OrderEventRow, type OrderLineRow, type OrderRow, type PaymentRow,
} from '../services/loaders/orders.js';
import { shopById, type ShopRow } from '../services/loaders/shops.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

const person = (context: Context, id: string | null): Promise<UserRow | null> | null => (id === null ? null : context.load(userById, id));

@Resolver(() => OrderType)
export class OrderResolver {
  constructor(private readonly orders: OrderService) {}

  @Query(() => OrderType, { nullable: true, description: 'What the viewer has bought, or their shop has sold; or null.' })
  order(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<OrderRow | null> {
    context.requireViewer();
    return this.orders.find(context, decodeId('Order', id));
  }

  @Query(() => OrderPages.Connection, { nullable: true, description: 'What a shop has sold, the newest first, for whoever runs it; else null.' })
  shopOrders(
    @Arg('shopId', () => ID) shopId: string,
    @Arg('state', () => OrderState, { nullable: true }) state: State | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<Page<OrderRow> | null> {
    context.requireViewer();
    return this.orders.ofShop(context, decodeId('Shop', shopId, 'shopId'), state ?? null, args);
  }

  @FieldResolver()
  id(@Root() order: OrderRow): string {
    return encodeId('Order', order.id);
  }

  @FieldResolver(() => ShopType)
  shop(@Root() order: OrderRow, @Ctx() context: Context): Promise<ShopRow | null> {
    return context.load(shopById, order.shopId);
  }

  @FieldResolver(() => UserType, { nullable: true })
  buyer(@Root() order: OrderRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return person(context, order.buyerId);
  }

  @FieldResolver(() => [OrderLineType], { description: 'At most 100.' })
  lines(@Root() order: OrderRow, @Ctx() context: Context): Promise<OrderLineRow[] | null> {
    return context.load(linesOfOrder, order.id);
  }

  @FieldResolver(() => OrderTotalsType)
  totals(@Root() order: OrderRow): object {
    return order;
  }

  @FieldResolver(() => MoneyType, { description: 'What was given back, or is being.' })
  refunded(@Root() { refunded, currency }: OrderRow): Money {
    return { amount: refunded, currency };
  }

  @FieldResolver(() => PaymentType, { nullable: true, description: 'Null when gift cards have paid it.' })
  payment(@Root() order: OrderRow, @Ctx() context: Context): Promise<PaymentRow | null> {
    return context.load(paymentOfOrder, order.id);
  }

  @FieldResolver(() => [FulfillmentType], { description: 'At most 50.' })
  fulfillments(@Root() order: OrderRow, @Ctx() context: Context): Promise<FulfillmentRow[] | null> {
    return context.load(fulfillmentsOfOrder, order.id);
  }

  @FieldResolver(() => [OrderEventType], { description: 'What has happened to it, in order.' })
  timeline(@Root() order: OrderRow, @Ctx() context: Context): Promise<OrderEventRow[] | null> {
    return context.load(timelineOfOrder, order.id);
  }
}

type Amounts = { currency: string; subtotal: number; discount: number; shipping: number; tax: number; taxAdded: number; total: number; gift: number };

@Resolver(() => OrderTotalsType)
export class OrderTotalsResolver {
  @FieldResolver()
  subtotal(@Root() { subtotal, currency }: Amounts): Money {
    return { amount: subtotal, currency };
  }
  @FieldResolver()
  discount(@Root() { discount, currency }: Amounts): Money {
    return { amount: discount, currency };
  }
  @FieldResolver()
  shipping(@Root() { shipping, currency }: Amounts): Money {
    return { amount: shipping, currency };
  }
  @FieldResolver()
  tax(@Root() { tax, currency }: Amounts): Money {
    return { amount: tax, currency };
  }
  @FieldResolver()
  taxAdded(@Root() { taxAdded, currency }: Amounts): Money {
    return { amount: taxAdded, currency };
  }
  @FieldResolver()
  total(@Root() { total, currency }: Amounts): Money {
    return { amount: total, currency };
  }
  @FieldResolver()
  gift(@Root() { gift, currency }: Amounts): Money {
    return { amount: gift, currency };
  }
}

/** Of lines, without an id of a Node: their keys are told as they are. */
const lineId = (id: string): string => encodeId('OrderLine', id);

@Resolver(() => OrderLineType)
export class OrderLineResolver {
  @FieldResolver()
  id(@Root() line: OrderLineRow): string {
    return lineId(line.id);
  }
  @FieldResolver()
  variantId(@Root() line: OrderLineRow): string {
    return encodeId('ProductVariant', line.variantId);
  }
  @FieldResolver()
  productId(@Root() line: OrderLineRow): string {
    return encodeId('Product', line.productId);
  }
  @FieldResolver(() => MoneyType)
  unitPrice(@Root() { unitPrice, currency }: OrderLineRow): Money {
    return { amount: unitPrice, currency };
  }
  @FieldResolver(() => MoneyType)
  subtotal(@Root() { subtotal, currency }: OrderLineRow): Money {
    return { amount: subtotal, currency };
  }
  @FieldResolver(() => MoneyType)
  discount(@Root() { discount, currency }: OrderLineRow): Money {
    return { amount: discount, currency };
  }
  @FieldResolver(() => MoneyType)
  tax(@Root() { tax, currency }: OrderLineRow): Money {
    return { amount: tax, currency };
  }
  @FieldResolver(() => MoneyType)
  total(@Root() { total, currency }: OrderLineRow): Money {
    return { amount: total, currency };
  }
  @FieldResolver(() => [OrderShareType], { description: 'Who wanted how many of it.' })
  shares(@Root() { shares }: OrderLineRow): CartShare[] {
    return shares;
  }
}

@Resolver(() => OrderShareType)
export class OrderShareResolver {
  @FieldResolver(() => UserType, { nullable: true })
  user(@Root() share: CartShare, @Ctx() context: Context): Promise<UserRow | null> | null {
    return person(context, share.userId);
  }
}

@Resolver(() => PaymentType)
export class PaymentResolver {
  @FieldResolver()
  id(@Root() payment: PaymentRow): string {
    return encodeId('Payment', payment.id);
  }
  @FieldResolver(() => MoneyType)
  amount(@Root() { amount, currency }: PaymentRow): Money {
    return { amount, currency };
  }
  @FieldResolver(() => MoneyType, { description: 'What was taken of it.' })
  captured(@Root() { captured, currency }: PaymentRow): Money {
    return { amount: captured, currency };
  }
}

@Resolver(() => FulfillmentType)
export class FulfillmentResolver {
  @FieldResolver()
  id(@Root() fulfillment: FulfillmentRow): string {
    return encodeId('Fulfillment', fulfillment.id);
  }
}
@Resolver(() => FulfilledLineType)
export class FulfilledLineResolver {
  @FieldResolver()
  lineId(@Root() line: { lineId: string }): string {
    return lineId(line.lineId);
  }
}

@Resolver(() => OrderEventType)
export class OrderEventResolver {
  @FieldResolver(() => UserType, { nullable: true, description: 'Null: by itself.' })
  actor(@Root() event: OrderEventRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return person(context, event.actorId);
  }
}

@Resolver(() => OrderChangedType)
export class OrderChangedResolver {
  @FieldResolver(() => OrderType)
  order(@Root() event: { orderKey: string }, @Ctx() context: Context): Promise<OrderRow | null> {
    return context.load(orderById, event.orderKey);
  }
}

@Resolver(() => ViewerType)
export class ViewerOrdersResolver {
  constructor(private readonly orderService: OrderService) {}

  @FieldResolver(() => OrderPages.Connection, { description: 'What the viewer has bought, the newest first.' })
  orders(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<OrderRow>> {
    return this.orderService.listOwn(context, context.requireViewer(), args);
  }
}

@Resolver(() => ShopType)
export class ShopTermsResolver {
  constructor(private readonly terms: SellingTerms) {}

  @FieldResolver(() => [ShippingMethodType], { description: 'How it sends, to one country or anywhere; at most 500.' })
  shippingMethods(@Root() shop: ShopRow, @Arg('country', () => String, { nullable: true }) country: string | null): Promise<ShippingMethodRow[]> {
    return this.terms.shippingOf(shop.id, country ?? null);
  }
}

@Resolver(() => ShippingMethodType)
export class ShippingMethodResolver {
  @FieldResolver()
  id(@Root() method: ShippingMethodRow): string {
    return encodeId('ShippingMethod', method.id);
  }
  @FieldResolver(() => MoneyType)
  price(@Root() { amount, currency }: ShippingMethodRow): Money {
    return { amount, currency };
  }
  @FieldResolver(() => MoneyType, { nullable: true, description: 'Free for goods of this much or more, after discounts.' })
  freeFrom(@Root() { freeFrom, currency }: ShippingMethodRow): Money | null {
    return freeFrom === null ? null : { amount: freeFrom, currency };
  }
}
