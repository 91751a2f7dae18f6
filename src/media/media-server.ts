import { availableParallelism } from 'node:os';
import { EventEmitter } from 'node:events';
import type { Logger } from '../lib/logger.js';
import {
  MediaError,
  type ConsumeDataOptions,
  type ConsumeOptions,
  type ConsumerInfo,
  type DataConsumerInfo,
  type DataProducerInfo,
  type Direction,
  type DtlsParameters,
  type Elsewhere,
  type Heard,
  type IceParameters,
  type Joined,
  type Layers,
  type Lent,
  type Media,
  type MediaCounts,
  type MediaEvents,
  type OtherNodes,
  type PeerStats,
  type PipeEnd,
  type ProduceDataOptions,
  type ProduceOptions,
  type ProducerInfo,
  type Recorded,
  type RecordingOptions,
  type SeatHere,
  type TransportInfo,
} from './contract.js';
import { missing } from './input.js';
import type { MediaStore } from './media-store.js';
import type { Peer } from './peer.js';
import { Recording } from './recording.js';
import { Room } from './room.js';
import { VoiceLink, type VoiceSink } from './voice-link.js';
import { findWorker, obtainWorker, type WorkerBinaryOptions } from './worker-binary.js';
import { WorkerPool, type PoolOptions } from './worker-pool.js';

export interface MediaServerOptions {
  /** Where the worker is, or may be kept. */
  worker: Pick<WorkerBinaryOptions, 'given' | 'cacheDir' | 'downloadFrom'>;
  /** Default: one a core. */
  workers?: number | undefined;
  listenIp: string;
  announcedAddress?: string | undefined;
  port: number;
  /** Where other nodes reach this one. */
  pipes?: PoolOptions['pipes'];
  peersPerRouter: number;
  peersPerRoom?: number;
  /** A recording that nobody ends ends after this. */
  longestRecordingMs?: number;
  /** Where recordings go. */
  store: MediaStore;
  log: Logger;
}

const PEERS_PER_ROOM = 500;
const LONGEST_RECORDING_MS = 12 * 3_600_000;

/** Media of this process: its workers and the rooms on them. */
export class MediaServer implements Media {
  readonly #options: MediaServerOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #events = new EventEmitter().setMaxListeners(100);
  readonly #stop = new AbortController();
  /** By room. */
  readonly #recordings = new Map<string, Promise<Recording>>();
  readonly #voices = new Map<Peer, VoiceLink>();
  #nodes: OtherNodes | null = null;
  #pool: WorkerPool | null = null;
  #starting: Promise<void> | null = null;
  #fetching: Promise<void> | null = null;
  /** What keeps calls from being had, while there is no pool. */
  #trouble: { state: 'starting' | 'unavailable'; remedy: string } = { state: 'starting', remedy: 'Calls have not been asked for yet.' };

  constructor(options: MediaServerOptions) {
    this.#options = options;
  }

  /**
   * Starts the workers if a worker is here already, which takes a tenth of a second; otherwise fetches or builds one in the background, in
   * minutes. Never fails: `state()` says how it stands. Rooms start it too, so a server that has no calls needs no worker.
   */
  async start(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#starting ??= this.#begin().finally(() => (this.#starting = null));
    return this.#starting;
  }

