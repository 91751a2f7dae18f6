import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DataProducer, MediaKind, PipeTransport, Producer } from 'mediasoup/types';
import { InFlight } from '../lib/in-flight.js';
import { MediaError, type Elsewhere, type Lent, type MediaSource, type OtherNodes, type PipeEnd, type RemoteInfo } from './contract.js';
import { answered, missing } from './input.js';
import { endOf, onceClosed, openPipe, watchPipe } from './pipe-ends.js';
import type { Source } from './published.js';
import type { Segment } from './segment.js';

/** What the pipes of a room ask of it. */
export interface PipedRoom {
  readonly id: string;
  readonly closed: boolean;
  /** The segment with the least to do. Throws MediaError UNAVAILABLE where there is none. */
  spare(): Segment;
  /** The same, for a pipe's end: it stays until `dismiss`. */
  host(): Segment;
  dismiss(segment: Segment): void;
  /** Nothing comes from that node by pipes, which are closed. */
  unreachable(node: string): void;
}

interface Incoming {
  readonly id: string;
  readonly node: string;
  readonly segment: Segment;
  readonly transport: PipeTransport;
  /** The other node's end, once it has told it. */
  far: PipeEnd | undefined;
  connected: Promise<void> | undefined;
  users: number;
}

interface Loan {
  users: number;
  made: Promise<{ segment: Segment; producer: Producer | DataProducer }>;
  end: () => void;
}

/** What somebody sends who sits on another node: known here by its id, piped here while somebody here receives it. */
export class RemoteProducer implements Source {
  readonly id: string;
  readonly peerId: string;
  readonly node: string;
  /** `data` has no consumers of media: it is found by `findData` alone. */
  readonly what: MediaKind | 'data';
  readonly source: MediaSource;
  readonly knownSince = performance.now();
  readonly #cascade: Cascade;
  #paused: boolean;
  #loan: Loan | undefined;
  #segment: Segment | undefined;
  #closed = false;

  constructor({ id, peerId, node, kind, source, paused }: RemoteInfo, cascade: Cascade) {
    this.id = id;
    this.peerId = peerId;
    this.node = node;
    this.what = kind;
    this.source = source ?? 'MICROPHONE';
    this.#paused = paused;
    this.#cascade = cascade;
  }

  get kind(): MediaKind {
    return this.what === 'video' ? 'video' : 'audio';
  }
  get closed(): boolean {
    return this.#closed;
  }
  get near(): Segment {
    return this.#segment ?? this.#cascade.spare;
  }
  get piped(): boolean {
    return this.#loan !== undefined;
  }

