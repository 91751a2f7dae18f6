import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { guestOf, Seat, startCall } from '../testkit/calls.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

const SECRET = 'a secret that coturn shares';

describe('guests of a call', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let callId: string;
  let a: Seat;
  beforeEach(async () => {
    world = await World.start({ settings: { TURN_URLS: 'turn:turn.example.com:3478?transport=udp, turns:turn.example.com:5349', TURN_SECRET: SECRET } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
    callId = await startCall(world, ann, chatId, { ring: false });
    a = await Seat.take(ann, callId);
  });
  afterEach(() => world.stop());

  it('join by a token, send and receive, and see of people their names alone', async () => {
    const guest = await guestOf(world, ann, callId, { name: 'Grandma' });
    const g = await Seat.take(guest, callId);
    assert.deepEqual([g.joined.participant.name, g.joined.participant.guest, g.joined.participant.role, g.joined.participant.user ?? null], ['Grandma', true, 'SPEAKER', null]);
    const joined = await a.until('ParticipantJoined');
    assert.deepEqual([joined.participant.name, joined.participant.guest], ['Grandma', true]);
    const producerId = await a.produce(await a.transport('SEND'));
    await g.consume(await g.transport('RECEIVE'), producerId);
    await g.produce(await g.transport('SEND'));
    const added = await g.until('ProducerAdded');
    assert.equal(added.participantId, a.participantId);
    const people = (await guest.api.callParticipants({ id: callId })).call!.participants.edges.map(({ node }) => [node.name, node.user?.id ?? null]);
    assert.deepEqual(people, [['Ann', null], ['Grandma', null]]);
    const shown = await guest.client.request<{ call: object }, { id: string }>('query($id: ID!) { call(id: $id) { chat { title } startedBy { id } host { user { about } name } viewerState { participant { name } } } }', { id: callId });
    assert.deepEqual(shown.call, { chat: null, startedBy: null, host: { user: null, name: 'Ann' }, viewerState: { participant: { name: 'Grandma' } } });
    // The same words, executed for all at once, show a guest less than a member.
    const b = await Seat.take(bob, callId);
    assert.equal((await a.until('ParticipantJoined')).participant.user?.id, bob.id);
    const heard = await g.until('ParticipantJoined');
    assert.deepEqual([heard.participantId, heard.participant.name, heard.participant.user ?? null], [b.participantId, 'Bob', null]);
  });

  it('may do nothing else', async () => {
    const guest = await guestOf(world, ann, callId);
    const elsewhere = await startCall(world, bob, await world.directChat(ann, bob), { ring: false });
    await fails(guest.api.joinCall({ input: { callId: elsewhere } }), 'NOT_FOUND');
    assert.equal((await guest.api.call({ id: elsewhere })).call, null);
    assert.equal((await guest.api.viewer()).viewer, null);
    await fails(guest.api.activeCall({ chatId }), 'UNAUTHENTICATED');
    await fails(guest.api.sendMessage({ input: { chatId, text: 'hello', idempotencyKey: world.key() } }), 'UNAUTHENTICATED');
    await fails(guest.api.startCall({ input: { chatId, kind: 'VOICE', idempotencyKey: world.key() } }), 'UNAUTHENTICATED');
    await fails(guest.api.createCallToken({ input: { callId, name: 'Friend', idempotencyKey: world.key() } }), 'UNAUTHENTICATED');
    await fails(guest.api.user({ id: ann.id }), 'UNAUTHENTICATED');
    const code = (stream: AsyncIterator<unknown>) => within(stream.next().then(() => null, (error: { code?: string }) => error.code), 'the answer');
    assert.equal(await code(guest.client.inboxEvents()), 'UNAUTHENTICATED');
    assert.equal(await code(guest.client.chatEvents(chatId)), 'UNAUTHENTICATED');
    assert.equal(await code(guest.client.typingEvents(chatId)), 'UNAUTHENTICATED');
    await Seat.take(guest, callId);
    for (const act of [
      () => guest.api.updateCall({ input: { callId, locked: true } }),
      () => guest.api.removeParticipant({ input: { callId, participantId: a.participantId } }),
      () => guest.api.muteParticipant({ input: { callId, participantId: a.participantId } }),
      () => guest.api.endCall({ input: { callId } }),
      () => guest.api.ringCall({ input: { callId, userIds: [bob.id] } }),
    ]) await fails(act(), 'FORBIDDEN');
  });

  it('listen where they may not speak, and wait in the lobby unless they are spared it', async () => {
    const listener = await guestOf(world, ann, callId, { role: 'LISTENER' });
    const l = await Seat.take(listener, callId);
    await fails(l.produce(await l.transport('SEND')), 'FORBIDDEN');
    await l.consume(await l.transport('RECEIVE'), await a.produce(await a.transport('SEND')));
    await ann.api.updateCall({ input: { callId, lobby: true } });
    const waiting = await Seat.take(await guestOf(world, ann, callId), callId);
    assert.equal(waiting.joined.participant.state, 'WAITING');
    const spared = await Seat.take(await guestOf(world, ann, callId, { skipLobby: true }), callId);
    assert.equal(spared.joined.participant.state, 'JOINED');
  });

  it('are let in by the host alone, within bounds, and for a while', async () => {
    const create = (person: Person, input: object = {}) => person.api.createCallToken({ input: { callId, name: 'Guest', idempotencyKey: world.key(), ...input } });
    await fails(create(bob), 'FORBIDDEN');
    await fails(create(await world.person('Stranger')), 'NOT_FOUND');
    await fails(create(ann, { role: 'HOST' }), 'INVALID_INPUT', 'role');
    await fails(create(ann, { expiresIn: 5 }), 'INVALID_INPUT', 'expiresIn');
    await fails(create(ann, { name: ' ' }), 'INVALID_INPUT', 'name');
    const key = world.key();
    assert.equal((await create(ann, { idempotencyKey: key })).createCallToken.tokenId, (await create(ann, { idempotencyKey: key })).createCallToken.tokenId);
    const guest = await guestOf(world, ann, callId, { expiresIn: 60 });
    const g = await Seat.take(guest, callId);
    world.clock.advance(61_000);
    await fails(guest.api.leaveCall({ input: { callId } }), 'TOKEN_EXPIRED');
    await eventually(() => g.events.next().then(() => true, () => true), 'the connection ends');
    await fails(world.client(`${guest.token}x`).api.joinCall({ input: { callId } }), 'UNAUTHENTICATED');
  });

  it('are out when their token is revoked, and when the call is over', async () => {
    const guest = await guestOf(world, ann, callId);
    const g = await Seat.take(guest, callId);
    await g.linked(world);
    await fails(bob.api.revokeCallToken({ input: { tokenId: guest.tokenId } }), 'FORBIDDEN');
    await fails(guest.api.revokeCallToken({ input: { tokenId: `ctk_${'0'.repeat(32)}` } }), 'NOT_FOUND', 'tokenId');
    await ann.api.revokeCallToken({ input: { tokenId: guest.tokenId } });
    await g.until('ParticipantRemoved');
    await fails(guest.api.joinCall({ input: { callId } }), 'NOT_FOUND');
    // Also who was not in the call just then, but has been.
    const away = await guestOf(world, ann, callId);
    await (await Seat.take(away, callId)).leave();
    await ann.api.revokeCallToken({ input: { tokenId: away.tokenId } });
    await fails(away.api.joinCall({ input: { callId } }), 'NOT_FOUND');
    await fails(away.api.createTurnCredentials({ input: { callId } }), 'NOT_FOUND');
    assert.equal((await away.api.call({ id: callId })).call, null);
    const other = await guestOf(world, ann, callId);
    await Seat.take(other, callId);
    await a.leave(); // and a guest alone is nobody’s
    assert.equal((await ann.api.call({ id: callId })).call!.state, 'ENDED');
    await fails(other.api.joinCall({ input: { callId } }), 'STATE_CONFLICT');
    assert.equal(world.media[0]!.rooms().peers, 0);
  });

  it('and people get credentials for the TURN server, as coturn checks them', async () => {
    const { createTurnCredentials: mine } = await ann.api.createTurnCredentials({ input: {} });
    assert.deepEqual(mine.urls, ['turn:turn.example.com:3478?transport=udp', 'turns:turn.example.com:5349']);
    const [expires, who] = mine.username.split(':');
    assert.ok(Math.abs(Number(expires) - world.clock.now().getTime() / 1000 - 3_600) < 5);
    assert.equal(who!.replaceAll('-', ''), ann.id.slice(4));
    assert.equal(mine.credential, createHmac('sha1', SECRET).update(mine.username).digest('base64'));
    const guest = await guestOf(world, ann, callId);
    await fails(guest.api.createTurnCredentials({ input: {} }), 'FORBIDDEN', 'callId');
    assert.ok((await guest.api.createTurnCredentials({ input: { callId } })).createTurnCredentials.credential);
    const stranger = await world.person('Stranger');
    await fails(stranger.api.createTurnCredentials({ input: { callId } }), 'NOT_FOUND');
  });
});
