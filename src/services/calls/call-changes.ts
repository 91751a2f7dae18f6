import type { Tx } from '../../db/unit-of-work.js';
import type { CallEndReason, CallState, ParticipantState, RingEndReason } from '../../entities/call.js';
import { callStream, chatStream, userStream } from '../../events/catalogue.js';
import type { SeatHere } from '../../media/contract.js';
import { callStatesBefore, statesBefore } from '../../policies/call-machine.js';

/** How long a seat is kept for somebody whose connection is lost, and for who has joined and doesn't follow the call's events yet. */
export const SEAT_KEPT_MS = 30_000;

/** A call that this transaction has locked. */
export interface LockedCall {
  id: string;
  chatId: string;
  chatKind: 'DIRECT' | 'GROUP';
  state: CallState;
  /** The call's home. */
  mediaNode: string | null;
}

/** What is left to be done to a call's media once the transaction has committed. */
export interface Departure {
  callId: string;
  /** Who has left, and where their media was. */
  seats: { participantId: string; node: string | null }[];
  /** The whole call is over: where its home was, or null. Undefined while it goes on. */
  over?: { home: string | null };
}

export const nobodyLeaves = ({ id }: Pick<LockedCall, 'id'>): Departure => ({ callId: id, seats: [] });

const tellLog = (tx: Tx, callId: string, userId: string | null): void => {
  if (userId) tx.append(userStream(userId), { kind: 'call.log', callId });
};

/** Whoever sends nothing any more: all that somebody has sent is closed, without events of its own when they leave. */
export async function dropProducers(tx: Tx, callId: string, participantId: string | null, tell: boolean | 'reset'): Promise<void> {
  const gone = await tx.sql<{ id: string; participantId: string }>(
    'delete from call_producers where call_id = $1 and ($2::uuid is null or participant_id = $2) returning id, participant_id as "participantId"',
    [callId, participantId],
  );
  if (tell) for (const { id, participantId: ofWhom } of gone) tx.append(callStream(callId), { kind: 'producer.closed', producerId: id, participantId: ofWhom, ...(tell === 'reset' ? { reset: true as const } : {}) });
}

