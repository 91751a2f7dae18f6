import assert from 'node:assert/strict';
import { fails, World, type Person } from '../testkit/world.js';
import type { ChatFilter } from '../../sdk/index.js';

describe('the list of one’s chats', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, cem] = await world.people('Ann', 'Bob', 'Cem');
  });
  after(() => world.stop());

  const list = async (person: Person, filter: ChatFilter | null = null, first = 100) => {
    const { viewer } = await person.api.viewerChats({ filter, first });
    return viewer!.chats.edges.map(({ node }) => node);
  };
  const titles = async (person: Person, filter: ChatFilter | null = null) => (await list(person, filter)).map((chat) => chat.title ?? chat.viewerState!.otherMember!.displayName);
  const line = async (person: Person, chatId: string) => (await person.api.chatLine({ id: chatId })).chat!;
  const unread = async (person: Person, chatId: string) => {
    const { unreadCount, unreadCapped, mentionsCount } = (await line(person, chatId)).viewerState!;
    return [unreadCount, unreadCapped, mentionsCount];
  };

  it('stands by newest activity, page by page, each chat once', async () => {
    const dee = await world.person('Dee');
    const ids: string[] = [];
    for (const title of ['one', 'two', 'three', 'four', 'five']) {
      ids.push(await world.groupChat(dee, [], title));
      world.clock.advance(10);
    }
    await world.say(dee, ids[1]!, 'up');
    assert.deepEqual(await titles(dee), ['two', 'five', 'four', 'three', 'one']);
    const found: string[] = [];
    let after: string | null = null;
    do {
      const { viewer } = await dee.api.viewerChats({ first: 2, after });
      found.push(...viewer!.chats.edges.map(({ node }) => node.title!));
      after = viewer!.chats.pageInfo.hasNextPage ? viewer!.chats.pageInfo.endCursor! : null;
    } while (after);
    assert.deepEqual(found, ['two', 'five', 'four', 'three', 'one']);
    await fails(dee.api.viewerChats({ after: Buffer.from('[9e15,"x"]').toString('base64url') }), 'INVALID_CURSOR', 'after');
    await fails(dee.api.viewerChats({ first: 101 }), 'INVALID_INPUT', 'first');
  });

  it('shows of a direct chat whom one talks to, and of each chat the last message one may see', async () => {
    const chatId = await world.directChat(ann, bob);
    await world.say(ann, chatId, 'hello');
    for (const [person, other] of [[ann, bob], [bob, ann]] as const) {
      const chat = await line(person, chatId);
      assert.deepEqual([chat.title, chat.viewerState!.otherMember!.id, chat.lastMessage!.text], [null, other.id, 'hello']);
    }
    const group = await world.groupChat(ann, [bob]);
    await world.say(ann, group, 'before cem');
    const { createInviteLink } = await ann.api.createInviteLink({ input: { chatId: group, idempotencyKey: world.key() } });
    await cem.api.joinChat({ input: { token: createInviteLink.token } });
    assert.equal((await line(cem, group)).lastMessage!.system!.action, 'MEMBER_JOINED');
    assert.equal((await line(cem, group)).viewerState!.otherMember, null);
  });

  it('is filtered', async () => {
    const [eve, finn] = await world.people('Eve', 'Finn');
    const direct = await world.directChat(eve, finn);
    const club = await world.groupChat(eve, [finn], '100% Club_X');
    const quiet = await world.groupChat(eve, [finn], 'Quiet');
    await world.say(finn, direct, 'hi');
    await world.say(eve, club, 'mine does not count');
    await eve.api.updateChatSettings({ input: { chatId: quiet, archived: true } });
    await eve.api.updateChatSettings({ input: { chatId: club, pinned: true } });
    const cases: [ChatFilter, string[]][] = [
      [{}, ['100% Club_X', 'Finn', 'Quiet']],
      [{ kind: 'DIRECT' }, ['Finn']],
      [{ kind: 'GROUP' }, ['100% Club_X', 'Quiet']],
      [{ unread: true }, ['Finn']],
      [{ unread: false }, ['100% Club_X', 'Quiet']],
      [{ archived: true }, ['Quiet']],
      [{ archived: false }, ['100% Club_X', 'Finn']],
      [{ pinned: true }, ['100% Club_X']],
      [{ pinned: true, kind: 'DIRECT' }, []],
      [{ query: 'FIN' }, ['Finn']],
      [{ query: 'eve' }, []],
      [{ query: '0% club_' }, ['100% Club_X']],
      [{ query: '%' }, ['100% Club_X']],
      [{ query: 'u_e' }, []],
    ];
    for (const [filter, expected] of cases) assert.deepEqual(await titles(eve, filter), expected, JSON.stringify(filter));
    await fails(titles(eve, { query: '\u0000' }), 'INVALID_INPUT', 'filter.query');
    await fails(titles(eve, { groupId: direct }), 'INVALID_ID', 'filter.groupId');
  });

  describe('unread', () => {
    it('counts what others said since one last read, not system messages, threads, or what was deleted or hidden', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      assert.deepEqual(await unread(bob, chatId), [0, false, 0]);
      const first = await world.say(ann, chatId, 'one');
      const second = await world.say(ann, chatId, 'two @bob');
      await world.say(bob, chatId, 'my own');
      await ann.api.sendMessage({ input: { chatId, text: 'in a thread @bob', threadRootId: first.id, idempotencyKey: world.key() } });
      await ann.api.updateChat({ input: { chatId, title: 'System' } });
      assert.deepEqual(await unread(bob, chatId), [2, false, 1]);
      assert.deepEqual(await unread(ann, chatId), [1, false, 0]);
      await bob.api.markRead({ input: { chatId, seq: first.seq } });
      assert.deepEqual(await unread(bob, chatId), [1, false, 1]);
      const third = await world.say(ann, chatId, 'three @bob');
      await ann.api.deleteMessage({ input: { messageId: second.id, scope: 'FOR_EVERYONE' } });
      assert.deepEqual(await unread(bob, chatId), [1, false, 1]);
      await bob.api.deleteMessage({ input: { messageId: third.id, scope: 'FOR_ME' } });
      assert.deepEqual(await unread(bob, chatId), [0, false, 0]);
    });

    it('is nothing for who has just joined, and leaves out what has disappeared', async () => {
      const chatId = await world.groupChat(ann, []);
      await world.say(ann, chatId, 'before');
      await ann.api.addChatMembers({ input: { chatId, memberIds: [bob.id] } });
      assert.deepEqual(await unread(bob, chatId), [0, false, 0]);
      await ann.api.updateChat({ input: { chatId, messageTtlSeconds: 5 } });
      await world.say(ann, chatId, 'soon gone @bob');
      assert.deepEqual(await unread(bob, chatId), [1, false, 1]);
      world.clock.advance(5_000);
      assert.deepEqual(await unread(bob, chatId), [0, false, 0]);
    });

    it('stops at 99 and says so', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const say = (count: number) => Promise.all([...Array(count)].map((_, index) => world.say(ann, chatId, `${index} @bob`)));
      await say(99);
      assert.deepEqual(await unread(bob, chatId), [99, false, 99]);
      await say(2);
      assert.deepEqual(await unread(bob, chatId), [99, true, 99]);
    });
  });

  it('of fifty chats costs as many statements as one of five: chats, last messages, unread, and what messages show', async () => {
    const [gil, hal] = await world.people('Gil', 'Hal');
    const people = await Promise.all([...Array(25)].map((_, index) => world.person(`Friend${index}`)));
    for (const friend of people) {
      await world.say(friend, await world.directChat(friend, gil), `hello from ${friend.handle}`);
      await world.say(hal, await world.groupChat(hal, [gil, friend], friend.handle), 'hello @gil');
    }
    const document = (first: number) => `query { viewer { chats(first: ${first}) { edges { node {
      id kind title memberCount lastMessage { id text sender { displayName } }
      viewerState { role unreadCount unreadCapped mentionsCount muted pinned archived draft otherMember { displayName } } } } pageInfo { hasNextPage endCursor } } } }`;
    /** The fewest of some runs: now and then something else is asked, a session for one. */
    const statements = async (ask: () => Promise<unknown>) => {
      const counts: number[] = [];
      for (let run = 0; run < 4; run++) {
        const before = world.app.container.db.statements;
        await ask();
        counts.push(world.app.container.db.statements - before);
      }
      return Math.min(...counts);
    };
    const lines = (first: number) => async () => {
      const answer = await gil.client.request<{ viewer: { chats: { edges: { node: { viewerState: { unreadCount: number } } }[] } } }, Record<string, never>>(document(first));
      assert.deepEqual(answer.viewer.chats.edges.map(({ node }) => node.viewerState.unreadCount), Array(first).fill(1));
    };
    // Chats with memberships; last messages; unread. The people are kept in the process by then.
    assert.deepEqual([await statements(lines(5)), await statements(lines(50))], [3, 3]);
    const whole = (first: number) => () => gil.api.viewerChats({ first });
    await whole(50)();
    assert.equal(await statements(whole(50)), await statements(whole(5)));
  });
});
