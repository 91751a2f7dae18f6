import assert from 'node:assert/strict';
import type { InboxEvent, SendBotCardMutationVariables } from '../../sdk/index.js';
import { digest } from '../testkit/digest.js';
import { WebhookReceiver } from '../testkit/webhook-receiver.js';
import { fails, settle, take, World, type Person } from '../testkit/world.js';

type Card = SendBotCardMutationVariables['input']['card'];
const ORDER: Card = {
  heading: 'Your order',
  rows: [[{ key: 'pay', label: 'Pay', style: 'PRIMARY', payload: 'order:17:pay' }, { key: 'cancel', label: 'Cancel', style: 'DANGER', payload: 'order:17:cancel' }], [{ key: 'terms', label: 'Terms', url: 'https://example.com/terms' }]],
};
const BOOKING: Card = {
  form: {
    submitLabel: 'Book',
    fields: [
      { key: 'name', kind: 'TEXT', label: 'Name', required: true, maxLength: 5 },
      { key: 'seats', kind: 'NUMBER', label: 'Seats', required: true, min: 1, max: 8 },
      { key: 'meal', kind: 'CHOICE', label: 'Meal', options: ['Fish', 'Beans', 'Cake'], multiple: true },
      { key: 'drink', kind: 'CHOICE', label: 'Drink', options: ['Tea', 'Water'] },
      { key: 'day', kind: 'DATE', label: 'Day', earliest: '2026-02-01', latest: '2026-02-28' },
    ],
  },
};
type Called = Extract<InboxEvent, { __typename: 'ButtonPressed' | 'FormSubmitted' }>;

