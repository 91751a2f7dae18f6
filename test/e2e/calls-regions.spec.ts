import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MediaServer } from '../../src/media/media-server.js';
import { NOBODY } from '../../src/services/actor.js';
import { loseNode } from '../../src/services/calls/call-changes.js';
import { FolderStore } from '../../src/storage/folder-store.js';
import { apiMedia } from '../testkit/api-media.js';
import { Seat, startCall, uuidOf } from '../testkit/calls.js';
import { mediaServer, recordings, workerBinary } from '../testkit/media.js';
import { probe } from '../testkit/probe.js';
import { ClientWorker, type Receiving, type RtcClient, type Sending } from '../testkit/rtc.js';
import { play } from '../testkit/source.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const REGIONS = ['east', 'west', 'west'];
const regions = (node: number) => ({ MEDIA_REGION: REGIONS[node]!, MEDIA_WORKERS: 1 });

describe('a call over two regions', function () {
  this.timeout(60_000);
  let media: MediaServer[];
  let devices: ClientWorker;
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let callId: string;
  before(async () => {
    devices = await ClientWorker.start(workerBinary());
    media = [mediaServer(), mediaServer()];
    await Promise.all(media.map((one) => one.start()));
    world = await World.start({ nodes: 2, settings: { HEARTBEAT: '1' }, media: (node) => media[node]!, store: new FolderStore(recordings), configOf: regions });
    [ann, bob] = [await world.person('Ann', 0), await world.person('Bob', 1)];
    chatId = await world.groupChat(ann, [bob]);
  });
  after(async () => {
    await world?.stop();
    await Promise.all((media ?? []).map((one) => one.close()));
    await devices?.stop();
    rmSync(recordings, { recursive: true, force: true });
  });
  afterEach(async () => {
    if ((await ann.api.call({ id: callId })).call!.state !== 'ENDED') await ann.api.endCall({ input: { callId } });
    devices.vanish();
    await eventually(() => media.every((one) => Object.entries(one.rooms()).every(([what, count]) => what === 'workers' || count === 0)), 'nothing is left on either node');
  });

  const device = (seat: Seat): Promise<RtcClient> => devices.join(apiMedia(seat), callId, { peerId: seat.participantId });
  const arrives = async (sending: Sending, receiving: Receiving): Promise<void> => {
    const before = receiving.packets;
    await eventually(() => {
      sending.sent = 0;
      sending.packet();
      return receiving.packets > before + 2;
    }, 'it arrives');
  };
  async function meet() {
    callId = await startCall(world, ann, chatId, { ring: false });
    const [a, b] = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
    return { a, b, hers: await device(a), his: await device(b) };
  }

  it('seats each near themselves, and each hears the other', async () => {
    const { a, b, hers, his } = await meet();
    assert.deepEqual(media.map((one) => one.rooms().peers), [1, 1]);
    const microphone = await hers.send('opus');
    assert.equal((await b.until('ProducerAdded')).producerId, microphone.id);
    const heard = await his.receive(microphone.id);
    assert.deepEqual([heard.info.peerId, heard.info.source], [a.participantId, 'MICROPHONE']);
    await arrives(microphone, heard);
    const back = await his.send('opus');
    await arrives(back, await hers.receive(back.id));
    assert.deepEqual(media.map((one) => [one.rooms().borrowed, one.rooms().lent]), [[1, 1], [1, 1]]);

    await ann.api.setProducerPaused({ input: { callId, producerId: microphone.id, paused: true } });
    assert.equal((await b.until('CallConsumerChanged', ({ producerPaused }) => producerPaused)).producerId, microphone.id);
    await ann.api.setProducerPaused({ input: { callId, producerId: microphone.id, paused: false } });
    await b.until('CallConsumerChanged', ({ producerPaused }) => !producerPaused);
    await arrives(microphone, heard);

    await ann.api.closeProducer({ input: { callId, producerId: microphone.id } });
    await b.until('ProducerClosed');
    await eventually(() => media[1]!.rooms().consumers === 0 && media[0]!.rooms().lent === 0, 'it ends on both nodes');
    await fails(his.receive(microphone.id), 'NOT_FOUND');
  });

  it('tells who speaks of both at one, and how each was', async () => {
    const { a, b, hers, his } = await meet();
    const [near, far] = [await hers.send('opus'), await his.send('opus')];
    const stops = [near.stream(20, 60), far.stream(20, 10)];
    try {
      for (const seat of [a, b]) {
        const { levels } = await seat.until('CallAudioLevels', (event) => event.levels.length === 2);
        assert.deepEqual(levels.map(({ participantId }) => participantId), [b.participantId, a.participantId]);
        await seat.until('DominantSpeakerChanged', ({ participantId }) => participantId === b.participantId);
      }
      await eventually(async () => (await world.sql('select from call_participants where call_id = $1 and quality is not null', [uuidOf(callId)])).length === 2, 'both are measured', 15_000);
    } finally {
      for (const stop of stops) stop();
    }
  });

  it('records what is said and shown on the other node, before it began and since', async () => {
    const { b, his } = await meet();
    const stops = [await play(await his.send('opus'), 'opus')];
    try {
      await ann.api.startRecording({ input: { callId } });
      await bob.api.consentToRecording({ input: { callId, consent: true } });
      await b.until('CallRecordingChanged', ({ call }) => call.recordingState === 'ON');
      assert.deepEqual(media.map((one) => one.rooms().recordings), [1, 0]);
      stops.push(await play(await his.send('vp8'), 'vp8'));
      await eventually(() => media[0]!.rooms().borrowed === 2, 'both come over', 20_000);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      const { recording } = (await ann.api.stopRecording({ input: { callId } })).stopRecording;
      const { streams } = probe(join(recordings, recording!.file!));
      assert.deepEqual(streams.map(({ codec_type, codec_name }) => `${codec_type} ${codec_name}`).sort(), ['audio opus', 'video vp8']);
      for (const { codec_type, nb_read_packets } of streams) assert.ok(Number(nb_read_packets) > 20, `${nb_read_packets} packets of ${codec_type}`);
      await eventually(() => media[0]!.rooms().borrowed === 0, 'nothing comes over any more');
    } finally {
      for (const stop of stops) stop();
    }
  });

  it('when the worker of one dies, moves its people alone', async () => {
    const { a, b, hers, his } = await meet();
    const [microphone, back] = [await hers.send('opus'), await his.send('opus')];
    await arrives(back, await hers.receive(back.id));
    await arrives(microphone, await his.receive(microphone.id));
    process.kill(media[1]!.room(uuidOf(callId)).spare().live.worker.pid, 'SIGKILL');
    await b.until('CallMediaReset');
    assert.equal((await a.until('ProducerClosed')).producerId, back.id);
    await eventually(() => media[0]!.rooms().borrowed === 0 && media[0]!.rooms().consumers === 0 && media[0]!.rooms().lent === 0, 'what he sent and heard is gone there');
    const again = await Seat.take(bob, callId);
    assert.deepEqual([again.participantId, again.joined.producers.map(({ id }) => id)], [b.participantId, [microphone.id]]);
    const anew = await device(again);
    await arrives(microphone, await anew.receive(microphone.id));
    const renewed = await anew.send('opus');
    const heardAnew = await hers.receive(renewed.id);
    await arrives(renewed, heardAnew);
    assert.deepEqual(media.map((one) => one.rooms().peers), [1, 1]);
    // She was not asked to begin anew.
    const [told] = await a.take(1);
    assert.deepEqual([told!.__typename, (told as { producerId?: string }).producerId], ['ProducerAdded', renewed.id]);
    // Pipes of which nothing was heard would have been given up by now.
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    await arrives(renewed, heardAnew);
    assert.deepEqual(media.map((one) => [one.rooms().lent, one.rooms().borrowed]), [[1, 1], [1, 1]]);
  });
});

