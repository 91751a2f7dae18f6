import type { types } from 'mediasoup-client';
import type { CallSource, MediaTrack, SendOptions, VideoCodec } from './call-options.js';
import { failureOf, OVERTAKEN, PASSING, type CallTransports } from './call-transports.js';
import type { OmniTalk } from './client.js';
import { asError, failure, type OmniTalkError } from './errors.js';
import { UnderWay } from './under-way.js';

interface Local {
  track: MediaTrack;
  producer: types.Producer;
  options: SendOptions;
  /** As it is to be, also while it is sent again. */
  paused: boolean;
  /** How often the server is being told so just now. */
  telling: number;
}

const CAMERA_ENCODINGS: types.RtpEncodingParameters[] = [
  { scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: 'L1T3' },
];
/** The same by one encoding in layers (SVC), where the codec can. */
const LAYERED_ENCODINGS: types.RtpEncodingParameters[] = [{ scalabilityMode: 'L3T3_KEY', maxBitrate: 1_500_000 }];

/** What one sends in a call, by its source. */
export class CallSending {
  readonly #local = new Map<CallSource, Local>();
  /** What is given to send is taken one after the other, of each source. */
  readonly #turns = new Map<CallSource, Promise<void>>();
  readonly making = new UnderWay();
  #over = false;

  constructor(
    private readonly client: OmniTalk,
    private readonly callId: string,
    private readonly transports: CallTransports,
    private readonly onProblem: (problem: OmniTalkError) => void,
  ) {}

