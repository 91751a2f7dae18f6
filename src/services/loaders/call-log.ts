import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { CallKind, CallOutcome, Quality } from '../../entities/call.js';

/** One person's line about one call. */
export interface CallLogRow {
  callId: string;
  userId: string;
  chatId: string;
  kind: CallKind;
  direction: 'INCOMING' | 'OUTGOING';
  outcome: CallOutcome;
  startedAt: Date;
  joinedAt: Date | null;
  endedAt: Date | null;
  /** Of all stays together. */
  talkedMs: number;
  quality: Quality | null;
}

/** From a participant `p` and their call `c`. */
export const LOG_COLUMNS = `p.call_id as "callId", p.user_id as "userId", c.chat_id as "chatId", c.kind, case when c.started_by = p.user_id then 'OUTGOING' else 'INCOMING' end as direction,
  case
    when p.state in ('RINGING', 'DECLINED', 'MISSED', 'BUSY') then case when p.joined_at is null then p.state else 'ANSWERED' end
    when p.state in ('JOINED', 'WAITING') then case when c.state = 'RINGING' then 'RINGING' else 'ONGOING' end
    when c.answered_at is not null then 'ANSWERED'
    when c.started_by <> p.user_id then 'ANSWERED'
    when c.end_reason in ('DECLINED', 'BUSY', 'CANCELLED') then c.end_reason
    else 'UNANSWERED'
  end as outcome,
  c.started_at as "startedAt", p.joined_at as "joinedAt", coalesce(p.left_at, c.ended_at) as "endedAt",
  case when c.answered_at is null then 0 else p.talked_ms end::float8 as "talkedMs",
  case when p.state not in ('JOINED', 'WAITING') then p.quality end as quality`;

export const callLogEntry: LoaderDef<{ callId: string; userId: string }, CallLogRow> = {
  keyOf: ({ callId, userId }) => `${callId} ${userId}`,
  async batch(keys, { sql }) {
    const rows = await sql<CallLogRow>(
      `select ${LOG_COLUMNS} from unnest($1::uuid[], $2::uuid[]) k(call_id, user_id) join call_participants p on p.call_id = k.call_id and p.user_id = k.user_id join calls c on c.id = p.call_id`,
      [keys.map(({ callId }) => callId), keys.map(({ userId }) => userId)],
    );
    const keyOf = ({ callId, userId }: { callId: string; userId: string }) => `${callId} ${userId}`;
    return inOrder(keys, rows, keyOf, keyOf);
  },
};
