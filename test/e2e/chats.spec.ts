import assert from 'node:assert/strict';
import { fails, take, World, type Person } from '../testkit/world.js';
import type { InboxEvent, UpdateChatInput, UpdateChatSettingsInput } from '../../sdk/index.js';

type Settings = Extract<InboxEvent, { __typename: 'ChatSettingsChanged' }>;

describe('what a chat is like', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, cem] = await world.people('Ann', 'Bob', 'Cem');
  });
  after(() => world.stop());

  const update = async (person: Person, input: UpdateChatInput) => (await person.api.updateChat({ input })).updateChat.chat;
  const settle = async (person: Person, input: UpdateChatSettingsInput) => (await person.api.updateChatSettings({ input })).updateChatSettings.chat.viewerState!;
  const head = async (person: Person, chatId: string) => (await person.api.chat({ id: chatId })).chat!.eventCursor;

  describe('for all', () => {
    it('those who run it change it: event, history, and what was left out stays', async () => {
      const chatId = await world.groupChat(ann, [bob], 'Old');
      const events = bob.client.chatEvents(chatId, await head(bob, chatId));
      const changed = await update(ann, { chatId, title: '  New  ', messageTtlSeconds: 60, slowModeSeconds: 30 });
      assert.deepEqual([changed.title, changed.messageTtlSeconds, changed.slowModeSeconds], ['New', 60, 30]);
      const seen = await take(events, 3);
      assert.deepEqual(seen.map((event) => event.__typename), ['ChatUpdated', 'MessageSent', 'MessageSent']);
      assert.ok(seen[0]!.__typename === 'ChatUpdated' && seen[0].chat.title === 'New');
      const { chat } = await bob.api.chatMessages({ id: chatId, last: 5 });
      assert.deepEqual(chat!.messages.edges.map(({ node }) => [node.system?.action, node.system?.value]), [['TITLE_CHANGED', 'New'], ['MESSAGE_TTL_CHANGED', '60']]);
      const again = await update(ann, { chatId, messageTtlSeconds: null });
      assert.deepEqual([again.title, again.messageTtlSeconds, again.slowModeSeconds], ['New', null, 30]);
      assert.equal((await update(ann, { chatId, title: null })).title, null);
      events.close();
    });

    it('a repeat changes nothing and tells nobody', async () => {
      const chatId = await world.groupChat(ann, [bob], 'Same');
      const before = await head(bob, chatId);
      await update(ann, { chatId, title: 'Same', slowModeSeconds: 0 });
      await update(ann, { chatId });
      assert.equal(await head(bob, chatId), before);
    });

    it('slow mode holds from the next message on', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      await world.say(bob, chatId, 'one');
      await update(ann, { chatId, slowModeSeconds: 60 });
      await world.say(bob, chatId, 'two');
      await fails(world.say(bob, chatId, 'three'), 'SLOW_MODE');
      await update(ann, { chatId, slowModeSeconds: 0 });
      await world.say(bob, chatId, 'four');
    });

    it('is not for members, nor for outsiders, nor beyond bounds', async () => {
      const chatId = await world.groupChat(ann, [bob], 'Kept');
      const before = await head(ann, chatId);
      await fails(update(bob, { chatId, title: 'x' }), 'FORBIDDEN');
      await fails(update(cem, { chatId, title: 'x' }), 'NOT_FOUND');
      const bad: [Partial<UpdateChatInput>, string][] = [
        [{ title: '' }, 'title'],
        [{ title: 'x'.repeat(257) }, 'title'],
        [{ title: 'a\nb' }, 'title'],
        [{ avatarUrl: 'javascript:alert(1)' }, 'avatarUrl'],
        [{ avatarUrl: 'https://user:secret@example.com/a.png' }, 'avatarUrl'],
        [{ slowModeSeconds: -1 }, 'slowModeSeconds'],
        [{ slowModeSeconds: 3_601 }, 'slowModeSeconds'],
        [{ messageTtlSeconds: 4 }, 'messageTtlSeconds'],
        [{ messageTtlSeconds: 31_536_001 }, 'messageTtlSeconds'],
      ];
      for (const [change, field] of bad) await fails(update(ann, { chatId, title: 'y', ...change }), 'INVALID_INPUT', field);
      assert.equal(await head(ann, chatId), before);
    });

    it('in a direct chat either lets messages disappear; there is nothing else to change, and nothing across a block', async () => {
      const chatId = await world.directChat(ann, bob);
      assert.equal((await update(bob, { chatId, messageTtlSeconds: 3_600 })).messageTtlSeconds, 3_600);
      await fails(update(ann, { chatId, title: 'x' }), 'INVALID_INPUT', 'title');
      await fails(update(ann, { chatId, slowModeSeconds: 5 }), 'INVALID_INPUT', 'slowModeSeconds');
      await bob.api.blockUser({ input: { userId: ann.id } });
      await fails(update(ann, { chatId, messageTtlSeconds: null }), 'BLOCKED');
      await bob.api.unblockUser({ input: { userId: ann.id } });
    });

    it('a repeat of what made a chat, a group or a whiteboard tells nothing more to who is not in it any more', async () => {
      const chat = { kind: 'GROUP' as const, memberIds: [bob.id], title: 'Ours', idempotencyKey: world.key() };
      const { id: chatId } = (await ann.api.createChat({ input: chat })).createChat.chat;
      const board = { chatId, title: 'Plans', idempotencyKey: world.key() };
      await bob.api.createWhiteboard({ input: board });
      await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
      await fails(bob.api.createWhiteboard({ input: board }), 'NOT_FOUND');
      await ann.api.addChatMembers({ input: { chatId, memberIds: [cem.id] } });
      await ann.api.leaveChat({ input: { chatId } });
      await update(cem, { chatId, title: 'Without Ann' });
      await fails(ann.api.createChat({ input: chat }), 'NOT_FOUND');
      const group = { name: 'Ours', visibility: 'SECRET', joinPolicy: 'INVITE', idempotencyKey: world.key() } as const;
      const { id: groupId } = (await ann.api.createGroup({ input: group })).createGroup.group;
      await ann.api.addGroupMembers({ input: { groupId, userIds: [bob.id] } });
      await ann.api.leaveGroup({ input: { groupId } });
      await fails(ann.api.createGroup({ input: group }), 'NOT_FOUND');
    });

    it('nobody is brought across a block into a chat', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      await cem.api.blockUser({ input: { userId: ann.id } });
      await fails(ann.api.addChatMembers({ input: { chatId, memberIds: [cem.id] } }), 'BLOCKED', 'memberIds');
      await fails(world.groupChat(ann, [cem]), 'BLOCKED', 'memberIds');
      await fails(world.directChat(ann, cem), 'BLOCKED', 'memberIds');
      assert.equal((await ann.api.chat({ id: chatId })).chat!.memberCount, 2);
      await cem.api.unblockUser({ input: { userId: ann.id } });
    });
  });

  describe('for oneself', () => {
    it('settings are one’s own, and follow to other devices', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const { viewer } = await bob.api.viewer();
      const inbox = world.client(bob.accessToken).inboxEvents([viewer!.eventCursor]);
      const state = await settle(bob, { chatId, muted: true, pinned: true, draft: 'Dear all,\n' });
      assert.deepEqual([state.muted, state.mutedUntil, state.pinned, state.archived, state.draft], [true, null, true, false, 'Dear all,']);
      await settle(bob, { chatId, archived: true, pinned: false });
      await settle(bob, { chatId, archived: true }); // nothing new: tells nobody
      await settle(bob, { chatId, draft: null, muted: false });
      const told = (await take(inbox, 3)) as Settings[];
      // Each tells what is so when it is delivered: the last is what holds.
      assert.deepEqual(told.map((event) => [event.__typename, event.chatId]), [...Array(3)].map(() => ['ChatSettingsChanged', chatId]));
      const { draftUpdatedAt, ...last } = told[2]!.settings!;
      assert.deepEqual(last, { muted: false, mutedUntil: null, pinned: false, archived: true, draft: null });
      assert.ok(draftUpdatedAt);
      const other = (await ann.api.chatLine({ id: chatId })).chat!.viewerState!;
      assert.deepEqual([other.muted, other.pinned, other.archived, other.draft], [false, false, false, null]);
      inbox.close();
    });

    it('muting ends by its time', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const until = new Date(world.clock.now().getTime() + 60_000).toISOString();
      const muted = await settle(bob, { chatId, mutedUntil: until });
      assert.deepEqual([muted.muted, muted.mutedUntil], [true, until]);
      world.clock.advance(60_000);
      const { chat } = await bob.api.chatLine({ id: chatId });
      assert.deepEqual([chat!.viewerState!.muted, chat!.viewerState!.mutedUntil], [false, null]);
      await fails(settle(bob, { chatId, muted: false, mutedUntil: until }), 'INVALID_INPUT', 'mutedUntil');
    });

    it('a draft holds 16 KiB; a larger one, and settings of a chat one is not in, change nothing', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      await settle(bob, { chatId, draft: 'ü'.repeat(8 * 1024) });
      await fails(settle(bob, { chatId, draft: 'ü'.repeat(8 * 1024) + 'x', pinned: true }), 'INVALID_INPUT', 'draft');
      await fails(settle(cem, { chatId, pinned: true }), 'NOT_FOUND');
      const { chat } = await bob.api.chatLine({ id: chatId });
      assert.deepEqual([chat!.viewerState!.draft!.length, chat!.viewerState!.pinned], [8 * 1024, false]);
    });

    it('at most twenty chats are pinned, also when all are pinned at once', async () => {
      const dee = await world.person('Dee');
      const ids: string[] = [];
      for (let index = 0; index < 24; index++) ids.push(await world.groupChat(dee, []));
      const results = await Promise.allSettled(ids.map((chatId) => settle(dee, { chatId, pinned: true })));
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'LIMIT_REACHED');
      const { viewer } = await dee.api.viewerChats({ filter: { pinned: true }, first: 100 });
      assert.equal(viewer!.chats.edges.length, 20);
    });

    it('two changes in one request each answer what they have made', async () => {
      const chatId = await world.groupChat(ann, [bob]);
      const answer = await bob.client.request<{ a: { chat: { viewerState: object } }; b: { chat: { viewerState: object } } }, { chatId: string }>(
        `mutation ($chatId: ID!) {
           a: updateChatSettings(input: { chatId: $chatId, pinned: true }) { chat { viewerState { pinned archived } } }
           b: updateChatSettings(input: { chatId: $chatId, archived: true }) { chat { viewerState { pinned archived } } }
         }`,
        { chatId },
      );
      assert.deepEqual([answer.a.chat.viewerState, answer.b.chat.viewerState], [{ pinned: true, archived: false }, { pinned: true, archived: true }]);
    });
  });
});
