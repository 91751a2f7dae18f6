import assert from 'node:assert/strict';
import type { CheckoutInput, CheckoutResultPartsFragment, CheckoutTermsInput, CreateProductInput, ProductPartsFragment } from '../../sdk/generated/graphql.js';
import type { Person, World } from './world.js';

/** What these want of a world. */
type Keys = Pick<World, 'key'>;
type Buyer = Pick<Person, 'api'>;

export const ADDRESS = { name: 'Ann Example', line1: 'Bahnhofstrasse 1', postalCode: '8001', city: 'Zürich', country: 'CH' };

export interface Shop {
  id: string;
  slug: string;
  owner: Buyer;
}

/** A shop that sells in Swiss francs. */
export async function openShop(world: Keys, owner: Buyer, slug = `shop-${world.key()}`): Promise<Shop> {
  const { shop } = (await owner.api.createShop({ input: { name: slug, slug, currency: 'CHF', idempotencyKey: world.key() } })).createShop;
  return { id: shop.id, slug: shop.slug, owner };
}

export type Sold = ProductPartsFragment;

/** A product that has all that one may have, of a shop of its own. */
export async function sellRich(world: World, owner: Person): Promise<{ shop: Shop; product: Sold; shippingMethodId: string }> {
  const shop = await openShop(world, owner);
  const { category } = (await owner.api.createCategory({ input: { shopId: shop.id, name: 'Teas' } })).createCategory;
  const variants = ['50 g', '100 g'].map((size, index) => ({
    sku: `sku-${world.key()}`, optionValues: [size], weightGrams: 50, picture: { url: 'https://example.com/packet.jpg' }, stock: 1_000, prices: [{ amount: 900 * (1 + index), currency: 'CHF', compareAt: 2_000 }, { amount: 950, currency: 'EUR' }],
  }));
  const product = await sell(world, shop, 'Sencha', {
    description: 'From Japan', options: [{ name: 'Size', values: ['50 g', '100 g'] }], attributes: [{ name: 'Origin', value: 'Japan' }], categoryIds: [category.id], media: [{ url: 'https://example.com/sencha.jpg' }], variants,
  });
  const { shippingMethod } = (await owner.api.createShippingMethod({ input: { shopId: shop.id, name: 'Post', price: { amount: 700, currency: 'CHF' }, freeFrom: 10_000 } })).createShippingMethod;
  await owner.api.setTaxRule({ input: { shopId: shop.id, country: 'JP', taxClass: 'standard', ratePpm: 100_000, included: true } });
  return { shop, product, shippingMethodId: shippingMethod.id };
}

/** A product of one variant, for 1000 rappen unless told, published. */
export async function sell(world: Keys, shop: Shop, title: string, { amount = 1000, stock = 10, ...more }: { amount?: number; stock?: number } & Partial<CreateProductInput> = {}): Promise<Sold> {
  const variants = [{ sku: `sku-${world.key()}`, prices: [{ amount, currency: 'CHF' }], stock }];
  const { product } = (await shop.owner.api.createProduct({ input: { shopId: shop.id, title, variants, idempotencyKey: world.key(), ...more } })).createProduct;
  return (await shop.owner.api.setProductStatus({ input: { productId: product.id, status: 'PUBLISHED' } })).setProductStatus.product;
}

export type Result = CheckoutResultPartsFragment;

/** A cart of a person's with something in it. */
export async function fillCart(world: Keys, person: Buyer, shop: Pick<Shop, 'id'>, wanted: [Sold, number][]): Promise<string> {
  const { cart } = (await person.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
  for (const [product, quantity] of wanted) await person.api.addToCart({ input: { cartId: cart.id, variantId: product.variants[0]!.id, quantity, idempotencyKey: world.key() } });
  return cart.id;
}

export const terms = (more: Partial<CheckoutTermsInput> = {}): CheckoutTermsInput => ({ address: ADDRESS, ...more });

export async function checkOut(world: Keys, person: Buyer, cartId: string, { idempotencyKey = world.key(), ...more }: Partial<CheckoutInput> = {}): Promise<Result> {
  return (await person.api.checkout({ input: { cartId, terms: terms(), idempotencyKey, ...more } })).checkout.result;
}

export const confirm = async (person: Person, orderId: string): Promise<Result> => (await person.api.confirmPayment({ input: { orderId } })).confirmPayment.result;

export function orderOf(result: Result): Extract<Result, { order: unknown }>['order'] {
  assert.ok('order' in result, result.__typename);
  return result.order;
}

/** On hand and reserved of the first variant, in the first place. */
export async function stockLevel(world: World, product: Sold): Promise<[number, number]> {
  const [level] = await world.sql<{ onHand: number; reserved: number }>('select l.on_hand as "onHand", l.reserved from stock_levels l join product_variants v on v.id = l.variant_id where v.sku = $1', [product.variants[0]!.sku]);
  return [level!.onHand, level!.reserved];
}

/** Every transaction comes to nothing in each currency; no level of stock is out of bounds; what is reserved is what open orders hold; what is taken at the gateway is what is booked. */
export async function booksBalance(world: Pick<World, 'sql'>): Promise<void> {
  assert.deepEqual(await world.sql('select transaction_id, currency from ledger_entries group by transaction_id, currency having sum(amount) <> 0'), []);
  assert.deepEqual(
    await world.sql(
      `select l.variant_id from stock_levels l left join stock_reservations r on r.variant_id = l.variant_id and r.location_id = l.location_id
       group by l.variant_id, l.location_id, l.reserved having l.reserved <> coalesce(sum(r.quantity), 0)`,
    ),
    [],
  );
  // Nobody is charged without an order that stands, and what stands as paid is paid.
  assert.deepEqual(
    await world.sql(
      `select p.key from sandbox_payments p left join payments x on x.id::text = p.key left join orders o on o.id = x.order_id
       where p.state = 'CAPTURED' and (o.id is null or o.state = 'CANCELLED') and p.refunded < p.captured`,
    ),
    [],
  );
  assert.deepEqual(await world.sql(`select p.id from payments p left join sandbox_payments s on s.key = p.id::text where p.state = 'CAPTURED' and p.provider = 'sandbox' and s.captured is distinct from p.captured`), []);
  assert.deepEqual(
    await world.sql(
      `select p.id from payments p left join ledger_transactions t on t.kind = 'SALE' and t.ref = p.order_id left join ledger_entries e on e.transaction_id = t.id and (e.account = 'provider:' || p.provider or e.account like 'cash:%')
       where case p.state when 'CAPTURED' then p.captured else 0 end <> coalesce(-e.amount, 0)`,
    ),
    [],
  );
}
