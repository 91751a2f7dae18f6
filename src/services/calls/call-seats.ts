import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { encodeCursor } from '../../events/cursor.js';
import { callStream, userStream } from '../../events/catalogue.js';
import { DomainError, notFound, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Joined } from '../../media/contract.js';
import { statesBefore } from '../../policies/call-machine.js';
import { assertCanJoin, assertRunsCall, assertSeesCall, waitsInLobby, type CallAccess } from '../../policies/call-policy.js';
import { CALL_COLUMNS, PARTICIPANT_COLUMNS, PRODUCER_COLUMNS, type CallRow, type ParticipantRow, type ProducerRow } from '../loaders/calls.js';
import { streamHead } from '../loaders/streams.js';
import { lockCall, placeOf, type CallAccessWithPlace } from './call-access.js';
import { depart, dropProducers, giveHost, keepHome, loseNode, nobodyLeaves, SEAT_KEPT_MS, type Departure, type LockedCall } from './call-changes.js';
import type { CallNode } from './call-node.js';
import type { CallSpread } from './call-spread.js';
import { actorIdOf, type CallCaller } from './caller.js';
import type { MediaGateway } from './media-gateway.js';
import type { MediaRelease } from './media-release.js';

/** People in one call. */
export const MAX_SEATS = 500;

const REGION = /^[a-z0-9-]{1,32}$/;

export interface JoinCall {
  callId: string;
  /** Takes the seat from another device of the caller's. */
  takeOver: boolean;
  voiceOnly: boolean;
  recordingConsent: boolean;
  /** Where the caller is: near that they are seated, and who joins first decides where the call's home is. Null: where the process is that was asked. */
  region: string | null;
}

export interface JoinedCall {
  call: CallRow;
  participant: ParticipantRow;
  /** From where the call's events are followed: read before the rest. */
  cursor: string;
  /** Null for whoever waits in the lobby. */
  media: Joined | null;
  /** Everything that is sent in the call. Empty for whoever waits in the lobby. */
  producers: ProducerRow[];
}

interface Seating {
  participantId: string;
  /** The process that has the seat's media; null for whoever waits. */
  node: string | null;
  /** That isn't the call's home. */
  spreads: boolean;
  /** What another device had is closed first. */
  replaces: Departure | null;
  /** The seat was taken just now, and is given back when media can't be had. */
  fresh: boolean;
  /** The seat was not there, or another device's: what media has of it there is of a stay that is over, or was taken for lost. */
  anew: boolean;
}

