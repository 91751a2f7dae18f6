import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import { Replica } from './yjs.js';

const KEPT = 200;
/** In bytes of stored documents: in memory they are several times as large. */
const KEPT_BYTES = 64 * 1024 * 1024;
const MAX_LOADS = 3;

/** One document in this process: its replica, and a queue for whoever wants to use it. */
export class Slot {
  replica: Replica | null = null;
  /** Of what the replica was built from; what merging has made smaller since counts until it is built anew. */
  bytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** One after the other. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** Whiteboards as this process knows them: built from what is stored, kept while they are used. */
export class Replicas {
  readonly #slots = new LRUCache<string, Slot>({ max: KEPT, maxSize: KEPT_BYTES });

  slot(documentId: string): Slot {
    let slot = this.#slots.get(documentId);
    if (!slot) this.#slots.set(documentId, (slot = new Slot()), { size: 1 });
    return slot;
  }

  forget(documentId: string): void {
    this.#slots.delete(documentId);
  }

  /** Brings the slot's replica up to what `sql` sees. To be called in the slot's turn. */
  async load(sql: Sql, documentId: string, slot: Slot): Promise<Replica> {
    for (let attempt = 1; ; attempt++) {
      const replica = slot.replica ?? (await this.#restore(sql, documentId, slot));
      const rows = await sql<{ seq: number; body: Buffer }>('select seq::float8 as seq, body from document_updates where document_id = $1 and seq > $2 order by seq', [documentId, replica.seq]);
      // Compacted since the snapshot was read: begin again.
      if (!rows.length || rows[0]!.seq === replica.seq + 1) {
        slot.replica = null;
        for (const { seq, body } of rows) replica.restore(body, seq);
        slot.replica = replica;
        // Also where it is only read: nobody else would count it.
        this.weigh(documentId, slot, rows.reduce((sum, { body }) => sum + body.length, slot.bytes));
        return replica;
      }
      slot.replica = null;
      if (attempt === MAX_LOADS) throw new Error(`The updates of document ${documentId} have a gap.`);
    }
  }

  /** What somebody with this state vector lacks, up to which entry, and how far each client is known. */
  state(sql: Sql, documentId: string, vector: Uint8Array | null): Promise<{ seq: number; update: Uint8Array; stateVector: Uint8Array }> {
    const slot = this.slot(documentId);
    return slot.exclusively(async () => {
      const replica = await this.load(sql, documentId, slot);
      return { seq: replica.seq, update: replica.state(vector ?? undefined), stateVector: replica.vector };
    });
  }

  /** Says how much memory a document takes, so that large ones are kept for less long. */
  weigh(documentId: string, slot: Slot, bytes: number): void {
    slot.bytes = bytes;
    if (this.#slots.peek(documentId) !== slot) return;
    // The cache takes no new size for a value that it has.
    this.#slots.delete(documentId);
    this.#slots.set(documentId, slot, { size: Math.max(1, bytes) });
  }

  async #restore(sql: Sql, documentId: string, slot: Slot): Promise<Replica> {
    const replica = new Replica();
    const [snapshot] = await sql<{ seq: number; state: Buffer }>('select seq::float8 as seq, state from document_snapshots where document_id = $1', [documentId]);
    if (snapshot) replica.restore(snapshot.state, snapshot.seq);
    slot.bytes = snapshot?.state.length ?? 0;
    return replica;
  }
}
