import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { ChatKind } from '../../entities/chat.js';
import type { MemberRole } from '../../entities/chat-member.js';
import type { FilesRef } from '../../entities/message.js';
import type { UserRole } from '../../entities/user.js';
import { moderates } from '../../policies/moderation-policy.js';
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

/** SQL: that whom the case `k` is about knows of it: nobody is told who has reported them, so nor of what is only flagged or reported. */
export const IS_TOLD = `(k.kind = 'HELD' or k.state in ('REJECTED', 'APPEALED') or k.appeal is not null)`;

export interface CaseKey {
  caseId: string;
  userId: string;
}
interface Seen {
  viewerId: string;
  viewerRole: UserRole;
  chatKind: ChatKind | null;
  memberRole: MemberRole | null;
  isOwn: boolean | null;
}

/** A case as somebody may see it now, which an event that told them of it does not say: they may have run the chat then, and do no longer. */
export const moderationCaseFor: LoaderDef<CaseKey, CaseRow> = {
  keyOf: ({ caseId, userId }) => `${caseId} ${userId}`,
  async batch(keys, { sql }) {
    const rows = await sql<CaseRow & Seen>(
      `select ${CASE_COLUMNS}, w.user_id as "viewerId", u.role as "viewerRole", c.kind as "chatKind", m.role as "memberRole", k.sender_id = w.user_id and ${IS_TOLD} as "isOwn"
       from unnest($1::uuid[], $2::uuid[]) w(case_id, user_id) join moderation_cases k on k.id = w.case_id join users u on u.id = w.user_id
       left join chats c on c.id = k.chat_id left join chat_members m on m.chat_id = c.id and m.user_id = w.user_id`,
      [keys.map(({ caseId }) => caseId), keys.map(({ userId }) => userId)],
    );
    const seen = rows.filter(({ viewerRole, chatKind, memberRole, isOwn }) => isOwn || moderates({ role: viewerRole }, chatKind && { chat: { kind: chatKind }, member: memberRole && { role: memberRole } }));
    return inOrder(keys, seen, ({ id, viewerId }) => `${id} ${viewerId}`, ({ caseId, userId }) => `${caseId} ${userId}`);
  },
};
