import assert from 'node:assert/strict';
import type { ChatEvent, EventStream, InboxEvent } from '../../sdk/index.js';
import { fails, take, World, type Person } from '../testkit/world.js';

type Receipts = Extract<ChatEvent, { __typename: 'ReceiptsChanged' }>;
type OwnReceipt = Extract<InboxEvent, { __typename: 'ViewerReceiptChanged' }>;

describe('receipts', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ nodes: 2 });
    ann = await world.person('Ann', 0);
    bob = await world.person('Bob', 1);
    cem = await world.person('Cem', 1);
  });
  after(() => world.stop());
  beforeEach(async () => {
    chatId = await world.groupChat(ann, [bob, cem], 'Receipts');
  });

  const read = (person: Person, seq: number) => person.api.markRead({ input: { chatId, seq } });
  const delivered = (person: Person, seq: number) => person.api.markDelivered({ input: { chatId, seq } });
  const pointers = async (person: Person) => {
    const { chat } = await person.api.chat({ id: chatId });
    const { lastReadSeq, lastDeliveredSeq } = (await person.api.chatReceipts({ id: chat!.id, last: 1 })).chat!.viewerState!;
    return [lastReadSeq, lastDeliveredSeq];
  };
  const live = async (person: Person): Promise<EventStream<ChatEvent>> => {
    const stream = person.client.chatEvents(chatId, (await person.api.chat({ id: chatId })).chat!.eventCursor);
    const { seq } = await world.say(person, chatId, 'the stream stands');
    const [event] = await take(stream, 1);
    assert.ok(event!.__typename === 'MessageSent' && event.message!.seq === seq);
    return stream;
  };
  const nextReceipts = async (stream: EventStream<ChatEvent>): Promise<Receipts> => {
    const [event] = await take(stream, 1, []);
    assert.equal(event!.__typename, 'ReceiptsChanged');
    return event as Receipts;
  };
  const events = async () => (await world.sql<{ n: number }>('select count(*)::int as n from events'))[0]!.n;

  it('pointers only move on; what is read is delivered; nothing is written to the log', async () => {
    for (const text of ['one', 'two', 'three']) await world.say(ann, chatId, text);
    const before = await events();
    assert.deepEqual(await pointers(bob), [0, 0]);
    await delivered(bob, 2);
    assert.deepEqual(await pointers(bob), [0, 2]);
    await delivered(bob, 1);
    assert.deepEqual(await pointers(bob), [0, 2]);
    const { chat } = (await read(bob, 3)).markRead;
    assert.deepEqual([chat.viewerState!.lastReadSeq, chat.viewerState!.lastDeliveredSeq], [3, 3]);
    await read(bob, 1);
    assert.deepEqual(await pointers(bob), [3, 3]);
    assert.equal(await events(), before);
  });

  it('whatever comes in whatever order at once, from two nodes, the highest stands', async () => {
    for (let index = 0; index < 20; index++) await world.say(ann, chatId, `${index}`);
    const elsewhere = world.client(bob.accessToken, 0);
    const marks = [...Array(60)].map((_, index) => ({ seq: 1 + ((index * 7) % 20), api: index % 2 ? bob.api : elsewhere.api, kind: index % 3 }));
    await Promise.all(marks.map(({ seq, api, kind }) => (kind ? api.markRead({ input: { chatId, seq } }) : api.markDelivered({ input: { chatId, seq } }))));
    const highest = Math.max(...marks.filter(({ kind }) => kind).map(({ seq }) => seq));
    assert.deepEqual(await pointers(bob), [highest, Math.max(...marks.map(({ seq }) => seq))]);
  });

  it('refuses what is not there, and moves nothing', async () => {
    await world.say(ann, chatId, 'one');
    const eve = await world.person(`Eve${Date.now()}`);
    for (const mark of [read, delivered]) {
      await fails(mark(bob, 2), 'INVALID_INPUT', 'seq');
      await fails(mark(bob, 0), 'INVALID_INPUT', 'seq');
      await fails(mark(bob, -1), 'INVALID_INPUT', 'seq');
      await fails(mark(eve, 1), 'NOT_FOUND');
    }
    await fails(bob.api.markRead({ input: { chatId: bob.id, seq: 1 } }), 'INVALID_ID', 'chatId');
    await fails(world.client().api.markRead({ input: { chatId, seq: 1 } }), 'UNAUTHENTICATED');
    assert.deepEqual(await pointers(bob), [0, 0]);
  });

  it('a row that somebody else has locked is waited for, and holds up no other', async () => {
    await world.say(ann, chatId, 'one');
    const runner = world.app.container.db.source.createQueryRunner();
    await runner.connect();
    await runner.startTransaction();
    await runner.query(`select from chat_members where user_id = replace($1, 'usr_', '')::uuid for update`, [bob.id]);
    let done = false;
    const waiting = read(bob, 1).then(() => (done = true));
    await read(cem, 1);
    assert.deepEqual(await pointers(cem), [1, 1]);
    assert.equal(done, false);
    await runner.commitTransaction();
    await runner.release();
    await waiting;
    assert.deepEqual(await pointers(bob), [1, 1]);
  });

  it('the others are told at once, across nodes, and a burst is told together', async () => {
    const stream = await live(ann);
    for (let index = 0; index < 10; index++) await world.say(ann, chatId, `${index}`);
    await take(stream, 10);
    const from = Date.now();
    await delivered(bob, 2);
    const first = await nextReceipts(stream);
    assert.deepEqual(first.receipts, [{ userId: bob.id, lastReadSeq: 0, lastDeliveredSeq: 2 }]);
    for (let seq = 3; seq <= 11; seq++) await Promise.all([read(bob, seq), read(cem, seq - 1)]);
    const second = await nextReceipts(stream);
    assert.ok(Date.now() - from >= 900, 'the rest comes a second later');
    assert.deepEqual(
      second.receipts!.map(({ userId, lastReadSeq }) => [userId, lastReadSeq]).sort(),
      [[bob.id, 11], [cem.id, 10]].sort(),
    );
    // Ann has marked nothing, yet wrote everything: what one wrote oneself counts as read.
    assert.deepEqual([second.readByAllSeq, second.newestSeq, second.readCount, second.deliveredCount], [10, 11, 1, 1]);
    await read(cem, 11);
    const third = await nextReceipts(stream);
    assert.deepEqual([third.receipts, third.readByAllSeq, third.readCount], [[{ userId: cem.id, lastReadSeq: 11, lastDeliveredSeq: 11 }], 11, 2]);
    stream.close();
  });

  it('they stand at the place of the newest event, so that a resume from one loses nothing', async () => {
    const stream = await live(ann);
    await read(bob, 1);
    const { cursor, offset } = await nextReceipts(stream);
    stream.close();
    const { seq } = await world.say(bob, chatId, 'while away');
    const resumed = ann.client.chatEvents(chatId, cursor);
    const [event] = await take(resumed, 1);
    assert.ok(event!.__typename === 'MessageSent' && event.message!.seq === seq && event.offset === offset + 1);
    resumed.close();
  });

  it('nothing moves, nothing is told', async () => {
    const stream = await live(ann);
    await read(bob, 1);
    await nextReceipts(stream);
    await read(bob, 1);
    await delivered(bob, 1);
    await fails(read(bob, 99), 'INVALID_INPUT', 'seq');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await world.say(ann, chatId, 'next');
    const [event] = await take(stream, 1, []);
    assert.equal(event!.__typename, 'MessageSent');
    stream.close();
  });

  it('one’s other devices hear of it', async () => {
    await world.say(ann, chatId, 'one');
    const inbox = world.client(bob.accessToken, 0).inboxEvents();
    await take(inbox, 1, []);
    await read(bob, 1);
    const told = new Map<string, InboxEvent>();
    while (told.size < 2) {
      const [event] = await take(inbox, 1, []);
      told.set(event!.__typename, event!);
    }
    assert.deepEqual([...told.keys()].sort(), ['ReceiptsChanged', 'ViewerReceiptChanged']);
    const own = told.get('ViewerReceiptChanged') as OwnReceipt;
    assert.deepEqual([own.chatId, own.lastReadSeq, own.lastDeliveredSeq], [chatId, 1, 1]);
    inbox.close();
  });

  it('a message and a member tell how far it is, in a constant number of statements', async () => {
    for (let index = 0; index < 10; index++) await world.say(ann, chatId, `${index}`);
    await read(bob, 6);
    await delivered(cem, 9);
    const { db } = world.app.container;
    const once = async () => {
      const before = db.statements;
      const { chat } = await ann.api.chatReceipts({ id: chatId, last: 50 });
      return { chat: chat!, statements: db.statements - before };
    };
    // The fewest of several: others' work may fall into one of them.
    const ask = async () => {
      const tries = [await once(), await once(), await once(), await once()];
      return { chat: tries[3]!.chat, statements: Math.min(...tries.map((one) => one.statements)) };
    };
    const few = await ask();
    assert.deepEqual(
      few.chat.messages.edges.slice(4).map(({ node: { seq, receipts } }) => [seq, receipts!.recipientCount, receipts!.deliveredCount, receipts!.readCount]),
      [[5, 2, 2, 1], [6, 2, 2, 1], [7, 2, 1, 0], [8, 2, 1, 0], [9, 2, 1, 0], [10, 2, 0, 0]],
    );
    const members = new Map(few.chat.members.edges.map(({ node }) => [node.user.id, [node.lastReadSeq, node.lastDeliveredSeq]]));
    assert.deepEqual([members.get(bob.id), members.get(cem.id)], [[6, 6], [0, 9]]);
    for (let index = 0; index < 30; index++) await world.say(ann, chatId, `${index}`);
    const many = await ask();
    assert.equal(many.chat.messages.edges.length, 40);
    assert.equal(many.statements, few.statements);
  });

  it('reading moves one’s own unread count, and nobody else’s', async () => {
    for (let index = 0; index < 5; index++) await world.say(ann, chatId, `${index}`);
    const unread = async (person: Person) => (await person.api.chatLine({ id: chatId })).chat!.viewerState!.unreadCount;
    assert.deepEqual([await unread(ann), await unread(bob), await unread(cem)], [0, 5, 5]);
    await delivered(bob, 5);
    assert.deepEqual([await unread(bob), await unread(cem)], [5, 5]);
    await read(bob, 3);
    assert.deepEqual([await unread(bob), await unread(cem)], [2, 5]);
    await read(bob, 5);
    assert.deepEqual([await unread(bob), await unread(cem)], [0, 5]);
  });

  it('above a hundred members counts are told, not names', async () => {
    await world.sql(
      `with made as (insert into users (id, handle, handle_key, display_name) select gen_random_uuid(), 'crowd' || i, 'crowd' || i, 'Crowd' from generate_series(1, 100) i returning id),
            joined as (insert into chat_members (chat_id, user_id, role, last_read_seq) select replace($1, 'cht_', '')::uuid, id, 'MEMBER', 1 from made returning 1)
       update chats set member_count = member_count + (select count(*) from joined), acl_version = acl_version + 1 where id = replace($1, 'cht_', '')::uuid`,
      [chatId],
    );
    const stream = await live(ann);
    await world.say(ann, chatId, 'to all');
    await take(stream, 1);
    await read(bob, 2);
    const told = await nextReceipts(stream);
    assert.deepEqual([told.receipts, told.readByAllSeq, told.newestSeq, told.readCount, told.deliveredCount], [null, 0, 2, 1, 1]);
    await read(cem, 1);
    assert.equal((await nextReceipts(stream)).readByAllSeq, 1);
    const { chat } = await ann.api.chatReceipts({ id: chatId, last: 1 });
    assert.equal(chat!.messages.edges[0]!.node.receipts, null);
    stream.close();
  });
});
