import assert from 'node:assert/strict';
import type { PollInput } from '../../sdk/generated/graphql.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('polls and places', () => {
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

  const ask = async (person: Person, poll: PollInput, more: object = {}) =>
    (await person.api.sendMessage({ input: { chatId, poll, idempotencyKey: world.key(), ...more } })).sendMessage.message;
  const vote = (person: Person, messageId: string, ...optionIndexes: number[]) => person.api.votePoll({ input: { messageId, optionIndexes } }).then(({ votePoll }) => votePoll.message);
  const close = (person: Person, messageId: string) => person.api.closePoll({ input: { messageId } }).then(({ closePoll }) => closePoll.message);
  const read = async (person: Person, messageId: string, first = 20) => {
    const { node } = await person.api.poll({ messageId, first });
    assert.ok(node && 'card' in node && node.card?.__typename === 'PollCard');
    return { version: node.version, ...node.card };
  };
  const counts = (poll: Awaited<ReturnType<typeof read>>) => [poll.options.map((option) => option.voteCount), poll.voterCount];
  const lunch: PollInput = { question: 'Lunch?', options: ['soup', 'salad', 'neither'] };
  const tables = () => world.sql('select (select count(*) from messages) m, (select count(*) from polls) p, (select count(*) from poll_options) o, (select sum(head) from streams) s, (select count(*) from idempotency_keys) k');

  it('one vote a person: it is replaced and withdrawn, and each change is told once', async () => {
    const events = carol.client.chatEvents(chatId, (await carol.api.chat({ id: chatId })).chat!.eventCursor);
    const { id, kind, text, card } = await ask(ann, lunch);
    assert.deepEqual([kind, text, card?.__typename], ['CARD', null, 'PollCard']);
    await vote(ann, id, 0);
    await vote(bob, id, 1);
    await vote(bob, id, 0);
    await vote(bob, id, 0); // again: nothing changes
    assert.deepEqual(counts(await read(carol, id)), [[2, 0, 0], 2]);
    await vote(ann, id);
    const poll = await read(bob, id);
    assert.deepEqual([counts(poll), poll.viewerState!.votes, poll.version], [[[1, 0, 0], 1], [0], 5]);
    assert.deepEqual(poll.options[0]!.voters!.edges.map(({ node }) => node.handle), ['bob']);
    assert.deepEqual((await read(ann, id)).viewerState!.votes, []);
    await world.say(ann, chatId, 'end');
    const told = await take(events, 6);
    events.close();
    assert.deepEqual(told.map((event) => event.__typename), ['MessageSent', ...Array<string>(4).fill('MessageUpdated'), 'MessageSent']);
    const last = told[4]!;
    assert.ok(last.__typename === 'MessageUpdated' && last.message?.card?.__typename === 'PollCard');
    assert.equal(last.message.card.voterCount, 1);
  });

  it('several votes a person, and voters page by page in the order of their votes', async () => {
    const { id } = await ask(ann, { ...lunch, multiple: true });
    for (const person of [carol, ann, bob]) {
      await vote(person, id, 2, 0, 2);
      world.clock.advance(5);
    }
    await vote(ann, id, 1, 0);
    assert.deepEqual(counts(await read(bob, id)), [[3, 1, 2], 3]);
    const poll = await read(bob, id, 2);
    assert.deepEqual(poll.options[0]!.voters!.edges.map(({ node }) => node.handle), ['carol', 'ann']);
    const next = await bob.api.poll({ messageId: id, first: 2, after: poll.options[0]!.voters!.pageInfo.endCursor });
    assert.ok(next.node && 'card' in next.node && next.node.card?.__typename === 'PollCard');
    assert.deepEqual(next.node.card.options[0]!.voters!.edges.map(({ node }) => node.handle), ['bob']);
  });

  it('an anonymous poll tells how many, never who', async () => {
    const { id } = await ask(ann, { ...lunch, anonymous: true });
    await vote(bob, id, 1);
    const poll = await read(ann, id);
    assert.deepEqual([counts(poll), poll.options.map((option) => option.voters)], [[[0, 1, 0], 1], [null, null, null]]);
    assert.deepEqual((await read(bob, id)).viewerState!.votes, [1]);
  });

  it('a poll closes at its time, or by its sender or whoever runs the chat', async () => {
    const closesAt = new Date(world.clock.now().getTime() + 60_000).toISOString();
    const timed = await ask(bob, { ...lunch, closesAt });
    await vote(carol, timed.id, 0);
    world.clock.advance(60_000);
    await fails(vote(ann, timed.id, 0), 'STATE_CONFLICT');
    await fails(vote(carol, timed.id), 'STATE_CONFLICT');
    const over = await read(carol, timed.id);
    assert.deepEqual([over.closed, over.closesAt, counts(over)], [true, closesAt, [[1, 0, 0], 1]]);
    assert.equal((await close(bob, timed.id)).version, 2); // closed already: nothing changes

    const open = await ask(bob, lunch);
    await fails(close(carol, open.id), 'FORBIDDEN');
    assert.equal((await read(carol, open.id)).closed, false);
    assert.equal((await close(ann, open.id)).version, 2);
    assert.equal((await close(bob, open.id)).version, 2);
    assert.equal((await read(carol, open.id)).closed, true);
  });

  it('everybody at once is counted exactly', async () => {
    const { id, seq } = await ask(ann, { ...lunch, multiple: true });
    const people = [ann, bob, carol];
    await Promise.all([...Array(30)].map((_, index) => vote(people[index % 3]!, id, ...[0, 1, 2].filter((option) => (index >> option) & 1))));
    const poll = await read(ann, id);
    const votes = await Promise.all(people.map(async (person) => (await read(person, id)).viewerState!.votes));
    assert.deepEqual(counts(poll), [[0, 1, 2].map((option) => votes.filter((of) => of.includes(option)).length), votes.filter((of) => of.length).length]);
    const [changes] = await world.sql<{ n: number }>(`select count(*)::int as n from events where kind = 'message.updated' and (ref->>'seq')::int = $1`, [seq]);
    assert.equal(poll.version, 1 + changes!.n);
  });

  it('a retried poll is asked once, by all the rules of sending', async () => {
    const idempotencyKey = world.key();
    const before = await world.sql<{ n: number }>('select count(*)::int as n from polls');
    const all = await Promise.all([...Array(50)].map(() => ask(bob, lunch, { idempotencyKey })));
    assert.equal(new Set(all.map((message) => message.id)).size, 1);
    assert.equal((await ask(bob, lunch, { idempotencyKey })).id, all[0]!.id);
    assert.deepEqual(await world.sql('select count(*)::int as n from polls'), [{ n: before[0]!.n + 1 }]);
    await fails(ask(bob, { ...lunch, question: 'Dinner?' }, { idempotencyKey }), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    await fails(bob.api.sendMessage({ input: { chatId, text: 'words', idempotencyKey } }), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    const root = await world.say(ann, chatId, 'root');
    const inThread = await ask(bob, lunch, { threadRootId: root.id, text: 'what do you say?' });
    assert.deepEqual([inThread.threadRoot!.id, inThread.text], [root.id, 'what do you say?']);
    const { node } = await ann.api.message({ id: root.id });
    assert.ok(node?.__typename === 'Message');
    assert.deepEqual([node.thread!.count, node.version], [1, 2]);

    await world.sql('update chats set slow_mode_seconds = 60, message_ttl_seconds = 3600, acl_version = acl_version + 1');
    const slow = await ask(carol, lunch);
    await fails(ask(carol, lunch), 'SLOW_MODE');
    assert.deepEqual(await world.sql('select expires_at is not null as dies from messages where seq = $1', [slow.seq]), [{ dies: true }]);
    await world.sql('update chats set slow_mode_seconds = 0, message_ttl_seconds = null, acl_version = acl_version + 1');
  });

  it('deleting a poll erases its question, options and votes', async () => {
    const { id, seq } = await ask(bob, lunch);
    await vote(ann, id, 1);
    const { deleteMessage } = await bob.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    assert.equal(deleteMessage.message.card, null);
    for (const table of ['polls', 'poll_options', 'poll_votes']) assert.deepEqual(await world.sql(`select from ${table} where seq = $1`, [seq]), []);
    await fails(vote(ann, id, 1), 'STATE_CONFLICT');
    await fails(close(bob, id), 'STATE_CONFLICT');
  });

  it('a place is shown as it was sent', async () => {
    const location = { latitude: -33.8567844, longitude: 151.2152967, name: 'Opera House' };
    const { message } = (await ann.api.sendMessage({ input: { chatId, location, text: 'here', idempotencyKey: world.key() } })).sendMessage;
    assert.deepEqual([message.kind, message.text, message.card], ['CARD', 'here', { __typename: 'LocationCard', ...location }]);
    await fails(vote(bob, message.id, 0), 'NOT_FOUND', 'messageId');
    await fails(close(ann, message.id), 'NOT_FOUND', 'messageId');
  });

  it('what is no poll, no place, or both is refused, and changes nothing', async () => {
    const { id } = await ask(ann, lunch);
    const stranger = await world.person('Stranger');
    const before = await tables();
    const polls: [PollInput, string][] = [
      [{ ...lunch, question: ' ' }, 'poll.question'],
      [{ ...lunch, question: 'x'.repeat(1_025) }, 'poll.question'],
      [{ ...lunch, question: '\u0000' }, 'poll.question'],
      [{ ...lunch, options: ['one'] }, 'poll.options'],
      [{ ...lunch, options: [...Array(13)].map((_, index) => `${index}`) }, 'poll.options'],
      [{ ...lunch, options: ['same', ' same '] }, 'poll.options'],
      [{ ...lunch, options: ['', 'b'] }, 'poll.options'],
      [{ ...lunch, options: ['x'.repeat(257), 'b'] }, 'poll.options'],
      [{ ...lunch, closesAt: world.clock.now().toISOString() }, 'poll.closesAt'],
    ];
    for (const [poll, field] of polls) await fails(ask(ann, poll), 'INVALID_INPUT', field);
    const place = (location: { latitude: number; longitude: number; name?: string }) => ann.api.sendMessage({ input: { chatId, location, idempotencyKey: world.key() } });
    await fails(place({ latitude: 90.1, longitude: 0 }), 'INVALID_INPUT', 'location.latitude');
    await fails(place({ latitude: 0, longitude: -180.1 }), 'INVALID_INPUT', 'location.longitude');
    await fails(place({ latitude: 0, longitude: 0, name: 'x'.repeat(257) }), 'INVALID_INPUT', 'location.name');
    await fails(ask(ann, lunch, { location: { latitude: 0, longitude: 0 } }), 'INVALID_INPUT', 'location');
    await fails(vote(bob, id, 3), 'INVALID_INPUT', 'optionIndexes');
    await fails(vote(bob, id, -1), 'INVALID_INPUT', 'optionIndexes');
    await fails(vote(bob, id, 0, 1), 'INVALID_INPUT', 'optionIndexes');
    await fails(vote(bob, id, ...Array(13).keys()), 'INVALID_INPUT', 'optionIndexes');
    await fails(vote(stranger, id, 0), 'NOT_FOUND');
    await fails(ask(stranger, lunch), 'NOT_FOUND');
    assert.deepEqual(await tables(), before);
  });
});
