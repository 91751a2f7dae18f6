import assert from 'node:assert/strict';
import { befriend, feedOf } from '../testkit/statuses.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const DAY = 24 * 3_600_000;

describe('highlights', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    await befriend(ann, bob);
  });
  after(() => world.stop());

  const post = async (text: string, only?: Person) =>
    (await ann.api.postStatus({ input: { text, idempotencyKey: world.key(), ...(only ? { audience: { kind: 'ONLY', userIds: [only.id] } } : {}) } })).postStatus.status.id;
  const make = async (title: string, statusIds: string[], more: object = {}) => (await ann.api.createHighlight({ input: { title, statusIds, idempotencyKey: world.key(), ...more } })).createHighlight.highlight;
  const titles = async (reader: Person) => (await reader.api.userHighlights({ userId: ann.id })).user!.viewerState!.highlights.edges.map(({ node }) => [node.title, node.cover?.text ?? null]);
  const inside = async (reader: Person, id: string) => {
    const { node } = await reader.api.highlight({ id });
    return node && 'statuses' in node ? node.statuses.edges.map((edge) => edge.node.text) : null;
  };
  const wipe = async () => {
    for (const { node } of (await ann.api.ownHighlights({ first: 20, firstOfEach: 1 })).viewer!.highlights.edges) await ann.api.deleteHighlight({ input: { highlightId: node.id } });
    for (const { node } of (await ann.api.ownStatuses({ first: 100 })).viewer!.ownStatuses.edges) await ann.api.deleteStatus({ input: { statusId: node.id } });
  };
  afterEach(wipe);
  const again = async (person: Person): Promise<Person> => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
    const client = world.client(signIn.accessToken);
    return { ...person, client, api: client.api };
  };

  it('are told, as they are now, to their owner’s devices; what changes nothing is not', async () => {
    const inbox = ann.client.inboxEvents();
    await take(inbox, 1, []);
    const [one, two] = [await post('one'), await post('two')];
    await take(inbox, 2);
    const { id: highlightId } = await make('Summer', [one]);
    await ann.api.updateHighlight({ input: { highlightId, title: 'Autumn', addStatusIds: [two], coverStatusId: two } });
    await ann.api.updateHighlight({ input: { highlightId, title: 'Autumn', addStatusIds: [two], coverStatusId: two } });
    await ann.api.updateHighlight({ input: { highlightId, removeStatusIds: [two] } });
    await ann.api.deleteHighlight({ input: { highlightId } });
    const told = (await take(inbox, 4)).map((event) => (event.__typename === 'StatusHighlightChanged' ? [event.highlightId, event.highlight?.version ?? null, event.statusIds, event.coverStatusId] : event.__typename));
    // Each shows the highlight as it is when it is delivered: the last of them must be the end.
    assert.deepEqual(told.at(-1), [highlightId, null, [], null]);
    assert.ok(told.every((event) => event[0] === highlightId));
    inbox.close();
  });

  it('outlive their day, and show to each what its own audience allows', async () => {
    const [all, forBob, lost] = [await post('for all'), await post('for Bob alone', bob), await post('lost')];
    const { id } = await make('Lakes', [all, forBob], { coverStatusId: forBob });
    assert.deepEqual([await titles(bob), await inside(bob, id)], [[['Lakes', 'for Bob alone']], ['for all', 'for Bob alone']]);
    assert.deepEqual([await titles(carol), await inside(carol, id)], [[], null]);
    world.clock.advance(DAY);
    [ann, bob, carol] = [await again(ann), await again(bob), await again(carol)];
    await befriend(ann, carol);
    await eventually(async () => (await world.sql('select from statuses')).length === 2, 'what is not kept is erased');
    assert.equal((await bob.api.status({ id: lost })).status, null);
    assert.deepEqual([await feedOf(bob), await feedOf(carol), (await ann.api.ownStatuses()).viewer!.ownStatuses.edges], [[], [], []]);
    // A contact of today sees what was for all; what was for some alone stays for them, the cover too.
    assert.deepEqual([await titles(bob), await inside(bob, id)], [[['Lakes', 'for Bob alone']], ['for all', 'for Bob alone']]);
    assert.deepEqual([await titles(carol), await inside(carol, id)], [[['Lakes', 'for all']], ['for all']]);
    await bob.api.viewStatus({ input: { statusId: all } });
    assert.equal((await ann.api.status({ id: all })).status!.viewerState!.viewedAt, null);
    assert.equal((await ann.api.statusInsights({ id: all })).status!.insights!.viewCount, 1);
    await fails(carol.api.viewStatus({ input: { statusId: forBob } }), 'NOT_FOUND', 'statusId');
    // Blocked, or no contact any more: nothing.
    await ann.api.blockUser({ input: { userId: carol.id } });
    await bob.api.removeContact({ input: { userId: ann.id } });
    for (const person of [bob, carol]) assert.deepEqual([await titles(person), await inside(person, id)], [[], null]);
    await bob.api.addContact({ input: { userId: ann.id } });
    // What leaves its last highlight after its day is erased.
    await ann.api.updateHighlight({ input: { highlightId: id, removeStatusIds: [forBob] } });
    assert.deepEqual([await titles(bob), (await world.sql('select from statuses')).length], [[['Lakes', 'for all']], 1]);
    const { id: second } = await make('Again', [all]);
    await ann.api.deleteHighlight({ input: { highlightId: id } });
    assert.deepEqual([await inside(bob, id), await inside(bob, second)], [null, ['for all']]);
    await ann.api.deleteStatus({ input: { statusId: all } });
    assert.deepEqual([await titles(bob), await world.sql('select from statuses'), await world.sql('select from status_highlights')], [[], [], []], 'a highlight goes with the last that it held');
  });

  it('hold statuses of their owner’s alone, and are changed by nobody else', async () => {
    const mine = await post('mine');
    const theirs = (await bob.api.postStatus({ input: { text: 'theirs', idempotencyKey: world.key() } })).postStatus.status.id;
    const { id: highlightId } = await make('Mine', [mine]);
    const before = await world.sql('select * from status_highlights, status_highlight_items');
    await fails(make('Theirs', [theirs]), 'NOT_FOUND', 'statusIds');
    await fails(make('Empty', []), 'INVALID_INPUT', 'statusIds');
    await fails(make(' ', [mine]), 'INVALID_INPUT', 'title');
    await fails(make('Cover', [mine], { coverStatusId: theirs }), 'INVALID_INPUT', 'coverStatusId');
    for (const person of [bob, carol]) {
      await fails(person.api.updateHighlight({ input: { highlightId, title: 'Ours' } }), 'NOT_FOUND', 'highlightId');
      await fails(person.api.deleteHighlight({ input: { highlightId } }), 'NOT_FOUND', 'highlightId');
    }
    await fails(ann.api.updateHighlight({ input: { highlightId, removeStatusIds: [mine] } }), 'INVALID_INPUT', 'removeStatusIds');
    await fails(ann.api.updateHighlight({ input: { highlightId, addStatusIds: [mine], removeStatusIds: [mine] } }), 'INVALID_INPUT', 'removeStatusIds');
    await fails(ann.api.updateHighlight({ input: { highlightId, addStatusIds: [theirs] } }), 'NOT_FOUND', 'statusIds');
    assert.deepEqual(await world.sql('select * from status_highlights, status_highlight_items'), before);
    await bob.api.deleteStatus({ input: { statusId: theirs } });
  });
});