  get producerIds(): string[] {
    return [...this.#local.values()].map(({ producer }) => producer.id);
  }

  track(source: CallSource): MediaTrack | undefined {
    return this.#local.get(source)?.track;
  }

  isSending(source: CallSource): boolean {
    return this.#local.get(source)?.paused === false;
  }

  /** Of two that are given at once the later takes the place of the other. */
  send(source: CallSource, track: MediaTrack, options: SendOptions): Promise<void> {
    const sent = (this.#turns.get(source) ?? Promise.resolve()).then(() => this.#send(source, track, options));
    this.#turns.set(source, sent.catch(() => undefined));
    return sent;
  }

  async stop(source: CallSource): Promise<void> {
    const local = this.#local.get(source);
    if (!local) return;
    this.#local.delete(source);
    local.track.stop();
    await this.#close(local.producer);
  }

  async setPaused(source: CallSource, paused: boolean): Promise<void> {
    const local = this.#local.get(source);
    if (!local) return;
    // What is about to be sent again is sent as it is wanted by then.
    if (paused || local.producer.closed) local.paused = paused;
    if (local.producer.closed) return;
    if (paused) local.producer.pause();
    local.telling++;
    await this.client.api.setProducerPaused({ input: { callId: this.callId, producerId: local.producer.id, paused } }).finally(() => local.telling--);
    local.paused = paused;
    if (!paused) local.producer.resume();
  }

  /** What is paused here and not there, or goes on but for that not having been heard when it was sent again, is said once more. */
  async sayAgain(there: readonly { id: string; paused: boolean }[]): Promise<void> {
    const open = new Set(there.filter(({ paused }) => !paused).map(({ id }) => id));
    for (const [source, { producer, paused, telling }] of [...this.#local]) {
      if (!telling && !producer.closed && (paused ? open.has(producer.id) : producer.paused)) await this.setPaused(source, paused);
    }
  }

  /**
   * What went by transports that are gone goes by others. What may not be sent any more is let go; what passes, or was overtaken,
   * is thrown: the caller tries again.
   */
  async sendAgain(): Promise<void> {
    for (const [source, local] of [...this.#local]) {
      if (!local.producer.closed || this.#local.get(source) !== local) continue;
      try {
        await this.#produce(source, local.track, local.options, local);
      } catch (error) {
        const { code, errors } = asError(error);
        // Somebody else shares their screen by now.
        const taken = errors[0]?.extensions?.field === 'source';
        if (!taken && (PASSING.has(code) || OVERTAKEN.has(code))) throw error;
        if (this.#local.get(source) === local) this.#local.delete(source);
        local.track.stop();
        this.onProblem(asError(error));
      }
    }
  }

  /** The host has stopped it. */
  paused(producerId: string): void {
    for (const local of this.#local.values()) {
      if (local.producer.id !== producerId) continue;
      local.paused = true;
      local.producer.pause();
    }
  }

  /** It was closed elsewhere. What was closed here as well is about to be sent again. */
  drop(producerId: string): void {
    for (const [source, { producer, track }] of this.#local) {
      if (producer.id !== producerId || producer.closed) continue;
      this.#local.delete(source);
      producer.close();
      track.stop();
    }
  }

  /** All transports are gone. */
  forget(): void {
    for (const { producer } of this.#local.values()) producer.close();
  }

  stopTracks(): void {
    for (const { track } of this.#local.values()) track.stop();
  }

  end(): void {
    this.#over = true;
    this.stopTracks();
    this.#local.clear();
  }

  async #send(source: CallSource, track: MediaTrack, options: SendOptions): Promise<void> {
    // Whoever joins after this has the same seat.
    if (this.#over) throw failure('STATE_CONFLICT', 'You are not in this call any more.');
    const known = this.#local.get(source);
    if (!known) return this.#produce(source, track, options);
    if (known.track === track) return;
    let producer: types.Producer;
    do {
      producer = known.producer;
      // One that is closed is about to be sent again, or just now: that goes on with the track that is here by then.
      if (!producer.closed) await this.#replace(producer, track);
    } while (known.producer !== producer);
    // Stopped meanwhile.
    if (this.#local.get(source) !== known) return track.stop();
    known.track.stop();
    known.track = track;
  }

  /** What is closed under it is sent again. */
  async #replace(producer: types.Producer, track: MediaTrack): Promise<void> {
    await producer.replaceTrack({ track: track as never }).catch((error: unknown) => {
      if (!producer.closed) throw error;
    });
  }

  #produce(source: CallSource, track: MediaTrack, options: SendOptions, again?: Local): Promise<void> {
    return this.making.add(this.#make(source, track, options, again));
  }

  async #make(source: CallSource, track: MediaTrack, options: SendOptions, again?: Local): Promise<void> {
    const paused = again?.paused === true;
    const transport = await this.transports.get('SEND');
    const codec = options.codec && this.#codec(options.codec);
    const layered = options.codec === 'VP9' || options.codec === 'AV1' ? LAYERED_ENCODINGS : CAMERA_ENCODINGS;
    const encodings = options.encodings ?? (source === 'CAMERA' ? layered : undefined);
    // Another, perhaps, since it was to be sent again.
    const sent = again?.track ?? track;
    const producer = await transport.produce({
      track: sent as never, stopTracks: false, appData: { source, paused }, ...(encodings ? { encodings } : {}), ...(codec ? { codec } : {}),
      ...(track.kind === 'video' ? { codecOptions: { videoGoogleStartBitrate: 1_000 } } : { codecOptions: { opusDtx: true, opusFec: true } }),
    }).catch((error: unknown) => {
      throw failureOf(transport, error);
    });
    if (paused) producer.pause();
    if (!again) return void this.#local.set(source, { track, producer, options, paused, telling: 0 });
    if (this.#local.get(source) !== again) {
      // It was stopped while it was made.
      return this.#close(producer);
    }
    again.producer = producer;
    if (again.track !== sent) await this.#replace(producer, again.track).catch((error: unknown) => this.onProblem(asError(error)));
    if (again.paused !== paused) await this.setPaused(source, again.paused);
  }

  async #close(producer: types.Producer): Promise<void> {
    producer.close();
    await this.client.api.closeProducer({ input: { callId: this.callId, producerId: producer.id } }).catch((error: unknown) => {
      // It has gone by itself, with what carried it.
      if (!OVERTAKEN.has(asError(error).code)) throw error;
    });
  }

  #codec(name: VideoCodec): types.RtpCodecCapability {
    const known = this.transports.device!.sendRtpCapabilities.codecs!.find(({ mimeType }) => mimeType.toLowerCase() === `video/${name.toLowerCase()}`);
    if (!known) throw failure('UNSUPPORTED', `This device can not send ${name}.`);
    return known;
  }
}
