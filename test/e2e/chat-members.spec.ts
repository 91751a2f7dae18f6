import assert from 'node:assert/strict';
import { fails, take, within, World, type Person } from '../testkit/world.js';
import type { ChatEvent } from '../../sdk/index.js';
import { decodeId } from '../../src/lib/ids.js';

const kinds = (events: { __typename: string }[]) => events.map((event) => event.__typename);

describe('who is in a group chat', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  let dee: Person;
  let eve: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, cem, dee, eve] = await world.people('Ann', 'Bob', 'Cem', 'Dee', 'Eve');
  });
  after(() => world.stop());

  const roles = async (viewer: Person, chatId: string) => {
    const { chat } = await viewer.api.chatMembers({ id: chatId, first: 100 });
    return Object.fromEntries(chat!.members.edges.map(({ node }) => [node.user.handle, node.role]));
  };
  const promote = (owner: Person, chatId: string, person: Person, role: 'OWNER' | 'ADMIN' | 'MEMBER') =>
    owner.api.updateChatMemberRole({ input: { chatId, userId: person.id, role } });
  const remove = (actor: Person, chatId: string, person: Person) => actor.api.removeChatMember({ input: { chatId, userId: person.id } });
  const add = (actor: Person, chatId: string, ...people: Person[]) => actor.api.addChatMembers({ input: { chatId, memberIds: people.map((person) => person.id) } });
  const notices = async (viewer: Person, chatId: string) => {
    const { chat } = await viewer.api.chatMessages({ id: chatId, last: 100 });
    return chat!.messages.edges.flatMap(({ node }) => (node.kind === 'SYSTEM' ? [[node.system!.action, node.sender.handle, ...node.system!.subjects.map((user) => user.handle)]] : []));
  };

  describe('adding', () => {
    it('brings in those who are not in, tells everybody, and shows them nothing from before', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      await world.say(ann, chatId, 'before');
      const { chat: before } = await bob.api.chat({ id: chatId });
      const events = bob.client.chatEvents(chatId, before!.eventCursor);
      const inbox = cem.client.inboxEvents();
      await take(inbox, 1, []);
      const { addChatMembers } = await add(ann, chatId, bob, cem, dee, cem);
      assert.deepEqual(addChatMembers.added.map((member) => member.user.handle).sort(), ['cem', 'dee']);
      assert.equal(addChatMembers.chat.memberCount, 4);
      const seen = await take(events, 3);
      assert.deepEqual(kinds(seen), ['MemberJoined', 'MemberJoined', 'MessageSent']);
      const told = await take(inbox, 4);
      assert.deepEqual(kinds(told).sort(), ['ChatAdded', 'MemberJoined', 'MemberJoined', 'MessageSent']);
      assert.deepEqual(await notices(cem, chatId), [['MEMBER_ADDED', 'ann', 'cem', 'dee']]);
      await world.say(bob, chatId, 'after');
      const { chat } = await cem.api.chatMessages({ id: chatId, last: 10 });
      assert.deepEqual(chat!.messages.edges.map(({ node }) => node.text), [null, 'after']);
      events.close();
      inbox.close();
    });

    it('is a no-op for those who are in', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const { chat: before } = await ann.api.chat({ id: chatId });
      const { addChatMembers } = await add(ann, chatId, bob, ann);
      assert.deepEqual(addChatMembers.added, []);
      assert.equal(addChatMembers.chat.eventCursor, before!.eventCursor);
    });

    it('is for owner and admins, of people who exist, in group chats', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const direct = await world.directChat(ann, bob);
      await fails(add(bob, chatId, cem), 'FORBIDDEN');
      await fails(add(cem, chatId, cem), 'NOT_FOUND');
      await fails(add(ann, chatId, { ...cem, id: `usr_${'0'.repeat(32)}` }), 'NOT_FOUND');
      await fails(add(ann, chatId, { ...cem, id: 'nobody' }), 'INVALID_ID', 'memberIds');
      await fails(add(ann, chatId), 'INVALID_INPUT', 'memberIds');
      await fails(ann.api.addChatMembers({ input: { chatId, memberIds: [...Array(101)].map((_, index) => `usr_${String(index).padStart(32, '0')}`) } }), 'INVALID_INPUT', 'memberIds');
      await fails(add(ann, direct, cem), 'STATE_CONFLICT');
      await promote(ann, chatId, bob, 'ADMIN');
      await add(bob, chatId, cem);
      assert.deepEqual(await roles(ann, chatId), { ann: 'OWNER', bob: 'ADMIN', cem: 'MEMBER' });
      assert.equal((await ann.api.chat({ id: direct })).chat!.memberCount, 2);
    });
  });

  describe('removing', () => {
    it('the owner removes anybody, an admin members, a member nobody, and nobody the owner', async () => {
      const chatId = await world.groupChat(ann, [bob, cem, dee, eve]);
      await promote(ann, chatId, bob, 'ADMIN');
      await promote(ann, chatId, cem, 'ADMIN');
      await fails(remove(dee, chatId, eve), 'FORBIDDEN');
      await fails(remove(bob, chatId, cem), 'FORBIDDEN');
      await fails(remove(bob, chatId, ann), 'FORBIDDEN');
      await fails(remove(bob, chatId, bob), 'STATE_CONFLICT');
      assert.equal((await remove(bob, chatId, dee)).removeChatMember.chat.memberCount, 4);
      assert.equal((await remove(ann, chatId, cem)).removeChatMember.chat.memberCount, 3);
      await fails(remove(ann, chatId, cem), 'NOT_FOUND', 'userId');
      assert.deepEqual(await roles(ann, chatId), { ann: 'OWNER', bob: 'ADMIN', eve: 'MEMBER' });
      assert.deepEqual((await notices(ann, chatId)).filter(([action]) => action === 'MEMBER_REMOVED'), [
        ['MEMBER_REMOVED', 'bob', 'dee'],
        ['MEMBER_REMOVED', 'ann', 'cem'],
      ]);
      await fails(remove(ann, await world.directChat(ann, bob), bob), 'STATE_CONFLICT');
    });

    it('what a removed person sees: the leaving is the last; nothing afterwards arrives, is replayed or can be read', async () => {
      const chatId = await world.groupChat(ann, [bob, cem]);
      await world.say(ann, chatId, 'while bob is in');
      const { chat } = await bob.api.chat({ id: chatId });
      const events = bob.client.chatEvents(chatId, chat!.eventCursor);
      const inbox = bob.client.inboxEvents([chat!.eventCursor, (await bob.api.viewer()).viewer!.eventCursor]);
      await world.say(ann, chatId, 'hello');
      await take(events, 1);
      await take(inbox, 1);
      await remove(ann, chatId, bob);
      await world.say(ann, chatId, 'not for bob');
      assert.deepEqual(kinds(await take(events, 1)), ['MemberLeft']);
      await fails(within(events.next(), 'the end'), 'ACCESS_REVOKED');
      assert.deepEqual(kinds(await take(inbox, 2)).sort(), ['ChatRemoved', 'MemberLeft']);
      // The next thing that the inbox hears is of another chat: nothing of this one came between.
      await world.directChat(cem, bob);
      assert.deepEqual(kinds(await take(inbox, 1)), ['ChatAdded']);
      inbox.close();
      assert.equal((await bob.api.chat({ id: chatId })).chat, null);
      await fails(world.say(bob, chatId, 'still here?'), 'NOT_FOUND');
      await fails(within(bob.client.chatEvents(chatId, chat!.eventCursor).next(), 'an answer'), 'NOT_FOUND');
      await fails(add(bob, chatId, dee), 'NOT_FOUND');
      await fails(bob.api.updateChatSettings({ input: { chatId, pinned: true } }), 'NOT_FOUND');
    });

    it('who comes back sees what comes from then on, whatever cursor they hold', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const { chat } = await bob.api.chat({ id: chatId });
      await world.say(ann, chatId, 'one');
      await remove(ann, chatId, bob);
      await world.say(ann, chatId, 'two');
      const { viewer } = await bob.api.viewer();
      await add(ann, chatId, bob);
      const last = await world.say(ann, chatId, 'three');
      const old = bob.client.chatEvents(chatId, chat!.eventCursor);
      const [resync] = await take(old, 1);
      assert.ok(resync!.__typename === 'ResyncRequired' && resync.reason === 'EXPIRED');
      assert.equal((await within(old.next(), 'the end')).done, true);
      const [added] = (await take(bob.client.inboxEvents([viewer!.eventCursor]), 4)).filter((event) => event.__typename === 'ChatAdded');
      const seen = await take(bob.client.chatEvents(chatId, added!.chatCursor), 3);
      assert.deepEqual(kinds(seen), ['MemberJoined', 'MessageSent', 'MessageSent']);
      assert.equal((seen[2] as Extract<ChatEvent, { __typename: 'MessageSent' }>).message!.text, 'three');
      const history = await bob.api.chatMessages({ id: chatId, last: 10 });
      assert.deepEqual(history.chat!.messages.edges.map(({ node }) => node.seq), [last.seq - 1, last.seq]);
    });
  });

  describe('leaving', () => {
    it('passes the ownership to the admin who has been in longest, else to such a member; the last leaves an empty chat', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      await add(ann, chatId, cem);
      await add(ann, chatId, dee);
      await promote(ann, chatId, dee, 'ADMIN');
      await promote(ann, chatId, cem, 'ADMIN');
      const { chat } = await bob.api.chat({ id: chatId });
      const events = bob.client.chatEvents(chatId, chat!.eventCursor);
      await ann.api.leaveChat({ input: { chatId } });
      assert.deepEqual(await roles(bob, chatId), { bob: 'MEMBER', cem: 'OWNER', dee: 'ADMIN' });
      assert.deepEqual(kinds(await take(events, 4)), ['MemberLeft', 'MessageSent', 'MemberUpdated', 'MessageSent']);
      assert.deepEqual((await notices(bob, chatId)).slice(-2), [['MEMBER_LEFT', 'ann', 'ann'], ['OWNER_CHANGED', 'ann', 'cem']]);
      await dee.api.leaveChat({ input: { chatId } });
      await cem.api.leaveChat({ input: { chatId } });
      assert.deepEqual(await roles(bob, chatId), { bob: 'OWNER' });
      await bob.api.leaveChat({ input: { chatId } });
      await fails(bob.api.leaveChat({ input: { chatId } }), 'NOT_FOUND');
      assert.equal((await bob.api.chat({ id: chatId })).chat, null);
      assert.deepEqual(await world.sql('select member_count from chats where id = (select id from chats order by id desc limit 1)'), [{ member_count: 0 }]);
      events.close();
    });

    it('passes the ownership to nobody who can run nothing while there is somebody else: in a chat as in a group', async () => {
      const [robot, gone] = await world.people('Robot', 'Gone');
      const { id: groupId } = (await ann.api.createGroup({ input: { name: 'Group', visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: world.key() } })).createGroup.group;
      const general = (await ann.api.group({ id: groupId })).group!.chats!.edges[0]!.node.id;
      for (const person of [robot, gone, bob]) await person.api.joinGroup({ input: { groupId } });
      await promote(ann, general, gone, 'ADMIN');
      await ann.api.updateGroupMemberRole({ input: { groupId, userId: gone.id, role: 'ADMIN' } });
      await world.sql(`update users set kind = 'BOT' where handle = 'robot'`);
      await world.sql(`update users set suspended_at = now() where handle = 'gone'`);
      await ann.api.leaveGroup({ input: { groupId } });
      assert.deepEqual(await roles(bob, general), { robot: 'MEMBER', gone: 'ADMIN', bob: 'OWNER' });
      assert.equal((await bob.api.group({ id: groupId })).group!.viewerState!.role, 'OWNER');
      await bob.api.leaveGroup({ input: { groupId } });
      assert.deepEqual(await world.sql(`select u.handle, m.role from group_members m join users u on u.id = m.user_id where m.group_id = $1 order by 1`, [decodeId('Group', groupId)]), [
        { handle: 'gone', role: 'OWNER' }, { handle: 'robot', role: 'MEMBER' },
      ]);
    });

    it('a direct chat is not left', async () => {
      const direct = await world.directChat(ann, bob);
      await fails(ann.api.leaveChat({ input: { chatId: direct } }), 'STATE_CONFLICT');
      assert.equal((await ann.api.chat({ id: direct })).chat!.memberCount, 2);
    });
  });

  describe('roles', () => {
    it('the owner gives them; giving ownership makes the old owner an admin', async () => {
      const chatId = await world.groupChat(ann, [bob, cem]);
      const { chat } = await cem.api.chat({ id: chatId });
      const events = cem.client.chatEvents(chatId, chat!.eventCursor);
      assert.equal((await promote(ann, chatId, bob, 'ADMIN')).updateChatMemberRole.member.role, 'ADMIN');
      await promote(ann, chatId, bob, 'ADMIN'); // a repeat tells nobody
      await fails(promote(bob, chatId, cem, 'ADMIN'), 'FORBIDDEN');
      await fails(promote(ann, chatId, ann, 'MEMBER'), 'STATE_CONFLICT');
      await fails(promote(ann, chatId, dee, 'ADMIN'), 'NOT_FOUND', 'userId');
      await fails(promote(dee, chatId, ann, 'ADMIN'), 'NOT_FOUND');
      await promote(ann, chatId, bob, 'OWNER');
      assert.deepEqual(await roles(ann, chatId), { ann: 'ADMIN', bob: 'OWNER', cem: 'MEMBER' });
      assert.deepEqual(kinds(await take(events, 4)), ['MemberUpdated', 'MemberUpdated', 'MemberUpdated', 'MessageSent']);
      await fails(promote(ann, await world.directChat(ann, bob), bob, 'ADMIN'), 'STATE_CONFLICT');
      events.close();
    });

    it('members are listed owner first, then admins, then the others, each in the order of joining, page by page', async () => {
      const chatId = await world.groupChat(ann, []);
      for (const person of [bob, cem, dee, eve]) await add(ann, chatId, person);
      await promote(ann, chatId, eve, 'ADMIN');
      const found: string[] = [];
      let after: string | null = null;
      do {
        const { chat } = await dee.api.chatMembers({ id: chatId, first: 2, after });
        found.push(...chat!.members.edges.map(({ node }) => node.user.handle));
        after = chat!.members.pageInfo.hasNextPage ? chat!.members.pageInfo.endCursor! : null;
      } while (after);
      assert.deepEqual(found, ['ann', 'eve', 'bob', 'cem', 'dee']);
      await fails(dee.api.chatMembers({ id: chatId, after: 'forged' }), 'INVALID_CURSOR', 'after');
    });
  });

  describe('at once', () => {
    it('an owner who leaves while being made owner elsewhere, removals both ways: always exactly one owner', async () => {
      for (let round = 0; round < 4; round++) {
        const chatId = await world.groupChat(ann, [bob, cem, dee, eve]);
        await promote(ann, chatId, bob, 'ADMIN');
        await Promise.allSettled([
          promote(ann, chatId, bob, 'OWNER'),
          ann.api.leaveChat({ input: { chatId } }),
          bob.api.leaveChat({ input: { chatId } }),
          remove(ann, chatId, bob),
          remove(bob, chatId, cem),
          promote(ann, chatId, dee, 'OWNER'),
        ]);
        const left = await roles(eve, chatId);
        assert.equal(Object.values(left).filter((role) => role === 'OWNER').length, 1, JSON.stringify(left));
        assert.equal((await eve.api.chat({ id: chatId })).chat!.memberCount, Object.keys(left).length);
      }
    });

    it('the same person added by many calls is in once, told once', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      await promote(ann, chatId, bob, 'ADMIN');
      const { chat } = await ann.api.chat({ id: chatId });
      const answers = await Promise.all([...Array(10)].map((_, index) => add(index % 2 ? ann : bob, chatId, cem, dee)));
      assert.equal(answers.flatMap((answer) => answer.addChatMembers.added).length, 2);
      const events = await take(ann.client.chatEvents(chatId, chat!.eventCursor), 3);
      assert.deepEqual(kinds(events), ['MemberJoined', 'MemberJoined', 'MessageSent']);
      assert.equal((await ann.api.chat({ id: chatId })).chat!.memberCount, 4);
    });

    it('a message sent while its sender is being removed is in the history before the removal, or refused', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const sends = [...Array(20)].map((_, index) => world.say(bob, chatId, `${index}`));
      const removal = remove(ann, chatId, bob);
      const results = await Promise.allSettled([...sends, removal]);
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'NOT_FOUND');
      const { chat } = await ann.api.chatMessages({ id: chatId, last: 100 });
      const history = chat!.messages.edges.map(({ node }) => node);
      assert.equal(history.at(-1)!.kind, 'SYSTEM');
      assert.equal(history.length, results.filter((result) => result.status === 'fulfilled').length);
    });
  });
});
