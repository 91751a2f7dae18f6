import assert from 'node:assert/strict';
import { take, World, type Person } from '../testkit/world.js';

describe('first light: two people talk', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
  });
  after(() => world.stop());

  it('a direct chat is found, not made twice, from either side and at once', async () => {
    const ids = await Promise.all([...Array(10)].map((_, index) => (index % 2 ? world.directChat(ann, bob) : world.directChat(bob, ann))));
    assert.equal(new Set(ids).size, 1);
    assert.deepEqual(await world.sql('select count(*)::int as n from chats'), [{ n: 1 }]);
  });

  it('what one says the other hears, live and after a resume, without loss or repeat', async () => {
    const chatId = await world.directChat(ann, bob);
    const { chat } = await bob.api.chat({ id: chatId });
    const live = bob.client.chatEvents(chatId, chat!.eventCursor);
    await world.say(ann, chatId, 'one');
    await world.say(bob, chatId, 'two');
    const first = await take(live, 2);
    live.close();
    await world.say(ann, chatId, 'three');
    const resumed = bob.client.chatEvents(chatId, first[1]!.cursor);
    await world.say(ann, chatId, 'four');
    const rest = await take(resumed, 2);
    resumed.close();
    const texts = [...first, ...rest].map((event) => (event.__typename === 'MessageSent' ? event.message?.text : event.__typename));
    assert.deepEqual(texts, ['one', 'two', 'three', 'four']);
    const offsets = [...first, ...rest].map((event) => ('offset' in event ? event.offset : 0));
    assert.deepEqual(offsets, offsets.map((_, index) => offsets[0]! + index));
  });

  it('the inbox tells of every chat', async () => {
    const inbox = bob.client.inboxEvents();
    await take(inbox, 1, []); // the checkpoint: the subscription stands
    const carol = await world.person('Carol');
    const chatId = await world.groupChat(carol, [ann, bob], 'Three of us');
    await world.say(ann, chatId, 'hello all');
    const events = await take(inbox, 5);
    assert.deepEqual(events.map((event) => event.__typename).sort(), ['ChatAdded', 'MemberJoined', 'MemberJoined', 'MemberJoined', 'MessageSent']);
    inbox.close();
  });
});
