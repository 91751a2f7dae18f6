// Types alone: reading this file must not load mediasoup, whose absence is no error until somebody calls.
import type {
  AppData,
  ConsumerType,
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  ProducerType,
  RtpCapabilities,
  RtpParameters,
  SctpParameters,
  SctpStreamParameters,
  SrtpParameters,
} from 'mediasoup/types';

export type { ConsumerType, DtlsParameters, IceCandidate, IceParameters, MediaKind, ProducerType, RtpCapabilities, RtpParameters, SctpParameters, SctpStreamParameters };

export const MEDIA_SOURCES = ['MICROPHONE', 'CAMERA', 'SCREEN', 'SCREEN_AUDIO'] as const;
export type MediaSource = (typeof MEDIA_SOURCES)[number];
export type Direction = 'SEND' | 'RECEIVE';

export interface ProducerInfo {
  id: string;
  peerId: string;
  kind: MediaKind;
  source: MediaSource;
  paused: boolean;
  /** `simulcast` and `svc` have layers to choose from. */
  type: ProducerType;
  appData: AppData;
}

export interface DataProducerInfo {
  id: string;
  peerId: string;
  label: string;
  protocol: string;
}

export interface TransportInfo {
  id: string;
  direction: Direction;
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  dtlsParameters: DtlsParameters;
  sctpParameters: SctpParameters | null;
}

export interface ConsumerInfo {
  id: string;
  producerId: string;
  /** Whose producer it is. */
  peerId: string;
  kind: MediaKind;
  source: MediaSource;
  rtpParameters: RtpParameters;
  type: ConsumerType;
  paused: boolean;
  producerPaused: boolean;
}

export interface DataConsumerInfo {
  id: string;
  dataProducerId: string;
  peerId: string;
  label: string;
  protocol: string;
  sctpStreamParameters: SctpStreamParameters;
}

export interface Joined {
  rtpCapabilities: RtpCapabilities;
  /** Of the others. */
  producers: ProducerInfo[];
  dataProducers: DataProducerInfo[];
  /** What this peer had before it lost its connection; empty for one who comes the first time. */
  own: { transports: { id: string; direction: Direction }[]; producers: ProducerInfo[]; dataProducers: DataProducerInfo[]; consumers: ConsumerInfo[]; dataConsumers: DataConsumerInfo[] };
}

export interface Layers {
  /** 0 is the smallest picture. */
  spatial: number;
  /** 0 is the lowest frame rate. */
  temporal: number;
}

export interface ProduceOptions {
  kind: MediaKind;
  rtpParameters: RtpParameters;
  source: MediaSource;
  paused?: boolean;
  /** Passed on to everybody in the room; at most 1 kB as JSON. */
  appData?: AppData;
}

export interface ConsumeOptions {
  /** One of the peer's, with direction RECEIVE. */
  transportId: string;
  producerId: string;
  rtpCapabilities: RtpCapabilities;
  /** Begin paused, and resume once the client is ready: no key frame is lost then. */
  paused: boolean;
  /** Whose producer it is, should another node carry it. */
  elsewhere?: RemoteInfo;
}

export interface ConsumeDataOptions {
  transportId: string;
  dataProducerId: string;
  elsewhere?: RemoteInfo;
}

/** A producer or data producer of the same room on another node. */
export interface RemoteInfo {
  id: string;
  peerId: string;
  /** Which node has it. */
  node: string;
  kind: MediaKind | 'data';
  /** Null of data. */
  source: MediaSource | null;
  paused: boolean;
}

/** What of a room is on other nodes, as it was known at a moment. */
export interface Elsewhere {
  /** The node that tells levels and the speaker of the whole room; null: this one. */
  home: string | null;
  /** Nodes with seats of the room, but this one. */
  nodes: string[];
  producers: RemoteInfo[];
  /** By performance.now() of before it was asked for: what has come since stays. */
  asOf: number;
}

/** One end of a pipe between nodes, as the other end must know it. SRTP's keys are in it: it goes by ways that nobody else reads. */
export interface PipeEnd {
  ip: string;
  port: number;
  srtpParameters: SrtpParameters;
}

/** A producer that comes by a pipe, and the lender's end of it. */
export interface Lent {
  end: PipeEnd;
  media: { kind: MediaKind; rtpParameters: RtpParameters; paused: boolean } | null;
  data: { sctpStreamParameters: SctpStreamParameters; label: string; protocol: string } | null;
}

/** What is heard on one node of a room, for the node that tells it. */
export interface Heard {
  levels?: { producerId: string; peerId: string; level: number }[];
  speaker?: string;
}

