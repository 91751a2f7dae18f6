import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CartEvent, EventStream } from '../../sdk/index.js';
import type { CartPartsFragment } from '../../sdk/generated/graphql.js';
import type { CartEventRef } from '../../src/events/catalogue.js';
import { openShop, sell, type Shop, type Sold } from '../testkit/commerce.js';
import { digest } from '../testkit/digest.js';
import { fails, take, within, World, type Person } from '../testkit/world.js';

/** What a client knows of a cart: by reading it, or by reading it once and then by events alone. */
class CartState {
  fields: unknown = null;
  readonly lines = new Map<string, CartPartsFragment['lines'][number]>();

  read({ lines, owner: _owner, ...fields }: CartPartsFragment): this {
    this.fields = fields;
    this.lines.clear();
    for (const line of lines) this.lines.set(line.variantId, line);
    return this;
  }

  apply(event: CartEvent): void {
    if (event.__typename === 'CartUpdated') this.read(event.cart);
    if (event.__typename !== 'CartLineChanged') return;
    this.fields = event.cart;
    if (event.line) this.lines.set(event.variantId, event.line);
    else this.lines.delete(event.variantId);
  }

  snapshot(): unknown {
    return [this.fields, [...this.lines].sort(([a], [b]) => (a < b ? -1 : 1))];
  }
}

