import type { Consumer, DataConsumer, PipeTransport } from 'mediasoup/types';
import { MediaError, MOST_PIPES, type Lent, type PipeEnd } from './contract.js';
import { InFlight } from '../lib/in-flight.js';
import type { PipedRoom } from './cascade.js';
import { answered, missing } from './input.js';
import { beat, endOf, onceClosed, openPipe, watchPipe } from './pipe-ends.js';
import { PublishedData, type Published } from './published.js';
import type { Segment } from './segment.js';

interface Outgoing {
  readonly node: string;
  readonly segment: Segment;
  readonly transport: PipeTransport;
  readonly openedAt: number;
  readonly lent: Map<string, { answer: Lent; loan: number; close: () => void }>;
}

/** What a room pipes out to other nodes. A pipe is the borrower's: it names it, and says when it is done. */
export class Lending {
  readonly #room: PipedRoom;
  readonly #pipes = new Map<string, Outgoing>();
  readonly #opening = new InFlight<Outgoing>();
  readonly #lending = new InFlight<Lent>();

  constructor(room: PipedRoom) {
    this.#room = room;
  }

  /** How many producers go out, to whichever node. */
  get lent(): number {
    return [...this.#pipes.values()].reduce((sum, { lent }) => sum + lent.size, 0);
  }

  /** Throws MediaErrors: NOT_FOUND where it ended meanwhile, LIMIT, UNAVAILABLE. */
  async lend({ id: pipeId, node, end }: { id: string; node: string; end: PipeEnd }, published: Published | PublishedData, loan: number): Promise<Lent> {
    const pipe = await this.#opening.run(pipeId, async () => this.#pipes.get(pipeId) ?? this.#open(pipeId, node, end));
    const answer = await this.#lending.run(`${pipeId} ${published.id}`, async () => pipe.lent.get(published.id)?.answer ?? this.#lend(pipe, published, loan));
    const lent = pipe.lent.get(published.id);
    if (lent) lent.loan = Math.max(lent.loan, loan);
    return answer;
  }

  /** A later loan of the same stands. */
  takeBack(pipeId: string, producerId: string, loan: number): void {
    const lent = this.#pipes.get(pipeId)?.lent.get(producerId);
    if (lent && lent.loan <= loan) lent.close();
  }

  closePipe(pipeId: string): void {
    this.#pipes.get(pipeId)?.transport.close();
    // The borrower may be done before it stands.
    this.#opening.get(pipeId)?.then(
      ({ transport }) => transport.close(),
      () => undefined,
    );
  }

  /** Ends pipes to nodes that have nobody of this room any more, should they have gone without a word. */
  keep(nodes: readonly string[], asOf: number): void {
    for (const { node, openedAt, transport } of [...this.#pipes.values()]) if (openedAt < asOf && !nodes.includes(node)) transport.close();
  }

  close(): void {
    for (const { transport } of [...this.#pipes.values()]) transport.close();
  }

  async #open(pipeId: string, node: string, end: PipeEnd): Promise<Outgoing> {
    if (this.#pipes.size >= MOST_PIPES) throw new MediaError('LIMIT', `A call has at most ${MOST_PIPES} pipes from one node to others.`);
    const segment = this.#room.host();
    const transport = await openPipe(segment).catch((error: unknown) => {
      this.#room.dismiss(segment);
      throw error;
    });
    transport.observer.once('close', () => this.#room.dismiss(segment));
    const silent = () => {
      transport.close();
      this.#room.unreachable(node);
    };
    watchPipe(transport, { silent, ended: () => transport.close() });
    try {
      await answered(transport.connect(end), 'pipe');
      await beat(segment, transport);
      if (this.#room.closed || transport.closed) throw missing('call');
    } catch (error) {
      transport.close();
      throw error;
    }
    const pipe: Outgoing = { node, segment, transport, openedAt: performance.now(), lent: new Map() };
    this.#pipes.set(pipeId, pipe);
    transport.observer.once('close', () => {
      this.#pipes.delete(pipeId);
      for (const { close } of [...pipe.lent.values()]) close();
    });
    return pipe;
  }

  async #lend({ segment, transport, lent }: Outgoing, published: Published | PublishedData, loan: number): Promise<Lent> {
    const giveBack = await answered(published.bring(segment), 'producerId');
    try {
      const isData = published instanceof PublishedData;
      const consumer: Consumer | DataConsumer = await answered<Consumer | DataConsumer>(isData ? transport.consumeData({ dataProducerId: published.id }) : transport.consume({ producerId: published.id }), 'producerId');
      const close = () => {
        if (!lent.delete(published.id)) return;
        segment.live.load--;
        consumer.close();
        giveBack();
      };
      const answer: Lent = { end: endOf(transport), ...(isData ? { media: null, data: dataOf(consumer as DataConsumer) } : { media: mediaOf(consumer as Consumer), data: null }) };
      lent.set(published.id, { answer, loan, close });
      segment.live.load++;
      onceClosed(consumer, close);
      if (consumer.closed || transport.closed || published.closed) {
        close();
        throw missing('producer');
      }
      return answer;
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

const mediaOf = ({ kind, rtpParameters, producerPaused: paused }: Consumer): Lent['media'] => ({ kind, rtpParameters, paused });
const dataOf = ({ sctpStreamParameters, label, protocol }: DataConsumer): Lent['data'] => ({ sctpStreamParameters: sctpStreamParameters!, label, protocol });