  state(): ReturnType<Media['state']> {
    const trouble = this.#pool?.trouble;
    if (this.#pool && !trouble) return { state: 'ready' };
    return trouble ? { state: 'unavailable', remedy: trouble } : this.#trouble;
  }

  async join(roomId: string, peerId: string, { voiceOnly = false, anew = false }: { voiceOnly?: boolean; anew?: boolean }): Promise<Joined> {
    const pool = await this.#ready();
    let room = this.#rooms.get(roomId);
    if (!room) {
      const { peersPerRouter, peersPerRoom = PEERS_PER_ROOM } = this.#options;
      room = new Room(roomId, { pool, peersPerRouter, peersPerRoom, nodes: this.#nodes, emit: (kind, event) => this.#emit(kind, event) });
      this.#rooms.set(roomId, room);
    }
    try {
      return await room.join(peerId, voiceOnly, anew);
    } finally {
      this.#closeIfEmpty(room);
    }
  }

  async leave(roomId: string, peerId: string): Promise<void> {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    await room.leave(peerId);
    this.#closeIfEmpty(room);
  }

  async closeRoom(roomId: string): Promise<void> {
    const room = this.#rooms.get(roomId);
    this.#rooms.delete(roomId);
    room?.close();
  }

  async createTransport(roomId: string, peerId: string, options: { direction: Direction; sctp: boolean; forceTcp?: boolean }): Promise<TransportInfo> {
    return this.#peer(roomId, peerId).createTransport(options);
  }

  async connectTransport(roomId: string, peerId: string, transportId: string, dtlsParameters: DtlsParameters): Promise<void> {
    await this.#peer(roomId, peerId).connectTransport(transportId, dtlsParameters);
  }

  async restartIce(roomId: string, peerId: string, transportId: string): Promise<IceParameters> {
    return this.#peer(roomId, peerId).restartIce(transportId);
  }

  async closeTransport(roomId: string, peerId: string, transportId: string): Promise<void> {
    this.#peer(roomId, peerId).closeTransport(transportId);
  }

  async produce(roomId: string, peerId: string, transportId: string, options: ProduceOptions): Promise<ProducerInfo> {
    return this.#peer(roomId, peerId).produce(transportId, options);
  }

  async closeProducer(roomId: string, peerId: string, producerId: string): Promise<void> {
    this.#peer(roomId, peerId).closeProducer(producerId);
  }

  async setProducerPaused(roomId: string, peerId: string, producerId: string, paused: boolean): Promise<void> {
    await this.#peer(roomId, peerId).setProducerPaused(producerId, paused);
  }

  async consume(roomId: string, peerId: string, options: ConsumeOptions): Promise<ConsumerInfo> {
    return this.#peer(roomId, peerId).consume(options);
  }

  async closeConsumer(roomId: string, peerId: string, consumerId: string): Promise<void> {
    this.#peer(roomId, peerId).closeConsumer(consumerId);
  }

  async setConsumerPaused(roomId: string, peerId: string, consumerId: string, paused: boolean): Promise<void> {
    await this.#peer(roomId, peerId).setConsumerPaused(consumerId, paused);
  }

  async setPreferredLayers(roomId: string, peerId: string, consumerId: string, layers: Layers): Promise<void> {
    await this.#peer(roomId, peerId).setPreferredLayers(consumerId, layers);
  }

  async requestKeyFrame(roomId: string, peerId: string, consumerId: string): Promise<void> {
    await this.#peer(roomId, peerId).requestKeyFrame(consumerId);
  }

  async produceData(roomId: string, peerId: string, transportId: string, options: ProduceDataOptions): Promise<DataProducerInfo> {
    return this.#peer(roomId, peerId).produceData(transportId, options);
  }

  async closeDataProducer(roomId: string, peerId: string, dataProducerId: string): Promise<void> {
    this.#peer(roomId, peerId).closeDataProducer(dataProducerId);
  }

  async consumeData(roomId: string, peerId: string, options: ConsumeDataOptions): Promise<DataConsumerInfo> {
    return this.#peer(roomId, peerId).consumeData(options);
  }

  async closeDataConsumer(roomId: string, peerId: string, dataConsumerId: string): Promise<void> {
    this.#peer(roomId, peerId).closeDataConsumer(dataConsumerId);
  }

  /** Makes this media one of several nodes that share rooms. Before the first room. */
  connect(nodes: OtherNodes): void {
    this.#nodes = nodes;
  }

  spread(roomId: string, elsewhere: Elsewhere): void {
    this.#rooms.get(roomId)?.spread(elsewhere);
  }

  async lend(roomId: string, pipe: { id: string; node: string; end: PipeEnd }, producerId: string, loan: number): Promise<Lent> {
    return this.room(roomId).lend(pipe, producerId, loan);
  }

  async takeBack(roomId: string, pipeId: string, producerId: string, loan: number): Promise<void> {
    this.#rooms.get(roomId)?.takeBack(pipeId, producerId, loan);
  }

  async closePipe(roomId: string, pipeId: string): Promise<void> {
    this.#rooms.get(roomId)?.closePipe(pipeId);
  }

  async heard(roomId: string, node: string, heard: Heard): Promise<void> {
    this.#rooms.get(roomId)?.heard(node, heard);
  }

  async stats(roomId: string, peerId: string): Promise<PeerStats> {
    return this.room(roomId).stats(peerId);
  }

  async startRecording(roomId: string, options: RecordingOptions): Promise<{ recordingId: string }> {
    const room = this.room(roomId);
    if (this.#recordings.has(roomId)) throw new MediaError('CONFLICT', 'This call is being recorded already.');
    const { store, log, longestRecordingMs: longestMs = LONGEST_RECORDING_MS } = this.#options;
    const starting = Recording.start(room, options, { store, log, longestMs, ended: (recording) => void this.#recordingEnded(roomId, recording) });
    this.#recordings.set(roomId, starting);
    try {
      const recording = await starting;
      await recording.settled();
      return { recordingId: recording.id };
    } catch (error) {
      this.#recordings.delete(roomId);
      throw error;
    }
  }

  async stopRecording(roomId: string, recordingId: string, keep = true): Promise<Recorded> {
    const recording = await this.#recordings.get(roomId);
    if (recording?.id !== recordingId) throw missing('recording');
    let recorded: Recorded | null = null;
    try {
      recorded = await recording.stop(keep);
      return recorded;
    } finally {
      this.#recordings.delete(roomId);
      // A long one takes a while to be laid together: who asked may wait no longer.
      this.#emit('recordingEnded', { roomId, recordingId, recorded });
    }
  }

  /**
   * Opens a participant's voice without WebRTC; the one that it had before is closed. Only in the process that has the room.
   * @throws MediaError NOT_FOUND
   */
  async openVoice(roomId: string, peerId: string, sink: VoiceSink): Promise<VoiceLink> {
    const room = this.room(roomId);
    const peer = room.peer(peerId);
    this.#voices.get(peer)?.close();
    const link = await VoiceLink.open(room, peer, sink);
    this.#voices.get(peer)?.close();
    this.#voices.set(peer, link);
    link.onClose(() => {
      if (this.#voices.get(peer) === link) this.#voices.delete(peer);
    });
    return link;
  }

  rooms(): MediaCounts {
    const counts: MediaCounts = {
      workers: this.#pool?.size ?? 0, rooms: 0, peers: 0, routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0, pipes: 0, borrowed: 0, lent: 0,
      voices: this.#voices.size, recordings: this.#recordings.size, timers: this.#pool?.timers ?? 0,
    };
    for (const room of this.#rooms.values()) room.count(counts);
    return counts;
  }

  seats(roomId?: string): SeatHere[] {
    const rooms = roomId === undefined ? [...this.#rooms.values()] : [this.#rooms.get(roomId) ?? []].flat();
    return rooms.flatMap(({ seats }) => seats);
  }

  on<Kind extends keyof MediaEvents>(kind: Kind, listener: (event: MediaEvents[Kind]) => void): () => void {
    this.#events.on(kind, listener);
    return () => this.#events.off(kind, listener);
  }

  /** For what runs in this process beside the rooms. @throws MediaError NOT_FOUND */
  room(roomId: string): Room {
    const room = this.#rooms.get(roomId);
    if (!room) throw missing('call');
    return room;
  }

  /** Ends every room, and every worker's process. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort(new MediaError('UNAVAILABLE', 'The server is stopping.'));
    this.#trouble = { state: 'unavailable', remedy: 'The server is stopping.' };
    for (const roomId of [...this.#rooms.keys()]) await this.closeRoom(roomId);
    // The end of their rooms has ended them; the files are finished before we go.
    await Promise.allSettled([...this.#recordings.values()].map(async (recording) => (await recording).stop()));
    await Promise.all([this.#starting, this.#fetching]);
    const pool = this.#pool;
    this.#pool = null;
    await pool?.close();
  }

  async #recordingEnded(roomId: string, recording: Recording): Promise<void> {
    const recorded = await recording.stop().catch((error: Error) => {
      this.#options.log.warn({ roomId, error: error.message }, 'a recording ended without a file');
      return null;
    });
    this.#recordings.delete(roomId);
    this.#emit('recordingEnded', { roomId, recordingId: recording.id, recorded });
  }

  /** A listener that fails is its own trouble: what is told goes on. */
  #emit<Kind extends keyof MediaEvents>(kind: Kind, event: MediaEvents[Kind]): void {
    for (const listener of this.#events.listeners(kind)) {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ event: kind, error: (error as Error).stack }, 'a listener of media events failed');
      }
    }
  }

  #peer(roomId: string, peerId: string) {
    return this.room(roomId).peer(peerId);
  }

  #closeIfEmpty(room: Room): void {
    if (!room.empty) return;
    if (this.#rooms.get(room.id) === room) this.#rooms.delete(room.id);
    room.close();
  }

  /** @throws MediaError UNAVAILABLE with the remedy, without waiting for what takes minutes */
  async #ready(): Promise<WorkerPool> {
    if (!this.#pool) await this.start();
    if (!this.#pool) throw new MediaError('UNAVAILABLE', this.#trouble.remedy);
    return this.#pool;
  }

  async #begin(): Promise<void> {
    if (this.#pool) return;
    const { worker, log } = this.#options;
    const options: WorkerBinaryOptions = { ...worker, report: (line) => this.#report(line), signal: this.#stop.signal };
    try {
      const found = await findWorker(options);
      if (found) await this.#open(found);
      // Once at a time, and nobody waits for it: it reports by state().
      else this.#fetching ??= this.#fetch(options).finally(() => (this.#fetching = null));
    } catch (error) {
      this.#trouble = { state: 'unavailable', remedy: (error as Error).message };
      log.error({ error: (error as Error).message }, 'calls are unavailable');
    }
  }

  async #fetch(options: WorkerBinaryOptions): Promise<void> {
    this.#report('the media worker is being fetched or built; calls work once it is there');
    try {
      await this.#open(await obtainWorker(options));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#trouble = { state: 'unavailable', remedy: (error as Error).message };
      this.#options.log.error({ error: (error as Error).message }, 'calls are unavailable');
    }
  }

  #report(line: string): void {
    this.#trouble = { state: 'starting', remedy: `Calls are not ready yet: ${line}. Try again in a while.` };
    this.#options.log.info(line);
  }

  async #open(binary: string): Promise<void> {
    const { workers = availableParallelism(), listenIp, announcedAddress, port, pipes, log } = this.#options;
    const pool = new WorkerPool({ binary, workers, listenIp, announcedAddress, port, pipes, log });
    pool.onDeath((dead) => {
      for (const room of [...this.#rooms.values()]) {
        if (!room.usesWorker(dead)) continue;
        this.#rooms.delete(room.id);
        room.close('reset');
        this.#emit('roomReset', { roomId: room.id });
      }
    });
    this.#pool = pool;
    // Even if no worker starts now it stays: it tries again by itself, and says meanwhile what the matter is.
    await pool.start().catch(() => undefined);
    if (this.#stop.signal.aborted) await pool.close();
    else if (!pool.trouble) log.info({ workers: pool.size, binary }, 'calls are ready');
  }
}
