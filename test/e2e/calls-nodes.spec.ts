import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { apiMedia } from '../testkit/api-media.js';
import { logOf, Seat, startCall, uuidOf } from '../testkit/calls.js';
import { MediaError } from '../../src/media/contract.js';
import { workerBinary } from '../testkit/media.js';
import { ClientWorker } from '../testkit/rtc.js';
import { ServerProcess } from '../testkit/server-process.js';
import { isMediaWorker, mediaWorkersOf } from '../testkit/media-processes.js';
import { VoiceClient } from '../testkit/voice.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

describe('calls over several processes', function () {
  this.timeout(120_000);
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

  it('let go who sits in media alone, because a goodbye was lost, and tell as closed what is not sent any more', async () => {
    await begin();
    const callId = await startCall(world, ann, chatId);
    const a = await Seat.take(ann, callId);
    const b = await Seat.take(bob, callId);
    const microphones = [await a.produce(await a.transport('SEND')), await b.produce(await b.transport('SEND'))];
    await a.until('ProducerAdded', ({ producerId }) => producerId === microphones[1]);
    const [media] = world.media;
    const [roomId, room] = [...media!.open][0]!;
    await media!.join(roomId, randomUUID());
    room.peers.get(uuidOf(b.participantId))!.producers.clear();
    assert.equal((await a.until('ProducerClosed', undefined, 10_000)).producerId, microphones[1]);
    await eventually(() => media!.rooms().peers === 2, 'whom nobody knows is gone', 10_000);
    assert.deepEqual((await world.sql<{ id: string }>('select id from call_producers')).map(({ id }) => id), [uuidOf(microphones[0]!)]);
    assert.equal(media!.rooms().producers, 1);
  });

  it('find nothing of before at a place that was taken for lost, and is not', async () => {
    await begin();
    const callId = await startCall(world, ann, chatId);
    const a = await Seat.take(ann, callId);
    await a.produce(await a.transport('SEND'));
    // As when its lease has lapsed while PostgreSQL was away, and is renewed by now.
    for (const statement of ['update call_participants set media_node = null', 'update calls set media_node = null', 'delete from call_producers']) await world.sql(statement);
    // Nor does who tries again, after they were seated and media could not be had.
    const [media] = world.media;
    const join = media!.join.bind(media);
    media!.join = async (...args) => {
      media!.join = join;
      throw new MediaError('UNAVAILABLE', `not just now: ${args[1]}`);
    };
    const back = await Seat.take(ann, callId);
    assert.deepEqual([back.participantId, back.joined.own.transports, back.joined.own.producers, back.joined.producers], [a.participantId, [], [], []]);
    const { peers, transports, producers } = world.media[0]!.rooms();
    assert.deepEqual([peers, transports, producers], [1, 0, 0]);
    assert.deepEqual(await world.sql('select media_node is not null as placed from call_participants where device is not null'), [{ placed: true }]);
  });

  it('are carried where the first who joins is, by whoever has the most room there', async () => {
    await begin({ nodes: 4, configOf: (node) => ({ MEDIA_REGION: node < 2 ? 'east' : 'west', MEDIA_WORKERS: node === 3 ? 4 : 1 }) });
    const peers = () => world.media.map((media) => media.rooms().peers);
    const callers = await Promise.all(Array.from({ length: 17 }, (_, n) => world.person(`Caller${n}`)));
    const calls: { person: Person; callId: string }[] = [];
    for (const person of callers) calls.push({ person, callId: await startCall(world, person, await world.directChat(person, bob), { ring: false }) });
    const join = async (count: number, region: string | null) => {
      for (const { person, callId } of calls.splice(0, count)) await person.api.joinCall({ input: { callId, region } });
    };
    // Unasked, where the process is that answers: theirs is node 0.
    await join(1, null);
    assert.deepEqual(peers(), [1, 0, 0, 0]);
    // Asked for, in the other region: whoever has the most room for a worker, of the two there.
    await join(10, 'west');
    assert.deepEqual(peers(), [1, 0, 2, 8]);
    // At home, until another has clearly more room.
    await join(5, 'east');
    assert.deepEqual(peers(), [5, 1, 2, 8]);
    // A region without media: farther is better than nowhere.
    world.media[2]!.available = world.media[3]!.available = { state: 'unavailable', remedy: 'no worker here' };
    await eventually(async () => (await world.sql('select from call_nodes where media')).length === 2, 'it is known');
    const [{ person, callId }] = calls as [(typeof calls)[number]];
    await fails(person.api.joinCall({ input: { callId, region: 'West End' } }), 'INVALID_INPUT');
    await join(1, 'west');
    assert.deepEqual(peers().slice(2), [2, 8]);
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

  it('are given to no process that stops, which has the most room of all once it has handed on what it had', async () => {
    await begin({ configOf: () => ({ MEDIA_WORKERS: 1 }) });
    const crowd = await Promise.all(Array.from({ length: 6 }, (_, n) => world.person(`Caller${n}`, 1)));
    const theirs = await startCall(world, crowd[0]!, await world.groupChat(crowd[0]!, crowd.slice(1)), { ring: false });
    for (const person of crowd) await person.api.joinCall({ input: { callId: theirs } });
    const callId = await startCall(world, ann, chatId);
    await Seat.take(ann, callId);
    const b = await Seat.take(bob, callId);
    assert.deepEqual(world.media.map((media) => media.rooms().peers), [2, 6]);
    const stopping = world.apps[0]!.stop();
    await b.until('CallMediaReset');
    const { joinCall } = await bob.api.joinCall({ input: { callId } });
    assert.deepEqual([joinCall.participant.id, world.media[1]!.rooms().peers], [b.participantId, 7]);
    await stopping;
    const places = await world.apps[1]!.container.db.sql<{ node: string | null }>(`select distinct media_node as node from call_participants where state = 'JOINED' and media_node is not null`);
    assert.deepEqual(places, [{ node: world.apps[1]!.container.calls.node.id }]);
  });

  it('are told of a stop by SIGTERM while their connections stand, and found again by the next start; no worker is left behind', async () => {
    const devices = await ClientWorker.start(workerBinary());
    world = await World.start({ settings: { HEARTBEAT: '1', REDIS_URL: process.env['TEST_REDIS_URL']! } });
    // Alone, that process carries calls.
    world.media[0]!.available = { state: 'unavailable', remedy: 'not here' };
    const settings = { CALLS: 'true', MEDIA_WORKERS: '2', MEDIA_PORT: '0', HEARTBEAT: '1', DRAIN: '5' };
    let process_ = await ServerProcess.start(world, settings);
    const clientOf = (person: Person) => {
      const client = person.client.at(`${process_.url}/graphql`);
      return { client, api: client.api };
    };
    try {
      [ann, bob] = await world.people('Ann', 'Bob');
      chatId = await world.groupChat(ann, [bob]);
      const annThere = clientOf(ann);
      const callId = (await annThere.api.startCall({ input: { chatId, kind: 'VOICE', ring: false, idempotencyKey: world.key() } })).startCall.call.id;
      const a = await Seat.take(annThere, callId);
      const device = await devices.join(apiMedia(a), callId, { peerId: a.participantId });
      const hush = (await device.send('opus')).stream();
      const voice = await VoiceClient.join({ apps: [process_] }, bob.accessToken, callId);
      await eventually(() => voice.frames.length > 5, 'he hears her');
      await a.linked(world);
      const workers = mediaWorkersOf(process_.pid);
      assert.equal(workers.length, 2);
      process_.signal('SIGTERM');
      const told = await a.until('CallMediaReset'); // by the stream that stands still
      assert.equal(told.call.state, 'ACTIVE');
      assert.deepEqual((await within(voice.closed, 'the end of his socket')).code, 1012);
      assert.equal(await within(process_.exited, 'the end of the process', 15_000), 0);
      hush();
      assert.deepEqual(workers.filter(isMediaWorker), []);
      await annThere.client.close();
      assert.deepEqual(await world.sql('select from call_producers'), []);

      process_ = await ServerProcess.start(world, settings);
      const again = clientOf(ann);
      const back = await Seat.take(again, callId);
      assert.deepEqual([back.participantId, back.joined.call.state, back.joined.own.producers], [a.participantId, 'ACTIVE', []]);
      await (await devices.join(apiMedia(back), callId, { peerId: back.participantId })).send('opus');
      const his = await VoiceClient.join({ apps: [process_] }, bob.accessToken, callId);
      await eventually(() => his.is('stream') !== undefined, 'he hears her again');
      await again.api.endCall({ input: { callId } });
      assert.equal((await within(his.closed, 'the end')).code, 4404);
      await again.client.close();
      assert.deepEqual((await Promise.all([ann, bob].map(logOf))).map(([entry]) => entry!.outcome), ['ANSWERED', 'ANSWERED']);
    } finally {
      await process_.kill();
      await devices.stop();
    }
  });

  it('are right in the log when their process is killed: ended as of when it was last seen, and how it was until then', async () => {
    const devices = await ClientWorker.start(workerBinary());
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
      const talk = await Promise.all([a, b].map(async (seat) => (await (await devices.join(apiMedia(seat), callId, { peerId: seat.participantId })).send('opus')).stream()));
      await eventually(async () => (await world.sql('select from call_participants where quality is not null')).length === 2, 'how they are is measured', 15_000);
      // It lasts: the log does not say yet how it was.
      assert.deepEqual((await logOf(ann)).map(({ outcome, quality }) => [outcome, quality ?? null]), [['ONGOING', null]]);
      const killedAt = Date.now();
      await process_.kill();
      for (const stop of talk) stop();
      const [{ seenAt }] = (await world.sql<{ seenAt: Date }>('select n.seen_at as "seenAt" from calls c join call_nodes n on n.id = c.media_node')) as [{ seenAt: Date }];
      assert.ok(seenAt.getTime() <= killedAt, `${seenAt.toISOString()} of ${new Date(killedAt).toISOString()}`);
      await Promise.all([annThere.client.close(), bobThere.client.close()]);
      await eventually(async () => (await world.sql('select from call_participants where lost_at is not null')).length === 2, 'both are lost', 15_000);
      world.clock.advance(31_000);
      await eventually(async () => (await ann.api.call({ id: callId })).call!.state === 'ENDED', 'the call is over');
      const { call } = await ann.api.call({ id: callId });
      assert.deepEqual([call!.endReason, call!.endedAt], ['LOST', seenAt.toISOString()]);
      for (const person of [ann, bob]) {
        const [entry] = await logOf(person);
        assert.deepEqual([entry!.outcome, entry!.endedAt], ['ANSWERED', seenAt.toISOString()]);
        assert.equal(entry!.durationSeconds, Math.round((seenAt.getTime() - Date.parse(call!.answeredAt!)) / 1_000));
        const { loss, score } = entry!.quality!;
        assert.ok(loss >= 0 && loss <= 1 && score >= 0 && score <= 10, `${loss} ${score}`);
      }
    } finally {
      await process_.kill();
      await devices.stop();
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