/** Of what somebody has sent, what their media has no more. */
export async function dropEnded(tx: Tx, callId: string, participantId: string, there: readonly string[]): Promise<void> {
  const gone = await tx.sql<{ id: string }>('delete from call_producers where call_id = $1 and participant_id = $2 and id <> all($3) returning id', [callId, participantId, there]);
  for (const { id } of gone) tx.append(callStream(callId), { kind: 'producer.closed', producerId: id, participantId });
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
  const seated = await tx.sql<{ id: string; userId: string | null; node: string | null }>(
    `update call_participants p set state = 'LEFT', left_at = coalesce(p.lost_at, $2),
       talked_ms = p.talked_ms + case when p.state = 'JOINED' then greatest(0, extract(epoch from coalesce(p.lost_at, $2) - p.stay_since) * 1000)::bigint else 0 end,
       stay_since = null, device = null, link_node = null, lost_at = null, seat_until = null, media_node = null
     from (select id, coalesce(media_node, $4) as node from call_participants where call_id = $1) before
     where p.id = before.id and p.state = any($3) returning p.id, p.user_id as "userId", before.node`,
    [call.id, at, statesBefore('LEAVE'), call.mediaNode],
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
  return { callId: call.id, seats: seated.map(({ id, node }) => ({ participantId: id, node })), over: { home: call.mediaNode } };
}

interface Remaining {
  id: string;
  role: string;
  userId: string | null;
  node: string | null;
}

/** Somebody leaves a call, or is taken out of it, as of `at`; the last one's leaving ends it, and a host who leaves hands the call on. */
export async function depart(tx: Tx, call: LockedCall, participantId: string, to: 'LEFT' | 'REMOVED', at: Date, lost = false): Promise<Departure> {
  const [gone] = await tx.sql<{ userId: string | null; role: string; node: string | null }>(
    `update call_participants p set state = $2, left_at = $3, role = case when $2 = 'REMOVED' and p.role = 'HOST' then 'SPEAKER' else p.role end,
       talked_ms = talked_ms + case when p.state = 'JOINED' then greatest(0, extract(epoch from $3 - stay_since) * 1000)::bigint else 0 end,
       stay_since = null, device = null, link_node = null, lost_at = null, seat_until = null, media_node = null
     from (select id, role, coalesce(media_node, $5) as node from call_participants where id = $1) before
     where p.id = before.id and p.state = any($4) returning p.user_id as "userId", before.role, before.node`,
    [participantId, to, at, statesBefore(to === 'LEFT' ? 'LEAVE' : 'REMOVE'), call.mediaNode],
  );
  if (!gone) return nobodyLeaves(call);
  await dropProducers(tx, call.id, participantId, false);
  tx.append(callStream(call.id), { kind: to === 'LEFT' ? 'participant.left' : 'participant.removed', participantId });
  tellLog(tx, call.id, gone.userId);
  const remaining = await tx.sql<Remaining>(`select id, role, user_id as "userId", media_node as node from call_participants where call_id = $1 and state = 'JOINED' order by stay_since, id`, [call.id]);
  const heirs = remaining.filter(({ userId }) => userId !== null);
  // Of two the other is alone; and guests without anybody who has asked them in are nobody's.
  if (!heirs.length || (call.chatKind === 'DIRECT' && remaining.length === 1)) {
    const reason: CallEndReason = call.state === 'RINGING' ? 'CANCELLED' : lost ? 'LOST' : 'HUNG_UP';
    const { seats, ...rest } = await finish(tx, call, reason, at);
    return { ...rest, seats: [{ participantId, node: gone.node }, ...seats] };
  }
  if (gone.role === 'HOST' && !heirs.some(({ role }) => role === 'HOST')) {
    await tx.sql(`update call_participants set role = 'SPEAKER' where id = $1`, [participantId]);
    await giveHost(tx, call.id, heirs[0]!.id);
  }
  await keepHome(tx, call, remaining);
  return { callId: call.id, seats: [{ participantId, node: gone.node }] };
}

export async function giveHost(tx: Tx, callId: string, participantId: string): Promise<void> {
  await tx.sql(`update call_participants set role = case when id = $2 then 'HOST' else 'SPEAKER' end where call_id = $1 and (id = $2 or role = 'HOST')`, [callId, participantId]);
  tx.append(callStream(callId), { kind: 'host.changed', participantId });
}

/** A home in which nobody sits any more is none: what is told of the whole call is told where most of the others sit. */
export async function keepHome(tx: Tx, { id, mediaNode }: Pick<LockedCall, 'id' | 'mediaNode'>, seated: readonly { node: string | null }[]): Promise<void> {
  const places = seated.flatMap(({ node }) => node ?? []);
  if (!mediaNode || !places.length || places.includes(mediaNode)) return;
  const seats = (node: string) => places.filter((one) => one === node).length;
  await tx.sql('update calls set media_node = $2 where id = $1', [id, places.toSorted((one, other) => seats(other) - seats(one))[0]]);
}

/** The home has gone: what it recorded is over, and it may be that it can not say so itself. */
async function moveHome(tx: Tx, callId: string, home: string | null): Promise<void> {
  const [before] = await tx.sql<{ recording: boolean }>(
    `update calls c set media_node = $2, recording_state = 'OFF', recording_id = null from (select recording_state <> 'OFF' as recording from calls where id = $1) before where c.id = $1 returning before.recording`,
    [callId, home],
  );
  if (!before?.recording) return;
  await tx.sql('update call_recordings set ended_at = $2 where call_id = $1 and ended_at is null', [callId, tx.now]);
  tx.append(callStream(callId), { kind: 'recording.changed' });
}

/** Of one event: the log keeps it, and the bus carries it. */
const TOLD_AT_ONCE = 50;

/**
 * What a node had of a call is gone. Whoever sat there joins anew, and the others of a call that has seats elsewhere hear that these send nothing any
 * more; where there is no other that is known to live, everybody joins anew, wherever they sat. `back`: the node itself is there still, takes them again, and has these, who have lost what they sent before. Answers the
 * call's home from now on.
 */
export async function loseNode(tx: Tx, { id, mediaNode }: Pick<LockedCall, 'id' | 'mediaNode'>, node: string, back: readonly SeatHere[] | null = null): Promise<string | null> {
  const stays = back !== null;
  const there = new Map(back?.map((seat) => [seat.peerId, seat]));
  const seated = await tx.sql<{ id: string }>(
    `select id from call_participants where call_id = $1 and state = 'JOINED' and (media_node = $2 or (media_node is null and $3)) order by id`, [id, node, node === mediaNode],
  );
  const lost = seated.filter((participant) => !there.has(participant.id));
  for (const { peerId, producers } of there.values()) await dropEnded(tx, id, peerId, producers);
  const others = await tx.sql<{ node: string }>(
    `select n.id as node from call_participants p join call_nodes n on n.id = p.media_node where p.call_id = $1 and p.state = 'JOINED' and n.id <> $2 and n.lease_until >= now()
     group by n.id order by count(*) desc, n.id`,
    [id, node],
  );
  if (!stays) await tx.sql('update call_participants set media_node = null where call_id = $1 and media_node = $2', [id, node]);
  const home = stays || node !== mediaNode ? mediaNode : (others[0]?.node ?? null);
  if (home !== mediaNode) await moveHome(tx, id, home);
  if (!others.length && !there.size) {
    // Also whoever sits on a node that is only late to say that it lives: what they send is said to be sent no more, and would go on there unheard.
    await tx.sql('update call_participants set media_node = null where call_id = $1', [id]);
    await dropProducers(tx, id, null, false);
    tx.append(callStream(id), { kind: 'media.reset' });
    return home;
  }
  for (const participant of lost) await dropProducers(tx, id, participant.id, 'reset');
  for (let from = 0; from < lost.length; from += TOLD_AT_ONCE) tx.append(callStream(id), { kind: 'media.reset', participantIds: lost.slice(from, from + TOLD_AT_ONCE).map((one) => one.id) });
  return home;
}
