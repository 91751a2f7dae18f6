import assert from 'node:assert/strict';
import pg from 'pg';
import { decodeId } from '../../src/lib/ids.js';
import { eventually, fails, take, within, World, type Person } from '../testkit/world.js';

describe('sending: batches, retries, and what fails alone', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  before(async () => {
    world = await World.start({ nodes: 2 });
    ann = await world.person('Ann', 0);
    bob = await world.person('Bob', 1);
    carol = await world.person('Carol', 1);
  });
  after(() => world.stop());

  const everywhere = (person: Person) => [world.client(person.accessToken, 0).api, world.client(person.accessToken, 1).api] as const;
  const pools = () => world.apps.map(({ container }) => container.db.poolState());

  it('two hundred retries of one send, at once and over both nodes, make one message, one event and one answer, and leave the pool free', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const stream = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    const apis = everywhere(ann);
    const input = { chatId, text: 'once', idempotencyKey: world.key() };
    let waiting = 0;
    const watch = setInterval(() => (waiting = Math.max(waiting, ...pools().map((pool) => pool.waiting))), 1);
    const answers = await Promise.all([...Array(200)].map((_, index) => apis[index % 2]!.sendMessage({ input })));
    clearInterval(watch);
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.ok(waiting <= 10, `${waiting} callers waited for a connection`);
    assert.deepEqual((await take(stream, 1)).map((event) => event.__typename === 'MessageSent' && event.message?.text), ['once']);
    const id = decodeId('Chat', chatId);
    assert.deepEqual(await world.sql('select count(*)::int as n from messages where chat_id = $1', [id]), [{ n: 1 }]);
    assert.deepEqual(await world.sql(`select count(*)::int as n from events where stream = $1 and kind = 'message.sent'`, [`chat:${id}`]), [{ n: 1 }]);
    // Later, and with another input.
    assert.deepEqual(await apis[1].sendMessage({ input }), answers[0]);
    await fails(apis[0].sendMessage({ input: { ...input, text: 'another' } }), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    await fails(apis[1].sendMessage({ input: { ...input, chatId: await world.directChat(ann, bob) } }), 'IDEMPOTENCY_KEY_REUSED');
    await world.say(ann, chatId, 'the end');
    assert.deepEqual((await take(stream, 1)).map((event) => event.__typename === 'MessageSent' && event.message?.text), ['the end']);
    stream.close();
  });

  it('keeps the plans of its statements, which would else be made anew for each batch: whoever replaces send_messages says so again', async () => {
    assert.deepEqual(await world.sql(`select proconfig as settings from pg_proc where proname = 'send_messages'`), [{ settings: ['plan_cache_mode=force_generic_plan', 'enable_seqscan=off'] }]);
  });

  it('different inputs under one key at once: one is sent, the others are told so', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const apis = everywhere(ann);
    const idempotencyKey = world.key();
    const results = await Promise.allSettled([...Array(20)].map((_, index) => apis[index % 2]!.sendMessage({ input: { chatId, text: `text ${index}`, idempotencyKey } })));
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
    for (const result of results) if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'IDEMPOTENCY_KEY_REUSED');
    assert.deepEqual(await world.sql('select count(*)::int as n from messages where chat_id = $1', [decodeId('Chat', chatId)]), [{ n: 1 }]);
  });

  it('a retry gets the same answer though what it replied to has been deleted or the other has blocked one since', async () => {
    const direct = await world.directChat(ann, carol);
    const target = await world.say(carol, direct, 'target');
    const reply = { chatId: direct, text: 'answer', replyToId: target.id, idempotencyKey: world.key() };
    const first = (await ann.api.sendMessage({ input: reply })).sendMessage.message;
    await carol.api.deleteMessage({ input: { messageId: target.id, scope: 'FOR_EVERYONE' } });
    assert.equal((await ann.api.sendMessage({ input: reply })).sendMessage.message.id, first.id);
    await fails(ann.api.sendMessage({ input: { ...reply, idempotencyKey: world.key() } }), 'NOT_FOUND', 'replyToId');
    await carol.api.blockUser({ input: { userId: ann.id } });
    for (const api of everywhere(ann)) {
      assert.equal((await api.sendMessage({ input: reply })).sendMessage.message.id, first.id);
      await fails(api.sendMessage({ input: { ...reply, replyToId: null, idempotencyKey: world.key() } }), 'BLOCKED');
    }
    await carol.api.unblockUser({ input: { userId: ann.id } });
    await world.say(ann, direct, 'again');
  });

  it('a retry of who has been taken out since is answered by no node, nor once they are back: it would show what others have said behind it', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const input = { chatId, text: 'before', idempotencyKey: world.key() };
    // Each node has decided of Bob, and remembers it.
    for (const api of everywhere(bob)) await api.sendMessage({ input: { ...input, idempotencyKey: world.key() } });
    const { id } = (await bob.api.sendMessage({ input })).sendMessage.message;
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    await ann.api.sendMessage({ input: { chatId, text: 'without Bob', threadRootId: id, idempotencyKey: world.key() } });
    for (const api of everywhere(bob)) await fails(api.sendMessage({ input }), 'NOT_FOUND');
    await ann.api.addChatMembers({ input: { chatId, memberIds: [bob.id] } });
    for (const api of everywhere(bob)) await fails(api.sendMessage({ input }), 'NOT_FOUND');
  });

  it('a bad send fails alone: the others of its batch are written, in order', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const foreign = await world.groupChat(bob, [carol]);
    const blocked = await world.directChat(ann, carol);
    await carol.api.blockUser({ input: { userId: ann.id } });
    const send = (id: string, text: string, more: object = {}) => ann.api.sendMessage({ input: { chatId: id, text, idempotencyKey: world.key(), ...more } });
    const missing = `msg_${decodeId('Chat', chatId).replaceAll('-', '')}_999`;
    const [one, two, three, four, five, six] = await Promise.allSettled([
      send(chatId, 'one'), send(foreign, 'two'), send(chatId, 'three'), send(blocked, 'four'), send(chatId, 'five', { replyToId: missing }), send(chatId, 'six'),
    ]);
    const code = (result: PromiseSettledResult<unknown>) => (result.status === 'rejected' ? (result.reason as { code: string }).code : 'ok');
    assert.deepEqual([one, two, three, four, five, six].map((result) => code(result!)), ['ok', 'NOT_FOUND', 'ok', 'BLOCKED', 'NOT_FOUND', 'ok']);
    const rows = await world.sql<{ text: string; seq: number }>('select text, seq from messages where chat_id = $1 order by seq', [decodeId('Chat', chatId)]);
    assert.deepEqual(rows.map((row) => row.seq), [1, 2, 3]);
    assert.deepEqual(new Set(rows.map((row) => row.text)), new Set(['one', 'three', 'six']));
    assert.deepEqual(await world.sql('select count(*)::int as n from messages where chat_id = any($1)', [[decodeId('Chat', foreign)]]), [{ n: 0 }]);
    await carol.api.unblockUser({ input: { userId: ann.id } });
  });

  it('two hundred sends to twenty chats: those that somebody else has locked hold up nobody but their own', async () => {
    const chats: string[] = [];
    for (let n = 0; n < 20; n++) chats.push(await world.groupChat(ann, [bob], `chat ${n}`));
    const locker = new pg.Client({ connectionString: world.databaseUrl });
    await locker.connect();
    try {
      // More than the queue's batches at a time, so that waiting for them can't be what carries the others.
      const lockedChats = chats.slice(0, 6);
      await locker.query('begin');
      await locker.query('select from chats where id = any($1) for update', [lockedChats.map((chat) => decodeId('Chat', chat))]);
      const apis = everywhere(ann);
      const done = new Map(chats.map((chat) => [chat, 0]));
      const all = [...Array(200)].map(async (_, index) => {
        const chatId = chats[index % chats.length]!;
        await apis[index % 2]!.sendMessage({ input: { chatId, text: `message ${index}`, idempotencyKey: world.key() } });
        done.set(chatId, done.get(chatId)! + 1);
      });
      await eventually(() => chats.slice(6).every((chat) => done.get(chat) === 10), 'all others have been sent', 10_000);
      assert.deepEqual(lockedChats.map((chat) => done.get(chat)), lockedChats.map(() => 0));
      assert.ok(pools().every((pool) => pool.waiting === 0), JSON.stringify(pools()));
      await locker.query('commit');
      await within(Promise.all(all), 'the rest');
      const rows = await world.sql<{ n: number; last: number }>('select count(*)::int as n, max(seq)::int as last from messages where chat_id = any($1) group by chat_id', [chats.map((chat) => decodeId('Chat', chat))]);
      assert.deepEqual(rows, chats.map(() => ({ n: 10, last: 10 })));
    } finally {
      await locker.end();
    }
  });

  it('sends, joins and removals at once leave each chat gapless, and every event and member in its place', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const id = decodeId('Chat', chatId);
    const stream = ann.client.chatEvents(chatId, (await ann.api.chat({ id: chatId })).chat!.eventCursor);
    const sends = [...Array(60)].map((_, index) => (index % 2 ? ann : bob).api.sendMessage({ input: { chatId, text: `t ${index}`, idempotencyKey: world.key() } }));
    const changes = (async () => {
      for (let n = 0; n < 4; n++) {
        await ann.api.addChatMembers({ input: { chatId, memberIds: [carol.id] } });
        const said = await carol.api.sendMessage({ input: { chatId, text: `carol ${n}`, idempotencyKey: world.key() } });
        await ann.api.removeChatMember({ input: { chatId, userId: carol.id } });
        await fails(carol.api.sendMessage({ input: { chatId, text: 'no more', idempotencyKey: world.key() } }), 'NOT_FOUND');
        assert.ok(said.sendMessage.message.seq);
      }
    })();
    await Promise.all([...sends, changes]);
    const [{ last_seq: last }] = (await world.sql<{ last_seq: number }>('select last_seq from chats where id = $1', [id])) as [{ last_seq: number }];
    const [counts] = await world.sql('select count(*)::int as n, count(distinct seq)::int as seqs, max(seq) as last from messages where chat_id = $1', [id]);
    assert.deepEqual(counts, { n: last, seqs: last, last });
    const positions = await world.sql<{ pos: string }>('select pos from events where stream = $1 order by pos', [`chat:${id}`]);
    assert.deepEqual(positions.map((row) => Number(row.pos)), positions.map((_, index) => index + 1));
    const heard = await take(stream, 60 + 4 * 5);
    assert.deepEqual(heard.filter((event) => event.__typename === 'MessageSent' && event.message?.text).length, 64);
    stream.close();
  });
});
