import type { CardRef, ForwardRef, MessageKind, PreviewRef } from '../../entities/message.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';

/** A message as it may be shown to those who may see it: what was deleted or has expired holds no contents. */
export interface MessageRow {
  chatId: string;
  seq: number;
  senderId: string;
  kind: MessageKind;
  version: number;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
  expiresAt: Date | null;
  replyToSeq: number | null;
  threadRootSeq: number | null;
  threadCount: number;
  threadLastAt: Date | null;
  text: string | null;
  mentions: string[] | null;
  forward: ForwardRef | null;
  card: CardRef | null;
  preview: PreviewRef | null;
  reactions: [string, number][] | null;
}

export const MESSAGE_COLUMNS = `m.chat_id as "chatId", m.seq, m.sender_id as "senderId", m.kind, m.version, m.created_at as "createdAt", m.edited_at as "editedAt",
  m.deleted_at as "deletedAt", m.expires_at as "expiresAt", m.reply_to_seq as "replyToSeq", m.thread_root_seq as "threadRootSeq", m.thread_count as "threadCount",
  m.thread_last_at as "threadLastAt", m.text, m.mentions, m.forward, m.card, m.preview, m.reactions`;

/** What every reading of a message needs, to be shown at all. */
const ALWAYS = 'm.seq, m.sender_id as "senderId", m.kind, m.created_at as "createdAt", m.deleted_at as "deletedAt", m.expires_at as "expiresAt", m.text';
/** Columns that most readings don't need, by the fields that do. */
const FIELD_COLUMNS: Readonly<Record<string, string>> = {
  __typename: '', id: '', seq: '', sender: '', kind: '', createdAt: '', deletedAt: '', expiresAt: '', text: '',
  version: ', m.version', editedAt: ', m.edited_at as "editedAt"', reactions: ', m.reactions', attachments: ', m.card', encrypted: ', m.card', linkPreview: ', m.preview',
};

/**
 * The columns for these fields of messages of one chat, whose id the caller puts in: a third of all for what a page shows of
 * most. Null where a field is asked for that needs other columns or another reading of the message: then read all. One of
 * 32 texts, so that each is prepared.
 */
export function messageColumns(fields: ReadonlySet<string>): string | null {
  let columns = ALWAYS;
  for (const field of fields) if (!(field in FIELD_COLUMNS)) return null;
  for (const [field, column] of Object.entries(FIELD_COLUMNS)) if (column && fields.has(field) && !columns.includes(column)) columns += column;
  return columns;
}

/** Blanks a message whose time is up, whether or not the sweeper has come by. */
export function shown(row: MessageRow, now: Date): MessageRow {
  if (!row.deletedAt && row.expiresAt && row.expiresAt <= now) row.deletedAt = row.expiresAt;
  if (row.deletedAt) Object.assign(row, { text: null, mentions: null, forward: null, card: null, preview: null, reactions: null });
  return row;
}

export interface MessageKey {
  chatId: string;
  seq: number;
}
export const messageKey = ({ chatId, seq }: MessageKey): string => `${chatId} ${seq}`;

/** A message by its chat and number, whoever asks. */
export const messageByKey: LoaderDef<MessageKey, MessageRow> = {
  keyOf: messageKey,
  async batch(keys, { sql, now }) {
    const [first, another] = keys;
    // One by itself is not asked for by a list, which would be planned anew each time: see db/keyed.ts.
    const rows = another
      ? await sql<MessageRow>(`select ${MESSAGE_COLUMNS} from unnest($1::uuid[], $2::int[]) k(chat_id, seq) join messages m on m.chat_id = k.chat_id and m.seq = k.seq`, [
          keys.map((key) => key.chatId),
          keys.map((key) => key.seq),
        ])
      : await sql<MessageRow>(`select ${MESSAGE_COLUMNS} from messages m where m.chat_id = $1 and m.seq = $2`, [first!.chatId, first!.seq]);
    return inOrder(keys, rows.map((row) => shown(row, now)), messageKey, messageKey);
  },
};
