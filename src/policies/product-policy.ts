import { DomainError, forbidden, notFound } from '../lib/errors.js';

export type ProductStatus = 'DRAFT' | 'PUBLISHED' | 'ARCHIVED';

/** Where a product may go from each status; to where it is, it may always. */
export const PRODUCT_TRANSITIONS: Readonly<Record<ProductStatus, readonly ProductStatus[]>> = {
  DRAFT: ['PUBLISHED', 'ARCHIVED'],
  PUBLISHED: ['ARCHIVED', 'DRAFT'],
  ARCHIVED: ['PUBLISHED', 'DRAFT'],
};

/** Throws NOT_FOUND where there is no such shop, FORBIDDEN for whoever doesn't run it: that it is there everybody may know. */
export function assertRunsShop<Shop extends { ownerId: string }>(shop: Shop | null | undefined, userId: string): asserts shop is Shop {
  if (!shop) throw notFound('shop');
  if (shop.ownerId !== userId) throw forbidden('This is for whoever runs the shop.');
}

/** What is published is for everybody, the rest for those who sell it. */
export const canSeeProduct = (product: { status: ProductStatus }, shop: { ownerId: string }, userId: string | null): boolean => product.status === 'PUBLISHED' || shop.ownerId === userId;

/** What is sold has something to sell, with a price in the shop's own currency. */
export function assertCanPublish(variants: readonly { active: boolean; prices: readonly { currency: string }[] }[], currency: string): void {
  const sold = variants.filter((variant) => variant.active);
  if (!sold.length || !sold.every((variant) => variant.prices.some((price) => price.currency === currency))) {
    throw new DomainError('STATE_CONFLICT', `Before it is published, a product needs a variant, and each variant a price in ${currency}.`, { field: 'status' });
  }
}
