import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Consumer, PlainTransport, RtpParameters, SrtpParameters } from 'mediasoup/types';
import { loadConfig } from '../../src/config.js';
import { createLogger } from '../../src/lib/logger.js';
import { MEDIA_CODECS } from '../../src/media/codecs.js';
import { FolderStore } from '../../src/media/media-store.js';
import { MediaServer } from '../../src/media/media-server.js';
import { writeRtp } from '../../src/media/rtp.js';
import { cacheFolder, obtainWorker } from '../../src/media/worker-binary.js';
import type { Row } from '../lib/report.js';
import { cpuOfTree } from '../lib/system.js';

const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const SENDERS = 4;
const SAMPLED = 10;
const SETTLE_MS = 1_500;
const DRAIN_MS = 500;

interface Codec {
  kind: 'audio' | 'video';
  source: 'MICROPHONE' | 'CAMERA';
  rtp: RtpParameters['codecs'][number];
  everyMs: number;
  /** Of each packet that is sent each time. */
  packets: (tick: number) => Buffer[];
  timestampStep: number;
}

/** Opus at 48 kb/s, 50 packets a second; VP8 at 500 kb/s, 15 frames of 4 packets a second. Bits a second of payload. */
const CODECS: Record<'Opus 48 kb/s' | 'VP8 500 kb/s', Codec> = {
  'Opus 48 kb/s': {
    kind: 'audio',
    source: 'MICROPHONE',
    rtp: { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 },
    everyMs: 20,
    packets: () => [Buffer.concat([Buffer.from([0xf8]), randomBytes(119)])],
    timestampStep: 960,
  },
  'VP8 500 kb/s': {
    kind: 'video',
    source: 'CAMERA',
    rtp: { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, rtcpFeedback: [] },
    everyMs: 66,
    packets: (tick) => {
      const key = tick % 30 === 0;
      const first = Buffer.from(key ? [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00] : [0x10, 0x11, 0x02, 0x00]);
      return [Buffer.concat([first, randomBytes(1_030)]), ...Array.from({ length: 3 }, () => Buffer.concat([Buffer.from([0x00]), randomBytes(1_030)]))];
    },
    timestampStep: 5_940,
  },
};

/** A media worker with senders' and receivers' plain transports, whoever made them. */
interface Rig {
  pid: number;
  /** Where each sender's RTP goes. */
  ingest: { port: number; ssrc: number }[];
  consumers: Consumer[];
  close(): Promise<void>;
}

type MakeRig = (binary: string, codec: Codec, receivers: number, sinks: Sinks) => Promise<Rig>;

const parametersOf = (codec: Codec, ssrc: number): RtpParameters => ({ codecs: [structuredClone(codec.rtp)], encodings: [{ ssrc }] });
const ssrcOf = (index: number): number => 1_000 + index;
const key = (): SrtpParameters => ({ cryptoSuite: SUITE, keyBase64: randomBytes(30).toString('base64') });
const connect = (transport: PlainTransport, port: number) => transport.connect({ ip: '127.0.0.1', port, srtpParameters: key() });

/** Our rooms: a seat for each sender and receiver, with everything that a room does beside carrying packets. */
const ours: MakeRig = async (binary, codec, receivers, sinks) => {
  const worker = { given: binary, cacheDir: '' };
  const media = new MediaServer({ worker, workers: 1, listenIp: '127.0.0.1', port: 0, peersPerRouter: 1_000, peersPerRoom: 5_000, store: new FolderStore(tmpdir()), log: createLogger('error') });
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
  return { pid: media.room(room).published[0]!.peer.segment.live.worker.pid, ingest, consumers, close: () => media.close() };
};

/** mediasoup by itself: a worker, a router, the same transports. */
const bare: MakeRig = async (binary, codec, receivers, sinks) => {
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
  return { pid: worker.pid, ingest, consumers, close };
};

/** Where receivers are: one in `SAMPLED` is read and counted, the others' socket takes packets and nobody reads, which costs the machine nothing. */
class Sinks {
  readonly #children: ChildProcess[];
  readonly #ports: number[];

  private constructor(children: ChildProcess[], ports: number[]) {
    this.#children = children;
    this.#ports = ports;
  }

  static async start(): Promise<Sinks> {
    const children = [0, 1].map(() => fork(fileURLToPath(new URL('../lib/rtp-sink.mjs', import.meta.url)), { execArgv: [] }));
    const ports = await Promise.all(children.map(async (child) => ((await once(child, 'message')) as [{ port: number }])[0].port));
    children[1]!.kill('SIGSTOP');
    return new Sinks(children, ports);
  }

  portOf(receiver: number): number {
    return this.#ports[receiver % SAMPLED === 0 ? 0 : 1]!;
  }

