import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { Sql } from '../../db/database.js';

export interface DocumentRow {
  id: string;
  kind: 'WHITEBOARD' | 'CO_BROWSING';
  chatId: string;
  /** The call in which it was begun. */
  callId: string | null;
  title: string | null;
  editing: 'EVERYONE' | 'ADMINS';
  createdBy: string;
  createdAt: Date;
  endedAt: Date | null;
  head: number;
  snapshotSeq: number;
  snapshotBytes: number;
  tailBytes: number;
  batches: number;
  controllerId: string | null;
  controlRequests: string[];
}

export const DOCUMENT_COLUMNS = `d.id, d.kind, d.chat_id as "chatId", d.call_id as "callId", d.title, d.editing, d.created_by as "createdBy", d.created_at as "createdAt", d.ended_at as "endedAt",
  d.head::float8 as head, d.snapshot_seq::float8 as "snapshotSeq", d.snapshot_bytes as "snapshotBytes", d.tail_bytes as "tailBytes", d.batches,
  d.controller_id as "controllerId", d.control_requests as "controlRequests"`;

const DOCUMENTS_BY_ID = keyed<DocumentRow>(`select ${DOCUMENT_COLUMNS} from documents d where d.id = any($1)`);

/** A document, whoever asks: who may see it is the caller's question. */
export const documentById: LoaderDef<string, DocumentRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await DOCUMENTS_BY_ID(sql, ids), (row) => row.id);
  },
};

export async function readDocument(sql: Sql, id: string): Promise<DocumentRow | null> {
  const [row] = await sql<DocumentRow>(`select ${DOCUMENT_COLUMNS} from documents d where d.id = $1`, [id]);
  return row ?? null;
}

export async function lockDocument(sql: Sql, id: string): Promise<DocumentRow | null> {
  const [row] = await sql<DocumentRow>(`select ${DOCUMENT_COLUMNS} from documents d where d.id = $1 for update`, [id]);
  return row ?? null;
}
