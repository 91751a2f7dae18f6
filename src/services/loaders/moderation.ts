import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { FilesRef } from '../../entities/message.js';
import type { ReportTargetType } from '../reports.js';

export type CaseKind = 'HELD' | 'FLAGGED' | 'REPORTED';
export type CaseState = 'OPEN' | 'APPROVED' | 'REJECTED' | 'APPEALED';

export interface CaseRow {
  id: string;
  kind: CaseKind;
  state: CaseState;
  targetType: ReportTargetType;
  targetId: string;
  seq: number | null;
  chatId: string | null;
  senderId: string | null;
  reasons: string[];
  score: number | null;
  reportCount: number;
  /** What is held, or today's words of the message. */
  text: string | null;
  files: FilesRef | null;
  decidedBy: string | null;
  decidedAt: Date | null;
  note: string | null;
  appeal: string | null;
  appealedAt: Date | null;
  createdAt: Date;
}

/** From `moderation_cases k`. */
export const CASE_COLUMNS = `k.id, k.kind, k.state, k.target_type as "targetType", k.target_id as "targetId", k.seq, k.chat_id as "chatId", k.sender_id as "senderId", k.reasons, k.score, k.reports as "reportCount",
  case when k.draft is not null then k.draft->>'text'
       when k.seq is not null then (select m.text from messages m where m.chat_id = k.target_id and m.seq = k.seq and m.deleted_at is null) end as text,
  k.draft->'files' as files, k.decided_by as "decidedBy", k.decided_at as "decidedAt", k.note, k.appeal, k.appealed_at as "appealedAt", k.created_at as "createdAt"`;

/** Whosever it is: what may be seen of it is the caller's question. */
export const moderationCase: LoaderDef<string, CaseRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<CaseRow>(`select ${CASE_COLUMNS} from moderation_cases k where k.id = any($1)`, [ids]), (row) => row.id);
  },
};
