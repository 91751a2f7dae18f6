import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { Consumer, PlainTransport, RtpParameters } from 'mediasoup/types';
import { createLogger } from '../../src/lib/logger.js';
import { MEDIA_CODECS } from '../../src/media/codecs.js';
import { MediaServer } from '../../src/media/media-server.js';
import { recordingStore } from '../../src/services/calls/recording-store.js';
import { FolderStore } from '../../src/storage/folder-store.js';
import { SENDERS, SRTP_SUITE, srtpKey, type Codec, type MakeRig, type Rig } from '../lib/rtp.js';

const parametersOf = (codec: Codec, ssrc: number): RtpParameters => ({ codecs: [structuredClone(codec.rtp)], encodings: [{ ssrc }] });
const ssrcOf = (index: number): number => 1_000 + index;
const connect = (transport: PlainTransport, port: number) =>
  transport.connect({ ip: '127.0.0.1', port, srtpParameters: { cryptoSuite: SRTP_SUITE, keyBase64: srtpKey() } });

/** Packets that a worker has sent to all receivers. */
async function packetsOf(consumers: Consumer[]): Promise<number> {
  const stats = await Promise.all(consumers.map((consumer) => consumer.getStats()));
  return stats.flat().reduce((sum, stat) => sum + (stat.type === 'outbound-rtp' ? stat.packetCount : 0), 0);
}

/** Our rooms: a seat for each sender and receiver, with everything that a room does beside carrying packets. */
export const ours = (binary: string): MakeRig => async (codec, receivers, sinks) => {
  const worker = { given: binary, cacheDir: '' };
  const media = new MediaServer({ worker, workers: 1, listenIp: '127.0.0.1', port: 0, peersPerRouter: 1_000, peersPerRoom: 5_000, store: recordingStore(new FolderStore(tmpdir())), log: createLogger('error') });
  const room = randomUUID();
  const seat = async () => {
    const peerId = randomUUID();
    const { rtpCapabilities } = await media.join(room, peerId, {});
    return { peerId, rtpCapabilities, peer: media.room(room).peer(peerId) };
  };
  const ingest: Rig['ingest'] = [];
  const producerIds: string[] = [];
  for (let index = 0; index < SENDERS; index++) {
    const { peer, peerId } = await seat();
    const transport = await peer.openPlain('SEND');
    const { id } = await media.produce(room, peerId, transport.id, { kind: codec.kind, source: codec.source, rtpParameters: parametersOf(codec, ssrcOf(index)) });
    producerIds.push(id);
    ingest.push({ port: transport.tuple.localPort, ssrc: ssrcOf(index) });
  }
  const consumers: Consumer[] = [];
  for (let index = 0; index < receivers; index++) {
    const { peer, peerId, rtpCapabilities } = await seat();
    const transport = await peer.openPlain('RECEIVE', true);
    await connect(transport, sinks.portOf(index));
    for (const producerId of producerIds) await media.consume(room, peerId, { transportId: transport.id, producerId, rtpCapabilities, paused: false });
    consumers.push(...peer.consumers);
  }
  const { pid } = media.room(room).sources[0]!.near.live.worker;
  return { pid, ingest, consumers: consumers.length, carried: () => packetsOf(consumers), close: () => media.close() };
};

/** mediasoup by itself: a worker, a router, the same transports. */
export const bare = (binary: string): MakeRig => async (codec, receivers, sinks) => {
  const { createWorker } = await import('mediasoup');
  const worker = await createWorker({ workerBin: binary, logLevel: 'none' });
  const router = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  const listenInfo = { protocol: 'udp' as const, ip: '127.0.0.1' };
  const ingest: Rig['ingest'] = [];
  const producerIds: string[] = [];
  for (let index = 0; index < SENDERS; index++) {
    const transport = await router.createPlainTransport({ listenInfo, rtcpMux: true, comedia: true });
    const { id } = await transport.produce({ kind: codec.kind, rtpParameters: parametersOf(codec, ssrcOf(index)) });
    producerIds.push(id);
    ingest.push({ port: transport.tuple.localPort, ssrc: ssrcOf(index) });
  }
  const consumers: Consumer[] = [];
  for (let index = 0; index < receivers; index++) {
    const transport = await router.createPlainTransport({ listenInfo, rtcpMux: true, enableSrtp: true });
    await connect(transport, sinks.portOf(index));
    for (const producerId of producerIds) consumers.push(await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities }));
  }
  const close = async () => {
    const gone = once(worker, 'subprocessclose');
    worker.close();
    await gone;
  };
  return { pid: worker.pid, ingest, consumers: consumers.length, carried: () => packetsOf(consumers), close };
};
