import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import type { Money } from '../policies/money.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  PayoutPages, PayoutType, RequestPayoutInput, RequestPayoutPayload, SettlePayoutInput, SettlePayoutPayload, ShopBalanceType, ShopSalesType,
} from '../schema/merchant.js';
import { MoneyType } from '../schema/money.js';
import { NotificationType } from '../schema/notifications.js';
import { ProductType } from '../schema/product.js';
import { DateTime } from '../schema/scalars.js';
import type { Balance, PayoutRow, PayoutService } from '../services/commerce/payouts.js';
import type { ShopAnalytics, ShopFigures } from '../services/commerce/shop-analytics.js';
import type { NotificationRow } from '../services/loaders/notifications.js';
import { productById, type ProductRow } from '../services/loaders/products.js';
import { shopById } from '../services/loaders/shops.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => PayoutType)
export class PayoutResolver {
  constructor(private readonly payouts: PayoutService) {}

  @Query(() => PayoutPages.Connection, { nullable: true, description: 'Of a shop, the newest first, for whoever runs it; else null.' })
  shopPayouts(@Arg('shopId', () => ID) shopId: string, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<PayoutRow> | null> {
    return this.payouts.list(context, context.requireViewer(), decodeId('Shop', shopId, 'shopId'), args);
  }

  @Query(() => [ShopBalanceType], { nullable: true, description: 'What a shop has earned, by currency, for whoever runs it; else null.' })
  async shopBalances(@Arg('shopId', () => ID) shopId: string, @Ctx() context: Context): Promise<object[] | null> {
    const found = await this.payouts.balances(context, context.requireViewer(), decodeId('Shop', shopId, 'shopId'));
    return found?.map(balanceOf) ?? null;
  }

  @Mutation(() => RequestPayoutPayload, { description: 'Asks for what was earned, or some of it.' })
  async requestPayout(@Arg('input', () => RequestPayoutInput) { shopId, currency, amount, idempotencyKey }: RequestPayoutInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { payout: await this.payouts.request(viewer, decodeId('Shop', shopId, 'shopId'), { amount: amount ?? null, currency, idempotencyKey }) };
  }

  @Mutation(() => SettlePayoutPayload, { description: 'Notes that the money of a payout has left, or did not get there: for administrators.' })
  async settlePayout(@Arg('input', () => SettlePayoutInput) { payoutId, state, reference }: SettlePayoutInput, @Ctx() context: Context): Promise<object> {
    return { payout: await this.payouts.settle(context.requireViewer(), decodeId('Payout', payoutId, 'payoutId'), state, reference ?? null) };
  }

  @FieldResolver()
  id(@Root() payout: PayoutRow): string {
    return encodeId('Payout', payout.id);
  }

  @FieldResolver(() => MoneyType)
  amount(@Root() { amount, currency }: PayoutRow): Money {
    return { amount, currency };
  }
}

@Resolver()
export class ShopSalesResolver {
  constructor(private readonly analytics: ShopAnalytics) {}

  @Query(() => ShopSalesType, { nullable: true, description: 'What a shop has sold, for whoever runs it; else null. At most 366 days.' })
  async shopSales(
    @Arg('shopId', () => ID) shopId: string,
    @Arg('since', () => DateTime) since: Date,
    @Arg('until', () => DateTime) until: Date,
    @Arg('currency', () => String, { nullable: true, description: 'Default: the shop’s.' }) currency: string | null,
    @Ctx() context: Context,
  ): Promise<object | null> {
    const figures = await this.analytics.figures(context, context.requireViewer(), decodeId('Shop', shopId, 'shopId'), { since, until, currency: currency ?? null });
    return figures && salesOf(figures);
  }
}

function balanceOf({ currency, available, fees, underWay, paidOut }: Balance): object {
  const money = (amount: number): Money => ({ amount, currency });
  return { available: money(available), fees: money(fees), underWay: money(underWay), paidOut: money(paidOut) };
}

function salesOf({ currency, days, products, ...people }: ShopFigures): object {
  const money = (amount: number): Money => ({ amount, currency });
  return {
    currency, ...people,
    days: days.map((day) => ({ ...day, sales: money(day.sales), refunds: money(day.refunds), fees: money(day.fees) })),
    products: products.map((product) => ({ ...product, productId: encodeId('Product', product.productId), sales: money(product.sales) })),
  };
}

@Resolver(() => NotificationType)
export class NotificationProductResolver {
  @ViewerDependent()
  @FieldResolver(() => ProductType, { nullable: true, description: 'Of one’s own shop.' })
  async product(@Root() { productId }: NotificationRow, @Ctx() context: Context): Promise<ProductRow | null> {
    const product = productId === null ? null : await context.load(productById, productId);
    return product && (await context.load(shopById, product.shopId))?.ownerId === context.viewer?.userId ? product : null;
  }
}