/** Who sits in a call: one seat a person, held by one of their devices. */
export class CallSeats {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly node: CallNode,
    private readonly gateway: MediaGateway,
    private readonly media: MediaRelease,
    private readonly spread: CallSpread,
  ) {}

  /**
   * Takes the caller's seat, answers a ring by it, or comes back to it: with the same device any number of times, and to the same media. In a call with
   * a lobby it waits to be let in. Errors: NOT_FOUND, FORBIDDEN (locked, removed), BLOCKED, STATE_CONFLICT (over; on another device, without `takeOver`),
   * INVALID_INPUT (the region), LIMIT_REACHED, CALLS_UNAVAILABLE.
   */
  async join(caller: CallCaller, input: JoinCall): Promise<JoinedCall> {
    if (input.region !== null && !REGION.test(input.region)) throw invalidInput('region', 'A region is named by up to 32 of a–z, 0–9 and hyphens.');
    const joined = await this.#join(caller, input, (error) => error.details.retryAfter !== undefined);
    // The process that carried the call may have died just now: once that is known, another carries it.
    return joined ?? (await this.#join(caller, input, () => false))!;
  }

  /** Null when media could not be had, and trying again may help. */
  async #join(caller: CallCaller, input: JoinCall, mayTryAgain: (error: DomainError) => boolean): Promise<JoinedCall | null> {
    const seating = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'joinCall' }, async (tx) => {
      const access = await lockCall(tx.sql, input.callId, caller);
      assertCanJoin(access, caller.device, input);
      return this.#sit(tx, caller, access, input);
    });
    if (seating.replaces) await this.media.release(seating.replaces);
    const cursor = await this.#cursor(input.callId);
    let media: Joined | null = null;
    try {
      if (seating.node !== null) {
        media = await this.#open(caller, seating, seating.node, input);
        if (seating.anew && !seating.fresh) await this.#arrive(seating.participantId, seating.node, caller.device);
      }
      if (seating.spreads) this.spread.tell(input.callId);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'CALLS_UNAVAILABLE' && mayTryAgain(error)) return null;
      throw error;
    }
    return { call: await this.#call(input.callId), participant: await this.#participant(seating.participantId), cursor, media, producers: media ? await this.#producers(input.callId) : [] };
  }

  /** Gives the seat up. Whoever has none any more has left already. Errors: NOT_FOUND. */
  async leave(caller: CallCaller, callId: string): Promise<CallRow> {
    await this.#change(caller, callId, 'leaveCall', async (tx, access, call) => {
      assertSeesCall(access);
      const { seat } = access;
      if (access.call.state === 'ENDED' || (seat?.state !== 'JOINED' && seat?.state !== 'WAITING')) return nobodyLeaves(call);
      if (seat.device !== null && seat.device !== caller.device) throw new DomainError('STATE_CONFLICT', 'You are in this call on another device.');
      return depart(tx, call, seat.id, 'LEFT', tx.now);
    });
    return this.#call(callId);
  }

  /** Lets somebody in who waits in the lobby; they take their seat by `joinCall`. Errors: NOT_FOUND (the participant), FORBIDDEN, STATE_CONFLICT (they don't wait). */
  async admit(caller: CallCaller, callId: string, participantId: string): Promise<ParticipantRow> {
    await this.#change(caller, callId, 'admitParticipant', async (tx, access, call) => {
      assertRunsCall(access);
      const row = await this.#other(tx, callId, participantId);
      if (row.state === 'JOINED') return nobodyLeaves(call);
      await assertRoom(tx, callId);
      const admitted = await tx.sql(
        `update call_participants set state = 'JOINED', joined_at = coalesce(joined_at, $2), stay_since = $2, left_at = null, seat_until = case when link_node is null then $3::timestamptz end, lost_at = null
         where id = $1 and state = any($4) returning 1`,
        [participantId, tx.now, keptUntil(tx), statesBefore('ADMIT')],
      );
      if (!admitted.length) throw new DomainError('STATE_CONFLICT', 'They do not wait in the lobby.', { field: 'participantId' });
      tx.append(callStream(callId), { kind: 'participant.admitted', participantId });
      await answered(tx, call);
      return nobodyLeaves(call);
    });
    return this.#participant(participantId);
  }

  /** Takes somebody out of the call, or turns them away in the lobby: they don't come back unless they are rung. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (they are not in). */
  async remove(caller: CallCaller, callId: string, participantId: string): Promise<ParticipantRow> {
    await this.#change(caller, callId, 'removeParticipant', async (tx, access, call) => {
      assertRunsCall(access);
      if (access.seat?.id === participantId) throw new DomainError('STATE_CONFLICT', 'Leave the call instead.', { field: 'participantId' });
      const row = await this.#other(tx, callId, participantId);
      if (row.state === 'REMOVED') return nobodyLeaves(call);
      if (row.state !== 'JOINED' && row.state !== 'WAITING') throw new DomainError('STATE_CONFLICT', 'They are not in the call.', { field: 'participantId' });
      return depart(tx, call, participantId, 'REMOVED', tx.now);
    });
    return this.#participant(participantId);
  }

  /** Hands the call on to somebody else in it, who has an account. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
  async makeHost(caller: CallCaller, callId: string, participantId: string): Promise<CallRow> {
    await this.#change(caller, callId, 'transferCallHost', async (tx, access, call) => {
      assertRunsCall(access);
      const row = await this.#other(tx, callId, participantId);
      if (row.state !== 'JOINED' || row.userId === null) throw new DomainError('STATE_CONFLICT', 'Only somebody with an account who is in the call can be its host.', { field: 'participantId' });
      if (row.role !== 'HOST') await giveHost(tx, callId, participantId);
      return nobodyLeaves(call);
    });
    return this.#call(callId);
  }

  async #change(caller: CallCaller, callId: string, operation: string, work: (tx: Tx, access: CallAccess | null, call: LockedCall) => Promise<Departure>): Promise<void> {
    const departure = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      return work(tx, access, access?.call as LockedCall);
    });
    await this.media.release(departure);
  }

  async #sit(tx: Tx, caller: CallCaller, access: CallAccessWithPlace, { recordingConsent: consents, region }: Pick<JoinCall, 'recordingConsent' | 'region'>): Promise<Seating> {
    const { call, seat } = access;
    const waits = waitsInLobby(access);
    if (seat?.state === 'JOINED' || (seat?.state === 'WAITING' && waits)) {
      const place = seat.state === 'JOINED' ? await this.#place(tx, caller, access, region) : NOWHERE;
      const moved = seat.device !== null && seat.device !== caller.device;
      const anew = moved || access.seatNode !== place.node;
      const replaces = await this.#takeDevice(tx, caller, access, { node: place.node, moved, anew });
      if (consents && (await agree(tx, seat.id))) tx.append(callStream(call.id), { kind: 'participant.updated', participantId: seat.id });
      return { participantId: seat.id, ...place, replaces, fresh: false, anew };
    }
    const place = waits ? NOWHERE : await this.#place(tx, caller, access, region);
    if (!waits) await assertRoom(tx, call.id);
    const participantId = await this.#seat(tx, caller, access, waits ? 'WAITING' : 'JOINED', place.node);
    if (consents) await agree(tx, participantId);
    tx.append(callStream(call.id), { kind: waits ? 'participant.waiting' : 'participant.joined', participantId });
    if (seat?.state === 'RINGING') tx.append(userStream(caller.userId!), { kind: 'call.ring.ended', callId: call.id, reason: 'ANSWERED' });
    if (caller.userId) tx.append(userStream(caller.userId), { kind: 'call.log', callId: call.id });
    if (!waits) await answered(tx, call);
    return { participantId, ...place, replaces: null, fresh: true, anew: true };
  }

  async #seat(tx: Tx, caller: CallCaller, { call, token, member }: CallAccess, state: 'WAITING' | 'JOINED', node: string | null): Promise<string> {
    const [row] = await tx.sql<{ id: string }>(
      `insert into call_participants as p (id, call_id, user_id, token_id, name, role, state, device, joined_at, stay_since, seat_until, created_at, media_node)
       values ($1, $2, $3, $4, $5, $6, $7, $8, case when $7 = 'JOINED' then $9::timestamptz end, case when $7 = 'JOINED' then $9::timestamptz end, $10, $9, $11)
       on conflict ${caller.userId ? '(call_id, user_id)' : '(call_id, token_id)'} do update set state = excluded.state, device = excluded.device, ring_until = null,
         joined_at = coalesce(p.joined_at, excluded.joined_at), stay_since = excluded.stay_since, left_at = null, lost_at = null, seat_until = excluded.seat_until,
         media_node = excluded.media_node
       returning id`,
      [newId(), call.id, caller.userId, caller.tokenId, token?.name ?? null, token?.role ?? (member ? 'SPEAKER' : 'LISTENER'), state, caller.device, tx.now, keptUntil(tx), node],
    );
    return row!.id;
  }

  /** The seat stays; what another device had is closed, and so is what it follows. */
  async #takeDevice(tx: Tx, caller: CallCaller, access: CallAccessWithPlace, { node, moved, anew }: { node: string | null; moved: boolean; anew: boolean }): Promise<Departure | null> {
    const { call, seat } = access;
    await tx.sql(
      `update call_participants set device = $2, media_node = $5, seat_until = case when link_node is null or $4 then $3::timestamptz else seat_until end, link_node = case when $4 then null else link_node end where id = $1`,
      // What begins anew has its place once media has begun (`#arrive`): who tries again after a failure must not find there what was before.
      [seat!.id, caller.device, keptUntil(tx), moved, anew ? null : node],
    );
    if (!moved) return null;
    await dropProducers(tx, call.id, seat!.id, true);
    tx.append(callStream(call.id), { kind: 'participant.moved', participantId: seat!.id, device: caller.device });
    const place = placeOf(access);
    if (node !== place) await keepHome(tx, call, await tx.sql<{ node: string | null }>(`select case when id = $2 then $3 else media_node end as node from call_participants where call_id = $1 and state = 'JOINED'`, [call.id, seat!.id, node]));
    return { callId: call.id, seats: [{ participantId: seat!.id, node: place }] };
  }

  /** The process that has the caller's media: where they sit already, or near them. Nothing of what a dead process carried goes on. */
  async #place(tx: Tx, caller: CallCaller, { call, seat, seatNode }: CallAccessWithPlace, region: string | null): Promise<{ node: string; spreads: boolean }> {
    let home = call.mediaNode;
    if (seatNode && seat?.device === caller.device) {
      if (await this.node.lives(tx.sql, seatNode)) return { node: seatNode, spreads: seatNode !== home };
      home = await loseNode(tx, call, seatNode);
    }
    let node = home && (await this.node.near(tx.sql, { id: call.id, mediaNode: home }, region));
    if (home && !node) {
      home = await loseNode(tx, { ...call, mediaNode: home }, home);
      node = home && (await this.node.near(tx.sql, { id: call.id, mediaNode: home }, region));
    }
    if (!node) {
      node = home = await this.node.choose(tx.sql, region);
      await tx.sql('update calls set media_node = $2 where id = $1', [call.id, node]);
    }
    const spreads = node !== home;
    if (spreads && !call.spread) await tx.sql('update calls set spread = true where id = $1', [call.id]);
    return { node, spreads };
  }

  async #open(caller: CallCaller, { participantId, fresh, anew }: Seating, node: string, { callId, voiceOnly }: JoinCall): Promise<Joined> {
    try {
      return await this.gateway.ask(node, 'join', callId, participantId, { voiceOnly, anew });
    } catch (error) {
      // Where media is away for a moment the seat waits for the next try.
      if (fresh && !(error instanceof DomainError && error.code === 'CALLS_UNAVAILABLE')) await this.leave(caller, callId).catch(() => undefined);
      throw error;
    }
  }

  async #arrive(participantId: string, node: string, device: string): Promise<void> {
    await this.sql(`update call_participants set media_node = $2 where id = $1 and state = 'JOINED' and device = $3 and media_node is null`, [participantId, node, device]);
  }

  async #other(tx: Tx, callId: string, participantId: string): Promise<ParticipantRow> {
    const [row] = await tx.sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.id = $1 and p.call_id = $2 for update`, [participantId, callId]);
    if (!row) throw new DomainError('NOT_FOUND', 'There is no such participant.', { field: 'participantId' });
    return row;
  }

  async #cursor(callId: string): Promise<string> {
    const stream = callStream(callId);
    const [head] = await streamHead.batch([stream], { sql: this.sql, viewerId: null, now: new Date(0) });
    return encodeCursor(stream, head!.epoch, head!.head);
  }

  async #call(id: string): Promise<CallRow> {
    const [row] = await this.sql<CallRow>(`select ${CALL_COLUMNS} from calls c where c.id = $1`, [id]);
    if (!row) throw notFound('call');
    return row;
  }

  async #producers(callId: string): Promise<ProducerRow[]> {
    return this.sql<ProducerRow>(`select ${PRODUCER_COLUMNS} from call_producers r where r.call_id = $1 order by r.created_at, r.id`, [callId]);
  }

  async #participant(id: string): Promise<ParticipantRow> {
    const [row] = await this.sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.id = $1`, [id]);
    return row!;
  }
}