describe('buttons and forms of bots', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let eve: Person;
  let receiver: WebhookReceiver;
  let botId: string;
  let bot: ReturnType<World['client']>;
  let token: string;
  let botUserId: string;
  let chatId: string;

  before(async () => {
    world = await World.start({ nodes: 2, settings: { WEBHOOKS: 'true', ACCESS_TOKEN_TTL: '86400', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' } });
    receiver = await new WebhookReceiver().listen();
    [ann, bob, eve] = await world.people('Ann', 'Bob', 'Eve');
    chatId = await world.groupChat(ann, [bob], 'Orders');
    const made = (await ann.api.createBot({ input: { handle: 'clerk', displayName: 'Clerk', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot;
    botId = made.bot.id;
    botUserId = made.bot.user.id;
    token = made.token;
    bot = world.client(token);
    await ann.api.addBotToChat({ input: { botId, chatId } });
  });
  after(async () => {
    await world?.stop();
    await receiver?.close();
  });

  /** Consumers of the log move by themselves. */
  const look = async () => {
    const { log_consumers: _moving, ...tables } = await digest(world);
    return tables;
  };
  const send = async (card: Card = ORDER, text = 'What shall it be?') => (await bot.api.sendBotCard({ input: { chatId, text, card, idempotencyKey: world.key() } })).sendBotCard.message;
  const press = (person: Person, messageId: string, button = 'pay', idempotencyKey = world.key()) => person.api.pressButton({ input: { messageId, button, idempotencyKey } }).then(({ pressButton }) => pressButton);
  /** What comes on a device from now on, beside messages. */
  const listen = async (client: Pick<Person['client'], 'inboxEvents'>) => {
    const stream = client.inboxEvents();
    const skip = ['ReceiptsChanged', 'ViewerReceiptChanged', 'InboxCheckpoint', 'MessageSent', 'MessageUpdated'];
    await settle();
    return { next: (count = 1) => take(stream, count, skip), close: () => stream.close() };
  };
  const cardOf = (message: { card?: object | null }) => {
    const card = message.card as Extract<NonNullable<Awaited<ReturnType<typeof send>>['card']>, { __typename: 'InteractiveCard' }> | null;
    assert.equal(card?.__typename, 'InteractiveCard');
    return card!;
  };

  it('are shown to the chat without their payloads; a press comes to the bot alone, its answer to whoever has pressed', async () => {
    const [atBot, atBob, atAnn] = await Promise.all([listen(bot), listen(bob.client), listen(ann.client)]);
    const message = await send();
    assert.deepEqual(cardOf(message).buttons.map(({ key, label, style, url, row }) => [key, label, style, url, row]), [['pay', 'Pay', 'PRIMARY', null, 0], ['cancel', 'Cancel', 'DANGER', null, 0], ['terms', 'Terms', 'DEFAULT', 'https://example.com/terms', 1]]);
    assert.deepEqual([message.kind, message.text, cardOf(message).heading, cardOf(message).form], ['CARD', 'What shall it be?', 'Your order', null]);
    const read = (await bob.api.messageBySeq({ chatId, seq: message.seq })).chat!.message!;
    assert.equal(JSON.stringify(read).includes('order:17'), false);
    await fails(bob.client.request('query($id: ID!) { node(id: $id) { ... on Message { card { ... on InteractiveCard { buttons { payload } } } } } }', { id: message.id }), 'GRAPHQL_VALIDATION_FAILED');

    const { callbackId, expiresAt } = await press(bob, message.id);
    assert.equal(Math.round((Date.parse(expiresAt) - world.clock.now().getTime()) / 60_000), 15);
    const [pressed] = (await atBot.next()) as [Called];
    assert.equal(pressed.__typename, 'ButtonPressed');
    const { user, payload, button, values, ...rest } = pressed.callback!;
    assert.deepEqual([pressed.callbackId, rest.id, rest.chatId, rest.messageId, user.id, button, payload, values], [callbackId, callbackId, chatId, message.id, bob.id, 'pay', 'order:17:pay', []]);

    await bot.api.answerCallback({ input: { callbackId, notice: 'Paid. Thank you!', alert: true } });
    const [answered] = await atBob.next();
    assert.ok(answered!.__typename === 'CallbackAnswered');
    assert.deepEqual([answered.callbackId, answered.chatId, answered.messageId, answered.notice, answered.alert], [callbackId, chatId, message.id, 'Paid. Thank you!', true]);
    // Ann has heard of none of it: what comes next is her own doing.
    await ann.api.updateChatSettings({ input: { chatId, pinned: true } });
    assert.deepEqual((await atAnn.next()).map(({ __typename }) => __typename), ['ChatSettingsChanged']);
    for (const one of [atBot, atBob, atAnn]) one.close();
  });

  it('change as the bot has them change, told as an edit; what is not there any more can not be pressed', async () => {
    const message = await send();
    const changed = (await bot.api.updateBotCard({ input: { messageId: message.id, text: 'Thank you.', card: { rows: [[{ key: 'refund', label: 'Refund' }]] }, expectedVersion: 1 } })).updateBotCard.message;
    assert.deepEqual([changed.version, changed.text, changed.editedAt !== null, cardOf(changed).buttons.map(({ key }) => key)], [2, 'Thank you.', true, ['refund']]);
    const before = await look();
    const again = (await bot.api.updateBotCard({ input: { messageId: message.id, text: 'Thank you.', card: { rows: [[{ key: 'refund', label: 'Refund' }]] } } })).updateBotCard.message;
    assert.equal(again.version, 2);
    await fails(bot.api.updateBotCard({ input: { messageId: message.id, card: ORDER, expectedVersion: 1 } }), 'STATE_CONFLICT', 'expectedVersion');
    await fails(press(bob, message.id, 'pay'), 'NOT_FOUND', 'button');
    await fails(press(bob, message.id, 'terms'), 'NOT_FOUND', 'button');
    await fails(bot.api.editMessage({ input: { messageId: message.id, text: 'x' } }), 'FORBIDDEN');
    assert.deepEqual(await look(), before);
    const bare = (await bot.api.updateBotCard({ input: { messageId: message.id, card: {} } })).updateBotCard.message;
    assert.deepEqual([bare.version, bare.text, cardOf(bare).buttons], [3, 'Thank you.', []]);
    await bot.api.deleteMessage({ input: { messageId: message.id, scope: 'FOR_EVERYONE' } });
    await fails(press(bob, message.id, 'refund'), 'STATE_CONFLICT');
    await fails(bot.api.updateBotCard({ input: { messageId: message.id, card: ORDER } }), 'STATE_CONFLICT');
  });

  it('are for bots to send, for those who see the message to press, and for the one that was told to answer', async () => {
    const other = (await ann.api.createBot({ input: { handle: 'other_clerk', displayName: 'Other', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot;
    await ann.api.addBotToChat({ input: { botId: other.bot.id, chatId } });
    const stranger = world.client(other.token);
    const message = await send();
    const plain = await world.say(ann, chatId, 'no card');
    const { callbackId } = await press(bob, message.id);
    const before = await look();
    await fails(ann.api.sendBotCard({ input: { chatId, text: 'Press!', card: ORDER, idempotencyKey: world.key() } }), 'FORBIDDEN');
    await fails(ann.api.updateBotCard({ input: { messageId: message.id, card: ORDER } }), 'FORBIDDEN');
    await fails(stranger.api.updateBotCard({ input: { messageId: message.id, card: ORDER } }), 'FORBIDDEN');
    await fails(bot.api.updateBotCard({ input: { messageId: plain.id, card: ORDER } }), 'FORBIDDEN');
    await fails(press(eve, message.id), 'NOT_FOUND');
    await fails(press(bob, plain.id), 'NOT_FOUND', 'messageId');
    await fails(press(bob, message.id, 'nothing'), 'NOT_FOUND', 'button');
    await fails(press(bob, message.id, 'terms'), 'INVALID_INPUT', 'button');
    await fails(stranger.api.pressButton({ input: { messageId: message.id, button: 'pay', idempotencyKey: world.key() } }), 'FORBIDDEN');
    await fails(bob.api.submitForm({ input: { messageId: message.id, values: [], idempotencyKey: world.key() } }), 'NOT_FOUND', 'messageId');
    for (const who of [ann.api, bob.api, stranger.api]) await fails(who.answerCallback({ input: { callbackId, notice: 'mine' } }), 'NOT_FOUND', 'callbackId');
    await fails(bot.api.answerCallback({ input: { callbackId, notice: 'x'.repeat(513) } }), 'INVALID_INPUT', 'notice');
    const theirs = await world.groupChat(eve, []);
    await fails(bot.api.sendBotCard({ input: { chatId: theirs, text: 'Hello', card: ORDER, idempotencyKey: world.key() } }), 'NOT_FOUND');
    assert.deepEqual({ ...(await look()), chats: '', chat_members: '', events: '', streams: '', idempotency_keys: '' }, { ...before, chats: '', chat_members: '', events: '', streams: '', idempotency_keys: '' });
    // Who comes later does not see it, and a card that was sent on has nothing to press.
    await ann.api.addChatMembers({ input: { chatId, memberIds: [eve.id] } });
    await fails(press(eve, message.id), 'NOT_FOUND');
    await ann.api.removeChatMember({ input: { chatId, userId: eve.id } });
    const [sentOn] = (await bob.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [chatId], idempotencyKey: world.key() } })).forwardMessages.messages;
    assert.deepEqual([sentOn!.kind, sentOn!.text, sentOn!.card], ['TEXT', 'What shall it be?', null]);
  });

  it('take a press once for each key, and an answer once', async () => {
    const message = await send();
    const key = world.key();
    const both = await Promise.all([press(bob, message.id, 'pay', key), press(bob, message.id, 'pay', key)]);
    assert.deepEqual(both[0], both[1]);
    assert.deepEqual(await press(bob, message.id, 'pay', key), both[0]);
    await fails(press(bob, message.id, 'cancel', key), 'IDEMPOTENCY_KEY_REUSED');
    const { callbackId } = both[0];
    assert.equal((await world.sql('select from bot_callbacks where seq = $1', [message.seq])).length, 1);
    await bot.api.answerCallback({ input: { callbackId, notice: 'Once.' } });
    const before = await look();
    await bot.api.answerCallback({ input: { callbackId, notice: 'Once.' } });
    await fails(bot.api.answerCallback({ input: { callbackId, notice: 'Twice.' } }), 'STATE_CONFLICT', 'callbackId');
    assert.deepEqual(await look(), before);
    const sent = { chatId, text: 'Again?', card: ORDER, idempotencyKey: world.key() };
    const [one, two] = await Promise.all([bot.api.sendBotCard({ input: sent }), bot.api.sendBotCard({ input: sent })]);
    assert.equal(one.sendBotCard.message.id, two.sendBotCard.message.id);
    await fails(bot.api.sendBotCard({ input: { ...sent, card: BOOKING } }), 'IDEMPOTENCY_KEY_REUSED');
  });

  it('have forms whose values the server checks, field by field', async () => {
    const message = await send(BOOKING, 'When do you come?');
    assert.deepEqual(cardOf(message).form!.fields.map(({ key, kind, required, maxLength, min, max, options, multiple, earliest, latest }) => [key, kind, required, maxLength, min, max, options, multiple, earliest, latest]), [
      ['name', 'TEXT', true, 5, null, null, [], false, null, null], ['seats', 'NUMBER', true, null, 1, 8, [], false, null, null], ['meal', 'CHOICE', false, null, null, null, ['Fish', 'Beans', 'Cake'], true, null, null],
      ['drink', 'CHOICE', false, null, null, null, ['Tea', 'Water'], false, null, null], ['day', 'DATE', false, null, null, null, [], false, '2026-02-01', '2026-02-28'],
    ]);
    const good = { name: { text: ' Bob ' }, seats: { number: 2.5 }, meal: { choices: ['Cake', 'Fish', 'Cake'] }, day: { date: '2026-02-14' } };
    const submit = (values: Record<string, object>, key = world.key()) =>
      bob.api.submitForm({ input: { messageId: message.id, values: Object.entries(values).map(([name, value]) => ({ key: name, ...value })), idempotencyKey: key } }).then(({ submitForm }) => submitForm);
    const before = await look();
    const wrong: [object, string][] = [
      [{ name: { text: 'Robert' } }, 'values.name'], [{ name: { text: '  ' } }, 'values.name'], [{ name: { number: 1 } }, 'values.name'], [{ name: { text: 'Bob', number: 1 } }, 'values.name'], [{ seats: { number: 0 } }, 'values.seats'],
      [{ seats: { number: 9 } }, 'values.seats'], [{ seats: {} }, 'values.seats'], [{ meal: { choices: ['Meat'] } }, 'values.meal'], [{ drink: { choices: ['Tea', 'Water'] } }, 'values.drink'], [{ day: { date: '2026-02-30' } }, 'values.day'],
      [{ day: { date: '2026-01-31' } }, 'values.day'], [{ day: { date: '2026-03-01' } }, 'values.day'], [{ day: { text: '2026-02-14' } }, 'values.day'], [{ shoe: { text: '43' } }, 'values'],
    ];
    for (const [values, field] of wrong) await fails(submit({ ...good, ...values }), 'INVALID_INPUT', field);
    await fails(bob.api.submitForm({ input: { messageId: message.id, values: [{ key: 'name', text: 'A' }, { key: 'name', text: 'B' }], idempotencyKey: world.key() } }), 'INVALID_INPUT', 'values');
    await fails(press(bob, message.id), 'NOT_FOUND', 'button');
    assert.deepEqual(await look(), before);

    const atBot = await listen(bot);
    const { callbackId } = await submit(good);
    const [told] = (await atBot.next()) as [Called];
    atBot.close();
    assert.deepEqual([told.__typename, told.callbackId, told.messageId, told.callback!.user.id, told.callback!.button, told.callback!.payload], ['FormSubmitted', callbackId, message.id, bob.id, null, null]);
    assert.deepEqual(told.callback!.values.map(({ key, text, number, choices, date }) => [key, text, number, choices, date]), [['name', 'Bob', null, null, null], ['seats', null, 2.5, null, null], ['meal', null, null, ['Cake', 'Fish'], null], ['day', null, null, null, '2026-02-14']]);
  });

  it('are bounded', async () => {
    const button = (key: string, more: object = {}) => ({ key, label: 'A', ...more });
    const row = Array.from({ length: 8 }, (_, at) => at);
    const full = row.map((at) => row.map((place) => button(`${at}-${place}`)));
    const field = (more: object) => ({ form: { submitLabel: 'Go', fields: [{ key: 'a', kind: 'TEXT' as const, label: 'A', ...more }] } });
    const before = await look();
    const wrong: [Card, string][] = [
      [{}, 'card'], [{ rows: [[]] }, 'card.rows'], [{ rows: [...full, [button('more')]] }, 'card.rows'], [{ rows: [[...full[0]!, button('more')]] }, 'card.rows'], [{ rows: [[button('a'), button('a')]] }, 'card.rows'],
      [{ rows: [[button('a b')]] }, 'card.rows'], [{ rows: [[button('a', { payload: 'é'.repeat(129) })]] }, 'card.rows'], [{ rows: [[button('a', { payload: 'nul\u0000' })]] }, 'card.rows'], [{ rows: [[button('a', { payload: 'x', url: 'https://example.com' })]] }, 'card.rows'],
      [{ rows: [[button('a', { url: 'javascript:alert(1)' })]] }, 'card.rows'], [{ rows: [[button('a', { label: 'x'.repeat(129) })]] }, 'card.rows'], [{ ...ORDER, heading: 'x'.repeat(257) }, 'card.heading'],
      [{ form: { submitLabel: 'Go', fields: [] } }, 'card.form'], [{ form: { submitLabel: 'Go', fields: Array.from({ length: 11 }, (_, at) => ({ key: `${at}`, kind: 'TEXT' as const, label: 'A' })) } }, 'card.form'],
      [field({ maxLength: 4_001 }), 'card.form'], [field({ min: 1 }), 'card.form'], [field({ kind: 'CHOICE' }), 'card.form'], [field({ kind: 'CHOICE', options: ['a', 'a'] }), 'card.form'], [field({ kind: 'NUMBER', min: 2, max: 1 }), 'card.form'],
      [field({ kind: 'DATE', earliest: '2026-13-01' }), 'card.form'],
      [{ rows: full.map((buttons) => buttons.map((one) => ({ ...one, label: 'x'.repeat(128), url: `https://example.com/${'x'.repeat(900)}` }))) }, 'card'],
    ];
    for (const [card, name] of wrong) await fails(send(card), 'INVALID_INPUT', name);
    assert.deepEqual(await look(), before);
    assert.equal(cardOf(await send({ rows: full })).buttons.length, 64);
    const opaque = ' {"a":1}\n\t€ ';
    const message = await send({ rows: [[button('a', { payload: opaque })]] });
    const atBot = await listen(bot);
    await press(bob, message.id, 'a');
    assert.equal(((await atBot.next()) as [Called])[0].callback!.payload, opaque);
    atBot.close();
  });

  it('tell a bot that was away when it comes back; are answered for 15 minutes, and forgotten after 7 days', async () => {
    const live = await listen(bot);
    const cursor = (await bot.api.viewer()).viewer!.eventCursor;
    const message = await send();
    const { callbackId } = await press(bob, message.id);
    const resumed = async (node = 0) => {
      const stream = world.client(token, node).inboxEvents([cursor]);
      const [event] = (await take(stream, 1, ['ReceiptsChanged', 'ViewerReceiptChanged', 'InboxCheckpoint', 'MessageSent'])) as [Called];
      stream.close();
      return event;
    };
    assert.deepEqual(await resumed(), ((await live.next()) as [Called])[0]);
    live.close();
    const soon = (await press(bob, message.id, 'cancel')).callbackId;
    world.clock.advance(14 * 60_000);
    await bot.api.answerCallback({ input: { callbackId: soon } });
    world.clock.advance(60_000);
    await fails(bot.api.answerCallback({ input: { callbackId, notice: 'Too late.' } }), 'EXPIRED', 'callbackId');
    assert.equal((await resumed()).callback!.payload, 'order:17:pay');
    world.clock.advance(7 * 86_400_000);
    while (await world.app.container.jobs.botCallbacks.forget());
    assert.deepEqual(await world.sql('select from bot_callbacks'), []);
    const forgotten = await resumed(1);
    assert.deepEqual([forgotten.callbackId, forgotten.messageId, forgotten.callback], [callbackId, message.id, null]);
    await fails(bot.api.answerCallback({ input: { callbackId } }), 'NOT_FOUND', 'callbackId');
    world.clock.advance(-(7 * 86_400_000 + 15 * 60_000));
  });

  it('are pressed 30 times a minute by one person, whoever they are of', async () => {
    const message = await send();
    const dora = await world.person('Dora');
    await ann.api.addChatMembers({ input: { chatId, memberIds: [dora.id] } });
    const shown = await send();
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => press(dora, shown.id)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 30);
    const error = await fails(press(dora, shown.id), 'RATE_LIMITED');
    assert.ok(Number(error.errors[0]!.extensions!['retryAfter']) > 0);
    await press(bob, message.id);
    world.clock.advance(61_000);
    await press(dora, shown.id);
  });

  it('are obeyed by the rules of a chat, and dead where the bot is gone or blocked', async () => {
    const guarded = await world.groupChat(ann, [bob], 'Guarded');
    await ann.api.addBotToChat({ input: { botId, chatId: guarded } });
    await ann.api.updateModerationRules({ input: { chatId: guarded, rules: { words: [{ word: 'bet', action: 'BLOCK' }] } } });
    const input = { chatId: guarded, text: 'Hello', card: { rows: [[{ key: 'a', label: 'Place a bet' }]] }, idempotencyKey: world.key() };
    await fails(bot.api.sendBotCard({ input }), 'MODERATED');
    const { message } = (await bot.api.sendBotCard({ input: { ...input, card: { rows: [[{ key: 'a', label: 'Fine' }]] }, idempotencyKey: world.key() } })).sendBotCard;
    await fails(bot.api.updateBotCard({ input: { messageId: message.id, card: input.card } }), 'MODERATED');
    await ann.api.removeChatMember({ input: { chatId: guarded, userId: botUserId } });
    await fails(press(bob, message.id, 'a'), 'STATE_CONFLICT');
    const direct = (await bob.api.createChat({ input: { kind: 'DIRECT', memberIds: [botUserId], idempotencyKey: world.key() } })).createChat.chat.id;
    const theirs = (await bot.api.sendBotCard({ input: { chatId: direct, text: 'Between us', card: ORDER, idempotencyKey: world.key() } })).sendBotCard.message;
    await bob.api.blockUser({ input: { userId: botUserId } });
    await fails(press(bob, theirs.id), 'BLOCKED');
    await bob.api.unblockUser({ input: { userId: botUserId } });
    await press(bob, theirs.id);
  });

  it('reach the bot by its own webhook, signed', async () => {
    receiver.ahead = Math.round((world.clock.now().getTime() - Date.now()) / 1000);
    const made = (await bot.api.createWebhook({ input: { url: receiver.url, events: ['BUTTON_PRESSED', 'FORM_SUBMITTED', 'MESSAGE_SENT'], chatIds: [chatId], idempotencyKey: world.key() } })).createWebhook;
    receiver.secret = made.secret;
    const [card, form] = [await send(), await send(BOOKING)];
    const pressed = await press(bob, card.id);
    await bob.api.submitForm({ input: { messageId: form.id, values: [{ key: 'name', text: 'Bob' }, { key: 'seats', number: 2 }], idempotencyKey: world.key() } });
    await world.say(bob, chatId, '@clerk are you there?');
    const got = await receiver.got(5);
    assert.deepEqual(receiver.refused, []);
    const of = (type: string) => got.filter(({ told }) => told.type === type).map(({ told }) => told.data);
    const [button] = of('button.pressed');
    assert.deepEqual([button!['callbackId'], button!['messageId'], button!['callback'].payload, button!['callback'].user.id], [pressed.callbackId, card.id, 'order:17:pay', bob.id]);
    assert.deepEqual(of('form.submitted')[0]!['callback'].values, [{ key: 'name', text: 'Bob', number: null, choices: null, date: null }, { key: 'seats', text: null, number: 2, choices: null, date: null }]);
    assert.ok(of('message.sent').some(({ message }) => message.text === '@clerk are you there?' && message.mentions[0].id === botUserId));
  });
});
