import assert from 'node:assert/strict';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('threads, and reading around a number', () => {
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

  const answer = async (person: Person, threadRootId: string, text: string, chat = chatId) =>
    (await person.api.sendMessage({ input: { chatId: chat, text, threadRootId, idempotencyKey: world.key() } })).sendMessage.message;
  const threadOf = async (person: Person, id: string, page: { first?: number; after?: string | null; last?: number; before?: string | null } = {}) => {
    const { node } = await person.api.messageThread({ id, ...page });
    assert.ok(node && 'thread' in node);
    return node.thread;
  };
  const history = async (person: Person, chat = chatId) => (await person.api.chatMessages({ id: chat, first: 100 })).chat!.messages.edges.map(({ node }) => node.text);

  it('answers stand beside the history, counted at the root, which is told of each', async () => {
    const root = await world.say(ann, chatId, 'root');
    assert.equal(await threadOf(bob, root.id), null);
    const events = carol.client.chatEvents(chatId, (await carol.api.chat({ id: chatId })).chat!.eventCursor);
    const first = await answer(bob, root.id, 'first');
    world.clock.advance(1_000);
    await answer(carol, root.id, 'second');
    world.clock.advance(1_000);
    const last = await answer(bob, root.id, 'third');
    await world.say(ann, chatId, 'beside');
    const told = await take(events, 7);
    events.close();
    assert.deepEqual(told.map((event) => event.__typename), ['MessageSent', 'MessageUpdated', 'MessageSent', 'MessageUpdated', 'MessageSent', 'MessageUpdated', 'MessageSent']);
    const [sent, updated] = told;
    assert.deepEqual(sent!.__typename === 'MessageSent' && [sent!.message!.threadRoot, sent!.messageId], [{ id: root.id }, first.id]);
    assert.equal(updated!.__typename === 'MessageUpdated' && updated!.messageId, root.id);
    assert.deepEqual(await history(bob), ['root', 'beside']);
    const thread = (await threadOf(carol, root.id))!;
    assert.deepEqual([thread.count, thread.lastReplyAt], [3, last.createdAt]);
    assert.deepEqual(thread.participants.map((user) => user.handle), ['bob', 'carol']);
    assert.deepEqual(thread.messages.edges.map(({ node }) => node.text), ['first', 'second', 'third']);
  });

  it('are read both ways, page by page', async () => {
    const root = await world.say(ann, chatId, 'long');
    for (const text of ['1', '2', '3', '4', '5']) await answer(bob, root.id, text);
    const texts = (thread: Awaited<ReturnType<typeof threadOf>>) => thread!.messages.edges.map(({ node }) => node.text);
    const first = await threadOf(ann, root.id, { first: 2 });
    assert.deepEqual(texts(first), ['1', '2']);
    const second = await threadOf(ann, root.id, { first: 2, after: first!.messages.pageInfo.endCursor });
    assert.deepEqual(texts(second), ['3', '4']);
    assert.equal(second!.messages.pageInfo.hasNextPage, true);
    const end = await threadOf(ann, root.id, { last: 2 });
    assert.deepEqual([texts(end), end!.messages.pageInfo.hasPreviousPage], [['4', '5'], true]);
    assert.deepEqual(texts(await threadOf(ann, root.id, { last: 9, before: end!.messages.pageInfo.startCursor })), ['1', '2', '3']);
  });

  it('an answer that is deleted no longer counts, and the root is told', async () => {
    const root = await world.say(ann, chatId, 'counted');
    const kept = await answer(bob, root.id, 'kept');
    const gone = await answer(carol, root.id, 'gone');
    const events = ann.client.chatEvents(chatId, (await ann.api.chat({ id: chatId })).chat!.eventCursor);
    await carol.api.deleteMessage({ input: { messageId: gone.id, scope: 'FOR_EVERYONE' } });
    const told = await take(events, 2);
    events.close();
    assert.deepEqual(told.map((event) => [event.__typename, 'messageId' in event && event.messageId]), [['MessageDeleted', gone.id], ['MessageUpdated', root.id]]);
    const thread = (await threadOf(ann, root.id))!;
    assert.deepEqual([thread.count, thread.lastReplyAt, thread.participants.map((user) => user.handle)], [1, kept.createdAt, ['bob']]);
    await bob.api.deleteMessage({ input: { messageId: kept.id, scope: 'FOR_ME' } });
    assert.deepEqual((await threadOf(bob, root.id))!.messages.edges.map(({ node }) => node.text), [null]); // the tombstone of what Carol deleted
    assert.deepEqual((await threadOf(ann, root.id))!.messages.edges.map(({ node }) => node.text), ['kept', null]);
  });

  it('are only of messages of the history that stand and that one sees', async () => {
    const root = await world.say(ann, chatId, 'flat');
    const reply = await answer(bob, root.id, 'no threads in threads');
    await fails(answer(bob, reply.id, 'deeper'), 'NOT_FOUND', 'threadRootId');
    const other = await world.groupChat(ann, [bob]);
    await fails(answer(bob, root.id, 'elsewhere', other), 'NOT_FOUND', 'threadRootId');
    await ann.api.deleteMessage({ input: { messageId: root.id, scope: 'FOR_EVERYONE' } });
    await fails(answer(bob, root.id, 'late'), 'NOT_FOUND', 'threadRootId');
    assert.equal((await threadOf(bob, root.id))!.count, 1);
  });

  it('a message is read by its number, and the history around one', async () => {
    const chat = await world.groupChat(ann, [bob]);
    const sent = [];
    for (let n = 1; n <= 12; n++) sent.push(await world.say(ann, chat, `m${n}`));
    const around = async (seq: number, first?: number, person = bob) => {
      const { edges, pageInfo } = (await person.api.messagesAround({ chatId: chat, seq, first: first ?? null })).chat!.messagesAround;
      return [edges.map(({ node }) => node.seq), pageInfo.hasPreviousPage, pageInfo.hasNextPage] as const;
    };
    const base = sent[0]!.seq - 1;
    const numbers = (from: number, to: number) => [...Array(to - from + 1)].map((_, index) => base + from + index);
    const bySeq = async (seq: number, person = bob) => (await person.api.messageBySeq({ chatId: chat, seq })).chat?.message?.text ?? null;
    assert.deepEqual([await bySeq(base + 3), await bySeq(base + 99), await bySeq(0), await bySeq(-1), await bySeq(base + 3, carol)], ['m3', null, null, null, null]);
    assert.deepEqual(await around(base + 6, 4), [numbers(4, 7), true, true]);
    assert.deepEqual(await around(base + 6, 5), [numbers(4, 8), true, true]);
    assert.deepEqual(await around(base + 1, 4), [numbers(1, 4), base > 0, true]);
    assert.deepEqual(await around(base + 12, 4), [numbers(9, 12), true, false]);
    assert.deepEqual(await around(2 ** 31 - 1, 3), [numbers(10, 12), true, false]);
    assert.deepEqual((await around(-5, 12 + base))[0].slice(base), numbers(1, 12));
    assert.deepEqual(await around(base + 6, 0), [[], false, false]);
    await fails(around(base + 6, 101), 'INVALID_INPUT', 'first');
    const { edges } = (await bob.api.messagesAround({ chatId: chat, seq: base + 6, first: 2 })).chat!.messagesAround;
    const next = await bob.api.chatMessages({ id: chat, first: 2, after: edges.at(-1)!.cursor });
    assert.deepEqual(next.chat!.messages.edges.map(({ node }) => node.text), ['m7', 'm8']);
  });

  it('nothing from before one joined is read around a number, by a number, or among what is pinned', async () => {
    const chat = await world.groupChat(ann, [bob]);
    const early = await world.say(ann, chat, 'before carol');
    await ann.api.pinMessage({ input: { messageId: early.id } });
    // Who joins sees what comes from then on: the membership is written as a joining writes it.
    await world.sql(
      `insert into chat_members (chat_id, user_id, role, visible_from_seq, visible_from_pos, last_read_seq, last_delivered_seq)
       select c.id, u.id, 'MEMBER', c.last_seq + 1, s.head, c.last_seq, c.last_seq from chats c join streams s on s.id = 'chat:' || c.id, users u
       where u.handle_key = 'carol' and c.last_seq = $1 and exists (select from messages m where m.chat_id = c.id and m.text = 'before carol')`,
      [early.seq],
    );
    const reply = (await ann.api.sendMessage({ input: { chatId: chat, text: 'after', replyToId: early.id, idempotencyKey: world.key() } })).sendMessage.message;
    const { edges, pageInfo } = (await carol.api.messagesAround({ chatId: chat, seq: early.seq })).chat!.messagesAround;
    assert.deepEqual([edges.map(({ node }) => node.text), pageInfo.hasPreviousPage], [['after'], false]);
    assert.deepEqual(edges[0]!.node.replyTo, { id: early.id, state: 'HIDDEN', message: null });
    assert.equal((await carol.api.messageBySeq({ chatId: chat, seq: early.seq })).chat!.message, null);
    assert.equal((await carol.api.message({ id: early.id })).node, null);
    assert.deepEqual((await carol.api.pinnedMessages({ chatId: chat })).chat!.pinnedMessages.edges, []);
    await fails(carol.api.addReaction({ input: { messageId: early.id, emoji: '👍' } }), 'NOT_FOUND');
    await fails(carol.api.starMessage({ input: { messageId: early.id } }), 'NOT_FOUND');
    await fails(answer(carol, early.id, 'into the past', chat), 'NOT_FOUND', 'threadRootId');
    assert.deepEqual(await history(carol, chat), ['after']);
    assert.equal(reply.replyTo!.state, 'VISIBLE');
  });
});
