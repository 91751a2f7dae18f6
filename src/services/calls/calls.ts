import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { CallKind, CallState, ScreenShareRule } from '../../entities/call.js';
import { callStream, chatStream, userStream } from '../../events/catalogue.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { distinct } from '../../lib/validate.js';
import { assertCanTakePart } from '../../policies/chat-policy.js';
import { assertCanEnd, assertIsOn, assertRunsCall, seesCall, type CallAccess } from '../../policies/call-policy.js';
import type { Actor } from '../actor.js';
import { lockChat } from '../chat-access.js';
import { CALL_COLUMNS, type CallRow } from '../loaders/calls.js';
import { blockedPairs } from '../pairs.js';
import { afterRinging, endRings, finish, nobodyLeaves, SEAT_KEPT_MS, type Departure, type LockedCall } from './call-changes.js';
import { lockCall, readCallAccess } from './call-access.js';
import type { CallNode } from './call-node.js';
import { actorIdOf, type CallCaller } from './caller.js';
import type { MediaRelease } from './media-release.js';

/** People that one call rings. */
export const MAX_RUNG = 32;
/** A ring that nobody answers ends after this. */
export const RING_MS = 45_000;

export interface StartCall {
  chatId: string;
  kind: CallKind;
  ring: boolean;
  /** Who is rung; null: everybody in the chat. */
  ringUserIds: string[] | null;
  lobby: boolean;
  screenShare: ScreenShareRule;
  idempotencyKey: string;
}

export interface UpdateCall {
  locked?: boolean | null | undefined;
  lobby?: boolean | null | undefined;
  screenShare?: ScreenShareRule | null | undefined;
}

