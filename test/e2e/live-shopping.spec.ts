import assert from 'node:assert/strict';
import { guestOf, Seat, startCall } from '../testkit/calls.js';
import { ADDRESS, openShop, sell, type Shop } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { fails, within, World, type Person } from '../testkit/world.js';

describe('live shopping', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let stranger: Person;
  let shop: Shop;
  before(async () => {
    world = await World.start();
    [ann, bob, stranger] = await world.people('Ann', 'Bob', 'Stranger');
    shop = await openShop(world, ann);
  });
  after(() => world.stop());

  const show = async (person: Person, callId: string, productId: string, shown = true) => (await person.api.showcaseProduct({ input: { callId, productId, shown } })).showcaseProduct.call.showcase.map((one) => one.productId);

  it('a sale in a call sells out exactly: watchers see what is shown, buy without leaving, and the stock counts down', async () => {
    const watchers = await world.people(...[...Array(8)].map((_, index) => `Watcher${index}`));
    const stock = 5;
    const tea = await sell(world, shop, 'Tea of the day', { stock });
    const callId = await startCall(world, ann, await world.groupChat(ann, watchers), { ring: false });
    await Seat.take(ann, callId);
    const seats = [];
    for (const watcher of watchers) seats.push(await Seat.take(watcher, callId));
    assert.deepEqual(await show(ann, callId, tea.id), [tea.id]);
    const shown = await Promise.all(seats.map((seat) => seat.until('CallShowcaseChanged')));
    for (const { call } of shown) assert.deepEqual(call.showcase.map(({ productId, product }) => [productId, product!.variants[0]!.available]), [[tea.id, stock]]);
    const live = watchers.map((watcher) => watcher.client.productEvents([tea.id]));
    const results = await Promise.all(
      watchers.map(async ({ api }) => {
        const { cart } = (await api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
        await api.addToCart({ input: { cartId: cart.id, variantId: tea.variants[0]!.id, quantity: 1, idempotencyKey: world.key() } });
        return (await api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, idempotencyKey: world.key() } })).checkout.result.__typename;
      }),
    );
    assert.deepEqual([...results].sort(), [...Array(stock).fill('CheckoutCompleted'), ...Array(watchers.length - stock).fill('CheckoutOutOfStock')]);
    for (const stream of live) {
      for (let left = stock; left > 0; ) {
        const { value } = await within(stream.next(), 'the stock');
        left = value!.product!.variants[0]!.available!;
        assert.ok(left >= 0 && left <= stock);
      }
      stream.close();
    }
    const { orders, charged } = (await world.sql<{ orders: number; charged: number }>(
      `select (select count(*)::int from orders o join order_lines l on l.order_id = o.id where l.title = 'Tea of the day' and o.state = 'CONFIRMED') as orders, (select count(*)::int from sandbox_payments where state = 'CAPTURED') as charged`,
    ))[0]!;
    assert.deepEqual([orders, charged], [stock, stock]);
    // All of them are still in the call.
    assert.equal((await ann.api.callParticipants({ id: callId, states: ['JOINED'], first: 100 })).call!.participants.edges.length, watchers.length + 1);
    await ann.api.endCall({ input: { callId } });
  });

  it('the newest is in front, a guest sees it too, and who has not joined reads it', async () => {
    const callId = await startCall(world, ann, await world.groupChat(ann, [bob]), { ring: false });
    await Seat.take(ann, callId);
    const [tea, cup] = [await sell(world, shop, 'Tea'), await sell(world, shop, 'Cup')];
    await show(ann, callId, tea.id);
    assert.deepEqual(await show(ann, callId, cup.id), [cup.id, tea.id]);
    assert.deepEqual(await show(ann, callId, tea.id), [tea.id, cup.id]);
    const guest = await guestOf(world, ann, callId);
    const seat = await Seat.take(guest, callId);
    assert.deepEqual(await show(ann, callId, cup.id, false), [tea.id]);
    assert.deepEqual((await seat.until('CallShowcaseChanged')).call.showcase.map(({ product }) => product!.title), ['Tea']);
    assert.equal((await bob.api.call({ id: callId })).call!.showcase.length, 1);
    await ann.api.setProductStatus({ input: { productId: tea.id, status: 'ARCHIVED' } });
    assert.deepEqual((await bob.api.call({ id: callId })).call!.showcase.map(({ productId, product }) => [productId, product]), [[tea.id, null]]);
    const before = await digest(world);
    await show(ann, callId, cup.id, false); // is away already
    await fails(show(ann, callId, tea.id.replace(/.$/, tea.id.endsWith('0') ? '1' : '0')), 'NOT_FOUND', 'productId');
    await fails(show(bob, callId, cup.id), 'FORBIDDEN');
    await fails(show(stranger, callId, cup.id), 'NOT_FOUND');
    assert.deepEqual(await digest(world), before);
    await ann.api.endCall({ input: { callId } });
    await fails(show(ann, callId, cup.id), 'STATE_CONFLICT');
  });

  it('at most 20 are shown', async () => {
    const callId = await startCall(world, ann, await world.groupChat(ann, [bob]), { ring: false });
    await Seat.take(ann, callId);
    const products = [];
    for (let n = 0; n < 21; n++) products.push(await sell(world, shop, `Cup ${n}`));
    for (const { id } of products.slice(0, 20)) await show(ann, callId, id);
    await fails(show(ann, callId, products[20]!.id), 'LIMIT_REACHED');
    assert.equal((await show(ann, callId, products[0]!.id)).length, 20);
    await ann.api.endCall({ input: { callId } });
  });
});
