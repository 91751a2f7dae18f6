import type { Tx } from '../../db/unit-of-work.js';
import type { CallEndReason, CallState, ParticipantState, RingEndReason } from '../../entities/call.js';
import { callStream, chatStream, userStream } from '../../events/catalogue.js';
import { callStatesBefore, statesBefore } from '../../policies/call-machine.js';

/** How long a seat is kept for somebody whose connection is lost, and for who has joined and doesn't follow the call's events yet. */
export const SEAT_KEPT_MS = 30_000;

/** A call that this transaction has locked. */
export interface LockedCall {
  id: string;
  chatId: string;
  chatKind: 'DIRECT' | 'GROUP';
  state: CallState;
  mediaNode: string | null;
}

/** What is left to be done to a call's media once the transaction has committed. */
export interface Departure {
  callId: string;
  node: string | null;
  participantIds: string[];
  /** The whole call is over. */
  over: boolean;
}

export const nobodyLeaves = ({ id, mediaNode }: Pick<LockedCall, 'id' | 'mediaNode'>): Departure => ({ callId: id, node: mediaNode, participantIds: [], over: false });

const tellLog = (tx: Tx, callId: string, userId: string | null): void => {
  if (userId) tx.append(userStream(userId), { kind: 'call.log', callId });
};

/** Whoever sends nothing any more: all that somebody has sent is closed, without events of its own when they leave. */
export async function dropProducers(tx: Tx, callId: string, participantId: string | null, tell: boolean): Promise<void> {
  const gone = await tx.sql<{ id: string; participantId: string }>(
    'delete from call_producers where call_id = $1 and ($2::uuid is null or participant_id = $2) returning id, participant_id as "participantId"',
    [callId, participantId],
  );
  if (tell) for (const { id, participantId: ofWhom } of gone) tx.append(callStream(callId), { kind: 'producer.closed', producerId: id, participantId: ofWhom });
}

/** Ends the ringing of some, or all, of those who are rung. */
export async function endRings(tx: Tx, callId: string, to: Extract<ParticipantState, 'MISSED' | 'DECLINED'>, reason: RingEndReason, only: { participantId?: string; dueAt?: Date } = {}): Promise<number> {
  const rows = await tx.sql<{ id: string; userId: string }>(
    `update call_participants set state = $2, ring_until = null, left_at = $3 where call_id = $1 and state = any($4)
       and ($5::uuid is null or id = $5) and ($6::timestamptz is null or ring_until <= $6) returning id, user_id as "userId"`,
    [callId, to, tx.now, statesBefore(to === 'MISSED' ? 'MISS' : 'DECLINE'), only.participantId ?? null, only.dueAt ?? null],
  );
  for (const { id, userId } of rows) {
    tx.append(callStream(callId), { kind: 'participant.updated', participantId: id });
    tx.append(userStream(userId), { kind: 'call.ring.ended', callId, reason });
    tellLog(tx, callId, userId);
  }
  return rows.length;
}

/** What becomes of a call in which nobody is rung any more: one that nobody has answered ends when it is between two, else it goes on quietly. */
export async function afterRinging(tx: Tx, call: LockedCall, reason: CallEndReason): Promise<Departure> {
  const [left] = await tx.sql<{ rings: number }>(`select count(*)::int as rings from call_participants where call_id = $1 and state = 'RINGING'`, [call.id]);
  if (left!.rings || call.state !== 'RINGING') return nobodyLeaves(call);
  if (call.chatKind === 'DIRECT') return finish(tx, call, reason);
  await tx.sql(`update calls set state = 'ACTIVE' where id = $1`, [call.id]);
  tx.append(callStream(call.id), { kind: 'call.updated' });
  // For those who are in it, it rang until now.
  const seated = await tx.sql<{ userId: string | null }>(`select user_id as "userId" from call_participants where call_id = $1 and state in ('JOINED', 'WAITING')`, [call.id]);
  for (const { userId } of seated) tellLog(tx, call.id, userId);
  return nobodyLeaves(call);
}

