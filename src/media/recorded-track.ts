import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, PlainTransport, RtpCapabilities } from 'mediasoup/types';
import { TIED } from './commands.js';
import type { Source } from './published.js';

/** A busy machine takes its time to start a program. */
const READY_MS = 15_000;
const LOOK_AGAIN_MS = 20;
const END_MS = 10_000;
const KEPT_CHARACTERS = 500;
/** Somebody else may take the ports between our asking for them and ffmpeg's taking them. */
const TRIES = 3;
const BYE_EVERY_MS = 200;
/** Tracks of these can lie in WebM; ffmpeg reads no AV1 from RTP, and H.264 goes into Matroska. */
const RECORDABLE = ['audio/opus', 'video/vp8', 'video/vp9', 'video/h264'];

/** One producer written to a file of its own as it is, from its worker over RTP to an ffmpeg. */
export class RecordedTrack {
  readonly kind: 'audio' | 'video';
  readonly file: string;
  /** When its first packet came, by performance.now(); undefined while none did. */
  began: number | undefined;
  readonly #transport: PlainTransport;
  readonly #consumer: Consumer;
  readonly #ffmpeg: ChildProcess;
  readonly #port: number;
  readonly #exited: Promise<void>;
  #ending: Promise<void> | undefined;
  #said = '';

  private constructor(file: string, transport: PlainTransport, consumer: Consumer, ffmpeg: ChildProcess, port: number) {
    this.kind = consumer.kind;
    this.file = file;
    this.#transport = transport;
    this.#consumer = consumer;
    this.#ffmpeg = ffmpeg;
    this.#port = port;
    this.#exited = new Promise((resolve) => {
      ffmpeg.once('close', resolve);
      ffmpeg.once('error', () => resolve());
    });
    ffmpeg.stderr?.on('data', (piece: Buffer) => {
      this.#said = (this.#said + piece.toString()).slice(-KEPT_CHARACTERS);
    });
    transport.observer.once('close', () => void this.end());
    consumer.once('producerclose', () => void this.end());
  }

  /** @returns null for a codec that can't be recorded */
  static async open(source: Source, path: string): Promise<RecordedTrack | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await RecordedTrack.#open(source, path);
      } catch (error) {
        if (source.closed || tries === TRIES) throw error;
      }
    }
  }

  static async #open(source: Source, path: string): Promise<RecordedTrack | null> {
    const segment = source.near;
    const giveBack = await source.bring(segment);
    const { router, live } = segment;
    const transport = await router.createPlainTransport({ listenInfo: live.listenInfo, rtcpMux: false }).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    transport.observer.once('close', giveBack);
    try {
      const consumer = await transport.consume({ producerId: source.id, rtpCapabilities: withoutRepair(router.rtpCapabilities), paused: true });
      const mimeType = consumer.rtpParameters.codecs[0]!.mimeType.toLowerCase();
      if (!RECORDABLE.includes(mimeType)) {
        transport.close();
        return null;
      }
      const port = await freePortPair();
      await transport.connect({ ip: '127.0.0.1', port, rtcpPort: port + 1 });
      await writeFile(`${path}.sdp`, sdpOf(consumer, port));
      const file = `${path}.${mimeType === 'video/h264' ? 'mkv' : 'webm'}`;
      const input = ['-protocol_whitelist', 'file,udp,rtp', '-analyzeduration', '60M', '-probesize', '32M', '-reorder_queue_size', '64', '-f', 'sdp', '-i', `${path}.sdp`];
      const [program, ...args] = [...TIED, 'ffmpeg', '-loglevel', 'error', '-nostdin', '-y', ...input, '-map', '0', '-c', 'copy', file];
      const track = new RecordedTrack(file, transport, consumer, spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] }), port);
      await track.#listens(port);
      await track.#listens(port + 1);
      await track.#start();
      return track;
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /** Has ffmpeg finish the file. Idempotent. */
  end(): Promise<void> {
    // Later, not now: closing the transport comes back here.
    this.#ending ??= Promise.resolve().then(() => this.#end());
    return this.#ending;
  }

  async hasContent(): Promise<boolean> {
    return this.began !== undefined && ((await stat(this.file).catch(() => null))?.size ?? 0) > 0;
  }

  /** For the log, where a track came to nothing. */
  get trouble(): { came: boolean; exitCode: number | null; said: string } {
    return { came: this.began !== undefined, exitCode: this.#ffmpeg.exitCode, said: this.#said };
  }

  /** A goodbye by RTCP is the end of the file for ffmpeg. A signal is none while it waits for packets, and a second one makes it drop the file. */
  async #end(): Promise<void> {
    this.#transport.close();
    // An empty report, then the goodbye: as RTCP asks for, and ffmpeg looks at nothing shorter.
    const bye = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0, 0x81, 203, 0, 1, 0, 0, 0, 0]);
    const { ssrc } = this.#consumer.rtpParameters.encodings![0]!;
    for (const at of [4, 12]) bye.writeUInt32BE(ssrc!, at);
    const socket = createSocket('udp4').on('error', () => undefined);
    const sayBye = () => socket.send(bye, this.#port + 1, '127.0.0.1');
    sayBye();
    const again = setInterval(sayBye, BYE_EVERY_MS);
    const patience = setTimeout(() => this.#ffmpeg.kill('SIGKILL'), END_MS);
    await this.#exited;
    clearInterval(again);
    clearTimeout(patience);
    socket.close();
  }

  /** ffmpeg says nothing once it listens; what is sent to it before is lost, a first key frame with it. */
  async #listens(port: number): Promise<void> {
    const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
    const deadline = performance.now() + READY_MS;
    while (!(await readFile('/proc/net/udp', 'utf8').catch(() => hex)).includes(hex)) {
      if (this.#ffmpeg.exitCode !== null || performance.now() > deadline) throw new Error(`ffmpeg did not start: ${this.#said}`);
      await delay(LOOK_AGAIN_MS);
    }
  }

  /** The first packet, of a video the first key frame, is where the track stands in the whole. */
  async #start(): Promise<void> {
    const first = this.kind === 'video' ? 'keyframe' : 'rtp';
    this.#consumer.on('trace', () => {
      this.began ??= performance.now();
      if (!this.#consumer.closed) this.#consumer.enableTraceEvent([]).catch(() => undefined);
    });
    await this.#consumer.enableTraceEvent([first]);
    await this.#consumer.resume();
  }
}

