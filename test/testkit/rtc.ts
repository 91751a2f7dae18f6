import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AppData, Consumer, DirectTransport, Producer, Router, RtpEncodingParameters, RtpHeaderExtensionParameters, WebRtcTransport, Worker } from 'mediasoup/types';
import { MEDIA_CODECS } from '../../src/media/codecs.js';
import type { ConsumerInfo, Direction, Joined, Media, MediaSource, ProducerInfo } from '../../src/media/contract.js';
import { IceRelay } from '../../src/media/ice-relay.js';
import { readRtp, writeRtp } from '../../src/media/rtp.js';

const AUDIO_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const LEVEL_ID = 10;
/** 20 ms of silence: Opus, CELT, full band. */
export const OPUS_SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);

/** VP8 (RFC 7741): the payload descriptor of a first partition, then a frame that begins as a key frame of 320 × 240, or as another. */
export function vp8Frame(key: boolean, bytes = 200): Buffer {
  const head = key ? [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00] : [0x10, 0x11, 0x02, 0x00];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bytes - head.length, 7)]);
}

interface Codec {
  kind: 'audio' | 'video';
  mimeType: string;
  payloadType: number;
  clockRate: number;
  channels?: number;
  parameters?: Record<string, string | number>;
  rtcpFeedback?: { type: string; parameter?: string }[];
}
const FEEDBACK = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }];
export const CODECS = {
  opus: { kind: 'audio', mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 },
  vp8: { kind: 'video', mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, rtcpFeedback: FEEDBACK },
  vp9: { kind: 'video', mimeType: 'video/VP9', payloadType: 102, clockRate: 90_000, parameters: { 'profile-id': 0 }, rtcpFeedback: FEEDBACK },
  h264: { kind: 'video', mimeType: 'video/H264', payloadType: 103, clockRate: 90_000, parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f' }, rtcpFeedback: FEEDBACK },
  av1: { kind: 'video', mimeType: 'video/AV1', payloadType: 104, clockRate: 90_000, rtcpFeedback: FEEDBACK },
} as const satisfies Record<string, Codec>;
export type CodecName = keyof typeof CODECS;

/** As much of media as a client asks of. */
export type ClientMedia = Pick<Media, 'join' | 'leave' | 'createTransport' | 'connectTransport' | 'produce' | 'consume'>;

/**
 * Participants without a browser: a media worker of its own that plays the clients. What a client sends is made here packet by packet, goes through
 * real ICE, DTLS and SRTP to the server under test, and what it receives from there is counted packet by packet.
 */
export class ClientWorker {
  readonly #worker: Worker;
  readonly #clients: RtcClient[] = [];

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(binary: string): Promise<ClientWorker> {
    const { createWorker } = await import('mediasoup');
    return new ClientWorker(await createWorker({ workerBin: binary, logLevel: 'none' }));
  }

  async join(media: ClientMedia, roomId: string, options: { peerId?: string; voiceOnly?: boolean } = {}): Promise<RtcClient> {
    const peerId = options.peerId ?? randomUUID();
    const joined = await media.join(roomId, peerId, { voiceOnly: options.voiceOnly ?? false });
    const router = await this.#worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    const client = new RtcClient(media, roomId, peerId, joined, router, await router.createDirectTransport());
    this.#clients.push(client);
    return client;
  }

  /** All of them, as devices do whose batteries are empty. */
  vanish(): void {
    for (const client of this.#clients.splice(0)) client.vanish();
  }

  async stop(): Promise<void> {
    this.vanish();
    const gone = once(this.#worker, 'subprocessclose');
    this.#worker.close();
    await gone;
  }
}

interface Leg {
  /** Of the server. */
  id: string;
  transport: WebRtcTransport;
  relay: IceRelay;
}

export class RtcClient {
  readonly #legs = new Map<Direction, Promise<Leg>>();
  readonly #relays: IceRelay[] = [];

  constructor(
    readonly media: ClientMedia,
    readonly roomId: string,
    readonly peerId: string,
    readonly joined: Joined,
    readonly router: Router,
    readonly direct: DirectTransport,
  ) {}

  /** The way to or from the server, opened at its first use: resolves once DTLS has shaken hands. */
  leg(direction: Direction): Promise<Leg> {
    let leg = this.#legs.get(direction);
    if (!leg) this.#legs.set(direction, (leg = this.#open(direction)));
    return leg;
  }

  /** Publishes a producer and answers how to send its packets. */
  async send(codec: CodecName, options: { source?: MediaSource; paused?: boolean; appData?: AppData; encodings?: RtpEncodingParameters[] } = {}): Promise<Sending> {
    const { id, transport } = await this.leg('SEND');
    const { kind, ...rest } = CODECS[codec];
    const encodings = options.encodings ?? [{ ssrc: ssrc() }];
    const headerExtensions: RtpHeaderExtensionParameters[] = kind === 'audio' ? [{ uri: AUDIO_LEVEL, id: LEVEL_ID }] : [];
    const producer = await this.direct.produce({ kind, rtpParameters: { codecs: [{ ...rest, rtcpFeedback: [] }], encodings, headerExtensions, rtcp: { cname: this.peerId } } });
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: this.joined.rtpCapabilities, enableRtx: false });
    const source = options.source ?? (kind === 'audio' ? 'MICROPHONE' : 'CAMERA');
    const { paused = false, appData = {} } = options;
    const info = await this.media.produce(this.roomId, this.peerId, id, { kind, rtpParameters: consumer.rtpParameters, source, paused, appData });
    return new Sending(info, producer, consumer, CODECS[codec], encodings[0]!.ssrc!);
  }

  /** Consumes what somebody sends and counts what arrives. */
  async receive(producerId: string, options: { paused?: boolean } = {}): Promise<Receiving> {
    const { id, transport } = await this.leg('RECEIVE');
    const info = await this.media.consume(this.roomId, this.peerId, { transportId: id, producerId, rtpCapabilities: this.router.rtpCapabilities, paused: options.paused ?? false });
    const producer = await transport.produce({ kind: info.kind, rtpParameters: structuredClone(info.rtpParameters) });
    const consumer = await this.direct.consume({ producerId: producer.id, rtpCapabilities: this.router.rtpCapabilities });
    return new Receiving(info, consumer);
  }

  /** Without a word to the server: as a device does whose battery is empty. */
  vanish(): void {
    for (const relay of this.#relays.splice(0)) relay.close();
    this.router.close();
  }

  /** As a network that fails, and comes back with `false`. */
  cut(cut = true): void {
    for (const relay of this.#relays) relay.cut(cut);
  }

  async leave(): Promise<void> {
    await this.media.leave(this.roomId, this.peerId);
    this.vanish();
  }

  async #open(direction: Direction): Promise<Leg> {
    const server = await this.media.createTransport(this.roomId, this.peerId, { direction, sctp: false });
    const transport = await this.router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
    const shaken = new Promise<void>((resolve, reject) => {
      transport.on('dtlsstatechange', (state) => (state === 'connected' ? resolve() : state === 'failed' ? reject(new Error('no DTLS')) : undefined));
    });
    await this.media.connectTransport(this.roomId, this.peerId, server.id, { ...transport.dtlsParameters, role: 'client' });
    await transport.connect({ dtlsParameters: { ...server.dtlsParameters, role: 'server' } });
    const relay = await IceRelay.open(server, transport);
    this.#relays.push(relay);
    await shaken;
    return { id: server.id, transport, relay };
  }
}

export class Sending {
  sent = 0;
  #sequence = 1_000;
  #timestamp = 50_000;

  constructor(
    readonly info: ProducerInfo,
    readonly producer: Producer,
    readonly consumer: Consumer,
    readonly codec: Codec,
    readonly ssrc: number,
  ) {}

  get id(): string {
    return this.info.id;
  }

  /** One packet. `level` is that of RFC 6464: 0 is the loudest, 127 silence. */
  packet(payload: Buffer = this.codec.kind === 'audio' ? OPUS_SILENCE : vp8Frame(this.sent === 0), level = 127): void {
    const extensions = this.codec.kind === 'audio' ? new Map([[LEVEL_ID, Buffer.from([0x80 | level])]]) : new Map<number, Buffer>();
    this.producer.send(writeRtp({ payloadType: this.codec.payloadType, marker: true, sequence: this.#sequence++, timestamp: this.#timestamp, ssrc: this.ssrc, extensions, payload }));
    this.#timestamp += this.codec.kind === 'audio' ? 960 : 3_000;
    this.sent++;
  }

  /** Packets at their real pace until told to stop. */
  stream(everyMs = 20, level = 127): () => void {
    const timer = setInterval(() => this.packet(undefined, level), everyMs);
    return () => clearInterval(timer);
  }
}

export class Receiving {
  readonly payloads: Buffer[] = [];
  packets = 0;

  constructor(
    readonly info: ConsumerInfo,
    readonly consumer: Consumer,
  ) {
    consumer.on('rtp', (packet) => {
      this.packets++;
      const { payload } = readRtp(packet)!;
      if (this.payloads.length < 1_000) this.payloads.push(Buffer.from(payload));
    });
  }
}

let nextSsrc = 0x1000_0000;
export const ssrc = (): number => nextSsrc++;
