import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Bus } from '../../events/bus.js';
import { chatStream } from '../../events/catalogue.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { newId, NIL_UUID } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import { assertCanSeeDocument, assertCanStartDocument, assertOpen, assertRunsDocument, canEdit, runsDocument, type DocumentReader } from '../../policies/document-policy.js';
import type { Actor, Reading } from '../actor.js';
import { lockChat, readChatAccess } from '../chat-access.js';
import { viewerMembership } from '../loaders/chats.js';
import { DOCUMENT_COLUMNS, documentById, lockDocument, readDocument, type DocumentRow } from '../loaders/documents.js';
import { documentTopic, type DocumentHint } from './document-log.js';
import type { Replicas } from './replicas.js';

export const MAX_WHITEBOARDS = 200;
export const MAX_CO_BROWSINGS = 10;
const MAX_TITLE_BYTES = 200;
const HOUR_MS = 3_600_000;
/** A session of which nothing has been heard for so long has no presenter any more. */
const CO_BROWSING_IDLE_HOURS = 12;
const STALE_BATCH = 100;

export interface StartDocument {
  kind: DocumentRow['kind'];
  chatId: string;
  /** A call that goes on in the chat. */
  callId?: string | null;
  title?: string | null;
  editing?: DocumentRow['editing'] | null;
  idempotencyKey: string;
}

/** What the viewer may do with a document. */
export interface DocumentViewerState {
  canEdit: boolean;
  canManage: boolean;
}

