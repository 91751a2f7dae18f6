import assert from 'node:assert/strict';
import type { CreateProductInput } from '../../sdk/generated/graphql.js';
import { openShop, sell, type Shop } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('shops and their products', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let shop: Shop;
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false' } });
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    shop = await openShop(world, ann, 'anns-shop');
  });
  after(() => world.stop());

  const shirt = (more: Partial<CreateProductInput> = {}): CreateProductInput => ({
    shopId: shop.id, title: 'Wool Shirt', idempotencyKey: world.key(),
    options: [{ name: 'Size', values: ['S', 'M'] }, { name: 'Colour', values: ['red'] }],
    attributes: [{ name: 'Material', value: 'Wool' }],
    variants: ['S', 'M'].map((size, index) => ({
      sku: `${world.key()}-${size}`, optionValues: [size, 'red'], stock: 3 + index, weightGrams: 200,
      prices: [{ amount: 4_900 + 100 * index, currency: 'CHF', compareAt: 6_000 }, { amount: 5_200, currency: 'EUR' }],
    })),
    ...more,
  });
  const create = async (input: CreateProductInput) => (await ann.api.createProduct({ input })).createProduct.product;
  const setStatus = async (productId: string, status: 'DRAFT' | 'PUBLISHED' | 'ARCHIVED') => (await ann.api.setProductStatus({ input: { productId, status } })).setProductStatus.product;

  it('a draft is for those who sell it; published, it is for everybody, with prices and stock', async () => {
    const draft = await create(shirt());
    assert.deepEqual([draft.slug, draft.status, draft.version], ['wool-shirt', 'DRAFT', 1]);
    assert.equal((await bob.api.product({ id: draft.id })).product, null);
    await fails(bob.api.setProductStatus({ input: { productId: draft.id, status: 'PUBLISHED' } }), 'NOT_FOUND');
    await setStatus(draft.id, 'PUBLISHED');
    const { product } = await bob.api.product({ id: draft.id });
    assert.deepEqual([product!.price, product!.inStock, product!.variants.map((variant) => variant.available)], [{ min: { amount: 4_900, currency: 'CHF' }, max: { amount: 5_000, currency: 'CHF' } }, true, [3, 4]]);
    assert.deepEqual(product!.variants[1]!.selectedOptions, [{ name: 'Size', value: 'M' }, { name: 'Colour', value: 'red' }]);
    assert.deepEqual([product!.variants[0]!.compareAtPrice, product!.variants[0]!.stock], [{ amount: 6_000, currency: 'CHF' }, null]);
    assert.equal((await ann.api.product({ id: draft.id })).product!.variants[0]!.stock![0]!.onHand, 3);
    assert.equal((await bob.api.productBySlug({ shop: 'anns-shop', slug: 'wool-shirt' })).productBySlug!.id, draft.id);
    await fails(bob.api.updateProduct({ input: { productId: draft.id, title: 'Mine' } }), 'FORBIDDEN');
    await setStatus(draft.id, 'ARCHIVED');
    assert.equal((await bob.api.product({ id: draft.id })).product, null);
    assert.equal((await create(shirt())).slug, 'wool-shirt-2');
    const catalogue = async (person: Person, status: 'DRAFT' | 'ARCHIVED' | null = null) => (await person.api.shopCatalogue({ shopId: shop.id, status })).shopCatalogue?.edges.map(({ node }) => node.slug);
    assert.deepEqual([await catalogue(ann), await catalogue(ann, 'ARCHIVED'), await catalogue(bob)], [['wool-shirt-2', 'wool-shirt'], ['wool-shirt'], undefined]);
  });

  it('is changed as a whole; variants keep their ids by sku, and what is not given is no longer sold', async () => {
    const before = await create(shirt());
    const [small, medium] = before.variants;
    const prices = [{ amount: 100, currency: 'CHF' }];
    const change = { productId: before.id, variants: [{ sku: small!.sku, optionValues: ['S', 'red'], prices }] };
    const { product } = (await ann.api.updateProduct({ input: { ...change, version: before.version, description: 'warm' } })).updateProduct;
    assert.deepEqual([product.version, product.description, product.variants.map(({ id, available }) => [id, available])], [2, 'warm', [[small!.id, 3]]]);
    await fails(ann.api.updateProduct({ input: { productId: before.id, title: 'late', version: before.version } }), 'STATE_CONFLICT', 'version');
    const back = (await ann.api.updateProduct({ input: { productId: before.id, description: null, variants: [...change.variants, { sku: medium!.sku, optionValues: ['M', 'red'], prices }] } })).updateProduct.product;
    assert.deepEqual([back.description, back.variants.map((variant) => variant.id)], [null, [small!.id, medium!.id]]);
  });

  it('is published only with something to sell', async () => {
    const empty = await create(shirt({ options: [], variants: [] }));
    await fails(setStatus(empty.id, 'PUBLISHED'), 'STATE_CONFLICT', 'status');
    const foreign = await create(shirt({ options: [], variants: [{ sku: world.key(), prices: [{ amount: 1, currency: 'EUR' }] }] }));
    await fails(setStatus(foreign.id, 'PUBLISHED'), 'STATE_CONFLICT', 'status');
    const sold = await sell(world, shop, 'Sold');
    await fails(ann.api.updateProduct({ input: { productId: sold.id, variants: [] } }), 'STATE_CONFLICT');
    assert.equal((await setStatus(sold.id, 'PUBLISHED')).version, sold.version); // is so already: nothing changes
  });

  it('stock is booked by location, and never below what is reserved', async () => {
    const [variant] = (await sell(world, shop, 'Stocked', { stock: 5 })).variants;
    const adjust = async (input: { delta?: number; onHand?: number; locationId?: string }, idempotencyKey = world.key()) =>
      (await ann.api.adjustStock({ input: { variantId: variant!.id, reason: 'test', idempotencyKey, ...input } })).adjustStock.variant;
    const key = world.key();
    assert.equal((await adjust({ delta: 2 }, key)).available, 7);
    assert.equal((await adjust({ delta: 2 }, key)).available, 7);
    const { location } = (await ann.api.createStockLocation({ input: { shopId: shop.id, name: 'Cellar' } })).createStockLocation;
    const both = await adjust({ onHand: 10, locationId: location.id });
    assert.deepEqual([both.available, both.stock!.map(({ location: name, onHand }) => [name, onHand])], [17, [['Main', 7], ['Cellar', 10]]]);
    await world.sql('update stock_levels set reserved = 4 where variant_id in (select id from product_variants where sku = $1) and on_hand = 7', [variant!.sku]);
    assert.equal((await adjust({ delta: -3 })).available, 10);
    await fails(adjust({ delta: -1 }), 'STATE_CONFLICT', 'delta');
    await fails(adjust({ onHand: 3 }), 'STATE_CONFLICT', 'onHand');
    await fails(adjust({}), 'INVALID_INPUT', 'delta');
    await fails(adjust({ delta: 1, onHand: 1 }), 'INVALID_INPUT', 'delta');
    await fails(bob.api.adjustStock({ input: { variantId: variant!.id, delta: 1, idempotencyKey: world.key() } }), 'FORBIDDEN');
    const moves = await world.sql<{ delta: number; kind: string }>(`select m.delta, m.kind from stock_movements m join product_variants v on v.id = m.variant_id where v.sku = $1 order by m.id`, [variant!.sku]);
    assert.deepEqual(moves.map(({ delta, kind }) => [delta, kind]), [[5, 'RECEIVED'], [2, 'ADJUSTED'], [10, 'COUNTED'], [-3, 'ADJUSTED']]);
  });

  it('categories lie above one another, and what is taken away leaves the products', async () => {
    const category = async (name: string, parentId?: string) => (await ann.api.createCategory({ input: { shopId: shop.id, name, ...(parentId ? { parentId } : {}) } })).createCategory.category;
    const clothes = await category('Clothes');
    const shirts = await category('Shirts & Tops', clothes.id);
    assert.equal(shirts.slug, 'shirts-tops');
    await fails(category('Clothes'), 'INVALID_INPUT', 'slug');
    const product = await sell(world, shop, 'In a category', { categoryIds: [shirts.id] });
    const within = async (id: string) => (await bob.api.searchProducts({ filter: { categoryIds: [id] } })).searchProducts.edges.map(({ node }) => node.id);
    assert.deepEqual([await within(clothes.id), await within(shirts.id)], [[product.id], [product.id]]);
    await fails(bob.api.deleteCategory({ input: { categoryId: shirts.id } }), 'FORBIDDEN');
    await ann.api.deleteCategory({ input: { categoryId: clothes.id } });
    assert.deepEqual((await ann.api.shop({ id: shop.id })).shop!.categories, []);
    assert.deepEqual([(await bob.api.product({ id: product.id })).product!.categories, await within(clothes.id)], [[], []]);
    await fails(create(shirt({ categoryIds: [shirts.id] })), 'NOT_FOUND', 'categoryIds');
  });

  it('people review what they do not sell, once each, and the rating follows', async () => {
    const { id } = await sell(world, shop, 'Reviewed');
    const review = async (person: Person, rating: number, text?: string) => (await person.api.reviewProduct({ input: { productId: id, rating, ...(text ? { text } : {}) } })).reviewProduct;
    await review(bob, 5, 'good');
    await review(carol, 2);
    assert.deepEqual((await review(bob, 4)).product.rating, { average: 3, count: 2 });
    const { product } = await bob.api.product({ id, firstReviews: 1 });
    assert.deepEqual([product!.reviews.edges.map(({ node }) => node.author.handle), product!.reviews.pageInfo.hasNextPage, product!.viewerState!.review!.rating], [['carol'], true, 4]);
    assert.deepEqual((await bob.api.product({ id, firstReviews: 1, afterReviews: product!.reviews.pageInfo.endCursor })).product!.reviews.edges.map(({ node }) => node.author.handle), ['bob']);
    assert.deepEqual((await carol.api.deleteReview({ input: { productId: id } })).deleteReview.product.rating, { average: 4, count: 1 });
    assert.deepEqual((await carol.api.deleteReview({ input: { productId: id } })).deleteReview.product.rating, { average: 4, count: 1 });
    await fails(review(ann, 5), 'FORBIDDEN');
    await fails(review(carol, 6), 'INVALID_INPUT', 'rating');
    const one = await sell(world, shop, 'Raced');
    await Promise.all([...Array(12)].map((_, index) => [bob, carol][index % 2]!.api.reviewProduct({ input: { productId: one.id, rating: 1 + (index % 5) } })));
    const after = (await bob.api.product({ id: one.id })).product!;
    assert.deepEqual([after.rating.count, after.rating.average! * 2], [2, after.reviews.edges.reduce((sum, { node }) => sum + node.rating, 0)]);
  });

  it('a card in a chat shows the price and the stock of now', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const product = await sell(world, shop, 'Shared', { amount: 700, stock: 2 });
    const [variant] = product.variants;
    const events = bob.client.chatEvents(chatId);
    const { eventCursor: _cursor } = (await bob.api.chat({ id: chatId })).chat!;
    const idempotencyKey = world.key();
    const share = async (person: Person, input: { productId?: string; variantId?: string } = {}, key = world.key()) =>
      (await person.api.shareProduct({ input: { productId: product.id, chatId, text: 'look', idempotencyKey: key, ...input } })).shareProduct.message;
    const shown = await share(bob, { variantId: variant!.id }, idempotencyKey);
    assert.equal((await share(bob, { variantId: variant!.id }, idempotencyKey)).id, shown.id);
    const [told] = await take(events, 1);
    events.close();
    assert.ok(told!.__typename === 'MessageSent' && told.message!.card?.__typename === 'ProductCard');
    assert.deepEqual([told.message!.kind, told.message!.card.product!.title, told.message!.card.variant!.available, told.message!.card.variant!.price!.amount], ['CARD', 'Shared', 2, 700]);

    await ann.api.updateProduct({ input: { productId: product.id, variants: [{ sku: variant!.sku, prices: [{ amount: 650, currency: 'CHF' }] }] } });
    await ann.api.adjustStock({ input: { variantId: variant!.id, delta: -2, idempotencyKey: world.key() } });
    const read = async () => {
      const { node } = await bob.api.message({ id: shown.id });
      assert.ok(node?.__typename === 'Message' && node.card?.__typename === 'ProductCard');
      return node.card;
    };
    const now = await read();
    assert.deepEqual([now.variant!.available, now.variant!.price!.amount, now.product!.inStock], [0, 650, false]);
    await setStatus(product.id, 'ARCHIVED');
    const gone = await read();
    assert.deepEqual([gone.productId, gone.product, gone.variant], [product.id, null, null]);
    const before = await digest(world);
    await fails(share(bob), 'NOT_FOUND', 'productId');
    const other = await sell(world, shop, 'Other');
    const mid = await digest(world);
    await fails(share(bob, { productId: other.id, variantId: variant!.id }), 'NOT_FOUND', 'variantId');
    await fails(share(carol, { productId: other.id }), 'NOT_FOUND');
    assert.deepEqual(await digest(world), mid);
    assert.notDeepEqual(before, mid);
  });

  it('what is no product is refused, and changes nothing', async () => {
    await create(shirt({ options: [], variants: [{ sku: 'taken', prices: [] }] }));
    const before = await digest(world);
    const price = { amount: 1, currency: 'CHF' };
    const wrong: [Partial<CreateProductInput>, string][] = [
      [{ title: ' ' }, 'title'],
      [{ slug: 'Not a slug' }, 'slug'],
      [{ slug: 'wool-shirt' }, 'slug'],
      [{ options: [], variants: [{ sku: 'taken', prices: [] }] }, 'variants.sku'],
      [{ options: [], variants: [{ sku: 'a', prices: [] }, { sku: 'a', prices: [] }] }, 'variants.sku'],
      [{ options: [], variants: [{ sku: 'a', prices: [] }, { sku: 'b', prices: [] }] }, 'variants.optionValues'],
      [{ variants: [{ sku: 'a', optionValues: ['XL', 'red'], prices: [] }] }, 'variants.optionValues'],
      [{ options: [], variants: [{ sku: 'a', prices: [price, price] }] }, 'variants.prices'],
      [{ options: [], variants: [{ sku: 'a', prices: [{ ...price, amount: -1 }] }] }, 'variants.prices.amount'],
      [{ options: [], variants: [{ sku: 'a', prices: [{ ...price, currency: 'XXQ' }] }] }, 'variants.prices.currency'],
      [{ options: [], variants: [{ sku: 'a', prices: [{ ...price, compareAt: 0 }] }] }, 'variants.prices.compareAt'],
      [{ options: [], variants: [{ sku: 'a', prices: [], stock: -1 }] }, 'variants.stock'],
      [{ options: [{ name: 'Size', values: [] }], variants: [] }, 'options.values'],
      [{ attributes: [{ name: 'a=b', value: 'c' }] }, 'attributes.name'],
      [{ media: [{ url: 'ftp://example.com' }] }, 'media'],
      [{ media: [{}] }, 'media'],
      [{ taxClass: 'Not one' }, 'taxClass'],
    ];
    for (const [more, field] of wrong) await fails(create(shirt(more)), 'INVALID_INPUT', field);
    await fails(bob.api.createProduct({ input: shirt() }), 'FORBIDDEN');
    await fails(bob.api.createShop({ input: { name: 'x', slug: 'anns-shop', currency: 'CHF', idempotencyKey: world.key() } }), 'INVALID_INPUT', 'slug');
    await fails(bob.api.createShop({ input: { name: 'x', slug: 'x', currency: 'chf', idempotencyKey: world.key() } }), 'INVALID_INPUT', 'currency');
    assert.deepEqual(await digest(world), before);
  });
});
