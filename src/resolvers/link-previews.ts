import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { PagePreviewRef, ProductPreviewRef } from '../entities/message.js';
import { decodeMessageId } from '../lib/ids.js';
import { LinkPreviewType } from '../schema/message.js';
import { RemoveLinkPreviewInput, RemoveLinkPreviewPayload } from '../schema/message-inputs.js';
import { ProductCardType } from '../schema/product.js';
import type { FileUrls } from '../services/files/file-urls.js';
import type { LinkPreviews } from '../services/link-previews.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { publishedProduct, type ProductRow } from '../services/loaders/products.js';
import { shopById } from '../services/loaders/shops.js';
import type { Context } from './context.js';
import { pictureUrl } from './product-pictures.js';

@Resolver()
export class LinkPreviewResolver {
  constructor(private readonly previews: LinkPreviews) {}

  @Mutation(() => RemoveLinkPreviewPayload, { description: 'The sender takes the preview off their message; none is made any more.' })
  async removeLinkPreview(@Arg('input', () => RemoveLinkPreviewInput) { messageId }: RemoveLinkPreviewInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    return { message: await this.previews.remove(context.requireViewer(), decodeMessageId(messageId)) };
  }
}

type Preview = PagePreviewRef | ProductPreviewRef;
const DESCRIPTION = 300;

/** What a page said when it was read; of a product what its shop says now. */
@Resolver(() => LinkPreviewType)
export class LinkPreviewPartsResolver {
  constructor(private readonly urls: FileUrls) {}

  @FieldResolver()
  async title(@Root() preview: Preview, @Ctx() context: Context): Promise<string | null> {
    return 'productId' in preview ? ((await this.#product(preview, context))?.title ?? null) : preview.title;
  }

  @FieldResolver()
  async description(@Root() preview: Preview, @Ctx() context: Context): Promise<string | null> {
    if (!('productId' in preview)) return preview.description;
    const letters = [...((await this.#product(preview, context))?.description ?? '')];
    return letters.length > DESCRIPTION ? `${letters.slice(0, DESCRIPTION).join('')}…` : letters.join('') || null;
  }

  @FieldResolver()
  async imageUrl(@Root() preview: Preview, @Ctx() context: Context): Promise<string | null> {
    if (!('productId' in preview)) return preview.imageUrl;
    const picture = (await this.#product(preview, context))?.media[0];
    return picture === undefined ? null : pictureUrl(this.urls, picture, context.now);
  }

  @FieldResolver()
  async siteName(@Root() preview: Preview, @Ctx() context: Context): Promise<string | null> {
    if (!('productId' in preview)) return preview.siteName;
    const product = await this.#product(preview, context);
    return product && (await context.load(shopById, product.shopId))!.name;
  }

  @FieldResolver(() => ProductCardType, { nullable: true, description: 'When it is a link to what one of the shops here sells.' })
  productCard(@Root() preview: Preview): { productId: string; variantId: null } | null {
    return 'productId' in preview ? { productId: preview.productId, variantId: null } : null;
  }

  #product({ productId }: ProductPreviewRef, context: Context): Promise<ProductRow | null> {
    return context.load(publishedProduct, productId);
  }
}