/** A call as a whole: it is started, answered with a no, changed, ended. Who sits in it stands in call-seats.ts. */
export class CallService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly node: CallNode,
    private readonly media: MediaRelease,
  ) {}

  /** A call that the caller may see, or null. */
  async find(caller: CallCaller, id: string): Promise<CallRow | null> {
    const access = await readCallAccess(this.sql, id, caller);
    return access && seesCall(access) ? this.#read(id) : null;
  }

  /** Whether the caller may have what calls need, outside of one: guests in their call alone. Errors: NOT_FOUND, STATE_CONFLICT (over), FORBIDDEN. */
  async assertMayRelay(caller: CallCaller, callId: string | null): Promise<void> {
    if (callId === null) {
      if (caller.userId === null) throw new DomainError('FORBIDDEN', 'A guest says for which call.', { field: 'callId' });
      return;
    }
    assertIsOn(await readCallAccess(this.sql, callId, caller));
  }

  /**
   * Starts a call in a chat and rings; the caller has a seat in it, which `joinCall` takes. A chat has one call at a time.
   * Errors: NOT_FOUND (the chat, somebody to ring), BLOCKED, STATE_CONFLICT (a call goes on), LIMIT_REACHED (more than 32 to ring), INVALID_INPUT, CALLS_UNAVAILABLE.
   */
  async start(actor: Actor, input: StartCall): Promise<CallRow> {
    const { idempotencyKey, ...bound } = input;
    if (!input.ring && input.ringUserIds !== null) throw invalidInput('ringUserIds', 'ringUserIds goes with ring.');
    const wanted = input.ringUserIds && distinct(input.ringUserIds, 'ringUserIds', MAX_RUNG).filter((id) => id !== actor.userId);
    await this.node.assertThere(this.sql);
    const { callId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'startCall', idempotencyKey, input: bound }, async (tx) => {
      const access = await lockChat(tx.sql, input.chatId, actor.userId);
      assertCanTakePart(access);
      if (input.lobby && access.chat.kind === 'DIRECT') throw invalidInput('lobby', 'A direct call has no lobby.');
      const [active] = await tx.sql(`select from calls where chat_id = $1 and state <> 'ENDED'`, [input.chatId]);
      if (active) throw new DomainError('STATE_CONFLICT', 'A call goes on in this chat: join it.', { field: 'chatId' });
      const rung = input.ring ? await this.#whomToRing(tx, actor.userId, input.chatId, wanted) : [];
      return { callId: await this.#make(tx, actor, input, access.chat.kind, rung) };
    });
    return this.#read(callId);
  }

  /** Says no to a ring; on all of the caller's devices. A call between two ends by it. Errors: NOT_FOUND, STATE_CONFLICT (nothing rings). */
  async decline(caller: CallCaller, callId: string): Promise<CallRow> {
    return this.#change(caller, callId, 'declineCall', async (tx, access, call) => {
      assertIsOn(access);
      const { seat } = access;
      if (seat?.state === 'DECLINED') return nobodyLeaves(call);
      const ended = seat ? await endRings(tx, callId, 'DECLINED', 'DECLINED', { participantId: seat.id }) : 0;
      if (!ended) throw new DomainError('STATE_CONFLICT', 'This call does not ring for you.');
      return afterRinging(tx, call, 'DECLINED');
    });
  }

  /** Locks or unlocks the call, sets its lobby and who shares a screen. Errors: NOT_FOUND, FORBIDDEN (not the host), STATE_CONFLICT, INVALID_INPUT. */
  async update(caller: CallCaller, callId: string, changes: UpdateCall): Promise<CallRow> {
    return this.#change(caller, callId, 'updateCall', async (tx, access, call) => {
      assertRunsCall(access);
      if (changes.lobby && call.chatKind === 'DIRECT') throw invalidInput('lobby', 'A direct call has no lobby.');
      const changed = await tx.sql(
        `update calls set locked = coalesce($2, locked), lobby = coalesce($3, lobby), screen_share = coalesce($4, screen_share)
         where id = $1 and (locked, lobby, screen_share) is distinct from (coalesce($2, locked), coalesce($3, lobby), coalesce($4, screen_share)) returning 1`,
        [callId, changes.locked ?? null, changes.lobby ?? null, changes.screenShare ?? null],
      );
      if (changed.length) tx.append(callStream(callId), { kind: 'call.updated' });
      return nobodyLeaves(call);
    });
  }

  /** Ends the call for everybody. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
  async end(caller: CallCaller, callId: string): Promise<CallRow> {
    return this.#change(caller, callId, 'endCall', async (tx, access, call) => {
      assertCanEnd(access);
      return finish(tx, call, call.state === 'RINGING' ? 'CANCELLED' : call.chatKind === 'DIRECT' ? 'HUNG_UP' : 'ENDED_BY_HOST');
    });
  }

  /** Rings members of the chat into a call that goes on. Errors: NOT_FOUND, FORBIDDEN, LIMIT_REACHED, STATE_CONFLICT (nobody of them can be rung). */
  async ring(caller: CallCaller, callId: string, userIds: string[]): Promise<CallRow> {
    const wanted = distinct(userIds, 'userIds', MAX_RUNG).filter((id) => id !== caller.userId);
    return this.#change(caller, callId, 'ringCall', async (tx, access, call) => {
      assertRunsCall(access);
      const there = await this.#whomToRing(tx, caller.userId!, call.chatId, wanted);
      const [now] = await tx.sql<{ n: number }>(`select count(*)::int as n from call_participants where call_id = $1 and state = 'RINGING'`, [callId]);
      if (now!.n + there.length > MAX_RUNG) throw new DomainError('LIMIT_REACHED', `A call rings at most ${MAX_RUNG} people.`, { field: 'userIds' });
      if (!(await this.#ring(tx, callId, there))) throw new DomainError('STATE_CONFLICT', 'None of them can be rung now.', { field: 'userIds' });
      return nobodyLeaves(call);
    });
  }

  async #change(caller: CallCaller, callId: string, operation: string, work: (tx: Tx, access: CallAccess | null, call: LockedCall) => Promise<Departure>): Promise<CallRow> {
    const departure = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      return work(tx, access, access?.call as LockedCall);
    });
    await this.media.release(departure);
    return this.#read(callId);
  }

  /** Members of the chat that may be rung. Across a block nobody is, silently: who has blocked is not told of. */
  async #whomToRing(tx: Tx, actorId: string, chatId: string, wanted: string[] | null): Promise<string[]> {
    const rows = await tx.sql<{ id: string }>(
      `select m.user_id as id from chat_members m where m.chat_id = $1 and m.user_id <> $2 and ($3::uuid[] is null or m.user_id = any($3)) order by m.user_id limit $4`,
      [chatId, actorId, wanted, MAX_RUNG + 1],
    );
    if (wanted && rows.length < wanted.length) throw new DomainError('NOT_FOUND', 'There is no such member of the chat.', { field: 'ringUserIds' });
    if (rows.length > MAX_RUNG) throw new DomainError('LIMIT_REACHED', `A call rings at most ${MAX_RUNG} people: name them, or start it with ring: false.`, { field: 'ring' });
    const ids = rows.map(({ id }) => id);
    const blocked = await blockedPairs(tx.sql, actorId, ids);
    return ids.filter((id) => !blocked.has(id));
  }

  async #make(tx: Tx, actor: Actor, input: StartCall, chatKind: 'DIRECT' | 'GROUP', rung: string[]): Promise<string> {
    const id = newId();
    const state: CallState = rung.length ? 'RINGING' : 'ACTIVE';
    await tx.sql('insert into calls (id, chat_id, kind, state, started_by, lobby, screen_share, started_at) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
      id, input.chatId, input.kind, state, actor.userId, input.lobby, input.screenShare, tx.now,
    ]);
    await tx.sql(
      `insert into call_participants (id, call_id, user_id, role, state, device, joined_at, stay_since, seat_until, created_at) values ($1, $2, $3, 'HOST', 'JOINED', $4, $5, $5, $6, $5)`,
      [newId(), id, actor.userId, actor.sessionId, tx.now, new Date(tx.now.getTime() + SEAT_KEPT_MS)],
    );
    tx.append(chatStream(input.chatId), { kind: 'call.started', callId: id });
    tx.append(userStream(actor.userId), { kind: 'call.log', callId: id });
    const ringing = await this.#ring(tx, id, rung);
    if (rung.length && !ringing) await afterRinging(tx, { id, chatId: input.chatId, chatKind, state, mediaNode: null }, 'BUSY');
    return id;
  }

  /** Rings those who are free, and notes of the others that they were busy. Answers how many ring. */
  async #ring(tx: Tx, callId: string, userIds: string[]): Promise<number> {
    if (!userIds.length) return 0;
    const rows = await tx.sql<{ id: string; userId: string; state: string }>(
      `insert into call_participants as p (id, call_id, user_id, role, state, ring_until, created_at)
       select n.id, $1, n.user_id, 'SPEAKER', case when b.busy then 'BUSY' else 'RINGING' end, case when b.busy then null else $4::timestamptz end, $5
       from unnest($2::uuid[], $3::uuid[]) n(id, user_id),
            lateral (select exists (select from call_participants o where o.user_id = n.user_id and o.state = 'JOINED' and o.call_id <> $1) as busy) b
       on conflict (call_id, user_id) do update set state = excluded.state, ring_until = excluded.ring_until
         where p.state in ('BUSY', 'DECLINED', 'MISSED', 'LEFT', 'REMOVED')
       returning id, user_id as "userId", state`,
      [callId, userIds.map(() => newId()), userIds, new Date(tx.now.getTime() + RING_MS), tx.now],
    );
    for (const { id, userId, state } of rows) {
      tx.append(callStream(callId), { kind: 'participant.updated', participantId: id });
      if (state === 'RINGING') tx.append(userStream(userId), { kind: 'call.incoming', callId });
      tx.append(userStream(userId), { kind: 'call.log', callId });
    }
    return rows.filter(({ state }) => state === 'RINGING').length;
  }

  async #read(id: string): Promise<CallRow> {
    const [row] = await this.sql<CallRow>(`select ${CALL_COLUMNS} from calls c where c.id = $1`, [id]);
    return row!;
  }
}
