import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type {
  CallEndReason, CallKind, CallRole, CallState, ParticipantState, ProducerKind, Quality, RecordingState, ScreenShareRule, Source,
} from '../../entities/call.js';

export interface CallRow {
  id: string;
  chatId: string;
  kind: CallKind;
  state: CallState;
  startedBy: string;
  locked: boolean;
  lobby: boolean;
  screenShare: ScreenShareRule;
  startedAt: Date;
  answeredAt: Date | null;
  endedAt: Date | null;
  endReason: CallEndReason | null;
  mediaNode: string | null;
  recordingState: RecordingState;
  recordingId: string | null;
}

export const CALL_COLUMNS = `c.id, c.chat_id as "chatId", c.kind, c.state, c.started_by as "startedBy", c.locked, c.lobby, c.screen_share as "screenShare",
  c.started_at as "startedAt", c.answered_at as "answeredAt", c.ended_at as "endedAt", c.end_reason as "endReason", c.media_node as "mediaNode",
  c.recording_state as "recordingState", c.recording_id as "recordingId"`;

export interface ParticipantRow {
  id: string;
  callId: string;
  userId: string | null;
  tokenId: string | null;
  /** Of a guest. */
  name: string | null;
  role: CallRole;
  state: ParticipantState;
  mutedSources: Source[];
  recordingConsent: boolean | null;
  device: string | null;
  ringUntil: Date | null;
  joinedAt: Date | null;
  leftAt: Date | null;
  staySince: Date | null;
  talkedMs: number;
  lostAt: Date | null;
  quality: Quality | null;
  /** Where their media is; null until they have taken their seat. */
  mediaNode: string | null;
}

export const PARTICIPANT_COLUMNS = `p.id, p.call_id as "callId", p.user_id as "userId", p.token_id as "tokenId", p.name, p.role, p.state, p.muted_sources as "mutedSources",
  p.recording_consent as "recordingConsent", p.device, p.ring_until as "ringUntil", p.joined_at as "joinedAt", p.left_at as "leftAt", p.stay_since as "staySince",
  p.talked_ms::float8 as "talkedMs", p.lost_at as "lostAt", p.quality, p.media_node as "mediaNode"`;

export interface ProducerRow {
  id: string;
  callId: string;
  participantId: string;
  kind: ProducerKind;
  /** Null for data. */
  source: Source | null;
  label: string | null;
  protocol: string | null;
  appData: object | null;
  paused: boolean;
}

export const PRODUCER_COLUMNS = `r.id, r.call_id as "callId", r.participant_id as "participantId", r.kind, r.source, r.label, r.protocol, r.app_data as "appData", r.paused`;

/** A call, whoever asks: what may be seen of it is the caller's question. */
export const callById: LoaderDef<string, CallRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<CallRow>(`select ${CALL_COLUMNS} from calls c where c.id = any($1)`, [ids]), (row) => row.id);
  },
};

/** The call that goes on in a chat, by the chat's id. */
export const activeCallOf: LoaderDef<string, CallRow> = {
  async batch(chatIds, { sql }) {
    return inOrder(chatIds, await sql<CallRow>(`select ${CALL_COLUMNS} from calls c where c.chat_id = any($1) and c.state <> 'ENDED'`, [chatIds]), (row) => row.chatId);
  },
};

export const participantById: LoaderDef<string, ParticipantRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.id = any($1)`, [ids]), (row) => row.id);
  },
};

/** The viewer's own row in a call. */
export const viewerParticipant: LoaderDef<string, ParticipantRow> = {
  async batch(callIds, { sql, viewerId }) {
    if (!viewerId) return callIds.map(() => null);
    const rows = await sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.user_id = $1 and p.call_id = any($2)`, [viewerId, callIds]);
    return inOrder(callIds, rows, (row) => row.callId);
  },
};

/** Who runs a call, by the call's id. */
export const hostOf: LoaderDef<string, ParticipantRow> = {
  async batch(callIds, { sql }) {
    const rows = await sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.call_id = any($1) and p.role = 'HOST' and p.state = 'JOINED'`, [callIds]);
    return inOrder(callIds, rows, (row) => row.callId);
  },
};

export const producerById: LoaderDef<string, ProducerRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<ProducerRow>(`select ${PRODUCER_COLUMNS} from call_producers r where r.id = any($1)`, [ids]), (row) => row.id);
  },
};

/** What somebody sends, oldest first, by the participant's id. */
export const producersOf: LoaderDef<string, ProducerRow[]> = {
  async batch(participantIds, { sql }) {
    const rows = await sql<ProducerRow>(`select ${PRODUCER_COLUMNS} from call_producers r where r.participant_id = any($1) order by r.created_at, r.id`, [participantIds]);
    const byParticipant = Map.groupBy(rows, (row) => row.participantId);
    return participantIds.map((id) => byParticipant.get(id) ?? []);
  },
};

export interface RecordingRow {
  id: string;
  callId: string;
  startedAt: Date;
  endedAt: Date | null;
  file: string | null;
  bytes: string | null;
  durationMs: number | null;
}

export const RECORDING_COLUMNS = `g.id, g.call_id as "callId", g.started_at as "startedAt", g.ended_at as "endedAt", g.file, g.bytes, g.duration_ms::float8 as "durationMs"`;

/** What was recorded of a call, the oldest first. */
export const recordingsOf: LoaderDef<string, RecordingRow[]> = {
  async batch(callIds, { sql }) {
    const rows = await sql<RecordingRow>(`select ${RECORDING_COLUMNS} from call_recordings g where g.call_id = any($1) order by g.id limit 1000`, [callIds]);
    const byCall = Map.groupBy(rows, (row) => row.callId);
    return callIds.map((id) => byCall.get(id) ?? []);
  },
};
