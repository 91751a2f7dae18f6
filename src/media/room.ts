import type { Consumer } from 'mediasoup/types';
import { InFlight } from '../lib/in-flight.js';
import { MediaError, type Elsewhere, type Heard, type Joined, type Lent, type MediaCounts, type MediaEvents, type OtherNodes, type PeerStats, type PipeEnd, type RemoteInfo, type SeatHere } from './contract.js';
import { Cascade, type PipedRoom, type RemoteProducer } from './cascade.js';
import { missing } from './input.js';
import { Lending } from './lending.js';
import { Peer } from './peer.js';
import { dataInfoOf, infoOf, type Neighbours, type Origin, type Published, type PublishedData, type Source } from './published.js';
import { RoomSound } from './room-sound.js';
import { Segment } from './segment.js';
import { statsOf } from './stats.js';
import type { LiveWorker, WorkerPool } from './worker-pool.js';

export interface RoomOptions {
  pool: WorkerPool;
  /** Seats on one worker before the room spreads to the next. */
  peersPerRouter: number;
  peersPerRoom: number;
  /** Null where there are none that could be asked. */
  nodes: OtherNodes | null;
  emit: <Kind extends keyof MediaEvents>(kind: Kind, event: MediaEvents[Kind]) => void;
}

/** Of a larger room nobody is measured but who leaves: it would cost more than it tells. */
const MOST_MEASURED = 8;
/** How often an arrival tries, should workers die under it. */
const ATTEMPTS = 3;

/** A call, as far as it is on this node: its seats, spread over as many workers as they need, all that they publish, and what is piped from and to other nodes. */
export class Room implements Neighbours, PipedRoom {
  readonly id: string;
  readonly #options: RoomOptions;
  readonly #segments = new Map<LiveWorker, Segment>();
  readonly #peers = new Map<string, Peer>();
  readonly #producers = new Map<string, Published>();
  readonly #dataProducers = new Map<string, PublishedData>();
  readonly #seating = new InFlight<Peer>();
  readonly #opening = new InFlight<void>();
  readonly #sound: RoomSound;
  readonly #closers = new Set<() => void>();
  readonly #measured = new WeakMap<Peer, PeerStats>();
  readonly #followers = new Set<(source: Source) => void>();
  readonly #cascade: Cascade | null;
  readonly #lending = new Lending(this);
  /** The node that tells what is heard, where this one doesn't. */
  #home: string | null = null;
  #arriving = 0;
  #closed = false;
  #ending: 'left' | 'reset' = 'left';

