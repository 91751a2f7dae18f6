import { randomInt } from 'node:crypto';
import type { Consumer, Producer, RtpParameters } from 'mediasoup/types';
import { MediaError, type ProducerInfo } from './contract.js';
import { opusSamples } from './opus.js';
import type { Peer } from './peer.js';
import type { Source } from './published.js';
import type { Room } from './room.js';
import { readRtp, writeRtp } from './rtp.js';

export interface VoiceSink {
  /** Somebody's voice begins; `stream` names it from now on, and no other for the life of the link. */
  started(stream: number, producer: { producerId: string; peerId: string }): void;
  /** `level` by RFC 6464 (0 the loudest, 127 silence; 255 not known), `timestamp` at 48 kHz. */
  frame(stream: number, level: number, timestamp: number, opus: Buffer): void;
  ended(stream: number): void;
  /** The seat is gone: left, removed, or the call is over. `reset`: the call begins anew, come again. */
  closed(why: 'left' | 'reset'): void;
}

export type Written = 'sent' | 'malformed' | 'too fast';

const AUDIO_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const LEVEL_ID = 1;
const PAYLOAD_TYPE = 100;
const SAMPLES_A_MS = 48;
/** How much may come ahead of its time: what a phone saved up in a tunnel. */
const AHEAD_SAMPLES = 2_000 * SAMPLES_A_MS;
/** A pause longer than this is a pause of the timestamps too. */
const PAUSE_SAMPLES = 200 * SAMPLES_A_MS;
const ASK_AGAIN_MS = 1_000;
export const LEVEL_UNKNOWN = 255;
const SPEECH_LEVEL = 30;
const SILENCE_LEVEL = 127;
/** Opus says "nothing new" (DTX) in one or two bytes. */
const DTX_BYTES = 2;

/** One participant's voice without WebRTC: Opus packets in, Opus packets of every other participant out, as they are, through the worker. */
export class VoiceLink {
  readonly #peer: Peer;
  readonly #room: Room;
  readonly #sink: VoiceSink;
  readonly #ssrc = randomInt(1, 2 ** 32);
  readonly #undo: (() => void)[] = [];
  readonly #streams = new Map<string, number>();
  readonly #later = new Set<NodeJS.Timeout>();
  #info: ProducerInfo | undefined;
  #producer: Producer | undefined;
  #receiving: string | undefined;
  #nextStream = 1;
  #sequence = randomInt(2 ** 16);
  #timestamp = randomInt(2 ** 32);
  /** Samples taken since `#began`, pauses included. */
  #played = 0;
  #began = performance.now();
  #talking = false;
  #closed = false;

  private constructor(room: Room, peer: Peer, sink: VoiceSink) {
    this.#room = room;
    this.#peer = peer;
    this.#sink = sink;
  }