  async bring(segment: Segment): Promise<() => void> {
    if (this.#closed) throw missing('producer');
    this.#loan ??= this.#borrow();
    const loan = this.#loan;
    loan.users++;
    let done = false;
    const giveBack = () => {
      if (done) return;
      done = true;
      if (--loan.users === 0) loan.end();
    };
    try {
      const { segment: lender, producer } = await loan.made;
      if (producer.closed) throw missing('producer');
      const giveBackHere = await segment.borrow(this.what === 'data' ? { dataProducerId: this.id } : { producerId: this.id }, lender);
      return () => {
        giveBackHere();
        giveBack();
      };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** As its own node tells. Who receives it here hears so from the worker. */
  async setPaused(paused: boolean): Promise<void> {
    this.#paused = paused;
    const made = await this.#loan?.made.catch(() => undefined);
    if (made) await follow(made.producer, this.#paused);
  }

  /** It has ended on its own node. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loan?.end();
  }

  #borrow(): Loan {
    let ended = false;
    const number = this.#cascade.nextLoan();
    const borrowing = this.#cascade.borrow(this, number);
    const made = borrowing.then(async ({ pipe, lent }) => {
      if (ended) throw missing('producer');
      const producer = await produceOn(pipe.transport, this.id, lent);
      if (ended) producer.close();
      this.#segment = pipe.segment;
      onceClosed(producer, () => end());
      // Its pipe has ended before the worker's answer came.
      if (pipe.transport.closed) producer.close();
      await follow(producer, this.#paused);
      return { segment: pipe.segment, producer };
    });
    const end = () => {
      if (ended) return;
      ended = true;
      if (this.#loan === loan) this.#loan = undefined;
      this.#segment = undefined;
      made.then(({ producer }) => producer.close(), () => undefined).finally(() => void borrowing.then(({ pipe }) => this.#cascade.giveBack(pipe, this.id, number), () => undefined));
    };
    // Who begins anew after a failure asks the other node again.
    made.catch(() => end());
    const loan: Loan = { users: 0, made, end };
    return loan;
  }
}

class StalePipe extends Error {}

/** What a room receives from other nodes: one pipe from each, of its own making, which stands while something comes by it. */
export class Cascade {
  readonly #room: PipedRoom;
  readonly #nodes: OtherNodes;
  readonly #remote = new Map<string, RemoteProducer>();
  /** By node. */
  readonly #pipes = new Map<string, Incoming>();
  readonly #opening = new InFlight<Incoming>();
  /** Pipes that have ended by themselves, by node, and what came by them: whether that has ended too is known at the next look. */
  readonly #broken = new Map<string, { came: string[]; at: number }>();
  #loans = 0;
  #closed = false;

  constructor(room: PipedRoom, nodes: OtherNodes) {
    this.#room = room;
    this.#nodes = nodes;
  }

  get producers(): RemoteProducer[] {
    return [...this.#remote.values()];
  }

  /** How many producers come by pipes. */
  get borrowed(): number {
    return this.producers.filter(({ piped }) => piped).length;
  }

  get spare(): Segment {
    return this.#room.spare();
  }

  /** Words between nodes may overtake each other: what is taken back is a loan, not all there ever were of a producer. */
  nextLoan(): number {
    return ++this.#loans;
  }

  find(id: string): RemoteProducer | undefined {
    return this.#remote.get(id);
  }

  /** Answers it where it is new. */
  add(info: RemoteInfo): RemoteProducer | undefined {
    const known = this.#remote.get(info.id);
    if (known || this.#closed) return undefined;
    const remote = new RemoteProducer(info, this);
    this.#remote.set(info.id, remote);
    return remote;
  }

  /** Answers what is new, and what is gone. */
  update({ producers, asOf }: Elsewhere): { added: RemoteProducer[]; gone: RemoteProducer[] } {
    const there = new Map(producers.map((info) => [info.id, info]));
    const gone = this.producers.filter(({ id, knownSince, node }) => knownSince < asOf && there.get(id)?.node !== node);
    for (const remote of gone) {
      this.#remote.delete(remote.id);
      remote.close();
    }
    for (const [node, { came, at }] of this.#broken) {
      if (at >= asOf) continue;
      this.#broken.delete(node);
      if (came.some((id) => there.get(id)?.node === node)) this.#room.unreachable(node);
    }
    for (const { id, paused } of producers) void this.#remote.get(id)?.setPaused(paused).catch(() => undefined);
    return { added: producers.flatMap((info) => this.add(info) ?? []), gone };
  }

  /** Has the other node pipe it here. Throws MediaErrors. */
  async borrow(remote: RemoteProducer, loan: number, again = true): Promise<{ pipe: Incoming; lent: Lent }> {
    const { id, node } = remote;
    const pipe = await this.#pipe(node);
    try {
      const lent = await this.#nodes.ask(node, 'lend', this.#room.id, { id: pipe.id, node: this.#nodes.id, end: endOf(pipe.transport) }, id, loan);
      pipe.far ??= lent.end;
      // Its worker has died, and it has opened another end, which this one does not know.
      if (!isDeepStrictEqual(pipe.far, lent.end)) throw new StalePipe();
      pipe.connected ??= this.#connect(pipe, lent);
      await answered(pipe.connected, 'producerId');
      return { pipe, lent };
    } catch (error) {
      if (error instanceof StalePipe) this.#end(pipe);
      this.giveBack(pipe, id, loan);
      if (!(error instanceof StalePipe)) throw error;
      if (!again) throw new MediaError('UNAVAILABLE', 'The other node has just begun anew: try again.');
      return this.borrow(remote, loan, false);
    }
  }

  /** The last one takes the pipe down. */
  giveBack(pipe: Incoming, producerId: string, loan: number): void {
    if (--pipe.users > 0 && !pipe.transport.closed) this.#nodes.ask(pipe.node, 'takeBack', this.#room.id, pipe.id, producerId, loan).catch(() => undefined);
    else this.#end(pipe);
  }

  close(): void {
    this.#closed = true;
    for (const remote of this.#remote.values()) remote.close();
    this.#remote.clear();
    for (const pipe of this.#pipes.values()) this.#end(pipe);
  }

  /** The one from that node, with one more user. */
  async #pipe(node: string): Promise<Incoming> {
    for (;;) {
      const pipe = this.#pipes.get(node) ?? (await this.#opening.run(node, () => this.#open(node)));
      if (this.#closed) throw new MediaError('UNAVAILABLE', 'This call has ended here: join again.');
      if (pipe.transport.closed) continue;
      pipe.users++;
      return pipe;
    }
  }

  async #open(node: string): Promise<Incoming> {
    const segment = this.#room.host();
    const transport = await openPipe(segment).catch((error: unknown) => {
      this.#room.dismiss(segment);
      throw error;
    });
    const pipe: Incoming = { id: randomUUID(), node, segment, transport, far: undefined, connected: undefined, users: 0 };
    transport.observer.once('close', () => {
      if (this.#pipes.get(node) === pipe) this.#pipes.delete(node);
      this.#room.dismiss(segment);
    });
    if (this.#closed) transport.close();
    else this.#pipes.set(node, pipe);
    return pipe;
  }

  async #connect({ node, transport }: Incoming, { end }: Lent): Promise<void> {
    const silent = () => {
      transport.close();
      this.#room.unreachable(node);
    };
    const ended = () => {
      const came = this.producers.filter((remote) => remote.node === node && remote.piped).map(({ id }) => id);
      this.#broken.set(node, { came, at: performance.now() });
      transport.close();
    };
    watchPipe(transport, { silent, ended });
    await transport.connect(end);
  }

  /** The other node may be gone, and its end with it: then nobody hears this. */
  #end(pipe: Incoming): void {
    pipe.transport.close();
    this.#nodes.ask(pipe.node, 'closePipe', this.#room.id, pipe.id).catch(() => undefined);
  }
}

async function produceOn(transport: PipeTransport, id: string, { media, data }: Lent): Promise<Producer | DataProducer> {
  if (media) return answered(transport.produce({ id, ...media }), 'producerId');
  return answered(transport.produceData({ id, ...data! }), 'dataProducerId');
}

/** Paused as the original is. */
async function follow(producer: Producer | DataProducer, paused: boolean): Promise<void> {
  if (producer.closed || producer.paused === paused) return;
  await (paused ? producer.pause() : producer.resume());
}