/** Whiteboards and sessions of co-browsing: making, naming, ending, finding. */
export class DocumentService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly bus: Bus,
    private readonly replicas: Replicas,
  ) {}

  /** Errors: NOT_FOUND (chat, call), STATE_CONFLICT (the call is over), BLOCKED, FORBIDDEN (encrypted chat), LIMIT_REACHED, INVALID_INPUT (title). */
  async start(actor: Actor, { idempotencyKey, ...input }: StartDocument): Promise<DocumentRow> {
    const title = titleOf(input.title);
    const { kind, chatId } = input;
    const operation = kind === 'WHITEBOARD' ? 'createWhiteboard' : 'startCoBrowsing';
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation, idempotencyKey, input }, async (tx) => {
      assertCanStartDocument(await lockChat(tx.sql, chatId, actor.userId));
      if (input.callId != null) await assertGoesOn(tx, input.callId, chatId);
      const [open] = await tx.sql<{ n: number }>('select count(*)::int as n from documents where chat_id = $1 and kind = $2 and ended_at is null', [chatId, kind]);
      const most = kind === 'WHITEBOARD' ? MAX_WHITEBOARDS : MAX_CO_BROWSINGS;
      if (open!.n >= most) throw new DomainError('LIMIT_REACHED', `A chat has at most ${most} of these at a time.`);
      const made = newId();
      await tx.sql('insert into documents (id, kind, chat_id, call_id, title, editing, created_by, created_at, active_at) values ($1, $2, $3, $8, $4, $5, $6, $7, $7)', [
        made, kind, chatId, title, input.editing ?? 'EVERYONE', actor.userId, tx.now, input.callId ?? null,
      ]);
      tellChat(tx, chatId, made);
      return { id: made };
    });
    const row = await readDocument(this.sql, id);
    // A repeat, after somebody has deleted it, or has taken the actor out of its chat.
    if (!row) throw notFound('document');
    assertCanSeeDocument(await readChatAccess(this.sql, chatId, actor.userId));
    return row;
  }

  /** Title, and who edits. Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT (title). */
  update(actor: Actor, id: string, change: { title?: string | null; editing?: DocumentRow['editing'] | null }): Promise<DocumentRow> {
    const title = change.title === undefined ? undefined : titleOf(change.title);
    return this.#manage(actor, id, 'updateWhiteboard', async (tx, row) => {
      if (row.kind !== 'WHITEBOARD') throw notFound('whiteboard');
      const next = { title: title === undefined ? row.title : title, editing: change.editing ?? row.editing };
      if (next.title === row.title && next.editing === row.editing) return row;
      await tx.sql('update documents set title = $2, editing = $3 where id = $1', [id, next.title, next.editing]);
      tellChat(tx, row.chatId, id);
      return { ...row, ...next };
    });
  }

  /** Takes a whiteboard away, with all that is on it; it is not there: NOT_FOUND. Errors: NOT_FOUND, FORBIDDEN. */
  async delete(actor: Actor, id: string): Promise<void> {
    await this.#manage(actor, id, 'deleteWhiteboard', async (tx, row) => {
      if (row.kind !== 'WHITEBOARD') throw notFound('whiteboard');
      await tx.sql('delete from documents where id = $1', [id]);
      tellChat(tx, row.chatId, id);
      this.#tellWatchers(tx, id, 'DELETED');
      return row;
    });
    this.replicas.forget(id);
  }

  /** Ends a session; what was shown is not kept. Ended already: changes nothing. Errors: NOT_FOUND, FORBIDDEN. */
  endCoBrowsing(actor: Actor, id: string): Promise<DocumentRow> {
    return this.#manage(actor, id, 'endCoBrowsing', async (tx, row) => {
      if (row.kind !== 'CO_BROWSING') throw notFound('session');
      if (row.endedAt) return row;
      await this.#end(tx, row);
      return (await readDocument(tx.sql, id))!;
    });
  }

  /** Ends sessions of which nothing has been heard for long. */
  async endStale(): Promise<boolean> {
    const before = (now: Date) => new Date(now.getTime() - CO_BROWSING_IDLE_HOURS * HOUR_MS);
    return this.unitOfWork.run({ actorId: SYSTEM, operation: 'endCoBrowsing' }, async (tx) => {
      const stale = await tx.sql<DocumentRow>(
        `select ${DOCUMENT_COLUMNS} from documents d where d.kind = 'CO_BROWSING' and d.ended_at is null and d.active_at < $1 order by d.id limit $2 for update skip locked`,
        [before(tx.now), STALE_BATCH],
      );
      for (const row of stale) await this.#end(tx, row);
      return stale.length === STALE_BATCH;
    });
  }

  /** A document that the viewer may see, else null. */
  async find(reading: Reading, id: string): Promise<DocumentRow | null> {
    const row = await reading.load(documentById, id);
    return row && (await reading.load(viewerMembership, row.chatId)) ? row : null;
  }

  /** Those of a chat, for its members: newest first. */
  async list(reading: Reading, chatId: string, { kind, ...args }: PageArgs & { kind?: DocumentRow['kind'] | null }): Promise<Page<DocumentRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size || !(await reading.load(viewerMembership, chatId))) return emptyPage();
    const rows = await this.sql<DocumentRow>(
      `select ${DOCUMENT_COLUMNS} from documents d where d.chat_id = $1 and ($2::text is null or d.kind = $2) and ($3::uuid is null or d.id < $3) order by d.id desc limit $4`,
      [chatId, kind ?? null, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** Null for whoever is not in its chat. */
  async viewerState(actor: Actor, row: DocumentRow): Promise<DocumentViewerState | null> {
    const access = await readChatAccess(this.sql, row.chatId, actor.userId);
    if (!access?.member) return null;
    const reader = access as DocumentReader;
    return { canEdit: canEdit(reader, row, actor.userId), canManage: runsDocument(reader, row, actor.userId) };
  }

  async #manage(actor: Actor, id: string, operation: string, change: (tx: Tx, row: DocumentRow) => Promise<DocumentRow>): Promise<DocumentRow> {
    const known = await readDocument(this.sql, id);
    if (!known) throw notFound('document');
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      const access = await lockChat(tx.sql, known.chatId, actor.userId);
      assertCanSeeDocument(access);
      const row = await lockDocument(tx.sql, id);
      if (!row) throw notFound('document');
      assertRunsDocument(access, row, actor.userId);
      if (row.kind === 'WHITEBOARD') assertOpen(row);
      return change(tx, row);
    });
  }

  async #end(tx: Tx, row: DocumentRow): Promise<void> {
    await tx.sql(`update documents set ended_at = $2, tail_bytes = 0, controller_id = null, control_requests = '{}' where id = $1`, [row.id, tx.now]);
    await tx.sql('delete from document_updates where document_id = $1', [row.id]);
    tellChat(tx, row.chatId, row.id);
    this.#tellWatchers(tx, row.id, 'ENDED');
  }

  #tellWatchers(tx: Tx, id: string, ended: 'ENDED' | 'DELETED'): void {
    tx.afterCommit.push(() => this.bus.publish(documentTopic(id), { ended } satisfies DocumentHint));
  }
}

async function assertGoesOn(tx: Tx, callId: string, chatId: string): Promise<void> {
  const [call] = await tx.sql<{ state: string }>('select state from calls where id = $1 and chat_id = $2', [callId, chatId]);
  if (!call) throw new DomainError('NOT_FOUND', 'There is no such call in this chat.', { field: 'callId' });
  if (call.state === 'ENDED') throw new DomainError('STATE_CONFLICT', 'The call is over.', { field: 'callId' });
}

const SYSTEM = NIL_UUID;

const tellChat = (tx: Tx, chatId: string, documentId: string): void => tx.append(chatStream(chatId), { kind: 'document.changed', documentId });

const titleOf = (title: string | null | undefined): string | null => (title == null ? null : cleanText(title, { field: 'title', maxBytes: MAX_TITLE_BYTES }));
