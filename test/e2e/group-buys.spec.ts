import assert from 'node:assert/strict';
import type { GroupBuyPartsFragment } from '../../sdk/generated/graphql.js';
import { ADDRESS, openShop, sell, type Shop, type Sold } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { fails, take, World, type Person } from '../testkit/world.js';

const HOUR = 3_600_000;

describe('group buys', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let dave: Person;
  let eve: Person;
  let shop: Shop;
  let chatId: string;
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false', PLATFORM_FEE_BPS: '250', ACCESS_TOKEN_TTL: '86400' } });
    [ann, bob, carol, dave, eve] = await world.people('Ann', 'Bob', 'Carol', 'Dave', 'Eve');
    shop = await openShop(world, ann);
    await ann.api.setTaxRule({ input: { shopId: shop.id, country: 'CH', taxClass: 'standard', ratePpm: 81_000, included: true } });
    chatId = await world.groupChat(ann, [bob, carol, dave]);
  });
  after(() => world.stop());
  afterEach(() => booksBalance());

  /** Nobody is charged without an order that stands at that price, nothing is held for what is decided, the books and the stock add up. */
  async function booksBalance(): Promise<void> {
    assert.deepEqual(await world.sql('select transaction_id from ledger_entries group by transaction_id, currency having sum(amount) <> 0'), []);
    assert.deepEqual(
      await world.sql(
        `select l.variant_id from stock_levels l left join stock_reservations r on r.variant_id = l.variant_id and r.location_id = l.location_id
         group by l.variant_id, l.location_id, l.reserved having l.reserved <> coalesce(sum(r.quantity), 0)`,
      ),
      [],
    );
    assert.deepEqual(
      await world.sql(
        `select s.key, s.state, o.state, s.captured, o.total from sandbox_payments s join payments p on p.id::text = s.key join orders o on o.id = p.order_id
         where (s.state = 'CAPTURED') <> (o.state in ('CONFIRMED', 'COMPLETED')) or (s.state = 'CAPTURED' and s.captured <> o.total)
            or (s.state = 'CAPTURED' and (select count(*) from ledger_transactions t where t.kind = 'SALE' and t.order_id = o.id) <> 1)`,
      ),
      [],
    );
    assert.deepEqual(await world.sql(`select g.id from group_buys g join group_buy_shares s on s.group_buy_id = g.id join payments p on p.order_id = s.order_id where g.state <> 'OPEN' and (s.due is not null or p.state = 'AUTHORIZED' or p.wanted is not null)`), []);
  }

  const settling = () => world.app.container.jobs.groupBuys;
  const payments = () => world.app.container.jobs.payments;
  /** Lets time pass, and what is due happen, until nothing is left to do. */
  const settle = async (milliseconds: number) => {
    world.clock.advance(milliseconds);
    for (let round = 0; round < 4; round++) {
      while (await settling().sweep());
      world.clock.advance(61_000);
      while (await payments().sweep());
    }
  };
  /** Gateways that gave no answer are asked again. */
  const answered = async () => {
    world.clock.advance(30_000);
    while (await payments().sweep());
  };
  const variant = (product: Sold) => product.variants[0]!.id;
  const chf = (amount: number) => ({ amount, currency: 'CHF' });
  const TIERS = [{ quantity: 3, price: chf(900) }, { quantity: 5, price: chf(800) }];
  const open = async (product: Sold, more: { tiers?: typeof TIERS; maxQuantity?: number; lastsMs?: number; chatId?: string } = {}) => {
    const deadline = new Date(world.clock.now().getTime() + (more.lastsMs ?? HOUR)).toISOString();
    const input = { chatId: more.chatId ?? chatId, variantId: variant(product), tiers: more.tiers ?? TIERS, maxQuantity: more.maxQuantity ?? null, deadline, text: 'together?', idempotencyKey: world.key() };
    return (await ann.api.createGroupBuy({ input })).createGroupBuy;
  };
  const join = async (person: Person, groupBuyId: string, quantity: number, method = 'sandbox_ok', idempotencyKey = world.key()) =>
    (await person.api.joinGroupBuy({ input: { groupBuyId, quantity, address: ADDRESS, method, idempotencyKey } })).joinGroupBuy;
  const read = async (person: Person, id: string) => (await person.api.groupBuy({ id })).groupBuy!;
  const ownOrder = async (person: Person, id: string) => (await person.api.order({ id: (await read(person, id)).viewerState!.orderId })).order!;
  const shown = ({ state, quantity, participantCount, price }: GroupBuyPartsFragment) => [state, quantity, participantCount, price.amount];
  const left = async (product: Sold) => (await ann.api.product({ id: product.id })).product!.variants[0]!.available;

  it('succeeds: everybody pays the price that was reached together, once, and the chat sees it grow', async () => {
    const tea = await sell(world, shop, 'Tea', { amount: 1_000, stock: 20 });
    const { groupBuy, message } = await open(tea);
    assert.ok(message.card?.__typename === 'GroupBuyCard');
    const cursor = (await bob.api.chat({ id: chatId })).chat!.eventCursor;
    const events = bob.client.chatEvents(chatId, cursor);
    const first = await join(bob, groupBuy.id, 2);
    assert.deepEqual([shown(first.groupBuy), first.order.state, first.order.payment!.state, first.order.totals.total.amount], [['OPEN', 2, 1, 900], 'PENDING', 'AUTHORIZED', 1_800]);
    await join(carol, groupBuy.id, 1, 'sandbox_timeout'); // does what it is asked, and does not answer the first time
    await join(dave, groupBuy.id, 3, 'sandbox_action');
    await dave.api.confirmPayment({ input: { orderId: (await ownOrder(dave, groupBuy.id)).id } });
    await answered();
    assert.equal(await left(tea), 14);
    assert.deepEqual(await world.sql(`select from sandbox_payments where state = 'CAPTURED'`), []);
    await settle(HOUR);
    assert.deepEqual(shown(await read(bob, groupBuy.id)), ['SUCCEEDED', 6, 3, 800]);
    for (const [person, quantity] of [[bob, 2], [carol, 1], [dave, 3]] as const) {
      const order = await ownOrder(person, groupBuy.id);
      assert.deepEqual([order.state, order.payment!.state, order.totals.total.amount, order.lines[0]!.unitPrice.amount], ['CONFIRMED', 'CAPTURED', 800 * quantity, 800]);
    }
    const seen = await take(events, 4); // three have joined, and it was decided
    assert.deepEqual(seen.map(({ __typename }) => __typename), Array(4).fill('GroupBuyChanged'));
    assert.ok(seen[3]!.__typename === 'GroupBuyChanged');
    assert.deepEqual(shown(seen[3].groupBuy), ['SUCCEEDED', 6, 3, 800]);
    events.close();
    const order = await ownOrder(bob, groupBuy.id);
    const sent = (await ann.api.fulfillOrder({ input: { orderId: order.id, idempotencyKey: world.key() } })).fulfillOrder.order;
    assert.equal(sent.lines[0]!.fulfilled, 2);
    await ann.api.refundOrder({ input: { orderId: order.id, amount: 500, idempotencyKey: world.key() } });
    assert.deepEqual(await world.sql('select state, amount::int from refunds'), [{ state: 'DONE', amount: 500 }]);
  });

  it('fails: too few by the deadline, and everybody’s money and goods are let go', async () => {
    const tea = await sell(world, shop, 'Rare tea', { stock: 5 });
    const { groupBuy } = await open(tea);
    await join(bob, groupBuy.id, 1);
    await join(carol, groupBuy.id, 1, 'sandbox_lost'); // is not reached the first time
    await answered();
    assert.equal(await left(tea), 3);
    await settle(HOUR);
    assert.deepEqual(shown(await read(bob, groupBuy.id)).slice(0, 3), ['FAILED', 2, 2]);
    assert.deepEqual(await Promise.all([bob, carol].map(async (person) => (await ownOrder(person, groupBuy.id)).state)), ['CANCELLED', 'CANCELLED']);
    assert.equal(await left(tea), 5);
    await fails(join(dave, groupBuy.id, 1), 'STATE_CONFLICT');
  });

  it('the last who joins as time runs out counts, also when the gateway has not answered yet', async () => {
    const tea = await sell(world, shop, 'Late tea', { stock: 5 });
    const { groupBuy } = await open(tea);
    await join(bob, groupBuy.id, 2);
    world.clock.advance(HOUR - 1_000);
    await join(carol, groupBuy.id, 1, 'sandbox_timeout');
    world.clock.advance(2_000);
    await settling().sweep();
    assert.equal((await read(bob, groupBuy.id)).state, 'OPEN');
    world.clock.advance(20_000);
    await payments().sweep();
    await settling().sweep();
    assert.deepEqual(shown(await read(bob, groupBuy.id)), ['SUCCEEDED', 3, 2, 900]);
    await settle(0);
    assert.equal((await ownOrder(carol, groupBuy.id)).payment!.state, 'CAPTURED');
  });

  it('who has not paid a minute after the deadline is let go, and the others’ price is that of those who have', async () => {
    const tea = await sell(world, shop, 'Slow tea', { stock: 9 });
    const { groupBuy } = await open(tea);
    await join(bob, groupBuy.id, 3);
    await join(carol, groupBuy.id, 2, 'sandbox_action');
    await settle(HOUR + 61_000);
    assert.deepEqual(shown(await read(bob, groupBuy.id)), ['SUCCEEDED', 3, 1, 900]);
    assert.deepEqual([(await ownOrder(bob, groupBuy.id)).state, (await ownOrder(carol, groupBuy.id)).state, await left(tea)], ['CONFIRMED', 'CANCELLED', 6]);
  });

  it('a capture that fails cancels that order alone', async () => {
    const tea = await sell(world, shop, 'Fragile tea', { stock: 9 });
    const { groupBuy } = await open(tea);
    await join(bob, groupBuy.id, 3);
    await join(carol, groupBuy.id, 2, 'sandbox_capture_failed');
    await settle(HOUR);
    assert.deepEqual(shown(await read(bob, groupBuy.id)), ['SUCCEEDED', 5, 2, 800]);
    const [ofBob, ofCarol] = [await ownOrder(bob, groupBuy.id), await ownOrder(carol, groupBuy.id)];
    assert.deepEqual([ofBob.state, ofBob.totals.total.amount, ofCarol.state, await left(tea)], ['CONFIRMED', 2_400, 'CANCELLED', 6]);
  });

  it('whoever dies half-way is followed, by several at once, and nothing is done twice', async () => {
    const tea = await sell(world, shop, 'Sturdy tea', { stock: 9 });
    const { groupBuy } = await open(tea);
    for (const [person, method] of [[bob, 'sandbox_timeout'], [carol, 'sandbox_lost'], [dave, 'sandbox_ok']] as const) await join(person, groupBuy.id, 1, method);
    world.clock.advance(60_000);
    while (await payments().sweep());
    world.clock.advance(HOUR);
    // Decided, and then nothing: its process is gone.
    const [{ id }] = (await world.sql<{ id: string }>(`select id from group_buys where state = 'OPEN'`)) as [{ id: string }];
    await Promise.all([1, 2, 3].map(() => settling().decide(id)));
    assert.deepEqual((await world.sql<{ due: string }>('select due from group_buy_shares where group_buy_id = $1', [id])).map(({ due }) => due), ['CAPTURE', 'CAPTURE', 'CAPTURE']);
    assert.deepEqual(await world.sql(`select from payments p join group_buy_shares s on s.order_id = p.order_id where s.group_buy_id = $1 and p.state <> 'AUTHORIZED'`, [id]), []);
    const other = await world.addNode();
    await Promise.all([settling(), other.container.jobs.groupBuys, settling()].map((one) => one.sweep()));
    await settle(0);
    for (const person of [bob, carol, dave]) assert.equal((await ownOrder(person, groupBuy.id)).payment!.state, 'CAPTURED');
    assert.equal((await world.sql(`select from order_events e join group_buy_shares s on s.order_id = e.order_id where s.group_buy_id = $1 and e.kind = 'CONFIRMED'`, [id])).length, 3);
  });

  it('one may leave and come again; what is left is let go; when all are taken it is decided at once', async () => {
    const tea = await sell(world, shop, 'Small tea', { stock: 5 });
    const { groupBuy } = await open(tea, { maxQuantity: 5 });
    await join(bob, groupBuy.id, 3);
    const gone = (await bob.api.leaveGroupBuy({ input: { groupBuyId: groupBuy.id } })).leaveGroupBuy.groupBuy;
    assert.deepEqual([shown(gone), await left(tea)], [['OPEN', 0, 0, 900], 5]);
    const before = await digest(world);
    await bob.api.leaveGroupBuy({ input: { groupBuyId: groupBuy.id } }); // is out already
    assert.deepEqual(await digest(world), before);
    assert.equal((await join(carol, groupBuy.id, 2, 'sandbox_declined')).order.state, 'CANCELLED');
    await join(bob, groupBuy.id, 1);
    await fails(join(bob, groupBuy.id, 1), 'STATE_CONFLICT');
    await fails(join(carol, groupBuy.id, 5), 'LIMIT_REACHED', 'quantity');
    const key = world.key();
    const [one, again] = [await join(carol, groupBuy.id, 4, 'sandbox_ok', key), await join(carol, groupBuy.id, 4, 'sandbox_ok', key)];
    assert.deepEqual([one.order.id, shown(one.groupBuy)], [again.order.id, ['SUCCEEDED', 5, 2, 800]]);
    await settle(0);
    assert.deepEqual([(await ownOrder(bob, groupBuy.id)).totals.total.amount, await left(tea)], [800, 0]);
  });

  it('who is no longer in the chat sees it no more, and takes their part back all the same', async () => {
    const tea = await sell(world, shop, 'Parting tea', { stock: 5 });
    const circle = await world.groupChat(ann, [bob, carol]);
    const { groupBuy } = await open(tea, { chatId: circle });
    const { order } = await join(bob, groupBuy.id, 2);
    await ann.api.removeChatMember({ input: { chatId: circle, userId: bob.id } });
    assert.deepEqual([(await bob.api.groupBuy({ id: groupBuy.id })).groupBuy, await left(tea)], [null, 3]);
    const leave = (person: Person) => person.api.leaveGroupBuy({ input: { groupBuyId: groupBuy.id } });
    await fails(leave(eve), 'NOT_FOUND');
    await leave(bob);
    assert.deepEqual([shown(await read(carol, groupBuy.id)), await left(tea)], [['OPEN', 0, 0, 900], 5]);
    assert.equal((await bob.api.order({ id: order.id })).order!.state, 'CANCELLED');
    await fails(leave(bob), 'NOT_FOUND');
    await fails(join(bob, groupBuy.id, 1), 'NOT_FOUND');
    await ann.api.cancelGroupBuy({ input: { groupBuyId: groupBuy.id } });
    await settle(0);
  });

  it('of many who want the last, as many join as there are; called off, everybody goes', async () => {
    const tea = await sell(world, shop, 'Last tea', { stock: 2 });
    const { groupBuy } = await open(tea);
    const tries = await Promise.allSettled([bob, carol, dave].map((person) => join(person, groupBuy.id, 1)));
    assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'fulfilled', 'rejected']);
    for (const one of tries) if (one.status === 'rejected') await fails(Promise.reject(one.reason as Error), 'STATE_CONFLICT', 'quantity');
    assert.equal((await ann.api.cancelGroupBuy({ input: { groupBuyId: groupBuy.id } })).cancelGroupBuy.groupBuy.state, 'CANCELLED');
    await settle(0);
    assert.equal(await left(tea), 2);
  });

  it('what can not be is refused, and changes nothing', async () => {
    const tea = await sell(world, shop, 'Plain tea', { stock: 9 });
    const { groupBuy, message } = await open(tea);
    const { order } = await join(bob, groupBuy.id, 1);
    const elsewhere = await world.groupChat(bob, [eve]);
    const [copy] = (await bob.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [elsewhere], idempotencyKey: world.key() } })).forwardMessages.messages;
    const before = await digest(world);
    assert.ok(copy!.card?.__typename === 'GroupBuyCard' && copy!.card.groupBuy === null);
    assert.equal((await eve.api.groupBuy({ id: groupBuy.id })).groupBuy, null);
    await fails(join(eve, groupBuy.id, 1), 'NOT_FOUND');
    await fails(eve.api.leaveGroupBuy({ input: { groupBuyId: groupBuy.id } }), 'NOT_FOUND');
    await fails(bob.api.cancelGroupBuy({ input: { groupBuyId: groupBuy.id } }), 'FORBIDDEN');
    await fails(join(carol, groupBuy.id, 0), 'INVALID_INPUT', 'quantity');
    await fails(join(carol, groupBuy.id, 10), 'STATE_CONFLICT', 'quantity');
    await fails(carol.api.joinGroupBuy({ input: { groupBuyId: groupBuy.id, quantity: 1, address: ADDRESS, provider: 'manual', idempotencyKey: world.key() } }), 'INVALID_INPUT', 'provider');
    await fails(bob.api.cancelOrder({ input: { orderId: order.id } }), 'STATE_CONFLICT');
    await fails(ann.api.capturePayment({ input: { orderId: order.id } }), 'STATE_CONFLICT');
    await fails(open(tea, { tiers: [{ quantity: 3, price: chf(900) }, { quantity: 5, price: chf(900) }] }), 'INVALID_INPUT', 'tiers');
    await fails(open(tea, { tiers: [{ quantity: 3, price: { amount: 900, currency: 'EUR' } }] }), 'INVALID_INPUT', 'tiers.price');
    await fails(open(tea, { maxQuantity: 4 }), 'INVALID_INPUT', 'maxQuantity');
    await fails(open(tea, { lastsMs: 1_000 }), 'INVALID_INPUT', 'deadline');
    await fails(open(tea, { lastsMs: 7 * 24 * HOUR }), 'INVALID_INPUT', 'deadline');
    const input = { chatId, variantId: variant(tea), tiers: TIERS, deadline: new Date(world.clock.now().getTime() + HOUR).toISOString(), idempotencyKey: world.key() };
    await fails(bob.api.createGroupBuy({ input }), 'FORBIDDEN');
    assert.deepEqual(await digest(world), before);
    await ann.api.cancelGroupBuy({ input: { groupBuyId: groupBuy.id } });
    await settle(0);
  });
});