/** Ends a call for everybody. Who was lost before is taken to have left then. */
export async function finish(tx: Tx, call: LockedCall, reason: CallEndReason, at: Date = tx.now): Promise<Departure> {
  const rings: RingEndReason = reason === 'MISSED' || reason === 'CANCELLED' ? reason : 'ENDED';
  await endRings(tx, call.id, 'MISSED', rings);
  const seated = await tx.sql<{ id: string; userId: string | null }>(
    `update call_participants set state = 'LEFT', left_at = coalesce(lost_at, $2),
       talked_ms = talked_ms + case when state = 'JOINED' then greatest(0, extract(epoch from coalesce(lost_at, $2) - stay_since) * 1000)::bigint else 0 end,
       stay_since = null, device = null, link_node = null, lost_at = null, seat_until = null
     where call_id = $1 and state = any($3) returning id, user_id as "userId"`,
    [call.id, at, statesBefore('LEAVE')],
  );
  await dropProducers(tx, call.id, null, false);
  await tx.sql('update call_tokens set revoked_at = $2 where call_id = $1 and revoked_at is null', [call.id, tx.now]);
  await tx.sql(
    `update calls set state = 'ENDED', ended_at = $2, end_reason = $3, media_node = null, recording_state = 'OFF', recording_id = null where id = $1 and state = any($4)`,
    [call.id, at, reason, callStatesBefore('END')],
  );
  tx.append(callStream(call.id), { kind: 'call.over' });
  tx.append(chatStream(call.chatId), { kind: 'call.ended', callId: call.id });
  const people = await tx.sql<{ userId: string }>('select user_id as "userId" from call_participants where call_id = $1 and user_id is not null', [call.id]);
  for (const { userId } of people) tellLog(tx, call.id, userId);
  return { callId: call.id, node: call.mediaNode, participantIds: seated.map(({ id }) => id), over: true };
}

interface Remaining {
  id: string;
  role: string;
  userId: string | null;
}

/** Somebody leaves a call, or is taken out of it, as of `at`; the last one's leaving ends it, and a host who leaves hands the call on. */
export async function depart(tx: Tx, call: LockedCall, participantId: string, to: 'LEFT' | 'REMOVED', at: Date, lost = false): Promise<Departure> {
  const [gone] = await tx.sql<{ userId: string | null; role: string }>(
    `update call_participants p set state = $2, left_at = $3, role = case when $2 = 'REMOVED' and p.role = 'HOST' then 'SPEAKER' else p.role end,
       talked_ms = talked_ms + case when p.state = 'JOINED' then greatest(0, extract(epoch from $3 - stay_since) * 1000)::bigint else 0 end,
       stay_since = null, device = null, link_node = null, lost_at = null, seat_until = null
     from (select id, role from call_participants where id = $1) before
     where p.id = before.id and p.state = any($4) returning p.user_id as "userId", before.role`,
    [participantId, to, at, statesBefore(to === 'LEFT' ? 'LEAVE' : 'REMOVE')],
  );
  if (!gone) return nobodyLeaves(call);
  await dropProducers(tx, call.id, participantId, false);
  tx.append(callStream(call.id), { kind: to === 'LEFT' ? 'participant.left' : 'participant.removed', participantId });
  tellLog(tx, call.id, gone.userId);
  const remaining = await tx.sql<Remaining>(`select id, role, user_id as "userId" from call_participants where call_id = $1 and state = 'JOINED' order by stay_since, id`, [call.id]);
  const heirs = remaining.filter(({ userId }) => userId !== null);
  // Of two the other is alone; and guests without anybody who has asked them in are nobody's.
  if (!heirs.length || (call.chatKind === 'DIRECT' && remaining.length === 1)) {
    const reason: CallEndReason = call.state === 'RINGING' ? 'CANCELLED' : lost ? 'LOST' : 'HUNG_UP';
    const { participantIds, ...rest } = await finish(tx, call, reason, at);
    return { ...rest, participantIds: [participantId, ...participantIds] };
  }
  if (gone.role === 'HOST' && !heirs.some(({ role }) => role === 'HOST')) {
    await tx.sql(`update call_participants set role = 'SPEAKER' where id = $1`, [participantId]);
    await giveHost(tx, call.id, heirs[0]!.id);
  }
  return { callId: call.id, node: call.mediaNode, participantIds: [participantId], over: false };
}

export async function giveHost(tx: Tx, callId: string, participantId: string): Promise<void> {
  await tx.sql(`update call_participants set role = case when id = $2 then 'HOST' else 'SPEAKER' end where call_id = $1 and (id = $2 or role = 'HOST')`, [callId, participantId]);
  tx.append(callStream(callId), { kind: 'host.changed', participantId });
}
