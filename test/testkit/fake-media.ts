import { randomUUID } from 'node:crypto';
import {
  MediaError, PEER_LIMITS, type ConsumerInfo, type DataConsumerInfo, type DataProducerInfo, type Elsewhere, type Joined, type Lent, type Layers, type Media, type MediaCounts, type MediaEvents, type PeerStats,
  type ProducerInfo, type Recorded, type SeatHere, type TransportInfo,
} from '../../src/media/contract.js';

interface FakeTransport extends TransportInfo {
  connected: boolean;
}
interface FakePeer {
  transports: Map<string, FakeTransport>;
  producers: Map<string, ProducerInfo>;
  consumers: Map<string, ConsumerInfo>;
  dataProducers: Map<string, DataProducerInfo>;
  dataConsumers: Map<string, DataConsumerInfo>;
}
interface FakeRoom {
  peers: Map<string, FakePeer>;
  elsewhere: Elsewhere | null;
  recordingId: string | null;
}

const CAPABILITIES = { codecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 100 }], headerExtensions: [] } as unknown as Joined['rtpCapabilities'];

/** The contract of media kept in memory, without a worker: rooms, peers, ids and their bounds are real, packets are not. */
export class FakeMedia implements Media {
  readonly open = new Map<string, FakeRoom>();
  readonly #listeners = new Map<keyof MediaEvents, Set<(event: never) => void>>();
  /** What `state` says; a test takes media away by it. */
  available: ReturnType<Media['state']> = { state: 'ready' };
  measured: PeerStats = { streams: 1, loss: 0.01, roundTripMs: 20, score: 9, bytesSent: 1, bytesReceived: 1 };

  state(): ReturnType<Media['state']> {
    return this.available;
  }

  async join(roomId: string, peerId: string, { anew = false }: { anew?: boolean } = {}): Promise<Joined> {
    if (this.available.state !== 'ready') throw new MediaError('UNAVAILABLE', this.available.remedy);
    if (anew) await this.leave(roomId, peerId);
    let room = this.open.get(roomId);
    if (!room) this.open.set(roomId, (room = { peers: new Map(), elsewhere: null, recordingId: null }));
    let peer = room.peers.get(peerId);
    if (!peer) room.peers.set(peerId, (peer = { transports: new Map(), producers: new Map(), consumers: new Map(), dataProducers: new Map(), dataConsumers: new Map() }));
    const others = [...room.peers].filter(([id]) => id !== peerId).map(([, other]) => other);
    return {
      rtpCapabilities: CAPABILITIES,
      producers: others.flatMap((other) => [...other.producers.values()]),
      dataProducers: others.flatMap((other) => [...other.dataProducers.values()]),
      own: {
        transports: [...peer.transports.values()].map(({ id, direction }) => ({ id, direction })),
        producers: [...peer.producers.values()],
        dataProducers: [...peer.dataProducers.values()],
        consumers: [...peer.consumers.values()],
        dataConsumers: [...peer.dataConsumers.values()],
      },
    };
  }

  async leave(roomId: string, peerId: string): Promise<void> {
    const room = this.open.get(roomId);
    const peer = room?.peers.get(peerId);
    if (!room || !peer) return;
    for (const id of [...peer.producers.keys()]) await this.closeProducer(roomId, peerId, id);
    room.peers.delete(peerId);
    if (!room.peers.size) this.open.delete(roomId);
  }

  async closeRoom(roomId: string): Promise<void> {
    this.open.delete(roomId);
  }

  async createTransport(roomId: string, peerId: string, { direction, sctp }: { direction: 'SEND' | 'RECEIVE'; sctp: boolean }): Promise<TransportInfo> {
    const peer = this.#peer(roomId, peerId);
    if (peer.transports.size >= PEER_LIMITS.transports) throw new MediaError('LIMIT', `At most ${PEER_LIMITS.transports} transports.`);
    const transport = {
      id: randomUUID(), direction, connected: false, iceParameters: { usernameFragment: 'u', password: 'p' }, iceCandidates: [],
      dtlsParameters: { fingerprints: [] }, sctpParameters: sctp ? { port: 5000, OS: 1024, MIS: 1024, maxMessageSize: 262_144 } : null,
    } as unknown as FakeTransport;
    peer.transports.set(transport.id, transport);
    const { connected: _connected, ...info } = transport;
    return info;
  }

  async connectTransport(roomId: string, peerId: string, transportId: string, dtlsParameters: object): Promise<void> {
    const transport = this.#of(this.#peer(roomId, peerId).transports, transportId, 'transport');
    if (!Array.isArray((dtlsParameters as { fingerprints?: unknown }).fingerprints)) throw new MediaError('BAD_REQUEST', 'fingerprints are missing', 'dtlsParameters');
    if (transport.connected) throw new MediaError('CONFLICT', 'It is connected already.');
    transport.connected = true;
  }

  async restartIce(roomId: string, peerId: string, transportId: string): Promise<TransportInfo['iceParameters']> {
    return this.#of(this.#peer(roomId, peerId).transports, transportId, 'transport').iceParameters;
  }
  async closeTransport(roomId: string, peerId: string, transportId: string): Promise<void> {
    const { transports } = this.#peer(roomId, peerId);
    this.#of(transports, transportId, 'transport');
    transports.delete(transportId);
  }

