import assert from 'node:assert/strict';
import type { CallEvent } from '../../sdk/index.js';
import { MediaError } from '../../src/media/contract.js';
import { Seat, startCall, uuidOf } from '../testkit/calls.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

describe('what is sent in a call', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let callId: string;
  let a: Seat;
  let b: Seat;
  beforeEach(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    callId = await startCall(world, ann, await world.groupChat(ann, [bob, carol]), { ring: false });
    [a, b] = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
    await a.until('ParticipantJoined');
  });
  afterEach(() => world.stop());

  const produce = (seat: Seat, transportId: string, input: object = {}) =>
    seat.person.api.produce({ input: { callId, transportId, kind: 'AUDIO', source: 'MICROPHONE', rtpParameters: { codecs: [] }, ...input } });
  const counts = () => world.media[0]!.rooms();
  async function passing<Name extends CallEvent['__typename']>(seat: Seat, name: Name): Promise<Extract<CallEvent, { __typename: Name }>> {
    return seat.until(name);
  }

  it('is nobody else’s: foreign and forged ids are not found', async () => {
    const send = await a.transport('SEND');
    const receive = await a.transport('RECEIVE');
    const producerId = await a.produce(send);
    const consumerId = await a.consume(receive, await b.produce(await b.transport('SEND')));
    const forged = '0'.repeat(8) + '1'.repeat(24);
    for (const transportId of [send, `ctr_${forged}`]) {
      await fails(produce(b, transportId), 'NOT_FOUND');
      await fails(bob.api.connectTransport({ input: { callId, transportId, dtlsParameters: { fingerprints: [] } } }), 'NOT_FOUND');
      await fails(bob.api.restartIce({ input: { callId, transportId } }), 'NOT_FOUND');
      await fails(bob.api.closeTransport({ input: { callId, transportId } }), 'NOT_FOUND');
    }
    for (const id of [producerId, `cpr_${forged}`]) {
      await fails(bob.api.closeProducer({ input: { callId, producerId: id } }), 'NOT_FOUND');
      await fails(bob.api.setProducerPaused({ input: { callId, producerId: id, paused: true } }), 'NOT_FOUND');
    }
    for (const id of [consumerId, `cco_${forged}`]) {
      await fails(bob.api.closeConsumer({ input: { callId, consumerId: id } }), 'NOT_FOUND');
      await fails(bob.api.setConsumerPaused({ input: { callId, consumerId: id, paused: true } }), 'NOT_FOUND');
      await fails(bob.api.setPreferredLayers({ input: { callId, consumerId: id, spatialLayer: 0, temporalLayer: 0 } }), 'NOT_FOUND');
    }
    // What is sent in another call is not there in this one.
    const theirs = await startCall(world, carol, await world.directChat(carol, bob), { ring: false });
    const c = await Seat.take(carol, theirs);
    const elsewhere = await c.produce(await c.transport('SEND'));
    await fails(ann.api.consume({ input: { callId, transportId: receive, producerId: elsewhere, rtpCapabilities: { codecs: [] } } }), 'NOT_FOUND');
    await fails(ann.api.createTransport({ input: { callId: theirs, direction: 'SEND' } }), 'NOT_FOUND');
    await fails(carol.api.createTransport({ input: { callId, direction: 'SEND' } }), 'FORBIDDEN');
    assert.deepEqual([counts().producers, counts().consumers], [3, 1]);
  });

  it('fits, or is refused: parameters, directions, a second connect, a thousand transports', async () => {
    const send = await a.transport('SEND');
    const receive = await a.transport('RECEIVE');
    await fails(ann.api.connectTransport({ input: { callId, transportId: send, dtlsParameters: { fingerprints: [] } } }), 'STATE_CONFLICT');
    await fails(produce(a, send, { rtpParameters: { nonsense: true } }), 'INVALID_INPUT', 'rtpParameters');
    await fails(produce(a, send, { rtpParameters: 'text' }), 'INVALID_INPUT', 'rtpParameters');
    await fails(produce(a, send, { rtpParameters: { codecs: [], more: 'x'.repeat(40_000) } }), 'INVALID_INPUT', 'rtpParameters');
    await fails(produce(a, send, { appData: { more: 'x'.repeat(2_000) } }), 'INVALID_INPUT', 'appData');
    await fails(produce(a, receive), 'INVALID_INPUT', 'transportId');
    await fails(produce(a, send, { kind: 'VIDEO' }), 'INVALID_INPUT', 'source');
    await fails(produce(a, send, { kind: 'DATA' }), 'INVALID_INPUT', 'kind');
    const asked = await Promise.allSettled(Array.from({ length: 50 }, () => ann.api.createTransport({ input: { callId, direction: 'SEND' } })));
    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 4);
    for (const one of asked) if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'LIMIT_REACHED');
    assert.deepEqual(await world.sql('select from call_producers'), []);
  });

  it('is paused, goes on, and is closed, and everybody hears of it', async () => {
    const producerId = await b.produce(await b.transport('SEND'));
    assert.deepEqual((await a.until('ProducerAdded')).producer?.source, 'MICROPHONE');
    await bob.api.setProducerPaused({ input: { callId, producerId, paused: true } });
    assert.equal((await a.until('ProducerUpdated')).producer?.paused, true);
    await bob.api.setProducerPaused({ input: { callId, producerId, paused: true } }); // tells nobody
    await bob.api.closeProducer({ input: { callId, producerId } });
    const [closed] = await a.take(1);
    assert.equal(closed!.__typename, 'ProducerClosed');
    await fails(bob.api.closeProducer({ input: { callId, producerId } }), 'NOT_FOUND');
    assert.equal(counts().producers, 0);
  });

  it('is muted by the host, for once or for good', async () => {
    const producerId = await b.produce(await b.transport('SEND'));
    const mute = (person: Person, hold = false) => person.api.muteParticipant({ input: { callId, participantId: b.participantId, hold } });
    await fails(bob.api.muteParticipant({ input: { callId, participantId: a.participantId } }), 'FORBIDDEN');
    await mute(ann);
    const muted = await b.until('ParticipantMuted');
    assert.deepEqual([muted.source, muted.mutedById, muted.participant.mutedSources], ['MICROPHONE', a.participantId, []]);
    await bob.api.setProducerPaused({ input: { callId, producerId, paused: false } });
    await mute(ann, true);
    await fails(bob.api.setProducerPaused({ input: { callId, producerId, paused: false } }), 'FORBIDDEN');
    await fails(produce(b, await b.transport('SEND')), 'FORBIDDEN', 'source');
    assert.deepEqual((await b.until('ParticipantMuted')).participant.mutedSources, ['MICROPHONE']);
    await fails(bob.api.allowParticipant({ input: { callId, participantId: b.participantId } }), 'FORBIDDEN');
    const { participant } = (await ann.api.allowParticipant({ input: { callId, participantId: b.participantId } })).allowParticipant;
    assert.deepEqual(participant.mutedSources, []);
    await bob.api.setProducerPaused({ input: { callId, producerId, paused: false } });
  });

  it('is not said to be muted where media has not heard of it, and is muted by the next try', async () => {
    await b.produce(await b.transport('SEND'));
    const media = world.media[0]!;
    const setProducerPaused = media.setProducerPaused.bind(media);
    media.setProducerPaused = async () => {
      media.setProducerPaused = setProducerPaused;
      throw new MediaError('UNAVAILABLE', 'not just now');
    };
    const mute = () => ann.api.muteParticipant({ input: { callId, participantId: b.participantId } });
    const paused = () => [...media.open.values()].flatMap(({ peers }) => [...peers.values()].flatMap(({ producers }) => [...producers.values()].map((one) => one.paused)));
    await fails(mute(), 'CALLS_UNAVAILABLE');
    assert.deepEqual(paused(), [false]);
    await mute();
    assert.deepEqual(paused(), [true]);
  });

  it('is one screen at a time: the second is refused, but for the host, who takes over', async () => {
    const [mine, theirs] = [await a.transport('SEND'), await b.transport('SEND')];
    const c = await Seat.take(carol, callId);
    const hers = await c.transport('SEND');
    const results = await Promise.allSettled([b.produce(theirs, 'SCREEN'), c.produce(hers, 'SCREEN')]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((results.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason.code, 'STATE_CONFLICT');
    assert.equal(counts().producers, 1);
    await a.produce(mine, 'SCREEN');
    const closed = await a.until('ProducerClosed');
    assert.notEqual(closed.participantId, a.participantId);
    assert.equal(counts().producers, 1);
    await ann.api.updateCall({ input: { callId, screenShare: 'HOST' } });
    await fails(b.produce(theirs, 'SCREEN'), 'FORBIDDEN', 'source');
    await b.produce(theirs, 'CAMERA');
  });

  it('is data too', async () => {
    const send = await a.transport('SEND', true);
    const { producer } = (await ann.api.produceData({ input: { callId, transportId: send, sctpStreamParameters: { streamId: 0 }, label: 'chat' } })).produceData;
    assert.deepEqual([producer.kind, producer.label, producer.source], ['DATA', 'chat', null]);
    assert.equal((await b.until('ProducerAdded')).producerId, producer.id);
    const { dataConsumer } = (await bob.api.consumeData({ input: { callId, transportId: await b.transport('RECEIVE', true), dataProducerId: producer.id } })).consumeData;
    assert.equal(dataConsumer.label, 'chat');
    await bob.api.closeDataConsumer({ input: { callId, consumerId: dataConsumer.id } });
    await fails(ann.api.produceData({ input: { callId, transportId: await a.transport('SEND'), sctpStreamParameters: {} } }), 'INVALID_INPUT', 'transportId');
    await fails(ann.api.closeProducer({ input: { callId, producerId: producer.id } }), 'NOT_FOUND');
    await ann.api.closeDataProducer({ input: { callId, producerId: producer.id } });
    assert.equal((await b.until('ProducerClosed')).producerId, producer.id);
  });

  it('passes in levels, speakers, and to each how their own comes through', async () => {
    const roomId = uuidOf(callId);
    const [peerA, peerB] = [uuidOf(a.participantId), uuidOf(b.participantId)];
    const producerId = uuidOf(await a.produce(await a.transport('SEND')));
    const media = world.media[0]!;
    media.emit('audioLevels', { roomId, levels: [{ producerId, peerId: peerA, level: 90 }] });
    assert.deepEqual((await passing(b, 'CallAudioLevels')).levels, [{ participantId: a.participantId, producerId: `cpr_${producerId.replaceAll('-', '')}`, level: 90 }]);
    media.emit('activeSpeaker', { roomId, peerId: peerA, producerId });
    assert.equal((await passing(b, 'DominantSpeakerChanged')).participantId, a.participantId);
    media.emit('consumerChanged', { roomId, peerId: peerB, consumerId: producerId, producerId, paused: false, producerPaused: false, layers: { spatial: 1, temporal: 2 }, score: 9 });
    media.emit('transportState', { roomId, peerId: peerB, transportId: producerId, state: 'disconnected' });
    media.emit('activeSpeaker', { roomId, peerId: peerB, producerId });
    const changed = await passing(b, 'CallConsumerChanged');
    assert.deepEqual([changed.spatialLayer, changed.temporalLayer, changed.score], [1, 2, 9]);
    assert.equal((await passing(b, 'CallTransportChanged')).state, 'DISCONNECTED');
    const seen: string[] = [];
    for (let event; (event = (await within(a.events.next(), 'the speaker')).value as CallEvent); ) {
      seen.push(event.__typename);
      if (event.__typename === 'DominantSpeakerChanged' && event.participantId === b.participantId) break;
    }
    assert.ok(!seen.includes('CallConsumerChanged') && !seen.includes('CallTransportChanged'), seen.join(', '));
  });

  it('begins anew where a worker has died: the call and its seats stand', async () => {
    const lost = await a.produce(await a.transport('SEND'));
    world.media[0]!.reset(uuidOf(callId));
    await b.until('CallMediaReset');
    await fails(ann.api.closeProducer({ input: { callId, producerId: lost } }), 'NOT_FOUND');
    for (const seat of [a, b]) assert.equal((await seat.person.api.joinCall({ input: { callId } })).joinCall.participant.id, seat.participantId);
    const again = await a.produce(await a.transport('SEND'));
    assert.equal((await b.until('ProducerAdded')).producerId, again);
    assert.equal((await ann.api.call({ id: callId })).call!.state, 'ACTIVE');
  });

  it('is closed when its transport is', async () => {
    const producerId = await a.produce(await a.transport('SEND'));
    await world.media[0]!.closeProducer(uuidOf(callId), uuidOf(a.participantId), uuidOf(producerId));
    assert.equal((await b.until('ProducerClosed')).producerId, producerId);
    await eventually(async () => (await world.sql('select from call_producers')).length === 0, 'nobody sends');
  });
});
