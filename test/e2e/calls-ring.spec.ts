import assert from 'node:assert/strict';
import type { InboxEvent } from '../../sdk/index.js';
import { logOf, Seat, secondDevice, startCall } from '../testkit/calls.js';
import { eventually, fails, take, within, World, type Person } from '../testkit/world.js';

describe('ringing', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let direct: string;
  let group: string;
  beforeEach(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    direct = await world.directChat(ann, bob);
    group = await world.groupChat(ann, [bob, carol]);
  });
  afterEach(() => world.stop());

  const outcomes = async (...people: Person[]) => Promise.all(people.map(async (person) => (await logOf(person))[0]?.outcome));
  const stateOf = async (callId: string) => (({ call }) => [call!.state, call!.endReason ?? null])(await ann.api.call({ id: callId }));
  async function until<Name extends InboxEvent['__typename']>(inbox: AsyncIterator<InboxEvent>, name: Name): Promise<Extract<InboxEvent, { __typename: Name }>> {
    for (;;) {
      const { value, done } = await within(inbox.next(), name);
      if (done) assert.fail(`no ${name}`);
      if ((value as InboxEvent).__typename === name) return value as Extract<InboxEvent, { __typename: Name }>;
    }
  }
  async function inboxOf(person: Pick<Person, 'client'>) {
    const inbox = person.client.inboxEvents();
    await within(inbox.next(), 'the checkpoint');
    return inbox;
  }

  it('is declined, on all devices, and the call is over', async () => {
    const other = await inboxOf(await secondDevice(world, 'bob'));
    const callId = await startCall(world, ann, direct);
    assert.equal((await until(other, 'IncomingCall')).call.state, 'RINGING');
    const seat = await Seat.take(ann, callId);
    assert.equal((await bob.api.declineCall({ input: { callId } })).declineCall.call.state, 'ENDED');
    assert.equal((await until(other, 'CallRingEnded')).endReason, 'DECLINED');
    await seat.until('CallEnded');
    assert.deepEqual(await stateOf(callId), ['ENDED', 'DECLINED']);
    assert.deepEqual(await outcomes(ann, bob), ['DECLINED', 'DECLINED']);
    await fails(bob.api.declineCall({ input: { callId } }), 'STATE_CONFLICT');
    assert.equal(world.media[0]!.rooms().rooms, 0);
  });

  it('is answered on one device, and ends on the other', async () => {
    const other = await inboxOf(await secondDevice(world, 'bob'));
    const callId = await startCall(world, ann, direct);
    await Seat.take(bob, callId);
    assert.equal((await until(other, 'CallRingEnded')).endReason, 'ANSWERED');
    assert.deepEqual(await stateOf(callId), ['ACTIVE', null]);
  });

  it('is missed after 45 seconds', async () => {
    const inbox = await inboxOf(bob);
    const callId = await startCall(world, ann, direct);
    const seat = await Seat.take(ann, callId);
    await seat.linked(world);
    world.clock.advance(25_000);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal((await stateOf(callId))[0], 'RINGING');
    world.clock.advance(20_500);
    assert.equal((await until(inbox, 'CallRingEnded')).endReason, 'MISSED');
    await seat.until('CallEnded');
    assert.deepEqual(await stateOf(callId), ['ENDED', 'MISSED']);
    assert.deepEqual(await outcomes(ann, bob), ['UNANSWERED', 'MISSED']);
    assert.deepEqual((await logOf(ann)).map(({ durationSeconds }) => durationSeconds), [0]);
  });

  it('is called off by whoever rang', async () => {
    const inbox = await inboxOf(bob);
    const callId = await startCall(world, ann, direct);
    await ann.api.leaveCall({ input: { callId } });
    assert.equal((await until(inbox, 'CallRingEnded')).endReason, 'CANCELLED');
    assert.deepEqual(await stateOf(callId), ['ENDED', 'CANCELLED']);
    assert.deepEqual(await outcomes(ann, bob), ['CANCELLED', 'MISSED']);
  });

  it('does not disturb whoever is in a call', async () => {
    const theirs = await startCall(world, bob, group, { ring: false });
    await Seat.take(bob, theirs);
    const inbox = await inboxOf(bob);
    const callId = await startCall(world, ann, direct);
    assert.deepEqual(await stateOf(callId), ['ENDED', 'BUSY']);
    const events = await take(inbox, 3);
    assert.ok(!events.some((event) => event.__typename === 'IncomingCall'), 'it did not ring');
    assert.deepEqual(await outcomes(ann, bob), ['BUSY', 'BUSY']);
  });

  it('rings a group; whoever is left out can join; the call goes on without an answer', async () => {
    const callId = await startCall(world, ann, group, { ringUserIds: [bob.id] });
    await Seat.take(ann, callId);
    assert.deepEqual(await outcomes(ann, bob, carol), ['RINGING', 'RINGING', undefined]);
    const inbox = await inboxOf(ann);
    world.clock.advance(46_000);
    assert.equal((await until(inbox, 'CallLogChanged')).entry?.outcome, 'ONGOING', 'who is in it is told that it rings no more');
    await eventually(async () => (await stateOf(callId))[0] === 'ACTIVE', 'it goes on');
    assert.deepEqual(await outcomes(bob), ['MISSED']);
    const late = await Seat.take(carol, callId);
    assert.equal(late.joined.call.answeredAt !== null, true);
    await Seat.take(bob, callId);
    assert.deepEqual(await outcomes(ann, bob, carol), ['ONGOING', 'ONGOING', 'ONGOING']);
  });

  it('rings nobody for a quiet call, and more people later', async () => {
    const inbox = await inboxOf(bob);
    const callId = await startCall(world, ann, group, { ring: false });
    assert.deepEqual((await take(inbox, 1)).map((event) => event.__typename), ['CallStarted']);
    await fails(bob.api.ringCall({ input: { callId, userIds: [carol.id] } }), 'FORBIDDEN');
    await ann.api.ringCall({ input: { callId, userIds: [bob.id] } });
    assert.equal((await until(inbox, 'IncomingCall')).callId, callId);
    await fails(ann.api.ringCall({ input: { callId, userIds: [bob.id] } }), 'STATE_CONFLICT');
    const stranger = await world.person('Stranger');
    await fails(ann.api.ringCall({ input: { callId, userIds: [stranger.id] } }), 'NOT_FOUND');
  });

  it('has one call a chat, and one call a key', async () => {
    const key = world.key();
    const start = (idempotencyKey: string) => ann.api.startCall({ input: { chatId: direct, kind: 'VOICE', idempotencyKey } });
    const [first, second] = await Promise.all([start(key), start(key)]);
    assert.equal(first.startCall.call.id, second.startCall.call.id);
    await fails(start(world.key()), 'STATE_CONFLICT', 'chatId');
    await fails(bob.api.startCall({ input: { chatId: direct, kind: 'VOICE', idempotencyKey: world.key() } }), 'STATE_CONFLICT');
    await ann.api.endCall({ input: { callId: first.startCall.call.id } });
    assert.notEqual((await start(world.key())).startCall.call.id, first.startCall.call.id);
  });

  it('asks who may: the blocked, strangers, and wrong inputs', async () => {
    const stranger = await world.person('Stranger');
    await fails(startCall(world, stranger, direct), 'NOT_FOUND');
    await fails(startCall(world, ann, direct, { lobby: true }), 'INVALID_INPUT', 'lobby');
    await fails(startCall(world, ann, group, { ring: false, ringUserIds: [bob.id] }), 'INVALID_INPUT', 'ringUserIds');
    await fails(startCall(world, ann, group, { ringUserIds: [stranger.id] }), 'NOT_FOUND', 'ringUserIds');
    await bob.api.blockUser({ input: { userId: ann.id } });
    await fails(startCall(world, ann, direct), 'BLOCKED');
    const callId = await startCall(world, ann, group);
    assert.deepEqual(await outcomes(ann, bob, carol), ['RINGING', undefined, 'RINGING']);
    assert.equal((await stranger.api.call({ id: callId })).call, null);
    await fails(stranger.api.joinCall({ input: { callId } }), 'NOT_FOUND');
    await fails(stranger.api.declineCall({ input: { callId } }), 'NOT_FOUND');
    assert.equal((await world.sql('select from calls')).length, 1);
  });

  it('says why calls can not be had, and changes nothing', async () => {
    world.media[0]!.available = { state: 'unavailable', remedy: 'Run this line: build-the-worker' };
    const error = await fails(startCall(world, ann, direct), 'CALLS_UNAVAILABLE');
    assert.match(error.message, /build-the-worker/);
    assert.equal((await world.sql('select from calls')).length, 0);
  });
});
