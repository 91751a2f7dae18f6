import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fails, take, World, type Person } from '../testkit/world.js';

const EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '🔥', '👀', '✅', '🚀', '💯', '🤔', '👏', '😍', '🥳', '🤝', '💡', '⭐', '🍀', '🌈'];

describe('reactions', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let crowd: Person[];
  let chatId: string;
  before(async function () {
    this.timeout(60_000);
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    crowd = await Promise.all([...Array(48)].map((_, index) => world.person(`Crowd${index}`)));
    chatId = await world.groupChat(ann, [bob, ...crowd]);
  });
  after(() => world.stop());

  const add = (person: Person, messageId: string, emoji: string) => person.api.addReaction({ input: { messageId, emoji } }).then(({ addReaction }) => addReaction.message);
  const remove = (person: Person, messageId: string, emoji: string) => person.api.removeReaction({ input: { messageId, emoji } }).then(({ removeReaction }) => removeReaction.message);
  const rowsOf = (seq: number) =>
    world.sql<{ emoji: string; count: number }>('select emoji, count(*)::int as count from message_reactions where chat_id = (select id from chats where kind = $2 and member_count = 50) and seq = $1 group by emoji', [seq, 'GROUP']);
  const sorted = (groups: { emoji: string; count: number }[]) => groups.map(({ emoji, count }) => `${emoji} ${count}`).sort();
  const listen = async (person: Person) => person.client.chatEvents(chatId, (await person.api.chat({ id: chatId })).chat!.eventCursor);

  it('are grouped with counts in the order of their first use, and told with all groups', async () => {
    const { id } = await world.say(ann, chatId, 'well?');
    const events = await listen(crowd[0]!);
    await add(ann, id, '👍');
    await add(bob, id, '❤️');
    const message = await add(bob, id, '👍');
    assert.deepEqual(message.reactions, [{ emoji: '👍', count: 2 }, { emoji: '❤️', count: 1 }]);
    assert.deepEqual(message.viewerState!.reactions.sort(), ['❤️', '👍'].sort());
    const gone = await remove(bob, id, '❤️');
    assert.deepEqual([gone.reactions, gone.version], [[{ emoji: '👍', count: 2 }], 5]);
    const told = await take(events, 4);
    events.close();
    assert.deepEqual(told.map((event) => event.__typename), Array(4).fill('ReactionsChanged'));
    const last = told.at(-1)!;
    assert.deepEqual(last.__typename === 'ReactionsChanged' && [last.messageId, last.reactions, last.message!.version], [id, [{ emoji: '👍', count: 2 }], 5]);
  });

  it('adding what is there, and taking away what is not, changes nothing and tells nobody', async () => {
    const { id } = await world.say(ann, chatId, 'again?');
    await add(ann, id, '❤️');
    const [before] = await world.sql('select sum(head) from streams');
    assert.equal((await add(ann, id, '❤')).version, 2); // the same emoji as another keyboard writes it
    assert.equal((await remove(bob, id, '❤️')).version, 2);
    assert.equal((await remove(ann, id, '👍')).version, 2);
    assert.deepEqual(await world.sql('select sum(head) from streams'), [before]);
  });

  it('fifty people at once are counted exactly, with a version and an event each', async () => {
    const everybody = [ann, bob, ...crowd];
    const { id, seq } = await world.say(ann, chatId, 'all together');
    const events = await listen(bob);
    await Promise.all(everybody.map((person, index) => add(person, id, EMOJI[index % 3]!)));
    const told = await take(events, 50);
    events.close();
    assert.deepEqual(told.map((event) => event.__typename), Array(50).fill('ReactionsChanged'));
    const offsets = told.map((event) => ('offset' in event ? event.offset : 0));
    assert.deepEqual(offsets, offsets.map((_, index) => offsets[0]! + index));
    const { node } = await ann.api.message({ id });
    assert.ok(node?.__typename === 'Message');
    assert.equal(node.version, 51);
    assert.deepEqual(sorted(node.reactions), sorted([{ emoji: EMOJI[0]!, count: 17 }, { emoji: EMOJI[1]!, count: 17 }, { emoji: EMOJI[2]!, count: 16 }]));
    assert.deepEqual(sorted(await rowsOf(seq)), sorted(node.reactions));
  });

  it('who reacted is listed in the order in which they did, page by page', async () => {
    const { id } = await world.say(ann, chatId, 'who?');
    const order = [bob, ann, ...crowd.slice(0, 3).reverse()];
    for (const person of order) {
      await add(person, id, '🔥');
      world.clock.advance(5);
    }
    await add(bob, id, '👀');
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { node } = await bob.api.messageReactions({ id, first: 2, after });
      assert.ok(node && 'reactions' in node);
      const [fire] = node.reactions;
      assert.deepEqual(node.reactions.map(({ emoji, count }) => [emoji, count]), [['🔥', 5], ['👀', 1]]);
      seen.push(...fire!.users.edges.map((edge) => edge.node.handle));
      after = fire!.users.pageInfo.endCursor!;
      more = fire!.users.pageInfo.hasNextPage;
    }
    assert.deepEqual(seen, order.map((person) => person.handle));
  });

  it('a message takes twenty different emoji, from each as many as they like', async () => {
    const { id } = await world.say(ann, chatId, 'all of them');
    for (const emoji of EMOJI.slice(0, 20)) await add(ann, id, emoji);
    await fails(add(bob, id, EMOJI[20]!), 'LIMIT_REACHED', 'emoji');
    assert.equal((await add(bob, id, EMOJI[0]!)).reactions.length, 20);
    await remove(ann, id, EMOJI[1]!);
    assert.equal((await add(bob, id, EMOJI[20]!)).reactions.at(-1)!.emoji, EMOJI[20]);
  });

  it('nothing but one emoji is a reaction, on nothing but a message that one sees', async () => {
    const { id, seq } = await world.say(ann, chatId, 'careful');
    const stranger = await world.person('Stranger');
    for (const emoji of ['', 'a', '👍👍', ' 👍', '1', '\ud83d', '👍'.repeat(1000), '🇫', '<b>']) await fails(add(ann, id, emoji), 'INVALID_INPUT');
    await fails(add(stranger, id, '👍'), 'NOT_FOUND');
    await fails(remove(stranger, id, '👍'), 'NOT_FOUND');
    await fails(add(ann, id.replace(/\d+$/, '999999'), '👍'), 'NOT_FOUND');
    await fails(add(ann, ann.id, '👍'), 'INVALID_ID', 'messageId');
    assert.deepEqual(await rowsOf(seq), []);
  });

  it('the counts are those of the rows, and the groups in order of first use, whatever people do at once', async function () {
    this.timeout(60_000);
    const people = [ann, bob, crowd[0]!];
    const step = fc.record({ person: fc.nat(2), emoji: fc.constantFrom('👍', '❤️', '🎉'), adds: fc.boolean(), together: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        const { id, seq } = await world.say(ann, chatId, 'a property');
        let underWay: Promise<unknown>[] = [];
        for (const { person, emoji, adds, together } of steps) {
          if (!together) {
            await Promise.all(underWay);
            underWay = [];
          }
          underWay.push((adds ? add : remove)(people[person]!, id, emoji));
        }
        await Promise.all(underWay);
        const { node } = await ann.api.message({ id });
        assert.ok(node?.__typename === 'Message');
        assert.deepEqual(sorted(node.reactions), sorted(await rowsOf(seq)));
        assert.ok(node.reactions.every(({ count }) => count > 0));
        const changes = await world.sql<{ n: number }>(`select count(*)::int as n from events where kind = 'reactions.changed' and (ref->>'seq')::int = $1`, [seq]);
        assert.equal(node.version, 1 + changes[0]!.n);
      }),
      { numRuns: 15 },
    );
  });
});
