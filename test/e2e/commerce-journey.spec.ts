import assert from 'node:assert/strict';
import { booksBalance, terms } from '../testkit/commerce.js';
import { StripeServer } from '../testkit/stripe.js';
import { eventually, take, within, World, type Person } from '../testkit/world.js';

describe('from a shop to a chat to the door, by the public API alone', () => {
  let world: World;
  let stripe: StripeServer;
  let ann: Person;
  let friends: [Person, Person, Person];
  before(async () => {
    stripe = await StripeServer.start();
    world = await World.start({
      settings: { PLATFORM_FEE_BPS: '250', STRIPE_SECRET_KEY: 'sk_test_loopback', STRIPE_WEBHOOK_SECRET: stripe.secret, STRIPE_URL: stripe.url, STRIPE_RETURN_URL: 'https://shop.example/done' },
    });
    const [owner, ...others] = await world.people('Ann', 'Bob', 'Carol', 'Dave');
    [ann, friends] = [owner, others];
  });
  after(async () => {
    await world.stop();
    await stripe.stop();
  });

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
    await ann.api.shareProduct({ input: { chatId, productId: product.id, idempotencyKey: key() } });
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
    const told: Promise<number>[] = [];
    stripe.onEvent = (event) => void told.push(stripe.send(event, `${world.app.url}/webhooks/payments/stripe`));
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
    assert.deepEqual([...new Set(await within(Promise.all(told), 'Stripe is heard'))], [200]);

    // What Stripe has is what the books say: 52.00 less 9.00, of which the platform keeps 2.5 %.
    const [intent] = [...stripe.intents.values()];
    assert.deepEqual([intent!.amount_received, intent!.latest_charge!.amount_refunded, stripe.intents.size], [5_200, 900, 1]);
    const [balance] = (await ann.api.shopBalances({ shopId: shop.id })).shopBalances!;
    assert.deepEqual([balance!.available.amount, balance!.fees.amount], [4_193, 107]);
    await booksBalance(world);
  });
});
