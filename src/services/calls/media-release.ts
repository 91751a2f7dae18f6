import type { UnitOfWork } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import type { Logger } from '../../lib/logger.js';
import type { PeerStats } from '../../media/contract.js';
import type { Departure } from './call-changes.js';
import type { MediaGateway } from './media-gateway.js';
import { NOBODY } from '../actor.js';


/** Closes the media of those who have left, and keeps how their connection was. */
export class MediaRelease {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly gateway: MediaGateway,
    private readonly log: Logger,
  ) {}

  /** After commit. Never rejects: whoever has left has left, whatever becomes of what carried them. */
  async release({ callId, seats, over }: Departure): Promise<void> {
    const placed = seats.flatMap(({ participantId, node }) => (node ? [{ participantId, node }] : []));
    try {
      await Promise.all(placed.map(async ({ participantId, node }) => this.#keepQuality(callId, participantId, await this.gateway.ask(node, 'stats', callId, participantId).catch(() => null))));
      if (over) await Promise.all([...new Set([...placed.map(({ node }) => node), ...(over.home ? [over.home] : [])])].map((node) => this.gateway.ask(node, 'closeRoom', callId)));
      else await Promise.all(placed.map(({ participantId, node }) => this.gateway.ask(node, 'leave', callId, participantId)));
    } catch (error) {
      this.log.warn({ callId, error: (error as Error).message }, 'calls: media of those who left could not be closed');
    }
  }

  async #keepQuality(callId: string, participantId: string, stats: PeerStats | null): Promise<void> {
    if (!stats?.streams) return;
    const { loss, roundTripMs, score } = stats;
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'keepCallQuality' }, async (tx) => {
      const [row] = await tx.sql<{ userId: string | null }>('update call_participants set quality = $2 where id = $1 returning user_id as "userId"', [participantId, JSON.stringify({ loss, roundTripMs, score })]);
      if (row?.userId) tx.append(userStream(row.userId), { kind: 'call.log', callId });
      return null;
    });
  }
}
