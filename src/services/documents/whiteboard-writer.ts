import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Bus } from '../../events/bus.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { assertCanEditDocument, assertCanSeeDocument } from '../../policies/document-policy.js';
import type { ChatAccess } from '../../policies/chat-policy.js';
import { lockDocument, type DocumentRow } from '../loaders/documents.js';
import { accessOfMembers } from './document-access.js';
import { documentTopic, hintOf, type LoggedUpdate } from './document-log.js';
import type { Replicas, Slot } from './replicas.js';
import { SpoiledReplica, type CheckedUpdate, type Replica } from './yjs.js';

/** As a whole, in Yjs' encoding. */
export const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** Updates behind the snapshot, or their bytes, from which a new snapshot is made. */
export const COMPACT_UPDATES = 200;
const COMPACT_BYTES = 256 * 1024;
/** Entries that are kept behind a snapshot, for processes that have not delivered them yet. */
export const KEPT_BEHIND = 100;
/** Updates of one document that one transaction takes, and that may wait. */
const BATCH = 64;
const MAX_WAITING = 1_000;

/** What became of an update: the entry up to which its document now holds it. */
export interface Applied {
  seq: number;
  changed: boolean;
}

interface Waiting {
  userId: string;
  update: CheckedUpdate;
  resolve(result: Applied): void;
  reject(error: unknown): void;
}

/**
 * Applies updates to whiteboards. Those that come while a transaction is under way are taken by the next together, and each
 * succeeds or fails alone. The document's row is locked, so the log is numbered without gaps and every process applies to the same state.
 */
