import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import type { Money } from '../policies/money.js';
import type { ProductLinks } from '../policies/product-links.js';
import { ForwardArgs } from '../schema/connection.js';
import { MoneyType } from '../schema/money.js';
import {
  PriceRangeType, ProductAttributeType, ProductCardType, ProductEventType, ProductPictureType, ProductRatingType, ProductReviewPages, ProductReviewType, ProductType, ProductVariantType, ProductViewerStateType, StockLevelType,
} from '../schema/product.js';
import { ProductCategoryType, ShopType } from '../schema/shop.js';
import { UserType } from '../schema/user.js';
import type { ProductService } from '../services/commerce/products.js';
import type { ReviewService } from '../services/commerce/reviews.js';
import {
  canBuy, priceIn, productById, publishedProduct, stockOfVariant, variantById, variantsOfProduct, viewerReview, type ProductRow, type ReviewRow, type StockLevelRow, type VariantRow,
} from '../services/loaders/products.js';
import { categoryById, shopById, type CategoryRow, type ShopRow } from '../services/loaders/shops.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';
import type { Picture } from './product-pictures.js';
import { ViewerDependent } from './viewer-dependent.js';

const soldOf = async (context: Context, productId: string): Promise<VariantRow[]> => (await context.load(variantsOfProduct, productId))!.filter((variant) => variant.active);
const currencyOf = async (context: Context, shopId: string, asked: string | null | undefined): Promise<string> => asked ?? (await context.load(shopById, shopId))!.currency;

@Resolver(() => ProductType)
export class ProductResolver {
  constructor(
    private readonly products: ProductService,
    private readonly reviewService: ReviewService,
    private readonly links: ProductLinks | null,
  ) {}

  @Query(() => ProductType, { nullable: true, description: 'What the viewer may see, or null.' })
  product(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<ProductRow | null> {
    context.requireViewer();
    return this.products.find(context, decodeId('Product', id));
  }

  @Query(() => ProductType, { nullable: true, description: 'By the slugs of its shop and its own.' })
  productBySlug(@Arg('shop', () => String) shop: string, @Arg('slug', () => String) slug: string, @Ctx() context: Context): Promise<ProductRow | null> {
    context.requireViewer();
    return this.products.findBySlug(context, shop, slug);
  }

  @FieldResolver()
  id(@Root() product: ProductRow): string {
    return encodeId('Product', product.id);
  }

  @FieldResolver(() => ShopType)
  shop(@Root() product: ProductRow, @Ctx() context: Context): Promise<ShopRow | null> {
    return context.load(shopById, product.shopId);
  }

  @FieldResolver(() => [ProductCategoryType])
  async categories(@Root() product: ProductRow, @Ctx() context: Context): Promise<CategoryRow[]> {
    return (await context.loadMany(categoryById, product.categoryIds)).filter((category) => category !== null);
  }

  @FieldResolver(() => [ProductPictureType], { description: 'The first stands for it.' })
  media(@Root() { media }: ProductRow): Picture[] {
    return media.map((picture) => ({ picture }));
  }

  @FieldResolver(() => String, { nullable: true, description: 'Where the app shows it, by PRODUCT_URL or PUBLIC_URL: a message with this link shows its card.' })
  async url(@Root() product: ProductRow, @Ctx() context: Context): Promise<string | null> {
    return this.links && this.links.of((await context.load(shopById, product.shopId))!.slug, product.slug);
  }

  @FieldResolver(() => [ProductVariantType], { description: 'What is sold of it, at most 100.' })
  variants(@Root() product: ProductRow, @Ctx() context: Context): Promise<VariantRow[]> {
    return soldOf(context, product.id);
  }

  @FieldResolver(() => PriceRangeType, { nullable: true, description: 'In a currency, by default the shop’s; null when it has no price there.' })
  async price(@Root() product: ProductRow, @Arg('currency', () => String, { nullable: true }) asked: string | null, @Ctx() context: Context): Promise<{ min: Money; max: Money } | null> {
    const currency = await currencyOf(context, product.shopId, asked);
    const amounts = (await soldOf(context, product.id)).flatMap((variant) => priceIn(variant, currency)?.amount ?? []);
    return amounts.length ? { min: { amount: Math.min(...amounts), currency }, max: { amount: Math.max(...amounts), currency } } : null;
  }

  @FieldResolver(() => Boolean, { description: 'Whether one of its variants can be bought now.' })
  async inStock(@Root() product: ProductRow, @Ctx() context: Context): Promise<boolean> {
    return (await soldOf(context, product.id)).some(canBuy);
  }

  @FieldResolver(() => ProductRatingType)
  rating(@Root() { ratingSum, ratingCount }: ProductRow): ProductRatingType {
    return { average: ratingCount ? ratingSum / ratingCount : null, count: ratingCount };
  }

  @FieldResolver(() => ProductReviewPages.Connection, { description: 'The newest first.' })
  reviews(@Root() product: ProductRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ReviewRow>> {
    return this.reviewService.list(context, product.id, args);
  }

  @ViewerDependent()
  @FieldResolver(() => ProductViewerStateType, { nullable: true })
  viewerState(@Root() product: ProductRow, @Ctx() context: Context): ProductRow {
    context.requireViewer();
    return product;
  }
}

@Resolver(() => ProductViewerStateType)
export class ProductViewerStateResolver {
  @FieldResolver()
  review(@Root() product: ProductRow, @Ctx() context: Context): Promise<ReviewRow | null> {
    return context.load(viewerReview, product.id);
  }
}

@Resolver(() => ProductReviewType)
export class ProductReviewResolver {
  @FieldResolver()
  id(@Root() review: ReviewRow): string {
    return encodeId('ProductReview', review.id);
  }

  @FieldResolver(() => UserType)
  author(@Root() review: ReviewRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, review.userId);
  }
}

@Resolver(() => ProductVariantType)
export class ProductVariantResolver {
  @FieldResolver()
  id(@Root() variant: VariantRow): string {
    return encodeId('ProductVariant', variant.id);
  }

