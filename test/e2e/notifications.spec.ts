import assert from 'node:assert/strict';
import type { NotificationPartsFragment } from '../../sdk/generated/graphql.js';
import { eventually, fails, take, within, World, type Person } from '../testkit/world.js';

describe('the notification centre', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let names = 0;
  before(async () => {
    world = await World.start({ settings: { NOTIFICATIONS: 'true' } });
  });
  after(() => world.stop());
  /** Other people for each test: what the others were told of is not in the way. */
  beforeEach(async () => {
    const suffix = ++names;
    [ann, bob, carol] = await world.people(`Ann${suffix}`, `Bob${suffix}`, `Carol${suffix}`);
  });

  const all = async (person: Person, unreadOnly = false) => (await person.api.notifications({ unreadOnly, first: 100 })).viewer!.notifications.edges.map(({ node }) => node);
  const unread = async (person: Person) => (await person.api.notifications({ first: 0 })).viewer!.unreadNotificationCount;
  /** Everything that has been committed has been made into notifications. */
  const caughtUp = async () => {
    const [{ pos }] = (await world.sql<{ pos: string }>(`insert into events (stream, pos, kind, ref) values ('mark', (select coalesce(max(pos), 0) + 1 from events where stream = 'mark'), 'chat.updated', '{}') returning pos`)) as [{ pos: string }];
    world.app.container.hub.publish([{ stream: 'mark', epoch: '', events: [] }]);
    await eventually(
      async () => (await world.sql(`select from log_consumers c, events e where c.name = 'notifications' and e.stream = 'mark' and e.pos = $1 and (c.xid, c.stream, c.pos) >= (e.xid, e.stream, e.pos)`, [pos])).length > 0,
      'all events have been taken',
    );
  };
  const shown = ({ kind, count, actor, message, chat, read }: NotificationPartsFragment) => ({ kind, count, by: actor?.displayName.replace(/\d+$/, '') ?? null, text: message?.text ?? null, chat: chat?.title ?? null, read });
  const centre = async (person: Person, unreadOnly = false) => {
    await caughtUp();
    return (await all(person, unreadOnly)).map(shown);
  };
  const group = (title = 'Team') => world.groupChat(ann, [bob, carol], title);
  const noAdded = async (person: Person) => {
    await caughtUp();
    const ids = (await all(person)).filter(({ kind }) => kind === 'CHAT_ADDED').map(({ id }) => id);
    if (ids.length) await person.api.markNotificationsRead({ input: { notificationIds: ids } });
  };

  it('tells of a direct chat once, however much is said there, and live in the inbox', async () => {
    const chatId = await world.directChat(ann, bob);
    const inbox = bob.client.inboxEvents([]);
    await take(inbox, 0);
    await within(inbox.next(), 'it stands');
    for (const text of ['one', 'two', 'three']) await world.say(ann, chatId, text);
    const events = await take(inbox, 4);
    const added = events.find((event) => event.__typename === 'NotificationAdded');
    assert.ok(added?.__typename === 'NotificationAdded' && added.notification);
    assert.deepEqual([added.notification.kind, added.notification.message?.text, added.notification.actor?.id], ['DIRECT_MESSAGE', 'one', ann.id]);
    assert.deepEqual(await centre(bob), [{ kind: 'DIRECT_MESSAGE', count: 3, by: 'Ann', text: 'one', chat: null, read: false }]);
    assert.deepEqual([await unread(bob), await unread(ann), await centre(ann)], [1, 0, []]);
    inbox.close();
  });

  it('is read with the messages, and what is said then is new', async () => {
    const chatId = await world.directChat(ann, bob);
    await world.say(ann, chatId, 'first');
    const { seq } = await world.say(ann, chatId, 'second');
    assert.equal((await centre(bob)).length, 1);
    await bob.api.markRead({ input: { chatId, seq } });
    assert.deepEqual([await unread(bob), (await centre(bob)).map(({ read }) => read), await centre(bob, true)], [0, [true], []]);
    await world.say(ann, chatId, 'third');
    assert.deepEqual(await centre(bob), [
      { kind: 'DIRECT_MESSAGE', count: 1, by: 'Ann', text: 'third', chat: null, read: false },
      { kind: 'DIRECT_MESSAGE', count: 3, by: 'Ann', text: 'first', chat: null, read: true },
    ]);
  });

  it('tells of mentions, of answers, and of the rest of a group', async () => {
    const chatId = await group();
    await noAdded(bob);
    const mine = await world.say(bob, chatId, 'a question');
    await world.say(ann, chatId, 'for everybody');
    await world.say(ann, chatId, `for you, @${bob.handle}`);
    await carol.api.sendMessage({ input: { chatId, text: 'an answer', replyToId: mine.id, idempotencyKey: world.key() } });
    await carol.api.sendMessage({ input: { chatId, text: 'in a thread', threadRootId: mine.id, idempotencyKey: world.key() } });
    assert.deepEqual(new Set((await centre(bob, true)).map(({ kind, by, text, chat }) => [kind, by, text, chat].join())), new Set(['GROUP_MESSAGE,Ann,for everybody,Team', 'MENTION,Ann,for you, @'.concat(bob.handle, ',Team'), 'REPLY,Carol,an answer,Team', 'REPLY,Carol,in a thread,Team']));
    // Who said it is told of nothing; the others of it all together.
    assert.deepEqual((await centre(ann)).map(({ kind, text }) => [kind, text]), [['GROUP_MESSAGE', 'a question']]);
  });

  it('tells of answers to one’s status, apart from what else is said', async () => {
    await bob.api.addContact({ input: { userId: ann.id } });
    await ann.api.addContact({ input: { userId: bob.id } });
    const { postStatus } = await bob.api.postStatus({ input: { text: 'On my way', idempotencyKey: world.key() } });
    await ann.api.replyToStatus({ input: { statusId: postStatus.status.id, text: 'Where to?', idempotencyKey: world.key() } });
    await world.say(ann, await world.directChat(ann, bob), 'And when?');
    assert.deepEqual(new Set((await centre(bob)).map(({ kind, text }) => `${kind} ${text}`)), new Set(['CONTACT_ADDED null', 'STATUS_REPLY Where to?', 'DIRECT_MESSAGE And when?']));
  });

  it('counts who reacts, takes it back with the last, and tells anew after it was read', async () => {
    const chatId = await group();
    await noAdded(bob);
    const { id } = await world.say(bob, chatId, 'like me');
    await bob.api.addReaction({ input: { messageId: id, emoji: '😀' } });
    assert.deepEqual(await centre(bob, true), [], 'one’s own tells one nothing');
    await ann.api.addReaction({ input: { messageId: id, emoji: '👍' } });
    await ann.api.addReaction({ input: { messageId: id, emoji: '🎉' } });
    assert.deepEqual((await centre(bob, true)).map(({ kind, count, by }) => [kind, count, by]), [['REACTION', 1, 'Ann']]);
    await carol.api.addReaction({ input: { messageId: id, emoji: '👍' } });
    assert.deepEqual((await centre(bob, true)).map(({ kind, count, by }) => [kind, count, by]), [['REACTION', 2, 'Carol']]);
    const [{ id: told }] = (await all(bob, true)) as [NotificationPartsFragment];
    await bob.api.markNotificationsRead({ input: { notificationIds: [told] } });
    await carol.api.removeReaction({ input: { messageId: id, emoji: '👍' } });
    assert.deepEqual(await centre(bob, true), []);
    await carol.api.addReaction({ input: { messageId: id, emoji: '❤️' } });
    assert.deepEqual((await centre(bob)).filter(({ kind }) => kind === 'REACTION').map(({ count, by, read }) => [count, by, read]), [[2, 'Carol', false]]);
    for (const emoji of ['👍', '🎉']) await ann.api.removeReaction({ input: { messageId: id, emoji } });
    await carol.api.removeReaction({ input: { messageId: id, emoji: '❤️' } });
    assert.deepEqual((await centre(bob)).filter(({ kind }) => kind === 'REACTION'), []);
  });

  it('tells of missed calls, of whoever adds one as a contact, into chats, or asks to join', async () => {
    const direct = await world.directChat(ann, bob);
    const { startCall } = await ann.api.startCall({ input: { chatId: direct, kind: 'VIDEO', idempotencyKey: world.key() } });
    await ann.api.endCall({ input: { callId: startCall.call.id } });
    const answered = (await ann.api.startCall({ input: { chatId: direct, kind: 'VOICE', idempotencyKey: world.key() } })).startCall.call.id;
    await bob.api.joinCall({ input: { callId: answered } });
    await bob.api.leaveCall({ input: { callId: answered } });
    await bob.api.addContact({ input: { userId: carol.id } });
    await carol.api.addContact({ input: { userId: bob.id, name: 'Bobby' } });
    await bob.api.addContact({ input: { userId: ann.id } });
    await group('New');
    const { createGroup } = await bob.api.createGroup({ input: { name: `Chess ${names}`, visibility: 'PUBLIC', joinPolicy: 'REQUEST', topics: [], idempotencyKey: world.key() } });
    await ann.api.joinGroup({ input: { groupId: createGroup.group.id } });
    await carol.api.joinGroup({ input: { groupId: createGroup.group.id } });
    await caughtUp();
    const told = await all(bob);
    assert.deepEqual(new Set(told.map(({ kind, actor, count }) => [kind, actor?.id, count].join())), new Set([`MISSED_CALL,${ann.id},1`, `CONTACT_ADDED,${carol.id},1`, `CHAT_ADDED,${ann.id},1`, `GROUP_REQUEST,${carol.id},2`]));
    assert.equal(told.find(({ kind }) => kind === 'MISSED_CALL')!.call!.id, startCall.call.id);
    assert.equal(told.find(({ kind }) => kind === 'GROUP_REQUEST')!.group!.id, createGroup.group.id);
    assert.deepEqual((await centre(carol)).map(({ kind }) => kind), ['CHAT_ADDED'], 'who did it, and who was there before, is told of nothing');
    for (const person of [ann, carol]) await bob.api.decideGroupRequest({ input: { groupId: createGroup.group.id, userId: person.id, accept: true } });
    await caughtUp();
    // To Bob, who runs it, nobody asks any more once he is told of the group again.
    assert.ok((await centre(ann)).some(({ kind, by }) => kind === 'CHAT_ADDED' && by === 'Bob'));
  });

  it('keeps to what each wants: by kind, by chat, and what is muted', async () => {
    const chatId = await group();
    await noAdded(bob);
    const say = async (text: string) => {
      await world.say(ann, chatId, text);
      await world.say(ann, chatId, `${text}, @${bob.handle}`);
      const kinds = (await centre(bob, true)).map(({ kind }) => kind).sort();
      const last = (await all(bob)).at(0);
      if (last) await bob.api.markNotificationsRead({ input: { upToId: last.id } });
      return kinds;
    };
    const want = (input: Parameters<Person['api']['updateNotificationPreferences']>[0]['input']) => bob.api.updateNotificationPreferences({ input });
    assert.deepEqual(await say('as by default'), ['GROUP_MESSAGE', 'MENTION']);
    await want({ chats: [{ chatId, level: 'MENTIONS' }] });
    assert.equal((await bob.api.chatNotificationLevel({ chatId })).chat!.viewerState!.notificationLevel, 'MENTIONS');
    assert.deepEqual(await say('mentions'), ['MENTION']);
    await want({ chats: [{ chatId, level: 'NOTHING' }] });
    assert.deepEqual(await say('nothing'), []);
    await want({ chats: [{ chatId, level: null }], kinds: [{ kind: 'MENTION', inApp: false }] });
    assert.deepEqual(await say('no mentions'), ['GROUP_MESSAGE']);
    await want({ kinds: [{ kind: 'MENTION', inApp: true }] });
    await bob.api.updateChatSettings({ input: { chatId, muted: true } });
    assert.deepEqual(await say('muted'), ['MENTION'], 'what is meant for oneself waits in the centre, though it is not pushed');
  });

  it('tells of nothing across a block, and takes back what was told', async () => {
    const chatId = await group();
    await world.say(ann, chatId, `before, @${bob.handle}`);
    assert.ok((await centre(bob)).some(({ kind }) => kind === 'MENTION'));
    await bob.api.blockUser({ input: { userId: ann.id } });
    await world.say(ann, chatId, `after, @${bob.handle}`);
    const { id } = await world.say(bob, chatId, 'like me');
    await ann.api.addReaction({ input: { messageId: id, emoji: '👍' } });
    assert.deepEqual(await centre(bob), []);
  });

  it('forgets what was deleted, and chats that one has left', async () => {
    const chatId = await group();
    await noAdded(bob);
    const first = await world.say(ann, chatId, 'first');
    const mention = await world.say(ann, chatId, `second, @${bob.handle}`);
    await world.say(carol, chatId, 'third');
    assert.deepEqual((await centre(bob, true)).map(({ kind, text }) => [kind, text]), [['MENTION', `second, @${bob.handle}`], ['GROUP_MESSAGE', 'first']]);
    await ann.api.deleteMessage({ input: { messageId: first.id, scope: 'FOR_EVERYONE' } });
    await ann.api.deleteMessage({ input: { messageId: mention.id, scope: 'FOR_EVERYONE' } });
    assert.deepEqual((await centre(bob, true)).map(({ kind, text, by }) => [kind, text, by]), [['GROUP_MESSAGE', 'third', 'Carol']]);
    await bob.api.leaveChat({ input: { chatId } });
    assert.deepEqual(await centre(bob), []);
  });

  it('marks some, or all up to one, for every device; pages from the newest on; and is one’s own', async () => {
    const chatId = await group();
    await noAdded(bob);
    for (const n of [1, 2, 3, 4]) await world.say(ann, chatId, `${n} for @${bob.handle}`);
    await caughtUp();
    assert.equal(await unread(bob), 4);
    const page = (await bob.api.notifications({ first: 2, unreadOnly: true })).viewer!.notifications;
    assert.deepEqual(page.edges.map(({ node }) => node.message!.text![0]), ['4', '3']);
    const rest = (await bob.api.notifications({ first: 2, after: page.pageInfo.endCursor, unreadOnly: true })).viewer!.notifications;
    assert.deepEqual(rest.edges.map(({ node }) => node.message!.text![0]), ['2', '1']);
    const inbox = bob.client.inboxEvents([]);
    await within(inbox.next(), 'it stands');
    await bob.api.markNotificationsRead({ input: { notificationIds: [page.edges[0]!.node.id] } });
    const { markNotificationsRead } = await bob.api.markNotificationsRead({ input: { upToId: rest.edges[0]!.node.id } });
    assert.equal(markNotificationsRead.viewer.unreadNotificationCount, 1);
    assert.deepEqual((await take(inbox, 2)).map((event) => event.__typename === 'NotificationsRead' && event.unreadNotificationCount).at(-1), 1);
    await bob.api.markNotificationsRead({ input: { upToId: rest.edges[0]!.node.id } });
    inbox.close();
    assert.deepEqual((await bob.api.notification({ id: page.edges[1]!.node.id })).node, { __typename: 'Notification', ...page.edges[1]!.node });
    await fails(ann.api.markNotificationsRead({ input: { notificationIds: [page.edges[1]!.node.id] } }), 'NOT_FOUND');
    await fails(ann.api.markNotificationsRead({ input: { upToId: page.edges[1]!.node.id } }), 'NOT_FOUND');
    await fails(bob.api.markNotificationsRead({ input: {} }), 'INVALID_INPUT', 'notificationIds');
    assert.equal((await ann.api.notification({ id: page.edges[1]!.node.id })).node, null);
    assert.equal(await unread(bob), 1);
  });

  it('says what somebody wants, and refuses what makes no sense', async () => {
    const preferences = async () => (await bob.api.notificationPreferences()).viewer!.notificationPreferences;
    const before = await preferences();
    assert.ok(before.kinds.length >= 11 && before.kinds.every(({ inApp, push }) => inApp && push));
    assert.deepEqual([before.content, before.quietHours], ['TEXT', null]);
    const { updateNotificationPreferences } = await bob.api.updateNotificationPreferences({
      input: { content: 'SENDER', kinds: [{ kind: 'REACTION', push: false }], quietHours: { from: '22:30', to: '07:00', timeZone: 'Europe/Zurich', silenceCalls: false } },
    });
    const after = await preferences();
    assert.deepEqual(updateNotificationPreferences.notificationPreferences, after);
    assert.deepEqual(after.quietHours, { from: '22:30', to: '07:00', timeZone: 'Europe/Zurich', silenceCalls: false });
    assert.deepEqual(after.kinds.find(({ kind }) => kind === 'REACTION'), { kind: 'REACTION', inApp: true, push: false });
    await bob.api.updateNotificationPreferences({ input: { quietHours: null, kinds: [{ kind: 'REACTION', push: true }], content: 'TEXT' } });
    assert.deepEqual(await preferences(), before);
    const quiet = (change: object) => bob.api.updateNotificationPreferences({ input: { quietHours: { from: '22:30', to: '07:00', timeZone: 'Europe/Zurich', ...change } } });
    await fails(quiet({ from: '24:00' }), 'INVALID_INPUT', 'quietHours.from');
    await fails(quiet({ to: '7:00' }), 'INVALID_INPUT', 'quietHours.to');
    await fails(quiet({ to: '22:30' }), 'INVALID_INPUT', 'quietHours.to');
    await fails(quiet({ timeZone: 'Mars/Base' }), 'INVALID_INPUT', 'quietHours.timeZone');
    const foreign = await world.directChat(ann, carol);
    await fails(bob.api.updateNotificationPreferences({ input: { content: 'NOTHING', chats: [{ chatId: foreign, level: 'ALL' }] } }), 'NOT_FOUND');
    assert.deepEqual(await preferences(), before);
  });
});
