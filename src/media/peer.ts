import type { Consumer, DirectTransport, PlainTransport, Producer, Transport, WebRtcTransport } from 'mediasoup/types';
import { InFlight } from '../lib/in-flight.js';
import {
  MediaError,
  PEER_LIMITS,
  type ConsumeDataOptions,
  type ConsumeOptions,
  type ConsumerInfo,
  type DataConsumerInfo,
  type DataProducerInfo,
  type Direction,
  type DtlsParameters,
  type IceParameters,
  type Layers,
  type MediaSource,
  type ProduceDataOptions,
  type ProduceOptions,
  type ProducerInfo,
  type TransportInfo,
} from './contract.js';
import { answered, missing, readAppData, readDtlsParameters, readKind, readLabel, readLayer, readRtpCapabilities, readRtpParameters, readSctpStream, readSource, refusal } from './input.js';
import { dataInfoOf, infoOf, Published, PublishedData, type Neighbours } from './published.js';
import type { Segment } from './segment.js';
import { consumerInfo, dataConsumerInfo, type Taken, type TakenData } from './taken.js';

interface Seated<Of extends Transport = Transport> {
  transport: Of;
  direction: Direction;
  /** Set by the first connect, and taken back when that is refused. */
  connected: boolean;
}

type Kind = keyof typeof PEER_LIMITS;

const AUDIO_SOURCES: readonly MediaSource[] = ['MICROPHONE', 'SCREEN_AUDIO'];
const START_BITRATE = 1_000_000;
/** A hundred consumers that begin at once are one key frame, not a hundred. */
const KEY_FRAME_DELAY_MS = 1_000;
const MAX_MESSAGE = 262_144;
/** Scores are told when they pass into another of these bands, which start at 4 and 7. */
const band = (score: number): number => (score < 4 ? 0 : score < 7 ? 1 : 2);

/** One participant's seat: its transports and what goes through them. Everything is looked up here by id and nowhere else. */
export class Peer {
  readonly id: string;
  readonly voiceOnly: boolean;
  readonly segment: Segment;
  readonly #room: Neighbours;
  readonly #transports = new Map<string, Seated>();
  readonly #producers = new Map<string, Published>();
  readonly #consumers = new Map<string, Taken>();
  readonly #dataProducers = new Map<string, PublishedData>();
  readonly #dataConsumers = new Map<string, TakenData>();
  /** What is being made, by kind: a thousand at once are refused as surely as a thousand in turn. */
  readonly #making: Record<Kind, number> = { transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0 };
  readonly #consuming = new InFlight<ConsumerInfo>();
  readonly #consumingData = new InFlight<DataConsumerInfo>();
  #closed = false;

  constructor(id: string, voiceOnly: boolean, segment: Segment, room: Neighbours) {
    this.id = id;
    this.voiceOnly = voiceOnly;
    this.segment = segment;
    this.#room = room;
    segment.sit();
  }

