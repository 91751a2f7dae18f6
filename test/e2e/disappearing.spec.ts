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

  const setTimer = async (seconds: number | null) => {
    await world.sql(`update chats set message_ttl_seconds = $2 where id = replace($1, 'cht_', '')::uuid`, [chatId, seconds]);
  };
  const history = async (reader: Person) => (await reader.api.chatMessages({ id: chatId, last: 100 })).chat!.messages.edges.map((edge) => edge.node);

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
    const root = await world.say(ann, chatId, 'the root stays');
    await world.sql('update messages set expires_at = null where seq = $1', [root.seq]);
    await ann.api.sendMessage({ input: { chatId, text: 'an answer', threadRootId: root.id, idempotencyKey: world.key() } });
    const [row] = await world.sql<{ chat_id: string; seq: number }>('select chat_id, seq from messages where thread_root_seq is not null and deleted_at is null');
    const key = [row!.chat_id, row!.seq];
    await world.sql(`insert into message_reactions (chat_id, seq, user_id, emoji) values ($1, $2, gen_random_uuid(), '👍')`, key);
    await world.sql(`insert into message_edits (chat_id, seq, version, text) values ($1, $2, 1, 'before')`, key);
    await world.sql('insert into pinned_messages (chat_id, seq, pinned_by) values ($1, $2, gen_random_uuid())', key);
    await world.passTime(MINUTE + 1);
    await eventually(async () => (await world.sql('select from messages where chat_id = $1 and seq = $2 and deleted_at is not null and text is null', key)).length === 1, 'it is erased');
    for (const table of ['message_reactions', 'message_edits', 'pinned_messages']) assert.deepEqual(await world.sql(`select * from ${table} where chat_id = $1`, [key[0]]), [], table);
    assert.deepEqual(await world.sql('select thread_count, text from messages where chat_id = $1 and thread_root_seq is null and text is not null', [key[0]]), [{ thread_count: 0, text: 'the root stays' }]);
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
    const waiting = async () => (await world.sql<{ chat_id: string; n: number }>('select chat_id, count(*)::int as n from messages where expires_at is not null and deleted_at is null group by 1')).map((row) => ({ ...row }));
    await eventually(async () => (await waiting()).length === 1, 'the other chats are done');
    assert.deepEqual(await waiting(), [{ chat_id: locked!.id, n: SENDS }]);
    await runner.commitTransaction();
    await runner.release();
    await eventually(async () => (await waiting()).length === 0, 'the locked chat is done');
    const told = await world.sql<{ n: number; distinct_n: number }>(
      `select count(*)::int as n, count(distinct (stream, ref->>'seq'))::int as distinct_n from events where kind = 'message.deleted' and stream = any(select 'chat:' || chat_id from messages where text is null group by chat_id having count(*) = $1)`,
      [SENDS],
    );
    assert.deepEqual(told, [{ n: SENDS * chats.length, distinct_n: SENDS * chats.length }]);
  });
});
