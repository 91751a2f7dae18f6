import assert from 'node:assert/strict';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('invite links', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let cem: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, cem] = await world.people('Ann', 'Bob', 'Cem');
  });
  after(() => world.stop());

  const create = async (person: Person, chatId: string, input: { maxUses?: number; expiresAt?: string; idempotencyKey?: string } = {}) =>
    (await person.api.createInviteLink({ input: { chatId, idempotencyKey: world.key(), ...input } })).createInviteLink;
  const join = (person: Person, token: string) => person.api.joinChat({ input: { token } });
  const links = async (person: Person, chatId: string) => (await person.api.inviteLinks({ chatId })).chat!.inviteLinks?.edges.map(({ node }) => ({ id: node.id, uses: node.uses })) ?? null;

  it('let in whoever holds the token, once for a person, and are counted', async () => {
    const chatId = await world.groupChat(ann, []);
    await world.say(ann, chatId, 'before');
    const { inviteLink, token } = await create(ann, chatId);
    assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(inviteLink.createdBy!.id, ann.id);
    const inbox = bob.client.inboxEvents();
    await take(inbox, 1, []);
    const { joinChat } = await join(bob, token);
    assert.equal(joinChat.chat.id, chatId);
    assert.equal(joinChat.chat.memberCount, 2);
    assert.equal(joinChat.chat.viewerState!.role, 'MEMBER');
    assert.deepEqual((await take(inbox, 3)).map((event) => event.__typename).sort(), ['ChatAdded', 'MemberJoined', 'MessageSent']);
    await join(bob, token); // who is in stays in, and uses nothing
    assert.deepEqual(await links(ann, chatId), [{ id: inviteLink.id, uses: 1 }]);
    const { chat } = await bob.api.chatMessages({ id: chatId, last: 10 });
    assert.deepEqual(chat!.messages.edges.map(({ node }) => [node.kind, node.system?.action]), [['SYSTEM', 'MEMBER_JOINED']]);
    inbox.close();
  });

  it('keep the hash of their token alone, yet a repeat of the making answers the same', async () => {
    const chatId = await world.groupChat(ann, []);
    const idempotencyKey = world.key();
    const made = await Promise.all([...Array(5)].map(() => create(ann, chatId, { idempotencyKey })));
    assert.equal(new Set(made.map(({ token }) => token)).size, 1);
    assert.deepEqual(await create(ann, chatId, { idempotencyKey }), made[0]);
    assert.equal((await links(ann, chatId))!.length, 1);
    await fails(create(ann, chatId, { idempotencyKey, maxUses: 1 }), 'IDEMPOTENCY_KEY_REUSED', 'idempotencyKey');
    const [found] = await world.sql<{ stored: string }>(`select (select json_agg(l) from invite_links l)::text || (select json_agg(k) from idempotency_keys k)::text as stored`);
    assert.ok(!found!.stored.includes(made[0]!.token));
  });

  it('end by their time, by use, and by being revoked', async () => {
    const chatId = await world.groupChat(ann, []);
    const once = await create(ann, chatId, { maxUses: 1 });
    await join(bob, once.token);
    await fails(join(cem, once.token), 'LIMIT_REACHED');
    const short = await create(ann, chatId, { expiresAt: new Date(world.clock.now().getTime() + 60_000).toISOString() });
    world.clock.advance(60_000);
    await fails(join(cem, short.token), 'EXPIRED');
    const gone = await create(ann, chatId);
    const { revokeInviteLink } = await ann.api.revokeInviteLink({ input: { inviteLinkId: gone.inviteLink.id } });
    assert.notEqual(revokeInviteLink.inviteLink.revokedAt, null);
    assert.deepEqual(await ann.api.revokeInviteLink({ input: { inviteLinkId: gone.inviteLink.id } }), { revokeInviteLink });
    await fails(join(cem, gone.token), 'NOT_FOUND');
    await fails(join(cem, 'made-up'), 'NOT_FOUND');
    assert.deepEqual((await links(ann, chatId))!.map(({ id }) => id), [short.inviteLink.id, once.inviteLink.id]);
    assert.equal((await ann.api.chat({ id: chatId })).chat!.memberCount, 2);
  });

  it('are made, seen and revoked by those who run the chat', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const { inviteLink } = await create(ann, chatId);
    await fails(create(bob, chatId), 'FORBIDDEN');
    await fails(create(cem, chatId), 'NOT_FOUND');
    await fails(create(ann, await world.directChat(ann, bob)), 'STATE_CONFLICT');
    assert.equal(await links(bob, chatId), null);
    await fails(bob.api.revokeInviteLink({ input: { inviteLinkId: inviteLink.id } }), 'FORBIDDEN');
    await fails(cem.api.revokeInviteLink({ input: { inviteLinkId: inviteLink.id } }), 'NOT_FOUND');
    await fails(create(ann, chatId, { maxUses: 0 }), 'INVALID_INPUT', 'maxUses');
    await fails(create(ann, chatId, { expiresAt: '2020-01-01T00:00:00Z' }), 'INVALID_INPUT', 'expiresAt');
    await fails(cem.api.joinChat({ input: {} }), 'INVALID_INPUT', 'token');
    await fails(cem.api.joinChat({ input: { token: 'x', chatId } }), 'INVALID_INPUT', 'token');
    await fails(cem.api.joinChat({ input: { chatId } }), 'NOT_FOUND');
    assert.equal((await links(ann, chatId))!.length, 1);
  });

  it('of somebody who was removed end with their membership', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    await ann.api.updateChatMemberRole({ input: { chatId, userId: bob.id, role: 'ADMIN' } });
    const { token } = await create(bob, chatId);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    await fails(join(bob, token), 'NOT_FOUND');
    assert.equal((await bob.api.chat({ id: chatId })).chat, null);
  });

  it('with five uses let in exactly five of twenty who come at once', async () => {
    const chatId = await world.groupChat(ann, []);
    const { token, inviteLink } = await create(ann, chatId, { maxUses: 5 });
    const people = await Promise.all([...Array(20)].map((_, index) => world.person(`Comer${index}`)));
    const results = await Promise.allSettled(people.flatMap((person) => [join(person, token), join(person, token)]));
    for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'LIMIT_REACHED');
    const inside = await Promise.all(people.map(async (person) => (await person.api.chat({ id: chatId })).chat !== null));
    assert.equal(inside.filter(Boolean).length, 5);
    assert.equal((await ann.api.chat({ id: chatId })).chat!.memberCount, 6);
    assert.deepEqual(await links(ann, chatId), [{ id: inviteLink.id, uses: 5 }]);
  });
});