  get own(): { transports: { id: string; direction: Direction }[]; producers: ProducerInfo[]; dataProducers: DataProducerInfo[]; consumers: ConsumerInfo[]; dataConsumers: DataConsumerInfo[] } {
    return {
      transports: [...this.#transports.values()].map(({ transport, direction }) => ({ id: transport.id, direction })),
      producers: [...this.#producers.values()].map(infoOf),
      dataProducers: [...this.#dataProducers.values()].map(dataInfoOf),
      consumers: [...this.#consumers.values()].map(consumerInfo),
      dataConsumers: [...this.#dataConsumers.values()].map(dataConsumerInfo),
    };
  }

  get held(): Record<Kind, number> {
    return {
      transports: this.#transports.size,
      producers: this.#producers.size,
      consumers: this.#consumers.size,
      dataProducers: this.#dataProducers.size,
      dataConsumers: this.#dataConsumers.size,
    };
  }

  get producerIds(): string[] {
    return [...this.#producers.keys(), ...this.#dataProducers.keys()];
  }

  get transports(): Transport[] {
    return [...this.#transports.values()].map(({ transport }) => transport);
  }

  get producers(): Producer[] {
    return [...this.#producers.values()].map(({ producer }) => producer);
  }

  get consumers(): Consumer[] {
    return [...this.#consumers.values()].map(({ consumer }) => consumer);
  }

  async createTransport({ direction, sctp, forceTcp = false }: { direction: Direction; sctp: boolean; forceTcp?: boolean }): Promise<TransportInfo> {
    if (direction !== 'SEND' && direction !== 'RECEIVE') throw new MediaError('BAD_REQUEST', 'direction must be SEND or RECEIVE.', 'direction');
    const transport = await this.#addTransport(direction, () =>
      this.segment.router.createWebRtcTransport({
        webRtcServer: this.segment.live.server,
        enableUdp: !forceTcp,
        enableTcp: true,
        preferUdp: true,
        enableSctp: sctp === true,
        maxSendMessageSize: MAX_MESSAGE,
        maxReceiveMessageSize: MAX_MESSAGE,
        initialAvailableOutgoingBitrate: START_BITRATE,
      }),
    );
    this.#watch(transport);
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
    return { id, direction, iceParameters, iceCandidates, dtlsParameters, sctpParameters: sctpParameters ?? null };
  }

  /** For what runs beside the server, ffmpeg or a load test: RTP without ICE and DTLS, over this machine's loop. */
  async openPlain(direction: Direction, srtp = false): Promise<PlainTransport> {
    const { listenInfo } = this.segment.live;
    return this.#addTransport(direction, () => this.segment.router.createPlainTransport({ listenInfo, rtcpMux: true, comedia: direction === 'SEND', enableSrtp: srtp }));
  }

  /** For what runs in this process: RTP packets as they are. */
  async openDirect(direction: Direction): Promise<DirectTransport> {
    return this.#addTransport(direction, () => this.segment.router.createDirectTransport());
  }

  async connectTransport(transportId: string, given: DtlsParameters): Promise<void> {
    const seated = this.#webRtc(transportId);
    const dtlsParameters = readDtlsParameters(given);
    if (seated.connected) throw new MediaError('CONFLICT', 'This transport is connected already.', 'transportId');
    seated.connected = true;
    try {
      await seated.transport.connect({ dtlsParameters });
    } catch (error) {
      seated.connected = false;
      throw refusal(error, 'dtlsParameters');
    }
  }

  async restartIce(transportId: string): Promise<IceParameters> {
    const { transport } = this.#webRtc(transportId);
    return answered(transport.restartIce(), 'transportId');
  }

  closeTransport(transportId: string): void {
    this.#transport(transportId).transport.close();
  }

  async produce(transportId: string, options: ProduceOptions): Promise<ProducerInfo> {
    const { transport, direction } = this.#transport(transportId);
    if (direction !== 'SEND') throw new MediaError('BAD_REQUEST', 'This transport receives: produce on one that sends.', 'transportId');
    const kind = readKind(options.kind);
    const source = readSource(options.source);
    if (AUDIO_SOURCES.includes(source) !== (kind === 'audio')) throw new MediaError('BAD_REQUEST', `${source} is no source of ${kind}.`, 'source');
    if (this.voiceOnly && kind === 'video') throw new MediaError('BAD_REQUEST', 'Who takes part by voice alone sends no video.', 'kind');
    const rtpParameters = readRtpParameters(options.rtpParameters, kind);
    const appData = readAppData(options.appData);
    return this.#within('producers', async () => {
      const making = transport.produce({ kind, rtpParameters, paused: options.paused === true, keyFrameRequestDelay: KEY_FRAME_DELAY_MS, appData });
      const producer = await answered(making, 'rtpParameters');
      if (producer.closed || transport.closed || this.#closed) throw ended(producer);
      const published = new Published(this, producer, source);
      this.#producers.set(producer.id, published);
      producer.observer.on('close', () => {
        this.#producers.delete(producer.id);
        this.#room.unpublished(published);
      });
      await this.#room.produced(published);
      return infoOf(published);
    });
  }

  closeProducer(producerId: string): void {
    this.#published(producerId).producer.close();
  }

  async setProducerPaused(producerId: string, paused: boolean): Promise<void> {
    const published = this.#published(producerId);
    if (published.producer.paused === paused) return;
    await answered(paused ? published.producer.pause() : published.producer.resume(), 'producerId');
    if (!published.producer.closed) this.#room.paused(published);
  }

  async consume({ transportId, producerId, rtpCapabilities: given, paused, elsewhere }: ConsumeOptions): Promise<ConsumerInfo> {
    const { transport, direction } = this.#transport(transportId);
    if (direction !== 'RECEIVE') throw new MediaError('BAD_REQUEST', 'This transport sends: consume on one that receives.', 'transportId');
    const rtpCapabilities = readRtpCapabilities(given);
    const same = [...this.#consumers.values()].find((one) => one.consumer.producerId === producerId && one.transportId === transportId);
    if (same) return consumerInfo(same);
    const from = this.#room.find(producerId, elsewhere);
    if (!from) throw missing('producer');
    if (this.voiceOnly && from.kind === 'video') throw new MediaError('BAD_REQUEST', 'Who takes part by voice alone receives no video.', 'producerId');
    // A caller that asks twice at once gets the same one too.
    const make = () => this.#within('consumers', async () => {
      const giveBack = await answered(from.bring(this.segment), 'producerId');
      try {
        if (!this.segment.router.canConsume({ producerId, rtpCapabilities })) throw new MediaError('BAD_REQUEST', 'With these capabilities nothing of this producer can be received.', 'rtpCapabilities');
        const consumer = await transport.consume({ producerId, rtpCapabilities, paused: paused === true });
        const taken: Taken = { consumer, transportId, from };
        this.#keep(taken, giveBack);
        if (consumer.closed || transport.closed || this.#closed) throw ended(consumer);
        return consumerInfo(taken);
      } catch (error) {
        giveBack();
        throw refusal(error, 'rtpCapabilities');
      }
    });
    return this.#consuming.run(`${transportId} ${producerId}`, make);
  }

  closeConsumer(consumerId: string): void {
    this.#consumer(consumerId).close();
  }

  async setConsumerPaused(consumerId: string, paused: boolean): Promise<void> {
    const consumer = this.#consumer(consumerId);
    await answered(paused ? consumer.pause() : consumer.resume(), 'consumerId');
  }

  async setPreferredLayers(consumerId: string, { spatial, temporal }: Layers): Promise<void> {
    const consumer = this.#consumer(consumerId);
    const wanted = { spatialLayer: readLayer(spatial, 'layers.spatial'), temporalLayer: readLayer(temporal, 'layers.temporal') };
    if (consumer.type !== 'simulcast' && consumer.type !== 'svc') throw new MediaError('CONFLICT', 'This consumer has no layers to choose from.', 'consumerId');
    await answered(consumer.setPreferredLayers(wanted), 'layers');
  }

  async requestKeyFrame(consumerId: string): Promise<void> {
    await answered(this.#consumer(consumerId).requestKeyFrame(), 'consumerId');
  }

  async produceData(transportId: string, options: ProduceDataOptions): Promise<DataProducerInfo> {
    const { transport, direction } = this.#transport(transportId);
    if (direction !== 'SEND') throw new MediaError('BAD_REQUEST', 'This transport receives: produce on one that sends.', 'transportId');
    const sctpStreamParameters = readSctpStream(options.sctpStreamParameters);
    const label = readLabel(options.label, 'label');
    const protocol = readLabel(options.protocol, 'protocol');
    return this.#within('dataProducers', async () => {
      const dataProducer = await answered(transport.produceData({ sctpStreamParameters, label, protocol }), 'sctpStreamParameters');
      if (dataProducer.closed || transport.closed || this.#closed) throw ended(dataProducer);
      const published = new PublishedData(this, dataProducer);
      this.#dataProducers.set(dataProducer.id, published);
      dataProducer.observer.on('close', () => {
        this.#dataProducers.delete(dataProducer.id);
        this.#room.unpublishedData(published);
      });
      this.#room.producedData(published);
      return dataInfoOf(published);
    });
  }

  closeDataProducer(dataProducerId: string): void {
    const found = this.#dataProducers.get(dataProducerId);
    if (!found) throw missing('data producer');
    found.dataProducer.close();
  }

  async consumeData({ transportId, dataProducerId, elsewhere }: ConsumeDataOptions): Promise<DataConsumerInfo> {
    const { transport, direction } = this.#transport(transportId);
    if (direction !== 'RECEIVE') throw new MediaError('BAD_REQUEST', 'This transport sends: consume on one that receives.', 'transportId');
    const same = [...this.#dataConsumers.values()].find((one) => one.consumer.dataProducerId === dataProducerId && one.transportId === transportId);
    if (same) return dataConsumerInfo(same);
    const from = this.#room.findData(dataProducerId, elsewhere);
    if (!from) throw missing('data producer');
    const make = () => this.#within('dataConsumers', async () => {
      const giveBack = await answered(from.bring(this.segment), 'dataProducerId');
      try {
        const consumer = await transport.consumeData({ dataProducerId });
        const taken: TakenData = { consumer, transportId, from };
        this.#dataConsumers.set(consumer.id, taken);
        consumer.observer.on('close', () => {
          this.#dataConsumers.delete(consumer.id);
          giveBack();
        });
        if (consumer.closed || transport.closed || this.#closed) throw ended(consumer);
        return dataConsumerInfo(taken);
      } catch (error) {
        giveBack();
        throw refusal(error, 'transportId');
      }
    });
    return this.#consumingData.run(`${transportId} ${dataProducerId}`, make);
  }

  closeDataConsumer(dataConsumerId: string): void {
    const found = this.#dataConsumers.get(dataConsumerId);
    if (!found) throw missing('data consumer');
    found.consumer.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { transport } of this.#transports.values()) transport.close();
    this.segment.stand();
  }

  async #within<Result>(what: Kind, work: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw missing('participant');
    const limit = PEER_LIMITS[what];
    if (this.held[what] + this.#making[what] >= limit) throw new MediaError('LIMIT', `A participant may have ${limit} ${what} at a time.`);
    this.#making[what]++;
    try {
      return await work();
    } finally {
      this.#making[what]--;
    }
  }

  async #addTransport<Of extends Transport>(direction: Direction, open: () => Promise<Of>): Promise<Of> {
    return this.#within('transports', async () => {
      const transport = await answered(open(), 'direction');
      if (transport.closed || this.#closed) throw ended(transport);
      this.#transports.set(transport.id, { transport, direction, connected: false });
      transport.observer.on('close', () => this.#transports.delete(transport.id));
      return transport;
    });
  }

  #watch(transport: WebRtcTransport): void {
    transport.on('icestatechange', (state) => {
      if (state === 'connected' || state === 'disconnected') this.#room.transportState(this, transport.id, state);
    });
    transport.on('dtlsstatechange', (state) => {
      if (state !== 'failed' && state !== 'closed') return;
      transport.close();
      this.#room.transportEnded(this, transport.id);
    });
  }

  #keep(taken: Taken, giveBack: () => void): void {
    const { consumer } = taken;
    let told = band(consumer.score.score);
    const changed = () => this.#room.consumerChanged(this, consumer, consumer.score.score);
    this.#consumers.set(consumer.id, taken);
    this.segment.live.load++;
    consumer.observer.on('close', () => {
      this.#consumers.delete(consumer.id);
      this.segment.live.load--;
      giveBack();
    });
    consumer.on('layerschange', changed);
    consumer.on('producerpause', changed);
    consumer.on('producerresume', changed);
    consumer.on('score', ({ score }) => {
      if (band(score) === told) return;
      told = band(score);
      changed();
    });
  }

  #transport(transportId: string): Seated {
    const seated = this.#transports.get(transportId);
    if (!seated) throw missing('transport');
    return seated;
  }

  #webRtc(transportId: string): Seated<WebRtcTransport> {
    const seated = this.#transport(transportId);
    if (seated.transport.type !== 'webrtc') throw missing('transport');
    return seated as Seated<WebRtcTransport>;
  }

  #published(producerId: string): Published {
    const published = this.#producers.get(producerId);
    if (!published) throw missing('producer');
    return published;
  }

  #consumer(consumerId: string): Consumer {
    const taken = this.#consumers.get(consumerId);
    if (!taken) throw missing('consumer');
    return taken.consumer;
  }
}

/** It came too late: what it was made for has ended meanwhile. (mediasoup closes by a transport what it knows of then, and not what the worker answers later.) */
function ended(late: { close(): void }): MediaError {
  late.close();
  return missing('participant');
}