  async received(): Promise<number> {
    const answer = once(this.#children[0]!, 'message');
    this.#children[0]!.send('count');
    return ((await answer) as [{ packets: number }])[0].packets;
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

interface Measured {
  cpuPer1000: number;
  lossPercent: number;
  sampledLossPercent: number;
}

async function measure(make: MakeRig, binary: string, codec: Codec, receivers: number, seconds: number): Promise<Measured> {
  const sinks = await Sinks.start();
  const rig = await make(binary, codec, receivers, sinks);
  const socket = createSocket('udp4');
  const sequences = rig.ingest.map(() => 1);
  let tick = 0;
  let sent = 0;
  const began = performance.now();
  const feed = setInterval(() => {
    // By the clock, and not by the number of turns: a turn that comes late must not lower the rate.
    for (const due = Math.floor((performance.now() - began) / codec.everyMs); tick <= due; tick++) {
      const payloads = codec.packets(tick);
      rig.ingest.forEach(({ port, ssrc }, index) => {
        payloads.forEach((payload, part) => {
          const marker = part === payloads.length - 1;
          const packet = writeRtp({ payloadType: codec.rtp.payloadType, marker, sequence: sequences[index]!++, timestamp: tick * codec.timestampStep, ssrc, extensions: new Map(), payload });
          socket.send(packet, port, '127.0.0.1');
        });
      });
      sent += payloads.length;
    }
  }, 10);
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  try {
    await wait(SETTLE_MS);
    const before = { cpu: cpuOfTree(rig.pid), at: performance.now() };
    await wait(seconds * 1_000);
    const after = { cpu: cpuOfTree(rig.pid), at: performance.now() };
    const consumerSeconds = (rig.consumers.length * (after.at - before.at)) / 1_000;
    // Loss is that of the whole run, counted when nothing is on its way any more.
    clearInterval(feed);
    await wait(DRAIN_MS);
    const sampled = sent * SENDERS * Math.ceil(receivers / SAMPLED);
    return {
      cpuPer1000: ((after.cpu - before.cpu) / consumerSeconds) * 1_000,
      lossPercent: Math.max(0, 1 - (await carried(rig)) / (sent * rig.consumers.length)) * 100,
      sampledLossPercent: Math.max(0, 1 - (await sinks.received()) / sampled) * 100,
    };
  } finally {
    clearInterval(feed);
    socket.close();
    await rig.close();
    sinks.stop();
  }
}

/** Packets that the worker has sent to all receivers. */
async function carried({ consumers }: Rig): Promise<number> {
  const stats = await Promise.all(consumers.map((consumer) => consumer.getStats()));
  return stats.flat().reduce((sum, stat) => sum + (stat.type === 'outbound-rtp' ? stat.packetCount : 0), 0);
}

const median = (values: number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;

/** Our rooms and mediasoup by itself, in turn; then how many consumers one worker carries. */
export async function runCalls(rounds: number): Promise<Record<string, Row>> {
  const config = loadConfig();
  const binary = await obtainWorker({ given: config.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(config.XDG_CACHE_HOME), report: (line) => console.error(line) });
  const rows: Record<string, Row> = { OmniTalk: {}, mediasoup: {}, ratio: {} };
  const systems = { OmniTalk: ours, mediasoup: bare };
  for (const [name, codec] of Object.entries(CODECS)) {
    const receivers = codec.kind === 'audio' ? 100 : 50;
    const measured: Record<string, Measured[]> = { OmniTalk: [], mediasoup: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [system, make] of Object.entries(systems)) measured[system]!.push(await measure(make, binary, codec, receivers, 6));
    }
    for (const system of Object.keys(systems)) {
      rows[system]![`${name}: CPU s per 1,000 consumer-seconds`] = median(measured[system]!.map(({ cpuPer1000 }) => cpuPer1000));
      rows[system]![`${name}: loss at ${receivers * SENDERS} consumers, %`] = median(measured[system]!.map(({ lossPercent }) => lossPercent));
      rows[system]![`${name}: loss seen by those who are read, %`] = median(measured[system]!.map(({ sampledLossPercent }) => sampledLossPercent));
    }
    const ratios = measured['OmniTalk']!.map(({ cpuPer1000 }, round) => cpuPer1000 / measured['mediasoup']![round]!.cpuPer1000);
    rows['ratio']![`${name}: CPU s per 1,000 consumer-seconds`] = median(ratios);
    rows['OmniTalk']![`${name}: consumers a core at under 1 % loss`] = await capacity(binary, codec);
  }
  return rows;
}

const STEPS = [400, 600, 800, 1_000, 1_300, 1_600, 2_000, 2_600];

/** The most of these steps that one worker carries with under 1 % of packets lost. */
async function capacity(binary: string, codec: Codec): Promise<number> {
  let carriedWell = 0;
  for (const consumers of STEPS) {
    const { lossPercent } = await measure(ours, binary, codec, consumers / SENDERS, 4);
    if (lossPercent >= 1) break;
    carriedWell = consumers;
  }
  return carriedWell;
}

