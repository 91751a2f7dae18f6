import assert from 'node:assert/strict';
import { digest } from '../testkit/digest.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('blocks', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start();
  });
  beforeEach(async () => {
    const run = world.key().replace('key-', '');
    [ann, bob] = await world.people(`Ann_${run}`, `Bob_${run}`);
  });
  after(() => world.stop());

  const block = (person: Person, other: Person) => person.api.blockUser({ input: { userId: other.id } });
  const unblock = (person: Person, other: Person) => person.api.unblockUser({ input: { userId: other.id } });
  const stateOf = async (person: Person, other: Person) => (await person.api.user({ id: other.id })).user!.viewerState!;

  it('are made once and lifted once; only the blocker is told', async () => {
    const [mine, theirs] = [ann, bob].map((person) => person.client.inboxEvents());
    await mine!.next();
    await theirs!.next();
    assert.equal((await block(ann, bob)).blockUser.user.viewerState?.blockedByViewer, true);
    const before = await digest(world);
    await block(ann, bob);
    assert.deepEqual(await digest(world), before);
    const [blocked] = await take(mine!, 1);
    assert.deepEqual(blocked?.__typename === 'BlockChanged' && [blocked.userId, blocked.blocked], [bob.id, true]);
    assert.deepEqual((await ann.api.blockedUsers()).viewer!.blockedUsers.edges.map((edge) => edge.node.id), [bob.id]);
    assert.deepEqual(await stateOf(bob, ann), { isContact: false, isMutualContact: false, contactName: null, blockedByViewer: false, presence: null });

    await unblock(ann, bob);
    await unblock(ann, bob);
    const [lifted] = await take(mine!, 1);
    assert.deepEqual(lifted?.__typename === 'BlockChanged' && [lifted.userId, lifted.blocked], [bob.id, false]);
    // The next thing that either hears is the chat: nothing else was told.
    const chatId = await world.directChat(ann, bob);
    for (const inbox of [mine!, theirs!]) {
      const [next] = await take(inbox, 1);
      assert.deepEqual(next?.__typename === 'ChatAdded' && next.chatId, chatId);
      inbox.close();
    }
  });

  it('a direct chat can be neither made nor written in, from either side, until the block is lifted', async () => {
    const chatId = await world.directChat(ann, bob);
    await world.say(bob, chatId, 'before');
    await block(ann, bob);
    const before = await digest(world);
    for (const [from, to] of [[ann, bob], [bob, ann]] as const) {
      await fails(world.say(from, chatId, 'across'), 'BLOCKED');
      await fails(world.directChat(from, to), 'BLOCKED', 'memberIds');
    }
    assert.deepEqual(await digest(world), before);
    await unblock(ann, bob);
    assert.equal((await world.say(bob, chatId, 'after')).seq, 2);
    assert.equal(await world.directChat(bob, ann), chatId);
  });

  it('two blocks are two: lifting one leaves the other', async () => {
    const chatId = await world.directChat(ann, bob);
    await Promise.all([block(ann, bob), block(bob, ann)]);
    await unblock(ann, bob);
    await fails(world.say(bob, chatId, 'across'), 'BLOCKED');
    await unblock(bob, ann);
    assert.equal((await world.say(bob, chatId, 'after')).seq, 1);
  });

  it('no send gets past a block that was answered, however they race', async () => {
    const chatId = await world.directChat(ann, bob);
    let answered = false;
    const late: string[] = [];
    const storm = [...Array(40)].map(async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index));
      const begunAfter = answered;
      await world.say(bob, chatId, `send ${index}`).then(() => begunAfter && late.push(`send ${index}`), (error: { code: string }) => assert.equal(error.code, 'BLOCKED'));
    });
    await block(ann, bob);
    answered = true;
    await Promise.all(storm);
    assert.deepEqual(late, []);
  });

  it('a chat and a block made at once leave no chat that can be written in', async () => {
    const [made] = await Promise.allSettled([world.directChat(bob, ann), block(ann, bob)]);
    if (made.status === 'fulfilled') await fails(world.say(bob, made.value, 'across'), 'BLOCKED');
    else assert.equal((made.reason as { code: string }).code, 'BLOCKED');
  });

  it('the blocker loses the contact; the other keeps theirs, not mutual any more', async () => {
    for (const [from, to] of [[ann, bob], [bob, ann]] as const) await from.api.addContact({ input: { userId: to.id } });
    await block(ann, bob);
    assert.deepEqual([(await stateOf(ann, bob)).isContact, (await stateOf(bob, ann)).isContact, (await stateOf(bob, ann)).isMutualContact], [false, true, false]);
    await fails(ann.api.addContact({ input: { userId: bob.id } }), 'BLOCKED', 'userId');
    await bob.api.addContact({ input: { userId: ann.id, name: 'still here' } });
  });

  it('neither brings the other into a group chat; in one that both are in, messages still arrive, marked', async () => {
    const [carol] = await world.people(`Carol_${world.key().replace('key-', '')}`);
    const both = await world.groupChat(carol, [ann, bob]);
    const [hers, his] = [await world.groupChat(ann, []), await world.groupChat(bob, [])];
    await block(ann, bob);
    const before = await digest(world);
    await fails(ann.api.addChatMembers({ input: { chatId: hers, memberIds: [bob.id] } }), 'BLOCKED', 'memberIds');
    await fails(bob.api.addChatMembers({ input: { chatId: his, memberIds: [ann.id] } }), 'BLOCKED', 'memberIds');
    await fails(world.groupChat(bob, [ann]), 'BLOCKED', 'memberIds');
    assert.deepEqual(await digest(world), before);
    const { id } = await world.say(bob, both, 'to everybody');
    const query = 'query($id: ID!) { node(id: $id) { ... on Message { text viewerState { senderBlocked } } } }';
    const seen = async (person: Person) => (await person.client.request(query, { id })) as { node: object };
    assert.deepEqual((await seen(ann)).node, { text: 'to everybody', viewerState: { senderBlocked: true } });
    for (const person of [bob, carol]) assert.deepEqual((await seen(person)).node, { text: 'to everybody', viewerState: { senderBlocked: false } });
  });

  it('neither finds the other by search', async () => {
    const finds = async (person: Person, other: Person) => (await person.api.searchUsers({ query: other.handle })).searchUsers.edges.map((edge) => edge.node.id);
    assert.deepEqual(await finds(bob, ann), [ann.id]);
    await block(ann, bob);
    assert.deepEqual([await finds(bob, ann), await finds(ann, bob)], [[], []]);
    await unblock(ann, bob);
    assert.deepEqual([await finds(bob, ann), await finds(ann, bob)], [[ann.id], [bob.id]]);
  });

  it('the list of the blocked goes from the newest, page by page', async () => {
    const run = world.key().replace('key-', '');
    const others = await world.people(`B0_${run}`, `B1_${run}`, `B2_${run}`);
    for (const other of others) {
      await block(ann, other);
      world.clock.advance(10);
    }
    const { blockedUsers } = (await ann.api.blockedUsers({ first: 2 })).viewer!;
    assert.deepEqual(blockedUsers.edges.map((edge) => edge.node.id), [others[2].id, others[1].id]);
    const rest = (await ann.api.blockedUsers({ first: 2, after: blockedUsers.pageInfo.endCursor })).viewer!.blockedUsers;
    assert.deepEqual([rest.edges.map((edge) => edge.node.id), rest.pageInfo.hasNextPage], [[others[0].id], false]);
  });

  it('nobody blocks themself, or nobody', async () => {
    const before = await digest(world);
    await fails(block(ann, ann), 'INVALID_INPUT', 'userId');
    for (const call of [ann.api.blockUser, ann.api.unblockUser]) await fails(call({ input: { userId: `usr_${'0'.repeat(32)}` } }), 'NOT_FOUND', 'userId');
    assert.deepEqual(await digest(world), before);
  });
});
