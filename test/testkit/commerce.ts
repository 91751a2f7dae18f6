import type { CreateProductInput, ProductPartsFragment } from '../../sdk/generated/graphql.js';
import type { Person, World } from './world.js';

export const ADDRESS = { name: 'Ann Example', line1: 'Bahnhofstrasse 1', postalCode: '8001', city: 'Zürich', country: 'CH' };

export interface Shop {
  id: string;
  slug: string;
  owner: Person;
}

/** A shop that sells in Swiss francs. */
export async function openShop(world: World, owner: Person, slug = `shop-${world.key()}`): Promise<Shop> {
  const { shop } = (await owner.api.createShop({ input: { name: slug, slug, currency: 'CHF', idempotencyKey: world.key() } })).createShop;
  return { id: shop.id, slug: shop.slug, owner };
}

export type Sold = ProductPartsFragment;

/** A product that has all that one may have, of a shop of its own. */
export async function sellRich(world: World, owner: Person): Promise<{ shop: Shop; product: Sold; shippingMethodId: string }> {
  const shop = await openShop(world, owner);
  const { category } = (await owner.api.createCategory({ input: { shopId: shop.id, name: 'Teas' } })).createCategory;
  const variants = ['50 g', '100 g'].map((size, index) => ({
    sku: `sku-${world.key()}`, optionValues: [size], weightGrams: 50, stock: 1_000, prices: [{ amount: 900 * (1 + index), currency: 'CHF', compareAt: 2_000 }, { amount: 950, currency: 'EUR' }],
  }));
  const product = await sell(world, shop, 'Sencha', {
    description: 'From Japan', options: [{ name: 'Size', values: ['50 g', '100 g'] }], attributes: [{ name: 'Origin', value: 'Japan' }], categoryIds: [category.id], mediaUrls: ['https://example.com/sencha.jpg'], variants,
  });
  const { shippingMethod } = (await owner.api.createShippingMethod({ input: { shopId: shop.id, name: 'Post', price: { amount: 700, currency: 'CHF' }, freeFrom: 10_000 } })).createShippingMethod;
  return { shop, product, shippingMethodId: shippingMethod.id };
}

/** A product of one variant, for 1000 rappen unless told, published. */
export async function sell(world: World, shop: Shop, title: string, { amount = 1000, stock = 10, ...more }: { amount?: number; stock?: number } & Partial<CreateProductInput> = {}): Promise<Sold> {
  const variants = [{ sku: `sku-${world.key()}`, prices: [{ amount, currency: 'CHF' }], stock }];
  const { product } = (await shop.owner.api.createProduct({ input: { shopId: shop.id, title, variants, idempotencyKey: world.key(), ...more } })).createProduct;
  return (await shop.owner.api.setProductStatus({ input: { productId: product.id, status: 'PUBLISHED' } })).setProductStatus.product;
}
