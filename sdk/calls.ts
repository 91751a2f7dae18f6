import type { types } from 'mediasoup-client';
import { CallChannels, type CallChannel } from './call-channels.js';
import type { CallSessionEnd, CallSessionState, CallSource, ChannelOptions, JoinCallOptions, MediaTrack, RemoteTrack, SendOptions } from './call-options.js';
import { MissingProducers } from './call-missing.js';
import { CallReceiving } from './call-receiving.js';
import { CallSending } from './call-sending.js';
import { CallStory, placeOf } from './call-story.js';
import { CallTransports, OVERTAKEN, PASSING } from './call-transports.js';
import type { CallEvent, OmniTalk } from './client.js';
import { offsetOf } from './cursors.js';
import { asError, type OmniTalkError } from './errors.js';
import type { CallParticipantPartsFragment, CallProducerPartsFragment, JoinCallMutation } from './generated/graphql.js';
import type { EventStream } from './stream.js';

export type { CallChannel } from './call-channels.js';
export type { CallMessage, CallSessionEnd, CallSessionState, CallSource, ChannelOptions, JoinCallOptions, MediaTrack, RemoteTrack, SendOptions, VideoCodec } from './call-options.js';

type Joined = JoinCallMutation['joinCall'];
/** A network that is gone holds nobody in a call. */
const LEAVE_WITHIN_MS = 1_000;
/** What came of a question whose answer was lost is seen by taking the seat again. */
const LOOK_AGAIN_MS = 1_000;
/** What happens again and again is not answered without a pause. */
const AGAIN_MS = 100;
/** A server that is away is asked less and less often, and not by all at the same time. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
const GONE = { ParticipantRemoved: 'REMOVED', ParticipantLeft: 'LEFT', ParticipantMoved: 'MOVED' } as const;
/** What says how things stand, and stands otherwise once the seat has been taken anew. */
const SUPERSEDED: ReadonlySet<string> = new Set(['ParticipantAdmitted', 'ParticipantRemoved', 'ParticipantLeft', 'ParticipantMoved', 'CallMediaReset']);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes one's seat in a call: resolves once it is taken, or, in a call with a lobby, once one waits there. */
export async function joinCall<Track extends MediaTrack = MediaTrack>(client: OmniTalk, options: JoinCallOptions<Track>): Promise<CallSession<Track>> {
  const session = new CallSession<Track>(client, options);
  await session.enter();
  return session;
}

