import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import { tierAt } from '../policies/group-buy-policy.js';
import type { Money } from '../policies/money.js';
import { GroupBuyChangedType } from '../schema/events.js';
import {
  CancelGroupBuyInput, CancelGroupBuyPayload, CreateGroupBuyInput, CreateGroupBuyPayload, GroupBuyCardType, GroupBuyType, GroupBuyViewerStateType, JoinGroupBuyInput, JoinGroupBuyPayload, LeaveGroupBuyInput,
  LeaveGroupBuyPayload,
} from '../schema/group-buy.js';
import { MoneyType } from '../schema/money.js';
import { ProductType, ProductVariantType } from '../schema/product.js';
import type { GroupBuyService } from '../services/commerce/group-buys.js';
import { groupBuyById, viewerShare, type GroupBuyRow, type GroupBuyShareRow } from '../services/loaders/group-buys.js';
import { publishedProduct, variantById, type ProductRow, type VariantRow } from '../services/loaders/products.js';
import { addressOf } from './checkout.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => GroupBuyType)
export class GroupBuyResolver {
  constructor(private readonly groupBuys: GroupBuyService) {}

  @Query(() => GroupBuyType, { nullable: true, description: 'For the members of its chat, and whoever made it; else null.' })
  groupBuy(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<GroupBuyRow | null> {
    context.requireViewer();
    return this.groupBuys.find(context, decodeId('GroupBuy', id));
  }

  @FieldResolver()
  id(@Root() groupBuy: GroupBuyRow): string {
    return encodeId('GroupBuy', groupBuy.id);
  }

  @FieldResolver()
  chatId(@Root() { chatId }: GroupBuyRow): string | null {
    return chatId && encodeId('Chat', chatId);
  }

  @FieldResolver()
  tiers(@Root() { tiers, currency }: GroupBuyRow): object[] {
    return tiers.map(({ quantity, price }) => ({ quantity, price: { amount: price, currency } }));
  }

  @FieldResolver(() => MoneyType, { description: 'What one costs with as many as are taken now, at least what it takes; once it has succeeded: what everybody pays.' })
  price(@Root() { price, tiers, quantity, currency }: GroupBuyRow): Money {
    return { amount: price ?? (tierAt(tiers, quantity) ?? tiers[0]!).price, currency };
  }

  @FieldResolver(() => Int, { description: 'How many people take part.' })
  participantCount(@Root() { people }: GroupBuyRow): number {
    return people;
  }

  @FieldResolver(() => ProductType, { nullable: true, description: 'Null when it is not published any more.' })
  product(@Root() { productId }: GroupBuyRow, @Ctx() context: Context): Promise<ProductRow | null> {
    return context.load(publishedProduct, productId);
  }

  @FieldResolver(() => ProductVariantType, { nullable: true })
  async variant(@Root() { productId, variantId }: GroupBuyRow, @Ctx() context: Context): Promise<VariantRow | null> {
    return (await context.load(publishedProduct, productId)) && context.load(variantById, variantId);
  }

  @ViewerDependent()
  @FieldResolver(() => GroupBuyViewerStateType, { nullable: true, description: 'Null when the viewer has not joined.' })
  viewerState(@Root() groupBuy: GroupBuyRow, @Ctx() context: Context): Promise<GroupBuyShareRow | null> {
    context.requireViewer();
    return context.load(viewerShare, groupBuy.id);
  }

  @Mutation(() => CreateGroupBuyPayload, { description: 'By whoever sells it, in a chat they are in. Sends its card.' })
  createGroupBuy(@Arg('input', () => CreateGroupBuyInput) input: CreateGroupBuyInput, @Ctx() context: Context): Promise<object> {
    const { chatId, variantId, tiers, maxQuantity, deadline, text, idempotencyKey } = input;
    const given = { variantId: decodeId('ProductVariant', variantId, 'variantId'), tiers, maxQuantity: maxQuantity ?? null, deadline };
    return this.groupBuys.create(context.requireViewer(), given, { chatId: decodeId('Chat', chatId, 'chatId'), text: text ?? null, idempotencyKey });
  }

  @Mutation(() => JoinGroupBuyPayload, { description: 'Takes part by an order whose payment is held until it is decided. When the payment wants something of the payer: confirmPayment afterwards.' })
  joinGroupBuy(@Arg('input', () => JoinGroupBuyInput) { idempotencyKey, groupBuyId, address, shippingMethodId, ...rest }: JoinGroupBuyInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const where = { address: addressOf(address), shippingMethodId: shippingMethodId == null ? null : decodeId('ShippingMethod', shippingMethodId, 'shippingMethodId') };
    return this.groupBuys.join(viewer, { groupBuyId: decodeId('GroupBuy', groupBuyId, 'groupBuyId'), ...where, ...rest }, idempotencyKey);
  }

  @Mutation(() => LeaveGroupBuyPayload, { description: 'While it is open: what is held is let go.' })
  async leaveGroupBuy(@Arg('input', () => LeaveGroupBuyInput) { groupBuyId }: LeaveGroupBuyInput, @Ctx() context: Context): Promise<object> {
    return { groupBuy: await this.groupBuys.leave(context.requireViewer(), decodeId('GroupBuy', groupBuyId, 'groupBuyId')) };
  }

  @Mutation(() => CancelGroupBuyPayload, { description: 'By whoever made it, while it is open: everybody’s money is let go.' })
  async cancelGroupBuy(@Arg('input', () => CancelGroupBuyInput) { groupBuyId }: CancelGroupBuyInput, @Ctx() context: Context): Promise<object> {
    return { groupBuy: await this.groupBuys.cancel(context.requireViewer(), decodeId('GroupBuy', groupBuyId, 'groupBuyId')) };
  }
}

@Resolver(() => GroupBuyViewerStateType)
export class GroupBuyViewerStateResolver {
  @FieldResolver()
  orderId(@Root() { orderId }: GroupBuyShareRow): string {
    return encodeId('Order', orderId);
  }
}

@Resolver(() => GroupBuyCardType)
export class GroupBuyCardResolver {
  @FieldResolver()
  groupBuyId(@Root() { groupBuyId }: { groupBuyId: string }): string {
    return encodeId('GroupBuy', groupBuyId);
  }

  @FieldResolver(() => GroupBuyType, { nullable: true, description: 'Null in a chat that it is not of, where the message was forwarded to.' })
  async groupBuy(@Root() card: { groupBuyId: string; chatId: string }, @Ctx() context: Context): Promise<GroupBuyRow | null> {
    const groupBuy = await context.load(groupBuyById, card.groupBuyId);
    return groupBuy?.chatId === card.chatId ? groupBuy : null;
  }
}

@Resolver(() => GroupBuyChangedType)
export class GroupBuyChangedResolver {
  @FieldResolver(() => GroupBuyType)
  groupBuy(@Root() { groupBuyKey }: { groupBuyKey: string }, @Ctx() context: Context): Promise<GroupBuyRow | null> {
    return context.load(groupBuyById, groupBuyKey);
  }
}
