import assert from 'node:assert/strict';
import { fails, take, within, World, type Person } from '../testkit/world.js';

describe('editing and deleting messages', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    chatId = await world.groupChat(ann, [bob, carol]);
  });
  after(() => world.stop());

  const read = async (person: Person, id: string) => {
    const { node } = await person.api.message({ id });
    return node?.__typename === 'Message' ? node : null;
  };
  const editsOf = async (person: Person, id: string, page: { first?: number; after?: string | null } = {}) => {
    const { node } = await person.api.messageEdits({ id, ...page });
    assert.ok(node && 'edits' in node);
    return node.edits;
  };
  const head = async () => (await world.sql<{ head: string }>('select head from streams where id like $1', ['chat:%'])).map((row) => row.head).join();
  const listen = async (person: Person, chat = chatId) => person.client.chatEvents(chat, (await person.api.chat({ id: chat })).chat!.eventCursor);

  it('an edit changes text and mentions, keeps what was said before, and is told once', async () => {
    const { id } = await world.say(bob, chatId, 'hello @ann');
    assert.deepEqual((await read(ann, id))!.mentions.map((user) => user.handle), ['ann']);
    assert.equal((await read(ann, id))!.viewerState!.mentioned, true);
    const events = await listen(carol);
    world.clock.advance(1_000);
    const { editMessage } = await bob.api.editMessage({ input: { messageId: id, text: 'hello @carol, and @nobody' } });
    assert.equal(editMessage.message.text, 'hello @carol, and @nobody');
    assert.equal(editMessage.message.version, 2);
    assert.ok(editMessage.message.editedAt! > editMessage.message.createdAt);
    assert.deepEqual(editMessage.message.mentions.map((user) => user.handle), ['carol']);
    await bob.api.editMessage({ input: { messageId: id, text: 'third' } });
    const told = await take(events, 2);
    events.close();
    assert.deepEqual(told.map((event) => event.__typename), ['MessageUpdated', 'MessageUpdated']);
    const { edges, pageInfo } = await editsOf(carol, id, { first: 1 });
    assert.deepEqual(edges.map(({ node }) => [node.version, node.text]), [[1, 'hello @ann']]);
    assert.equal(pageInfo.hasNextPage, true);
    const rest = await editsOf(carol, id, { first: 1, after: pageInfo.endCursor });
    assert.deepEqual(rest.edges.map(({ node }) => [node.version, node.text]), [[2, 'hello @carol, and @nobody']]);
    assert.equal(rest.pageInfo.hasNextPage, false);
  });

  it('the same text again changes nothing, and tells nobody', async () => {
    const { id } = await world.say(bob, chatId, 'as it was');
    const before = await head();
    const { editMessage } = await bob.api.editMessage({ input: { messageId: id, text: '  as it was\n' } });
    assert.equal(editMessage.message.version, 1);
    assert.equal(editMessage.message.editedAt, null);
    assert.equal(await head(), before);
  });

  it('an expected version that has passed is a conflict', async () => {
    const { id } = await world.say(bob, chatId, 'one');
    await bob.api.editMessage({ input: { messageId: id, text: 'two', expectedVersion: 1 } });
    await bob.api.editMessage({ input: { messageId: id, text: 'two', expectedVersion: 1 } }); // the retry of an answer that was lost
    await fails(bob.api.editMessage({ input: { messageId: id, text: 'three', expectedVersion: 1 } }), 'STATE_CONFLICT', 'expectedVersion');
    assert.equal((await read(bob, id))!.text, 'two');
  });

  it('nobody edits what is not theirs, not a text, gone, or unseen; bad input changes nothing', async () => {
    const { id } = await world.say(bob, chatId, 'mine');
    const location = (await bob.api.sendMessage({ input: { chatId, location: { latitude: 1, longitude: 2 }, idempotencyKey: world.key() } })).sendMessage.message;
    const dave = await world.person('Dave');
    const before = await head();
    await fails(ann.api.editMessage({ input: { messageId: id, text: 'yours' } }), 'FORBIDDEN');
    await fails(bob.api.editMessage({ input: { messageId: location.id, text: 'words' } }), 'FORBIDDEN');
    await fails(dave.api.editMessage({ input: { messageId: id, text: 'yours' } }), 'NOT_FOUND');
    await fails(bob.api.editMessage({ input: { messageId: id.replace(/\d+$/, '999999'), text: 'x' } }), 'NOT_FOUND');
    await fails(bob.api.editMessage({ input: { messageId: chatId, text: 'x' } }), 'INVALID_ID', 'messageId');
    await fails(bob.api.editMessage({ input: { messageId: id, text: ' ' } }), 'INVALID_INPUT', 'text');
    await fails(bob.api.editMessage({ input: { messageId: id, text: 'é'.repeat(8_193) } }), 'INVALID_INPUT', 'text');
    await fails(bob.api.editMessage({ input: { messageId: id, text: 'a\u0007' } }), 'INVALID_INPUT', 'text');
    await fails(world.client().api.editMessage({ input: { messageId: id, text: 'x' } }), 'UNAUTHENTICATED');
    assert.equal(await head(), before);
    assert.equal((await read(bob, id))!.text, 'mine');
  });

  it('deleting for everyone erases everything that a message held, once', async () => {
    const secret = 'a secret';
    const { id } = await world.say(bob, chatId, secret);
    await bob.api.editMessage({ input: { messageId: id, text: `${secret} @carol` } });
    await ann.api.addReaction({ input: { messageId: id, emoji: '👍' } });
    await ann.api.pinMessage({ input: { messageId: id } });
    const answer = (await ann.api.sendMessage({ input: { chatId, text: 'an answer', replyToId: id, idempotencyKey: world.key() } })).sendMessage.message;
    const events = await listen(carol);
    const { deleteMessage } = await bob.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    const { message } = deleteMessage;
    assert.deepEqual([message.text, message.mentions, message.reactions, message.version], [null, [], [], 4]);
    assert.ok(message.deletedAt);
    const again = await bob.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    assert.equal(again.deleteMessage.message.version, 4);
    await world.say(bob, chatId, 'the next');
    assert.deepEqual((await take(events, 2)).map((event) => event.__typename), ['MessageDeleted', 'MessageSent']);
    events.close();
    assert.deepEqual((await editsOf(carol, id)).edges, []);
    assert.deepEqual((await carol.api.pinnedMessages({ chatId })).chat!.pinnedMessages.edges, []);
    assert.deepEqual((await read(carol, answer.id))!.replyTo, { id, state: 'DELETED', message: null });
    for (const table of ['messages', 'message_edits', 'message_reactions', 'pinned_messages', 'events']) {
      assert.deepEqual(await world.sql(`select from ${table} t where t::text like '%${secret}%'`), [], table);
    }
    await fails(bob.api.editMessage({ input: { messageId: id, text: 'back' } }), 'STATE_CONFLICT');
    await fails(ann.api.addReaction({ input: { messageId: id, emoji: '👍' } }), 'STATE_CONFLICT');
    await fails(ann.api.pinMessage({ input: { messageId: id } }), 'STATE_CONFLICT');
    await fails(ann.api.starMessage({ input: { messageId: id } }), 'STATE_CONFLICT');
  });

  it('those who run a group chat delete what others wrote; nobody does in a direct chat', async () => {
    const { id } = await world.say(bob, chatId, 'rude');
    await fails(carol.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } }), 'FORBIDDEN');
    assert.ok((await ann.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } })).deleteMessage.message.deletedAt);
    const direct = await world.directChat(ann, bob);
    const theirs = await world.say(bob, direct, 'words');
    await fails(ann.api.deleteMessage({ input: { messageId: theirs.id, scope: 'FOR_EVERYONE' } }), 'FORBIDDEN');
  });

  it('deleting for oneself takes a message out of one’s own lists alone, and is told on one’s own stream alone', async () => {
    const kept = await world.say(bob, chatId, 'kept');
    const { id } = await world.say(bob, chatId, 'hidden');
    await ann.api.pinMessage({ input: { messageId: id } });
    await carol.api.starMessage({ input: { messageId: id } });
    const before = await head();
    const inbox = carol.client.inboxEvents([(await carol.api.viewer()).viewer!.eventCursor]);
    await take(inbox, 1, []); // the checkpoint of the chats
    const { deleteMessage } = await carol.api.deleteMessage({ input: { messageId: id, scope: 'FOR_ME' } });
    assert.deepEqual(deleteMessage.message.viewerState, { reactions: [], starred: false, deletedForViewer: true, mentioned: false, senderBlocked: false });
    await carol.api.deleteMessage({ input: { messageId: id, scope: 'FOR_ME' } });
    await carol.api.starMessage({ input: { messageId: kept.id } });
    const told = (await take(inbox, 2)).map((event) => (event.__typename === 'MessageMarksChanged' ? [event.messageId, event.starred, event.deletedForViewer] : event.__typename));
    inbox.close();
    assert.deepEqual(told, [[id, false, true], [kept.id, true, false]]);
    assert.equal(await head(), before);
    const last = async (person: Person) => (await person.api.chatMessages({ id: chatId, last: 1 })).chat!.messages.edges[0]!.node.text;
    assert.deepEqual([await last(carol), await last(bob)], ['kept', 'hidden']);
    assert.deepEqual((await carol.api.pinnedMessages({ chatId })).chat!.pinnedMessages.edges, []);
    assert.equal((await ann.api.pinnedMessages({ chatId })).chat!.pinnedMessages.edges.length, 1);
    // What one has deleted for oneself comes back by no list.
    await carol.api.starMessage({ input: { messageId: id } });
    assert.deepEqual((await carol.api.starredMessages()).viewer!.starredMessages.edges.map(({ node }) => node.id), [kept.id]);
    assert.equal((await read(carol, id))!.viewerState!.deletedForViewer, true);
  });

  it('stars are one’s own, listed from the last, and end with the message', async () => {
    const dora = await world.person('Dora');
    const chat = await world.groupChat(bob, [dora]);
    const messages = [];
    for (const text of ['one', 'two', 'three']) {
      const message = await world.say(bob, chat, text);
      await dora.api.starMessage({ input: { messageId: message.id } });
      world.clock.advance(10);
      messages.push(message);
    }
    const texts = async (page: { first?: number; after?: string | null } = {}) => (await dora.api.starredMessages(page)).viewer!.starredMessages;
    const first = await texts({ first: 2 });
    assert.deepEqual(first.edges.map(({ node }) => node.text), ['three', 'two']);
    assert.deepEqual((await texts({ first: 2, after: first.pageInfo.endCursor })).edges.map(({ node }) => node.text), ['one']);
    assert.deepEqual((await bob.api.starredMessages()).viewer!.starredMessages.edges, []);
    const unstarred = await dora.api.unstarMessage({ input: { messageId: messages[1]!.id } });
    assert.equal(unstarred.unstarMessage.message.viewerState!.starred, false);
    await bob.api.deleteMessage({ input: { messageId: messages[0]!.id, scope: 'FOR_EVERYONE' } });
    assert.deepEqual((await texts()).edges.map(({ node }) => node.text), ['three']);
    await fails(carol.api.starMessage({ input: { messageId: messages[2]!.id } }), 'NOT_FOUND');
  });

  it('the message of a mark is shown to its viewer, as far as they may see it', async () => {
    const { id } = await world.say(bob, chatId, 'marked');
    const after = [(await carol.api.viewer()).viewer!.eventCursor];
    type Marked = { inboxEvents: { __typename: string; message?: { text: string; viewerState: { starred: boolean } } | null } };
    const events = carol.client.subscribe<Marked, { after: string[] }>(
      'subscription ($after: [EventCursor!]) { inboxEvents(after: $after) { __typename ... on MessageMarksChanged { message { text viewerState { starred } } } } }',
      { after },
    );
    await events.next(); // the checkpoint
    await carol.api.starMessage({ input: { messageId: id } });
    assert.deepEqual((await within(events.next(), 'the mark')).value.inboxEvents, { __typename: 'MessageMarksChanged', message: { text: 'marked', viewerState: { starred: true } } });
    events.close();
  });

  it('across a block nothing new reaches the other; what one wrote may still be deleted', async () => {
    const [eve, frank] = await world.people('Eve', 'Frank');
    const direct = await world.directChat(eve, frank);
    const group = await world.groupChat(eve, [frank]);
    const mine = await world.say(frank, direct, 'mine');
    const theirs = await world.say(eve, direct, 'theirs');
    const poll = (await frank.api.sendMessage({ input: { chatId: direct, poll: { question: '?', options: ['a', 'b'] }, idempotencyKey: world.key() } })).sendMessage.message;
    await eve.api.blockUser({ input: { userId: frank.id } });
    await fails(frank.api.editMessage({ input: { messageId: mine.id, text: 'still here' } }), 'BLOCKED');
    await fails(frank.api.addReaction({ input: { messageId: theirs.id, emoji: '👍' } }), 'BLOCKED');
    await fails(frank.api.pinMessage({ input: { messageId: mine.id } }), 'BLOCKED');
    await fails(frank.api.votePoll({ input: { messageId: poll.id, optionIndexes: [0] } }), 'BLOCKED');
    await fails(frank.api.forwardMessages({ input: { messageIds: [mine.id], chatIds: [direct], idempotencyKey: world.key() } }), 'BLOCKED');
    assert.ok((await frank.api.deleteMessage({ input: { messageId: mine.id, scope: 'FOR_EVERYONE' } })).deleteMessage.message.deletedAt);
    const { id } = await world.say(frank, group, 'in a group we both are in');
    assert.deepEqual([(await read(eve, id))!.viewerState!.senderBlocked, (await read(frank, id))!.viewerState!.senderBlocked], [true, false]);
  });

  it('an edit that races a deletion leaves nothing behind, and each change is told exactly once', async () => {
    for (let round = 0; round < 10; round++) {
      const { id, seq } = await world.say(bob, chatId, `round ${round}`);
      const events = await listen(carol);
      const results = await Promise.allSettled([
        bob.api.editMessage({ input: { messageId: id, text: `secret ${round}` } }),
        ann.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } }),
        bob.api.editMessage({ input: { messageId: id, text: `other secret ${round}` } }),
        bob.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } }),
      ]);
      const edits = [results[0]!, results[2]!].filter((result) => result.status === 'fulfilled').length;
      const told = await take(events, edits + 1);
      events.close();
      assert.deepEqual(told.map((event) => event.__typename), [...Array<string>(edits).fill('MessageUpdated'), 'MessageDeleted']);
      const message = (await read(carol, id))!;
      assert.deepEqual([message.text, message.version], [null, edits + 2]);
      assert.deepEqual(await world.sql('select from message_edits e join chats c on c.id = e.chat_id where e.seq = $1 and c.kind = $2', [seq, 'GROUP']), []);
    }
  });

  it('several mutations of one document each see what the others did', async () => {
    const { id } = await world.say(bob, chatId, 'twice');
    const result = await bob.client.request<{ a: { message: { viewerState: { starred: boolean } } }; b: { message: { viewerState: { starred: boolean } } } }, { id: string }>(
      `mutation ($id: ID!) {
        a: starMessage(input: { messageId: $id }) { message { viewerState { starred } } }
        b: unstarMessage(input: { messageId: $id }) { message { viewerState { starred } } }
      }`,
      { id },
    );
    assert.deepEqual([result.a.message.viewerState.starred, result.b.message.viewerState.starred], [true, false]);
  });
});