export class WhiteboardWriter {
  readonly #queues = new Map<string, Waiting[]>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly replicas: Replicas,
    private readonly bus: Bus,
  ) {}

  apply(document: Pick<DocumentRow, 'id' | 'chatId'>, userId: string, update: CheckedUpdate): Promise<Applied> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(document.id);
      if (queue && queue.length >= MAX_WAITING) return reject(new DomainError('OVERLOADED', 'Too much is being written to this document.', { retryAfter: 1 }));
      const waiting = { userId, update, resolve, reject };
      if (queue) return void queue.push(waiting);
      this.#queues.set(document.id, [waiting]);
      void this.#drain(document);
    });
  }

  async #drain(document: Pick<DocumentRow, 'id' | 'chatId'>): Promise<void> {
    const queue = this.#queues.get(document.id)!;
    while (queue.length) {
      const batch = queue.splice(0, BATCH);
      const slot = this.replicas.slot(document.id);
      try {
        const outcomes = await slot.exclusively(() => this.#write(document, slot, batch));
        batch.forEach(({ resolve, reject }, index) => {
          const outcome = outcomes[index]!;
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#queues.delete(document.id);
  }

  async #write({ id, chatId }: Pick<DocumentRow, 'id' | 'chatId'>, slot: Slot, batch: readonly Waiting[]): Promise<(Applied | Error)[]> {
    let attempts = 0;
    try {
      return await this.unitOfWork.run({ actorId: batch[0]!.userId, operation: 'applyDocumentUpdate' }, async (tx) => {
        // An earlier attempt of this transaction was undone, but not what it has applied.
        if (attempts++) slot.replica = null;
        const access = await accessOfMembers(tx.sql, chatId, batch.map(({ userId }) => userId));
        const row = await lockDocument(tx.sql, id);
        if (!row) return batch.map(() => notFound('document'));
        return new Turn(tx, row, this.replicas, slot, this.bus).take(batch, access);
      });
    } catch (error) {
      // What was applied has not been committed.
      slot.replica = null;
      throw error;
    }
  }
}

/** One transaction on one document. */
class Turn {
  readonly #news: { authorId: string; body: Uint8Array }[] = [];
  #room: number | null = null;

  constructor(
    private readonly tx: Tx,
    private readonly row: DocumentRow,
    private readonly replicas: Replicas,
    private readonly slot: Slot,
    private readonly bus: Bus,
  ) {}

  async take(batch: readonly Waiting[], access: ReadonlyMap<string, ChatAccess | null>): Promise<(Applied | Error)[]> {
    const { row, slot } = this;
    let replica = await this.replicas.load(this.tx.sql, row.id, slot);
    const outcomes: (Applied | Error)[] = [];
    for (const { userId, update } of batch) {
      try {
        const actor = access.get(userId) ?? null;
        assertCanSeeDocument(actor);
        assertCanEditDocument(actor, row, userId);
        this.#assertRoom(replica, update);
        const body = replica.apply(update);
        if (body) {
          this.#news.push({ authorId: userId, body });
          replica.seq++;
        }
        outcomes.push({ seq: replica.seq, changed: body !== null });
      } catch (error) {
        if (error instanceof SpoiledReplica) {
          replica = await this.#rebuild();
          outcomes.push(invalidInput('update', 'The update does not fit this document.'));
        } else if (error instanceof DomainError) outcomes.push(error);
        else throw error;
      }
    }
    await this.#store(replica);
    return outcomes;
  }

  /** What only takes away is let in always: there must be a way out of a full document. */
  #assertRoom(replica: Replica, { bytes, structs }: CheckedUpdate): void {
    if (!structs.length) return;
    const used = this.row.snapshotBytes + this.row.tailBytes + this.#news.reduce((sum, { body }) => sum + body.length, 0);
    if (used + bytes.length <= MAX_DOCUMENT_BYTES) return;
    this.#room ??= MAX_DOCUMENT_BYTES - replica.state().length;
    if (bytes.length > this.#room) throw new DomainError('LIMIT_REACHED', `A document holds at most ${MAX_DOCUMENT_BYTES} bytes.`, { field: 'update' });
    this.#room -= bytes.length;
  }

  async #rebuild(): Promise<Replica> {
    this.slot.replica = null;
    const replica = await this.replicas.load(this.tx.sql, this.row.id, this.slot);
    for (const { body } of this.#news) replica.restore(body, replica.seq + 1);
    return replica;
  }

  async #store(replica: Replica): Promise<void> {
    const { row, tx } = this;
    if (!this.#news.length) return;
    const bytes = this.#news.reduce((sum, { body }) => sum + body.length, 0);
    const bodies = this.#news.map(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    const updates = this.#news.map(({ authorId }, index): LoggedUpdate => ({ pos: row.head + index + 1, kind: 'UPDATE', authorId, body: bodies[index]!.toString('base64') }));
    await tx.sql(
      `insert into document_updates (document_id, seq, kind, author_id, body, created_at)
       select $1, s, 'UPDATE', a, b, $5 from unnest($2::bigint[], $3::uuid[], $4::bytea[]) u(s, a, b)`,
      [row.id, updates.map(({ pos }) => pos), updates.map(({ authorId }) => authorId), bodies, tx.now],
    );
    const head = row.head + updates.length;
    const compact = head - row.snapshotSeq >= COMPACT_UPDATES || row.tailBytes + bytes >= COMPACT_BYTES;
    const state = compact ? replica.state() : null;
    if (state) await compactTo(tx.sql, row.id, head, state, tx.now);
    await tx.sql('update documents set head = $2, active_at = $3, snapshot_seq = $4, snapshot_bytes = $5, tail_bytes = $6 where id = $1', [
      row.id, head, tx.now, state ? head : row.snapshotSeq, state ? state.length : row.snapshotBytes, state ? 0 : row.tailBytes + bytes,
    ]);
    this.replicas.weigh(row.id, this.slot, row.snapshotBytes + row.tailBytes + bytes);
    tx.afterCommit.push(() => this.bus.publish(documentTopic(row.id), hintOf(updates)));
  }
}

/** The whole as one snapshot; the entries that it holds are dropped, but for the last, which others may be about to deliver. */
async function compactTo(sql: Sql, documentId: string, seq: number, state: Uint8Array, now: Date): Promise<void> {
  await sql(
    `insert into document_snapshots (document_id, seq, state, created_at) values ($1, $2, $3, $4)
     on conflict (document_id) do update set seq = excluded.seq, state = excluded.state, created_at = excluded.created_at`,
    [documentId, seq, Buffer.from(state.buffer, state.byteOffset, state.byteLength), now],
  );
  await sql('delete from document_updates where document_id = $1 and seq <= $2', [documentId, seq - KEPT_BEHIND]);
}
