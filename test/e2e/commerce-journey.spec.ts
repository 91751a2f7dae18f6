import assert from 'node:assert/strict';
import { Seat, startCall } from '../testkit/calls.js';
import { ADDRESS, booksBalance, checkOut, fillCart, openShop, sell, terms, type Shop } from '../testkit/commerce.js';
import { StripeServer } from '../testkit/stripe.js';
import { eventually, take, within, World, type Person } from '../testkit/world.js';

describe('from a shop to a chat to the door, by the public API alone', () => {
  let world: World;
  let stripe: StripeServer;
  let ann: Person;
  let friends: [Person, Person, Person];
  /** What Stripe was answered to each thing that it told. */
  const told: Promise<number>[] = [];
  const heard = async () => assert.deepEqual([...new Set(await within(Promise.all(told.splice(0)), 'Stripe is heard'))], [200]);
  before(async () => {
    stripe = await StripeServer.start();
    world = await World.start({
      settings: { JOBS: 'false', ACCESS_TOKEN_TTL: '86400', PUBLIC_URL: 'https://shop.example', PLATFORM_FEE_BPS: '250', STRIPE_SECRET_KEY: 'sk_test_loopback', STRIPE_WEBHOOK_SECRET: stripe.secret, STRIPE_URL: stripe.url, STRIPE_RETURN_URL: 'https://shop.example/done' },
    });
    const [owner, ...others] = await world.people('Ann', 'Bob', 'Carol', 'Dave');
    [ann, friends] = [owner, others];
    stripe.onEvent = (event) => void told.push(stripe.send(event, `${world.app.url}/webhooks/payments/stripe`));
  });
  after(async () => {
    await world.stop();
    await stripe.stop();
  });
  afterEach(() => booksBalance(world));

  it('a merchant lists and shares; three fill a cart; one pays by Stripe with 3-D Secure; it is sent, and partly given back', async function () {
    this.timeout(60_000);
    const key = () => world.key();
    const [bob, carol, dave] = friends;
    // A shop, a product, and a way of sending.
    const { shop } = (await ann.api.createShop({ input: { name: 'Teas', slug: 'teas', currency: 'CHF', idempotencyKey: key() } })).createShop;
    const variants = ['50 g', '100 g'].map((size, index) => ({ sku: `sencha-${index}`, optionValues: [size], stock: 10, prices: [{ amount: 900 * (1 + index), currency: 'CHF' }] }));
    const { product } = (await ann.api.createProduct({ input: { shopId: shop.id, title: 'Sencha', options: [{ name: 'Size', values: ['50 g', '100 g'] }], variants, idempotencyKey: key() } })).createProduct;
    await ann.api.setProductStatus({ input: { productId: product.id, status: 'PUBLISHED' } });
    const { shippingMethod } = (await ann.api.createShippingMethod({ input: { shopId: shop.id, name: 'Post', price: { amount: 700, currency: 'CHF' }, countries: ['CH'] } })).createShippingMethod;
    await ann.api.setTaxRule({ input: { shopId: shop.id, country: 'CH', taxClass: 'standard', ratePpm: 26_000, included: true } });

    // Shown in a chat, where three open one cart.
    const chatId = await world.groupChat(ann, friends, 'Tea circle');
    const { message } = (await ann.api.shareProduct({ input: { chatId, productId: product.id, idempotencyKey: key() } })).shareProduct;
    assert.ok(message.card?.__typename === 'ProductCard' && message.card.product!.price!.min.amount === 900);
    const { cart } = (await bob.api.createCart({ input: { shopId: shop.id, idempotencyKey: key() } })).createCart;
    await bob.api.shareCart({ input: { cartId: cart.id, chatId, idempotencyKey: key() } });
    const live = carol.client.cartEvents(cart.id, (await carol.api.cart({ id: cart.id })).cart!.eventCursor);
    const [small, large] = product.variants;
    const add = (person: Person, variantId: string, quantity: number) => person.api.addToCart({ input: { cartId: cart.id, variantId, quantity, idempotencyKey: key() } });
    await Promise.all([add(bob, small!.id, 1), add(carol, small!.id, 2), add(dave, large!.id, 1)]);
    const events = await take(live, 3);
    assert.ok(events.every(({ __typename }) => __typename === 'CartLineChanged'));
    live.close();
    const filled = (await dave.api.cart({ id: cart.id })).cart!;
    assert.deepEqual(filled.lines.map(({ quantity, shares }) => [quantity, shares.length]).sort(), [[1, 1], [3, 2]]);

    // One of them pays for all.
    const chosen = terms({ shippingMethodId: shippingMethod.id });
    const { totals } = (await bob.api.quoteCheckout({ cartId: cart.id, terms: chosen })).quoteCheckout;
    assert.equal(totals.total.amount, 3 * 900 + 1_800 + 700);
    const { result } = (
      await bob.api.checkout({ input: { cartId: cart.id, terms: chosen, provider: 'stripe', method: 'pm_card_threeDSecure2Required', expectedTotal: { amount: 5_200, currency: 'CHF' }, idempotencyKey: key() } })
    ).checkout;
    assert.ok(result.__typename === 'CheckoutActionRequired');
    const orderId = result.order.id;
    assert.ok((await stripe.authenticate(result.url))!.startsWith('https://shop.example/done'));
    // The payer's app is gone: what Stripe tells is enough.
    await eventually(async () => (await bob.api.order({ id: orderId })).order!.state === 'CONFIRMED', 'the order is confirmed', 20_000);
    assert.equal((await dave.api.cart({ id: cart.id })).cart!.state, 'ORDERED');

    // Sent in two parts, arrived, an invoice; and one packet comes back.
    const [line] = result.order.lines.filter(({ quantity }) => quantity === 3);
    await ann.api.fulfillOrder({ input: { orderId, lines: [{ lineId: line!.id, quantity: 3 }], tracking: 'CH-1', idempotencyKey: key() } });
    const { fulfillments } = (await ann.api.fulfillOrder({ input: { orderId, tracking: 'CH-2', idempotencyKey: key() } })).fulfillOrder.order;
    for (const { id } of fulfillments) await ann.api.deliverFulfillment({ input: { fulfillmentId: id } });
    const { invoice } = (await bob.api.createInvoice({ input: { orderId } })).createInvoice.order;
    assert.ok((await (await fetch(invoice!.url!)).text()).startsWith('%PDF-'));
    const { returns } = (await bob.api.requestReturn({ input: { orderId, lines: [{ lineId: line!.id, quantity: 1 }], reason: 'dented', idempotencyKey: key() } })).requestReturn.order;
    await ann.api.decideReturn({ input: { returnId: returns[0]!.id, approve: true } });
    const { order } = (await ann.api.receiveReturn({ input: { returnId: returns[0]!.id, restock: false } })).receiveReturn;
    assert.deepEqual([order.state, order.refunded.amount, order.payment!.captured.amount], ['COMPLETED', 900, 5_200]);
    await heard();

    // What Stripe has is what the books say: 52.00 less 9.00, of which the platform keeps 2.5 %.
    const [intent] = [...stripe.intents.values()];
    assert.deepEqual([intent!.amount_received, intent!.latest_charge!.amount_refunded, stripe.intents.size], [5_200, 900, 1]);
    const [balance] = (await ann.api.shopBalances({ shopId: shop.id })).shopBalances!;
    assert.deepEqual([balance!.available.amount, balance!.fees.amount], [4_193, 107]);
  });

  /** A group buy of three and more in a chat of the friends, each of whom joins with a card. */
  async function together(shop: Shop, methods: string[]): Promise<{ id: string; orders: string[] }> {
    const cup = await sell(world, shop, 'Cup', { amount: 1_000, stock: 20 });
    const chatId = await world.groupChat(ann, friends);
    const tiers = [{ quantity: 3, price: { amount: 900, currency: 'CHF' } }, { quantity: 5, price: { amount: 800, currency: 'CHF' } }];
    const deadline = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
    const { id } = (await ann.api.createGroupBuy({ input: { chatId, variantId: cup.variants[0]!.id, tiers, deadline, idempotencyKey: world.key() } })).createGroupBuy.groupBuy;
    const orders: string[] = [];
    for (const [index, method] of methods.entries()) {
      const { order } = (await friends[index]!.api.joinGroupBuy({ input: { groupBuyId: id, quantity: 1 + index, address: ADDRESS, provider: 'stripe', method, idempotencyKey: world.key() } })).joinGroupBuy;
      if (order.payment!.state === 'ACTION_REQUIRED') await stripe.authenticate((await confirmed(friends[index]!, order.id)).url);
      orders.push(order.id);
    }
    await heard();
    return { id, orders };
  }
  const confirmed = async (person: Person, orderId: string) => {
    const { result } = (await person.api.confirmPayment({ input: { orderId } })).confirmPayment;
    assert.ok(result.__typename === 'CheckoutActionRequired');
    return result;
  };
  /** The deadline has passed: it is decided, and each payment is taken or let go. */
  async function decide(): Promise<void> {
    world.clock.advance(3_600_000);
    for (let round = 0; round < 3; round++) {
      while (await world.app.container.jobs.groupBuys.sweep());
      world.clock.advance(61_000);
      while (await world.app.container.jobs.payments.sweep());
    }
    await heard();
  }
  const outcome = async ({ id, orders }: { id: string; orders: string[] }) => {
    const { groupBuy } = await ann.api.groupBuy({ id });
    const read = await Promise.all(orders.map(async (orderId) => (await ann.api.order({ id: orderId })).order!));
    return [groupBuy!.state, groupBuy!.price.amount, ...read.map(({ state, payment }) => [state, payment!.state, payment!.captured.amount])];
  };
  const newest = (count: number) => [...stripe.intents.values()].slice(-count).map(({ status, amount_received }) => [status, amount_received]);

  it('a group buy succeeds, and everybody pays the lower price once; another fails, and nobody pays', async function () {
    this.timeout(60_000);
    const shop = await openShop(world, ann);
    const well = await together(shop, ['pm_card_visa', 'pm_card_threeDSecure2Required', 'pm_card_visa']);
    assert.deepEqual(newest(3), Array(3).fill(['requires_capture', 0]));
    await decide();
    assert.deepEqual(await outcome(well), ['SUCCEEDED', 800, ['CONFIRMED', 'CAPTURED', 800], ['CONFIRMED', 'CAPTURED', 1_600], ['CONFIRMED', 'CAPTURED', 2_400]]);
    assert.deepEqual(newest(3), [['succeeded', 800], ['succeeded', 1_600], ['succeeded', 2_400]]);
    const badly = await together(shop, ['pm_card_visa', 'pm_card_visa_chargeDeclined']);
    await decide();
    assert.deepEqual(await outcome(badly), ['FAILED', 900, ['CANCELLED', 'FAILED', 0], ['CANCELLED', 'FAILED', 0]]);
    assert.deepEqual(newest(2), [['canceled', 0], ['canceled', 0]]);
  });

  it('a sale in a call sells out exactly', async function () {
    this.timeout(60_000);
    const shop = await openShop(world, ann);
    const tea = await sell(world, shop, 'Tea of the day', { stock: 2 });
    const callId = await startCall(world, ann, await world.groupChat(ann, friends), { ring: false });
    const seats = await Promise.all([ann, ...friends].map((person) => Seat.take(person, callId)));
    await ann.api.showcaseProduct({ input: { callId, productId: tea.id, shown: true } });
    const shown = await Promise.all(seats.map((seat) => seat.until('CallShowcaseChanged')));
    assert.deepEqual(shown.map(({ call }) => call.showcase[0]!.product!.variants[0]!.available), Array(4).fill(2));
    const live = friends[0].client.productEvents([tea.id]);
    const results = await Promise.all(friends.map(async (person) => (await checkOut(world, person, await fillCart(world, person, shop, [[tea, 1]]), { provider: 'stripe', method: 'pm_card_visa' })).__typename));
    assert.deepEqual(results.sort(), ['CheckoutCompleted', 'CheckoutCompleted', 'CheckoutOutOfStock']);
    for (let left = 2; left > 0; ) left = (await within(live.next(), 'the stock')).value!.product!.variants[0]!.available!;
    live.close();
    assert.deepEqual(newest(2), Array(2).fill(['succeeded', 1_000]));
    await heard();
    await ann.api.endCall({ input: { callId } });
  });
});