  constructor(id: string, options: RoomOptions) {
    this.id = id;
    this.#options = options;
    this.#cascade = options.nodes && new Cascade(this, options.nodes);
    this.#sound = new RoomSound({
      ownerOf: (producerId) => this.find(producerId)?.peerId,
      levels: (levels) => (this.#home ? this.#tellHome({ levels }) : this.#emit('audioLevels', { roomId: id, levels })),
      speaker: (speaker) => (this.#home ? this.#tellHome({ speaker: speaker.producerId }) : this.#emit('activeSpeaker', { roomId: id, ...speaker })),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Nobody sits here, and nobody is about to. */
  get empty(): boolean {
    return this.#peers.size === 0 && this.#arriving === 0;
  }

  /** All that can be received here, on this node and elsewhere; without data. */
  get sources(): Source[] {
    return [...this.#producers.values(), ...(this.#cascade?.producers ?? []).filter(isMedia)];
  }

  async join(peerId: string, voiceOnly: boolean, anew: boolean): Promise<Joined> {
    if (anew) await this.leave(peerId);
    const peer = this.#peers.get(peerId) ?? (await this.#seating.run(peerId, () => this.#arrive(peerId, voiceOnly)));
    const others = [...this.#producers.values()].filter((one) => one.peer !== peer);
    const otherData = [...this.#dataProducers.values()].filter((one) => one.peer !== peer);
    return { rtpCapabilities: peer.segment.router.rtpCapabilities, producers: others.map(infoOf), dataProducers: otherData.map(dataInfoOf), own: peer.own };
  }

  /** @throws MediaError NOT_FOUND */
  peer(peerId: string): Peer {
    const peer = this.#peers.get(peerId);
    if (!peer) throw missing('participant');
    return peer;
  }

  /** Also of one who is still on the way in. */
  async leave(peerId: string): Promise<void> {
    await this.#seating.get(peerId)?.catch(() => undefined);
    const peer = this.#peers.get(peerId);
    this.#peers.delete(peerId);
    // With this one goes what the others receive of it. How that went is asked first, and a worker answers in turn: nobody waits for it.
    if (peer && this.#peers.size < MOST_MEASURED) for (const one of this.#peers.values()) void this.#measure(one);
    peer?.close();
    if (peer) this.#closeIfUnused(peer.segment);
  }

  /** Whether this worker carries a part of the room. */
  usesWorker(live: LiveWorker): boolean {
    return this.#segments.has(live);
  }

  stats(peerId: string): Promise<PeerStats> {
    return this.#measure(this.peer(peerId));
  }

  /** Of a peer that has nothing any more, what was measured while it had. */
  async #measure(peer: Peer): Promise<PeerStats> {
    const before = this.#measured.get(peer);
    const now = await statsOf(peer);
    const stats = now.streams === 0 && before ? before : { ...now, roundTripMs: now.roundTripMs ?? before?.roundTripMs ?? null };
    this.#measured.set(peer, stats);
    return stats;
  }

  get seats(): SeatHere[] {
    return [...this.#peers.values()].map(({ id: peerId, producerIds: producers }) => ({ roomId: this.id, peerId, producers }));
  }

  /** Adds to the counts of all rooms. */
  count(counts: MediaCounts): void {
    counts.rooms++;
    counts.peers += this.#peers.size;
    counts.routers += this.#segments.size;
    counts.borrowed += this.#cascade?.borrowed ?? 0;
    counts.lent += this.#lending.lent;
    for (const segment of this.#segments.values()) counts.pipes += segment.pipes;
    for (const peer of this.#peers.values()) {
      for (const kind of ['transports', 'producers', 'consumers', 'dataProducers', 'dataConsumers'] as const) counts[kind] += peer.held[kind];
    }
  }

  /** Called once, when the room closes. Answers how to call it off. */
  onClose(closer: () => void): () => void {
    this.#closers.add(closer);
    return () => this.#closers.delete(closer);
  }

  /** Told of each new producer, also of other nodes. Answers how to stop. */
  follow(follower: (source: Source) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Why something on this segment ends now. A dead worker ends it before the room is told. */
  endingOf(segment: Segment): 'left' | 'reset' {
    return this.#closed ? this.#ending : segment.router.closed ? 'reset' : 'left';
  }

  /** Silently: whoever closes it tells. `reset`: it opens again at the next join. */
  close(why: 'left' | 'reset' = 'left'): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ending = why;
    for (const closer of this.#closers) closer();
    this.#closers.clear();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#cascade?.close();
    this.#lending.close();
    for (const segment of this.#segments.values()) segment.close();
    this.#segments.clear();
    this.#producers.clear();
    this.#dataProducers.clear();
  }

  find(producerId: string, elsewhere?: RemoteInfo): Source | undefined {
    const remote = this.#remote(producerId, elsewhere);
    return this.#producers.get(producerId) ?? (remote && isMedia(remote) ? remote : undefined);
  }

  findData(dataProducerId: string, elsewhere?: RemoteInfo): Origin | undefined {
    const remote = this.#remote(dataProducerId, elsewhere);
    return this.#dataProducers.get(dataProducerId) ?? (remote && !isMedia(remote) ? remote : undefined);
  }

  spread(elsewhere: Elsewhere): void {
    this.#home = elsewhere.home;
    const { added, gone } = this.#cascade?.update(elsewhere) ?? { added: [], gone: [] };
    for (const { id } of gone) this.#sound.forget(id);
    for (const remote of added.filter(isMedia)) this.#announce(remote);
    this.#lending.keep(elsewhere.nodes, elsewhere.asOf);
  }

  /** @throws MediaError */
  async lend(pipe: { id: string; node: string; end: PipeEnd }, producerId: string, loan: number): Promise<Lent> {
    const published = this.#producers.get(producerId) ?? this.#dataProducers.get(producerId);
    if (!published) throw missing('producer');
    return this.#lending.lend(pipe, published, loan);
  }

  takeBack(pipeId: string, producerId: string, loan: number): void {
    this.#lending.takeBack(pipeId, producerId, loan);
  }

  closePipe(pipeId: string): void {
    this.#lending.closePipe(pipeId);
  }

  heard(node: string, heard: Heard): void {
    this.#sound.addRemote(node, heard);
  }

  spare(): Segment {
    const [segment] = [...this.#segments.values()].sort((one, other) => one.live.load - other.live.load);
    if (!segment) throw new MediaError('UNAVAILABLE', 'This call has ended here: join again.');
    return segment;
  }

  host(): Segment {
    const segment = this.spare();
    segment.guests++;
    return segment;
  }

  dismiss(segment: Segment): void {
    segment.guests--;
    this.#closeIfUnused(segment);
  }

  async produced(published: Published): Promise<void> {
    const { producer, peer } = published;
    this.#producers.set(producer.id, published);
    this.#emit('producerAdded', { roomId: this.id, producer: infoOf(published) });
    this.#announce(published);
    // It may have ended by the time the worker is asked; then nobody needs to hear it.
    if (producer.kind === 'audio') await peer.segment.hear(producer).catch(() => undefined);
  }

  unpublished({ peer, producer }: Published): void {
    if (!this.#producers.delete(producer.id) || this.endingOf(peer.segment) === 'reset') return;
    this.#sound.forget(producer.id);
    this.#emit('producerClosed', { roomId: this.id, peerId: peer.id, producerId: producer.id });
  }

  paused({ peer, producer }: Published): void {
    this.#emit('producerPaused', { roomId: this.id, peerId: peer.id, producerId: producer.id, paused: producer.paused });
  }

  producedData(published: PublishedData): void {
    this.#dataProducers.set(published.dataProducer.id, published);
    this.#emit('dataProducerAdded', { roomId: this.id, dataProducer: dataInfoOf(published) });
  }

  unpublishedData({ peer, dataProducer }: PublishedData): void {
    if (!this.#dataProducers.delete(dataProducer.id) || this.endingOf(peer.segment) === 'reset') return;
    this.#emit('dataProducerClosed', { roomId: this.id, peerId: peer.id, dataProducerId: dataProducer.id });
  }

  consumerChanged(peer: Peer, consumer: Consumer, score: number): void {
    const { id: consumerId, producerId, paused, producerPaused, currentLayers } = consumer;
    const layers = currentLayers ? { spatial: currentLayers.spatialLayer, temporal: currentLayers.temporalLayer ?? 0 } : null;
    this.#emit('consumerChanged', { roomId: this.id, peerId: peer.id, consumerId, producerId, paused, producerPaused, layers, score });
  }

  transportState(peer: Peer, transportId: string, state: 'connected' | 'disconnected'): void {
    this.#emit('transportState', { roomId: this.id, peerId: peer.id, transportId, state });
  }

  transportEnded(peer: Peer, transportId: string): void {
    this.#emit('transportClosed', { roomId: this.id, peerId: peer.id, transportId });
  }

  #emit<Kind extends keyof MediaEvents>(kind: Kind, event: MediaEvents[Kind]): void {
    if (!this.#closed) this.#options.emit(kind, event);
  }

  async #arrive(peerId: string, voiceOnly: boolean): Promise<Peer> {
    if (this.#peers.size + this.#arriving >= this.#options.peersPerRoom) throw new MediaError('LIMIT', `A call has room for ${this.#options.peersPerRoom}.`);
    this.#arriving++;
    try {
      for (let attempt = 1; ; attempt++) {
        if (this.#closed) throw new MediaError('UNAVAILABLE', 'This call has ended: join again.');
        const segment = this.#freeSegment();
        if (segment) {
          const peer = new Peer(peerId, voiceOnly, segment, this);
          this.#peers.set(peerId, peer);
          return peer;
        }
        await this.#opening.run('', () => this.#openSegment()).catch((error) => {
          if (attempt >= ATTEMPTS) throw error;
        });
      }
    } finally {
      this.#arriving--;
    }
  }

  /** The emptiest segment; none while it is full and there is a worker that the room does not use yet. */
  #freeSegment(): Segment | undefined {
    const emptiest = [...this.#segments.values()].sort((one, other) => one.seats - other.seats)[0];
    if (!emptiest || emptiest.seats < this.#options.peersPerRouter) return emptiest;
    return this.#options.pool.leastLoaded(new Set(this.#segments.keys())) ? undefined : emptiest;
  }

  async #openSegment(): Promise<void> {
    const { pool } = this.#options;
    const live = pool.leastLoaded(new Set(this.#segments.keys())) ?? (await pool.acquire());
    if (this.#segments.has(live)) return;
    const segment = await Segment.open(live).catch(() => {
      throw new MediaError('UNAVAILABLE', 'The media worker ended while the call began: join again.');
    });
    if (this.#closed) {
      segment.close();
      return;
    }
    this.#segments.set(live, segment);
    this.#sound.add(segment);
  }

  unreachable(node: string): void {
    this.#emit('nodeUnreachable', { roomId: this.id, node });
  }

  #announce(source: Source): void {
    for (const follower of this.#followers) follower(source);
  }

  #remote(id: string, elsewhere: RemoteInfo | undefined): RemoteProducer | undefined {
    const added = elsewhere && elsewhere.node !== this.#options.nodes?.id ? this.#cascade?.add(elsewhere) : undefined;
    if (added && isMedia(added)) this.#announce(added);
    return this.#cascade?.find(id);
  }

  /** What is lost is told anew while somebody is heard. */
  #tellHome(heard: Heard): void {
    const { nodes } = this.#options;
    if (nodes && !this.#closed) nodes.ask(this.#home!, 'heard', this.id, nodes.id, heard).catch(() => undefined);
  }

  #closeIfUnused(segment: Segment): void {
    if (segment.seats > 0 || segment.guests > 0 || this.#segments.get(segment.live) !== segment) return;
    this.#segments.delete(segment.live);
    this.#sound.remove(segment);
    segment.close();
  }
}

const isMedia = ({ what }: RemoteProducer): boolean => what !== 'data';
