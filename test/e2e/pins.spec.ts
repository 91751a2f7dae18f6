import assert from 'node:assert/strict';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('pinned messages', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    chatId = await world.groupChat(ann, [bob]);
  });
  after(() => world.stop());

  const pin = (person: Person, messageId: string) => person.api.pinMessage({ input: { messageId } });
  const unpin = (person: Person, messageId: string) => person.api.unpinMessage({ input: { messageId } });
  const pinned = async (person: Person, chat: string, page: { first?: number; after?: string | null } = {}) => (await person.api.pinnedMessages({ chatId: chat, ...page })).chat!.pinnedMessages;
  const texts = async (person: Person, chat: string) => (await pinned(person, chat)).edges.map(({ node }) => node.text);

  it('stand from the last pinned, page by page, and each change is told once', async () => {
    const events = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    const messages = [];
    for (const text of ['one', 'two', 'three']) messages.push(await world.say(bob, chatId, text));
    for (const { id } of [messages[1]!, messages[2]!, messages[0]!]) {
      await pin(ann, id);
      await pin(ann, id); // again: nothing changes
      world.clock.advance(5);
    }
    assert.deepEqual(await texts(bob, chatId), ['one', 'three', 'two']);
    const first = await pinned(bob, chatId, { first: 2 });
    assert.equal(first.pageInfo.hasNextPage, true);
    assert.deepEqual((await pinned(bob, chatId, { first: 2, after: first.pageInfo.endCursor })).edges.map(({ node }) => node.text), ['two']);
    await unpin(ann, messages[2]!.id);
    await unpin(ann, messages[2]!.id);
    await world.say(bob, chatId, 'end');
    const told = (await take(events, 8)).slice(3).map((event) => (event.__typename === 'PinnedMessagesChanged' ? [event.messageId, event.pinned] : event.__typename));
    events.close();
    assert.deepEqual(told, [[messages[1]!.id, true], [messages[2]!.id, true], [messages[0]!.id, true], [messages[2]!.id, false], 'MessageSent']);
    assert.deepEqual(await texts(bob, chatId), ['one', 'two']);
  });

  it('are pinned by those who run a group chat, and by both in a direct chat', async () => {
    const { id } = await world.say(bob, chatId, 'mine');
    await fails(pin(bob, id), 'FORBIDDEN');
    await fails(unpin(bob, id), 'FORBIDDEN');
    await fails(pin(carol, id), 'NOT_FOUND');
    const direct = await world.directChat(ann, bob);
    const theirs = await world.say(ann, direct, 'direct');
    await pin(bob, theirs.id);
    assert.deepEqual(await texts(ann, direct), ['direct']);
    await unpin(ann, theirs.id);
    assert.deepEqual(await texts(bob, direct), []);
    assert.equal((await carol.api.pinnedMessages({ chatId: direct })).chat, null);
  });

  it('end with their message', async () => {
    const chat = await world.groupChat(ann, [bob]);
    const { id } = await world.say(bob, chat, 'short-lived');
    await pin(ann, id);
    await bob.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    assert.deepEqual(await texts(ann, chat), []);
    await fails(pin(ann, id), 'STATE_CONFLICT');
  });

  it('are at most fifty', async () => {
    const chat = await world.groupChat(ann, [bob]);
    const messages = await Promise.all([...Array(52)].map((_, index) => world.say(ann, chat, `${index}`)));
    const results = await Promise.allSettled(messages.map(({ id }) => pin(ann, id)));
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 50);
    const refused = messages[results.findIndex((result) => result.status === 'rejected')]!;
    await fails(pin(ann, refused.id), 'LIMIT_REACHED');
    assert.equal((await pinned(ann, chat, { first: 100 })).edges.length, 50);
    await unpin(ann, messages[results.findIndex((result) => result.status === 'fulfilled')]!.id);
    await pin(ann, refused.id);
  });
});
