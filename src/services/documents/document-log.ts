import type { Sql } from '../../db/database.js';
import type { Numbered } from '../../events/tail.js';

export const documentTopic = (documentId: string): string => `document:${documentId}`;

/** An entry of a document's log, as it travels: on the bus, and to clients. */
export interface LoggedUpdate extends Numbered {
  kind: 'UPDATE' | 'CONTROL';
  authorId: string;
  /** In base64, as clients get it. */
  body: string;
}

/** The state of a pointer and the like, of one tab of one person. */
export interface AwarenessNews {
  userId: string;
  clientId: string;
  /** Null: gone. */
  state: unknown;
  /** Milliseconds since 1970: unless it is said again. */
  expiresAt: number;
}

/** What travels on a document's topic. All of it may be lost; of the log's entries, what was lost is read again. */
export type DocumentHint =
  | { updates: LoggedUpdate[] }
  /** There is more than a hint should carry: read up to here. */
  | { head: number }
  | { awareness: AwarenessNews[] }
  /** Somebody begins to look on: say again what you know. */
  | { asks: string }
  | { input: { userId: string; messages: unknown[] } }
  | { ended: 'ENDED' | 'DELETED' };

/** Bytes of updates, in base64, that one hint carries. */
const MAX_HINT_BYTES = 32 * 1024;

export function hintOf(updates: LoggedUpdate[]): DocumentHint {
  const bytes = updates.reduce((sum, update) => sum + update.body.length, 0);
  return bytes <= MAX_HINT_BYTES ? { updates } : { head: updates.at(-1)!.pos };
}

/** Reads document_updates. */
export class DocumentLog {
  constructor(private readonly sql: Sql) {}

  /** By the document's id; see EventLog.read. */
  async read(documentId: string, after: number, upTo: number, limit: number): Promise<LoggedUpdate[]> {
    return this.sql<LoggedUpdate>(
      `select seq::float8 as pos, kind, author_id as "authorId", translate(encode(body, 'base64'), E'\\n', '') as body
       from document_updates where document_id = $1 and seq > $2 and seq <= $3 order by seq limit $4`,
      [documentId, after, upTo, limit],
    );
  }
}
