import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CheckoutInput, CreateProductInput } from '../../sdk/generated/graphql.js';
import { ADDRESS, booksBalance, checkOut, confirm, fillCart, openShop, orderOf, sell, stockLevel, terms, type Result, type Shop, type Sold } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

describe('checkout and orders', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let shop: Shop;
  before(async () => {
    world = await World.start({ settings: { PLATFORM_FEE_BPS: '250', ACCESS_TOKEN_TTL: '86400' } });
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    shop = await openShop(world, ann);
  });
  after(() => world.stop());
  afterEach(() => booksBalance(world));

  const variant = (product: Sold) => product.variants[0]!.id;
  const cartOf = (person: Person, wanted: [Sold, number][], from = shop) => fillCart(world, person, from, wanted);
  const checkout = (person: Person, cartId: string, more: Partial<CheckoutInput> = {}) => checkOut(world, person, cartId, more);
  const stateOf = async (cartId: string, person = bob) => (await person.api.cart({ id: cartId })).cart!.state;
  const stockOf = (product: Sold) => stockLevel(world, product);

  it('an order goes from the cart to the door, with its timeline, and some of it comes back', async () => {
    const [tea, cup] = [await sell(world, shop, 'Tea', { amount: 900 }), await sell(world, shop, 'Cup', { amount: 1_250 })];
    const cartId = await cartOf(bob, [[tea, 2], [cup, 1]]);
    const result = await checkout(bob, cartId, { expectedTotal: { amount: 3_050, currency: 'CHF' } });
    assert.equal(result.__typename, 'CheckoutCompleted');
    const placed = orderOf(result);
    assert.deepEqual([placed.state, placed.totals.total.amount, placed.payment!.state, placed.lines.map(({ quantity }) => quantity).sort()], ['CONFIRMED', 3_050, 'CAPTURED', [1, 2]]);
    assert.deepEqual([await stateOf(cartId), await stockOf(tea), await stockOf(cup)], ['ORDERED', [10, 2], [10, 1]]);
    assert.equal((await carol.api.order({ id: placed.id })).order, null);

    const teaLine = placed.lines.find(({ title }) => title === 'Tea')!;
    const idempotencyKey = world.key();
    const send = (lines: { lineId: string; quantity: number }[] | null, key = world.key()) => ann.api.fulfillOrder({ input: { orderId: placed.id, lines, tracking: 'CH-1', idempotencyKey: key } });
    await send([{ lineId: teaLine.id, quantity: 1 }], idempotencyKey);
    const part = (await send([{ lineId: teaLine.id, quantity: 1 }], idempotencyKey)).fulfillOrder.order;
    assert.deepEqual([part.fulfillments.length, await stockOf(tea)], [1, [9, 1]]);
    await fails(send([{ lineId: teaLine.id, quantity: 2 }]), 'INVALID_INPUT', 'lines.quantity');
    await fails(bob.api.fulfillOrder({ input: { orderId: placed.id, idempotencyKey: world.key() } }), 'FORBIDDEN');
    const sent = (await send(null)).fulfillOrder.order;
    assert.deepEqual([sent.lines.every(({ quantity, fulfilled }) => quantity === fulfilled), await stockOf(tea), await stockOf(cup)], [true, [8, 0], [9, 0]]);
    const [first, second] = sent.fulfillments;
    assert.equal((await ann.api.deliverFulfillment({ input: { fulfillmentId: first!.id } })).deliverFulfillment.order.state, 'CONFIRMED');
    assert.equal((await ann.api.deliverFulfillment({ input: { fulfillmentId: second!.id } })).deliverFulfillment.order.state, 'COMPLETED');

    const refund = (amount: number | null, key = world.key()) => ann.api.refundOrder({ input: { orderId: placed.id, amount, reason: 'a chip', idempotencyKey: key } });
    const key = world.key();
    await refund(1_000, key);
    assert.equal((await refund(1_000, key)).refundOrder.order.refunded.amount, 1_000);
    await fails(refund(2_051), 'INVALID_INPUT', 'amount');
    await fails(bob.api.refundOrder({ input: { orderId: placed.id, idempotencyKey: world.key() } }), 'FORBIDDEN');
    const both = await Promise.allSettled([refund(2_000), refund(2_000)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const { order } = (await refund(null)).refundOrder;
    assert.equal(order.refunded.amount, 3_050);
    await fails(refund(null), 'STATE_CONFLICT');
    assert.deepEqual(order.timeline.map(({ kind }) => kind), [
      'PLACED', 'PAYMENT_CAPTURED', 'CONFIRMED', 'SHIPPED', 'SHIPPED', 'DELIVERED', 'DELIVERED', 'COMPLETED', ...Array<string[]>(3).fill(['REFUND_ASKED', 'REFUNDED']).flat(),
    ]);
    // The fee of what was given back is given back too: nobody has anything of it.
    const owed = await world.sql<{ account: string; sum: number }>(`select e.account, sum(e.amount)::int as sum from ledger_entries e join ledger_transactions t on t.id = e.transaction_id group by e.account`);
    assert.ok(owed.every(({ sum }) => sum === 0), JSON.stringify(owed));
  });

  it('with tax, shipping, discounts and a gift card; the order costs what the quote said', async () => {
    const own = await openShop(world, ann);
    const tea = await sell(world, own, 'Tea', { amount: 1_999, stock: 100 });
    await ann.api.setTaxRule({ input: { shopId: own.id, country: 'CH', taxClass: 'standard', ratePpm: 26_000, included: true } });
    await ann.api.setTaxRule({ input: { shopId: own.id, country: 'CH', taxClass: 'shipping', ratePpm: 81_000, included: false } });
    const { shippingMethod } = (await ann.api.createShippingMethod({ input: { shopId: own.id, name: 'Post', price: { amount: 700, currency: 'CHF' }, freeFrom: 10_000, countries: ['CH'] } })).createShippingMethod;
    await ann.api.createDiscount({ input: { shopId: own.id, code: 'ten-off', kind: 'PERCENT', value: 1_000, maxUses: 2, maxUsesEach: 1 } });
    const gift = (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 1_000, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const chosen = terms({ shippingMethodId: shippingMethod.id, couponCodes: ['Ten-Off'], giftCardCodes: [gift.code!.toLowerCase()] });
    const cartId = await cartOf(bob, [[tea, 3]], own);
    await fails(checkout(bob, cartId), 'INVALID_INPUT', 'shippingMethodId');
    await fails(checkout(bob, cartId, { terms: { ...chosen, address: { ...ADDRESS, country: 'DE' } } }), 'NOT_FOUND', 'shippingMethodId');
    await fails(checkout(bob, cartId, { terms: { ...chosen, couponCodes: ['NONE-SUCH'] } }), 'NOT_FOUND', 'couponCodes');
    await fails(checkout(bob, cartId, { terms: { ...chosen, giftCardCodes: ['G00000'] } }), 'NOT_FOUND', 'giftCardCodes');
    const quote = (await bob.api.quoteCheckout({ cartId, terms: chosen })).quoteCheckout;
    // 3 × 19.99 = 59.97, less 6.00 = 53.97 with 1.37 of tax in it; 7.00 of shipping with 0.57 on top; 10.00 by the card.
    assert.deepEqual(
      [quote.totals.subtotal, quote.totals.discount, quote.totals.shipping, quote.totals.tax, quote.totals.taxAdded, quote.totals.total, quote.totals.gift, quote.due].map(({ amount }) => amount),
      [5_997, 600, 700, 137 + 57, 57, 6_154, 1_000, 5_154],
    );
    const { totals, payment } = orderOf(await checkout(bob, cartId, { terms: chosen }));
    assert.deepEqual([totals, payment!.amount.amount], [quote.totals, 5_154]);
    const again = await cartOf(bob, [[tea, 1]], own);
    await fails(checkout(bob, again, { terms: { ...chosen, giftCardCodes: [] } }), 'LIMIT_REACHED', 'couponCodes');
    assert.equal((await bob.api.quoteCheckout({ cartId: again, terms: { ...chosen, couponCodes: [] } })).quoteCheckout.totals.gift.amount, 0); // it is used up
    // A failed payment gives back the coupon's use, and the card's money.
    const other = (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 500, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const declined = await checkout(carol, await cartOf(carol, [[tea, 1]], own), { terms: { ...chosen, giftCardCodes: [other.code!] }, method: 'sandbox_declined' });
    assert.equal(declined.__typename, 'CheckoutDeclined');
    const [left] = await world.sql<{ uses: number; balance: number }>(`select d.uses, g.balance::int as balance from discounts d, gift_cards g where d.code = 'TEN-OFF' and g.last4 = $1`, [other.last4]);
    assert.deepEqual(left, { uses: 1, balance: 500 });
    const paid = orderOf(await checkout(carol, await cartOf(carol, [[await sell(world, own, 'Sample', { amount: 100, taxClass: 'none' }), 1]], own), { terms: terms({ shippingMethodId: shippingMethod.id, giftCardCodes: [(await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 5_000, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard.code!] }) }));
    assert.deepEqual([paid.state, paid.payment], ['CONFIRMED', null]); // by the card alone
  });

  it('what the payer must do first, what is declined, and what is not known yet', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 5 });
    const cartId = await cartOf(bob, [[tea, 1]]);
    const action = await checkout(bob, cartId, { method: 'sandbox_action' });
    assert.ok(action.__typename === 'CheckoutActionRequired' && action.url.startsWith('https://'));
    assert.deepEqual([action.order.state, await stateOf(cartId), await stockOf(tea)], ['PENDING', 'CHECKOUT', [5, 1]]);
    await fails(checkout(bob, cartId), 'STATE_CONFLICT');
    await fails(bob.api.addToCart({ input: { cartId, variantId: variant(tea), quantity: 1, idempotencyKey: world.key() } }), 'STATE_CONFLICT');
    await fails(confirm(carol, action.order.id), 'NOT_FOUND');
    assert.equal((await confirm(bob, action.order.id)).__typename, 'CheckoutCompleted');
    assert.equal((await confirm(bob, action.order.id)).__typename, 'CheckoutCompleted');

    const second = await cartOf(bob, [[tea, 1]]);
    const refused = await checkout(bob, second, { method: 'sandbox_action_failed' });
    const after = await confirm(bob, orderOf(refused).id);
    assert.ok(after.__typename === 'CheckoutDeclined' && after.reason === 'DECLINED');
    assert.deepEqual([after.order.state, await stateOf(second), await stockOf(tea)], ['CANCELLED', 'OPEN', [5, 1]]);
    assert.equal((await checkout(bob, second, { method: 'sandbox_declined' })).__typename, 'CheckoutDeclined');
    assert.equal((await checkout(bob, second)).__typename, 'CheckoutCompleted');
    assert.deepEqual(await stockOf(tea), [5, 2]);
  });

  it('a gateway that pays and does not answer, or has not heard: somebody asks again, and it is paid once', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 5 });
    for (const method of ['sandbox_timeout', 'sandbox_lost', 'sandbox_pending']) {
      const cartId = await cartOf(bob, [[tea, 1]]);
      const pending = await checkout(bob, cartId, { method });
      assert.equal(pending.__typename, 'CheckoutPending', method);
      world.clock.advance(30_000);
      await eventually(async () => (await bob.api.order({ id: orderOf(pending).id })).order!.state === 'CONFIRMED', `${method} is paid`);
      const { order } = await bob.api.order({ id: orderOf(pending).id });
      assert.deepEqual([order!.payment!.state, await stateOf(cartId)], ['CAPTURED', 'ORDERED']);
      const [sandbox] = await world.sql<{ n: number; sum: number }>(`select count(*)::int as n, sum(amount)::int as sum from sandbox_payments where method = $1`, [method]);
      assert.deepEqual(sandbox, { n: 1, sum: 1_000 });
    }
  });

  it('a process that dies after the gateway has paid, or before it was asked, is followed by another', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 5 });
    // As it stands in the database after such a death: the intent, and perhaps the payment at the gateway, and nothing more.
    for (const paid of [true, false]) {
      const cartId = await cartOf(bob, [[tea, 1]]);
      const order = orderOf(await checkout(bob, cartId, { method: 'sandbox_pending' }));
      const [payment] = await world.sql<{ id: string }>(`select p.id from payments p join orders o on o.id = p.order_id where o.number = $1 and o.state = 'PENDING'`, [order.number]);
      await world.sql(`update payments set state = 'CREATED', reference = null, attempts = 0, method = 'sandbox_ok' where id = $1`, [payment!.id]);
      if (paid) await world.sql(`update sandbox_payments set state = 'CAPTURED', method = 'sandbox_ok' where key = $1`, [payment!.id]);
      else await world.sql('delete from sandbox_payments where key = $1', [payment!.id]);
      world.clock.advance(30_000);
      await eventually(async () => (await bob.api.order({ id: order.id })).order!.state === 'CONFIRMED', 'it is paid');
      assert.equal((await world.sql('select from sandbox_payments where key = $1', [payment!.id])).length, 1);
    }
  });

  it('a payment that nobody ends is given up, and the cart is open again', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 1 });
    const cartId = await cartOf(bob, [[tea, 1]]);
    const order = orderOf(await checkout(bob, cartId, { method: 'sandbox_action' }));
    world.clock.advance(31 * 60_000);
    await eventually(async () => (await bob.api.order({ id: order.id })).order!.state === 'CANCELLED', 'it is given up');
    assert.deepEqual([await stateOf(cartId), await stockOf(tea)], ['OPEN', [1, 0]]);
    // Too late for the payer: the gateway has given it up too.
    assert.equal((await confirm(bob, order.id)).__typename, 'CheckoutDeclined');
  });

  it('is called off while it is not paid; paid by hand when it is', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 5 });
    const waiting = orderOf(await checkout(bob, await cartOf(bob, [[tea, 1]]), { method: 'sandbox_action' }));
    await fails(carol.api.cancelOrder({ input: { orderId: waiting.id } }), 'NOT_FOUND');
    const cancelled = (await bob.api.cancelOrder({ input: { orderId: waiting.id } })).cancelOrder.order;
    assert.deepEqual([cancelled.state, cancelled.payment!.failure, await stockOf(tea)], ['CANCELLED', 'CANCELLED', [5, 0]]);
    assert.equal((await bob.api.cancelOrder({ input: { orderId: waiting.id } })).cancelOrder.order.version, cancelled.version);

    const byHand = orderOf(await checkout(bob, await cartOf(bob, [[tea, 2]]), { provider: 'manual', method: 'on delivery' }));
    assert.deepEqual([byHand.state, byHand.payment!.state], ['CONFIRMED', 'AUTHORIZED']);
    await fails(bob.api.capturePayment({ input: { orderId: byHand.id } }), 'FORBIDDEN');
    assert.equal((await ann.api.capturePayment({ input: { orderId: byHand.id } })).capturePayment.order.payment!.state, 'CAPTURED');
    await fails(bob.api.cancelOrder({ input: { orderId: byHand.id } }), 'STATE_CONFLICT');
    const held = orderOf(await checkout(bob, await cartOf(bob, [[tea, 1]]), { provider: 'manual', method: 'invoice' }));
    assert.equal((await ann.api.cancelOrder({ input: { orderId: held.id } })).cancelOrder.order.state, 'CANCELLED');
    assert.deepEqual(await stockOf(tea), [5, 2]);
    await fails(checkout(bob, await cartOf(bob, [[tea, 1]]), { provider: 'nobody' }), 'INVALID_INPUT', 'provider');
  });

  it('the last one is bought by one of fifty, and nobody else is charged', async function () {
    this.timeout(60_000);
    const last = await sell(world, shop, 'The last', { stock: 1 });
    const buyers = await Promise.all([...Array(50)].map((_, index) => world.person(`Buyer${index}`)));
    const carts = await Promise.all(buyers.map((buyer) => cartOf(buyer, [[last, 1]])));
    const results = await Promise.all(buyers.map((buyer, index) => checkout(buyer, carts[index]!)));
    const kinds = Object.groupBy(results, ({ __typename }) => __typename);
    assert.deepEqual([kinds.CheckoutCompleted?.length, kinds.CheckoutOutOfStock?.length], [1, 49]);
    assert.deepEqual([await stockOf(last), (await bob.api.product({ id: last.id })).product!.inStock], [[1, 1], false]);
    const [sold] = await world.sql<{ n: number }>(`select count(*)::int as n from orders o join order_lines l on l.order_id = o.id where l.title = 'The last'`);
    assert.equal(sold!.n, 1);
  });

  it('two checkouts of one cart make one order; a retried one is the same', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 50 });
    const cartId = await cartOf(bob, [[tea, 1]]);
    const before = (await bob.api.ownOrders({ first: 100 })).viewer!.orders.edges.length;
    const tries = await Promise.allSettled([...Array(6)].map(() => checkout(bob, cartId)));
    assert.deepEqual(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const one of tries) if (one.status === 'rejected') await fails(Promise.reject(one.reason as Error), 'STATE_CONFLICT');
    assert.equal((await bob.api.ownOrders({ first: 100 })).viewer!.orders.edges.length, before + 1);
    const second = await cartOf(bob, [[tea, 1]]);
    const idempotencyKey = world.key();
    const same = await Promise.all([...Array(6)].map(() => checkout(bob, second, { idempotencyKey })));
    assert.equal(new Set(same.map((result) => orderOf(result).id)).size, 1);
    assert.equal(orderOf(await checkout(bob, second, { idempotencyKey })).id, orderOf(same[0]!).id);
    await fails(checkout(bob, second, { idempotencyKey, method: 'sandbox_pending' }), 'IDEMPOTENCY_KEY_REUSED');
  });

  it('a price that changes before is told, and one that changes while paying changes nothing', async () => {
    const tea = await sell(world, shop, 'Tea', { amount: 1_000 });
    const cartId = await cartOf(bob, [[tea, 1]]);
    const setPrice = (amount: number) => ann.api.updateProduct({ input: { productId: tea.id, variants: [{ sku: tea.variants[0]!.sku, prices: [{ amount, currency: 'CHF' }] } ] satisfies CreateProductInput['variants'] } });
    await setPrice(1_100);
    const before = await digest(world);
    const told = await checkout(bob, cartId, { expectedTotal: { amount: 1_000, currency: 'CHF' } });
    assert.ok(told.__typename === 'CheckoutPriceChanged' && told.quote.totals.total.amount === 1_100);
    assert.deepEqual(await digest(world), before);
    const paying = orderOf(await checkout(bob, cartId, { method: 'sandbox_action' }));
    await setPrice(5_000);
    const { order } = (await confirm(bob, paying.id)) as Extract<Result, { order: unknown }>;
    assert.deepEqual([order.totals.total.amount, order.payment!.amount.amount], [1_100, 1_100]);
  });

  it('what is not there is not ordered, and nothing changes', async () => {
    const tea = await sell(world, shop, 'Tea', { stock: 2 });
    const [empty, much] = [await cartOf(bob, []), await cartOf(bob, [[tea, 3]])];
    const before = await digest(world);
    await fails(checkout(bob, empty), 'STATE_CONFLICT');
    await fails(checkout(carol, much), 'NOT_FOUND');
    await fails(checkout(bob, much, { terms: terms({ address: { ...ADDRESS, country: 'Switzerland' } }) }), 'INVALID_INPUT', 'address.country');
    await fails(checkout(bob, much, { terms: terms({ address: { ...ADDRESS, name: '' } }) }), 'INVALID_INPUT', 'address.name');
    const short = await checkout(bob, much);
    assert.ok(short.__typename === 'CheckoutOutOfStock');
    assert.deepEqual(short.shortages, [{ variantId: variant(tea), wanted: 3, available: 2 }]);
    assert.deepEqual(await digest(world), before);
  });

  it('the books refuse a transaction that does not balance', async () => {
    const bad = world.sql(
      `with t as (insert into ledger_transactions (id, kind, ref, order_id, created_at) values (gen_random_uuid(), 'TEST', gen_random_uuid(), gen_random_uuid(), now()) returning id)
       insert into ledger_entries (transaction_id, account, currency, amount) select id, 'fees', 'CHF', 1 from t`,
    );
    await assert.rejects(bad, /does not balance/);
  });

  it('any sequence of checkouts, payments, refunds and cancellations leaves the books and the stock right', async function () {
    this.timeout(60_000);
    const tea = await sell(world, shop, 'Tea of chance', { amount: 777, stock: 30 });
    const step = fc.record({
      method: fc.constantFrom('sandbox_ok', 'sandbox_declined', 'sandbox_action', 'sandbox_action_failed', 'sandbox_timeout', 'manual'),
      quantity: fc.integer({ min: 1, max: 4 }),
      then: fc.constantFrom('confirm', 'cancel', 'fulfill', 'refund', 'part', 'nothing'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        await Promise.all(
          steps.map(async ({ method, quantity, then }, index) => {
            const buyer = [bob, carol][index % 2]!;
            const result = await checkout(buyer, await cartOf(buyer, [[tea, quantity]]), method === 'manual' ? { provider: 'manual', method: 'invoice' } : { method });
            if (!('order' in result)) return;
            const orderId = result.order.id;
            const verbs = {
              confirm: () => confirm(buyer, orderId),
              cancel: () => [buyer, ann][index % 2]!.api.cancelOrder({ input: { orderId } }),
              fulfill: () => ann.api.fulfillOrder({ input: { orderId, idempotencyKey: world.key() } }),
              refund: () => ann.api.refundOrder({ input: { orderId, idempotencyKey: world.key() } }),
              part: () => ann.api.refundOrder({ input: { orderId, amount: 100, idempotencyKey: world.key() } }),
              nothing: () => Promise.resolve(),
            };
            await (verbs[then]() as Promise<unknown>).catch((error: { code?: string }) => assert.equal(error.code, 'STATE_CONFLICT'));
          }),
        );
        await booksBalance(world);
      }),
      { numRuns: 6 },
    );
    const levels = await world.sql<{ bad: boolean }>('select on_hand < 0 or reserved > on_hand as bad from stock_levels');
    assert.ok(levels.every(({ bad }) => !bad));
  });
});
