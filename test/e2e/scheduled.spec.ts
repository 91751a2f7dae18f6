import assert from 'node:assert/strict';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

describe('scheduled messages', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ nodes: 2 });
    [ann, bob] = await world.people('Ann', 'Bob');
  });
  after(() => world.stop());
  beforeEach(async () => {
    chatId = await world.groupChat(ann, [bob], 'Later');
  });

  const at = (ms: number) => new Date(world.clock.now().getTime() + ms).toISOString();
  const schedule = async (person: Person, text: string, ms = MINUTE, more: { replyToId?: string; threadRootId?: string } = {}) =>
    (await person.api.scheduleMessage({ input: { chatId, text, sendAt: at(ms), idempotencyKey: world.key(), ...more } })).scheduleMessage.scheduledMessage;
  const list = async (person: Person, states?: ('WAITING' | 'SENT' | 'FAILED' | 'CANCELLED')[]) =>
    (await person.api.scheduledMessages({ first: 100, ...(states ? { states } : {}) })).viewer!.scheduledMessages.edges.map((edge) => edge.node);
  const texts = async (reader = bob) => (await reader.api.chatMessages({ id: chatId, last: 100 })).chat!.messages.edges.flatMap(({ node }) => (node.kind === 'SYSTEM' ? [] : [node.text]));
  const stateOf = async (person: Person, id: string) => (await list(person, ['WAITING', 'SENT', 'FAILED', 'CANCELLED'])).find((row) => row.id === id);
  const settled = (person: Person, id: string) => eventually(async () => (await stateOf(person, id))!.state !== 'WAITING', 'it is settled');
  const leave = (person: Person) => person.api.leaveChat({ input: { chatId } });

  it('waits unseen, is sent once at its time, and its sender is told on their own stream', async () => {
    const inbox = ann.client.inboxEvents();
    await take(inbox, 1, []);
    const made = await schedule(ann, 'good morning @bob');
    assert.deepEqual([made.state, made.text, made.failure], ['WAITING', 'good morning @bob', null]);
    world.clock.advance(MINUTE - 2_000);
    assert.deepEqual(await texts(), []);
    assert.deepEqual(await list(bob), []);
    world.clock.advance(2_100);
    const events = await take(inbox, 3);
    assert.deepEqual(events.map((event) => event.__typename).sort(), ['MessageSent', 'ScheduledMessageChanged', 'ScheduledMessageChanged']);
    const sent = events.find((event) => event.__typename === 'MessageSent');
    assert.ok(sent?.__typename === 'MessageSent' && sent.message?.text === 'good morning @bob' && sent.message.sender.id === ann.id);
    const last = events.findLast((event) => event.__typename === 'ScheduledMessageChanged');
    assert.ok(last?.__typename === 'ScheduledMessageChanged');
    // Its words live on in the message alone, where they can be deleted.
    assert.deepEqual([last.scheduledMessage!.state, last.scheduledMessage!.text], ['SENT', null]);
    assert.deepEqual(await world.sql('select input from scheduled_messages where input <> $1', ['{}']), []);
    assert.deepEqual(await list(ann), []);
    const [shown] = await list(ann, ['SENT']);
    assert.deepEqual([shown!.id, shown!.message!.text], [made.id, 'good morning @bob']);
    assert.equal((await world.sql('select from messages where mentions is not null')).length, 1);
    inbox.close();
  });

  it('a repeat under a key schedules once', async () => {
    const input = { chatId, text: 'once', sendAt: at(MINUTE), idempotencyKey: world.key() };
    const made = await Promise.all([...Array(10)].map(() => ann.api.scheduleMessage({ input })));
    assert.equal(new Set(made.map((one) => one.scheduleMessage.scheduledMessage.id)).size, 1);
    await fails(ann.api.scheduleMessage({ input: { ...input, text: 'twice' } }), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    assert.equal((await list(ann)).length, 1);
  });

  it('many that fall due together are sent once each by two nodes', async () => {
    const words = [...Array(30)].map((_, index) => `number ${index}`);
    for (const [index, text] of words.entries()) await schedule(ann, text, MINUTE + index);
    await world.passTime(2 * MINUTE);
    await eventually(async () => (await texts()).length >= words.length, 'all are sent');
    assert.deepEqual((await texts()).sort(), words.sort());
  });

  it('a process that dies between sending and noting it doubles nothing', async () => {
    const made = await schedule(ann, 'only once');
    await world.passTime(MINUTE + 1);
    await settled(ann, made.id);
    // As the dead process would have left it.
    await world.sql(`update scheduled_messages set state = 'WAITING', sending = true, sent_seq = null, input = '{"text": "only once"}', try_at = $1`, [new Date(at(30_000))]);
    await fails(ann.api.cancelScheduledMessage({ input: { scheduledMessageId: made.id } }), 'STATE_CONFLICT');
    await leave(ann);
    await world.passTime(31_000);
    await settled(ann, made.id);
    assert.equal((await stateOf(ann, made.id))!.state, 'SENT');
    assert.deepEqual(await texts(), ['only once']);
  });

  it('what was cancelled is not sent; another’s can’t be cancelled; what was sent neither', async () => {
    const made = await schedule(ann, 'never');
    await fails(bob.api.cancelScheduledMessage({ input: { scheduledMessageId: made.id } }), 'NOT_FOUND');
    const cancelled = (await ann.api.cancelScheduledMessage({ input: { scheduledMessageId: made.id } })).cancelScheduledMessage.scheduledMessage;
    assert.deepEqual([cancelled.state, cancelled.text], ['CANCELLED', null]);
    assert.equal((await ann.api.cancelScheduledMessage({ input: { scheduledMessageId: made.id } })).cancelScheduledMessage.scheduledMessage.state, 'CANCELLED');
    const other = await schedule(ann, 'sent');
    await world.passTime(MINUTE + 1);
    await settled(ann, other.id);
    assert.deepEqual(await texts(), ['sent']);
    await fails(ann.api.cancelScheduledMessage({ input: { scheduledMessageId: other.id } }), 'STATE_CONFLICT');
    await fails(ann.api.cancelScheduledMessage({ input: { scheduledMessageId: chatId } }), 'INVALID_ID', 'scheduledMessageId');
  });

  it('who has left by then sends nothing, and is told why', async () => {
    const made = await schedule(bob, 'too late');
    await leave(bob);
    await world.passTime(MINUTE + 1);
    await settled(bob, made.id);
    const row = (await list(bob))[0]!;
    assert.deepEqual([row.state, row.failure, row.text, row.chat, row.message], ['FAILED', 'NOT_A_MEMBER', 'too late', null, null]);
    assert.deepEqual(await texts(ann), []);
    await bob.api.cancelScheduledMessage({ input: { scheduledMessageId: made.id } });
    assert.deepEqual(await list(bob), []);
  });

  it('who is blocked by then sends nothing', async () => {
    chatId = await world.directChat(ann, bob);
    const made = await schedule(bob, 'hello?');
    await ann.api.blockUser({ input: { userId: bob.id } });
    await world.passTime(MINUTE + 1);
    await settled(bob, made.id);
    assert.equal((await stateOf(bob, made.id))!.failure, 'BLOCKED');
    await ann.api.unblockUser({ input: { userId: bob.id } });
  });

  it('an answer to what was deleted meanwhile is sent without it; an answer in a deleted thread fails', async () => {
    const said = await world.say(bob, chatId, 'a question');
    const reply = await schedule(ann, 'a reply', MINUTE, { replyToId: said.id });
    const inThread = await schedule(ann, 'in the thread', MINUTE + 1, { threadRootId: said.id });
    assert.equal(reply.replyToId, said.id);
    await bob.api.deleteMessage({ input: { messageId: said.id, scope: 'FOR_EVERYONE' } });
    await world.passTime(MINUTE + 2);
    await settled(ann, reply.id);
    await settled(ann, inThread.id);
    assert.equal((await stateOf(ann, reply.id))!.message!.replyTo, null);
    assert.equal((await stateOf(ann, inThread.id))!.failure, 'THREAD_GONE');
    assert.deepEqual(await texts(), [null, 'a reply']);
  });

  it('slow mode makes it wait, and it is sent then', async () => {
    await ann.api.updateChat({ input: { chatId, slowModeSeconds: 100 } });
    const made = await schedule(bob, 'slowly');
    await world.passTime(MINUTE - 1_000);
    await world.say(bob, chatId, 'just now');
    await world.passTime(2_000);
    await eventually(async () => (await world.sql(`select from scheduled_messages where state = 'WAITING' and not sending and try_at > send_at`)).length === 1, 'it is put off');
    assert.deepEqual(await texts(), ['just now']);
    await world.passTime(101_000);
    await settled(bob, made.id);
    assert.deepEqual(await texts(), ['just now', 'slowly']);
  });

  it('refuses times too near or too far, foreign chats and messages, and more than a hundred; and keeps nothing of them', async () => {
    const rows = async () => (await world.sql<{ n: number }>('select count(*)::int as n from scheduled_messages'))[0]!.n;
    const before = await rows();
    const eve = await world.person('Eve');
    const input = { chatId, text: 'x', sendAt: at(MINUTE), idempotencyKey: world.key() };
    await fails(ann.api.scheduleMessage({ input: { ...input, sendAt: at(4_000) } }), 'INVALID_INPUT', 'sendAt');
    await fails(ann.api.scheduleMessage({ input: { ...input, sendAt: at(366 * DAY) } }), 'INVALID_INPUT', 'sendAt');
    await fails(ann.api.scheduleMessage({ input: { ...input, text: ' ' } }), 'INVALID_INPUT', 'text');
    await fails(ann.api.scheduleMessage({ input: { ...input, text: 'x'.repeat(16 * 1024 + 1) } }), 'INVALID_INPUT', 'text');
    await fails(eve.api.scheduleMessage({ input }), 'NOT_FOUND');
    const elsewhere = await world.groupChat(eve, [], 'Elsewhere');
    const foreign = await world.say(eve, elsewhere, 'not yours');
    await fails(ann.api.scheduleMessage({ input: { ...input, replyToId: foreign.id } }), 'NOT_FOUND', 'replyToId');
    await fails(ann.api.scheduleMessage({ input: { ...input, threadRootId: foreign.id } }), 'NOT_FOUND', 'threadRootId');
    assert.equal(await rows(), before);
    const made = await Promise.allSettled([...Array(105)].map((_, index) => eve.api.scheduleMessage({ input: { chatId: elsewhere, text: `${index}`, sendAt: at(DAY), idempotencyKey: world.key() } })));
    assert.equal(made.filter((one) => one.status === 'fulfilled').length, 100);
    await fails(eve.api.scheduleMessage({ input: { chatId: elsewhere, text: 'one more', sendAt: at(DAY), idempotencyKey: world.key() } }), 'LIMIT_REACHED');
    const first = (await eve.api.scheduledMessages({ first: 60 })).viewer!.scheduledMessages;
    const second = (await eve.api.scheduledMessages({ first: 60, after: first.pageInfo.endCursor })).viewer!.scheduledMessages;
    assert.deepEqual([first.edges.length, first.pageInfo.hasNextPage, second.edges.length, second.pageInfo.hasNextPage], [60, true, 40, false]);
    assert.equal(new Set([...first.edges, ...second.edges].map((edge) => edge.node.id)).size, 100);
  });
});