const NOWHERE = { node: null, spreads: false };
const keptUntil = (tx: Tx): Date => new Date(tx.now.getTime() + SEAT_KEPT_MS);

/** To being recorded. Answers whether they had not before. */
async function agree(tx: Tx, participantId: string): Promise<boolean> {
  return (await tx.sql('update call_participants set recording_consent = true where id = $1 and recording_consent is distinct from true returning 1', [participantId])).length > 0;
}

async function assertRoom(tx: Tx, callId: string): Promise<void> {
  const [seated] = await tx.sql<{ n: number }>(`select count(*)::int as n from call_participants where call_id = $1 and state = 'JOINED'`, [callId]);
  if (seated!.n >= MAX_SEATS) throw new DomainError('LIMIT_REACHED', `A call holds at most ${MAX_SEATS} people.`);
}

/** The second person in a call answers it: it is from here that they talk. */
async function answered(tx: Tx, { id }: { id: string }): Promise<void> {
  const answers = await tx.sql<{ startedBy: string }>(
    `update calls set state = 'ACTIVE', answered_at = $2 where id = $1 and answered_at is null
       and (select count(*) from call_participants where call_id = $1 and state = 'JOINED') > 1 returning started_by as "startedBy"`,
    [id, tx.now],
  );
  if (!answers.length) return;
  await tx.sql(`update call_participants set stay_since = $2 where call_id = $1 and state = 'JOINED'`, [id, tx.now]);
  tx.append(callStream(id), { kind: 'call.updated' });
  tx.append(userStream(answers[0]!.startedBy), { kind: 'call.log', callId: id });
}