export class CallSession<Track extends MediaTrack = MediaTrack> {
  participant!: CallParticipantPartsFragment;
  state: CallSessionState = 'WAITING';
  /** Resolves with the reason when it is over. */
  readonly ended: Promise<CallSessionEnd>;
  /** What the others send, by the producer's id. */
  readonly remote: Map<string, RemoteTrack<Track>>;
  readonly #sending: CallSending;
  readonly #receiving: CallReceiving<Track>;
  readonly #transports: CallTransports;
  readonly #channels: CallChannels;
  readonly #missing = new MissingProducers(() => void this.#rejoin());
  readonly #story: CallStory;
  #stream: EventStream<CallEvent> | null = null;
  #finish!: (reason: CallSessionEnd) => void;
  /** How often the events failed since one came. */
  #unfollowed = 0;
  /** What changes is done one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #rejoining: Promise<void> | null = null;
  /** Something has happened since the rejoin that is under way began. */
  #again = false;
  #lookingAgain: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly client: OmniTalk,
    private readonly options: JoinCallOptions<Track>,
  ) {
    this.ended = new Promise((resolve) => (this.#finish = resolve));
    this.#story = new CallStory(options.callId, options);
    this.#transports = new CallTransports(client, {
      callId: options.callId,
      over: () => this.state === 'ENDED',
      away: (away) => (away ? this.#stateIs('RECONNECTING') : this.state === 'RECONNECTING' && this.#stateIs('CONNECTED')),
      rejoin: () => void this.#rejoin(),
      unheard: (error) => this.#lookAgain(error),
    }, options.iceTransportPolicy);
    const onProblem = (problem: OmniTalkError) => options.onProblem?.(problem);
    this.#sending = new CallSending(client, options.callId, this.#transports, onProblem);
    this.#receiving = new CallReceiving(client, options.callId, this.#transports, options);
    this.remote = this.#receiving.remote;
    this.#channels = new CallChannels(client, options.callId, this.#transports, { onMessage: options.onMessage, onProblem, unheard: (error) => this.#lookAgain(error) });
  }

  get callId(): string {
    return this.options.callId;
  }

  get #over(): boolean {
    return this.state === 'ENDED';
  }

  /** Takes the seat; `joinCall` has done so. */
  async enter(): Promise<void> {
    const joined = await this.#join(this.options.takeOver ?? false);
    this.#follow(joined.cursor);
    try {
      await this.#settle(joined);
    } catch (error) {
      // On a device that can't take part nobody would ever leave the seat.
      await this.leave().catch(() => undefined);
      throw error;
    }
  }

  /** Sends a track; another of the same source takes its place. Resolves once the others can receive it. */
  async send(track: MediaTrack, options: SendOptions = {}): Promise<void> {
    const source = options.source ?? (track.kind === 'audio' ? 'MICROPHONE' : 'CAMERA');
    await this.#mended(this.#sending.send(source, track, options));
    // By the browser's own button, say.
    track.addEventListener('ended', () => void (this.#sending.track(source) === track && this.stop(source).catch(() => undefined)));
  }

  /** Sends a source no more, and lets its track go. */
  stop(source: CallSource): Promise<void> {
    return this.#mended(this.#sending.stop(source));
  }

  /** Stops sending for now, or goes on. */
  setPaused(source: CallSource, paused: boolean): Promise<void> {
    return this.#mended(this.#sending.setPaused(source, paused));
  }

  /** The highest layers of somebody's picture that are wanted here. */
  async setPreferredLayers({ consumerId }: RemoteTrack<Track>, spatialLayer: number, temporalLayer = 2): Promise<void> {
    await this.client.api.setPreferredLayers({ input: { callId: this.callId, consumerId, spatialLayer, temporalLayer } });
  }

  /** Opens a data channel to everybody else in the call: resolves once it is open. It comes back by itself when the media begins anew; what is sent meanwhile is lost. */
  openChannel(label: string, options: ChannelOptions = {}): Promise<CallChannel> {
    return this.#mended(this.#channels.open(label, options));
  }

  /** Whether something is sent now. */
  isSending(source: CallSource): boolean {
    return this.#sending.isSending(source);
  }

  /** Gives up the seat, and lets go of all tracks. */
  async leave(): Promise<void> {
    // Nothing is taken from camera and microphone any more; the transports stand until the server has measured how they were.
    this.#sending.stopTracks();
    const left = this.client.api.leaveCall({ input: { callId: this.callId } });
    await Promise.race([left, pause(LEAVE_WITHIN_MS)]).catch(() => undefined);
    this.#end('LEFT');
    // Whoever joins after this must not be taken for what is given up once more: see #comeBack.
    await left.finally(() => this.#rejoining);
  }

  async #join(takeOver: boolean): Promise<Joined> {
    const { region, voiceOnly = false, recordingConsent = false } = this.options;
    const { joinCall: joined } = await this.client.api.joinCall({ input: { callId: this.callId, takeOver, voiceOnly, recordingConsent, ...(region === undefined ? {} : { region }) } });
    this.participant = joined.participant;
    return joined;
  }

  /** Follows the events from where the app has come to; what the seat has told already changes nothing here any more. */
  #follow(joined: string): void {
    const stream = this.client.callEvents(this.callId, this.#story.goesOn(joined));
    this.#stream = stream;
    const seat = offsetOf(joined);
    const read = async () => {
      for await (const event of stream) {
        // What an older one still holds is told by the present one.
        if (this.#stream !== stream) return;
        this.#unfollowed = 0;
        this.#story.tell(event);
        if (placeOf(event) > seat || !SUPERSEDED.has(event.__typename)) this.#take(event);
        // Nothing follows it, and yet the call goes on: by another stream, once the seat has been taken anew.
        if (event.__typename === 'ResyncRequired') return;
      }
      if (this.#stream === stream) this.#end('ENDED');
    };
    read().catch((error: unknown) => {
      if (this.#stream !== stream) return;
      if (!PASSING.has(asError(error).code)) return this.#end(asError(error));
      this.#lookAgain(error, LOOK_AGAIN_MS * 2 ** Math.min(this.#unfollowed++, 3));
    });
  }

  #take(event: CallEvent): void {
    switch (event.__typename) {
      case 'ProducerAdded':
        if (event.producer) void this.#inTurn(() => this.#receive(event.producer!));
        return;
      case 'ProducerUpdated':
        return this.#paused(event.producerId, event.producer?.paused ?? true);
      case 'ProducerClosed':
        if (event.participantId === this.participant.id) return this.#lostOwn(event.producerId);
        return void this.#inTurn(async () => this.#drop(event.producerId));
      case 'ParticipantAdmitted':
        if (event.participantId === this.participant.id) void this.#rejoin();
        return;
      case 'ParticipantRemoved':
      case 'ParticipantLeft':
      case 'ParticipantMoved':
        if (event.participantId === this.participant.id) return this.#end(GONE[event.__typename]);
        return void this.#inTurn(async () => this.#dropAll(event.participantId));
      case 'CallEnded':
        return this.#end('ENDED');
      case 'CallMediaReset':
      case 'ResyncRequired':
        return void this.#rejoin();
      case 'CallTransportChanged':
        if (event.state === 'CLOSED' && this.#transports.ids.has(event.transportId)) void this.#rejoin();
        return;
      default:
        return;
    }
  }

  /** Brings what is sent and received here in step with what the server says. */
  async #settle(joined: Joined): Promise<void> {
    // Let in since: that is told by an event.
    if (joined.participant.state === 'WAITING' || !joined.rtpCapabilities) return this.#stateIs('WAITING');
    if (!this.#transports.device) {
      const device = new this.options.Device();
      await device.load({ routerRtpCapabilities: joined.rtpCapabilities as types.RtpCapabilities });
      this.#transports.device = device;
    }
    this.#stateIs('CONNECTED');
    // First, and in turn with what is received: what is being asked for just now is known by then.
    const cleared = this.#inTurn(() => this.#clear(joined));
    for (const producer of joined.producers) void this.#inTurn(() => this.#receive(producer));
    await cleared;
    await this.#sending.sendAgain();
    await this.#channels.reopen();
  }

  /**
   * Lets go of what the server has no more, of what there was when it was asked. To be done at once with the answer, before the events behind it are followed: what
   * they add must not be taken for lost.
   */
  #forgetLost({ own, producers }: Joined, asked: ReadonlySet<string>): void {
    const alive = new Set(own.transports.map(({ id }) => id));
    // What was made meanwhile is not in the answer: it is asked for once more.
    if ([...this.#transports.ids].some((id) => !asked.has(id))) this.#again = true;
    const sent = new Set(producers.map(({ id }) => id));
    this.#missing.keep(sent);
    if ([...asked].some((id) => !alive.has(id))) return this.#forgetMedia();
    for (const id of [...this.remote.keys()]) if (!sent.has(id)) this.#drop(id);
  }

  /** What another page of this device has left in the call; and what was not heard when it was asked for. */
  async #clear({ own }: Joined): Promise<void> {
    await Promise.all([this.#sending.making.settled(), this.#channels.making.settled()]);
    const producers = new Set([...this.#sending.producerIds, ...this.#channels.producerIds]);
    const channels = new Set(this.#channels.consumerIds);
    const stale = own.producers.filter(({ id }) => !producers.has(id));
    const unread = own.consumers.filter(({ id }) => !this.#receiving.knows(id));
    const unused = own.transports.filter(({ id }) => !this.#transports.ids.has(id));
    const closing: PromiseSettledResult<unknown>[] = await Promise.allSettled([
      this.#sending.sayAgain(own.producers),
      ...stale.map(({ id, kind }) => this.client.api[kind === 'DATA' ? 'closeDataProducer' : 'closeProducer']({ input: { callId: this.callId, producerId: id } })),
      ...own.consumers.filter(({ id }) => this.#receiving.holds(id)).map(({ id }) => this.#receiving.goOn(id)),
      ...unread.map(({ id }) => this.client.api.closeConsumer({ input: { callId: this.callId, consumerId: id } })),
      ...own.dataConsumers.filter(({ id }) => !channels.has(id)).map(({ id }) => this.client.api.closeDataConsumer({ input: { callId: this.callId, consumerId: id } })),
    ]);
    // Last, so that what they carry has been told as closed by then: only so many transports may a participant have.
    closing.push(...(await Promise.allSettled(unused.map(({ id }) => this.client.api.closeTransport({ input: { callId: this.callId, transportId: id } })))));
    for (const one of closing) if (one.status === 'rejected') this.#lookAgain(one.reason);
  }

  async #receive(producer: CallProducerPartsFragment): Promise<void> {
    const { id: producerId, participantId, kind } = producer;
    if (participantId === this.participant.id || this.remote.has(producerId) || this.state === 'ENDED') return;
    try {
      await (kind === 'DATA' ? this.#channels : this.#receiving).receive(producer);
      this.#missing.delete(producerId);
    } catch (error) {
      if (this.#over) return;
      if (asError(error).code === 'NOT_FOUND') return this.#missing.add(producer);
      this.options.onProblem?.(asError(error));
      this.#lookAgain(error);
    }
  }

  /** What came of it is not known, where its answer was lost: the app hears of that, and it is seen to here. */
  #mended<Made>(asking: Promise<Made>): Promise<Made> {
    return asking.catch((error: unknown) => {
      this.#lookAgain(error);
      throw error;
    });
  }

  /** Takes the seat again in a moment, if that can mend it: what was made meanwhile, and nobody knows, goes; what is missing comes. */
  #lookAgain(error: unknown, after = LOOK_AGAIN_MS): void {
    if (this.state === 'ENDED' || !PASSING.has(asError(error).code)) return;
    this.#lookingAgain ??= setTimeout(() => {
      this.#lookingAgain = null;
      void this.#rejoin();
    }, after);
  }

  #paused(producerId: string, paused: boolean): void {
    if (paused) this.#sending.paused(producerId);
    this.#receiving.paused(producerId, paused);
  }

  /** What one sends was closed elsewhere: the host has taken over the screen, say. */
  #lostOwn(producerId: string): void {
    this.#channels.drop(producerId);
    this.#sending.drop(producerId);
  }

  #drop(producerId: string): void {
    this.#missing.delete(producerId);
    this.#channels.drop(producerId);
    this.#receiving.drop(producerId);
  }

  /** Whoever is gone has taken with them what they sent. */
  #dropAll(participantId: string): void {
    this.#missing.deleteAll(participantId);
    this.#channels.dropAll(participantId);
    this.#receiving.dropAll(participantId);
  }

  /** Takes the seat again, and finds in it what is still there. */
  #rejoin(): Promise<void> {
    if (this.#rejoining) this.#again = true;
    return (this.#rejoining ??= this.#comeBack());
  }

  async #comeBack(): Promise<void> {
    let tries = 0;
    while (!this.#over) {
      let seated = false;
      try {
        const asked = new Set(this.#transports.ids);
        const { told } = this.#story;
        const joined = await this.#join(false);
        seated = true;
        // Left meanwhile: the seat has been taken again by this, perhaps.
        if (this.#over) return void (await this.client.api.leaveCall({ input: { callId: this.callId } }));
        this.#stream?.close();
        this.#forgetLost(joined, asked);
        this.#story.tellLost(told, joined.cursor);
        this.#follow(joined.cursor);
        await this.#settle(joined);
        if (!this.#again) {
          this.#rejoining = null;
          return;
        }
        this.#again = false;
        tries = 0;
        await pause(AGAIN_MS);
      } catch (error) {
        const { code, retryAfter } = asError(error);
        if (!PASSING.has(code) && !(seated && OVERTAKEN.has(code))) return this.#end(asError(error));
        this.#stateIs('RECONNECTING');
        // Whoever is seated waits for media alone, which begins anew within seconds.
        if (seated) tries = Math.min(tries, 2);
        const wait = Math.min(FIRST_RETRY_MS * 2 ** tries++, LONGEST_RETRY_MS) * (0.5 + Math.random());
        await this.#untilOver(Math.max(wait, (retryAfter ?? 0) * 1_000 + FIRST_RETRY_MS * Math.random()));
      }
    }
  }

  /** Or so long. */
  async #untilOver(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.ended, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
    clearTimeout(timer);
  }

  /** All transports are gone; one's own tracks are sent again by others. */
  #forgetMedia(): void {
    this.#transports.forget();
    this.#channels.forget();
    this.#sending.forget();
    this.#receiving.forget();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    return (this.#turn = this.#turn.then(work).catch((error: unknown) => this.options.onProblem?.(asError(error))));
  }

  #stateIs(state: CallSessionState): void {
    if (this.state === state && state !== 'WAITING') return;
    if (this.state === 'ENDED') return;
    this.state = state;
    this.options.onState?.(state);
  }

  #end(reason: CallSessionEnd): void {
    if (this.state === 'ENDED') return;
    this.#stateIs('ENDED');
    if (this.#lookingAgain) clearTimeout(this.#lookingAgain);
    this.#stream?.close();
    this.#forgetMedia();
    this.#missing.keep(new Set());
    this.#sending.end();
    this.#finish(reason);
  }
}
