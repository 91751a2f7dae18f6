import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription, type ClassType } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { cartStream } from '../events/catalogue.js';
import { encodeCursor } from '../events/cursor.js';
import { decodeId, encodeId } from '../lib/ids.js';
import type { Money } from '../policies/money.js';
import {
  AddToCartInput, AddToCartPayload, CartCardType, CartEvent, CartLineChangedType, CartLineType, CartPages, CartShareType, CartType, CartUpdatedType, CloseCartInput, CloseCartPayload, CreateCartInput,
  CreateCartPayload, LineAvailability, SetCartLineInput, SetCartLinePayload, ShareCartInput, ShareCartPayload,
} from '../schema/cart.js';
import { ChatType } from '../schema/chat.js';
import { ForwardArgs } from '../schema/connection.js';
import { MoneyType } from '../schema/money.js';
import { ProductVariantType } from '../schema/product.js';
import { EventCursor } from '../schema/scalars.js';
import { ShopType } from '../schema/shop.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { CartService } from '../services/commerce/carts.js';
import { availabilityOf, cartById, linesOfCart, subtotalOf, type Availability, type CartLineRow, type CartRow, type CartShare } from '../services/loaders/carts.js';
import { chatById, viewerMembership, type ChatRow } from '../services/loaders/chats.js';
import { variantById, type VariantRow } from '../services/loaders/products.js';
import { shopById, type ShopRow } from '../services/loaders/shops.js';
import { streamHead } from '../services/loaders/streams.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

/** Served by server/realtime, as all subscriptions are: see subscriptions.ts. */
const served = (): never => {
  throw new Error('Subscriptions are served by server/realtime.');
};

@Resolver(() => CartType)
export class CartResolver {
  constructor(private readonly carts: CartService) {}

  @Query(() => CartType, { nullable: true, description: 'A cart that the viewer sees, or null.' })
  cart(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<CartRow | null> {
    context.requireViewer();
    return this.carts.find(context, decodeId('Cart', id));
  }

  @Subscription(() => CartEvent, {
    subscribe: served,
    description: 'What happens to a cart, lossless: replays after the cursor, then live. Prices and stock are those of whenever it is read. Ends with ACCESS_REVOKED when the viewer leaves its chat.',
  })
  cartEvents(@Arg('cartId', () => ID) _cartId: string, @Arg('after', () => EventCursor, { nullable: true }) _after: string | null): never {
    return served();
  }

  @FieldResolver()
  id(@Root() cart: CartRow): string {
    return encodeId('Cart', cart.id);
  }

  @FieldResolver()
  chatId(@Root() { chatId }: CartRow): string | null {
    return chatId && encodeId('Chat', chatId);
  }

  @FieldResolver(() => ShopType)
  shop(@Root() cart: CartRow, @Ctx() context: Context): Promise<ShopRow | null> {
    return context.load(shopById, cart.shopId);
  }

  @FieldResolver(() => UserType, { description: 'Whoever made it.' })
  owner(@Root() cart: CartRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, cart.ownerId);
  }

  @ViewerDependent()
  @FieldResolver(() => ChatType, { nullable: true, description: 'Null for whoever is not in it.' })
  async chat(@Root() { chatId }: CartRow, @Ctx() context: Context): Promise<ChatRow | null> {
    return chatId && (await context.load(viewerMembership, chatId)) ? context.load(chatById, chatId) : null;
  }

  @FieldResolver(() => [CartLineType], { description: 'In the order in which the first of each was added; at most 100.' })
  lines(@Root() cart: CartRow, @Ctx() context: Context): Promise<CartLineRow[] | null> {
    return context.load(linesOfCart, cart.id);
  }

  @FieldResolver(() => Int)
  async itemCount(@Root() cart: CartRow, @Ctx() context: Context): Promise<number> {
    return (await context.load(linesOfCart, cart.id))!.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  @FieldResolver(() => MoneyType, { description: 'What its lines come to now, before tax, shipping and discounts.' })
  async subtotal(@Root() cart: CartRow, @Ctx() context: Context): Promise<Money> {
    return { amount: subtotalOf((await context.load(linesOfCart, cart.id))!), currency: cart.currency };
  }

  @FieldResolver(() => EventCursor, { description: 'Where its events stand. Read it before the state.' })
  async eventCursor(@Root() cart: CartRow, @Ctx() context: Context): Promise<string> {
    const stream = cartStream(cart.id);
    const { epoch, head } = (await context.load(streamHead, stream))!;
    return encodeCursor(stream, epoch, head);
  }
}

@Resolver(() => CartLineType)
export class CartLineResolver {
  @FieldResolver()
  variantId(@Root() line: CartLineRow): string {
    return encodeId('ProductVariant', line.variantId);
  }

  @FieldResolver(() => ProductVariantType, { nullable: true, description: 'Null when it is not sold any more.' })
  variant(@Root() { variantId, active, status }: CartLineRow, @Ctx() context: Context): Promise<VariantRow | null> | null {
    return active && status === 'PUBLISHED' ? context.load(variantById, variantId) : null;
  }