/** ffmpeg asks for nothing again, so nothing must be kept for that. */
function withoutRepair(capabilities: RtpCapabilities): RtpCapabilities {
  return { ...capabilities, codecs: (capabilities.codecs ?? []).filter(({ mimeType }) => !mimeType.toLowerCase().endsWith('/rtx')) };
}

function sdpOf({ kind, rtpParameters }: Consumer, port: number): string {
  const { payloadType, mimeType, clockRate, channels, parameters = {} } = rtpParameters.codecs[0]!;
  const format = Object.entries(parameters).map(([name, value]) => `${name}=${String(value)}`).join(';');
  return [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=${kind} ${port} RTP/AVPF ${payloadType}`,
    `a=rtcp:${port + 1}`,
    `a=rtpmap:${payloadType} ${mimeType.split('/')[1]}/${clockRate}${channels && channels > 1 ? `/${channels}` : ''}`,
    ...(format ? [`a=fmtp:${payloadType} ${format}`] : []),
    '',
  ].join('\r\n');
}

/** An even port and the next, both free a moment ago: RTP and RTCP as ffmpeg takes them. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort(0);
    if (port === null || port % 2 === 1 || given.has(port) || (await freePort(port + 1)) === null) continue;
    given.add(port);
    if (given.size > 256) given.delete(given.values().next().value!);
    return port;
  }
}

/** The port, or any for 0; null where it is taken. On all addresses: so ffmpeg takes it. */
async function freePort(port: number): Promise<number | null> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port);
    await once(socket, 'listening');
    return socket.address().port;
  } catch {
    return null;
  } finally {
    socket.close();
  }
}

/** The last ports given away: an ffmpeg may not have taken its own yet. */
const given = new Set<number>();
