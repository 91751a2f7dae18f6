import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { seesCase, type SupportState } from '../../policies/support-policy.js';

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

/** SQL: that a person may take the case `k`: they are in the chat that the bot's owner has named and runs, and neither they nor the bot and the asker have blocked each other. */
export const isAgent = (person: string): string => `exists (select from bot_hand_overs h join chat_members t on t.chat_id = h.chat_id and t.user_id = ${person} join users p on p.id = t.user_id and p.kind = 'PERSON'
    join bots b on b.id = h.bot_id join chat_members o on o.chat_id = h.chat_id and o.user_id = b.owner_id and o.role <> 'MEMBER' where h.bot_id = k.bot_id)
  and not exists (select from blocks l where (l.blocker_id = k.asker_id and l.blocked_id in (${person}, k.bot_id)) or (l.blocked_id = k.asker_id and l.blocker_id = ${person}))`;

export interface SupportKey {
  caseId: string;
  userId: string;
}

/** A case as somebody may see it now, which an event that told them of it does not say: they may have been among those who take cases then, and are no longer. */
export const supportCaseFor: LoaderDef<SupportKey, SupportRow> = {
  keyOf: ({ caseId, userId }) => `${caseId} ${userId}`,
  async batch(keys, { sql }) {
    const rows = await sql<SupportRow & { viewerId: string; ownerId: string | null; isAgent: boolean }>(
      `select ${SUPPORT_COLUMNS}, w.user_id as "viewerId", s.owner_id as "ownerId", (${isAgent('w.user_id')}) as "isAgent"
       from unnest($1::uuid[], $2::uuid[]) w(case_id, user_id) join support_cases k on k.id = w.case_id join bots s on s.id = k.bot_id`,
      [keys.map(({ caseId }) => caseId), keys.map(({ userId }) => userId)],
    );
    const seen = rows.filter((row) => seesCase(row.viewerId, row));
    return inOrder(keys, seen, ({ id, viewerId }) => `${id} ${viewerId}`, ({ caseId, userId }) => `${caseId} ${userId}`);
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
