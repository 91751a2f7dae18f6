import assert from 'node:assert/strict';
import { fails, World, type Person } from '../testkit/world.js';

describe('forwarding', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let source: string;
  let first: string;
  let second: string;
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    source = await world.groupChat(ann, [bob], 'The source');
    first = await world.groupChat(bob, [carol], 'The first');
    second = await world.directChat(bob, carol);
  });
  after(() => world.stop());

  const forward = (person: Person, messageIds: string[], chatIds: string[], idempotencyKey = world.key()) =>
    person.api.forwardMessages({ input: { messageIds, chatIds, idempotencyKey } }).then(({ forwardMessages }) => forwardMessages.messages);
  const origin = async (person: Person, id: string) => {
    const { node } = await person.api.forwardOrigin({ id });
    assert.ok(node && 'forwardedFrom' in node);
    return node.forwardedFrom!;
  };
  const count = async () => (await world.sql<{ n: number }>('select count(*)::int as n from messages'))[0]!.n;

  it('sends messages on in their order, into each chat, and keeps their origin', async () => {
    const one = await world.say(ann, source, 'one, @bob');
    const two = await world.say(bob, source, 'two');
    const place = (await ann.api.sendMessage({ input: { chatId: source, location: { latitude: 48.2, longitude: 16.4, name: 'Vienna' }, idempotencyKey: world.key() } })).sendMessage.message;
    const sent = await forward(bob, [one.id, place.id, two.id], [first, second]);
    assert.deepEqual(sent.map((message) => [message.chat.id, message.text, message.card?.__typename ?? null]), [
      [first, 'one, @bob', null], [first, null, 'LocationCard'], [first, 'two', null], [second, 'one, @bob', null], [second, null, 'LocationCard'], [second, 'two', null],
    ]);
    assert.deepEqual(sent.slice(0, 3).map((message) => message.seq), [0, 1, 2].map((n) => sent[0]!.seq + n));
    assert.deepEqual(sent[0]!.mentions, []);
    assert.equal(sent[0]!.sender.handle, 'bob');
    assert.equal(sent[0]!.forwardedFrom!.sender.handle, 'ann');
    // Carol is not in the chat that it comes from: she learns who wrote it and when, and no more.
    const forCarol = await origin(carol, sent[0]!.id);
    assert.deepEqual([forCarol.sender.handle, forCarol.chat, forCarol.message], ['ann', null, null]);
    const forBob = await origin(bob, sent[0]!.id);
    assert.deepEqual([forBob.chat!.title, forBob.message!.id], ['The source', one.id]);
    // A forward of a forward keeps the first origin.
    const third = await world.directChat(carol, ann);
    const [again] = await forward(carol, [sent[0]!.id], [third]);
    assert.deepEqual([again!.forwardedFrom!.sender.handle, again!.forwardedFrom!.sentAt], ['ann', forCarol.sentAt]);
    await fails(bob.api.editMessage({ input: { messageId: sent[0]!.id, text: 'Ann never said this' } }), 'FORBIDDEN');
  });

  it('what was edited, reacted to or deleted afterwards is another message', async () => {
    const { id } = await world.say(ann, source, 'original');
    const [copy] = await forward(bob, [id], [first]);
    await ann.api.editMessage({ input: { messageId: id, text: 'changed' } });
    await ann.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    const { node } = await carol.api.message({ id: copy!.id });
    assert.ok(node?.__typename === 'Message');
    assert.deepEqual([node.text, node.version], ['original', 1]);
  });

  it('a repeat under the same key sends nothing more, at once or later, even when the original is gone', async () => {
    const { id } = await world.say(ann, source, 'once');
    const other = await world.say(ann, source, 'twice');
    const key = world.key();
    const before = await count();
    const all = await Promise.all([...Array(20)].map(() => forward(bob, [id, other.id], [first, second], key)));
    assert.equal(await count(), before + 4);
    await ann.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    all.push(await forward(bob, [id, other.id], [first, second], key));
    assert.equal(new Set(all.map((messages) => messages.map((message) => message.id).join())).size, 1);
    await fails(forward(bob, [other.id], [first], key), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    assert.equal(await count(), before + 4);
  });

  it('a repeat after half of it was sent sends the other half', async () => {
    const ids = [];
    for (const text of ['a', 'b', 'c']) ids.push((await world.say(ann, source, text)).id);
    const key = world.key();
    await forward(bob, ids, [first, second], key);
    // As if the process had died between the two chats.
    await world.sql(`delete from idempotency_keys where key like $1`, [`forward ${key} 1 %`]);
    const before = await count();
    const sent = await forward(bob, ids, [first, second], key);
    assert.equal(await count(), before + 3);
    assert.deepEqual(sent.map((message) => message.text), ['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('a repeat of who has been taken out of a chat since answers nothing, nor once they are back', async () => {
    const { id } = await world.say(ann, source, 'before');
    const chatId = await world.groupChat(carol, [bob]);
    const key = world.key();
    const [copy] = await forward(bob, [id], [chatId], key);
    await carol.api.removeChatMember({ input: { chatId, userId: bob.id } });
    await carol.api.sendMessage({ input: { chatId, text: 'without Bob', threadRootId: copy!.id, idempotencyKey: world.key() } });
    await fails(forward(bob, [id], [chatId], key), 'NOT_FOUND');
    await carol.api.addChatMembers({ input: { chatId, memberIds: [bob.id] } });
    await fails(forward(bob, [id], [chatId], key), 'NOT_FOUND');
  });

  it('a poll is asked anew, in its place, without its votes', async () => {
    const before = await world.say(ann, source, 'before');
    const poll = (await ann.api.sendMessage({ input: { chatId: source, poll: { question: 'Tea?', options: ['yes', 'no'], anonymous: true }, idempotencyKey: world.key() } })).sendMessage.message;
    await ann.api.votePoll({ input: { messageId: poll.id, optionIndexes: [0] } });
    const sent = await forward(bob, [before.id, poll.id, before.id], [first]);
    assert.equal(sent.length, 2);
    assert.deepEqual(sent[1]!.card, {
      __typename: 'PollCard', question: 'Tea?', multiple: false, anonymous: true, closesAt: null, closed: false, voterCount: 0,
      options: [{ index: 0, text: 'yes', voteCount: 0 }, { index: 1, text: 'no', voteCount: 0 }],
    });
    assert.equal(sent[1]!.seq, sent[0]!.seq + 1);
    assert.equal((await carol.api.votePoll({ input: { messageId: sent[1]!.id, optionIndexes: [1] } })).votePoll.message.version, 2);
  });

  it('when one message or chat may not be, nothing is sent', async () => {
    const { id } = await world.say(ann, source, 'fine');
    const gone = await world.say(ann, source, 'gone');
    await ann.api.deleteMessage({ input: { messageId: gone.id, scope: 'FOR_EVERYONE' } });
    const hidden = await world.say(ann, source, 'hidden');
    await bob.api.deleteMessage({ input: { messageId: hidden.id, scope: 'FOR_ME' } });
    const elsewhere = await world.directChat(ann, carol);
    const unseen = await world.say(ann, elsewhere, 'unseen');
    const before = await count();
    for (const bad of [gone.id, hidden.id, unseen.id, id.replace(/\d+$/, '999999')]) await fails(forward(bob, [id, bad], [first]), 'NOT_FOUND', 'messageIds');
    await fails(forward(bob, [id], [first, elsewhere]), 'NOT_FOUND');
    await fails(forward(bob, [], [first]), 'INVALID_INPUT', 'messageIds');
    await fails(forward(bob, [id], []), 'INVALID_INPUT', 'chatIds');
    await fails(forward(bob, Array<string>(31).fill(id), [first]), 'INVALID_INPUT', 'messageIds');
    await fails(forward(bob, [id], Array<string>(6).fill(first)), 'INVALID_INPUT', 'chatIds');
    await fails(forward(bob, [first], [first]), 'INVALID_ID', 'messageIds');
    await fails(forward(bob, [id], [id]), 'INVALID_ID', 'chatIds');
    await fails(forward(bob, [id], [first], 'a key'), 'INVALID_INPUT', 'idempotencyKey');
    assert.equal(await count(), before);
  });
});