  @FieldResolver(() => MoneyType, { nullable: true, description: 'Of now; null when it has none in the cart’s currency.' })
  unitPrice(@Root() { unitPrice, currency }: CartLineRow): Money | null {
    return unitPrice === null ? null : { amount: unitPrice, currency };
  }

  @FieldResolver(() => MoneyType, { nullable: true })
  subtotal(@Root() { unitPrice, quantity, currency }: CartLineRow): Money | null {
    return unitPrice === null ? null : { amount: unitPrice * quantity, currency };
  }

  @FieldResolver(() => LineAvailability)
  availability(@Root() line: CartLineRow): Availability {
    return availabilityOf(line);
  }
}

@Resolver(() => CartShareType)
export class CartShareResolver {
  @FieldResolver(() => UserType)
  user(@Root() share: CartShare, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, share.userId);
  }
}

type Card = { cartId: string; chatId: string };

@Resolver(() => CartCardType)
export class CartCardResolver {
  @FieldResolver()
  cartId(@Root() card: Card): string {
    return encodeId('Cart', card.cartId);
  }

  @FieldResolver(() => CartType, { nullable: true, description: 'Null in a chat that it is not shared in, where the message was forwarded to.' })
  async cart(@Root() card: Card, @Ctx() context: Context): Promise<CartRow | null> {
    const cart = await context.load(cartById, card.cartId);
    return cart?.chatId === card.chatId ? cart : null;
  }
}

function withCart(type: ClassType): ClassType {
  @Resolver(() => type)
  class WithCartResolver {
    @FieldResolver(() => CartType)
    cart(@Root() event: { cartKey: string }, @Ctx() context: Context): Promise<CartRow | null> {
      return context.load(cartById, event.cartKey);
    }
  }
  return WithCartResolver;
}
export const CART_EVENT_RESOLVERS = [CartUpdatedType, CartLineChangedType].map(withCart);

@Resolver(() => ViewerType)
export class ViewerCartsResolver {
  constructor(private readonly cartService: CartService) {}

  @FieldResolver(() => CartPages.Connection, { description: 'The viewer’s own, and those shared in their chats, the newest first.' })
  carts(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<CartRow>> {
    return this.cartService.listOwn(context, context.requireViewer(), args);
  }
}

@Resolver(() => ChatType)
export class ChatCartsResolver {
  constructor(private readonly cartService: CartService) {}

  @ViewerDependent()
  @FieldResolver(() => CartPages.Connection, { nullable: true, description: 'Carts that are shared in it, the newest first; null for whoever is not in it.' })
  carts(@Root() chat: ChatRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<CartRow> | null> {
    return this.cartService.ofChat(context, chat.id, args);
  }
}

@Resolver()
export class CartVerbsResolver {
  constructor(private readonly carts: CartService) {}

  @Mutation(() => CreateCartPayload, { description: 'At most 50 are open. A cart is of one shop and one currency.' })
  async createCart(@Arg('input', () => CreateCartInput) { shopId, currency, title, idempotencyKey }: CreateCartInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { cart: await this.carts.create(viewer, { shopId: decodeId('Shop', shopId, 'shopId'), currency: currency ?? null, title: title ?? null, idempotencyKey }) };
  }

  @Mutation(() => ShareCartPayload, { description: 'From then on the members of the chat fill it too. Sends its card; again, when it is shared there already.' })
  async shareCart(@Arg('input', () => ShareCartInput) { cartId, chatId, text, idempotencyKey }: ShareCartInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const to = { chatId: decodeId('Chat', chatId, 'chatId'), text: text ?? null, idempotencyKey };
    return { message: await this.carts.share(viewer, decodeId('Cart', cartId, 'cartId'), to) };
  }

  @Mutation(() => AddToCartPayload, { description: 'Adds to the viewer’s share: what others add meanwhile is added too.' })
  async addToCart(@Arg('input', () => AddToCartInput) { cartId, variantId, quantity, idempotencyKey }: AddToCartInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { cart: await this.carts.add(viewer, keyOf(cartId, variantId), quantity, idempotencyKey) };
  }

  @Mutation(() => SetCartLinePayload, { description: 'Sets one person’s share of a line; shares of others stay as they are.' })
  async setCartLine(@Arg('input', () => SetCartLineInput) { cartId, variantId, quantity, userId, ifQuantity }: SetCartLineInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const whose = userId == null ? {} : { userId: decodeId('User', userId, 'userId') };
    return { cart: await this.carts.set(viewer, keyOf(cartId, variantId), quantity, { ...whose, ifQuantity: ifQuantity ?? null }) };
  }

  @Mutation(() => CloseCartPayload)
  async closeCart(@Arg('input', () => CloseCartInput) { cartId }: CloseCartInput, @Ctx() context: Context): Promise<object> {
    return { cart: await this.carts.close(context.requireViewer(), decodeId('Cart', cartId, 'cartId')) };
  }
}

const keyOf = (cartId: string, variantId: string) => ({ cartId: decodeId('Cart', cartId, 'cartId'), variantId: decodeId('ProductVariant', variantId, 'variantId') });
