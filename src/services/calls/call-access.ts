import type { Sql } from '../../db/database.js';
import type { CallRole, CallState, ParticipantState, ScreenShareRule, Source } from '../../entities/call.js';
import type { CallAccess } from '../../policies/call-policy.js';
import type { MemberRole } from '../../policies/member-policy.js';
import type { CallCaller } from './caller.js';

interface AccessRow {
  chatId: string;
  chatKind: 'DIRECT' | 'GROUP';
  state: CallState;
  locked: boolean;
  lobby: boolean;
  screenShare: ScreenShareRule;
  startedBy: string;
  mediaNode: string | null;
  spread: boolean;
  seatNode: string | null;
  recorded: boolean;
  seatId: string | null;
  seatState: ParticipantState;
  role: CallRole;
  device: string | null;
  mutedSources: Source[];
  recordingConsent: boolean;
  memberRole: MemberRole | null;
  tokenRole: 'SPEAKER' | 'LISTENER' | null;
  skipLobby: boolean;
  tokenName: string;
  blocked: boolean;
}

export type CallAccessWithPlace = CallAccess & {
  call: { /** Its home. */ mediaNode: string | null; /** Whether somebody has sat elsewhere. */ spread: boolean };
  /** Where the caller's media is; null until they have taken their seat. */
  seatNode: string | null;
};

/** Where what somebody asks of their media is asked. (A process of before places has written none.) */
export const placeOf = ({ seatNode, call }: CallAccessWithPlace): string | null => seatNode ?? call.mediaNode;

/** What decides about a caller in a call; null when there is no such call. Inside a transaction, after locking it. */
export async function readCallAccess(sql: Sql, callId: string, { userId, tokenId }: CallCaller): Promise<CallAccessWithPlace | null> {
  const [row] = await sql<AccessRow>(
    `select c.chat_id as "chatId", h.kind as "chatKind", c.state, c.locked, c.lobby, c.screen_share as "screenShare", c.started_by as "startedBy", c.media_node as "mediaNode", c.spread, p.media_node as "seatNode", c.recording_state = 'ON' as recorded,
            p.id as "seatId", p.state as "seatState", p.role, p.device, p.muted_sources as "mutedSources", p.recording_consent is true as "recordingConsent", m.role as "memberRole",
            t.role as "tokenRole", t.skip_lobby as "skipLobby", t.name as "tokenName",
            h.kind = 'DIRECT' and exists (
              select from chat_members o join blocks b on (b.blocker_id, b.blocked_id) in ((o.user_id, $2), ($2, o.user_id)) where o.chat_id = c.chat_id and o.user_id <> $2) as blocked
     from calls c join chats h on h.id = c.chat_id
     left join call_participants p on p.call_id = c.id and (p.user_id = $2 or p.token_id = $3)
     left join chat_members m on m.chat_id = c.chat_id and m.user_id = $2
     left join call_tokens t on t.id = $3 and t.call_id = c.id and t.revoked_at is null
     where c.id = $1`,
    [callId, userId, tokenId],
  );
  if (!row) return null;
  // A guest whose token is worth nothing any more. (Those of a call that is over all are: they are told so.)
  if (tokenId !== null && row.tokenRole === null && row.state !== 'ENDED') return null;
  const { chatId, chatKind, state, locked, lobby, screenShare, startedBy, mediaNode, spread, seatNode, recorded } = row;
  return {
    call: { id: callId, chatId, chatKind, state, locked, lobby, screenShare, startedBy, mediaNode, spread, recorded },
    seatNode,
    seat: row.seatId === null ? null : { id: row.seatId, state: row.seatState, role: row.role, device: row.device, mutedSources: row.mutedSources, recordingConsent: row.recordingConsent },
    member: row.memberRole === null ? null : { role: row.memberRole },
    token: row.tokenRole === null ? null : { role: row.tokenRole, skipLobby: row.skipLobby, name: row.tokenName },
    blocked: row.blocked,
  };
}

/** Locks the call, then reads what decides about the caller: every change of a call starts here. Chats are locked before calls. */
export async function lockCall(sql: Sql, callId: string, caller: CallCaller): Promise<CallAccessWithPlace | null> {
  await sql('select from calls where id = $1 for update', [callId]);
  return readCallAccess(sql, callId, caller);
}