describe('where people of a call are seated', function () {
  this.timeout(60_000);
  let world: World;
  let people: Person[];
  let chatId: string;
  const peers = () => world.media.map((media) => media.rooms().peers);
  afterEach(() => world.stop());

  async function begin(settings: Record<string, string> = {}, count = 4): Promise<string> {
    world = await World.start({ nodes: 3, settings: { HEARTBEAT: '1', ...settings }, configOf: regions });
    people = [];
    for (let n = 0; n < count; n++) people.push(await world.person(`Person_${n}`, n % 3));
    chatId = await world.groupChat(people[0]!, people.slice(1));
    return startCall(world, people[0]!, chatId, { ring: false });
  }
  const placeOf = async (seat: Seat) => (await world.sql<{ home: boolean; node: string | null }>('select p.media_node = c.media_node as home, p.media_node as node from call_participants p join calls c on c.id = p.call_id where p.id = $1', [uuidOf(seat.participantId)]))[0]!;

  it('is near them, with those who are there already, and where it was when they come back', async () => {
    const callId = await begin();
    const a = await Seat.take(people[0]!, callId);
    const b = await Seat.take(people[1]!, callId);
    assert.deepEqual([peers()[0], peers()[1]! + peers()[2]!], [1, 1]);
    const west = peers().indexOf(1, 1);
    await Seat.take(people[2]!, callId);
    assert.equal(peers()[west], 2, 'the call has one node in the west');
    // By what they say, not by whom they ask.
    await Seat.take(people[3]!, callId, { region: 'west' });
    assert.deepEqual([peers()[0], peers()[west]], [1, 3]);
    await Seat.take(people[1]!, callId, { region: 'east' });
    assert.deepEqual([peers()[0], peers()[west]], [1, 3], 'who has a seat keeps it');
    assert.deepEqual([(await placeOf(a)).home, (await placeOf(b)).home], [true, false]);
    // Sound of one goes to the other by a pipe: media is told whose it is.
    const microphone = await a.produce(await a.transport('SEND'));
    await b.until('ProducerAdded');
    await b.consume(await b.transport('RECEIVE'), microphone);
    const roomId = uuidOf(callId);
    await eventually(() => world.media[west]!.open.get(roomId)?.elsewhere?.producers.length === 1, 'it is told of what is sent elsewhere');
    const [told] = world.media[west]!.open.get(roomId)!.elsewhere!.producers;
    assert.deepEqual({ ...told, node: null }, { id: uuidOf(microphone), peerId: uuidOf(a.participantId), node: null, kind: 'audio', source: 'MICROPHONE', paused: false });
  });

  it('is on another node once one is full', async () => {
    const callId = await begin({ MEDIA_PEERS_PER_ROUTER: '1' });
    for (const person of people) await person.api.joinCall({ input: { callId, region: 'west' } });
    // Two there hold one each; the others sit where there is the least too much.
    assert.deepEqual(peers(), [0, 2, 2]);
  });

  it('is at home where another node can not share calls', async () => {
    const callId = await begin();
    await Seat.take(people[0]!, callId);
    await world.sql('update call_nodes set capacity = 0 where region = $1', ['west']);
    await people[1]!.api.joinCall({ input: { callId } });
    assert.deepEqual(peers(), [2, 0, 0]);
  });

  it('moves with the node of one that stops; the others stay, and nobody else is told to join anew', async () => {
    const callId = await begin();
    const a = await Seat.take(people[0]!, callId);
    const b = await Seat.take(people[2]!, callId, { region: 'west' });
    const west = peers().indexOf(1, 1);
    const hers = await a.produce(await a.transport('SEND'));
    const his = await b.produce(await b.transport('SEND'), 'SCREEN');
    await a.until('ProducerAdded', ({ producerId }) => producerId === his);
    await Promise.all([a.linked(world), b.linked(world)]);
    // His events come through a node that stays.
    const other = west === 1 ? 2 : 1;
    const client = people[2]!.client.at(`${world.apps[0]!.url}/graphql`);
    const follow = client.callEvents(callId, b.joined.cursor);
    await world.apps[west]!.stop();
    for (;;) {
      const { value } = await follow.next();
      if (value?.__typename === 'CallMediaReset') break;
    }
    assert.equal((await a.until('ProducerClosed')).producerId, his);
    const { joinCall } = await client.api.joinCall({ input: { callId, region: 'west' } });
    assert.deepEqual(joinCall.producers.map(({ id }) => id), [hers]);
    assert.deepEqual([world.media[0]!.rooms().peers, world.media[other]!.rooms().peers], [1, 1]);
    follow.close();
    await client.close();
  });

  it('begins anew wherever people sat, once their nodes are taken for dead, though one was only late to say that it lives', async () => {
    const callId = await begin();
    const a = await Seat.take(people[0]!, callId);
    const b = await Seat.take(people[1]!, callId);
    await a.produce(await a.transport('SEND'));
    await b.produce(await b.transport('SEND'));
    await a.until('ProducerAdded', ({ participantId }) => participantId === b.participantId);
    const { node } = await placeOf(a);
    await world.app.container.unitOfWork.run({ actorId: NOBODY, operation: 'test' }, async (tx) => {
      await tx.sql('select from calls where id = $1 for update', [uuidOf(callId)]);
      // No lease is renewed until this is written, as when the database is just back.
      await tx.sql(`update call_nodes set lease_until = now() - interval '1 second'`);
      return loseNode(tx, { id: uuidOf(callId), mediaNode: node }, node!);
    });
    await b.until('CallMediaReset');
    await eventually(async () => (await world.sql('select from call_nodes where lease_until > now()')).length === 3, 'all say that they live');
    const { joinCall } = await people[1]!.api.joinCall({ input: { callId } });
    assert.deepEqual([joinCall.own.transports, joinCall.own.producers, joinCall.producers], [[], [], []]);
    const back = await Seat.take(people[1]!, callId);
    const anew = await back.produce(await back.transport('SEND'));
    assert.equal((await a.until('ProducerAdded')).producerId, anew);
    await people[0]!.api.joinCall({ input: { callId } });
    // What was sent before goes on nowhere.
    await eventually(() => world.media.reduce((sum, media) => sum + media.rooms().producers, 0) === 1, 'one is sent, in all media', 15_000);
  });

  it('is told of by a new home when the old one has nobody, or is gone', async () => {
    const callId = await begin();
    const a = await Seat.take(people[0]!, callId);
    const b = await Seat.take(people[1]!, callId);
    const { node } = await placeOf(b);
    await a.leave();
    assert.deepEqual(await placeOf(b), { home: true, node });
    const back = await Seat.take(people[0]!, callId);
    assert.equal((await placeOf(back)).home, false);
    await world.apps[world.media.findIndex((media, index) => index > 0 && media.rooms().peers > 0)]!.stop();
    assert.equal((await placeOf(back)).home, true);
    // A node that dies says nothing: once that is known, its people are told.
    const last = await Seat.take(people[3]!, callId, { region: 'west' });
    assert.equal((await placeOf(last)).home, false);
    await world.sql('update call_participants set media_node = gen_random_uuid() where id = $1', [uuidOf(last.participantId)]);
    await last.until('CallMediaReset');
    assert.equal((await placeOf(last)).node, null);
    const found = await Seat.take(people[3]!, callId, { region: 'west' });
    assert.deepEqual([found.participantId, (await placeOf(last)).home], [last.participantId, false]);
    // Or they come back before it is known: nothing that they sent there is left.
    const lost = await found.produce(await found.transport('SEND'));
    await world.sql('update call_participants set media_node = gen_random_uuid() where id = $1', [uuidOf(last.participantId)]);
    const anew = await Seat.take(people[3]!, callId, { region: 'west' });
    assert.deepEqual([(await placeOf(last)).home, anew.joined.producers.filter(({ id }) => id === lost)], [false, []]);
  });

  it('mutes, takes over and ends what is on another node', async () => {
    const callId = await begin();
    const a = await Seat.take(people[0]!, callId);
    const b = await Seat.take(people[1]!, callId);
    const sending = await b.transport('SEND');
    const [microphone, screen] = [await b.produce(sending), await b.produce(sending, 'SCREEN')];
    const west = world.media.find((media, node) => node > 0 && media.rooms().peers === 1)!;
    const room = () => west.open.get(uuidOf(callId))!.peers.get(uuidOf(b.participantId))!;
    await people[0]!.api.muteParticipant({ input: { callId, participantId: b.participantId, source: 'MICROPHONE', hold: true } });
    assert.equal(room().producers.get(uuidOf(microphone))!.paused, true);
    await a.produce(await a.transport('SEND'), 'SCREEN');
    assert.equal(room().producers.has(uuidOf(screen)), false);
    await people[0]!.api.removeParticipant({ input: { callId, participantId: b.participantId } });
    assert.deepEqual([west.rooms().peers, west.rooms().rooms], [0, 0]);
    await Seat.take(people[2]!, callId);
    await people[0]!.api.endCall({ input: { callId } });
    assert.deepEqual(world.media.map((media) => media.rooms().rooms), [0, 0, 0]);
  });
});
