import assert from 'node:assert/strict';
import { fails, World, type Person } from '../testkit/world.js';

const SECOND = 1_000;

describe('slow mode', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ nodes: 2 });
    [ann, bob, cem] = await world.people('Ann', 'Bob', 'Cem');
  });
  after(() => world.stop());
  beforeEach(async () => {
    chatId = await world.groupChat(ann, [bob, cem], 'Slow');
    await ann.api.updateChat({ input: { chatId, slowModeSeconds: 30 } });
  });

  const send = (person: Person, text: string, idempotencyKey = world.key()) => person.api.sendMessage({ input: { chatId, text, idempotencyKey } });
  const texts = async () => (await ann.api.chatMessages({ id: chatId, last: 100 })).chat!.messages.edges.flatMap(({ node }) => node.text ?? []);
  const retryAfter = (error: { errors: readonly { extensions?: { retryAfter?: number } }[] }) => error.errors[0]!.extensions!.retryAfter;

  it('a member waits between two messages, is told for how long, and may then send', async () => {
    await send(bob, 'one');
    const refused = await fails(send(bob, 'two'), 'SLOW_MODE');
    assert.ok(retryAfter(refused)! > 25 && retryAfter(refused)! <= 30);
    world.clock.advance(20 * SECOND);
    const again = await fails(send(bob, 'two'), 'SLOW_MODE');
    assert.ok(retryAfter(again)! >= 1 && retryAfter(again)! <= 10);
    world.clock.advance(retryAfter(again)! * SECOND);
    await send(bob, 'two');
    assert.deepEqual(await texts(), ['one', 'two']);
  });

  it('each member has a turn of their own, and those who run the chat are free', async () => {
    await send(bob, 'from Bob');
    await send(cem, 'from Cem');
    for (const text of ['one', 'two', 'three']) await send(ann, text);
    await ann.api.updateChatMemberRole({ input: { chatId, userId: bob.id, role: 'ADMIN' } });
    await send(bob, 'again');
    await send(bob, 'and again');
    await ann.api.updateChatMemberRole({ input: { chatId, userId: bob.id, role: 'MEMBER' } });
    await fails(send(cem, 'too soon'), 'SLOW_MODE');
    assert.deepEqual(await texts(), ['from Bob', 'from Cem', 'one', 'two', 'three', 'again', 'and again']);
  });

  it('of many sends of one member at once, over two nodes, exactly one passes', async () => {
    const elsewhere = world.client(bob.accessToken, 1);
    const sends = [...Array(20)].map((_, index) => (index % 2 ? bob.api : elsewhere.api).sendMessage({ input: { chatId, text: `${index}`, idempotencyKey: world.key() } }));
    const others = [...Array(5)].map((_, index) => send(ann, `free ${index}`));
    const results = await Promise.allSettled(sends);
    await Promise.all(others);
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
    for (const result of results) if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'SLOW_MODE');
    assert.equal((await texts()).length, 6);
  });

  it('a retry of what was sent is no second message; a refused key is free again', async () => {
    const first = (await send(bob, 'once', 'retried')).sendMessage.message;
    for (let attempt = 0; attempt < 3; attempt++) assert.equal((await send(bob, 'once', 'retried')).sendMessage.message.id, first.id);
    await fails(send(bob, 'later', 'refused'), 'SLOW_MODE');
    world.clock.advance(30 * SECOND);
    await send(bob, 'later', 'refused');
    assert.deepEqual(await texts(), ['once', 'later']);
  });

  it('what fails otherwise costs no turn', async () => {
    await fails(bob.api.sendMessage({ input: { chatId, text: 'an answer', replyToId: `${(await world.say(ann, chatId, 'root')).id}9`, idempotencyKey: world.key() } }), 'NOT_FOUND', 'replyToId');
    await fails(send(bob, ' '), 'INVALID_INPUT', 'text');
    await send(bob, 'first');
    assert.deepEqual(await texts(), ['root', 'first']);
  });

  it('begins and ends when it is set', async () => {
    await send(bob, 'slow');
    await fails(send(bob, 'no'), 'SLOW_MODE');
    await ann.api.updateChat({ input: { chatId, slowModeSeconds: 0 } });
    await send(bob, 'fast');
    await send(bob, 'faster');
    await ann.api.updateChat({ input: { chatId, slowModeSeconds: 60 } });
    await fails(ann.api.updateChat({ input: { chatId, slowModeSeconds: -1 } }), 'INVALID_INPUT', 'slowModeSeconds');
    await fails(bob.api.updateChat({ input: { chatId, slowModeSeconds: 0 } }), 'FORBIDDEN');
    assert.deepEqual(await texts(), ['slow', 'fast', 'faster']);
  });

  it('is waited for also by who leaves and comes back', async () => {
    const { token } = (await ann.api.createInviteLink({ input: { chatId, idempotencyKey: world.key() } })).createInviteLink;
    await send(bob, 'one');
    for (let times = 0; times < 2; times++) {
      await bob.api.leaveChat({ input: { chatId } });
      await bob.api.joinChat({ input: { token } });
    }
    const refused = await fails(send(bob, 'two'), 'SLOW_MODE');
    assert.ok(retryAfter(refused)! > 25 && retryAfter(refused)! <= 30);
    world.clock.advance(30 * SECOND);
    await send(bob, 'two');
    assert.deepEqual(await texts(), ['one', 'two']);
  });

  it('counts for threads, forwards and polls as well', async () => {
    const root = await world.say(ann, chatId, 'root');
    await bob.api.sendMessage({ input: { chatId, text: 'in the thread', threadRootId: root.id, idempotencyKey: world.key() } });
    await fails(send(bob, 'in the chat'), 'SLOW_MODE');
    await fails(bob.api.sendMessage({ input: { chatId, poll: { question: 'Why?', options: ['this', 'that'] }, idempotencyKey: world.key() } }), 'SLOW_MODE');
    await fails(bob.api.forwardMessages({ input: { messageIds: [root.id], chatIds: [chatId], idempotencyKey: world.key() } }), 'SLOW_MODE');
    assert.deepEqual(await texts(), ['root']);
  });
});
