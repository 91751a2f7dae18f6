import assert from 'node:assert/strict';
import { logOf, Seat, startCall } from '../testkit/calls.js';
import { ServerProcess } from '../testkit/server-process.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

describe('calls over several processes', function () {
  this.timeout(40_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  afterEach(() => world.stop());

  async function begin(options: Parameters<typeof World.start>[0] = {}): Promise<void> {
    world = await World.start({ nodes: 2, settings: { HEARTBEAT: '1' }, ...options });
    [ann, bob] = [await world.person('Ann', 0), await world.person('Bob', 1)];
    chatId = await world.directChat(ann, bob);
  }

  it('live in the process that opened them, and are reached through any other', async () => {
    await begin();
    const callId = await startCall(world, ann, chatId);
    const a = await Seat.take(ann, callId);
    const b = await Seat.take(bob, callId);
    const microphone = await b.produce(await b.transport('SEND'));
    assert.equal((await a.until('ProducerAdded')).producerId, microphone);
    await a.consume(await a.transport('RECEIVE'), microphone);
    assert.deepEqual([world.media[0]!.rooms().peers, world.media[1]!.rooms().peers], [2, 0]);
    // Media's own words come through, errors as well.
    await fails(bob.api.restartIce({ input: { callId, transportId: `ctr_${'1'.repeat(32)}` } }), 'NOT_FOUND');
    const roomId = (await world.sql<{ id: string }>('select id from calls'))[0]!.id;
    world.media[0]!.emit('audioLevels', { roomId, levels: [] });
    assert.deepEqual((await b.until('CallAudioLevels')).levels, []);
    await b.leave();
    await a.until('CallEnded');
    await eventually(() => world.media[0]!.rooms().rooms === 0, 'the room is closed');
    await eventually(async () => (await logOf(bob))[0]!.quality != null, 'quality came over');
  });

  it('are carried by whoever can', async () => {
    await begin();
    world.media[0]!.available = { state: 'unavailable', remedy: 'no worker here' };
    const callId = await startCall(world, ann, chatId);
    await eventually(async () => (await ann.api.joinCall({ input: { callId } }).then(() => true, () => false)), 'she joins');
    assert.deepEqual([world.media[0]!.rooms().peers, world.media[1]!.rooms().peers], [0, 1]);
  });

  it('move on when their process stops: people are told, find their seats elsewhere, and nothing is left behind', async () => {
    await begin();
    const callId = await startCall(world, ann, chatId);
    const a = await Seat.take(ann, callId);
    const b = await Seat.take(bob, callId);
    await a.produce(await a.transport('SEND'));
    await b.until('ProducerAdded');
    await Promise.all([a.linked(world), b.linked(world)]);
    const stopping = world.apps[0]!.stop();
    await b.until('CallMediaReset');
    const seen = await a.until('CallMediaReset'); // before the connection ends
    assert.equal(seen.call.state, 'ACTIVE');
    await stopping;
    const elsewhere = ann.client.at(`${world.apps[1]!.url}/graphql`);
    const again = await Seat.take({ client: elsewhere, api: elsewhere.api }, callId);
    assert.equal(again.participantId, a.participantId);
    assert.deepEqual(again.joined.own.producers, []);
    await bob.api.joinCall({ input: { callId } });
    const microphone = await again.produce(await again.transport('SEND'));
    assert.equal((await b.until('ProducerAdded')).producerId, microphone);
    assert.equal(world.media[1]!.rooms().peers, 2);
    await elsewhere.close();
  });

  it('are right in the log when their process is killed: ended as of when it was last seen', async () => {
    world = await World.start({ settings: { HEARTBEAT: '1', REDIS_URL: process.env['TEST_REDIS_URL']! } });
    const process_ = await ServerProcess.start(world, { CALLS: 'true', MEDIA_WORKERS: '1', MEDIA_PORT: '0', HEARTBEAT: '1' });
    try {
      [ann, bob] = await world.people('Ann', 'Bob');
      chatId = await world.directChat(ann, bob);
      // Alone, that process carries the call.
      world.media[0]!.available = { state: 'unavailable', remedy: 'not here' };
      const there = (person: Person) => {
        const client = person.client.at(`${process_.url}/graphql`);
        return { client, api: client.api };
      };
      const [annThere, bobThere] = [there(ann), there(bob)];
      const callId = (await annThere.api.startCall({ input: { chatId, kind: 'VOICE', idempotencyKey: world.key() } })).startCall.call.id;
      const [a, b] = [await Seat.take(annThere, callId), await Seat.take(bobThere, callId)];
      assert.ok((a.joined.rtpCapabilities as { codecs: unknown[] }).codecs.length > 3, 'a real worker');
      await Promise.all([a.linked(world), b.linked(world)]);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const killedAt = Date.now();
      await process_.kill();
      await Promise.all([annThere.client.close(), bobThere.client.close()]);
      await eventually(async () => (await world.sql('select from call_participants where lost_at is not null')).length === 2, 'both are lost', 15_000);
      world.clock.advance(31_000);
      await eventually(async () => (await ann.api.call({ id: callId })).call!.state === 'ENDED', 'the call is over');
      const { call } = await ann.api.call({ id: callId });
      assert.equal(call!.endReason, 'LOST');
      assert.ok(Math.abs(Date.parse(call!.endedAt!) - killedAt) < 1_500, `${call!.endedAt} is not when it was killed, ${new Date(killedAt).toISOString()}`);
      for (const person of [ann, bob]) {
        const [entry] = await logOf(person);
        assert.deepEqual([entry!.outcome, Math.abs(Date.parse(entry!.endedAt!) - killedAt) < 1_500], ['ANSWERED', true]);
        assert.ok(entry!.durationSeconds >= 1 && entry!.durationSeconds <= 4, String(entry!.durationSeconds));
      }
    } finally {
      await process_.kill();
    }
  });

  it('go on after it, when people come back in time', async () => {
    world = await World.start({ settings: { HEARTBEAT: '1', REDIS_URL: process.env['TEST_REDIS_URL']! } });
    const process_ = await ServerProcess.start(world, { CALLS: 'true', MEDIA_WORKERS: '1', MEDIA_PORT: '0', HEARTBEAT: '1' });
    try {
      [ann, bob] = await world.people('Ann', 'Bob');
      chatId = await world.groupChat(ann, [bob]);
      world.media[0]!.available = { state: 'unavailable', remedy: 'not here' };
      const client = ann.client.at(`${process_.url}/graphql`);
      const callId = (await client.api.startCall({ input: { chatId, kind: 'VOICE', ring: false, idempotencyKey: world.key() } })).startCall.call.id;
      await Seat.take({ client, api: client.api }, callId);
      const b = await Seat.take(bob, callId); // linked here, carried there
      await process_.kill();
      await client.close();
      world.media[0]!.available = { state: 'ready' };
      await b.until('CallMediaReset');
      const back = await Seat.take(ann, callId);
      assert.equal(back.joined.participant.state, 'JOINED');
      await bob.api.joinCall({ input: { callId } });
      const microphone = await back.produce(await back.transport('SEND'));
      assert.equal((await b.until('ProducerAdded')).producerId, microphone);
    } finally {
      await process_.kill();
    }
  });
});
