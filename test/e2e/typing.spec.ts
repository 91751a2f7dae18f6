import assert from 'node:assert/strict';
import type { EventStream, TypingEvent } from '../../sdk/index.js';
import { fails, settle, within, World, type Person } from '../testkit/world.js';

/** Two processes' worth of servers on one Redis. */
describe('typing', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  let run = 0;
  const open: EventStream<TypingEvent>[] = [];

  before(async () => {
    world = await World.start({ nodes: 2 });
  });
  beforeEach(async () => {
    run++;
    [ann, bob, carol] = await Promise.all([world.person(`Ann_${run}`, 0), world.person(`Bob_${run}`, 1), world.person(`Carol_${run}`, 0)]);
    chatId = await world.groupChat(ann, [bob, carol]);
  });
  afterEach(() => open.splice(0).forEach((stream) => stream.close()));
  after(() => world.stop());

  const type = async (person: Person, typing = true, chat = chatId) => (await person.api.setTyping({ input: { chatId: chat, typing } })).setTyping;
  const watch = async (person: Person, chat = chatId) => {
    const stream = person.client.typingEvents(chat);
    open.push(stream);
    await settle();
    return stream;
  };
  const next = async (stream: EventStream<TypingEvent>) => {
    const { value, done } = await within(stream.next(), 'a typing event');
    assert.equal(done, false);
    return value as TypingEvent;
  };

  it('is told to the others, on any node, and never to the one who types', async () => {
    const [hers, his] = [await watch(ann), await watch(bob)];
    const { expiresAt } = await type(ann);
    const heard = await next(his);
    assert.deepEqual([heard.chatId, heard.userId, heard.user.handle, heard.typing, heard.expiresAt], [chatId, ann.id, ann.handle, true, expiresAt]);
    const left = Date.parse(expiresAt) - world.clock.now().getTime();
    assert.ok(left > 4_000 && left <= 6_000, String(left));
    await type(ann, false);
    assert.equal((await next(his)).typing, false);
    await type(bob);
    assert.deepEqual((await next(hers)).userId, bob.id, 'the first that ann hears is not herself');
  });

  it('the same word is passed on once in 2 seconds', async () => {
    const his = await watch(bob);
    for (let i = 0; i < 5; i++) await type(ann);
    await type(carol);
    assert.deepEqual([(await next(his)).userId, (await next(his)).userId], [ann.id, carol.id]);
  });

  it('who comes to look on hears who types already', async () => {
    await watch(carol);
    await type(ann);
    await settle();
    const { client } = carol;
    const late = client.typingEvents(chatId);
    open.push(late);
    assert.equal((await next(late)).userId, ann.id);
  });

  it('is for members: nobody else tells or hears, and who leaves is cut off', async () => {
    const eve = await world.person(`Eve_${run}`);
    await fails(type(eve), 'NOT_FOUND');
    await fails(within(eve.client.typingEvents(chatId).next(), 'an error'), 'NOT_FOUND');
    await fails(within(world.client().typingEvents(chatId).next(), 'an error'), 'UNAUTHENTICATED');
    const his = await watch(bob);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    await fails(within(his.next(), 'the end'), 'ACCESS_REVOKED');
    await fails(type(bob), 'NOT_FOUND');
    await fails(within(bob.client.typingEvents(chatId).next(), 'an error'), 'NOT_FOUND');
  });

  it('does not go across a block', async () => {
    const direct = await world.directChat(ann, bob);
    const his = await watch(bob, direct);
    await bob.api.blockUser({ input: { userId: ann.id } });
    await fails(type(ann, true, direct), 'BLOCKED');
    await bob.api.unblockUser({ input: { userId: ann.id } });
    await type(ann, true, direct);
    assert.equal((await next(his)).userId, ann.id);
  });
});
