import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { SupportState } from '../../policies/support-policy.js';

export type SupportReason = 'ASKED' | 'UNKNOWN';

export interface SupportRow {
  id: string;
  botId: string;
  /** The bot's direct chat with the asker. */
  chatId: string;
  askerId: string;
  agentId: string | null;
  state: SupportState;
  reason: SupportReason;
  upToSeq: number;
  caseChatId: string | null;
  createdAt: Date;
  assignedAt: Date | null;
  closedAt: Date | null;
}
/** From `support_cases k`. */
export const SUPPORT_COLUMNS = `k.id, k.bot_id as "botId", k.chat_id as "chatId", k.asker_id as "askerId", k.agent_id as "agentId", k.state, k.reason, k.up_to_seq as "upToSeq", k.case_chat_id as "caseChatId",
  k.created_at as "createdAt", k.assigned_at as "assignedAt", k.closed_at as "closedAt"`;

/** Whosever it is: what may be seen of it is the caller's question. */
export const supportCase: LoaderDef<string, SupportRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<SupportRow>(`select ${SUPPORT_COLUMNS} from support_cases k where k.id = any($1)`, [ids]), (row) => row.id);
  },
};

export interface HandOverRow {
  botId: string;
  chatId: string;
  afterUnknown: number;
}
export const handOverOf: LoaderDef<string, HandOverRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await sql<HandOverRow>('select bot_id as "botId", chat_id as "chatId", after_unknown as "afterUnknown" from bot_hand_overs where bot_id = any($1)', [ids]), (row) => row.botId);
  },
};

/** Of what was said, so many messages are handed on at the most. */
export const TRANSCRIPT = 50;

export interface TranscriptLine {
  fromBot: boolean;
  text: string;
  sentAt: Date;
}

/** What is handed on of the asker's chat with the bot, as it is now: for the asker, and for whoever has taken the case as long as it goes on. Keys are cases. */
export const transcriptOf: LoaderDef<string, TranscriptLine[]> = {
  async batch(ids, { sql, viewerId, now }) {
    const rows = await sql<TranscriptLine & { caseId: string }>(
      `select k.id as "caseId", m.sender_id = k.bot_id as "fromBot", m.text, m.created_at as "sentAt" from support_cases k
       join messages m on m.chat_id = k.chat_id and m.seq between k.from_seq and k.up_to_seq and m.sender_id in (k.asker_id, k.bot_id)
       where k.id = any($1) and k.with_transcript and (k.asker_id = $2 or (k.agent_id = $2 and k.state = 'ASSIGNED'))
         and m.deleted_at is null and m.text is not null and m.kind <> 'SYSTEM' and (m.expires_at is null or m.expires_at > $3)
         and not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = k.asker_id and h.hidden_at is not null)
       order by k.id, m.seq`,
      [ids, viewerId, now],
    );
    const byCase = new Map<string, TranscriptLine[]>(ids.map((id) => [id, []]));
    for (const { caseId, ...line } of rows) byCase.get(caseId)!.push(line);
    return ids.map((id) => byCase.get(id)!);
  },
};
