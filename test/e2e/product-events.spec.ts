import assert from 'node:assert/strict';
import type { EventStream, ProductEvent } from '../../sdk/index.js';
import { readProductStates } from '../../src/services/commerce/product-states.js';
import { ADDRESS, openShop, sell, type Shop } from '../testkit/commerce.js';
import { fails, within, World, type Person } from '../testkit/world.js';

describe('price and stock, live', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let dave: Person;
  let shop: Shop;
  before(async () => {
    world = await World.start({ nodes: 2, settings: { JOBS: 'false', HEARTBEAT: '1' } });
    [ann, bob, dave] = await world.people('Ann', 'Bob', 'Dave');
    shop = await openShop(world, dave);
  });
  after(() => world.stop());

  /** Reads until something holds of a product: what was between may have been left out. */
  const until = async (stream: EventStream<ProductEvent>, holds: (event: ProductEvent) => boolean): Promise<ProductEvent> => {
    for (;;) {
      const { value, done } = await within(stream.next(), 'an event of a product');
      assert.ok(!done);
      if (holds(value)) return value;
    }
  };
  const available = ({ product }: ProductEvent) => product?.variants[0]?.available ?? null;
  const buy = async (person: Person, variantId: string, quantity: number) => {
    const { cart } = (await person.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
    await person.api.addToCart({ input: { cartId: cart.id, variantId, quantity, idempotencyKey: world.key() } });
    return (await person.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, method: 'sandbox_ok', idempotencyKey: world.key() } })).checkout;
  };

  it('whoever sees a card hears what is left and what it costs, from any server', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 10 });
    const cup = await sell(world, shop, 'Cup', { stock: 3 });
    const elsewhere = world.client(bob.accessToken, 1);
    const [near, far] = [ann.client.productEvents([tea.id, cup.id]), elsewhere.productEvents([tea.id])];
    assert.equal(available(await until(near, ({ productId }) => productId === tea.id)), 10);
    assert.equal(available(await until(far, () => true)), 10);
    await buy(bob, tea.variants[0]!.id, 4);
    for (const stream of [near, far]) await until(stream, (event) => available(event) === 6);
    await dave.api.adjustStock({ input: { variantId: tea.variants[0]!.id, delta: 5, idempotencyKey: world.key() } });
    await until(far, (event) => available(event) === 11);
    const { sku } = tea.variants[0]!;
    await dave.api.updateProduct({ input: { productId: tea.id, variants: [{ sku, prices: [{ amount: 750, currency: 'CHF' }] }] } });
    const { product } = await until(far, (event) => event.product?.price?.min.amount === 750);
    assert.equal(product!.variants[0]!.available, 11);
    await dave.api.setProductStatus({ input: { productId: tea.id, status: 'ARCHIVED' } });
    await until(far, (event) => event.product === null);
    await until(near, (event) => event.productId === tea.id && event.product === null);
    near.close();
    far.close();
  });

  it('a refused payment gives back what it held, and that is told too', async () => {
    const tea = await sell(world, shop, 'Green tea', { stock: 2 });
    const events = ann.client.productEvents([tea.id]);
    await until(events, (event) => available(event) === 2);
    await buy(bob, tea.variants[0]!.id, 2);
    await until(events, (event) => available(event) === 0);
    const refused = await sell(world, shop, 'White tea', { stock: 2 });
    const { cart } = (await bob.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
    await bob.api.addToCart({ input: { cartId: cart.id, variantId: refused.variants[0]!.id, quantity: 2, idempotencyKey: world.key() } });
    await bob.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, method: 'sandbox_declined', idempotencyKey: world.key() } });
    const after = ann.client.productEvents([refused.id]);
    await until(after, (event) => available(event) === 2);
    events.close();
    after.close();
  });

  it('a product that sells fast ends at the right number for everybody, and writes nothing for those who look on', async () => {
    const tea = await sell(world, shop, 'Busy tea', { stock: 1_000 });
    const streams = [...Array(20)].map(() => ann.client.productEvents([tea.id]));
    for (const stream of streams) await until(stream, (event) => available(event) === 1_000);
    const written = async () => (await world.sql<{ n: number }>(`select coalesce(sum(head), 0)::int as n from streams`))[0]!.n;
    const before = await written();
    const changes = 60;
    for (let n = 0; n < changes; n++) await dave.api.adjustStock({ input: { variantId: tea.variants[0]!.id, delta: -1, idempotencyKey: world.key() } });
    for (const stream of streams) await until(stream, (event) => available(event) === 1_000 - changes);
    assert.equal(await written(), before);
    for (const stream of streams) stream.close();
  });

  it('what was changed without anybody hearing of it is found by looking again', async () => {
    const tea = await sell(world, shop, 'Silent tea', { stock: 5 });
    const events = ann.client.productEvents([tea.id]);
    await until(events, (event) => available(event) === 5);
    await world.sql('update stock_levels set on_hand = 4 where variant_id = (select id from product_variants where sku = $1)', [tea.variants[0]!.sku]);
    await until(events, (event) => available(event) === 4);
    events.close();
  });

  it('what is not published is nobody’s to see, and what can not be asked is refused', async () => {
    const draft = (await dave.api.createProduct({ input: { shopId: shop.id, title: 'Draft', variants: [{ sku: world.key(), prices: [{ amount: 1, currency: 'CHF' }] }], idempotencyKey: world.key() } })).createProduct.product;
    const nowhere = `prd_${'0'.repeat(32)}`;
    const events = ann.client.productEvents([draft.id, nowhere]);
    const seen = [await until(events, () => true), await until(events, () => true)];
    assert.deepEqual(seen.map(({ productId, product }) => [productId, product]).sort(), [[draft.id, null], [nowhere, null]].sort());
    events.close();
    const failing = async (ids: string[], code: string) => fails(within(ann.client.productEvents(ids).next(), 'an error'), code, 'productIds');
    await failing([], 'INVALID_INPUT');
    await failing(['usr_1'], 'INVALID_ID');
    await failing([...Array(101).keys()].map((n) => `prd_${n.toString(16).padStart(32, '0')}`), 'INVALID_INPUT');
    await fails(within(world.client().productEvents([draft.id]).next(), 'an error'), 'UNAUTHENTICATED');
    assert.deepEqual(await readProductStates((text, values) => world.sql(text, values), []), []);
  });
});
