import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Bus } from '../../events/bus.js';
import { callStream } from '../../events/catalogue.js';
import type { Logger } from '../../lib/logger.js';
import type { Layers, Media } from '../../media/contract.js';
import type { CallNode } from './call-node.js';
import type { CallUpkeep } from './call-upkeep.js';
import { NOBODY } from '../actor.js';
import { untilWritten } from './until-written.js';

/** What passes in a call, told over the bus and kept nowhere. Participants by their ids, `to` where it concerns one alone. */
export type CallNews =
  | { type: 'levels'; levels: { producerId: string; participantId: string; level: number }[] }
  | { type: 'speaker'; participantId: string; producerId: string }
  | { type: 'consumer'; to: string; consumerId: string; producerId: string; paused: boolean; producerPaused: boolean; layers: Layers | null; score: number }
  | { type: 'transport'; to: string; transportId: string; state: 'CONNECTED' | 'DISCONNECTED' | 'CLOSED' };

export const callNewsTopic = (callId: string): string => `call-news:${callId}`;

/** Passes on what this process's media tells: what passes to the bus, what everybody must know to the log. */
export class CallFeed {
  readonly #stops: (() => void)[];
  /** Whether a producer is paused, as was told last, while that is being written. */
  readonly #pauses = new Map<string, boolean>();
  #over = false;

  constructor(
    private readonly media: Media,
    private readonly bus: Bus,
    private readonly unitOfWork: UnitOfWork,
    upkeep: CallUpkeep,
    node: Pick<CallNode, 'id' | 'shareNone'>,
    private readonly log: Logger,
  ) {
    this.#stops = [
      media.on('audioLevels', ({ roomId, levels }) =>
        this.#tell(roomId, { type: 'levels', levels: levels.map(({ producerId, peerId, level }) => ({ producerId, participantId: peerId, level })) })),
      media.on('activeSpeaker', ({ roomId, peerId, producerId }) => this.#tell(roomId, { type: 'speaker', participantId: peerId, producerId })),
      media.on('consumerChanged', ({ roomId, peerId, ...rest }) => this.#tell(roomId, { type: 'consumer', to: peerId, ...rest })),
      media.on('transportState', ({ roomId, peerId, transportId, state }) => this.#tell(roomId, { type: 'transport', to: peerId, transportId, state: state === 'connected' ? 'CONNECTED' : 'DISCONNECTED' })),
      media.on('transportClosed', ({ roomId, peerId, transportId }) => this.#tell(roomId, { type: 'transport', to: peerId, transportId, state: 'CLOSED' })),
      media.on('producerClosed', ({ roomId, peerId, producerId }) => this.#closed(roomId, peerId, producerId)),
      media.on('producerPaused', ({ roomId, peerId, producerId, paused }) => this.#paused(roomId, peerId, producerId, paused)),
      media.on('dataProducerClosed', ({ roomId, peerId, dataProducerId }) => this.#closed(roomId, peerId, dataProducerId)),
      media.on('roomReset', ({ roomId }) => void this.#write(roomId, 'that its media is lost', () => upkeep.mediaLost(roomId, node.id, () => media.seats(roomId)))),
      media.on('nodeUnreachable', ({ roomId, node: other }) => {
        log.error({ callId: roomId, node: node.id, other }, 'calls: no media comes from another node, nor goes there: look at MEDIA_PIPE_ADDRESS and MEDIA_PIPE_PORTS of both, and at what stands between them');
        void this.#write(roomId, 'that a node is not reached', () => upkeep.parted(roomId, node));
      }),
    ];
  }

  close(): void {
    this.#over = true;
    for (const stop of this.#stops) stop();
  }

  /** What nobody would tell again: tried until the database takes it. As many wait as there are rooms here, each with what it was. */
  #write(callId: string, what: string, write: () => Promise<void>): Promise<boolean> {
    return untilWritten(write, { over: () => this.#over, failed: (error) => this.log.warn({ callId, error: error.message }, `calls: could not write ${what}`) });
  }

  #tell(callId: string, news: CallNews): void {
    this.bus.publish(callNewsTopic(callId), news);
  }

  /** Said by a verb already, or by a voice's own socket. Of many words in a row the last is what holds; one producer's are written one after another. */
  #paused(callId: string, participantId: string, producerId: string, paused: boolean): void {
    const writing = this.#pauses.has(producerId);
    this.#pauses.set(producerId, paused);
    if (!writing) void this.#keepPaused(callId, participantId, producerId);
  }

  async #keepPaused(callId: string, participantId: string, producerId: string): Promise<void> {
    let told: boolean | undefined;
    let held = false;
    let written: boolean;
    do {
      written = await this.#write(callId, 'that a producer is paused', async () => {
        told = this.#pauses.get(producerId)!;
        held = await this.#writePaused(callId, participantId, producerId, told);
      });
    } while (written && this.#pauses.get(producerId) !== told);
    this.#pauses.delete(producerId);
    if (!written || !held) return;
    await this.media.setProducerPaused(callId, participantId, producerId, true).catch((error: Error) => this.log.warn({ callId, error: error.message }, 'calls: what the host holds could not be paused'));
  }

  /** Answers whether it may not go on, because the host holds it. */
  #writePaused(callId: string, participantId: string, producerId: string, paused: boolean): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'setProducerPaused' }, async (tx) => {
      await tx.sql('select from calls where id = $1 for update', [callId]);
      const [held] = await tx.sql(`select from call_participants p join call_producers r on r.participant_id = p.id where r.id = $1 and p.id = $2 and r.source = any(p.muted_sources)`, [producerId, participantId]);
      if (held && !paused) return true;
      const changed = await tx.sql('update call_producers set paused = $3 where id = $1 and participant_id = $2 and paused <> $3 returning 1', [producerId, participantId, paused]);
      if (changed.length) tx.append(callStream(callId), { kind: 'producer.updated', producerId, participantId });
      return false;
    });
  }

  /** By a verb that has said so already, or because its transport has gone: then nobody knows yet. */
  #closed(callId: string, participantId: string, producerId: string): void {
    this.unitOfWork
      .run({ actorId: NOBODY, operation: 'closeProducer' }, async (tx) => {
        await tx.sql('select from calls where id = $1 for update', [callId]);
        const gone = await tx.sql('delete from call_producers where id = $1 and participant_id = $2 returning 1', [producerId, participantId]);
        if (gone.length) tx.append(callStream(callId), { kind: 'producer.closed', producerId, participantId });
        return null;
      })
      .catch((error: Error) => this.log.warn({ callId, error: error.message }, 'calls: could not write that a producer is closed'));
  }
}