describe('carts', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let dave: Person;
  let shop: Shop;
  let tea: Sold;
  let cup: Sold;
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false' } });
    [ann, bob, carol, dave] = await world.people('Ann', 'Bob', 'Carol', 'Dave');
    shop = await openShop(world, dave);
    tea = await sell(world, shop, 'Tea', { amount: 900, stock: 20 });
    cup = await sell(world, shop, 'Cup', { amount: 1_250, stock: 2 });
  });
  after(() => world.stop());

  const variant = (product: Sold) => product.variants[0]!.id;
  const make = async (owner = ann) => (await owner.api.createCart({ input: { shopId: shop.id, title: 'Party', idempotencyKey: world.key() } })).createCart.cart;
  const shared = async () => {
    const chatId = await world.groupChat(ann, [bob, carol]);
    const cart = await make();
    const { message } = (await ann.api.shareCart({ input: { cartId: cart.id, chatId, text: 'add what you like', idempotencyKey: world.key() } })).shareCart;
    return { cartId: cart.id, chatId, message };
  };
  const add = async (person: Person, cartId: string, product: Sold, quantity = 1, idempotencyKey = world.key()) =>
    (await person.api.addToCart({ input: { cartId, variantId: variant(product), quantity, idempotencyKey } })).addToCart.cart;
  const set = async (person: Person, cartId: string, product: Sold, quantity: number, more: { userId?: string; ifQuantity?: number } = {}) =>
    (await person.api.setCartLine({ input: { cartId, variantId: variant(product), quantity, ...more } })).setCartLine.cart;
  const read = async (person: Person, id: string) => (await person.api.cart({ id })).cart;
  /** Once a subscription stands: it has told of something. */
  const standing = async (events: EventStream<CartEvent>, cartId: string) => {
    let told = false;
    for (const first = take(events, 1).then(() => (told = true)); !told; ) {
      await add(carol, cartId, tea);
      await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
  };
  const sharesOf = (cart: CartPartsFragment, product: Sold) => cart.lines.find((line) => line.variantId === variant(product))?.shares.map(({ user, quantity }) => [user.handle, quantity]);

  it('three people fill one cart in their chat, and everybody sees who added what', async () => {
    const { cartId, message } = await shared();
    assert.ok(message.card?.__typename === 'CartCard');
    assert.equal(message.card.cart!.id, cartId);
    await add(bob, cartId, tea, 2);
    await add(carol, cartId, tea);
    const cart = await add(ann, cartId, cup, 3);
    assert.deepEqual([sharesOf(cart, tea), sharesOf(cart, cup)], [[['bob', 2], ['carol', 1]], [['ann', 3]]]);
    assert.deepEqual(cart.lines.map(({ quantity, availability, subtotal }) => [quantity, availability, subtotal!.amount]), [[3, 'AVAILABLE', 2_700], [3, 'SHORT', 3_750]]);
    assert.deepEqual([cart.subtotal, cart.itemCount, cart.version], [{ amount: 6_450, currency: 'CHF' }, 6, 5]);
    assert.equal(await read(dave, cartId), null);
    await fails(add(dave, cartId, tea), 'NOT_FOUND');
    assert.deepEqual((await carol.api.ownCarts()).viewer!.carts.edges.map(({ node }) => node.id), [cartId]);
  });

  it('a card shows the cart of now, and nothing in a chat that it was forwarded to', async () => {
    const { cartId, message } = await shared();
    await add(bob, cartId, tea, 4);
    const { node } = await carol.api.message({ id: message.id });
    assert.ok(node?.__typename === 'Message' && node.card?.__typename === 'CartCard');
    assert.equal(node.card.cart!.itemCount, 4);
    const elsewhere = await world.groupChat(bob, [dave]);
    const [copy] = (await bob.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [elsewhere], idempotencyKey: world.key() } })).forwardMessages.messages;
    const seen = (await dave.api.message({ id: copy!.id })).node;
    assert.ok(seen?.__typename === 'Message' && seen.card?.__typename === 'CartCard');
    assert.deepEqual([seen.card.cartId, seen.card.cart], [cartId, null]);
  });

  it('two people who edit one line at once lose nothing', async () => {
    const { cartId } = await shared();
    const keys = [...Array(10)].map(() => world.key());
    await Promise.all([...keys, ...keys].map((key) => add(bob, cartId, tea, 1, key))); // each twice: a retry adds once
    await Promise.all([...Array(10)].flatMap((_, index) => [set(carol, cartId, tea, index + 1), add(ann, cartId, tea)]));
    const cart = await read(ann, cartId);
    const [, ofBob] = sharesOf(cart!, tea)!.find(([name]) => name === 'bob')!;
    assert.deepEqual([ofBob, sharesOf(cart!, tea)!.find(([name]) => name === 'ann')![1]], [10, 10]);
    // Of several who set the same share from what they saw, one does.
    const seen = sharesOf(cart!, tea)!.find(([name]) => name === 'carol')![1] as number;
    const tries = await Promise.allSettled([ann, bob, carol].map((person, index) => set(person, cartId, tea, 20 + index, { userId: carol.id, ifQuantity: seen })));
    assert.deepEqual(tries.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    for (const one of tries) if (one.status === 'rejected') await fails(Promise.reject(one.reason as Error), 'STATE_CONFLICT', 'ifQuantity');
  });

  const scenarios: Record<CartEventRef['kind'], (cartId: string) => Promise<void>> = {
    'cart.line': async (cartId) => {
      await add(bob, cartId, tea, 2);
      await set(carol, cartId, cup, 1);
      await set(ann, cartId, tea, 1, { userId: bob.id, ifQuantity: 2 });
      await set(carol, cartId, cup, 0);
      await set(carol, cartId, cup, 0); // is so already: nothing changes
    },
    'cart.updated': async (cartId) => void (await ann.api.closeCart({ input: { cartId } })),
  };
  for (const [kind, play] of Object.entries(scenarios)) {
    it(`state + events = refetch: ${kind}`, async () => {
      const { cartId } = await shared();
      const begin = (await read(bob, cartId))!;
      const events = bob.client.cartEvents(cartId, begin.eventCursor);
      const { eventCursor: _cursor, shop: _shop, chat: _chat, ...known } = begin;
      const state = new CartState().read(known);
      await play(cartId);
      const { eventCursor, shop: _, chat: _same, ...now } = (await read(bob, cartId))!;
      const seen: string[] = [];
      for (let cursor = ''; cursor !== eventCursor; ) {
        const [event] = await take(events, 1);
        assert.ok(event!.__typename !== 'ResyncRequired');
        seen.push(event!.__typename);
        state.apply(event!);
        cursor = event!.cursor;
      }
      events.close();
      assert.deepEqual(seen, kind === 'cart.line' ? Array(4).fill('CartLineChanged') : ['CartUpdated']);
      assert.deepEqual(state.snapshot(), new CartState().read(now).snapshot());
    });
  }

  it('forty people at once on one line and others lose nothing, and a follower is told of each edit', async function () {
    this.timeout(60_000);
    const many = await world.people(...Array.from({ length: 40 }, (_, index) => `Guest${index}`));
    const chatId = await world.groupChat(ann, many);
    const { id: cartId } = await make();
    await ann.api.shareCart({ input: { cartId, chatId, idempotencyKey: world.key() } });
    const live = ann.client.cartEvents(cartId, (await ann.api.cart({ id: cartId })).cart!.eventCursor);
    await Promise.all(many.flatMap((person, index) => [add(person, cartId, tea, 1 + (index % 3)), ...(index % 2 ? [add(person, cartId, cup)] : [])]));
    const cart = (await read(ann, cartId))!;
    const names = many.map((_, index) => `guest${index}`);
    assert.deepEqual(new Map(sharesOf(cart, tea) as [string, number][]), new Map(names.map((name, index) => [name, 1 + (index % 3)])));
    assert.deepEqual(sharesOf(cart, cup)!.map(([name]) => name).sort(), names.filter((_, index) => index % 2).sort());
    const events = await take(live, 60);
    live.close();
    assert.ok(events.every(({ __typename }) => __typename === 'CartLineChanged'));
    const state = new CartState();
    for (const event of events) state.apply(event);
    assert.deepEqual(state.lines, new CartState().read(cart).lines);
  });

  it('whoever leaves the chat hears no more of the cart, and comes to it no more', async () => {
    const { cartId, chatId } = await shared();
    const events = bob.client.cartEvents(cartId);
    const own = ann.client.cartEvents(cartId, (await read(ann, cartId))!.eventCursor);
    await standing(events, cartId);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    const ended = async () => {
      for (;;) if ((await events.next()).done) return;
    };
    await fails(within(ended(), 'the end of the stream'), 'ACCESS_REVOKED');
    await fails(add(bob, cartId, tea), 'NOT_FOUND');
    assert.equal(await read(bob, cartId), null);
    await add(carol, cartId, tea);
    await take(own, 2);
    own.close();
    const late = bob.client.cartEvents(cartId);
    await fails(within(late.next(), 'a refusal'), 'NOT_FOUND');
    const foreign = ann.client.cartEvents(cartId, (await ann.api.viewer()).viewer!.eventCursor);
    await fails(within(foreign.next(), 'a refusal'), 'INVALID_CURSOR', 'after');
  });

  it('a member who follows a cart hears of the cart alone, whatever is read in its chat', async () => {
    const { cartId, chatId } = await shared();
    const chat = ann.client.chatEvents(chatId, (await ann.api.chat({ id: chatId })).chat!.eventCursor);
    const { seq } = await world.say(ann, chatId, 'so that it stands');
    await take(chat, 1);
    const events = bob.client.cartEvents(cartId);
    await standing(events, cartId);
    await carol.api.markRead({ input: { chatId, seq } });
    while ((await take(chat, 1, []))[0]!.__typename !== 'ReceiptsChanged');
    chat.close();
    await set(carol, cartId, cup, 7);
    let told;
    do [told] = await take(events, 1, []);
    while (told!.__typename === 'CartLineChanged' && told!.variantId !== variant(cup));
    assert.ok(told!.__typename === 'CartLineChanged');
    assert.equal(told!.line!.quantity, 7);
    events.close();
  });

  it('any edits by anybody, in any order, add up', async () => {
    const { cartId } = await shared();
    const people = [ann, bob, carol];
    const edit = fc.record({ who: fc.nat(2), product: fc.constantFrom(0, 1), quantity: fc.integer({ min: 1, max: 5 }), kind: fc.constantFrom('add', 'set', 'none') });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 12 }), async (edits) => {
        const expected = new Map<string, number>();
        for (const line of (await read(ann, cartId))!.lines) for (const { user, quantity } of line.shares) expected.set(`${user.handle} ${line.variantId}`, quantity);
        // Each person's edits one after the other, all people at once.
        await Promise.all(
          people.map(async (person, index) => {
            for (const { product, quantity, kind } of edits.filter(({ who }) => who === index)) {
              const of = [tea, cup][product]!;
              const key = `${person.handle} ${variant(of)}`;
              if (kind === 'add') await add(person, cartId, of, quantity);
              else await set(person, cartId, of, kind === 'set' ? quantity : 0);
              expected.set(key, kind === 'add' ? (expected.get(key) ?? 0) + quantity : kind === 'set' ? quantity : 0);
            }
          }),
        );
        const cart = (await read(ann, cartId))!;
        const found = new Map(cart.lines.flatMap((line) => line.shares.map(({ user, quantity }) => [`${user.handle} ${line.variantId}`, quantity] as const)));
        assert.deepEqual(Object.fromEntries(found), Object.fromEntries([...expected].filter(([, quantity]) => quantity > 0)));
        for (const line of cart.lines) assert.equal(line.quantity, line.shares.reduce((sum, share) => sum + share.quantity, 0));
        assert.equal(cart.subtotal.amount, cart.lines.reduce((sum, line) => sum + line.unitPrice!.amount * line.quantity, 0));
      }),
      { numRuns: 8 },
    );
  });

  it('what can not be is refused, and changes nothing', async () => {
    const { cartId } = await shared();
    const foreign = await sell(world, await openShop(world, dave), 'Elsewhere');
    const draft = (await dave.api.setProductStatus({ input: { productId: (await sell(world, shop, 'Withdrawn')).id, status: 'DRAFT' } })).setProductStatus.product;
    const elsewhere = await world.groupChat(ann, [bob]);
    await set(ann, cartId, cup, 1);
    const before = await digest(world);
    await fails(add(bob, cartId, foreign), 'NOT_FOUND', 'variantId');
    await fails(add(bob, cartId, draft), 'NOT_FOUND', 'variantId');
    await fails(add(bob, cartId, tea, 0), 'INVALID_INPUT', 'quantity');
    await fails(add(bob, cartId, tea, 1_000), 'INVALID_INPUT', 'quantity');
    await fails(add(bob, cartId, cup, 999), 'LIMIT_REACHED', 'quantity');
    await fails(set(bob, cartId, tea, 1, { userId: dave.id }), 'NOT_FOUND', 'userId');
    await fails(bob.api.closeCart({ input: { cartId } }), 'FORBIDDEN');
    await fails(bob.api.shareCart({ input: { cartId, chatId: elsewhere, idempotencyKey: world.key() } }), 'FORBIDDEN');
    await fails(ann.api.shareCart({ input: { cartId, chatId: elsewhere, idempotencyKey: world.key() } }), 'STATE_CONFLICT', 'chatId');
    assert.deepEqual(await digest(world), before);
    await ann.api.closeCart({ input: { cartId } });
    const closed = await digest(world);
    await ann.api.closeCart({ input: { cartId } });
    await fails(add(bob, cartId, tea), 'STATE_CONFLICT');
    assert.deepEqual(await digest(world), closed);
  });
});
