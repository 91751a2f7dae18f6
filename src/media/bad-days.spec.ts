import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { eventually, keeper, mediaServer, refuses, workerBinary } from '../../test/testkit/media.js';
import { Ledger } from '../../test/testkit/media-ledger.js';
import { ClientWorker, type RtcClient, ssrc } from '../../test/testkit/rtc.js';
import { PEER_LIMITS, type DtlsParameters, type RtpParameters } from './contract.js';
import type { MediaServer } from './media-server.js';

const opus = (): RtpParameters => ({ codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }], encodings: [{ ssrc: ssrc() }] });
const vp8 = (): RtpParameters => ({ codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }], encodings: [{ ssrc: ssrc() }] });
const FINGERPRINT: DtlsParameters = { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }] };

describe('media on bad days', () => {
  let media: MediaServer;
  let clients: ClientWorker;
  let room: string;
  let ann: RtcClient;
  let ben: RtcClient;
  let ledger: Ledger;
  before(async () => {
    media = mediaServer();
    clients = await ClientWorker.start(workerBinary());
  });
  after(async () => {
    await media.close();
    await clients.stop();
  });
  beforeEach(async () => {
    room = randomUUID();
    ledger = Ledger.open();
    ann = await clients.join(media, room);
    ben = await clients.join(media, room);
  });
  afterEach(async () => {
    await media.closeRoom(room);
    clients.vanish();
    const { workers, ...rest } = media.rooms();
    assert.equal(workers, 1);
    assert.deepEqual([...new Set(Object.values(rest))], [0]);
    await ledger.assertEven();
  });

  it('does not know forged ids, nor those of another participant or call', async () => {
    const microphone = await ann.send('opus');
    const heard = await ben.receive(microphone.id);
    const mine = (await ann.leg('SEND')).id;
    const other = randomUUID();
    await media.join(other, ann.peerId, {});
    const asked = (roomId: string, peerId: string, transportId: string, producerId: string, consumerId: string) => [
      () => media.connectTransport(roomId, peerId, transportId, FINGERPRINT),
      () => media.restartIce(roomId, peerId, transportId),
      () => media.closeTransport(roomId, peerId, transportId),
      () => media.produce(roomId, peerId, transportId, { kind: 'audio', source: 'MICROPHONE', rtpParameters: opus() }),
      () => media.closeProducer(roomId, peerId, producerId),
      () => media.setProducerPaused(roomId, peerId, producerId, true),
      () => media.consume(roomId, peerId, { transportId, producerId, rtpCapabilities: ann.joined.rtpCapabilities, paused: false }),
      () => media.closeConsumer(roomId, peerId, consumerId),
      () => media.setConsumerPaused(roomId, peerId, consumerId, true),
      () => media.setPreferredLayers(roomId, peerId, consumerId, { spatial: 0, temporal: 0 }),
      () => media.requestKeyFrame(roomId, peerId, consumerId),
      () => media.produceData(roomId, peerId, transportId, { label: '', protocol: '', sctpStreamParameters: { streamId: 0 } }),
      () => media.consumeData(roomId, peerId, { transportId, dataProducerId: producerId }),
      () => media.closeDataProducer(roomId, peerId, producerId),
      () => media.closeDataConsumer(roomId, peerId, consumerId),
    ];
    const forged = randomUUID();
    const foreign = [
      ...asked(room, ben.peerId, mine, microphone.id, forged),
      ...asked(room, ann.peerId, forged, forged, heard.info.id),
      ...asked(other, ann.peerId, mine, microphone.id, heard.info.id),
      ...asked(room, forged, mine, microphone.id, heard.info.id),
      ...asked(forged, ann.peerId, mine, microphone.id, heard.info.id),
    ];
    for (const ask of foreign) await refuses(ask(), 'NOT_FOUND');
    // A producer of another call can't be consumed, even by who sits in both.
    const { id } = await media.createTransport(other, ann.peerId, { direction: 'RECEIVE', sctp: false });
    await refuses(media.consume(other, ann.peerId, { transportId: id, producerId: microphone.id, rtpCapabilities: ann.joined.rtpCapabilities, paused: false }), 'NOT_FOUND');
    microphone.packet();
    await eventually(() => assert.equal(heard.packets, 1));
    await media.closeRoom(other);
  });

  it('refuses a second connect, also one at the same time', async () => {
    const { id } = await media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: false });
    const both = await Promise.allSettled([media.connectTransport(room, ann.peerId, id, FINGERPRINT), media.connectTransport(room, ann.peerId, id, FINGERPRINT)]);
    assert.deepEqual(both.map(({ status }) => status), ['fulfilled', 'rejected']);
    await refuses(media.connectTransport(room, ann.peerId, id, FINGERPRINT), 'CONFLICT', 'transportId');
  });

  it('takes a connect after one that was refused for its parameters', async () => {
    const { id } = await media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: false });
    await refuses(media.connectTransport(room, ann.peerId, id, { fingerprints: [] }), 'BAD_REQUEST', 'dtlsParameters.fingerprints');
    await media.connectTransport(room, ann.peerId, id, FINGERPRINT);
  });

  it('refuses the thousandth transport, and every one past the limit, at once or in turn', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 1_000 }, () => media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: false })));
    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, PEER_LIMITS.transports);
    await refuses(media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: false }), 'LIMIT');
    assert.equal(media.rooms().transports, PEER_LIMITS.transports);
    await media.createTransport(room, ben.peerId, { direction: 'SEND', sctp: false });
  });

  it('refuses producers and data producers past the limit', async () => {
    const { id } = await media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: true });
    const audio = () => media.produce(room, ann.peerId, id, { kind: 'audio', source: 'MICROPHONE', rtpParameters: opus() });
    const asked = await Promise.allSettled(Array.from({ length: 30 }, audio));
    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, PEER_LIMITS.producers);
    await refuses(audio(), 'LIMIT');
    const data = (streamId: number) => media.produceData(room, ann.peerId, id, { label: 'chat', protocol: '', sctpStreamParameters: { streamId } });
    const channels = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => data(index)));
    assert.equal(channels.filter(({ status }) => status === 'fulfilled').length, PEER_LIMITS.dataProducers);
  });

  it('makes nothing on a transport that is closed meanwhile', async () => {
    const microphone = await ben.send('opus');
    const { id: sending } = await media.createTransport(room, ben.peerId, { direction: 'SEND', sctp: true });
    const channel = await media.produceData(room, ben.peerId, sending, { label: 'chat', protocol: '', sctpStreamParameters: { streamId: 0 } });
    const make: Record<string, (transportId: string) => Promise<unknown>> = {
      producers: (id) => media.produce(room, ann.peerId, id, { kind: 'audio', source: 'MICROPHONE', rtpParameters: opus() }),
      dataProducers: (id) => media.produceData(room, ann.peerId, id, { label: 'chat', protocol: '', sctpStreamParameters: { streamId: 1 } }),
      consumers: (transportId) => media.consume(room, ann.peerId, { transportId, producerId: microphone.id, rtpCapabilities: ann.joined.rtpCapabilities, paused: false }),
      dataConsumers: (transportId) => media.consumeData(room, ann.peerId, { transportId, dataProducerId: channel.id }),
    };
    const before = media.rooms();
    for (const [kind, begin] of Object.entries(make)) {
      const { id } = await media.createTransport(room, ann.peerId, { direction: kind.endsWith('roducers') ? 'SEND' : 'RECEIVE', sctp: true });
      const making = begin(id);
      await new Promise((resolve) => setImmediate(resolve)); // the worker has been asked
      await Promise.all([refuses(making, 'NOT_FOUND'), media.closeTransport(room, ann.peerId, id)]);
      assert.deepEqual(media.rooms(), before, kind);
    }
  });

  it('refuses what does not fit', async () => {
    const { id: sending } = await media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: false });
    const { id: receiving } = await media.createTransport(room, ann.peerId, { direction: 'RECEIVE', sctp: false });
    const produce = (options: object) => media.produce(room, ann.peerId, sending, { kind: 'audio', source: 'MICROPHONE', rtpParameters: opus(), ...options } as never);
    await refuses(produce({ source: 'CAMERA' }), 'BAD_REQUEST', 'source');
    await refuses(produce({ source: 'EAR' }), 'BAD_REQUEST', 'source');
    await refuses(produce({ kind: 'smell' }), 'BAD_REQUEST', 'kind');
    await refuses(produce({ rtpParameters: vp8() }), 'BAD_REQUEST', 'rtpParameters.codecs');
    await refuses(produce({ rtpParameters: { codecs: [{ mimeType: 'audio/telephone', payloadType: 111, clockRate: 48_000 }], encodings: [{ ssrc: 1 }] } }), 'BAD_REQUEST', 'rtpParameters');
    await refuses(produce({ rtpParameters: { ...opus(), encodings: [] } }), 'BAD_REQUEST', 'rtpParameters.encodings');
    await refuses(produce({ rtpParameters: { ...opus(), encodings: [{ ssrc: -1 }] } }), 'BAD_REQUEST', 'rtpParameters.encodings.0.ssrc');
    await refuses(produce({ rtpParameters: null }), 'BAD_REQUEST', 'rtpParameters');
    await refuses(produce({ rtpParameters: { ...opus(), codecs: [{ ...opus().codecs[0]!, mimeType: 5 }] } }), 'BAD_REQUEST', 'rtpParameters.codecs.0.mimeType');
    await refuses(produce({ appData: { big: 'x'.repeat(2_000) } }), 'BAD_REQUEST', 'appData');
    await refuses(media.produce(room, ann.peerId, receiving, { kind: 'audio', source: 'MICROPHONE', rtpParameters: opus() }), 'BAD_REQUEST', 'transportId');
    const twice = opus();
    const { id: producerId } = await produce({ rtpParameters: structuredClone(twice) });
    await refuses(produce({ rtpParameters: structuredClone(twice) }), 'BAD_REQUEST', 'rtpParameters');
    const consume = (rtpCapabilities: object, transportId = receiving) => media.consume(room, ann.peerId, { transportId, producerId, rtpCapabilities: rtpCapabilities as never, paused: false });
    await refuses(consume({ codecs: [] }), 'BAD_REQUEST', 'rtpCapabilities');
    await refuses(consume({ codecs: 'all' }), 'BAD_REQUEST', 'rtpCapabilities.codecs');
    await refuses(consume(ann.joined.rtpCapabilities, sending), 'BAD_REQUEST', 'transportId');
    const { id: consumerId } = await consume(ann.joined.rtpCapabilities);
    await refuses(media.setPreferredLayers(room, ann.peerId, consumerId, { spatial: 0, temporal: 0 }), 'CONFLICT');
    await refuses(media.setPreferredLayers(room, ann.peerId, consumerId, { spatial: -1, temporal: 0 }), 'BAD_REQUEST', 'layers.spatial');
    assert.equal((await consume(ann.joined.rtpCapabilities)).id, consumerId);
    await media.closeConsumer(room, ann.peerId, consumerId);
    const [one, two] = await Promise.all([consume(ann.joined.rtpCapabilities), consume(ann.joined.rtpCapabilities)]);
    assert.equal(one.id, two.id);
    assert.deepEqual([media.rooms().producers, media.rooms().consumers], [1, 1]);
  });

  it('keeps who is there by voice alone from video', async () => {
    const cal = await clients.join(media, room, { voiceOnly: true });
    const camera = await ann.send('vp8');
    await refuses(cal.receive(camera.id), 'BAD_REQUEST', 'producerId');
    await refuses(cal.send('vp8'), 'BAD_REQUEST', 'kind');
    await cal.send('opus');
  });

  it('survives any parameters: each is taken or refused, and others go on undisturbed', async () => {
    const microphone = await ann.send('opus');
    const heard = await ben.receive(microphone.id);
    const { id: sending } = await media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: true });
    const { id: receiving } = await media.createTransport(room, ann.peerId, { direction: 'RECEIVE', sctp: false });
    const value = fc.oneof(fc.integer(), fc.double(), fc.string({ maxLength: 12 }), fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({}), fc.constantFrom(4_294_967_295, 4_294_967_296, 65_535, 127, 128, -1, 1.5, 'video/rtx', 'L3T3', '__proto__'));
    const valid = () => ({
      mid: '0',
      codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, parameters: { x: 1 }, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] }, { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } }],
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1, encrypt: false, parameters: {} }],
      encodings: [{ ssrc: ssrc(), rtx: { ssrc: ssrc() }, maxBitrate: 100, scalabilityMode: 'L1T3', dtx: false, codecPayloadType: 96 }],
      rtcp: { cname: 'a', reducedSize: true },
    });
    const paths = pathsOf(valid());
    const mutation = fc.tuple(fc.constantFrom(...paths), fc.option(value, { nil: undefined }));
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const rtpParameters = valid();
        for (const [path, wrong] of mutations) put(rtpParameters, path, wrong);
        const produced = await media.produce(room, ann.peerId, sending, { kind: 'video', source: 'CAMERA', rtpParameters: rtpParameters as never }).catch((error: Error) => error);
        if (produced instanceof Error) assert.equal((produced as Error & { code?: string }).code, 'BAD_REQUEST', produced.stack);
        else await media.closeProducer(room, ann.peerId, produced.id);
      }),
      { numRuns: 400 },
    );
    const parameters = await ann.leg('SEND').then(({ transport }) => transport.dtlsParameters);
    for (const [wrap, ask] of [
      [ann.joined.rtpCapabilities, (given: never) => media.consume(room, ann.peerId, { transportId: receiving, producerId: microphone.id, rtpCapabilities: given, paused: true }).then(({ id }) => media.closeConsumer(room, ann.peerId, id))],
      [{ ...parameters, role: 'client' }, (given: never) => media.connectTransport(room, ann.peerId, receiving, given)],
    ] as const) {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...pathsOf(wrap)), fc.option(value, { nil: undefined }), async (path, wrong) => {
          const given = structuredClone(wrap);
          put(given, path, wrong);
          const refused = await ask(given as never).catch((error: Error) => error);
          if (refused instanceof Error) assert.match(String((refused as Error & { code?: string }).code), /^(BAD_REQUEST|CONFLICT)$/, refused.stack);
        }),
        { numRuns: 150 },
      );
    }
    const stream = fc.record({ streamId: value, ordered: value, maxPacketLifeTime: value, maxRetransmits: value });
    await fc.assert(
      fc.asyncProperty(stream, async (sctpStreamParameters) => {
        const made = await media.produceData(room, ann.peerId, sending, { label: 'x', protocol: '', sctpStreamParameters: sctpStreamParameters as never }).catch(() => null);
        if (made) await media.closeDataProducer(room, ann.peerId, made.id);
      }),
      { numRuns: 100 },
    );
    microphone.packet();
    await eventually(() => assert.equal(heard.packets, 1));
    assert.equal(media.rooms().workers, 1);
  });

  it('closes everything of one who is removed, and tells the others', async () => {
    const closed = keeper(media)('producerClosed');
    const microphone = await ann.send('opus');
    const heard = await ben.receive(microphone.id);
    await Promise.all([media.leave(room, ann.peerId), media.leave(room, ann.peerId)]);
    assert.deepEqual(closed, [{ roomId: room, peerId: ann.peerId, producerId: microphone.id }]);
    await refuses(media.setConsumerPaused(room, ben.peerId, heard.info.id, true), 'NOT_FOUND');
    await refuses(media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: false }), 'NOT_FOUND');
    await eventually(() => assert.deepEqual([media.rooms().peers, media.rooms().producers, media.rooms().consumers], [1, 0, 0]));
  });

  it('leaves nothing behind when someone leaves while everything is being made', async () => {
    const { id } = await media.createTransport(room, ann.peerId, { direction: 'SEND', sctp: true });
    const making = [
      media.createTransport(room, ann.peerId, { direction: 'RECEIVE', sctp: true }),
      media.produce(room, ann.peerId, id, { kind: 'audio', source: 'MICROPHONE', rtpParameters: opus() }),
      media.produceData(room, ann.peerId, id, { label: '', protocol: '', sctpStreamParameters: { streamId: 1 } }),
    ];
    await media.leave(room, ann.peerId);
    for (const result of await Promise.allSettled(making)) assert.equal(result.status, 'rejected');
    assert.deepEqual([media.rooms().transports, media.rooms().producers, media.rooms().dataProducers], [0, 0, 0]);
  });

  it('seats a participant once who joins by two devices at the same time', async () => {
    const peerId = randomUUID();
    await Promise.all(Array.from({ length: 5 }, () => media.join(room, peerId, {})));
    assert.equal(media.rooms().peers, 3);
    const joining = media.join(room, randomUUID(), {});
    await Promise.all([joining, media.leave(room, peerId)]);
    assert.equal(media.rooms().peers, 3);
  });

  it('gives one who comes back what it had', async () => {
    const microphone = await ann.send('opus', { appData: { note: 'mine' } });
    const camera = await ben.send('vp8');
    const seen = await ann.receive(camera.id);
    const again = await media.join(room, ann.peerId, {});
    assert.deepEqual(again.own.transports.map(({ direction }) => direction), ['SEND', 'RECEIVE']);
    assert.deepEqual(again.own.producers, [microphone.info]);
    assert.deepEqual(microphone.info.appData, { note: 'mine' });
    assert.deepEqual(again.own.consumers.map(({ id }) => id), [seen.info.id]);
    assert.deepEqual(again.producers, [camera.info]);
  });

  it('goes on after a network was lost: the same producer, by an ICE restart', async () => {
    const microphone = await ann.send('opus');
    const heard = await ben.receive(microphone.id);
    microphone.packet();
    await eventually(() => assert.equal(heard.packets, 1));
    ann.cut();
    microphone.packet();
    ann.cut(false);
    const ice = await media.restartIce(room, ann.peerId, (await ann.leg('SEND')).id);
    assert.ok(ice.usernameFragment && ice.password);
    await eventually(() => {
      microphone.packet();
      assert.ok(heard.packets > 1);
    });
  });

  it('says how well a participant is doing', async () => {
    const microphone = await ann.send('opus');
    const heard = await ben.receive(microphone.id);
    const stop = microphone.stream(5);
    await eventually(() => assert.ok(heard.packets > 50));
    stop();
    const sender = await media.stats(room, ann.peerId);
    const receiver = await media.stats(room, ben.peerId);
    assert.ok(sender.bytesReceived > 50 * 15 && receiver.bytesSent > 50 * 15);
    assert.ok(sender.loss >= 0 && sender.loss <= 1 && sender.score >= 0 && sender.score <= 10);
    assert.deepEqual(await media.stats(room, (await clients.join(media, room)).peerId), { streams: 0, loss: 0, roundTripMs: null, score: 10, bytesSent: 0, bytesReceived: 0 });
    // What was measured outlives what it was measured of.
    await media.leave(room, ann.peerId);
    assert.equal((await media.stats(room, ben.peerId)).streams, 1);
  });
});

type Path = (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inside = Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...at, Array.isArray(value) ? Number(key) : key]));
  return at.length > 0 ? [at, ...inside] : inside;
}

function put(target: object, path: Path, value: unknown): void {
  let holder = target as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) {
    const next = holder[key];
    if (typeof next !== 'object' || next === null) return;
    holder = next as Record<string | number, unknown>;
  }
  holder[path.at(-1)!] = structuredClone(value);
}
