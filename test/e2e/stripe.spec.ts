import assert from 'node:assert/strict';
import { ADDRESS, booksBalance, checkOut, confirm, fillCart, openShop, orderOf, sell, stockLevel, terms, type Shop, type Sold } from '../testkit/commerce.js';
import { StripeServer } from '../testkit/stripe.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const [CARD, DECLINED, SECURE] = ['pm_card_visa', 'pm_card_visa_chargeDeclined', 'pm_card_threeDSecure2Required'];

describe('paying by Stripe', () => {
  let world: World;
  let stripe: StripeServer;
  let ann: Person;
  let bob: Person;
  let shop: Shop;
  let tea: Sold;
  let hook: string;
  before(async () => {
    stripe = await StripeServer.start();
    world = await World.start({
      // Of a second server, as the operator had set it up before.
      configOf: (node) => (node ? { SANDBOX_PAYMENTS: true } : {}),
      settings: {
        ACCESS_TOKEN_TTL: '86400', PLATFORM_FEE_BPS: '250', STRIPE_SECRET_KEY: 'sk_test_loopback', STRIPE_WEBHOOK_SECRET: stripe.secret, STRIPE_URL: stripe.url, STRIPE_RETURN_URL: 'https://shop.example/done', STRIPE_TIMEOUT: '1',
      },
    });
    hook = `${world.app.url}/webhooks/payments/stripe`;
    [ann, bob] = await world.people('Ann', 'Bob');
    shop = await openShop(world, ann);
    tea = await sell(world, shop, 'Tea', { stock: 1_000 });
  });
  after(async () => {
    await world.stop();
    await stripe.stop();
  });
  afterEach(async () => {
    stripe.onEvent = null;
    assert.deepEqual(stripe.faults, []);
    await booksBalance(world);
    // What Stripe has taken and not given back is what stands in our books, order by order.
    const taken = [...stripe.intents.values()].map((intent) => ({ key: intent.metadata['omnitalk_payment']!, left: (intent.amount_received - (intent.latest_charge?.amount_refunded ?? 0)) / ({ isk: 100, mga: 1 / 100 }[intent.currency] ?? 1) })).filter(({ left }) => left > 0);
    const booked = await world.sql<{ key: string; left: number }>(
      `select p.id::text as key, (p.captured - p.refunded)::int as left from payments p join orders o on o.id = p.order_id where p.provider = 'stripe' and p.captured > p.refunded and o.state <> 'CANCELLED'`,
    );
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    assert.deepEqual(booked.sort(byKey), taken.sort(byKey));
  });

  const buy = async (method: string, more: { idempotencyKey?: string } = {}) => checkOut(world, bob, await fillCart(world, bob, shop, [[tea, 2]]), { provider: 'stripe', method, ...more });
  const read = async (id: string) => (await bob.api.order({ id })).order!;
  const events = (type: string) => stripe.events.filter((event) => event.type === type);
  const last = (type: string) => events(type).at(-1)!;
  const findings = async ({ id }: Pick<Shop, 'id'> = shop) => (await ann.api.paymentFindings({ shopId: id, first: 50 })).paymentFindings!.edges.map(({ node }) => [node.kind, node.ours, node.theirs, node.mended]);
  const reconcile = async () => {
    world.clock.advance(3 * 60_000);
    await world.app.container.jobs.reconciliation.run();
  };

  it('a card pays, one that is declined does not, and what is no card is refused', async () => {
    const paid = await buy(CARD);
    assert.deepEqual([paid.__typename, orderOf(paid).payment!.captured.amount], ['CheckoutCompleted', 2_000]);
    const declined = await buy(DECLINED);
    assert.ok(declined.__typename === 'CheckoutDeclined' && declined.reason === 'DECLINED');
    // It can't be tried with another card either: the order is gone.
    assert.equal([...stripe.intents.values()].at(-1)!.status, 'canceled');
    assert.equal((await buy('pm_none_such')).__typename, 'CheckoutDeclined');
    assert.deepEqual((await stockLevel(world, tea))[1], 2);
  });

  it('nobody pays with the sandbox where money moves: neither who names it nor who names nobody, and gift cards need neither', async () => {
    const cartId = await fillCart(world, bob, shop, [[tea, 1]]);
    const chatId = await world.groupChat(ann, [bob]);
    const deadline = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
    const tiers = [{ quantity: 1, price: { amount: 900, currency: 'CHF' } }];
    const { id: groupBuyId } = (await ann.api.createGroupBuy({ input: { chatId, variantId: tea.variants[0]!.id, tiers, deadline, idempotencyKey: world.key() } })).createGroupBuy.groupBuy;
    const balances = async () => (await ann.api.shopBalances({ shopId: shop.id })).shopBalances;
    const before = [await balances(), await stockLevel(world, tea)];
    for (const provider of [{ provider: 'sandbox' }, {}]) {
      await fails(checkOut(world, bob, cartId, provider), 'INVALID_INPUT', 'provider');
      await fails(bob.api.joinGroupBuy({ input: { groupBuyId, quantity: 1, address: ADDRESS, ...provider, idempotencyKey: world.key() } }), 'INVALID_INPUT', 'provider');
    }
    assert.deepEqual([await balances(), await stockLevel(world, tea)], before);
    await ann.api.cancelGroupBuy({ input: { groupBuyId } });
    const { code } = (await ann.api.issueGiftCard({ input: { shopId: shop.id, value: { amount: 1_000, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    assert.equal((await checkOut(world, bob, cartId, { terms: terms({ giftCardCodes: [code!] }) })).__typename, 'CheckoutCompleted');
  });

  it('3-D Secure: the payer goes to the bank, and comes back paid or not', async () => {
    const asked = await buy(SECURE);
    assert.ok(asked.__typename === 'CheckoutActionRequired' && asked.url.startsWith(`${stripe.url}/3ds/`));
    assert.equal((await confirm(bob, asked.order.id)).__typename, 'CheckoutActionRequired');
    assert.equal(await stripe.authenticate(asked.url), `https://shop.example/done?payment_intent=${asked.url.split('/').at(-1)}`);
    assert.equal((await confirm(bob, asked.order.id)).__typename, 'CheckoutCompleted');
    const failed = await buy(SECURE);
    await stripe.authenticate((failed as { url: string }).url, false);
    const after = await confirm(bob, orderOf(failed).id);
    assert.ok(after.__typename === 'CheckoutDeclined' && after.reason === 'DECLINED');
  });

  it('what Stripe tells is heard: late, twice, out of order; and only what Stripe has signed', async () => {
    const asked = await buy(SECURE);
    const { id } = orderOf(asked);
    await stripe.authenticate((asked as { url: string }).url);
    const paid = last('payment_intent.succeeded');
    assert.equal(await stripe.send(paid, hook, 'whsec_of_somebody'), 400);
    assert.equal((await read(id)).state, 'PENDING');
    // The last first, and what came before it afterwards.
    assert.equal(await stripe.send(paid, hook), 200);
    assert.deepEqual([(await read(id)).state, (await read(id)).payment!.state], ['CONFIRMED', 'CAPTURED']);
    const { version } = await read(id);
    for (const event of [last('payment_intent.requires_action'), paid, last('payment_intent.created'), paid]) assert.equal(await stripe.send(event, hook), 200);
    assert.equal((await read(id)).version, version);
    assert.equal(await stripe.send({ id: 'evt_other', type: 'customer.created', data: { object: { id: 'cus_1' } } }, hook), 200);
    const stranger = { ...paid, data: { object: { ...paid.data.object, metadata: { omnitalk_payment: 'of somebody else' } } } };
    assert.equal(await stripe.send(stranger, hook), 200);
    assert.equal(await stripe.send(paid, hook.replace('stripe', 'sandbox')), 404);
    assert.equal((await fetch(hook, { method: 'POST', body: 'not even JSON' })).status, 400);
  });

  it('what is told while the checkout is still asking changes nothing', async () => {
    const sent: Promise<number>[] = [];
    stripe.onEvent = (event) => void sent.push(stripe.send(event, hook), stripe.send(event, hook));
    const results = await Promise.all([...Array(5)].map(() => buy(CARD)));
    assert.deepEqual([...new Set(await Promise.all(sent))], [200]);
    for (const result of results) {
      assert.equal(result.__typename, 'CheckoutCompleted');
      const { timeline } = await read(orderOf(result).id);
      assert.deepEqual(timeline.map(({ kind }) => kind), ['PLACED', 'PAYMENT_CAPTURED', 'CONFIRMED']);
    }
  });

  it('Stripe takes the money and does not answer, or hears nothing, or answers for half of it: it is paid once', async function () {
    this.timeout(60_000);
    const before = stripe.intents.size;
    const faults = [{ path: '/confirm', how: 'done' }, { path: '/payment_intents', how: 'done' }, { path: '/confirm', how: 'lost' }] as const;
    for (const fault of faults) {
      // The library asks once more by itself; it hears nothing either.
      stripe.faults = [fault, fault];
      const pending = await buy(CARD);
      const { id } = orderOf(pending);
      assert.equal(pending.__typename, 'CheckoutPending', JSON.stringify(fault));
      world.clock.advance(30_000);
      await eventually(async () => (await read(id)).payment!.state === 'CAPTURED', JSON.stringify(fault), 20_000);
    }
    assert.equal(stripe.intents.size, before + faults.length);
  });

  it('what is held is taken in part, or let go; what runs out cancels the order', async () => {
    await ann.api.updateShop({ input: { shopId: shop.id, holdPayments: true } });
    const [first, second, third] = [orderOf(await buy(CARD)), orderOf(await buy(CARD)), orderOf(await buy(CARD))];
    assert.equal(first.payment!.state, 'AUTHORIZED');
    const taken = (await ann.api.capturePayment({ input: { orderId: first.id, amount: 1_200 } })).capturePayment.order;
    assert.deepEqual([taken.payment!.state, taken.payment!.captured.amount], ['CAPTURED', 1_200]);
    assert.equal((await bob.api.cancelOrder({ input: { orderId: second.id } })).cancelOrder.order.state, 'CANCELLED');
    stripe.expire([...stripe.intents.keys()].at(-1)!);
    assert.equal(await stripe.send(last('payment_intent.canceled'), hook), 200);
    assert.deepEqual([(await read(third.id)).state, (await read(third.id)).payment!.failure], ['CANCELLED', 'EXPIRED']);
    await ann.api.updateShop({ input: { shopId: shop.id, holdPayments: false } });
  });

  it('refunds go back once, also when Stripe does not answer', async () => {
    const { id } = orderOf(await buy(CARD));
    stripe.faults = [{ path: '/refunds', how: 'done' }, { path: '/refunds', how: 'done' }];
    const before = stripe.refunds.size;
    const asked = (await ann.api.refundOrder({ input: { orderId: id, amount: 500, idempotencyKey: world.key() } })).refundOrder.order;
    assert.equal(asked.timeline.at(-1)!.kind, 'REFUND_ASKED');
    assert.equal(await stripe.send(last('refund.created'), hook), 200);
    assert.equal((await read(id)).timeline.at(-1)!.kind, 'REFUNDED');
    assert.equal(stripe.refunds.size, before + 1);
  });

  it('a refund that waits for the payer’s bank is asked about, later and later, and not made another time when Stripe has forgotten its key', async () => {
    const { id } = orderOf(await buy(CARD));
    const before = stripe.refunds.size;
    stripe.pending = true;
    const { timeline } = (await ann.api.refundOrder({ input: { orderId: id, amount: 500, idempotencyKey: world.key() } })).refundOrder.order;
    assert.equal(timeline.at(-1)!.kind, 'REFUND_ASKED');
    stripe.forgetKeys();
    const [waiting] = await world.sql<{ id: string }>(`select id from refunds where state = 'CREATED'`);
    for (const minutes of [10, 5 * 60]) {
      world.clock.advance(minutes * 60_000);
      await world.app.container.jobs.payments.refund(waiting!.id);
      const [next] = await world.sql(
        `select try_at >= created_at + make_interval(mins => $2) as late, try_at <= $3::timestamptz + interval '1 hour' as soon from refunds where id = $1`,
        [waiting!.id, minutes + Math.min(minutes, 60), world.clock.now()],
      );
      assert.deepEqual([next, stripe.refunds.size], [{ late: true, soon: true }, before + 1]);
    }
    stripe.settleRefunds();
    assert.equal(await stripe.send(last('refund.updated'), hook), 200);
    assert.deepEqual([(await read(id)).refunded.amount, (await read(id)).timeline.at(-1)!.kind, stripe.refunds.size], [500, 'REFUNDED', before + 1]);
  });

  it('a refund that the payer’s bank takes back days later is none: the order, the books and Stripe say so, whether it is told, twice, or never', async () => {
    const { id } = orderOf(await buy(CARD));
    const giveBack = async (amount: number) => {
      await ann.api.refundOrder({ input: { orderId: id, amount, idempotencyKey: world.key() } });
      return [...stripe.refunds.keys()].at(-1)!;
    };
    const [told, , silent] = [await giveBack(701), await giveBack(333), await giveBack(90)];
    const stands = async () => {
      const { refunded, timeline } = await read(id);
      return [refunded.amount, timeline.at(-1)!.kind];
    };
    stripe.returnRefund(told);
    const news = last('refund.failed');
    for (let times = 0; times < 2; times++) assert.equal(await stripe.send(news, hook), 200);
    assert.deepEqual(await stands(), [423, 'REFUND_RETURNED']);
    const { version } = await read(id);
    // What came before it, late: nothing more.
    for (const event of events('refund.created').slice(-3)) assert.equal(await stripe.send(event, hook), 200);
    assert.equal((await read(id)).version, version);
    stripe.returnRefund(silent);
    const before = (await findings()).length;
    await reconcile();
    assert.deepEqual([await stands(), (await findings()).slice(0, -before || undefined)], [[333, 'REFUND_RETURNED'], [['REFUND', '423', '333', true]]]);
    // It may be given back another time, and all of it.
    await ann.api.refundOrder({ input: { orderId: id, idempotencyKey: world.key() } });
    assert.deepEqual(await stands(), [2_000, 'REFUNDED']);
  });

  it('krónur have no hundredths, and Stripe counts by them: paid, held, taken in part, given back and compared', async () => {
    const { shop: own } = (await ann.api.createShop({ input: { name: 'Kaffi', slug: 'kaffi', currency: 'ISK', idempotencyKey: world.key() } })).createShop;
    const cup = await sell(world, { ...own, owner: ann }, 'Kaffi', { variants: [{ sku: `sku-${world.key()}`, prices: [{ amount: 1_499, currency: 'ISK' }], stock: 10 }] });
    const order = async () => orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 1]]), { provider: 'stripe', method: CARD }));
    const newest = () => [...stripe.intents.values()].at(-1)!;
    const paid = await order();
    const intent = newest();
    assert.deepEqual([paid.payment!.captured, intent.currency, intent.amount_received], [{ amount: 1_499, currency: 'ISK' }, 'isk', 149_900]);
    await ann.api.refundOrder({ input: { orderId: paid.id, amount: 501, idempotencyKey: world.key() } });
    assert.deepEqual([(await read(paid.id)).timeline.at(-1)!.kind, intent.latest_charge!.amount_refunded], ['REFUNDED', 50_100]);
    await ann.api.updateShop({ input: { shopId: own.id, holdPayments: true } });
    const held = await order();
    const { payment } = (await ann.api.capturePayment({ input: { orderId: held.id, amount: 999 } })).capturePayment.order;
    assert.deepEqual([payment!.captured.amount, newest().amount_received], [999, 99_900]);
    stripe.refundByHand(newest().id, 9_900);
    await reconcile();
    assert.deepEqual([await findings(own), (await read(held.id)).refunded.amount], [[['REFUND', '0', '99', true]], 99]);
  });

  it('ariaries have hundredths by ISO 4217 and none at Stripe: whole ones are paid and given back, others are refused', async () => {
    const { shop: own } = (await ann.api.createShop({ input: { name: 'Vanilla', slug: 'vanilla', currency: 'MGA', idempotencyKey: world.key() } })).createShop;
    const [whole, broken] = await Promise.all([150_000, 150_050].map((amount) => sell(world, { ...own, owner: ann }, `For ${amount}`, { variants: [{ sku: `sku-${world.key()}`, prices: [{ amount, currency: 'MGA' }], stock: 10 }] })));
    const order = async (sold: typeof whole) => checkOut(world, bob, await fillCart(world, bob, own, [[sold!, 1]]), { provider: 'stripe', method: CARD });
    const paid = orderOf(await order(whole));
    const intent = [...stripe.intents.values()].at(-1)!;
    assert.deepEqual([paid.payment!.captured, intent.currency, intent.amount_received], [{ amount: 150_000, currency: 'MGA' }, 'mga', 1_500]);
    await ann.api.refundOrder({ input: { orderId: paid.id, amount: 50_000, idempotencyKey: world.key() } });
    assert.deepEqual([(await read(paid.id)).refunded.amount, intent.latest_charge!.amount_refunded], [50_000, 500]);
    const intents = stripe.intents.size;
    assert.equal((await order(broken)).__typename, 'CheckoutDeclined');
    assert.equal(stripe.intents.size, intents);
  });

  it('the reconciliation finds what Stripe never told, and mends it; a second run finds nothing more', async () => {
    await reconcile();
    const before = (await findings()).length;
    // Paid at the bank, and nobody has told or asked.
    const silent = await buy(SECURE);
    await stripe.authenticate((silent as { url: string }).url);
    // Given back at Stripe's own desk.
    const desk = orderOf(await buy(CARD));
    stripe.refundByHand([...stripe.intents.keys()].at(-1)!, 300);
    // A payment that we hold to have failed, as after a restored backup, and that was made.
    const lost = orderOf(await buy(CARD));
    const gone = [...stripe.intents.values()].at(-1)!;
    await world.sql(`delete from ledger_entries where transaction_id = (select t.id from ledger_transactions t join orders o on o.id = t.order_id where o.number = $1 and o.shop_id = (select shop_id from payments p join orders x on x.id = p.order_id where p.id = $2))`, [lost.number, gone.metadata['omnitalk_payment']]);
    await world.sql(`update payments set state = 'FAILED', captured = 0, failure = 'CANCELLED' where id = $1`, [gone.metadata['omnitalk_payment']]);
    await world.sql(`update orders o set state = 'CANCELLED' from payments p where p.order_id = o.id and p.id = $1`, [gone.metadata['omnitalk_payment']]);
    await reconcile();
    assert.deepEqual([(await read(orderOf(silent).id)).state, (await read(desk.id)).refunded.amount, gone.latest_charge!.amount_refunded], ['CONFIRMED', 300, 2_000]);
    const found = await findings();
    assert.deepEqual(found.slice(0, found.length - before).sort(), [
      ['CHARGED_WITHOUT_ORDER', 'FAILED', 'CAPTURED 2000', true], ['REFUND', '0', '300', true], ['STATE', 'ACTION_REQUIRED', 'CAPTURED', true],
    ]);
    await reconcile();
    assert.equal((await findings()).length, found.length);
    assert.equal((await bob.api.paymentFindings({ shopId: shop.id })).paymentFindings, null);
    await fails(bob.api.paymentFindings({}), 'FORBIDDEN');
  });

  it('what was paid by the sandbox where that was offered goes on where it is not any more', async () => {
    await world.addNode();
    const there = { api: world.client(bob.accessToken, 1).api };
    const paid = await checkOut(world, there, await fillCart(world, bob, shop, [[tea, 1]]));
    const waiting = await checkOut(world, there, await fillCart(world, bob, shop, [[tea, 1]]), { method: 'sandbox_action' });
    assert.deepEqual([paid.__typename, waiting.__typename], ['CheckoutCompleted', 'CheckoutActionRequired']);
    assert.equal((await confirm(bob, orderOf(waiting).id)).__typename, 'CheckoutCompleted');
    const { order } = (await ann.api.refundOrder({ input: { orderId: orderOf(paid).id, idempotencyKey: world.key() } })).refundOrder;
    assert.deepEqual([order.refunded.amount, order.timeline.at(-1)!.kind], [1_000, 'REFUNDED']);
  });
});