  static async open(room: Room, peer: Peer, sink: VoiceSink): Promise<VoiceLink> {
    const link = new VoiceLink(room, peer, sink);
    try {
      await link.#open();
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  get producer(): ProducerInfo {
    return this.#info!;
  }

  onClose(listener: () => void): void {
    this.#undo.push(listener);
  }

  /** One packet of Opus, sent on as soon as it is here. `level` as in `VoiceSink.frame`. */
  write(level: number, opus: Buffer): Written {
    const samples = opusSamples(opus);
    if (samples === null || (level > SILENCE_LEVEL && level !== LEVEL_UNKNOWN)) return 'malformed';
    const now = (performance.now() - this.#began) * SAMPLES_A_MS;
    if (this.#played > now + AHEAD_SAMPLES) return 'too fast';
    const behind = Math.floor(now - this.#played);
    const paused = behind > PAUSE_SAMPLES;
    if (paused) this.#advance(behind);
    const known = level === LEVEL_UNKNOWN ? (opus.length <= DTX_BYTES ? SILENCE_LEVEL : SPEECH_LEVEL) : level;
    const extensions = new Map([[LEVEL_ID, Buffer.from([(known < SILENCE_LEVEL ? 0x80 : 0) | known])]]);
    const packet = writeRtp({ payloadType: PAYLOAD_TYPE, marker: paused || !this.#talking, sequence: this.#sequence, timestamp: this.#timestamp, ssrc: this.#ssrc, extensions, payload: opus });
    this.#talking = true;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#advance(samples);
    if (!this.#closed && !this.#producer!.closed) this.#producer!.send(packet);
    return 'sent';
  }

  async setMuted(muted: boolean): Promise<void> {
    if (!this.#closed) await this.#peer.setProducerPaused(this.producer.id, muted);
  }

  /** Idempotent; the seat stays. */
  close(): void {
    this.#end(null);
  }

  #end(why: 'left' | 'reset' | null): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const undo of this.#undo) undo();
    for (const again of this.#later) clearTimeout(again);
    this.#later.clear();
    if (why) this.#sink.closed(why);
  }

  #advance(samples: number): void {
    this.#timestamp = (this.#timestamp + samples) >>> 0;
    this.#played += samples;
  }

  async #open(): Promise<void> {
    const sending = await this.#peer.openDirect('SEND');
    this.#undo.push(() => sending.close());
    const receiving = await this.#peer.openDirect('RECEIVE');
    this.#undo.push(() => receiving.close());
    this.#receiving = receiving.id;
    const rtpParameters: RtpParameters = {
      codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48_000, channels: 2 }],
      headerExtensions: [{ uri: AUDIO_LEVEL, id: LEVEL_ID }],
      encodings: [{ ssrc: this.#ssrc }],
      rtcp: { cname: this.#peer.id },
    };
    this.#info = await this.#peer.produce(sending.id, { kind: 'audio', source: 'MICROPHONE', rtpParameters });
    this.#producer = this.#peer.producers.find(({ id }) => id === this.#info!.id);
    this.#began = performance.now();
    sending.observer.on('close', () => this.#end(this.#room.endingOf(this.#peer.segment)));
    this.#undo.push(this.#room.follow((source) => this.#hear(source)));
    for (const source of this.#room.sources) this.#hear(source);
  }

  #hear(source: Source): void {
    if (source.peerId === this.#peer.id || source.kind !== 'audio') return;
    // Who can't be heard, because it ended meanwhile or is one too many, is not announced either.
    this.#consume(source).catch((error: unknown) => {
      if (!(error instanceof MediaError && error.code === 'UNAVAILABLE') || this.#closed || source.closed) return;
      // Its node did not answer.
      this.#streams.delete(source.id);
      const again = setTimeout(() => {
        this.#later.delete(again);
        this.#hear(source);
      }, ASK_AGAIN_MS).unref();
      this.#later.add(again);
    });
  }

  async #consume({ id, peerId }: Source): Promise<void> {
    if (this.#closed || this.#streams.has(id)) return;
    const stream = this.#nextStream++;
    this.#streams.set(id, stream);
    const { rtpCapabilities } = this.#peer.segment.router;
    const info = await this.#peer.consume({ transportId: this.#receiving!, producerId: id, rtpCapabilities, paused: true });
    const consumer = this.#peer.consumers.find((one) => one.id === info.id);
    if (!consumer || consumer.closed || this.#closed) return;
    this.#sink.started(stream, { producerId: id, peerId });
    consumer.on('rtp', (packet) => this.#pass(stream, levelId(consumer), packet));
    consumer.observer.on('close', () => {
      this.#streams.delete(id);
      if (!this.#closed) this.#sink.ended(stream);
    });
    await consumer.resume();
  }

  #pass(stream: number, level: number | undefined, bytes: Buffer): void {
    const packet = readRtp(bytes);
    if (!packet || packet.payload.length === 0) return;
    const told = level === undefined ? undefined : packet.extensions.get(level)?.[0];
    this.#sink.frame(stream, told === undefined ? LEVEL_UNKNOWN : told & 0x7f, packet.timestamp, packet.payload);
  }
}

const levelId = (consumer: Consumer): number | undefined => consumer.rtpParameters.headerExtensions?.find(({ uri }) => uri === AUDIO_LEVEL)?.id;
