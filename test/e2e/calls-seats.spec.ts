import assert from 'node:assert/strict';
import { logOf, Seat, secondDevice, startCall, uuidOf } from '../testkit/calls.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

describe('seats in a call', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  let callId: string;
  let a: Seat;
  beforeEach(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    chatId = await world.groupChat(ann, [bob, carol]);
    callId = await startCall(world, bob, chatId, { ring: false });
    a = await Seat.take(bob, callId);
    await a.linked(world);
  });
  afterEach(() => world.stop());

  const seated = async () => (await ann.api.callParticipants({ id: callId, states: ['JOINED'] })).call!.participants.edges.map(({ node }) => node);

  it('are one a person: another device is refused, or takes over, and both at once are one', async () => {
    const laptop = await secondDevice(world, 'carol');
    const results = await Promise.allSettled([carol.api.joinCall({ input: { callId } }), laptop.api.joinCall({ input: { callId } })]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await seated()).length, 2);
    const [first, second] = results[0]!.status === 'fulfilled' ? [carol, laptop] : [laptop, carol];
    const here = await Seat.take(first, callId);
    const send = await here.transport('SEND');
    await here.produce(send);
    await fails(second.api.joinCall({ input: { callId } }), 'STATE_CONFLICT', 'takeOver');
    await fails(second.api.createTransport({ input: { callId, direction: 'SEND' } }), 'STATE_CONFLICT');
    await fails(second.api.leaveCall({ input: { callId } }), 'STATE_CONFLICT');

    const there = await Seat.take(second, callId, { takeOver: true });
    assert.equal(there.participantId, here.participantId);
    await here.until('ParticipantMoved');
    const ended = await within(here.events.next().then(() => null, (error: { code?: string }) => error.code), 'the end');
    assert.equal(ended, 'ACCESS_REVOKED');
    await a.until('ProducerClosed');
    await a.until('ParticipantMoved');
    await fails(first.api.createTransport({ input: { callId, direction: 'SEND' } }), 'STATE_CONFLICT');
    await there.transport('SEND');
    assert.equal(world.media[0]!.rooms().transports, 1);
  });

  it('are come back to with the same device: the same transports, producers and consumers, of data too', async () => {
    const c = await Seat.take(carol, callId);
    const send = await c.transport('SEND');
    const producer = await c.produce(send);
    const camera = await a.produce(await a.transport('SEND'), 'CAMERA');
    const consumer = await c.consume(await c.transport('RECEIVE'), camera);
    const { producer: channel } = (await bob.api.produceData({ input: { callId, transportId: await a.transport('SEND', true), sctpStreamParameters: { streamId: 0 }, label: 'chat' } })).produceData;
    const dataTransport = await c.transport('RECEIVE', true);
    const follow = async () => (await carol.api.consumeData({ input: { callId, transportId: dataTransport, dataProducerId: channel.id } })).consumeData.dataConsumer.id;
    const followed = await follow();
    assert.equal(await follow(), followed, 'asked for twice it is the same');
    c.events.close();
    await eventually(async () => (await seated()).some(({ name, connected }) => name === 'Carol' && !connected), 'she is lost');
    const lost = await a.until('ParticipantUpdated');
    assert.deepEqual([lost.participant.name, lost.participant.connected, lost.participant.state], ['Carol', false, 'JOINED']);
    world.clock.advance(25_000);
    const back = await Seat.take(carol, callId);
    assert.equal(back.participantId, c.participantId);
    assert.deepEqual(back.joined.own.producers.map(({ id }) => id), [producer]);
    assert.deepEqual(back.joined.own.consumers.map(({ id }) => id), [consumer]);
    assert.deepEqual(back.joined.own.dataConsumers.map(({ id, label }) => [id, label]), [[followed, 'chat']]);
    assert.equal(back.joined.own.transports.length, 3);
    await carol.api.restartIce({ input: { callId, transportId: send } });
    assert.equal((await a.until('ParticipantUpdated')).participant.connected, true);
    world.clock.advance(31_000);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.equal((await seated()).length, 2);
  });

  it('are given up after 30 seconds, as of when the connection was lost', async () => {
    const c = await Seat.take(carol, callId);
    await c.linked(world);
    await c.produce(await c.transport('SEND'));
    world.clock.advance(10_000);
    c.events.close();
    await eventually(async () => (await seated()).some(({ name, connected }) => name === 'Carol' && !connected), 'she is lost');
    world.clock.advance(29_000);
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal((await seated()).length, 2);
    world.clock.advance(2_000);
    const left = await a.until('ParticipantLeft');
    assert.equal(left.participant.name, 'Carol');
    await eventually(() => world.media[0]!.rooms().peers === 1, 'her media is closed');
    const [entry] = await logOf(carol);
    assert.equal(entry!.outcome, 'ANSWERED');
    assert.ok(entry!.durationSeconds >= 10 && entry!.durationSeconds <= 13, String(entry!.durationSeconds));
    const late = carol.client.callEvents(callId, c.joined.cursor);
    assert.equal(await within(late.next().then(() => null, (error: { code?: string }) => error.code), 'the answer'), 'ACCESS_REVOKED');
    const again = await Seat.take(carol, callId);
    assert.deepEqual([again.participantId, again.joined.own.transports], [c.participantId, []]);
    again.events.close();
    again.follow(c.joined.cursor);
    await again.until('ParticipantLeft'); // of the first stay: it does not end this one
    assert.equal((await again.until('ParticipantJoined')).participantId, c.participantId);
  });

  it('of somebody who never follows the call are given up too, and the last one’s ends it', async () => {
    a.events.close();
    await eventually(async () => (await world.sql('select from call_participants where seat_until is not null')).length === 1, 'he is lost');
    world.clock.advance(31_000);
    await eventually(async () => (await ann.api.call({ id: callId })).call!.state === 'ENDED', 'the call is over');
    assert.equal((await ann.api.call({ id: callId })).call!.endReason, 'LOST');
  });

  it('are let in from the lobby by the host; who waits hears nothing of the others', async () => {
    await bob.api.updateCall({ input: { callId, lobby: true } });
    const c = await Seat.take(carol, callId);
    assert.deepEqual([c.joined.participant.state, c.joined.rtpCapabilities ?? null, c.joined.producers], ['WAITING', null, []]);
    assert.equal((await a.until('ParticipantWaiting')).participantId, c.participantId);
    await fails(carol.api.createTransport({ input: { callId, direction: 'SEND' } }), 'FORBIDDEN');
    const seen = (await carol.api.callParticipants({ id: callId })).call!.participants.edges.map(({ node }) => node.name);
    assert.deepEqual(seen, ['Carol']);
    await a.produce(await a.transport('SEND'));
    await fails(carol.api.admitParticipant({ input: { callId, participantId: c.participantId } }), 'FORBIDDEN');
    const { participant } = (await bob.api.admitParticipant({ input: { callId, participantId: c.participantId } })).admitParticipant;
    assert.equal(participant.state, 'JOINED');
    const admitted = (await c.take(1))[0]!; // nothing of the producer before it
    assert.equal(admitted.__typename, 'ParticipantAdmitted');
    const inside = (await carol.api.joinCall({ input: { callId } })).joinCall;
    assert.deepEqual([inside.participant.state, inside.producers.length], ['JOINED', 1]);
    await fails(bob.api.admitParticipant({ input: { callId, participantId: `cpt_${'0'.repeat(32)}` } }), 'NOT_FOUND', 'participantId');
    // Whoever runs the chat does not wait.
    assert.equal((await Seat.take(ann, callId)).joined.participant.state, 'JOINED');
  });

  it('are taken away by the host: media ends, the stream ends, and there is no way back but a ring', async () => {
    const c = await Seat.take(carol, callId);
    await c.produce(await c.transport('SEND'));
    await fails(carol.api.removeParticipant({ input: { callId, participantId: a.participantId } }), 'FORBIDDEN');
    await fails(bob.api.removeParticipant({ input: { callId, participantId: a.participantId } }), 'STATE_CONFLICT', 'participantId');
    await bob.api.removeParticipant({ input: { callId, participantId: c.participantId } });
    await c.until('ParticipantRemoved');
    assert.equal(await within(c.events.next().then(() => null, (error: { code?: string }) => error.code), 'the end'), 'ACCESS_REVOKED');
    assert.deepEqual([world.media[0]!.rooms().peers, world.media[0]!.rooms().transports], [1, 0]);
    await fails(carol.api.createTransport({ input: { callId, direction: 'SEND' } }), 'FORBIDDEN');
    await fails(carol.api.joinCall({ input: { callId } }), 'FORBIDDEN');
    await bob.api.ringCall({ input: { callId, userIds: [carol.id] } });
    await Seat.take(carol, callId);
    assert.equal((await seated()).length, 2);
  });

  it('end with the membership of the chat', async () => {
    const c = await Seat.take(carol, callId);
    await ann.api.removeChatMember({ input: { chatId, userId: carol.id } });
    await c.until('ParticipantRemoved');
    await fails(carol.api.joinCall({ input: { callId } }), 'NOT_FOUND');
    await eventually(() => world.media[0]!.rooms().peers === 1, 'her media is closed');
  });

  it('can not be taken in a locked call, but by who is rung', async () => {
    await fails(carol.api.updateCall({ input: { callId, locked: true } }), 'FORBIDDEN');
    assert.equal((await ann.api.updateCall({ input: { callId, locked: true } })).updateCall.call.locked, true);
    assert.equal((await a.until('CallUpdated')).call.locked, true);
    await fails(carol.api.joinCall({ input: { callId } }), 'FORBIDDEN');
    await bob.api.ringCall({ input: { callId, userIds: [carol.id] } });
    await Seat.take(carol, callId);
    const before = await world.sql('select head from streams where id = $1', [`call:${uuidOf(callId)}`]);
    await bob.api.updateCall({ input: { callId, locked: true } });
    assert.deepEqual(await world.sql('select head from streams where id = $1', [`call:${uuidOf(callId)}`]), before, 'what changes nothing tells nobody');
  });

  it('pass the call on when the host leaves, and by the host’s will', async () => {
    const c = await Seat.take(carol, callId);
    const { host } = (await bob.api.transferCallHost({ input: { callId, participantId: c.participantId } })).transferCallHost.call;
    assert.equal(host!.id, c.participantId);
    assert.equal((await a.until('CallHostChanged')).participantId, c.participantId);
    await fails(bob.api.muteParticipant({ input: { callId, participantId: c.participantId } }), 'FORBIDDEN');
    await c.leave();
    assert.equal((await a.until('CallHostChanged')).participantId, a.participantId);
    assert.equal((await within(c.until('ParticipantLeft'), 'left')).participant.state, 'LEFT');
    await carol.api.leaveCall({ input: { callId } }); // a repeat does nothing
    await a.leave();
    assert.equal((await ann.api.call({ id: callId })).call!.endReason, 'HUNG_UP');
  });

  it('are ended for everybody by the host alone', async () => {
    const c = await Seat.take(carol, callId);
    await fails(carol.api.endCall({ input: { callId } }), 'FORBIDDEN');
    assert.equal((await bob.api.endCall({ input: { callId } })).endCall.call.endReason, 'ENDED_BY_HOST');
    await c.until('CallEnded');
    assert.equal((await within(c.events.next(), 'the end')).done, true);
    await fails(bob.api.endCall({ input: { callId } }), 'STATE_CONFLICT');
    const late = carol.client.callEvents(callId, c.joined.cursor); // away as it ended
    const seen: string[] = [];
    for await (const event of late) seen.push(event.__typename);
    assert.equal(seen.at(-1), 'CallEnded');
    assert.equal(world.media[0]!.rooms().rooms, 0);
  });

  it('are followed by those who have one', async () => {
    const code = (stream: AsyncIterator<unknown>) => within(stream.next().then(() => null, (error: { code?: string }) => error.code), 'the answer');
    assert.equal(await code(carol.client.callEvents(callId)), 'FORBIDDEN');
    const stranger = await world.person('Stranger');
    assert.equal(await code(stranger.client.callEvents(callId)), 'NOT_FOUND');
    assert.equal(await code(carol.client.callEvents(`cal_${'0'.repeat(32)}`)), 'NOT_FOUND');
    assert.equal(await code(carol.client.callEvents('nonsense')), 'INVALID_ID');
    assert.equal(await code(bob.client.callEvents(callId, (await bob.api.viewer()).viewer!.eventCursor)), 'INVALID_CURSOR');
    assert.equal(await code((await secondDevice(world, 'bob')).client.callEvents(callId)), 'STATE_CONFLICT');
  });
});
