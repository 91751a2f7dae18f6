import assert from 'node:assert/strict';
import type { Tx } from '../../src/db/unit-of-work.js';
import { chatStream } from '../../src/events/catalogue.js';
import { decodeId, encodeId } from '../../src/lib/ids.js';
import { matchesOf } from '../../src/services/webhooks/matching.js';
import { Webhook } from 'standardwebhooks';
import { ADDRESS, openShop, sell } from '../testkit/commerce.js';
import { makeBot } from '../testkit/bots.js';
import { signedInAgain } from '../testkit/news.js';
import { signedBy, WebhookReceiver } from '../testkit/webhook-receiver.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const HOUR = 3_600_000;
type Input = Parameters<Person['api']['createWebhook']>[0]['input'];

/** A node of what `explain (analyze, format json)` answers. */
interface Plan {
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: Plan[];
}
/** How many rows, and pairs of rows, were looked at. */
const lookedAt = (plan: Plan): number =>
  plan['Actual Loops'] * (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Join Filter'] ?? 0)) + (plan.Plans ?? []).reduce((sum, part) => sum + lookedAt(part), 0);

describe('webhooks', function () {
  this.timeout(60_000);
  let world: World;
  let receiver: WebhookReceiver;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let names = 0;

  before(async () => {
    world = await World.start({ settings: { WEBHOOKS: 'true', ACCESS_TOKEN_TTL: '86400', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' } });
  });
  after(() => world.stop());
  beforeEach(async () => {
    const suffix = ++names;
    receiver = await listen();
    [ann, bob] = await world.people(`Ann${suffix}`, `Bob${suffix}`);
    chatId = await world.groupChat(ann, [bob]);
  });
  afterEach(async () => {
    await world.sql(`update webhooks set state = 'PAUSED'`);
    await settled();
    for (const one of receivers.splice(0)) await one.close();
  });

  const receivers: WebhookReceiver[] = [];
  const listen = async () => {
    const one = await new WebhookReceiver().listen();
    one.ahead = Math.round((world.clock.now().getTime() - Date.now()) / 1000);
    receivers.push(one);
    return one;
  };
  const queue = () => world.app.container.webhooks.queue;
  const settled = async () => {
    await queue().sweep();
    await queue().settled();
  };
  const create = async (person: Person, input: Partial<Input> = {}, to = receiver) => {
    const made = (await person.api.createWebhook({ input: { url: to.url, events: ['MESSAGE_SENT'], idempotencyKey: world.key(), ...input } })).createWebhook;
    to.secret = made.secret;
    return made;
  };
  const texts = (of = receiver) => of.received.map(({ told }) => told.data['message']?.text as string);
  const log = async (person: Person, id: string) => (await person.api.webhook({ id })).webhook!.deliveries.edges.map(({ node }) => node);
  /** The log once nothing of it is being sent. */
  const tried = async (person: Person, id: string, deliveries = 1) => {
    await eventually(async () => (await log(person, id)).filter(({ attempts }) => attempts > 0).length === deliveries, `${deliveries} were tried`, 20_000);
    await queue().settled();
    return (await log(person, id))[0]!;
  };
  const pass = async (ms: number) => {
    await queue().settled();
    world.clock.advance(ms);
    for (const one of receivers) one.ahead += ms;
    await settled();
  };

  it('tell of what happens, signed so that the public library takes it, with the place in its stream; the log shows it', async () => {
    const { webhook } = await create(ann);
    assert.deepEqual([webhook.state, webhook.events, webhook.chatIds, webhook.deliveredAt], ['ACTIVE', ['MESSAGE_SENT'], null, null]);
    const message = await world.say(bob, chatId, 'Hello 👋');
    const [one] = await receiver.got(1);
    await queue().settled();
    assert.deepEqual(receiver.refused, []);
    const { told } = one!;
    assert.deepEqual([told.type, told.webhookId, told.stream], ['message.sent', webhook.id, chatId]);
    assert.deepEqual([told.data['__typename'], told.data['messageId'], told.data['message'].text, told.data['message'].sender.id, told.data['chatId']], ['MessageSent', message.id, 'Hello 👋', bob.id, chatId]);
    // By its cursor a subscription goes on right behind it.
    await world.say(bob, chatId, 'and more');
    const events = ann.client.chatEvents(chatId, told.cursor);
    const { value } = await events.next();
    events.close();
    assert.ok(value?.__typename === 'MessageSent' && value.message?.text === 'and more' && value.offset === told.offset + 1);
    await receiver.got(2);
    await queue().settled();
    const [second, first] = await log(ann, webhook.id);
    assert.deepEqual([first!.id, first!.state, first!.attempts, first!.statusCode, first!.offset, first!.streamId, first!.error], [one!.id, 'DELIVERED', 1, 200, told.offset, chatId, null]);
    assert.equal(second!.offset, told.offset + 1);
    assert.equal(receiver.received.length, 2);
    // Whoever changes a byte is found out.
    assert.throws(() => new Webhook(receiver.secret!).verify(one!.body.replace('Hello', 'Hallo'), one!.headers as Record<string, string>));
  });

  it('tell only what their owner may see, then and now', async () => {
    const secret = await world.groupChat(ann, [], 'Ann’s own');
    await world.say(ann, chatId, 'before');
    const { webhook } = await create(bob, { events: ['MESSAGE_SENT', 'CHAT_REMOVED'] });
    await world.say(ann, secret, 'a secret');
    await world.say(ann, chatId, 'seen');
    await receiver.got(1);
    // What waits when its owner has to go is not told any more.
    receiver.answer = () => 500;
    await world.say(ann, chatId, 'last words');
    await tried(bob, webhook.id, 2);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    receiver.answer = () => 200;
    await world.say(ann, chatId, 'among us');
    await receiver.got(1, ({ told }) => told.type === 'chat.removed');
    await pass(10_000);
    assert.deepEqual(texts(), ['seen', 'last words', undefined]);
    const states = (await log(bob, webhook.id)).map(({ event, state }) => [event, state]);
    assert.deepEqual(states, [['CHAT_REMOVED', 'DELIVERED'], ['MESSAGE_SENT', 'DROPPED'], ['MESSAGE_SENT', 'DELIVERED']]);
    await fails(bob.api.redeliverWebhook({ input: { webhookId: webhook.id } }), 'INVALID_INPUT');
    assert.equal((await bob.api.redeliverWebhook({ input: { webhookId: webhook.id, since: new Date(world.clock.now().getTime() - HOUR).toISOString() } })).redeliverWebhook.count >= 1, true);
    await settled();
    assert.deepEqual(texts().filter(Boolean), ['seen', 'last words'], 'nothing of a chat that one has left');
  });

  it('choose events, chats and shops; orders of a shop reach its owner', async () => {
    const other = await world.groupChat(ann, [bob], 'Another');
    await create(ann, { events: ['MESSAGE_SENT', 'REACTIONS_CHANGED'], chatIds: [other] });
    const message = await world.say(bob, other, 'here');
    await world.say(bob, chatId, 'there');
    await bob.api.addReaction({ input: { messageId: message.id, emoji: '👍' } });
    const orders = await listen();
    const order = async (shopId: string, variantId: string) => {
      const { cart } = (await bob.api.createCart({ input: { shopId, idempotencyKey: world.key() } })).createCart;
      await bob.api.addToCart({ input: { cartId: cart.id, variantId, quantity: 1, idempotencyKey: world.key() } });
      const { result } = (await bob.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, idempotencyKey: world.key() } })).checkout;
      assert.ok(result.__typename === 'CheckoutCompleted');
      return result.order.id;
    };
    const [shop, elsewhere] = [await openShop(world, ann), await openShop(world, ann)];
    const [tea, coffee] = [await sell(world, shop, 'Tea'), await sell(world, elsewhere, 'Coffee')];
    const shopId = shop.id;
    await create(ann, { events: ['ORDER_CHANGED', 'MESSAGE_SENT'], shopIds: [shopId] }, orders);
    await order(elsewhere.id, coffee.variants[0]!.id);
    const placed = await order(shopId, tea.variants[0]!.id);
    const told = await orders.got(1);
    assert.deepEqual(told.map((one) => [one.told.type, one.told.data['order'].id, one.told.data['order'].shop.id, one.told.data['order'].buyer.id])[0], ['order.changed', placed, shopId, bob.id]);
    await receiver.got(2);
    await queue().settled();
    // Two are on their way at once: which is there first is nobody's word.
    assert.deepEqual(receiver.received.map((one) => [one.told.type, one.told.stream]).sort(), [['message.sent', other], ['reactions.changed', other]]);
    assert.deepEqual(orders.refused, []);
    assert.ok(orders.received.every((one) => one.told.type === 'order.changed' && one.told.data['order'].id === placed));
  });

  it('tell of cases of support and of moderators, of group buys, and of one’s bots', async () => {
    await create(ann, { events: ['SUPPORT_CHANGED', 'MODERATION_CHANGED', 'GROUPBUY_CHANGED', 'BOT_CHANGED'] });
    const { botId, userId } = await makeBot(world, ann, `helpy${names}`, [{ question: 'When?', answer: 'Today.' }]);
    await ann.api.setBotHandOver({ input: { botId, chatId } });
    await bob.api.createChat({ input: { kind: 'DIRECT', memberIds: [userId], idempotencyKey: world.key() } });
    const { supportCase } = (await bob.api.requestPerson({ input: { botId, withTranscript: false, idempotencyKey: world.key() } })).requestPerson;
    await ann.api.updateModerationRules({ input: { chatId, rules: { words: [{ word: 'casino', action: 'HOLD' }] } } });
    await fails(bob.api.sendMessage({ input: { chatId, text: 'to the casino', idempotencyKey: world.key() } }), 'HELD');
    const tea = await sell(world, await openShop(world, ann), 'Tea');
    const deadline = new Date(world.clock.now().getTime() + 24 * HOUR).toISOString();
    const { groupBuy } = (await ann.api.createGroupBuy({ input: { chatId, variantId: tea.variants[0]!.id, tiers: [{ quantity: 2, price: { amount: 900, currency: 'CHF' } }], deadline, idempotencyKey: world.key() } })).createGroupBuy;
    await ann.api.cancelGroupBuy({ input: { groupBuyId: groupBuy.id } });
    const told = (type: string) => receiver.received.filter(({ told: one }) => one.type === type).map(({ told: { data } }) => data);
    await eventually(() => ['bot.changed', 'support.changed', 'moderation.changed', 'groupbuy.changed'].every((type) => told(type).length > 0), 'each is told', 20_000);
    assert.deepEqual(receiver.refused, []);
    assert.deepEqual([told('bot.changed')[0]!['botId'], told('support.changed')[0]!['supportCase'].id, told('support.changed')[0]!['supportCase'].asker.id], [botId, supportCase.id, bob.id]);
    assert.deepEqual([told('moderation.changed')[0]!['case'].state, told('moderation.changed')[0]!['case'].reasons, told('moderation.changed')[0]!['case'].chatId], ['OPEN', ['WORD'], chatId]);
    assert.deepEqual([told('groupbuy.changed').at(-1)!['groupBuyId'], told('groupbuy.changed').at(-1)!['chatId']], [groupBuy.id, chatId]);
    // An app has endpoints told of what it could read itself; of what moderators decide, none is.
    const { app } = (await ann.api.createApp({ input: { name: 'Desk', redirectUris: [], scopes: ['bots:read', 'webhooks:write', 'webhooks:read'], idempotencyKey: world.key() } })).createApp;
    const { key } = (await ann.api.createApiKey({ input: { appId: app.id, name: 'desk', idempotencyKey: world.key() } })).createApiKey;
    const desk = (events: Input['events']) => world.client(key!).api.createWebhook({ input: { url: receiver.url, events, idempotencyKey: world.key() } });
    await fails(desk(['MODERATION_CHANGED']), 'FORBIDDEN');
    await fails(desk(['GROUPBUY_CHANGED']), 'FORBIDDEN');
    await desk(['SUPPORT_CHANGED', 'BOT_CHANGED']);
  });

  it('that fail are tried again later and later, under the same id, and hold up no other', async () => {
    const well = await listen();
    receiver.answer = () => 503;
    const { webhook } = await create(ann);
    await create(bob, {}, well);
    await world.say(bob, chatId, 'one');
    const first = await tried(ann, webhook.id);
    assert.deepEqual([first.state, first.statusCode, first.error], ['PENDING', 503, 'answered 503']);
    const wait = (delivery: { nextAttemptAt?: string | null }) => Date.parse(delivery.nextAttemptAt!) - world.clock.now().getTime();
    assert.ok(wait(first) > 0 && wait(first) <= 5_500, String(wait(first)));
    await world.say(bob, chatId, 'two');
    await well.got(2);
    assert.deepEqual(texts(well), ['one', 'two']);
    await pass(5_500);
    const all = await log(ann, webhook.id);
    assert.equal(all.at(-1)!.attempts, 2);
    assert.ok(wait(all.at(-1)!) > 45_000);
    assert.ok((await ann.api.webhook({ id: webhook.id })).webhook!.failingSince);
    receiver.answer = () => 200;
    await pass(70_000);
    await pass(70_000);
    assert.deepEqual((await log(ann, webhook.id)).map(({ state }) => state), ['DELIVERED', 'DELIVERED']);
    assert.equal((await ann.api.webhook({ id: webhook.id })).webhook!.failingSince, null);
    assert.equal(new Set(receiver.received.map(({ id }) => id)).size, 2);
    assert.deepEqual(receiver.refused, []);
  });

  it('are switched off after three days of failures, or at once when gone; the owner is told, and may bring back what was missed', async () => {
    receiver.answer = () => 500;
    const { webhook } = await create(ann);
    const message = await world.say(bob, chatId, 'unheard');
    await tried(ann, webhook.id);
    for (let hours = 0; hours < 80; hours += 4) await pass(4 * HOUR);
    [ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)];
    const off = (await ann.api.webhook({ id: webhook.id })).webhook!;
    assert.deepEqual([off.state, off.disabledReason, off.waitingCount], ['DISABLED', 'FAILING', 0]);
    assert.ok(receiver.received.length >= 8, `${receiver.received.length} tries`);
    assert.equal(new Set(receiver.received.map(({ id }) => id)).size, 1);
    const notices = async () => (await ann.api.notifications({})).viewer!.notifications.edges.map(({ node }) => [node.kind, node.webhook?.id, node.webhook?.disabledReason]);
    assert.deepEqual(await notices(), [['WEBHOOK_DISABLED', webhook.id, 'FAILING']]);
    await world.say(bob, chatId, 'while it was off');
    await fails(ann.api.redeliverWebhook({ input: { webhookId: webhook.id, since: new Date(0).toISOString() } }), 'STATE_CONFLICT');
    receiver.received.length = 0;
    receiver.answer = () => 200;
    await ann.api.updateWebhook({ input: { webhookId: webhook.id, active: true } });
    assert.equal((await ann.api.redeliverWebhook({ input: { webhookId: webhook.id, since: new Date(world.clock.now().getTime() - 100 * HOUR).toISOString() } })).redeliverWebhook.count, 2);
    await receiver.got(2);
    await queue().settled();
    assert.deepEqual(new Set(texts()), new Set(['unheard', 'while it was off']));
    assert.ok(receiver.received.some(({ told }) => told.data['messageId'] === message.id));
    receiver.answer = () => 410;
    await world.say(bob, chatId, 'gone');
    await eventually(async () => (await ann.api.webhook({ id: webhook.id })).webhook!.disabledReason === 'GONE', 'it is switched off', 20_000);
    assert.deepEqual(await notices(), [['WEBHOOK_DISABLED', webhook.id, 'GONE'], ['WEBHOOK_DISABLED', webhook.id, 'GONE']]);
  });

  it('change their secret with a day on which both are good; are replayed one by one; are paused, and deleted', async () => {
    const { webhook, secret: old } = await create(ann);
    const { secret } = (await ann.api.updateWebhook({ input: { webhookId: webhook.id, rotateSecret: true, description: 'ours' } })).updateWebhook;
    assert.ok(secret && secret !== old);
    await world.say(bob, chatId, 'one');
    const [one] = await receiver.got(1);
    assert.deepEqual([old, secret].map((good) => signedBy(one!, good)), [true, true]);
    await pass(25 * HOUR);
    [ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)];
    await world.say(bob, chatId, 'two');
    const [, two] = await receiver.got(2);
    assert.deepEqual([old, secret].map((good) => signedBy(two!, good)), [false, true]);
    await queue().settled();
    const [, first] = await log(ann, webhook.id);
    assert.equal((await ann.api.redeliverWebhook({ input: { webhookId: webhook.id, deliveryIds: [first!.id] } })).redeliverWebhook.count, 1);
    const [, , again] = await receiver.got(3);
    assert.deepEqual([again!.id, again!.told], [one!.id, one!.told]);
    await ann.api.updateWebhook({ input: { webhookId: webhook.id, active: false } });
    await world.say(bob, chatId, 'paused');
    await ann.api.updateWebhook({ input: { webhookId: webhook.id, active: true } });
    await world.say(bob, chatId, 'three');
    await receiver.got(4);
    assert.deepEqual(texts(), ['one', 'two', 'one', 'three']);
    await ann.api.deleteWebhook({ input: { webhookId: webhook.id } });
    assert.equal((await ann.api.webhook({ id: webhook.id })).webhook, null);
    assert.deepEqual((await ann.api.webhooks()).viewer!.webhooks.edges, []);
  });

  it('are compared with what concerns their owners alone, however many there are of others', async () => {
    const { webhook } = await create(ann);
    await world.sql(
      `with strangers as (insert into users (id, handle, handle_key, display_name) select gen_random_uuid(), 'stranger' || i, 'stranger' || i, 'Stranger' from generate_series(1, 2000) i returning id)
       insert into webhooks (id, owner_id, url, kinds, secret, created_at, since) select gen_random_uuid(), id, 'https://example.com', '{message.sent}', '', now(), '-infinity' from strangers`,
    );
    try {
      for (const table of ['users', 'webhooks', 'chat_members']) await world.sql(`analyze ${table}`);
      const events = Array.from({ length: 300 }, (_, at) => ({ stream: chatStream(decodeId('Chat', chatId)), pos: 1_000 + at, kind: 'message.sent', ref: { seq: 1 + at }, at: world.clock.now() }));
      const by = (prefix: string) => matchesOf({ sql: (text: string, values: unknown[]) => world.sql(prefix + text, values) } as unknown as Tx, events);
      const matches = await by('');
      assert.deepEqual([matches.map(({ pos }) => pos), [...new Set(matches.map(({ webhookId }) => encodeId('Webhook', webhookId)))]], [events.map(({ pos }) => pos), [webhook.id]]);
      const [{ 'QUERY PLAN': [{ Plan: plan }] }] = (await by('explain (analyze, format json) ')) as unknown as [{ 'QUERY PLAN': [{ Plan: Plan }] }];
      assert.ok(lookedAt(plan) < 30_000, `${lookedAt(plan)} rows and pairs, of 2,001 endpoints and 300 events`);
    } finally {
      await world.sql(`delete from users where handle_key like 'stranger%'`);
    }
  });

  it('go to their new address, signed with their new secret, from the moment on at which they are changed, however much waits', async () => {
    const other = await listen();
    const { webhook } = await create(ann);
    for (const text of ['1', '2', '3', '4', '5', '6']) await world.say(bob, chatId, text);
    await receiver.got(6);
    await queue().settled();
    let letGo!: () => void;
    receiver.hold = new Promise((resolve) => (letGo = resolve));
    await ann.api.redeliverWebhook({ input: { webhookId: webhook.id, deliveryIds: (await log(ann, webhook.id)).map(({ id }) => id) } });
    await receiver.got(8);
    other.secret = (await ann.api.updateWebhook({ input: { webhookId: webhook.id, url: other.url, rotateSecret: true } })).updateWebhook.secret;
    letGo();
    await other.got(4);
    await queue().settled();
    assert.deepEqual([receiver.received.length, other.received.length, other.refused], [8, 4, []]);
  });

  it('ask no private address: not by its number, and not by a name that leads there', async () => {
    for (const url of ['http://example.com/hook', 'https://10.0.0.1/', 'https://[::1]/', 'https://169.254.169.254/latest', 'https://user:secret@example.com/', 'ftp://example.com/', 'https://example.com:22/']) {
      await fails(ann.api.createWebhook({ input: { url, events: ['MESSAGE_SENT'], idempotencyKey: world.key() } }), 'INVALID_INPUT', 'url');
    }
    const { webhook } = await create(ann, { url: 'https://localhost/hook' });
    await world.say(bob, chatId, 'hello?');
    const delivery = await tried(ann, webhook.id);
    assert.deepEqual([delivery.state, delivery.error, delivery.statusCode], ['FAILED', 'It is not an address of the public internet.', null]);
  });

  it('are their owner’s alone, at most twenty; a repeat of a creation answers the same', async () => {
    const { webhook } = await create(ann);
    for (const call of [
      () => bob.api.updateWebhook({ input: { webhookId: webhook.id, active: false } }),
      () => bob.api.deleteWebhook({ input: { webhookId: webhook.id } }),
      () => bob.api.redeliverWebhook({ input: { webhookId: webhook.id, since: new Date().toISOString() } }),
    ]) await fails(call(), 'NOT_FOUND', 'webhookId');
    assert.equal((await bob.api.webhook({ id: webhook.id })).webhook, null);
    const foreign = await world.groupChat(bob, []);
    await fails(create(ann, { chatIds: [foreign] }), 'NOT_FOUND', 'chatIds');
    await fails(create(ann, { events: [] }), 'INVALID_INPUT', 'events');
    const input: Input = { url: receiver.url, events: ['MESSAGE_SENT'], idempotencyKey: world.key() };
    const [a, b] = [await ann.api.createWebhook({ input }), await ann.api.createWebhook({ input })];
    assert.deepEqual(a, b);
    for (let more = 2; more < 20; more++) await create(ann);
    await fails(create(ann), 'LIMIT_REACHED');
  });
});