  async produce(roomId: string, peerId: string, transportId: string, options: Parameters<Media['produce']>[3]): Promise<ProducerInfo> {
    const peer = this.#peer(roomId, peerId);
    if (this.#of(peer.transports, transportId, 'transport').direction !== 'SEND') throw new MediaError('BAD_REQUEST', 'It receives.', 'transportId');
    if (!Array.isArray((options.rtpParameters as { codecs?: unknown }).codecs)) throw new MediaError('BAD_REQUEST', 'codecs are missing', 'rtpParameters');
    if (peer.producers.size >= PEER_LIMITS.producers) throw new MediaError('LIMIT', `At most ${PEER_LIMITS.producers} producers.`);
    const { kind, source, paused = false, appData = {} } = options;
    const producer: ProducerInfo = { id: randomUUID(), peerId, kind, source, paused, type: 'simple', appData };
    peer.producers.set(producer.id, producer);
    this.emit('producerAdded', { roomId, producer });
    return producer;
  }

  async closeProducer(roomId: string, peerId: string, producerId: string): Promise<void> {
    this.#of(this.#peer(roomId, peerId).producers, producerId, 'producer');
    this.#peer(roomId, peerId).producers.delete(producerId);
    for (const peer of this.open.get(roomId)!.peers.values()) for (const [id, consumer] of peer.consumers) if (consumer.producerId === producerId) peer.consumers.delete(id);
    this.emit('producerClosed', { roomId, peerId, producerId });
  }
  async setProducerPaused(roomId: string, peerId: string, producerId: string, paused: boolean): Promise<void> {
    this.#of(this.#peer(roomId, peerId).producers, producerId, 'producer').paused = paused;
  }

  async consume(roomId: string, peerId: string, options: Parameters<Media['consume']>[2]): Promise<ConsumerInfo> {
    const peer = this.#peer(roomId, peerId);
    if (this.#of(peer.transports, options.transportId, 'transport').direction !== 'RECEIVE') throw new MediaError('BAD_REQUEST', 'It sends.', 'transportId');
    const others = [...this.open.get(roomId)!.peers].filter(([id]) => id !== peerId).flatMap(([, other]) => [...other.producers.values()]);
    const producer = others.find(({ id }) => id === options.producerId) ?? (options.elsewhere && { ...options.elsewhere, kind: options.elsewhere.kind as 'audio', source: options.elsewhere.source! });
    if (!producer) throw new MediaError('NOT_FOUND', 'There is no such producer.', 'producerId');
    if (!Array.isArray((options.rtpCapabilities as { codecs?: unknown }).codecs)) throw new MediaError('BAD_REQUEST', 'codecs are missing', 'rtpCapabilities');
    const before = [...peer.consumers.values()].find((one) => one.producerId === producer.id);
    if (before) return before;
    const { kind, source } = producer;
    const consumer: ConsumerInfo = { id: randomUUID(), producerId: producer.id, peerId: producer.peerId, kind, source, rtpParameters: { codecs: [] } as never, type: 'simple', paused: options.paused, producerPaused: producer.paused };
    peer.consumers.set(consumer.id, consumer);
    return consumer;
  }
  async closeConsumer(roomId: string, peerId: string, consumerId: string): Promise<void> {
    this.#of(this.#peer(roomId, peerId).consumers, consumerId, 'consumer');
    this.#peer(roomId, peerId).consumers.delete(consumerId);
  }
  async setConsumerPaused(roomId: string, peerId: string, consumerId: string, paused: boolean): Promise<void> {
    this.#of(this.#peer(roomId, peerId).consumers, consumerId, 'consumer').paused = paused;
  }
  async setPreferredLayers(roomId: string, peerId: string, consumerId: string, _layers: Layers): Promise<void> {
    this.#of(this.#peer(roomId, peerId).consumers, consumerId, 'consumer');
    throw new MediaError('CONFLICT', 'It has no layers.');
  }
  async requestKeyFrame(roomId: string, peerId: string, consumerId: string): Promise<void> {
    this.#of(this.#peer(roomId, peerId).consumers, consumerId, 'consumer');
  }

  async produceData(roomId: string, peerId: string, transportId: string, { label, protocol }: Parameters<Media['produceData']>[3]): Promise<DataProducerInfo> {
    const peer = this.#peer(roomId, peerId);
    if (!this.#of(peer.transports, transportId, 'transport').sctpParameters) throw new MediaError('BAD_REQUEST', 'It carries no data.', 'transportId');
    if (peer.dataProducers.size >= PEER_LIMITS.dataProducers) throw new MediaError('LIMIT', `At most ${PEER_LIMITS.dataProducers}.`);
    const producer = { id: randomUUID(), peerId, label, protocol };
    peer.dataProducers.set(producer.id, producer);
    return producer;
  }
  async closeDataProducer(roomId: string, peerId: string, dataProducerId: string): Promise<void> {
    this.#of(this.#peer(roomId, peerId).dataProducers, dataProducerId, 'data producer');
    this.#peer(roomId, peerId).dataProducers.delete(dataProducerId);
    this.emit('dataProducerClosed', { roomId, peerId, dataProducerId });
  }
  async consumeData(roomId: string, peerId: string, { transportId, dataProducerId }: { transportId: string; dataProducerId: string }): Promise<DataConsumerInfo> {
    const peer = this.#peer(roomId, peerId);
    this.#of(peer.transports, transportId, 'transport');
    const producer = [...this.open.get(roomId)!.peers.values()].map((other) => other.dataProducers.get(dataProducerId)).find(Boolean);
    if (!producer || producer.peerId === peerId) throw new MediaError('NOT_FOUND', 'There is no such data producer.', 'dataProducerId');
    const before = [...peer.dataConsumers.values()].find((one) => one.dataProducerId === dataProducerId);
    if (before) return before;
    const consumer = { ...producer, id: randomUUID(), dataProducerId, sctpStreamParameters: { streamId: 1 } };
    peer.dataConsumers.set(consumer.id, consumer);
    return consumer;
  }
  async closeDataConsumer(roomId: string, peerId: string, dataConsumerId: string): Promise<void> {
    this.#of(this.#peer(roomId, peerId).dataConsumers, dataConsumerId, 'data consumer');
    this.#peer(roomId, peerId).dataConsumers.delete(dataConsumerId);
  }

  spread(roomId: string, elsewhere: Elsewhere): void {
    const room = this.open.get(roomId);
    if (room) room.elsewhere = elsewhere;
  }
  async lend(): Promise<Lent> {
    throw new MediaError('UNAVAILABLE', 'Packets are not real here.');
  }
  async takeBack(): Promise<void> {}
  async closePipe(): Promise<void> {}
  async heard(): Promise<void> {}

  async stats(roomId: string, peerId: string): Promise<PeerStats> {
    this.#peer(roomId, peerId);
    return this.measured;
  }

  rooms(): MediaCounts {
    const peers = [...this.open.values()].flatMap((room) => [...room.peers.values()]);
    const sum = (count: (peer: FakePeer) => number) => peers.reduce((total, peer) => total + count(peer), 0);
    return {
      workers: 1, rooms: this.open.size, peers: peers.length, routers: this.open.size, transports: sum((peer) => peer.transports.size), producers: sum((peer) => peer.producers.size),
      consumers: sum((peer) => peer.consumers.size), dataProducers: sum((peer) => peer.dataProducers.size), dataConsumers: sum((peer) => peer.dataConsumers.size), pipes: 0, borrowed: 0, lent: 0, voices: 0,
      recordings: [...this.open.values()].filter((room) => room.recordingId).length, timers: 0,
    };
  }

  seats(roomId?: string): SeatHere[] {
    const rooms = [...this.open].filter(([id]) => roomId === undefined || id === roomId);
    return rooms.flatMap(([id, { peers }]) => [...peers].map(([peerId, { producers, dataProducers }]) => ({ roomId: id, peerId, producers: [...producers.keys(), ...dataProducers.keys()] })));
  }

  async startRecording(roomId: string): Promise<{ recordingId: string }> {
    const room = this.#room(roomId);
    if (room.recordingId) throw new MediaError('CONFLICT', 'It is recorded already.');
    return { recordingId: (room.recordingId = randomUUID()) };
  }
  async stopRecording(roomId: string, recordingId: string, keep = true): Promise<Recorded> {
    const room = this.#room(roomId);
    if (room.recordingId !== recordingId) throw new MediaError('NOT_FOUND', 'There is no such recording.');
    room.recordingId = null;
    if (!keep) throw new MediaError('CONFLICT', 'It was not to be kept.');
    return { file: `recordings/${recordingId}.webm`, bytes: 1_000, durationMs: 1_000 };
  }

  on<Kind extends keyof MediaEvents>(kind: Kind, listener: (event: MediaEvents[Kind]) => void): () => void {
    let listeners = this.#listeners.get(kind);
    if (!listeners) this.#listeners.set(kind, (listeners = new Set()));
    listeners.add(listener as (event: never) => void);
    return () => listeners.delete(listener as (event: never) => void);
  }
  /** Tells what a worker would have told. */
  emit<Kind extends keyof MediaEvents>(kind: Kind, event: MediaEvents[Kind]): void {
    for (const listener of this.#listeners.get(kind) ?? []) (listener as (event: MediaEvents[Kind]) => void)(event);
  }

  /** As when a worker dies: everything in the room is gone. */
  reset(roomId: string): void {
    this.open.delete(roomId);
    this.emit('roomReset', { roomId });
  }

  #room(roomId: string): FakeRoom {
    return this.#of(this.open, roomId, 'room');
  }
  #peer(roomId: string, peerId: string): FakePeer {
    return this.#of(this.#room(roomId).peers, peerId, 'peer');
  }
  #of<Value>(map: Map<string, Value>, id: string, what: string): Value {
    const found = map.get(id);
    if (!found) throw new MediaError('NOT_FOUND', `There is no such ${what}.`);
    return found;
  }
}
