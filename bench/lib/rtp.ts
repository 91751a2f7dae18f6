import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RtpParameters } from 'mediasoup/types';

export const SRTP_SUITE = 'AES_CM_128_HMAC_SHA1_80';
export const SENDERS = 4;
export const SAMPLED = 10;

export interface Codec {
  kind: 'audio' | 'video';
  source: 'MICROPHONE' | 'CAMERA';
  rtp: RtpParameters['codecs'][number];
  everyMs: number;
  /** Of each packet that is sent each time. */
  packets: (tick: number) => Buffer[];
  timestampStep: number;
}

/** Opus at 48 kb/s, 50 packets a second; VP8 at 500 kb/s, 15 frames of 4 packets a second. Bits a second of payload. */
export const CODECS: Record<'Opus 48 kb/s' | 'VP8 500 kb/s', Codec> = {
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

/** Something that passes on what senders send to receivers' plain sockets, by SRTP with a key for each receiver. */
export interface Rig {
  /** Of the process that carries packets; what its children use counts too. */
  pid: number;
  /** Where each sender's RTP goes. */
  ingest: { port: number; ssrc: number }[];
  /** Each is one sender's packets to one receiver. */
  consumers: number;
  /** Packets sent to all receivers by its own count, where it keeps one. */
  carried?(): Promise<number>;
  close(): Promise<void>;
}

export type MakeRig = (codec: Codec, receivers: number, sinks: Sinks) => Promise<Rig>;

/** A receiver's SRTP master key and salt. */
export const srtpKey = (): string => randomBytes(30).toString('base64');

/** Where receivers are: one in `SAMPLED` is read and counted, the others' socket takes packets and nobody reads, which costs the machine nothing. */
export class Sinks {
  readonly #children: ChildProcess[];
  readonly #ports: number[];

  private constructor(children: ChildProcess[], ports: number[]) {
    this.#children = children;
    this.#ports = ports;
  }

  static async start(): Promise<Sinks> {
    const children = [0, 1].map(() => fork(fileURLToPath(new URL('./rtp-sink.mjs', import.meta.url)), { execArgv: [] }));
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
