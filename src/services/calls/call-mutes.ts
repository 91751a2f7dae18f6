import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Source } from '../../entities/call.js';
import { callStream } from '../../events/catalogue.js';
import { DomainError } from '../../lib/errors.js';
import { assertRunsCall } from '../../policies/call-policy.js';
import { PARTICIPANT_COLUMNS, type ParticipantRow } from '../loaders/calls.js';
import { lockCall } from './call-access.js';
import { actorIdOf, type CallCaller } from './caller.js';
import type { MediaGateway } from './media-gateway.js';

export interface Mute {
  callId: string;
  participantId: string;
  source: Source;
  /** Whether they may send it again only once this is taken back. */
  hold: boolean;
}

/** Of what is not sent any more nothing is heard either. */
function unlessGone(error: unknown): void {
  if (!(error instanceof DomainError && error.code === 'NOT_FOUND')) throw error;
}

/** What the host stops others from sending. */
export class CallMutes {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly gateway: MediaGateway,
  ) {}

  /** Pauses what somebody sends, and with `hold` keeps it so. Errors: NOT_FOUND, FORBIDDEN (not the host), STATE_CONFLICT (they are not in the call), CALLS_UNAVAILABLE (it may go on: again, then). */
  async mute(caller: CallCaller, { callId, participantId, source, hold }: Mute): Promise<ParticipantRow> {
    const { sent, node } = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'muteParticipant' }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      assertRunsCall(access);
      const row = await this.#participant(tx.sql, callId, participantId);
      if (row.state !== 'JOINED') throw new DomainError('STATE_CONFLICT', 'They are not in the call.', { field: 'participantId' });
      const stopped = await tx.sql<{ id: string }>('update call_producers set paused = true where participant_id = $1 and source = $2 and not paused returning id', [participantId, source]);
      for (const { id } of stopped) tx.append(callStream(callId), { kind: 'producer.updated', producerId: id, participantId });
      const held = hold ? await tx.sql('update call_participants set muted_sources = muted_sources || $2::text where id = $1 and not muted_sources @> array[$2::text] returning 1', [participantId, source]) : [];
      if (held.length || stopped.length) tx.append(callStream(callId), { kind: 'participant.muted', participantId, source, byId: access.seat?.id ?? null });
      // Also what is said to be paused: media may not have heard of it the last time.
      const sent = await tx.sql<{ id: string }>('select id from call_producers where participant_id = $1 and source = $2', [participantId, source]);
      return { sent: sent.map(({ id }) => id), node: row.mediaNode ?? access.call.mediaNode };
    });
    if (node) await Promise.all(sent.map((id) => this.gateway.ask(node, 'setProducerPaused', callId, participantId, id, true).catch(unlessGone)));
    return this.#participant(this.sql, callId, participantId);
  }

  /** Lets somebody send again what was held; what is paused stays so until they go on themselves. Errors: NOT_FOUND, FORBIDDEN. */
  async unmute(caller: CallCaller, { callId, participantId, source }: Omit<Mute, 'hold'>): Promise<ParticipantRow> {
    await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'allowParticipant' }, async (tx) => {
      assertRunsCall(await lockCall(tx.sql, callId, caller));
      await this.#participant(tx.sql, callId, participantId);
      const freed = await tx.sql('update call_participants set muted_sources = array_remove(muted_sources, $2) where id = $1 and muted_sources @> array[$2::text] returning 1', [participantId, source]);
      if (freed.length) tx.append(callStream(callId), { kind: 'participant.updated', participantId });
      return null;
    });
    return this.#participant(this.sql, callId, participantId);
  }

  async #participant(sql: Sql, callId: string, id: string): Promise<ParticipantRow> {
    const [row] = await sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.id = $1 and p.call_id = $2`, [id, callId]);
    if (!row) throw new DomainError('NOT_FOUND', 'There is no such participant.', { field: 'participantId' });
    return row;
  }
}
