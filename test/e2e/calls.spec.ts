import assert from 'node:assert/strict';
import { logOf, Seat, startCall } from '../testkit/calls.js';
import { eventually, fails, take, within, World, type Person } from '../testkit/world.js';

describe('a call between two', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  beforeEach(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.directChat(ann, bob);
  });
  afterEach(() => world.stop());

  it('rings, is taken, carries what each sends to the other, and stands in both logs', async () => {
    const inbox = bob.client.inboxEvents();
    await within(inbox.next(), 'the checkpoint');
    const callId = await startCall(world, ann, chatId);
    const rung = await take(inbox, 3);
    assert.deepEqual(new Set(rung.map((event) => event.__typename)), new Set(['CallStarted', 'IncomingCall', 'CallLogChanged']));
    assert.equal((await bob.api.activeCall({ chatId })).chat!.activeCall!.state, 'RINGING');

    const a = await Seat.take(ann, callId);
    assert.deepEqual([a.joined.participant.role, a.joined.participant.state, a.joined.producers], ['HOST', 'JOINED', []]);
    const send = await a.transport('SEND');
    const microphone = await a.produce(send);
    const b = await Seat.take(bob, callId);
    assert.deepEqual(b.joined.producers.map(({ id, source }) => [id, source]), [[microphone, 'MICROPHONE']]);
    assert.equal(b.joined.call.state, 'ACTIVE');
    const consumer = await b.consume(await b.transport('RECEIVE'), microphone);
    await bob.api.setConsumerPaused({ input: { callId, consumerId: consumer, paused: false } });
    const camera = await b.produce(await b.transport('SEND'), 'CAMERA');

    const heard = await a.take(4);
    assert.deepEqual(heard.map((event) => event.__typename), ['ProducerAdded', 'ParticipantJoined', 'CallUpdated', 'ProducerAdded']);
    const ringEnded = await take(inbox, 2);
    assert.deepEqual(ringEnded.map((event) => event.__typename).sort(), ['CallLogChanged', 'CallRingEnded']);
    await a.consume(await a.transport('RECEIVE'), camera);

    await eventually(async () => world.media[0]!.rooms().consumers === 2, 'each receives the other');
    world.clock.advance(61_000);
    await b.leave();
    const [left, ended] = await a.take(2);
    assert.deepEqual([left!.__typename, ended!.__typename], ['ParticipantLeft', 'CallEnded']);
    assert.equal((await within(a.events.next(), 'the end')).done, true);

    const { call } = await ann.api.call({ id: callId });
    assert.deepEqual([call!.state, call!.endReason], ['ENDED', 'HUNG_UP']);
    assert.equal((await ann.api.activeCall({ chatId })).chat!.activeCall, null);
    await eventually(async () => (await logOf(ann))[0]!.quality != null, 'quality is kept');
    const [of_ann] = await logOf(ann);
    const [of_bob] = await logOf(bob);
    assert.deepEqual([of_ann!.direction, of_ann!.outcome, of_bob!.direction, of_bob!.outcome], ['OUTGOING', 'ANSWERED', 'INCOMING', 'ANSWERED']);
    for (const entry of [of_ann!, of_bob!]) {
      assert.ok(entry.durationSeconds >= 61 && entry.durationSeconds <= 65, String(entry.durationSeconds));
      assert.deepEqual(entry.quality, { loss: 0.01, roundTripMs: 20, score: 9 });
    }
    const counts = world.media[0]!.rooms();
    assert.deepEqual([counts.rooms, counts.peers, counts.transports, counts.producers, counts.consumers], [0, 0, 0, 0, 0]);
    await fails(ann.api.joinCall({ input: { callId } }), 'STATE_CONFLICT');
  });
});