  @FieldResolver(() => ProductType)
  product(@Root() variant: VariantRow, @Ctx() context: Context): Promise<ProductRow | null> {
    return context.load(productById, variant.productId);
  }

  @FieldResolver(() => [ProductAttributeType], { description: 'Its value of each option.' })
  async selectedOptions(@Root() variant: VariantRow, @Ctx() context: Context): Promise<{ name: string; value: string }[]> {
    const { options } = (await context.load(productById, variant.productId))!;
    return variant.optionValues.flatMap((value, index) => (options[index] ? { name: options[index].name, value } : []));
  }

  @FieldResolver(() => [MoneyType])
  prices(@Root() { prices }: VariantRow): Money[] {
    return prices;
  }

  @FieldResolver(() => MoneyType, { nullable: true, description: 'In a currency, by default the shop’s; null when it has none there.' })
  async price(@Root() variant: VariantRow, @Arg('currency', () => String, { nullable: true }) asked: string | null, @Ctx() context: Context): Promise<Money | null> {
    return priceIn(variant, await currencyOf(context, variant.shopId, asked)) ?? null;
  }

  @FieldResolver(() => MoneyType, { nullable: true, description: 'What it cost before.' })
  async compareAtPrice(@Root() variant: VariantRow, @Arg('currency', () => String, { nullable: true }) asked: string | null, @Ctx() context: Context): Promise<Money | null> {
    const price = priceIn(variant, await currencyOf(context, variant.shopId, asked));
    return price?.compareAt == null ? null : { amount: price.compareAt, currency: price.currency };
  }

  @FieldResolver(() => ProductPictureType, { nullable: true, description: 'What shows this one; null: the pictures of the product do.' })
  picture(@Root() { picture }: VariantRow): Picture | null {
    return picture === null ? null : { picture };
  }

  @FieldResolver(() => Int, { nullable: true, description: 'How many can be bought now; null: it is not counted.' })
  available(@Root() { trackStock, available }: VariantRow): number | null {
    return trackStock ? available : null;
  }

  @FieldResolver(() => Boolean)
  inStock(@Root() variant: VariantRow): boolean {
    return canBuy(variant);
  }

  @ViewerDependent()
  @FieldResolver(() => [StockLevelType], { nullable: true, description: 'By location; null for whoever does not run the shop.' })
  async stock(@Root() variant: VariantRow, @Ctx() context: Context): Promise<StockLevelRow[] | null> {
    const shop = await context.load(shopById, variant.shopId);
    return shop!.ownerId === context.requireViewer().userId ? context.load(stockOfVariant, variant.id) : null;
  }
}

@Resolver(() => StockLevelType)
export class StockLevelResolver {
  @FieldResolver()
  locationId(@Root() level: StockLevelRow): string {
    return encodeId('StockLocation', level.locationId);
  }
}

@Resolver(() => ProductEventType)
export class ProductEventResolver {
  @FieldResolver()
  product(@Root() { productKey }: { productKey: string }, @Ctx() context: Context): Promise<ProductRow | null> {
    return context.load(publishedProduct, productKey);
  }
}

type Card = { productId: string; variantId: string | null };

@Resolver(() => ProductCardType)
export class ProductCardResolver {
  @FieldResolver()
  productId(@Root() card: Card): string {
    return encodeId('Product', card.productId);
  }

  @FieldResolver(() => ProductType, { nullable: true, description: 'As it is now; null when it is not published any more.' })
  product(@Root() card: Card, @Ctx() context: Context): Promise<ProductRow | null> {
    return context.load(publishedProduct, card.productId);
  }

  @FieldResolver(() => ProductVariantType, { nullable: true, description: 'When one variant was shown; null when it is not sold any more.' })
  async variant(@Root() { productId, variantId }: Card, @Ctx() context: Context): Promise<VariantRow | null> {
    if (variantId === null || !(await context.load(publishedProduct, productId))) return null;
    const variant = await context.load(variantById, variantId);
    return variant?.active ? variant : null;
  }
}
