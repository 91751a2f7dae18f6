import assert from 'node:assert/strict';
import { booksBalance, checkOut, confirm, fillCart, openShop, orderOf, sell, stockLevel, type Shop, type Sold } from '../testkit/commerce.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

describe('payments that are held', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let shop: Shop;
  let tea: Sold;
  before(async () => {
    world = await World.start({ settings: { PLATFORM_FEE_BPS: '250', ACCESS_TOKEN_TTL: '86400' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    shop = await openShop(world, ann);
    assert.equal((await ann.api.updateShop({ input: { shopId: shop.id, holdPayments: true } })).updateShop.shop.holdPayments, true);
    tea = await sell(world, shop, 'Tea', { stock: 1_000 });
  });
  after(() => world.stop());
  afterEach(() => booksBalance(world));

  const buy = async (method: string) => checkOut(world, bob, await fillCart(world, bob, shop, [[tea, 2]]), { method });
  const capture = async (orderId: string, amount?: number) => (await ann.api.capturePayment({ input: { orderId, ...(amount === undefined ? {} : { amount }) } })).capturePayment.order;
  const read = async (id: string) => (await bob.api.order({ id })).order!;

  it('what is ordered is held, then taken in full, or in part and the rest let go', async () => {
    const held = orderOf(await buy('sandbox_ok'));
    assert.deepEqual([held.state, held.payment!.state, held.payment!.captured.amount], ['CONFIRMED', 'AUTHORIZED', 0]);
    await fails(capture(held.id, 2_001), 'INVALID_INPUT', 'amount');
    await fails(capture(held.id, 0), 'INVALID_INPUT', 'amount');
    await fails(bob.api.capturePayment({ input: { orderId: held.id } }), 'FORBIDDEN');
    const taken = await capture(held.id);
    assert.deepEqual([taken.payment!.state, taken.payment!.captured.amount], ['CAPTURED', 2_000]);
    assert.equal((await capture(held.id)).version, taken.version);

    const part = orderOf(await buy('sandbox_ok'));
    const [first, second] = await Promise.all([capture(part.id, 1_500), capture(part.id, 1_500)]);
    assert.deepEqual([first.payment!.captured.amount, second.payment!.captured.amount], [1_500, 1_500]);
    // What was not taken can't be given back.
    await fails(ann.api.refundOrder({ input: { orderId: part.id, amount: 1_501, idempotencyKey: world.key() } }), 'INVALID_INPUT', 'amount');
    const refunded = (await ann.api.refundOrder({ input: { orderId: part.id, idempotencyKey: world.key() } })).refundOrder.order;
    assert.deepEqual([refunded.refunded.amount, refunded.timeline.map(({ kind }) => kind)], [
      1_500, ['PLACED', 'PAYMENT_AUTHORIZED', 'CONFIRMED', 'CAPTURE_ASKED', 'PAYMENT_CAPTURED', 'REFUND_ASKED', 'REFUNDED'],
    ]);
  });

  it('an order that is called off lets go of what is held; taken and called off at once, one of them wins', async () => {
    const [, reserved] = await stockLevel(world, tea);
    const held = orderOf(await buy('sandbox_action'));
    assert.equal(orderOf(await confirm(bob, held.id)).payment!.state, 'AUTHORIZED');
    const { order } = (await bob.api.cancelOrder({ input: { orderId: held.id } })).cancelOrder;
    assert.deepEqual([order.state, order.payment!.state, (await stockLevel(world, tea))[1]], ['CANCELLED', 'FAILED', reserved]);
    await fails(capture(held.id), 'STATE_CONFLICT');

    for (let round = 0; round < 5; round++) {
      const both = orderOf(await buy('sandbox_ok'));
      const tries = await Promise.allSettled([capture(both.id), bob.api.cancelOrder({ input: { orderId: both.id } })]);
      assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const { state, payment } = await read(both.id);
      assert.deepEqual([state, payment!.state], tries[0]!.status === 'fulfilled' ? ['CONFIRMED', 'CAPTURED'] : ['CANCELLED', 'FAILED']);
    }
  });

  it('a gateway that takes, or lets go, and does not answer, or has not heard, is asked again', async () => {
    const cases = ['sandbox_timeout', 'sandbox_lost'].flatMap((method) => [{ method, take: true }, { method, take: false }]);
    const orders = await Promise.all(cases.map(async (one) => ({ ...one, id: orderOf(await buy(one.method)).id })));
    world.clock.advance(30_000);
    const each = (state: (take: boolean) => string) =>
      Promise.all(orders.map(({ id, method, take }) => eventually(async () => (await read(id)).payment!.state === state(take), `${method} comes to ${state(take)}`, 20_000)));
    await each(() => 'AUTHORIZED');
    for (const { id, take } of orders) {
      if (take) assert.equal((await capture(id, 700)).payment!.state, 'AUTHORIZED');
      else {
        assert.equal((await bob.api.cancelOrder({ input: { orderId: id } })).cancelOrder.order.state, 'CONFIRMED');
        await fails(ann.api.fulfillOrder({ input: { orderId: id, idempotencyKey: world.key() } }), 'STATE_CONFLICT');
      }
    }
    world.clock.advance(30_000);
    await each((take) => (take ? 'CAPTURED' : 'FAILED'));
    for (const { id, take } of orders) {
      const after = await read(id);
      assert.deepEqual([after.state, after.payment!.captured.amount], take ? ['CONFIRMED', 700] : ['CANCELLED', 0]);
    }
  });
});
