import assert from 'node:assert/strict';
import { fails, take, World, type Person } from '../testkit/world.js';
import type { CreateGroupInput, UpdateGroupInput } from '../../sdk/index.js';

describe('groups', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  let dee: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, cem, dee] = await world.people('Ann', 'Bob', 'Cem', 'Dee');
  });
  after(() => world.stop());

  const create = async (person: Person, input: Partial<CreateGroupInput> = {}) => {
    const { createGroup } = await person.api.createGroup({ input: { name: 'Climbers', visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: world.key(), ...input } });
    return { groupId: createGroup.group.id, general: createGroup.group.chats!.edges[0]!.node.id };
  };
  const join = async (person: Person, groupId: string) => (await person.api.joinGroup({ input: { groupId } })).joinGroup.group.viewerState;
  const see = async (person: Person, groupId: string) => (await person.api.group({ id: groupId })).group;
  const members = async (person: Person, groupId: string) => Object.fromEntries((await see(person, groupId))!.members!.edges.map(({ node }) => [node.user.handle, node.role]));
  const inChat = async (person: Person, chatId: string) => (await person.api.chatLine({ id: chatId })).chat?.viewerState?.role ?? null;
  const key = (groupId: string, person: Person) => ({ groupId, userId: person.id });

  describe('making and changing', () => {
    it('a group begins with its maker as owner and a first chat', async () => {
      const { createGroup } = await ann.api.createGroup({
        input: { name: ' Climbers ', description: 'Up\nand down', rules: 'Be kind.', topics: ['#Rock  Climbing', 'rock climbing', 'ALPS'], visibility: 'PUBLIC', joinPolicy: 'OPEN', avatarUrl: 'https://example.com/a.png', idempotencyKey: 'once' },
      });
      const { group } = createGroup;
      assert.deepEqual([group.name, group.description, group.rules, group.topics, group.memberCount, group.origin, group.avatar!.url], ['Climbers', 'Up\nand down', 'Be kind.', ['rock climbing', 'alps'], 1, 'PEOPLE', 'https://example.com/a.png']);
      assert.deepEqual(group.viewerState, { role: 'OWNER', state: 'MEMBER' });
      assert.deepEqual(group.chats!.edges.map(({ node }) => [node.title, node.memberCount]), [['General', 1]]);
      assert.equal(await inChat(ann, group.chats!.edges[0]!.node.id), 'OWNER');
      const { node } = await ann.client.request<{ node: { __typename: string; name: string } }, { id: string }>('query ($id: ID!) { node(id: $id) { __typename ... on Group { name } } }', { id: group.id });
      assert.deepEqual(node, { __typename: 'Group', name: 'Climbers' });
    });

    it('retries of the making make one', async () => {
      const idempotencyKey = world.key();
      const made = await Promise.all([...Array(10)].map(() => create(bob, { idempotencyKey })));
      assert.equal(new Set(made.map(({ groupId }) => groupId)).size, 1);
      const { viewer } = await bob.api.viewerGroups({});
      assert.equal(viewer!.groups.edges.length, 1);
    });

    it('those who run it change it; what was left out stays; members are told', async () => {
      const { groupId } = await create(ann, { description: 'old', topics: ['alps'] });
      await join(bob, groupId);
      const inbox = bob.client.inboxEvents([(await bob.api.viewer()).viewer!.eventCursor]);
      const update = async (person: Person, input: Omit<UpdateGroupInput, 'groupId'>) => (await person.api.updateGroup({ input: { groupId, ...input } })).updateGroup.group;
      const changed = await update(ann, { name: 'Alpinists', topics: [] });
      assert.deepEqual([changed.name, changed.description, changed.topics], ['Alpinists', 'old', []]);
      await update(ann, { name: 'Alpinists' }); // nothing new: tells nobody
      assert.equal((await update(ann, { description: null })).description, null);
      const told = await take(inbox, 2);
      assert.deepEqual(told.map((event) => event.__typename), ['GroupChanged', 'GroupChanged']);
      assert.ok(told[1]!.__typename === 'GroupChanged' && told[1].group!.name === 'Alpinists');
      await fails(update(bob, { name: 'x' }), 'FORBIDDEN');
      await fails(update(ann, { name: '' }), 'INVALID_INPUT', 'name');
      await fails(update(ann, { topics: [...Array(11)].map((_, index) => `t${index}`) }), 'INVALID_INPUT', 'topics');
      await fails(update(ann, { topics: ['#'] }), 'INVALID_INPUT', 'topics');
      assert.equal((await see(ann, groupId))!.name, 'Alpinists');
      inbox.close();
    });
  });

  describe('joining', () => {
    it('an open one at once: with its first chat, once, whatever the retries', async () => {
      const { groupId, general } = await create(ann);
      const states = await Promise.all([...Array(5)].map(() => join(bob, groupId)));
      assert.deepEqual(states, Array(5).fill({ role: 'MEMBER', state: 'MEMBER' }));
      assert.equal(await inChat(bob, general), 'MEMBER');
      assert.deepEqual(await members(ann, groupId), { ann: 'OWNER', bob: 'MEMBER' });
      const group = (await see(ann, groupId))!;
      assert.deepEqual([group.memberCount, group.chats!.edges[0]!.node.memberCount], [2, 2]);
      assert.deepEqual((await bob.api.viewerGroups({ first: 1 })).viewer!.groups.edges.map(({ node }) => node.id), [groupId]);
    });

    it('by asking: those who run it are told, and decide', async () => {
      const { groupId, general } = await create(ann, { joinPolicy: 'REQUEST', visibility: 'PRIVATE' });
      const admin = ann.client.inboxEvents([(await ann.api.viewer()).viewer!.eventCursor]);
      assert.deepEqual(await join(bob, groupId), { role: null, state: 'REQUESTED' });
      await join(bob, groupId);
      await join(cem, groupId);
      assert.deepEqual((await take(admin, 2)).map((event) => event.__typename), ['GroupChanged', 'GroupChanged']);
      assert.equal(await inChat(bob, general), null);
      const waiting = (await ann.api.groupWaiting({ id: groupId })).group!.requests!.edges.map(({ node }) => [node.user.handle, node.state]);
      assert.deepEqual(waiting, [['bob', 'REQUESTED'], ['cem', 'REQUESTED']]);
      assert.equal((await bob.api.groupWaiting({ id: groupId })).group!.requests, null);
      const asker = bob.client.inboxEvents([(await bob.api.viewer()).viewer!.eventCursor]);
      await fails(bob.api.decideGroupRequest({ input: { ...key(groupId, bob), accept: true } }), 'FORBIDDEN');
      const decide = (person: Person, accept: boolean) => ann.api.decideGroupRequest({ input: { ...key(groupId, person), accept } });
      await Promise.all([decide(bob, true), decide(bob, true), decide(cem, false), decide(cem, false)]);
      assert.deepEqual(await members(ann, groupId), { ann: 'OWNER', bob: 'MEMBER' });
      assert.equal(await inChat(bob, general), 'MEMBER');
      assert.equal((await see(cem, groupId))!.viewerState, null);
      await fails(decide(dee, true), 'NOT_FOUND', 'userId');
      const heard = (await take(asker, 4)).map((event) => event.__typename);
      assert.deepEqual(heard.sort(), ['ChatAdded', 'GroupChanged', 'MemberJoined', 'MessageSent']);
      admin.close();
      asker.close();
    });

    it('a request can be taken back', async () => {
      const { groupId } = await create(ann, { joinPolicy: 'REQUEST' });
      await join(bob, groupId);
      await bob.api.leaveGroup({ input: { groupId } });
      assert.equal((await see(bob, groupId))!.viewerState, null);
      assert.deepEqual((await ann.api.groupWaiting({ id: groupId })).group!.requests!.edges, []);
      await fails(bob.api.leaveGroup({ input: { groupId } }), 'NOT_FOUND', 'groupId');
      assert.equal((await see(ann, groupId))!.memberCount, 1);
    });

    it('by invitation alone: those who run it bring people in, and so does an invite link to a chat of it', async () => {
      const { groupId, general } = await create(ann, { joinPolicy: 'INVITE', visibility: 'SECRET' });
      await fails(join(bob, groupId), 'NOT_FOUND');
      assert.equal((await ann.api.addGroupMembers({ input: { groupId, userIds: [bob.id, ann.id] } })).addGroupMembers.group.memberCount, 2);
      await fails(bob.api.addGroupMembers({ input: { groupId, userIds: [cem.id] } }), 'FORBIDDEN');
      const { createInviteLink } = await ann.api.createInviteLink({ input: { chatId: general, idempotencyKey: world.key() } });
      await cem.api.joinChat({ input: { token: createInviteLink.token } });
      assert.deepEqual(await members(cem, groupId), { ann: 'OWNER', bob: 'MEMBER', cem: 'MEMBER' });
      const { added } = (await ann.api.addChatMembers({ input: { chatId: general, memberIds: [bob.id, dee.id] } })).addChatMembers;
      assert.deepEqual(added.map(({ user }) => user.handle), ['dee']);
      assert.equal((await see(dee, groupId))!.memberCount, 4);
      const open = await create(ann, { joinPolicy: 'INVITE', visibility: 'PUBLIC' });
      await fails(join(bob, open.groupId), 'FORBIDDEN');
    });

    it('and leaving at once, by many: counts stay true', async () => {
      const { groupId, general } = await create(ann);
      const people = [bob, cem, dee];
      await Promise.allSettled([...Array(4)].flatMap(() => people.flatMap((person) => [join(person, groupId), person.api.leaveGroup({ input: { groupId } })])));
      await Promise.all(people.map((person) => join(person, groupId)));
      const group = (await see(ann, groupId))!;
      assert.deepEqual([group.memberCount, group.members!.edges.length, group.chats!.edges[0]!.node.memberCount], [4, 4, 4]);
      assert.deepEqual(await Promise.all(people.map((person) => inChat(person, general))), ['MEMBER', 'MEMBER', 'MEMBER']);
    });
  });

  describe('sight', () => {
    it('a public one shows its inside, a private one its name, a secret one nothing', async () => {
      const open = await create(ann, { name: 'Open house' });
      const shut = await create(ann, { name: 'Private house', visibility: 'PRIVATE' });
      const secret = await create(ann, { name: 'Secret house', visibility: 'SECRET' });
      const shown = (await see(bob, open.groupId))!;
      assert.deepEqual([shown.members!.edges.length, shown.chats!.edges.length, shown.viewerState], [1, 1, null]);
      const closed = (await see(bob, shut.groupId))!;
      assert.deepEqual([closed.name, closed.memberCount, closed.members, closed.chats], ['Private house', 1, null, null]);
      assert.equal(await see(bob, secret.groupId), null);
      await fails(bob.api.updateGroup({ input: { groupId: secret.groupId, name: 'x' } }), 'NOT_FOUND');
      await fails(bob.api.leaveGroup({ input: { groupId: secret.groupId } }), 'NOT_FOUND');
      await fails(join(bob, secret.groupId), 'NOT_FOUND');
      assert.equal((await bob.api.chat({ id: shut.general })).chat, null);
      const peek = (await bob.api.chatMessages({ id: open.general, last: 5 })).chat!;
      assert.deepEqual([peek.title, peek.messages.edges], ['General', []]);
      assert.deepEqual((await bob.api.chatMembers({ id: open.general })).chat!.members.edges, []);
      await fails(world.say(bob, open.general, 'hi'), 'NOT_FOUND');
      await fails(bob.api.joinChat({ input: { chatId: open.general } }), 'NOT_FOUND');
      assert.deepEqual((await bob.api.searchGroups({ query: 'house' })).searchGroups.edges.map(({ node }) => node.name).sort(), ['Open house', 'Private house']);
    });

    it('search finds by name, description, near spelling and topic; the nearest first, page by page', async () => {
      const larger = await create(ann, { name: 'Gardeners of the north', topics: ['Plants'] });
      await create(ann, { name: 'Gardeners', topics: ['plants', 'soil'] });
      await create(ann, { name: 'Balcony', description: 'for gardeners without a garden', topics: ['soil'] });
      await create(ann, { name: 'Gardeners in secret', visibility: 'SECRET', topics: ['plants'] });
      await join(bob, larger.groupId);
      const search = async (query: string | null, topic: string | null = null) => (await cem.api.searchGroups({ query, topic })).searchGroups.edges.map(({ node }) => node.name);
      assert.deepEqual(await search('gardeners'), ['Gardeners', 'Gardeners of the north', 'Balcony']);
      assert.deepEqual((await search('gardenrs')).sort(), ['Balcony', 'Gardeners', 'Gardeners of the north']);
      assert.deepEqual(await search(null, '#Plants'), ['Gardeners of the north', 'Gardeners']);
      assert.deepEqual(await search('gardeners', 'soil'), ['Gardeners', 'Balcony']);
      assert.deepEqual(await search('100%_'), []);
      const found: string[] = [];
      let after: string | null = null;
      do {
        const { searchGroups } = await cem.api.searchGroups({ query: 'gardeners', first: 1, after });
        found.push(...searchGroups.edges.map(({ node }) => node.name));
        after = searchGroups.pageInfo.hasNextPage ? searchGroups.pageInfo.endCursor! : null;
      } while (after);
      assert.deepEqual(found, ['Gardeners', 'Gardeners of the north', 'Balcony']);
      await fails(search(null), 'INVALID_INPUT', 'query');
      await fails(search(''), 'INVALID_INPUT', 'query');
    });
  });

  describe('chats of a group', () => {
    it('are made by those who run it, joined by members, left with the group', async () => {
      const { groupId, general } = await create(ann, { visibility: 'PRIVATE' });
      await join(bob, groupId);
      await join(cem, groupId);
      const open = (person: Person, memberIds: string[] = []) => person.api.createChat({ input: { kind: 'GROUP', memberIds, title: 'Trips', groupId, idempotencyKey: world.key() } });
      await fails(open(bob), 'FORBIDDEN');
      await fails(open(dee), 'FORBIDDEN');
      await fails(open(ann, [dee.id]), 'NOT_FOUND', 'memberIds');
      const trips = (await open(ann, [cem.id])).createChat.chat.id;
      assert.equal((await bob.api.chat({ id: trips })).chat!.title, 'Trips');
      assert.equal(await inChat(bob, trips), null);
      assert.equal((await bob.api.joinChat({ input: { chatId: trips } })).joinChat.chat.viewerState!.role, 'MEMBER');
      await fails(dee.api.joinChat({ input: { chatId: trips } }), 'NOT_FOUND');
      assert.deepEqual((await bob.api.viewerChats({ filter: { groupId } })).viewer!.chats.edges.map(({ node }) => node.title), ['Trips', 'General']);
      const inbox = bob.client.inboxEvents();
      await take(inbox, 1, []);
      await bob.api.leaveGroup({ input: { groupId } });
      assert.deepEqual([await inChat(bob, general), await inChat(bob, trips)], [null, null]);
      assert.equal((await bob.api.chat({ id: trips })).chat, null);
      assert.deepEqual((await take(inbox, 5)).map((event) => event.__typename).sort(), ['ChatRemoved', 'ChatRemoved', 'GroupChanged', 'MemberLeft', 'MemberLeft']);
      assert.deepEqual(await members(ann, groupId), { ann: 'OWNER', cem: 'MEMBER' });
      inbox.close();
    });

    it('one that all have left is owned by the first who comes back, also where somebody else stays banned from it', async () => {
      const { groupId, general } = await create(ann);
      await ann.api.banFromChat({ input: { chatId: general, userId: bob.id, seconds: null, reason: 'noise' } });
      await ann.api.leaveChat({ input: { chatId: general } });
      await ann.api.addGroupMembers({ input: { groupId, userIds: [bob.id, cem.id, dee.id] } });
      assert.deepEqual(await Promise.all([bob, cem, dee].map((person) => inChat(person, general))), [null, 'OWNER', 'MEMBER']);
    });

    it('are at most a hundred, also when made at once', async () => {
      const { groupId } = await create(ann);
      const open = () => ann.api.createChat({ input: { kind: 'GROUP', memberIds: [], groupId, idempotencyKey: world.key() } });
      const results = await Promise.allSettled([...Array(102)].map(open));
      for (const result of results) if (result.status === 'rejected') assert.deepEqual([result.reason.code, result.reason.errors[0].extensions.field], ['LIMIT_REACHED', 'groupId']);
      assert.equal(results.filter((result) => result.status === 'fulfilled').length, 99);
    });

    it('an owner who leaves passes the group and its chats on; a group that all have left is gone', async () => {
      const { groupId, general } = await create(ann);
      await join(bob, groupId);
      await join(cem, groupId);
      await ann.api.updateGroupMemberRole({ input: { ...key(groupId, cem), role: 'ADMIN' } });
      await ann.api.leaveGroup({ input: { groupId } });
      assert.deepEqual(await members(bob, groupId), { bob: 'MEMBER', cem: 'OWNER' });
      assert.equal(await inChat(bob, general), 'OWNER');
      await cem.api.leaveGroup({ input: { groupId } });
      await bob.api.leaveGroup({ input: { groupId } });
      assert.equal(await see(bob, groupId), null);
      await fails(join(ann, groupId), 'NOT_FOUND');
    });
  });

  describe('roles, removal, bans', () => {
    it('the owner gives roles and hands the group over', async () => {
      const { groupId } = await create(ann);
      await join(bob, groupId);
      await join(cem, groupId);
      const give = (actor: Person, person: Person, role: 'OWNER' | 'ADMIN' | 'MEMBER') => actor.api.updateGroupMemberRole({ input: { ...key(groupId, person), role } });
      await fails(give(bob, bob, 'OWNER'), 'FORBIDDEN');
      await fails(give(ann, ann, 'ADMIN'), 'STATE_CONFLICT');
      await fails(give(ann, dee, 'ADMIN'), 'NOT_FOUND', 'userId');
      assert.equal((await give(ann, bob, 'OWNER')).updateGroupMemberRole.member.role, 'OWNER');
      assert.deepEqual(await members(cem, groupId), { ann: 'ADMIN', bob: 'OWNER', cem: 'MEMBER' });
      await Promise.allSettled([give(bob, ann, 'OWNER'), give(bob, cem, 'OWNER'), bob.api.leaveGroup({ input: { groupId } })]);
      assert.equal(Object.values(await members(ann, groupId)).filter((role) => role === 'OWNER').length, 1);
    });

    it('who is banned is out of all its chats, and for them the group does not exist, until it is lifted', async () => {
      const { groupId, general } = await create(ann);
      for (const person of [bob, cem, dee]) await join(person, groupId);
      await ann.api.updateGroupMemberRole({ input: { ...key(groupId, bob), role: 'ADMIN' } });
      const remove = (actor: Person, person: Person, ban = false) => actor.api.removeGroupMember({ input: { ...key(groupId, person), ban } });
      await fails(remove(cem, dee), 'FORBIDDEN');
      await fails(remove(bob, ann), 'FORBIDDEN');
      await fails(remove(bob, bob), 'STATE_CONFLICT');
      const events = cem.client.chatEvents(general, (await cem.api.chat({ id: general })).chat!.eventCursor);
      assert.equal((await remove(bob, cem, true)).removeGroupMember.group.memberCount, 3);
      assert.deepEqual((await take(events, 1)).map((event) => event.__typename), ['MemberLeft']);
      await fails(events.next(), 'ACCESS_REVOKED');
      assert.equal(await see(cem, groupId), null);
      await fails(join(cem, groupId), 'NOT_FOUND');
      assert.equal((await cem.api.chat({ id: general })).chat, null);
      assert.deepEqual((await cem.api.searchGroups({ query: 'Climbers' })).searchGroups.edges.filter(({ node }) => node.id === groupId), []);
      const { createInviteLink } = await ann.api.createInviteLink({ input: { chatId: general, idempotencyKey: world.key() } });
      await fails(cem.api.joinChat({ input: { token: createInviteLink.token } }), 'NOT_FOUND');
      await fails(ann.api.addChatMembers({ input: { chatId: general, memberIds: [cem.id] } }), 'STATE_CONFLICT');
      await fails(ann.api.addGroupMembers({ input: { groupId, userIds: [cem.id] } }), 'STATE_CONFLICT', 'userIds');
      await fails(remove(ann, cem), 'NOT_FOUND', 'userId');
      assert.deepEqual((await ann.api.groupWaiting({ id: groupId })).group!.banned!.edges.map(({ node }) => node.user.handle), ['cem']);
      assert.deepEqual((await ann.api.inviteLinks({ chatId: general })).chat!.inviteLinks!.edges.map(({ node }) => node.uses), [0]);
      await ann.api.unbanGroupMember({ input: key(groupId, cem) });
      assert.deepEqual(await join(cem, groupId), { role: 'MEMBER', state: 'MEMBER' });
      await remove(ann, dee);
      assert.deepEqual(await join(dee, groupId), { role: 'MEMBER', state: 'MEMBER' });
    });

    it('a removal while its target comes into a chat of the group: out of both, or in both', async () => {
      for (let round = 0; round < 3; round++) {
        const { groupId } = await create(ann);
        await join(bob, groupId);
        const { createChat } = await ann.api.createChat({ input: { kind: 'GROUP', memberIds: [], title: 'Second', groupId, idempotencyKey: world.key() } });
        await Promise.allSettled([bob.api.joinChat({ input: { chatId: createChat.chat.id } }), ann.api.removeGroupMember({ input: { ...key(groupId, bob), ban: false } })]);
        assert.equal((await see(ann, groupId))!.memberCount, 1);
        assert.deepEqual((await see(ann, groupId))!.chats!.edges.map(({ node }) => node.memberCount), [1, 1]);
      }
    });
  });
});
