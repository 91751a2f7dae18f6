import assert from 'node:assert/strict';
import type { PostStatusMutationVariables } from '../../sdk/index.js';
import { befriend, feedOf, type Shown } from '../testkit/statuses.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

type Input = PostStatusMutationVariables['input'];
const HOUR = 3_600_000;

describe('statuses', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  /** Has Ann among his contacts; she has not him. */
  let fan: Person;
  before(async () => {
    world = await World.start({ nodes: 2 });
    [ann, bob, carol, fan] = await world.people('Ann', 'Bob', 'Carol', 'Fan');
    await befriend(ann, bob);
    await befriend(ann, carol);
    await fan.api.addContact({ input: { userId: ann.id } });
  });
  after(() => world.stop());
  afterEach(async () => {
    for (const person of [ann, bob, carol]) {
      for (const { node } of (await person.api.ownStatuses({ first: 100 })).viewer!.ownStatuses.edges) await person.api.deleteStatus({ input: { statusId: node.id } });
    }
    await told();
  });

  const post = async (person: Person, text: string, more: Partial<Input> = {}) => (await person.api.postStatus({ input: { text, idempotencyKey: world.key(), ...more } })).postStatus.status;
  const only = (...people: Person[]): Partial<Input> => ({ audience: { kind: 'ONLY', userIds: people.map(({ id }) => id) } });
  const texts = (groups: Shown[]) => groups.flatMap(({ statuses }) => statuses.map(({ text }) => text));
  /** Whoever was to be told has been. */
  const told = () => eventually(async () => !(await world.sql('select from status_tellings')).length && !(await world.sql('select from statuses where removed_at is not null')).length, 'all are told');
  /** The same person, signed in anew: a day is longer than an access token holds. */
  const again = async (person: Person): Promise<Person> => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
    const client = world.client(signIn.accessToken);
    return { ...person, client, api: client.api, accessToken: signIn.accessToken };
  };
  const insights = async (id: string) => (await ann.api.statusInsights({ id, first: 100, firstListed: 100 })).status!.insights!;

  it('is there for mutual contacts at once, live and by the feed, and for nobody else', async () => {
    const [inbox, own, strange] = [bob.client.inboxEvents(), ann.client.inboxEvents(), fan.client.inboxEvents()];
    await Promise.all([inbox, own, strange].map((stream) => take(stream, 1, [])));
    const status = await post(ann, 'Off to the lake', { backgroundColor: '#00AAFF', font: 'SERIF' });
    assert.deepEqual([status.kind, status.text, status.backgroundColor, status.font, status.author.id], ['TEXT', 'Off to the lake', '#00aaff', 'SERIF', ann.id]);
    assert.equal(Date.parse(status.expiresAt) - Date.parse(status.createdAt), 24 * HOUR);
    for (const stream of [inbox, own]) {
      const [event] = await take(stream, 1);
      assert.ok(event?.__typename === 'StatusPosted' && event.statusId === status.id && event.userId === ann.id && event.status?.text === 'Off to the lake', JSON.stringify(event));
    }
    const [group, ...others] = await feedOf(bob);
    assert.deepEqual(others, []);
    assert.deepEqual([group!.user.id, group!.total, group!.unseen, group!.latestAt, group!.muted], [ann.id, 1, 1, status.createdAt, false]);
    assert.deepEqual([group!.statuses[0]!.id, group!.statuses[0]!.viewerState], [status.id, { viewedAt: null, reaction: null }]);
    assert.deepEqual(await feedOf(fan), []);
    assert.deepEqual(await feedOf(ann), []);
    assert.equal((await fan.api.status({ id: status.id })).status, null);
    await fails(fan.api.viewStatus({ input: { statusId: status.id } }), 'NOT_FOUND', 'statusId');
    const [mine] = (await ann.api.ownStatuses()).viewer!.ownStatuses.edges;
    assert.deepEqual([mine!.node.id, mine!.node.insights], [status.id, { audience: 'CONTACTS', viewCount: 0, reactionCount: 0, reactions: [] }]);
    // The stranger has heard of none of it: the next thing that they hear of is their own.
    await post(fan, 'Nobody reads this');
    const [first] = await take(strange, 1);
    assert.ok(first?.__typename === 'StatusPosted' && first.userId === fan.id);
    assert.deepEqual(texts(await feedOf(ann)), []);
    for (const stream of [inbox, own, strange]) stream.close();
  });

  it('a repeat under a key posts once; another text under it is an error', async () => {
    const input = { text: 'Once', idempotencyKey: world.key() };
    const made = await Promise.all([...Array(8)].map(() => ann.api.postStatus({ input })));
    assert.equal(new Set(made.map(({ postStatus }) => postStatus.status.id)).size, 1);
    await fails(ann.api.postStatus({ input: { ...input, text: 'Twice' } }), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    assert.deepEqual(texts(await feedOf(bob)), ['Once']);
  });

  it('all but some, and some alone; what a list names is told to the author alone', async () => {
    const some = await post(ann, 'Not for Carol', { audience: { kind: 'EXCEPT', userIds: [carol.id, ann.id] } });
    const few = await post(ann, 'For Carol alone', only(carol, fan));
    assert.deepEqual([texts(await feedOf(bob)), texts(await feedOf(carol)), texts(await feedOf(fan))], [['Not for Carol'], ['For Carol alone'], []]);
    const listed = async (id: string) => (await insights(id)).listed.edges.map(({ node }) => node.id).sort();
    assert.deepEqual([await listed(some.id), await listed(few.id)], [[carol.id], [carol.id, fan.id].sort()]);
    assert.equal((await carol.api.statusInsights({ id: few.id })).status!.insights, null);
    const before = await world.sql('select from statuses');
    await fails(post(ann, 'x', { audience: { kind: 'ONLY', userIds: [] } }), 'INVALID_INPUT', 'audience.userIds');
    await fails(post(ann, 'x', { audience: { kind: 'ONLY', userIds: [ann.id] } }), 'INVALID_INPUT', 'audience.userIds');
    await fails(post(ann, 'x', { audience: { kind: 'CONTACTS', userIds: [bob.id] } }), 'INVALID_INPUT', 'audience.userIds');
    await fails(post(ann, 'x', { audience: { kind: 'EXCEPT', userIds: [`usr_${'0'.repeat(32)}`] } }), 'NOT_FOUND', 'audience.userIds');
    await fails(post(ann, 'x', { audience: { kind: 'EXCEPT', userIds: [...Array(1_001)].map((_, n) => `usr_${String(n).padStart(32, '0')}`) } }), 'INVALID_INPUT', 'audience.userIds');
    await fails(post(ann, 'x', { backgroundColor: 'red' }), 'INVALID_INPUT', 'backgroundColor');
    await fails(post(ann, 'x'.repeat(2_049)), 'INVALID_INPUT', 'text');
    assert.equal((await world.sql('select from statuses')).length, before.length);
  });

  it('the audience is decided when it is posted, and asked again when it is read', async () => {
    const [dora, eve] = await world.people('Dora', 'Eve');
    await befriend(ann, dora);
    const early = await post(ann, 'Before Eve');
    await befriend(ann, eve);
    assert.deepEqual([texts(await feedOf(dora)), texts(await feedOf(eve))], [['Before Eve'], []], 'whoever becomes a contact later was not meant');
    const inbox = dora.client.inboxEvents();
    await take(inbox, 1, []);
    await ann.api.removeContact({ input: { userId: dora.id } });
    const [removed] = await take(inbox, 1);
    assert.ok(removed?.__typename === 'ContactChanged' && removed.contact?.mutual === false, 'by this a client knows that what they show is gone');
    assert.deepEqual(await feedOf(dora), []);
    await fails(dora.api.viewStatus({ input: { statusId: early.id } }), 'NOT_FOUND', 'statusId');
    await ann.api.addContact({ input: { userId: dora.id } });
    assert.deepEqual(await feedOf(dora), [], 'nothing from before comes back');
    const late = await post(ann, 'For all three');
    assert.deepEqual([texts(await feedOf(dora)), texts(await feedOf(eve))], [['For all three'], ['For all three']]);
    // A block, by either of the two.
    await ann.api.blockUser({ input: { userId: eve.id } });
    await dora.api.blockUser({ input: { userId: ann.id } });
    for (const person of [dora, eve]) {
      assert.deepEqual(await feedOf(person), []);
      await fails(person.api.viewStatus({ input: { statusId: late.id } }), 'NOT_FOUND', 'statusId');
      await fails(person.api.reactToStatus({ input: { statusId: late.id, emoji: '👍' } }), 'NOT_FOUND', 'statusId');
      await fails(person.api.replyToStatus({ input: { statusId: late.id, text: 'hello?', idempotencyKey: world.key() } }), 'NOT_FOUND', 'statusId');
    }
    assert.equal((await insights(late.id)).viewCount, 0);
    inbox.close();
  });

  it('the author hears, as it is now, of who has seen it and who has reacted; the viewer’s devices of their marks', async () => {
    const [theirs, own] = [ann.client.inboxEvents(), bob.client.inboxEvents()];
    await Promise.all([theirs, own].map((stream) => take(stream, 1, [])));
    const status = await post(ann, 'Look at this');
    const statusId = status.id;
    await take(theirs, 1);
    await take(own, 1);
    const seen = (await bob.api.viewStatus({ input: { statusId } })).viewStatus.status;
    assert.ok(seen.viewerState!.viewedAt);
    await bob.api.viewStatus({ input: { statusId } });
    await ann.api.viewStatus({ input: { statusId } });
    await carol.api.reactToStatus({ input: { statusId, emoji: '👏' } });
    const [marks] = await take(own, 1);
    assert.ok(marks?.__typename === 'StatusMarksChanged' && marks.viewedAt === seen.viewerState!.viewedAt && marks.reaction === null);
    let last = (await take(theirs, 1))[0];
    while (last?.__typename === 'StatusViewed' && last.insights!.viewCount < 2) [last] = await take(theirs, 1);
    assert.ok(last?.__typename === 'StatusViewed' && last.statusId === statusId);
    assert.deepEqual([last.insights!.viewCount, last.insights!.reactionCount, last.insights!.reactions], [2, 1, [{ emoji: '👏', count: 1 }]]);
    assert.deepEqual(last.insights!.viewers.edges.map(({ node }) => [node.user.id, node.reaction]), [[carol.id, '👏'], [bob.id, null]]);
    assert.deepEqual((await feedOf(bob)).map(({ unseen, total }) => [unseen, total]), [[0, 1]]);
    // One reaction a person, which can be changed and taken back.
    await carol.api.reactToStatus({ input: { statusId, emoji: '❤️' } });
    await bob.api.reactToStatus({ input: { statusId, emoji: '❤️' } });
    assert.deepEqual((await insights(statusId)).reactions, [{ emoji: '❤️', count: 2 }]);
    await bob.api.reactToStatus({ input: { statusId, emoji: null } });
    const after = await insights(statusId);
    assert.deepEqual([after.viewCount, after.reactionCount, after.reactions], [2, 1, [{ emoji: '❤️', count: 1 }]]);
    await fails(ann.api.reactToStatus({ input: { statusId, emoji: '👍' } }), 'FORBIDDEN');
    await fails(bob.api.reactToStatus({ input: { statusId, emoji: 'nice' } }), 'INVALID_INPUT', 'emoji');
    // Page by page, the newest first.
    const first = (await ann.api.statusInsights({ id: statusId, first: 1 })).status!.insights!.viewers;
    const second = (await ann.api.statusInsights({ id: statusId, first: 1, after: first.pageInfo.endCursor! })).status!.insights!.viewers;
    assert.deepEqual([first, second].map((page) => page.edges.map(({ node }) => node.user.id)), [[carol.id], [bob.id]]);
    assert.deepEqual([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage], [true, false]);
    for (const stream of [theirs, own]) stream.close();
  });

  it('many who look at once are counted exactly', async () => {
    const crowd = await Promise.all([...Array(6)].map((_, n) => world.person(`Crowd${n}`, n % 2)));
    await Promise.all(crowd.map((person) => befriend(ann, person)));
    const { id: statusId } = await post(ann, 'A crowd');
    await Promise.all(crowd.flatMap((person) => [person.api.viewStatus({ input: { statusId } }), person.api.reactToStatus({ input: { statusId, emoji: '🎉' } }), person.api.viewStatus({ input: { statusId } })]));
    const { viewCount, reactionCount, reactions, viewers } = await insights(statusId);
    assert.deepEqual([viewCount, reactionCount, reactions, viewers.edges.length], [6, 6, [{ emoji: '🎉', count: 6 }], 6]);
    await Promise.all(crowd.map((person) => ann.api.removeContact({ input: { userId: person.id } })));
  });

  it('an answer is a message in the direct chat, which is made for it; the card shows the status as long as it is there', async () => {
    const { id: statusId } = await post(bob, 'Who wants tickets?');
    const inbox = bob.client.inboxEvents();
    await take(inbox, 1, []);
    const input = { statusId, text: 'Me!', idempotencyKey: world.key() };
    const sent = await Promise.all([1, 2, 3].map(() => ann.api.replyToStatus({ input })));
    const { message } = sent[0]!.replyToStatus;
    assert.deepEqual(new Set(sent.map(({ replyToStatus }) => replyToStatus.message.id)), new Set([message.id]));
    assert.ok(message.card?.__typename === 'StatusCard' && message.card.statusId === statusId && message.card.author.id === bob.id);
    assert.deepEqual([message.text, message.kind, message.chat.id], ['Me!', 'TEXT', await world.directChat(bob, ann)]);
    const [added, arrived] = await take(inbox, 3).then((events) => [events.find((event) => event.__typename === 'ChatAdded'), events.find((event) => event.__typename === 'MessageSent')]);
    assert.ok(added && arrived?.__typename === 'MessageSent' && arrived.messageId === message.id && arrived.message?.card?.__typename === 'StatusCard');
    const carded = async (person: Person) =>
      (await person.client.request<{ node: { card: { status: { text: string } | null } } }, { id: string }>(`query($id: ID!) { node(id: $id) { ... on Message { card { ... on StatusCard { status { text } } } } } }`, { id: message.id })).node.card.status;
    assert.deepEqual([await carded(ann), await carded(bob)], [{ text: 'Who wants tickets?' }, { text: 'Who wants tickets?' }]);
    await bob.api.deleteStatus({ input: { statusId } });
    assert.deepEqual([await carded(ann), await carded(bob)], [null, null]);
    assert.equal((await ann.api.replyToStatus({ input })).replyToStatus.message.id, message.id, 'a late repeat still answers the message');
    await fails(ann.api.replyToStatus({ input: { ...input, idempotencyKey: world.key() } }), 'NOT_FOUND', 'statusId');
    const mine = await post(ann, 'Mine');
    await fails(ann.api.replyToStatus({ input: { ...input, statusId: mine.id, idempotencyKey: world.key() } }), 'FORBIDDEN');
    inbox.close();
  });

  it('is taken back by its author alone: gone at once, with who has seen it', async () => {
    const { id: statusId } = await post(ann, 'A slip of the tongue');
    await bob.api.viewStatus({ input: { statusId } });
    await fails(bob.api.deleteStatus({ input: { statusId } }), 'FORBIDDEN');
    await fails(fan.api.deleteStatus({ input: { statusId } }), 'NOT_FOUND', 'statusId');
    const inbox = carol.client.inboxEvents();
    await take(inbox, 1, []);
    await ann.api.deleteStatus({ input: { statusId } });
    const [event] = await take(inbox, 1);
    assert.ok(event?.__typename === 'StatusDeleted' && event.statusId === statusId && event.userId === ann.id && !event.expired);
    assert.deepEqual([await feedOf(bob), (await bob.api.status({ id: statusId })).status], [[], null]);
    await fails(ann.api.deleteStatus({ input: { statusId } }), 'NOT_FOUND', 'statusId');
    await told();
    assert.deepEqual(await world.sql('select from statuses where text = $1', ['A slip of the tongue']), []);
    inbox.close();
  });

  it('those with something unseen come first, and of these whoever posted last; the muted stand apart', async () => {
    for (const person of [carol, fan]) await befriend(bob, person);
    const first = await post(ann, 'one');
    await post(carol, 'two');
    await post(fan, 'three');
    const order = async (muted = false) => (await feedOf(bob, muted)).map(({ user, unseen, total }) => [user.handle, unseen, total]);
    assert.deepEqual(await order(), [['fan', 1, 1], ['carol', 1, 1], ['ann', 1, 1]]);
    await post(ann, 'four');
    await bob.api.viewStatus({ input: { statusId: first.id } });
    const [newest] = (await feedOf(bob)).find(({ user }) => user.id === fan.id)!.statuses;
    await bob.api.viewStatus({ input: { statusId: newest!.id } });
    assert.deepEqual(await order(), [['ann', 1, 2], ['carol', 1, 1], ['fan', 0, 1]]);
    const page = (await bob.api.statuses({ first: 2, firstOfEach: 1 })).viewer!.statuses;
    const rest = (await bob.api.statuses({ first: 2, after: page.pageInfo.endCursor! })).viewer!.statuses;
    assert.deepEqual([page, rest].map(({ edges }) => edges.map(({ node }) => node.user.handle)), [['ann', 'carol'], ['fan']]);
    assert.deepEqual([page.edges[0]!.node.statuses.edges.map(({ node }) => node.text), page.edges[0]!.node.statuses.pageInfo.hasNextPage], [['one'], true]);
    const inbox = bob.client.inboxEvents();
    await take(inbox, 1, []);
    for (const again of [1, 2]) assert.ok(await bob.api.muteStatuses({ input: { userId: carol.id } }), `${again}`);
    const [event] = await take(inbox, 1);
    assert.ok(event?.__typename === 'StatusMuteChanged' && event.userId === carol.id && event.muted);
    assert.deepEqual([await order(), await order(true)], [[['ann', 1, 2], ['fan', 0, 1]], [['carol', 1, 1]]]);
    const state = (await bob.api.userStatuses({ userId: carol.id })).user!.viewerState!;
    assert.deepEqual([state.statusesMuted, state.statuses?.muted, state.statuses?.statuses.edges.map(({ node }) => node.text)], [true, true, ['two']]);
    assert.deepEqual((await bob.api.statusMutes()).viewer!.statusMutes.edges.map(({ node }) => node.id), [carol.id]);
    await bob.api.unmuteStatuses({ input: { userId: carol.id } });
    const [heard] = await take(inbox, 1);
    assert.ok(heard?.__typename === 'StatusMuteChanged' && !heard.muted, 'the repeat told nobody');
    assert.deepEqual(await order(true), []);
    await fails(bob.api.muteStatuses({ input: { userId: bob.id } }), 'INVALID_INPUT', 'userId');
    for (const { node } of (await fan.api.ownStatuses()).viewer!.ownStatuses.edges) await fan.api.deleteStatus({ input: { statusId: node.id } });
    inbox.close();
  });

  it('nobody sees it from the moment on that its day is over, and a moment later it is erased and everybody is told', async () => {
    const { id: statusId } = await post(ann, 'Until tomorrow');
    await bob.api.reactToStatus({ input: { statusId, emoji: '⏳' } });
    await told();
    world.clock.advance(24 * HOUR - 60_000);
    [ann, bob, carol] = [await again(ann), await again(bob), await again(carol)];
    const [inbox, own] = [bob.client.inboxEvents(), ann.client.inboxEvents()];
    await Promise.all([inbox, own].map((stream) => take(stream, 1, [])));
    assert.deepEqual(texts(await feedOf(bob)), ['Until tomorrow']);
    world.clock.advance(60_000);
    assert.deepEqual([await feedOf(bob), (await bob.api.status({ id: statusId })).status, (await ann.api.ownStatuses()).viewer!.ownStatuses.edges], [[], null, []]);
    await fails(bob.api.viewStatus({ input: { statusId } }), 'NOT_FOUND', 'statusId');
    for (const stream of [inbox, own]) {
      let [event] = await take(stream, 1);
      while (event?.__typename === 'StatusViewed') [event] = await take(stream, 1);
      assert.ok(event?.__typename === 'StatusDeleted' && event.statusId === statusId && event.expired, JSON.stringify(event));
    }
    await told();
    assert.deepEqual(await world.sql('select from statuses'), []);
    assert.deepEqual(await world.sql('select from status_views'), []);
    for (const stream of [inbox, own]) stream.close();
  });

  it('a hundred a day, and not one more', async () => {
    let busy = await world.person('Busy');
    const keys = [...Array(101)].map(() => world.key());
    const made = await Promise.allSettled(keys.map((idempotencyKey) => busy.api.postStatus({ input: { text: 'again', idempotencyKey } })));
    const refused = made.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 1);
    await fails(Promise.reject(refused[0]!.reason as Error), 'RATE_LIMITED');
    const index = made.findIndex((result) => result.status === 'fulfilled');
    assert.ok(await busy.api.postStatus({ input: { text: 'again', idempotencyKey: keys[index]! } }), 'a repeat counts no more');
    assert.equal((await busy.api.ownStatuses({ first: 100 })).viewer!.ownStatuses.edges.length, 100);
    world.clock.advance(24 * HOUR + 1);
    [ann, bob, carol, busy] = await Promise.all([ann, bob, carol, busy].map(again)) as [Person, Person, Person, Person];
    await busy.api.postStatus({ input: { text: 'a new day', idempotencyKey: world.key() } });
  });
});
