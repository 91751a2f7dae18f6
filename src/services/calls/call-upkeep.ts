import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { callStream } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { SeatHere } from '../../media/contract.js';
import { afterRinging, depart, endRings, loseNode, nobodyLeaves, SEAT_KEPT_MS, type Departure, type LockedCall } from './call-changes.js';
import type { CallNode } from './call-node.js';
import type { MediaRelease } from './media-release.js';
import { NOBODY } from '../actor.js';

const BATCH = 50;

/** What becomes of calls by time alone: rings that nobody answers, seats that nobody comes back to, processes that have died. */
export class CallUpkeep {
  static readonly DUE = 'exists (select from call_participants where ring_until <= $1) or exists (select from call_participants where seat_until <= $1)';

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly media: MediaRelease,
    private readonly clock: Clock,
    private readonly node: Pick<CallNode, 'steady'>,
    private readonly log: Logger,
  ) {}

  /** Rings and seats whose time is over; true when there may be more. */
  async sweep(): Promise<boolean> {
    const now = this.clock.now();
    const rings = await this.sql<{ callId: string }>('select distinct call_id as "callId" from call_participants where ring_until <= $1 limit $2', [now, BATCH]);
    for (const { callId } of rings) {
      await this.#each(callId, 'missCall', async (tx, call) => {
        await endRings(tx, callId, 'MISSED', 'MISSED', { dueAt: tx.now });
        return afterRinging(tx, call, 'MISSED');
      });
    }
    const seats = await this.sql<{ id: string; callId: string }>('select id, call_id as "callId" from call_participants where seat_until <= $1 order by seat_until limit $2', [now, BATCH]);
    for (const { id, callId } of seats) {
      await this.#each(callId, 'giveUpSeat', async (tx, call) => {
        const [row] = await tx.sql<{ lostAt: Date | null }>('select lost_at as "lostAt" from call_participants where id = $1 and seat_until <= $2', [id, tx.now]);
        return row ? depart(tx, call, id, 'LEFT', row.lostAt ?? tx.now, true) : nobodyLeaves(call);
      });
    }
    return rings.length === BATCH || seats.length === BATCH;
  }

  /** What a process that is gone held, and who is no longer in a call's chat; true when there may be more. */
  async reconcile(): Promise<boolean> {
    const moreDead = this.node.steady && (await this.#reset());
    const strangers = await this.sql<{ id: string; callId: string; state: string }>(
      `select p.id, p.call_id as "callId", p.state from call_participants p join calls c on c.id = p.call_id and c.state <> 'ENDED'
       where p.state in ('JOINED', 'WAITING', 'RINGING') and p.user_id is not null
         and not exists (select from chat_members m where m.chat_id = c.chat_id and m.user_id = p.user_id) limit $1`,
      [BATCH],
    );
    for (const { id, callId, state } of strangers) {
      await this.#each(callId, 'removeStranger', async (tx, call) => {
        if (state !== 'RINGING') return depart(tx, call, id, 'REMOVED', tx.now);
        await endRings(tx, callId, 'MISSED', 'ENDED', { participantId: id });
        return afterRinging(tx, call, 'MISSED');
      });
    }
    return moreDead || strangers.length === BATCH;
  }

  async #reset(): Promise<boolean> {
    const dead = await this.sql<{ callId: string }>(
      `select call_id as "callId" from call_participants p where p.link_node is not null and not exists (select from call_nodes n where n.id = p.link_node and n.lease_until >= now())
       union select id from calls c where c.media_node is not null and c.state <> 'ENDED' and not exists (select from call_nodes n where n.id = c.media_node and n.lease_until >= now())
       union select call_id from call_participants p where p.media_node is not null and not exists (select from call_nodes n where n.id = p.media_node and n.lease_until >= now()) limit $1`,
      [BATCH],
    );
    for (const { callId } of dead) await this.#each(callId, 'resetCall', (tx, call) => this.#bury(tx, call));
    if (!dead.length) {
      await this.sql(
        `delete from call_nodes n where n.lease_until < now() and not exists (select from calls c where c.media_node = n.id)
           and not exists (select from call_participants p where p.link_node = n.id or p.media_node = n.id)`,
      );
    }
    return dead.length === BATCH;
  }

  /** Hands on what this process carries, because it stops: who sits here is told to join anew, and finds their seat elsewhere. Answers how many calls there were. */
  async handOver(node: string): Promise<number> {
    const calls = await this.sql<{ id: string }>('select id from calls where media_node = $1 union select call_id from call_participants where media_node = $1', [node]);
    for (const { id } of calls) {
      await this.#each(id, 'handOverCall', async (tx, call) => {
        await loseNode(tx, call, node);
        return nobodyLeaves(call);
      });
    }
    return calls.length;
  }

  /** The media of a call on a node is gone, by the death of a worker: the room opens anew where it was. `back` answers who sits there by now. Throws when that could not be written. */
  async mediaLost(callId: string, node: string, back: () => readonly SeatHere[]): Promise<void> {
    await this.#one(callId, 'resetCallMedia', async (tx, call) => {
      await loseNode(tx, call, node, back());
      return nobodyLeaves(call);
    });
  }

  /** This node can't reach another of the call. The one that isn't its home gives way: who sits there joins anew, and is seated at home. Throws when that could not be written. */
  async parted(callId: string, node: Pick<CallNode, 'id' | 'shareNone'>): Promise<void> {
    await this.#one(callId, 'partCall', async (tx, call) => {
      if (call.mediaNode === node.id) return nobodyLeaves(call);
      await node.shareNone();
      const seated = await tx.sql<{ id: string }>(`select id from call_participants where call_id = $1 and media_node = $2 and state = 'JOINED'`, [callId, node.id]);
      await loseNode(tx, call, node.id);
      return { callId, seats: seated.map(({ id }) => ({ participantId: id, node: node.id })) };
    });
  }

  /** Under the call's lock: whoever was linked by a dead process was lost when it was last seen; media that it carried is reset. */
  async #bury(tx: Tx, call: LockedCall): Promise<Departure> {
    const lost = await tx.sql<{ id: string }>(
      `update call_participants p set link_node = null, lost_at = coalesce(p.lost_at, n.seen_at, $2), seat_until = $3
       from call_participants q left join call_nodes n on n.id = q.link_node
       where q.id = p.id and p.call_id = $1 and p.link_node is not null and (n.id is null or n.lease_until < now()) returning p.id`,
      [call.id, tx.now, new Date(tx.now.getTime() + SEAT_KEPT_MS)],
    );
    for (const { id } of lost) tx.append(callStream(call.id), { kind: 'participant.updated', participantId: id });
    const dead = await tx.sql<{ node: string }>(
      `select node from (select $2::uuid as node union select media_node from call_participants where call_id = $1) c
       where node is not null and not exists (select from call_nodes n where n.id = c.node and n.lease_until >= now())`,
      [call.id, call.mediaNode],
    );
    let { mediaNode } = call;
    for (const { node } of dead) mediaNode = await loseNode(tx, { ...call, mediaNode }, node);
    return nobodyLeaves(call);
  }

  async #each(callId: string, operation: string, work: (tx: Tx, call: LockedCall) => Promise<Departure>): Promise<void> {
    try {
      await this.#one(callId, operation, work);
    } catch (error) {
      // One call in trouble must not keep the others waiting.
      this.log.error({ callId, operation, error: (error as Error).message }, 'calls: upkeep of a call failed; it is tried again');
    }
  }

  async #one(callId: string, operation: string, work: (tx: Tx, call: LockedCall) => Promise<Departure>): Promise<void> {
    const departure = await this.unitOfWork.run({ actorId: NOBODY, operation }, async (tx) => {
      const [call] = await tx.sql<LockedCall>(
        `select c.id, c.chat_id as "chatId", h.kind as "chatKind", c.state, c.media_node as "mediaNode" from calls c join chats h on h.id = c.chat_id where c.id = $1 and c.state <> 'ENDED' for update of c`,
        [callId],
      );
      return call ? work(tx, call) : null;
    });
    if (departure) await this.media.release(departure);
  }
}
