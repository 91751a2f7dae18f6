import assert from 'node:assert/strict';
import { eventually, take, within, World, type Person } from '../testkit/world.js';

const MINUTE = 60_000;

describe('disappearing messages', () => {
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
    chatId = await world.groupChat(ann, [bob], 'Vanishing');
    await setTimer(60);
  });

  const setTimer = (seconds: number | null) => ann.api.updateChat({ input: { chatId, messageTtlSeconds: seconds } });
  const history = async (reader: Person) => (await reader.api.chatMessages({ id: chatId, last: 100 })).chat!.messages.edges.map((edge) => edge.node).filter((message) => message.kind !== 'SYSTEM');

  it('a message is there until its time, and gone for everyone from then on, with one event', async () => {
    const events = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    const sent = await world.say(ann, chatId, 'read this soon');
    world.clock.advance(59_000);
    assert.deepEqual((await history(bob)).map((message) => message.text), ['read this soon']);
    world.clock.advance(1_001);
    assert.deepEqual((await history(bob)).map((message) => message.text), [null]);
    const [first, second] = await take(events, 2);
    assert.equal(first!.__typename, 'MessageSent');
    assert.ok(second!.__typename === 'MessageDeleted' && second.messageId === sent.id);
    assert.equal(second.message!.text, null);
    assert.ok(second.message!.deletedAt);
    await assert.rejects(within(take(events, 1), 'nothing more', 700));
    events.close();
    assert.deepEqual(await world.sql('select text, mentions, card, reactions from messages where expires_at is not null and deleted_at is null'), []);
  });

  it('nothing is kept of it: neither reactions, nor edits, nor pins, nor the thread’s count', async () => {
    await setTimer(null);
    const root = await world.say(ann, chatId, 'the root stays');
    await setTimer(60);
    const { message } = (await ann.api.sendMessage({ input: { chatId, text: 'an answer', threadRootId: root.id, idempotencyKey: world.key() } })).sendMessage;
    await bob.api.addReaction({ input: { messageId: message.id, emoji: '👍' } });
    await ann.api.editMessage({ input: { messageId: message.id, text: 'a better answer' } });
    await ann.api.pinMessage({ input: { messageId: message.id } });
    const answers = async () => {
      const { node } = await bob.api.messageThread({ id: root.id, last: 10 });
      assert.ok(node && 'thread' in node);
      return node.thread?.count ?? 0;
    };
    const left = async () => (await world.sql('select from message_reactions union all select from message_edits union all select from pinned_messages')).length;
    assert.equal(await answers(), 1);
    assert.equal(await left(), 3);
    await world.passTime(MINUTE + 1);
    await eventually(async () => (await left()) === 0, 'it is erased');
    assert.equal(await answers(), 0);
    const { node } = await bob.api.message({ id: message.id });
    assert.ok(node?.__typename === 'Message' && node.text === null && node.deletedAt !== null && node.reactions.length === 0);
  });

  it('messages from before the timer stay', async () => {
    await setTimer(null);
    await world.say(ann, chatId, 'for ever');
    await setTimer(60);
    await world.say(ann, chatId, 'for a minute');
    await world.passTime(MINUTE + 1);
    assert.deepEqual((await history(bob)).map((message) => message.text), ['for ever', null]);
  });

  it('many messages in several chats go once each, though two nodes sweep and one chat is locked for a while', async () => {
    const waiting = () => world.sql<{ chat_id: string; n: number }>('select chat_id, count(*)::int as n from messages where expires_at is not null and deleted_at is null group by 1');
    const chats = [chatId];
    for (let index = 0; index < 3; index++) {
      chats.push((chatId = await world.groupChat(ann, [bob], `Vanishing ${index}`)));
      await setTimer(60);
    }
    const SENDS = 60;
    await Promise.all(chats.flatMap((id) => [...Array(SENDS)].map((_, index) => world.say(index % 2 ? ann : bob, id, `number ${index}`))));
    const { db } = world.app.container;
    const runner = db.source.createQueryRunner();
    await runner.connect();
    await runner.startTransaction();
    const [locked] = (await runner.query('select id from chats order by created_at desc limit 1')) as { id: string }[];
    await runner.query('select from chats where id = $1 for update', [locked!.id]);
    await world.passTime(MINUTE + 1);
    await eventually(async () => (await waiting()).length === 1, 'the other chats are done');
    assert.deepEqual(await waiting(), [{ chat_id: locked!.id, n: SENDS }]);
    await runner.commitTransaction();
    await runner.release();
    await eventually(async () => (await waiting()).length === 0, 'the locked chat is done');
    const told = await world.sql<{ n: number; distinct_n: number }>(
      `select count(*)::int as n, count(distinct (stream, ref->>'seq'))::int as distinct_n from events where kind = 'message.deleted' and stream = any(select 'chat:' || chat_id from messages where deleted_at is not null group by chat_id having count(*) = $1)`,
      [SENDS],
    );
    assert.deepEqual(told, [{ n: SENDS * chats.length, distinct_n: SENDS * chats.length }]);
  });
});
