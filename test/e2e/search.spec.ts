import assert from 'node:assert/strict';
import type { MessageSearchFilter } from '../../sdk/index.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const MINUTE = 60_000;

describe('searching messages', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  let chatId: string;
  let other: string;
  before(async () => {
    world = await World.start();
    [ann, bob, cem] = await world.people('Ann', 'Bob', 'Cem');
  });
  after(() => world.stop());
  beforeEach(async () => {
    await world.sql('delete from messages');
    chatId = await world.groupChat(ann, [bob], 'One');
    other = await world.groupChat(bob, [cem], 'Two');
  });

  const search = async (person: Person, query: string, filter?: MessageSearchFilter) => (await person.api.searchMessages({ query, first: 100, ...(filter ? { filter } : {}) })).searchMessages;
  const found = async (person: Person, query: string, filter?: MessageSearchFilter) => (await search(person, query, filter)).edges.map((edge) => edge.node.text);
  const tell = async (...texts: string[]) => {
    for (const text of texts) await world.say(ann, chatId, text);
  };

  it('finds across one’s own chats alone, newest first', async () => {
    await world.say(ann, chatId, 'the cat sleeps');
    await world.say(cem, other, 'a cat and a dog');
    await world.say(bob, chatId, 'no animals here');
    assert.deepEqual(await found(bob, 'cat'), ['a cat and a dog', 'the cat sleeps']);
    assert.deepEqual(await found(ann, 'cat'), ['the cat sleeps']);
    assert.deepEqual(await found(cem, 'cat'), ['a cat and a dog']);
    assert.deepEqual(await found(await world.person('Eve'), 'cat'), []);
  });

  it('understands words, beginnings, phrases, alternatives and exclusions, whatever their case', async () => {
    await tell('Good morning Ürümqi', 'good evening', 'morning is good', 'the weather');
    assert.deepEqual(await found(ann, 'MORNING good'), ['morning is good', 'Good morning Ürümqi']);
    assert.deepEqual(await found(ann, 'good mor'), ['morning is good', 'Good morning Ürümqi']);
    assert.deepEqual(await found(ann, 'mor good'), []);
    assert.deepEqual(await found(ann, '"good morning"'), ['Good morning Ürümqi']);
    assert.deepEqual(await found(ann, 'evening or weath'), ['the weather', 'good evening']);
    assert.deepEqual(await found(ann, 'good -morning'), ['good evening']);
    assert.deepEqual(await found(ann, 'ürü'), ['Good morning Ürümqi']);
    for (const empty of ['-good', '!!!', '" "', '&|()<->:*', "it's 'quoted' \\ %"]) assert.deepEqual(await found(ann, empty), [], empty);
  });

  it('shows where it was found as plain pieces, which no text can forge', async () => {
    await tell('say <b>hello</b> & goodbye \uE000hello\uE001');
    const [edge] = (await search(ann, 'hel')).edges;
    assert.equal(edge!.highlights.map((segment) => segment.text).join(''), 'hello</b> & goodbye hello');
    assert.deepEqual(edge!.highlights.filter((segment) => segment.match).map((segment) => segment.text), ['hello', 'hello']);
    await tell(`needle ${'hay '.repeat(500)} needle`);
    const [long] = (await search(ann, 'needle')).edges;
    assert.ok(long!.highlights.map((segment) => segment.text).join('').length < 300);
    assert.ok(long!.highlights.some((segment) => segment.match && segment.text === 'needle'));
  });

  it('leaves out what is deleted, has disappeared, is hidden, or is from before one joined', async () => {
    await tell('secret plan zero');
    await ann.api.addChatMembers({ input: { chatId, memberIds: [cem.id] } });
    const one = await world.say(ann, chatId, 'secret plan one');
    const two = await world.say(ann, chatId, 'secret plan two');
    await ann.api.updateChat({ input: { chatId, messageTtlSeconds: 60 } });
    await tell('secret plan three');
    assert.deepEqual(await found(cem, 'secret'), ['secret plan three', 'secret plan two', 'secret plan one']);
    await cem.api.deleteMessage({ input: { messageId: one.id, scope: 'FOR_ME' } });
    await ann.api.deleteMessage({ input: { messageId: two.id, scope: 'FOR_EVERYONE' } });
    assert.deepEqual(await found(cem, 'secret'), ['secret plan three']);
    assert.deepEqual(await found(bob, 'secret'), ['secret plan three', 'secret plan one', 'secret plan zero']);
    world.clock.advance(MINUTE + 1);
    assert.deepEqual(await found(cem, 'secret'), []);
    assert.deepEqual(await found(bob, 'secret'), ['secret plan one', 'secret plan zero']);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    assert.deepEqual(await found(bob, 'secret'), []);
  });

  it('finds what an edit says, not what it said', async () => {
    const { id } = await world.say(ann, chatId, 'meet at noon');
    await ann.api.editMessage({ input: { messageId: id, text: 'meet at midnight' } });
    assert.deepEqual(await found(bob, 'noon'), []);
    assert.deepEqual(await found(bob, 'midnight'), ['meet at midnight']);
  });

  it('filters by chat, sender, kind and time', async () => {
    await world.say(ann, chatId, 'lunch first');
    await world.say(bob, chatId, 'lunch second');
    await world.say(bob, other, 'lunch third');
    world.clock.advance(MINUTE);
    const noon = world.clock.now().toISOString();
    await world.say(bob, chatId, 'lunch fourth');
    assert.deepEqual(await found(bob, 'lunch', { chatId }), ['lunch fourth', 'lunch second', 'lunch first']);
    assert.deepEqual(await found(bob, 'lunch', { senderId: bob.id }), ['lunch fourth', 'lunch third', 'lunch second']);
    assert.deepEqual(await found(bob, 'lunch', { after: noon }), ['lunch fourth']);
    assert.deepEqual(await found(bob, 'lunch', { before: noon, chatId, senderId: bob.id }), ['lunch second']);
    assert.equal((await found(bob, 'lunch', { kind: 'TEXT' })).length, 4);
    assert.deepEqual(await found(bob, 'lunch', { kind: 'CARD' }), []);
    await fails(search(ann, 'lunch', { chatId: other }), 'NOT_FOUND', 'filter.chatId');
    await fails(search(ann, 'lunch', { chatId: ann.id }), 'INVALID_ID', 'filter.chatId');
    await fails(search(ann, 'lunch', { senderId: chatId }), 'INVALID_ID', 'filter.senderId');
  });

  it('pages without loss or repeat, though more is said meanwhile', async () => {
    await Promise.all([...Array(25)].map((_, index) => world.say(index % 2 ? ann : bob, chatId, `page ${index}`)));
    await Promise.all([...Array(10)].map((_, index) => world.say(bob, other, `page ${100 + index}`)));
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { searchMessages: page } = await bob.api.searchMessages({ query: 'page', first: 7, ...(after ? { after } : {}) });
      seen.push(...page.edges.map((edge) => edge.node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor! : null;
      await world.say(bob, chatId, 'page again');
    } while (after);
    assert.deepEqual([seen.length, new Set(seen).size], [35, 35]);
    await fails(bob.api.searchMessages({ query: 'page', after: 'rubbish' }), 'INVALID_CURSOR', 'after');
    await fails(bob.api.searchMessages({ query: 'page', first: 101 }), 'INVALID_INPUT', 'first');
  });

  it('refuses what is no query', async () => {
    await fails(search(ann, ''), 'INVALID_INPUT', 'query');
    await fails(search(ann, '  '), 'INVALID_INPUT', 'query');
    await fails(search(ann, 'x'.repeat(257)), 'INVALID_INPUT', 'query');
    await fails(search(ann, 'a\u0000b'), 'INVALID_INPUT', 'query');
    await fails(world.client().api.searchMessages({ query: 'cat' }), 'UNAUTHENTICATED');
  });

  it('asks the index, in a constant number of statements, however much is said elsewhere', async () => {
    await world.sql(
      `insert into messages (chat_id, seq, sender_id, kind, created_at, text)
       select c.id, 1000 + i, (select id from users limit 1), 'TEXT', now() - make_interval(secs => i), 'word' || (i % 100) || ' filler' from chats c, generate_series(1, 500) i`,
    );
    await world.sql('analyze messages');
    const scans = async () => {
      await world.sql('select pg_stat_clear_snapshot()');
      return (await world.sql<{ n: string }>(`select coalesce(sum(idx_scan), 0)::text as n from pg_stat_user_indexes where indexrelname = 'messages_search'`)).map((row) => Number(row.n))[0]!;
    };
    const before = await scans();
    const { db } = world.app.container;
    const counts: number[] = [];
    // Past the fifth run a prepared statement may get a generic plan.
    for (let run = 0; run < 8; run++) {
      const from = db.statements;
      const page = await bob.api.searchMessages({ query: 'word7 fill', first: run < 4 ? 2 : 50 });
      assert.ok(page.searchMessages.edges.length >= 2);
      counts.push(db.statements - from);
    }
    // The fewest of several: others' work may fall into one of them.
    assert.equal(Math.min(...counts.slice(0, 4)), Math.min(...counts.slice(4)), `statements: ${counts.join(', ')}`);
    const chats = (await world.sql('select from chat_members where user_id = replace($1, $2, $3)::uuid', [bob.id, 'usr_', ''])).length;
    // A connection that has nothing to do tells what it did within 10 s.
    await eventually(async () => (await scans()) - before >= 8 * chats, 'every search has asked the index for every chat', 30_000);
    assert.equal((await scans()) - before, 8 * chats);
  }).timeout(60_000);
});
