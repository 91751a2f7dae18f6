import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { ProductExportType } from '../schema/product.js';
import {
  AdjustStockInput, AdjustStockPayload, CreateProductInput, CreateProductPayload, DeleteReviewInput, DeleteReviewPayload, ExchangeFormat, ImportProductsInput, ImportProductsPayload, ProductPictureInput,
  ReviewProductInput, ReviewProductPayload, SetProductStatusInput, SetProductStatusPayload, ShareProductInput, ShareProductPayload, UpdateProductInput, UpdateProductPayload,
} from '../schema/product-inputs.js';
import type { ProductExchange } from '../services/commerce/product-exchange.js';
import type { ProductSharing } from '../services/commerce/product-sharing.js';
import type { ProductService } from '../services/commerce/products.js';
import type { ReviewService } from '../services/commerce/reviews.js';
import type { StockService } from '../services/commerce/stock.js';
import { productById, variantById } from '../services/loaders/products.js';
import type { Context } from './context.js';

const picture = (given: ProductPictureInput, field: string): ProductPictureInput => ({ ...given, fileId: given.fileId == null ? null : decodeId('File', given.fileId, `${field}.fileId`) });

/** What is given of a product, with the keys behind its ids; what is left out stays out. */
const decoded = <Given extends Pick<UpdateProductInput, 'categoryIds' | 'media' | 'variants'>>(given: Given): Given => ({
  ...given,
  ...(given.categoryIds && { categoryIds: given.categoryIds.map((id) => decodeId('ProductCategory', id, 'categoryIds')) }),
  ...(given.media && { media: given.media.map((one) => picture(one, 'media')) }),
  ...(given.variants && { variants: given.variants.map((variant) => ({ ...variant, picture: variant.picture ? picture(variant.picture, 'variants.picture') : null })) }),
});

/** What those who sell do with what they sell. */
@Resolver()
export class ProductVerbsResolver {
  constructor(
    private readonly products: ProductService,
    private readonly stock: StockService,
    private readonly exchange: ProductExchange,
  ) {}

  @Mutation(() => CreateProductPayload, { description: 'Makes a draft: setProductStatus publishes it.' })
  async createProduct(@Arg('input', () => CreateProductInput) { shopId, idempotencyKey, ...given }: CreateProductInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { product: await this.products.create(viewer, decodeId('Shop', shopId, 'shopId'), decoded(given), idempotencyKey) };
  }

  @Mutation(() => UpdateProductPayload)
  async updateProduct(@Arg('input', () => UpdateProductInput) { productId, version, ...change }: UpdateProductInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { product: await this.products.update(viewer, decodeId('Product', productId, 'productId'), decoded(change), version ?? null) };
  }

  @Mutation(() => SetProductStatusPayload, { description: 'STATE_CONFLICT for publishing what has no variant, or a variant without a price in the shop’s currency.' })
  async setProductStatus(@Arg('input', () => SetProductStatusInput) { productId, status }: SetProductStatusInput, @Ctx() context: Context): Promise<object> {
    return { product: await this.products.setStatus(context.requireViewer(), decodeId('Product', productId, 'productId'), status) };
  }

  @Mutation(() => AdjustStockPayload, { description: 'STATE_CONFLICT when fewer would be left than are reserved for orders.' })
  async adjustStock(@Arg('input', () => AdjustStockInput) { variantId, locationId, delta, onHand, reason, idempotencyKey }: AdjustStockInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const key = decodeId('ProductVariant', variantId, 'variantId');
    const location = locationId == null ? null : decodeId('StockLocation', locationId, 'locationId');
    await this.stock.adjust(viewer, { variantId: key, locationId: location, delta: delta ?? null, onHand: onHand ?? null, reason: reason ?? null, idempotencyKey });
    return { variant: await context.load(variantById, key) };
  }

  @Mutation(() => ImportProductsPayload, { description: 'Each product of the file succeeds or fails alone.' })
  async importProducts(@Arg('input', () => ImportProductsInput) { shopId, ...given }: ImportProductsInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    return { lines: await this.exchange.take(viewer, { ...given, shopId: decodeId('Shop', shopId, 'shopId') }) };
  }

  @Query(() => ProductExportType, { description: 'A page of 200 products, by slug, as importProducts takes them.' })
  async exportProducts(
    @Arg('shopId', () => ID) shopId: string,
    @Arg('format', () => ExchangeFormat) format: 'CSV' | 'JSON',
    @Arg('after', () => String, { nullable: true }) after: string | null,
    @Ctx() context: Context,
  ): Promise<object> {
    const { last, ...page } = await this.exchange.give(context, context.requireViewer(), decodeId('Shop', shopId, 'shopId'), format, after ?? null);
    return { ...page, after: last };
  }
}

/** What everybody may do with what is sold. */
@Resolver()
export class ProductPeopleResolver {
  constructor(
    private readonly reviews: ReviewService,
    private readonly sharing: ProductSharing,
  ) {}

  @Mutation(() => ReviewProductPayload, { description: 'One review a person and product: it is written anew.' })
  async reviewProduct(@Arg('input', () => ReviewProductInput) { productId, rating, title, text }: ReviewProductInput, @Ctx() context: Context): Promise<object> {
    const key = decodeId('Product', productId, 'productId');
    const review = await this.reviews.write(context.requireViewer(), key, { rating, title: title ?? null, text: text ?? null });
    return { review, product: await context.load(productById, key) };
  }

  @Mutation(() => DeleteReviewPayload)
  async deleteReview(@Arg('input', () => DeleteReviewInput) { productId }: DeleteReviewInput, @Ctx() context: Context): Promise<object> {
    const key = decodeId('Product', productId, 'productId');
    await this.reviews.remove(context.requireViewer(), key);
    return { product: await context.load(productById, key) };
  }

  @Mutation(() => ShareProductPayload, { description: 'Sends a card of it into a chat, with its price and stock of whenever it is read.' })
  async shareProduct(@Arg('input', () => ShareProductInput) { productId, variantId, chatId, text, idempotencyKey }: ShareProductInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const variant = variantId == null ? null : decodeId('ProductVariant', variantId, 'variantId');
    const to = { chatId: decodeId('Chat', chatId, 'chatId'), text: text ?? null, idempotencyKey };
    return { message: await this.sharing.share(viewer, decodeId('Product', productId, 'productId'), variant, to) };
  }
}
