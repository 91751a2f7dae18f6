import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import { ShowcasedProductType, ShowcaseProductInput, ShowcaseProductPayload } from '../schema/call-showcase.js';
import { CallType } from '../schema/call.js';
import { ProductType } from '../schema/product.js';
import type { CallShowcase } from '../services/calls/call-showcase.js';
import { showcaseOfCall, type ShowcasedRow } from '../services/loaders/call-showcase.js';
import type { CallRow } from '../services/loaders/calls.js';
import { publishedProduct, type ProductRow } from '../services/loaders/products.js';
import type { Context } from './context.js';

@Resolver(() => ShowcasedProductType)
export class CallShowcaseResolver {
  constructor(private readonly showcase: CallShowcase) {}

  @Mutation(() => ShowcaseProductPayload, { description: 'Shows a product to everybody in the call, in front of those that are shown; at most 20. By the host.' })
  async showcaseProduct(@Arg('input', () => ShowcaseProductInput) { callId, productId, shown }: ShowcaseProductInput, @Ctx() context: Context): Promise<{ call: CallRow }> {
    return { call: await this.showcase.set(context.requireCaller(), decodeId('Call', callId, 'callId'), decodeId('Product', productId, 'productId'), shown) };
  }

  @FieldResolver()
  productId(@Root() row: ShowcasedRow): string {
    return encodeId('Product', row.productId);
  }

  @FieldResolver(() => ProductType, { nullable: true, description: 'As it is now; null when it is not published any more. productEvents tells of price and stock.' })
  product(@Root() row: ShowcasedRow, @Ctx() context: Context): Promise<ProductRow | null> {
    return context.load(publishedProduct, row.productId);
  }
}

@Resolver(() => CallType)
export class ShowcaseOfCallResolver {
  @FieldResolver(() => [ShowcasedProductType], { description: 'What its host shows to be bought, the newest first; at most 20.' })
  async showcase(@Root() call: CallRow, @Ctx() context: Context): Promise<ShowcasedRow[]> {
    return (await context.load(showcaseOfCall, call.id)) ?? [];
  }
}
