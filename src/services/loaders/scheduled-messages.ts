import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { FilesRef } from '../../entities/message.js';

export type ScheduledState = 'WAITING' | 'SENT' | 'FAILED' | 'CANCELLED';
export type ScheduledFailure = 'NOT_A_MEMBER' | 'BLOCKED' | 'NOT_ALLOWED' | 'THREAD_GONE' | 'HELD';

/** A message that waits for its time. What was sent or cancelled holds no text any more. */
export interface ScheduledRow {
  id: string;
  chatId: string;
  senderId: string;
  text: string | null;
  files: FilesRef | null;
  replyToSeq: number | null;
  threadRootSeq: number | null;
  sendAt: Date;
  state: ScheduledState;
  sentSeq: number | null;
  failure: ScheduledFailure | null;
  createdAt: Date;
}

export const SCHEDULED_COLUMNS = `s.id, s.chat_id as "chatId", s.sender_id as "senderId", s.input->>'text' as text, s.input->'files' as files, (s.input->>'replyToSeq')::int as "replyToSeq",
  (s.input->>'threadRootSeq')::int as "threadRootSeq", s.send_at as "sendAt", s.state, s.sent_seq as "sentSeq", s.failure, s.created_at as "createdAt"`;

/** Whosever it is: what may be seen of it is the caller's question. */
export const scheduledById: LoaderDef<string, ScheduledRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<ScheduledRow>(`select ${SCHEDULED_COLUMNS} from scheduled_messages s where s.id = any($1)`, [ids]), (row) => row.id);
  },
};
