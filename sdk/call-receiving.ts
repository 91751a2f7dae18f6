import type { types } from 'mediasoup-client';
import type { JoinCallOptions, MediaTrack, RemoteTrack } from './call-options.js';
import type { CallTransports } from './call-transports.js';
import type { OmniTalk } from './client.js';
import type { CallProducerPartsFragment } from './generated/graphql.js';

/** What the others send in a call, as it arrives here. */
export class CallReceiving<Track extends MediaTrack> {
  /** By the producer's id. */
  readonly remote = new Map<string, RemoteTrack<Track>>();
  readonly #consumers = new Map<string, types.Consumer>();
  /** Of those: which the server may still hold, as it begins with each. */
  readonly #held = new Set<string>();

  constructor(
    private readonly client: OmniTalk,
    private readonly callId: string,
    private readonly transports: CallTransports,
    private readonly app: Pick<JoinCallOptions<Track>, 'onTrack' | 'onTrackPaused' | 'onTrackEnded'>,
  ) {}

  knows(consumerId: string): boolean {
    return this.#consumers.has(consumerId);
  }

  /** Whether the server may still hold it. */
  holds(consumerId: string): boolean {
    return this.#held.has(consumerId);
  }

  async receive({ id: producerId, paused, source }: CallProducerPartsFragment): Promise<void> {
    const transport = await this.transports.get('RECEIVE');
    const input = { callId: this.callId, transportId: transport.id, producerId, rtpCapabilities: this.transports.device!.recvRtpCapabilities };
    const { consumer: made } = (await this.client.api.consume({ input })).consume;
    const consumer = await transport.consume({
      id: made.id, producerId: made.producerId, kind: made.kind === 'AUDIO' ? 'audio' : 'video', rtpParameters: made.rtpParameters as types.RtpParameters, streamId: made.participantId,
    });
    this.#consumers.set(made.id, consumer);
    const remote: RemoteTrack<Track> = { producerId: made.producerId, participantId: made.participantId, consumerId: made.id, source: source!, track: consumer.track as unknown as Track, paused };
    this.remote.set(made.producerId, remote);
    this.app.onTrack?.(remote);
    await this.goOn(made.id);
  }

  async goOn(consumerId: string): Promise<void> {
    this.#held.add(consumerId);
    await this.client.api.setConsumerPaused({ input: { callId: this.callId, consumerId, paused: false } });
    this.#held.delete(consumerId);
  }

  paused(producerId: string, paused: boolean): void {
    const remote = this.remote.get(producerId);
    if (!remote || remote.paused === paused) return;
    remote.paused = paused;
    this.app.onTrackPaused?.(remote);
  }

  drop(producerId: string): void {
    const remote = this.remote.get(producerId);
    if (!remote) return;
    this.remote.delete(producerId);
    this.#consumers.get(remote.consumerId)?.close();
    this.#consumers.delete(remote.consumerId);
    this.#held.delete(remote.consumerId);
    this.app.onTrackEnded?.(remote);
  }

  /** Whoever is gone has taken with them what they sent. */
  dropAll(participantId: string): void {
    for (const remote of [...this.remote.values()]) if (remote.participantId === participantId) this.drop(remote.producerId);
  }

  /** All transports are gone. */
  forget(): void {
    for (const id of [...this.remote.keys()]) this.drop(id);
  }
}