export interface ProduceDataOptions {
  sctpStreamParameters: SctpStreamParameters;
  label: string;
  protocol: string;
}

export interface PeerStats {
  /** How many were measured; with none, the rest says nothing. */
  streams: number;
  /** Share of packets lost, 0 to 1: the worse of what the peer sends and what it receives. */
  loss: number;
  /** The longest that is measured; null where nothing was. */
  roundTripMs: number | null;
  /** mediasoup's: 0 (nothing arrives) to 10 (all arrives); the worst of the peer's own active producers and consumers. 10 with none. */
  score: number;
  bytesSent: number;
  bytesReceived: number;
}

/** How many of each there are. All but `workers` are zero once every room is closed. */
export interface MediaCounts {
  workers: number;
  rooms: number;
  peers: number;
  routers: number;
  transports: number;
  producers: number;
  consumers: number;
  dataProducers: number;
  dataConsumers: number;
  /** Producers piped from one worker to another. */
  pipes: number;
  /** Producers piped in from other nodes, and out to them. */
  borrowed: number;
  lent: number;
  voices: number;
  recordings: number;
  timers: number;
}

export interface RecordingOptions {
  /** Which producers; default: all there are and will be. */
  producerIds?: string[];
  /** Leave pictures out. */
  audioOnly?: boolean;
}

export interface Recorded {
  /** Key of the file in the media store. */
  file: string;
  bytes: number;
  durationMs: number;
}

export interface MediaEvents {
  producerAdded: { roomId: string; producer: ProducerInfo };
  producerClosed: { roomId: string; peerId: string; producerId: string };
  producerPaused: { roomId: string; peerId: string; producerId: string; paused: boolean };
  dataProducerAdded: { roomId: string; dataProducer: DataProducerInfo };
  dataProducerClosed: { roomId: string; peerId: string; dataProducerId: string };
  /** Who is heard, the loudest first, at most every 400 ms a room; empty once, and at once, when all fall silent. `level`: 0 (silence) to 127 (the loudest: dBov + 127). */
  audioLevels: { roomId: string; levels: { producerId: string; peerId: string; level: number }[] };
  activeSpeaker: { roomId: string; peerId: string; producerId: string };
  /** For the one peer that consumes. `score`: 0 to 10, told when it passes 4 or 7 either way. */
  consumerChanged: { roomId: string; peerId: string; consumerId: string; producerId: string; paused: boolean; producerPaused: boolean; layers: Layers | null; score: number };
  /** ICE found or lost its peer. A lost one may come back by restartIce. */
  transportState: { roomId: string; peerId: string; transportId: string; state: 'connected' | 'disconnected' };
  /** The client ended it (DTLS), or its handshake failed: it can't come back. */
  transportClosed: { roomId: string; peerId: string; transportId: string };
  /** A worker died and the room with it: everybody joins anew. Ids from before are NOT_FOUND. */
  roomReset: { roomId: string };
  /** Nothing comes by pipes from that node, or goes there: a firewall, an address that is not the one, a network that is cut. Both nodes tell. */
  nodeUnreachable: { roomId: string; node: string };
  /** It was stopped, or the room was closed or reset. `recorded` is null where nothing could be kept. */
  recordingEnded: { roomId: string; recordingId: string; recorded: Recorded | null };
}

/**
 * What services ask of media. Room ids are call ids, peer ids are participant ids (UUIDs both). All dictionaries are mediasoup's own. JSON in,
 * JSON out, so that another process can ask too. Every lookup goes room, peer, id: a foreign or forged id is NOT_FOUND.
 * @throws MediaError from every method
 */
export interface Media {
  /** Whether calls can be had, or why not and the remedy. */
  state(): { state: 'ready' } | { state: 'starting' | 'unavailable'; remedy: string };
  /** Opens the room and seats the peer. Idempotent: the same peer comes back to what it had, but not `anew`: what it had is closed. `voiceOnly`: it neither sends nor receives video. */
  join(roomId: string, peerId: string, options: { voiceOnly?: boolean; anew?: boolean }): Promise<Joined>;
  /** Closes all of the peer's; the last one's leaving closes the room. Idempotent. */
  leave(roomId: string, peerId: string): Promise<void>;
  /** Idempotent. */
  closeRoom(roomId: string): Promise<void>;

  createTransport(roomId: string, peerId: string, options: { direction: Direction; sctp: boolean; forceTcp?: boolean }): Promise<TransportInfo>;
  /** A second connect is a CONFLICT; one refused for its parameters may be tried again. */
  connectTransport(roomId: string, peerId: string, transportId: string, dtlsParameters: DtlsParameters): Promise<void>;
  restartIce(roomId: string, peerId: string, transportId: string): Promise<IceParameters>;
  closeTransport(roomId: string, peerId: string, transportId: string): Promise<void>;

