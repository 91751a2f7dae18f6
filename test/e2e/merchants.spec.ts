import assert from 'node:assert/strict';
import { ADDRESS, booksBalance, checkOut, fillCart, openShop, orderOf, sell, stockLevel, terms, type Shop, type Sold } from '../testkit/commerce.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

describe('what merchants do', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let root: Person;
  let shop: Shop;
  let tea: Sold;
  before(async () => {
    world = await World.start({ settings: { PLATFORM_FEE_BPS: '250', ACCESS_TOKEN_TTL: '86400', NOTIFICATIONS: 'true' } });
    [ann, bob, carol, root] = await world.people('Ann', 'Bob', 'Carol', 'Root');
    await world.sql(`update users set role = 'ADMIN' where handle = 'root'`);
    root = { ...root, ...(await signIn('Root')) };
    shop = await openShop(world, ann);
    tea = await sell(world, shop, 'Tea', { amount: 1_000, stock: 100 });
  });
  after(() => world.stop());
  afterEach(() => booksBalance(world));

  const signIn = async (name: string) => {
    const handle = name.toLowerCase();
    const { signIn: session } = await world.client().api.signIn({ input: { email: `${handle}@example.com`, password: `password of ${handle}`, device: 'again' } });
    const client = world.client(session.accessToken);
    return { client, api: client.api };
  };
  const buy = async (quantity: number, { from = shop, ...more }: { provider?: string; method?: string; from?: Shop; product?: Sold } = {}) =>
    orderOf(await checkOut(world, bob, await fillCart(world, bob, from, [[more.product ?? tea, quantity]]), { ...(more.provider ? { provider: more.provider } : {}), ...(more.method ? { method: more.method } : {}) }));
  const balance = async (of = shop) => (await ann.api.shopBalances({ shopId: of.id })).shopBalances!.map(({ available, fees, underWay, paidOut }) => [available.amount, fees.amount, underWay.amount, paidOut.amount]);

  it('what was sent comes back: asked for, approved, received, with the money and into the stock', async () => {
    const order = await buy(3);
    const [line] = order.lines;
    const ask = (quantity: number, idempotencyKey = world.key(), person = bob) => person.api.requestReturn({ input: { orderId: order.id, lines: [{ lineId: line!.id, quantity }], reason: 'too green', idempotencyKey } });
    await fails(ask(1), 'INVALID_INPUT', 'lines.quantity'); // nothing was sent
    await ann.api.fulfillOrder({ input: { orderId: order.id, idempotencyKey: world.key() } });
    const [onHand] = await stockLevel(world, tea);
    await fails(ask(1, world.key(), carol), 'NOT_FOUND');
    await fails(ask(1, world.key(), ann), 'FORBIDDEN');
    const key = world.key();
    await ask(2, key);
    const asked = (await ask(2, key)).requestReturn.order;
    assert.deepEqual(asked.returns.map(({ state, reason, lines }) => [state, reason, lines]), [['REQUESTED', 'too green', [{ lineId: line!.id, quantity: 2 }]]]);
    await fails(ask(2), 'INVALID_INPUT', 'lines.quantity'); // one is left
    const returnId = asked.returns[0]!.id;
    const receive = (amount?: number) => ann.api.receiveReturn({ input: { returnId, restock: true, ...(amount === undefined ? {} : { amount }) } });
    await fails(receive(), 'STATE_CONFLICT');
    await fails(bob.api.decideReturn({ input: { returnId, approve: true } }), 'FORBIDDEN');
    await fails(carol.api.decideReturn({ input: { returnId, approve: true } }), 'NOT_FOUND');
    await ann.api.decideReturn({ input: { returnId, approve: true, note: 'send it' } });
    await fails(ann.api.decideReturn({ input: { returnId, approve: false } }), 'STATE_CONFLICT');
    await fails(receive(3_001), 'INVALID_INPUT', 'amount');
    const both = await Promise.all([receive(), receive()]);
    const after = both[0].receiveReturn.order;
    assert.deepEqual([after.refunded.amount, after.returns[0]!.state, after.returns[0]!.restocked, (await stockLevel(world, tea))[0]], [2_000, 'RECEIVED', true, onHand + 2]);

    const second = (await ask(1)).requestReturn.order.returns[1]!;
    await ann.api.decideReturn({ input: { returnId: second.id, approve: false, note: 'opened' } });
    // What was declined may be asked for again; and be kept after all.
    const third = (await ask(1)).requestReturn.order.returns[2]!;
    const kept = (await bob.api.cancelReturn({ input: { returnId: third.id } })).cancelReturn.order;
    assert.deepEqual(kept.returns.map(({ state, note }) => [state, note]), [['RECEIVED', 'send it'], ['DECLINED', 'opened'], ['CANCELLED', null]]);
    assert.deepEqual(kept.timeline.map(({ kind }) => kind).filter((kind) => kind.startsWith('RETURN') || kind.startsWith('REFUND')).sort(), [
      'REFUNDED', 'REFUND_ASKED', 'RETURN_APPROVED', 'RETURN_CANCELLED', 'RETURN_DECLINED', 'RETURN_RECEIVED', 'RETURN_REQUESTED', 'RETURN_REQUESTED', 'RETURN_REQUESTED',
    ]);
  });

  it('a line comes back to the cent, however it is cut into returns', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 100 });
    await ann.api.createDiscount({ input: { shopId: own.id, code: 'OFF', kind: 'AMOUNT', value: 100, currency: 'CHF' } });
    const { shippingMethod } = (await ann.api.createShippingMethod({ input: { shopId: own.id, name: 'Post', price: { amount: 700, currency: 'CHF' } } })).createShippingMethod;
    const order = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 3]]), { terms: terms({ shippingMethodId: shippingMethod.id, couponCodes: ['OFF'] }) }));
    assert.deepEqual([order.lines[0]!.total.amount, order.totals.total.amount], [200, 900]);
    await ann.api.fulfillOrder({ input: { orderId: order.id, idempotencyKey: world.key() } });
    const refunded: number[] = [];
    for (let piece = 0; piece < 3; piece++) {
      const { returns } = (await bob.api.requestReturn({ input: { orderId: order.id, lines: [{ lineId: order.lines[0]!.id, quantity: 1 }], idempotencyKey: world.key() } })).requestReturn.order;
      await ann.api.decideReturn({ input: { returnId: returns.at(-1)!.id, approve: true } });
      refunded.push((await ann.api.receiveReturn({ input: { returnId: returns.at(-1)!.id, restock: false } })).receiveReturn.order.refunded.amount);
    }
    // What was paid for sending it is not of the line, whatever the rounding.
    assert.deepEqual(refunded, [67, 133, 200]);
  });

  it('what is paid is called off by whoever sells, while nothing is sent: all of it goes back, and the goods are for sale again', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 500, stock: 4 });
    await ann.api.createDiscount({ input: { shopId: own.id, code: 'ONCE', kind: 'PERCENT', value: 1_000, maxUses: 1 } });
    const gift = (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 300, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const wanted = { couponCodes: ['ONCE'], giftCardCodes: [gift.code!] };
    const order = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 4]]), { terms: terms(wanted) }));
    assert.deepEqual([order.state, order.totals.total.amount, await stockLevel(world, cup)], ['CONFIRMED', 1_800, [4, 4]]);
    await ann.api.refundOrder({ input: { orderId: order.id, amount: 100, idempotencyKey: world.key() } });
    await ann.api.endGiftCard({ input: { giftCardId: gift.giftCardId } });
    const callOff = (person: Person) => person.api.cancelOrder({ input: { orderId: order.id } });
    await fails(callOff(carol), 'NOT_FOUND');
    await fails(callOff(bob), 'STATE_CONFLICT');
    const both = await Promise.all([callOff(ann), callOff(ann)]);
    const gone = both[0].cancelOrder.order;
    assert.deepEqual([gone.state, gone.refunded.amount, await stockLevel(world, cup)], ['CANCELLED', 1_800, [4, 0]]);
    assert.deepEqual((await ann.api.order({ id: order.id })).order!.timeline.map(({ kind }) => kind).filter((kind) => /CANCEL|REFUND/.test(kind)), ['REFUND_ASKED', 'REFUNDED', 'REFUND_ASKED', 'CANCELLED', 'REFUNDED']);
    assert.deepEqual(await balance(own), [[-300, 0, 0, 0]]);
    // The coupon and the card are good again, and so is what was reserved.
    const again = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 4]]), { terms: terms(wanted) }));
    assert.deepEqual([again.state, again.totals.total.amount], ['CONFIRMED', 1_800]);
    await ann.api.fulfillOrder({ input: { orderId: again.id, idempotencyKey: world.key() } });
    await fails(ann.api.cancelOrder({ input: { orderId: again.id } }), 'STATE_CONFLICT');
    await fails(ann.api.fulfillOrder({ input: { orderId: order.id, idempotencyKey: world.key() } }), 'STATE_CONFLICT');
    await fails(ann.api.refundOrder({ input: { orderId: order.id, idempotencyKey: world.key() } }), 'STATE_CONFLICT');
  });

  it('an invoice is a PDF, made once, for whoever has bought or sold', async () => {
    const order = await buy(2);
    const waiting = await buy(1, { method: 'sandbox_action' });
    await fails(bob.api.createInvoice({ input: { orderId: waiting.id } }), 'STATE_CONFLICT');
    await fails(carol.api.createInvoice({ input: { orderId: order.id } }), 'NOT_FOUND');
    const made = await Promise.all([bob, ann, bob].map(async (person) => (await person.api.createInvoice({ input: { orderId: order.id } })).createInvoice.order.invoice!));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.deepEqual([made[0]!.name, made[0]!.contentType], [`invoice-${shop.slug}-${String(order.number).padStart(6, '0')}.pdf`, 'application/pdf']);
    const body = Buffer.from(await (await fetch(made[0]!.url!)).arrayBuffer());
    assert.equal(body.subarray(0, 5).toString(), '%PDF-');
    assert.equal(body.length, made[0]!.bytes);
  });

  it('earnings are paid out, never more than there are; what a shop was paid by hand it has already', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 10_000 });
    const ask = (amount: number | null, idempotencyKey = world.key()) => ann.api.requestPayout({ input: { shopId: own.id, currency: 'CHF', amount, idempotencyKey } });
    await fails(ask(null), 'STATE_CONFLICT');
    const paid = await buy(1, { from: own, product: cup });
    const byHand = await buy(1, { from: own, product: cup, provider: 'manual', method: 'cash' });
    await ann.api.capturePayment({ input: { orderId: byHand.id } });
    // 100.00 by the gateway less 2.50; of 100.00 in the shop's own hand the fee is owed.
    assert.deepEqual(await balance(own), [[9_500, 500, 0, 0]]);
    await fails(ask(9_501), 'INVALID_INPUT', 'amount');
    await fails(bob.api.requestPayout({ input: { shopId: own.id, currency: 'CHF', idempotencyKey: world.key() } }), 'FORBIDDEN');
    const tries = await Promise.allSettled([ask(6_000), ask(6_000)]);
    assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const { payout } = (tries.find((one) => one.status === 'fulfilled') as PromiseFulfilledResult<Awaited<ReturnType<typeof ask>>>).value.requestPayout;
    assert.deepEqual([payout.state, await balance(own)], ['REQUESTED', [[3_500, 500, 6_000, 0]]]);
    await fails(ann.api.settlePayout({ input: { payoutId: payout.id, state: 'PAID' } }), 'FORBIDDEN');
    assert.equal((await root.api.settlePayout({ input: { payoutId: payout.id, state: 'PAID', reference: 'bank 1' } })).settlePayout.payout.reference, 'bank 1');
    await fails(root.api.settlePayout({ input: { payoutId: payout.id, state: 'FAILED' } }), 'STATE_CONFLICT');
    const next = (await ask(null)).requestPayout.payout;
    await root.api.settlePayout({ input: { payoutId: next.id, state: 'FAILED' } });
    assert.deepEqual(await balance(own), [[3_500, 500, 0, 6_000]]);
    // What goes back after it was paid out, the shop owes.
    await ann.api.refundOrder({ input: { orderId: paid.id, idempotencyKey: world.key() } });
    assert.deepEqual(await balance(own), [[3_500 - 9_750, 250, 0, 6_000]]);
    assert.deepEqual((await ann.api.shopPayouts({ shopId: own.id })).shopPayouts!.edges.map(({ node }) => node.state), ['FAILED', 'PAID']);
    assert.deepEqual([(await bob.api.shopPayouts({ shopId: own.id })).shopPayouts, (await bob.api.shopBalances({ shopId: own.id })).shopBalances], [null, null]);
  });

  it('sales are counted by day and product, of orders that stand', async () => {
    const own = await openShop(world, ann);
    const [cup, pot] = [await sell(world, own, 'Cup', { amount: 500 }), await sell(world, own, 'Pot', { amount: 4_000 })];
    await buy(2, { from: own, product: cup });
    const refunded = await buy(1, { from: own, product: pot });
    await ann.api.refundOrder({ input: { orderId: refunded.id, amount: 1_000, idempotencyKey: world.key() } });
    const gone = await buy(1, { from: own, product: pot, method: 'sandbox_action' });
    await bob.api.cancelOrder({ input: { orderId: gone.id } });
    const span = (days: number) => ({ shopId: own.id, since: new Date(world.clock.now().getTime() - days * 86_400_000).toISOString(), until: new Date(world.clock.now().getTime() + 86_400_000).toISOString() });
    const { days, products, buyers, returning } = (await ann.api.shopSales(span(1))).shopSales!;
    const sum = (pick: (day: (typeof days)[number]) => number) => days.reduce((total, day) => total + pick(day), 0);
    assert.deepEqual([sum((day) => day.orders), sum((day) => day.items), sum((day) => day.sales.amount), sum((day) => day.refunds.amount), sum((day) => day.fees.amount)], [2, 3, 5_000, 1_000, 100]);
    assert.deepEqual([products.map(({ title, items, sales }) => [title, items, sales.amount]), buyers, returning], [[['Pot', 1, 4_000], ['Cup', 2, 1_000]], 1, 1]);
    assert.equal((await bob.api.shopSales(span(1))).shopSales, null);
    await fails(ann.api.shopSales(span(400)), 'INVALID_INPUT', 'until');
  });

  it('terms are changed and ended; orders keep theirs', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 5_000 });
    const { shippingMethod } = (await ann.api.createShippingMethod({ input: { shopId: own.id, name: 'Post', price: { amount: 700, currency: 'CHF' }, freeFrom: 1_000 } })).createShippingMethod;
    await ann.api.setTaxRule({ input: { shopId: own.id, country: 'CH', taxClass: 'standard', ratePpm: 81_000, included: false } });
    const discount = (await ann.api.createDiscount({ input: { shopId: own.id, code: 'TEN', kind: 'PERCENT', value: 1_000 } })).createDiscount;
    const gift = (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 1_000, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const cartId = await fillCart(world, bob, own, [[cup, 1]]);
    const quote = async (more: Parameters<typeof terms>[0] = {}) => (await bob.api.quoteCheckout({ cartId, terms: terms({ shippingMethodId: shippingMethod.id, ...more }) })).quoteCheckout.totals;
    assert.deepEqual([(await quote()).shipping.amount, (await quote()).tax.amount], [0, 405]);
    const change = { shippingMethodId: shippingMethod.id, name: 'Courier', amount: 900, freeFrom: null };
    await fails(bob.api.updateShippingMethod({ input: change }), 'FORBIDDEN');
    assert.equal((await ann.api.updateShippingMethod({ input: change })).updateShippingMethod.shippingMethod.freeFrom, null);
    assert.equal((await quote()).shipping.amount, 900);
    assert.deepEqual((await ann.api.taxRules({ shopId: own.id })).shop!.taxRules.map(({ ratePpm }) => ratePpm), [81_000]);
    await ann.api.deleteTaxRule({ input: { shopId: own.id, country: 'CH', taxClass: 'standard' } });
    await fails(ann.api.deleteTaxRule({ input: { shopId: own.id, country: 'CH', taxClass: 'standard' } }), 'NOT_FOUND');
    assert.equal((await quote({ couponCodes: ['TEN'], giftCardCodes: [gift.code!] })).tax.amount, 0);
    await ann.api.updateDiscount({ input: { discountId: discount.discountId, endsAt: world.clock.now().toISOString() } });
    await fails(quote({ couponCodes: ['TEN'] }), 'NOT_FOUND', 'couponCodes');
    await ann.api.endGiftCard({ input: { giftCardId: gift.giftCardId } });
    await fails(quote({ giftCardCodes: [gift.code!] }), 'NOT_FOUND', 'giftCardCodes');
    await fails(ann.api.endGiftCard({ input: { giftCardId: gift.giftCardId } }), 'STATE_CONFLICT');
    assert.deepEqual(await balance(own), [[0, 0, 0, 0]]);
    const { state, shippingMethod: named } = orderOf(await checkOut(world, bob, cartId, { terms: terms({ shippingMethodId: shippingMethod.id }) }));
    await ann.api.deleteShippingMethod({ input: { shippingMethodId: shippingMethod.id } });
    assert.deepEqual([state, named, (await bob.api.shippingMethods({ shopId: own.id })).shop!.shippingMethods], ['CONFIRMED', 'Courier', []]);
  });

  it('what gift cards alone have paid is called off, and is on them again', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 500 });
    const gift = (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 1_000, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const buyByCard = async () => orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 2]]), { terms: terms({ giftCardCodes: [gift.code!] }) }));
    const first = await buyByCard();
    assert.deepEqual([first.state, first.payment], ['CONFIRMED', null]);
    assert.equal((await bob.api.cancelOrder({ input: { orderId: first.id } })).cancelOrder.order.state, 'CANCELLED');
    assert.deepEqual([await stockLevel(world, cup), await balance(own)], [[10, 0], [[-1_000, 0, 0, 0]]]);
    assert.equal((await buyByCard()).state, 'CONFIRMED');
  });

  it('what gift cards have paid goes back onto them, after what the gateway took, and to the cent', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 500 });
    const issue = async (amount: number) => (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const cards = [await issue(333), await issue(201)];
    const left = async () => (await world.sql<{ balance: number }>('select balance::int as balance from gift_cards where last4 = any($1) order by id', [cards.map(({ last4 }) => last4)])).map((row) => row.balance);
    const { id: orderId } = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 2]]), { terms: terms({ giftCardCodes: cards.map(({ code }) => code!) }) }));
    assert.deepEqual(await left(), [0, 0]);
    const refund = async (amount?: number) => (await ann.api.refundOrder({ input: { orderId, amount, idempotencyKey: world.key() } })).refundOrder.order;
    const seen = async (amount?: number) => {
      const { refunded, timeline } = await refund(amount);
      return [refunded.amount, timeline.at(-1)!.kind, await left()];
    };
    assert.deepEqual(await seen(400), [400, 'REFUNDED', [0, 0]]);
    assert.deepEqual(await seen(166), [566, 'REFUNDED', [0, 100]]);
    assert.deepEqual(await seen(1), [567, 'REFUNDED', [0, 101]]);
    await fails(refund(434), 'INVALID_INPUT', 'amount');
    // One of the cards has ended meanwhile: what goes back onto it is not lost.
    await ann.api.endGiftCard({ input: { giftCardId: cards[0]!.giftCardId } });
    assert.deepEqual(await seen(), [1_000, 'REFUNDED', [333, 201]]);
    await fails(refund(), 'STATE_CONFLICT');
    const again = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 1]]), { terms: terms({ giftCardCodes: cards.map(({ code }) => code!) }) }));
    assert.deepEqual(await left(), [0, 34]);
    // What a card alone has paid comes back too, by a return; and what is left of it when it is called off.
    const more = await issue(1_000);
    const second = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 2]]), { terms: terms({ giftCardCodes: [more.code!] }) }));
    await ann.api.refundOrder({ input: { orderId: second.id, amount: 400, idempotencyKey: world.key() } });
    assert.equal((await bob.api.cancelOrder({ input: { orderId: second.id } })).cancelOrder.order.state, 'CANCELLED');
    const third = orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 2]]), { terms: terms({ giftCardCodes: [more.code!] }) }));
    await ann.api.fulfillOrder({ input: { orderId: third.id, idempotencyKey: world.key() } });
    const { returns } = (await bob.api.requestReturn({ input: { orderId: third.id, lines: [{ lineId: third.lines[0]!.id, quantity: 1 }], idempotencyKey: world.key() } })).requestReturn.order;
    await ann.api.decideReturn({ input: { returnId: returns[0]!.id, approve: true } });
    assert.equal((await ann.api.receiveReturn({ input: { returnId: returns[0]!.id, restock: true } })).receiveReturn.order.refunded.amount, 500);
    const books = async () => (await world.sql<{ gifts: number; owed: number; fees: number }>(
      `select (select sum(amount)::int from ledger_entries where account = 'gifts:' || s.id) as gifts, (select sum(balance)::int from gift_cards where shop_id = s.id) as owed,
              (select sum(e.amount)::int from ledger_entries e join ledger_transactions t on t.id = e.transaction_id join orders o on o.id = t.order_id where o.shop_id = s.id and e.account = 'fees') as fees
       from shops s where s.slug = $1`,
      [own.slug],
    ))[0]!;
    const before = await books();
    // Kept are the fees of two times 500, of what was bought by both cards and of what was kept of the third order: 13, and 25 less 13.
    assert.deepEqual([before.gifts, before.fees], [before.owed, 25]);
    // The card that had ended is good again: what is on it by now is the shop's when it ends another time.
    await ann.api.refundOrder({ input: { orderId: again.id, idempotencyKey: world.key() } });
    assert.deepEqual(await left(), [333, 201]);
    await ann.api.endGiftCard({ input: { giftCardId: cards[0]!.giftCardId } });
    const after = await books();
    assert.deepEqual([await left(), after.gifts, after.fees], [[0, 201], after.owed, 12]);
  });

  it('what goes back takes along the fee that was kept of its sale, whatever is kept of sales since', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cup', { amount: 500 });
    const { code } = (await ann.api.issueGiftCard({ input: { shopId: own.id, value: { amount: 1_333, currency: 'CHF' }, idempotencyKey: world.key() } })).issueGiftCard;
    const buyTwo = async (giftCardCodes: string[] = []) => orderOf(await checkOut(world, bob, await fillCart(world, bob, own, [[cup, 2]]), { terms: terms({ giftCardCodes }) }));
    const [paid, byCard, mixed] = [await buyTwo(), await buyTwo([code!]), await buyTwo([code!])];
    const kept = async () =>
      (await world.sql<{ fees: number }>(
        `select sum(e.amount)::int as fees from ledger_entries e join ledger_transactions t on t.id = e.transaction_id join orders o on o.id = t.order_id join shops s on s.id = o.shop_id
         where s.slug = $1 and e.account = 'fees' group by o.number order by o.number`,
        [own.slug],
      )).map(({ fees }) => fees);
    assert.deepEqual(await kept(), [25, 25, 25]);
    const rate = world.app.container.jobs.payments as { feeBps: number };
    rate.feeBps = 500;
    try {
      const refund = (orderId: string, amount?: number) => ann.api.refundOrder({ input: { orderId, amount, idempotencyKey: world.key() } });
      for (const amount of [333, undefined]) await refund(paid.id, amount);
      await refund(byCard.id, 333);
      await bob.api.cancelOrder({ input: { orderId: byCard.id } });
      for (const amount of [600, 200, undefined]) await refund(mixed.id, amount);
      assert.deepEqual(await kept(), [0, 0, 0]);
      // What is sold from now on is another matter.
      await buyTwo();
      assert.deepEqual(await kept(), [0, 0, 0, 50]);
    } finally {
      rate.feeBps = 250;
    }
  });

  it('when little is left, whoever sells is told: once, until more has come in', async () => {
    const own = await openShop(world, ann);
    const cup = await sell(world, own, 'Cups of the last', { stock: 8 });
    await ann.api.updateShop({ input: { shopId: own.id, lowStockAt: 4 } });
    const told = async (person = ann) =>
      (await person.api.notifications({ first: 50 })).viewer!.notifications.edges.map(({ node }) => node).filter(({ kind, product }) => kind === 'LOW_STOCK' && product?.id === cup.id).length;
    await buy(3, { from: own, product: cup });
    await buy(1, { from: own, product: cup });
    await eventually(async () => (await told()) === 1, 'Ann is told', 20_000);
    await buy(1, { from: own, product: cup });
    await ann.api.adjustStock({ input: { variantId: cup.variants[0]!.id, delta: 2, idempotencyKey: world.key() } });
    await buy(2, { from: own, product: cup });
    await eventually(async () => (await told()) === 2, 'Ann is told again', 20_000);
    assert.equal(await told(bob), 0);
  });

  it('addresses are kept, changed and forgotten, by their owner', async () => {
    const save = (label: string, addressId: string | null = null, person = bob) => person.api.saveAddress({ input: { addressId, label, address: ADDRESS } });
    const { address } = (await save('home')).saveAddress;
    await save('at home', address.id);
    await fails(save('mine', address.id, carol), 'NOT_FOUND');
    await fails(bob.api.saveAddress({ input: { address: { ...ADDRESS, country: 'Nowhere' } } }), 'INVALID_INPUT', 'address.country');
    assert.deepEqual((await bob.api.addresses()).viewer!.addresses.map(({ label, address: { city } }) => [label, city]), [['at home', 'Zürich']]);
    await fails(carol.api.deleteAddress({ input: { addressId: address.id } }), 'NOT_FOUND');
    await bob.api.deleteAddress({ input: { addressId: address.id } });
    assert.deepEqual((await bob.api.addresses()).viewer!.addresses, []);
    for (let index = 0; index < 20; index++) await save(`place ${index}`);
    await fails(save('one too many'), 'LIMIT_REACHED');
  });
});