  produce(roomId: string, peerId: string, transportId: string, options: ProduceOptions): Promise<ProducerInfo>;
  closeProducer(roomId: string, peerId: string, producerId: string): Promise<void>;
  setProducerPaused(roomId: string, peerId: string, producerId: string, paused: boolean): Promise<void>;

  /** Consuming the same producer on the same transport again answers the same consumer. */
  consume(roomId: string, peerId: string, options: ConsumeOptions): Promise<ConsumerInfo>;
  closeConsumer(roomId: string, peerId: string, consumerId: string): Promise<void>;
  setConsumerPaused(roomId: string, peerId: string, consumerId: string, paused: boolean): Promise<void>;
  /** The highest layers that the peer wants; CONFLICT for a consumer without layers. */
  setPreferredLayers(roomId: string, peerId: string, consumerId: string, layers: Layers): Promise<void>;
  requestKeyFrame(roomId: string, peerId: string, consumerId: string): Promise<void>;

  produceData(roomId: string, peerId: string, transportId: string, options: ProduceDataOptions): Promise<DataProducerInfo>;
  closeDataProducer(roomId: string, peerId: string, dataProducerId: string): Promise<void>;
  /** As `consume`, the same again answers the same. */
  consumeData(roomId: string, peerId: string, options: ConsumeDataOptions): Promise<DataConsumerInfo>;
  closeDataConsumer(roomId: string, peerId: string, dataConsumerId: string): Promise<void>;

  /** What of a room is elsewhere: new producers can be heard, those that are gone end here too. Of a room that is not here, nothing. */
  spread(roomId: string, elsewhere: Elsewhere): void;
  /** For another node: pipes a producer to it. `pipeId` is the borrower's; with the first producer the pipe is opened to `end`. The same again answers the same. `loan` counts up. */
  lend(roomId: string, pipe: { id: string; node: string; end: PipeEnd }, producerId: string, loan: number): Promise<Lent>;
  /** That loan, and those before it: a later one of the same producer stands. Idempotent. */
  takeBack(roomId: string, pipeId: string, producerId: string, loan: number): Promise<void>;
  /** With all that was lent by it. Idempotent. */
  closePipe(roomId: string, pipeId: string): Promise<void>;
  /** For the node that tells what is heard in the whole room. */
  heard(roomId: string, node: string, heard: Heard): Promise<void>;

  stats(roomId: string, peerId: string): Promise<PeerStats>;
  rooms(): MediaCounts;
  /** Who sits here, in one room or in all, and what each sends, data with it. */
  seats(roomId?: string): SeatHere[];

  /** Records to a WebM file. One recording a room at a time: a second is a CONFLICT. Tell people first. */
  startRecording(roomId: string, options: RecordingOptions): Promise<{ recordingId: string }>;
  /** Not to `keep` it, because not all had agreed, is a CONFLICT once nothing is left of it, as one in which nothing was said is. */
  stopRecording(roomId: string, recordingId: string, keep?: boolean): Promise<Recorded>;

  /** Hears one kind of event of all rooms; answers how to stop. */
  on<Kind extends keyof MediaEvents>(kind: Kind, listener: (event: MediaEvents[Kind]) => void): () => void;
}

export interface SeatHere {
  roomId: string;
  peerId: string;
  producers: string[];
}

export type MediaErrorCode = 'NOT_FOUND' | 'CONFLICT' | 'BAD_REQUEST' | 'LIMIT' | 'UNAVAILABLE';

/** What nodes of one room ask of each other. */
export type NodeMethod = 'lend' | 'takeBack' | 'closePipe' | 'heard';

/** How media asks media of other nodes. */
export interface OtherNodes {
  /** This node, as others know it. */
  readonly id: string;
  /** @throws MediaError, UNAVAILABLE where the other does not answer in time */
  ask<Name extends NodeMethod>(node: string, method: Name, ...args: Parameters<Media[Name]>): ReturnType<Media[Name]>;
}

/** A failure that the caller caused (NOT_FOUND, CONFLICT, BAD_REQUEST, LIMIT), or that calls can't be had now (UNAVAILABLE; the message is the remedy). */
export class MediaError extends Error {
  override readonly name = 'MediaError';
  constructor(
    readonly code: MediaErrorCode,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

/** Pipes of one room to other nodes: a node in trouble must not take all ports. */
export const MOST_PIPES = 64;

/** What one peer may hold. */
export const PEER_LIMITS = { transports: 6, producers: 8, consumers: 200, dataProducers: 8, dataConsumers: 200 } as const;
