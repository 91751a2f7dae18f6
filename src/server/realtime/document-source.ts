import type { Sql } from '../../db/database.js';
import type { Bus } from '../../events/bus.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { decodeId, encodeId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import { DocumentLog } from '../../services/documents/document-log.js';
import { checkClientId } from '../../services/documents/document-updates.js';
import type { Replicas } from '../../services/documents/replicas.js';
import { checkVector } from '../../services/documents/yjs.js';
import { readDocument, type DocumentRow } from '../../services/loaders/documents.js';
import { awarenessKey, DocumentRoom, logged } from './document-room.js';
import { DocumentWatcher, type Step } from './document-watcher.js';
import { EphemeralEvent, Outbox } from './outbox.js';
import type { Source, Subscriber } from './subscriptions.js';

export interface DocumentSourceDeps {
  bus: Bus;
  sql: Sql;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  replicas: Replicas;
  onError: (error: unknown, stream: string) => void;
  askAgainMs: number;
}

/**
 * `documentUpdates`. The state is read once for each subscription, by what its client has; entries are rendered once for all, from
 * the room's ring. A reader that has fallen out of the ring gets the state again (a whiteboard), or the entries from the log (co-browsing).
 */
export class DocumentSource implements Source {
  readonly #rooms = new Map<string, Promise<DocumentRoom>>();
  readonly #open = new Map<string, DocumentRoom>();
  readonly #again: NodeJS.Timeout;
  readonly #log: DocumentLog;

  constructor(private readonly deps: DocumentSourceDeps) {
    this.#log = new DocumentLog(deps.sql);
    this.#again = setInterval(() => void this.#reconcile().catch((error: unknown) => deps.onError(error, 'documents')), deps.askAgainMs);
    this.#again.unref();
    deps.bus.onRecovered(() => void this.#reconcile().catch((error: unknown) => deps.onError(error, 'documents')));
  }

  get rooms(): number {
    return this.#open.size;
  }

  async open({ viewer, sink, group }: Subscriber, args: Record<string, unknown>): Promise<() => void> {
    const id = decodeId('Document', args['documentId'] as string, 'documentId');
    const clientId = args['clientId'] == null ? null : checkClientId(args['clientId'] as string);
    const stateVector = args['stateVector'] == null ? null : checkVector(args['stateVector'] as Buffer);
    const after = (args['after'] as number | null | undefined) ?? -1;
    if (args['after'] != null && after < 0) throw invalidInput('after', 'after is the number of an entry.');
    const onError = (error: unknown) => this.deps.onError(error, `document ${id}`);
    const key = awarenessKey(viewer.userId, clientId ?? '');
    let room = await this.#room(id);
    // The last who looked on may have left meanwhile, and closed it.
    while (this.#open.get(id) !== room) room = await this.#room(id);
    const watcher: DocumentWatcher = new DocumentWatcher(
      viewer.userId, clientId, key, { stateVector, after }, sink, group, new Outbox(sink, group, onError), () => this.#next(room, watcher), () => room.welcome(watcher), onError,
    );
    room.watchers.add(watcher);
    try {
      await room.ready;
      const [member] = await this.deps.sql('select from chat_members where chat_id = $1 and user_id = $2', [room.document.chatId, viewer.userId]);
      if (!member || watcher.revoked) throw notFound('document');
      const row = await readDocument(this.deps.sql, id);
      if (!row) throw notFound('document');
      if (row.endedAt) throw new DomainError('STATE_CONFLICT', 'It has ended.');
      if (after > row.head) throw invalidInput('after', 'after is behind the last entry.');
      // Entries from here on come as hints, or show at the next comparison.
      if (room.head < 0) room.start(row.head);
    } catch (error) {
      this.#leave(room, watcher);
      throw error;
    }
    watcher.live = true;
    watcher.wake();
    return () => this.#leave(room, watcher);
  }

  close(): void {
    clearInterval(this.#again);
    for (const room of this.#open.values()) room.close();
    this.#open.clear();
    this.#rooms.clear();
  }

  #next(room: DocumentRoom, watcher: DocumentWatcher): Step | null | Promise<Step | null> {
    if (watcher.seq < 0) return this.#state(room, watcher);
    const entry = room.after(watcher.seq);
    if (entry !== undefined) return entry && { seq: entry.pos, event: entry.event };
    return room.document.kind === 'WHITEBOARD' ? this.#state(room, watcher) : this.#fromLog(room, watcher);
  }

  async #state(room: DocumentRoom, watcher: DocumentWatcher): Promise<Step | null> {
    const documentId = encodeId('Document', room.id);
    const row = await readDocument(this.deps.sql, room.id);
    if (!row) return null; // DocumentEnded is on its way
    const step = (seq: number, body: { update: string | Uint8Array; stateVector: Uint8Array | null }): Step => ({
      seq,
      isState: true,
      event: new EphemeralEvent({ __typename: 'DocumentState', documentId, document: row, seq, batches: row.batches, ...body }),
    });
    if (row.kind === 'WHITEBOARD') {
      const { seq, ...body } = await this.deps.replicas.state(this.deps.sql, room.id, watcher.had.stateVector);
      return step(seq, body);
    }
    return step(beginOf(row, watcher.had.after), { update: '', stateVector: null });
  }

  async #fromLog(room: DocumentRoom, watcher: DocumentWatcher): Promise<Step | null> {
    const [next] = await this.#log.read(room.id, watcher.seq, room.head, 1);
    // Dropped behind a newer snapshot: begin there.
    if (next?.pos !== watcher.seq + 1) return this.#state(room, watcher);
    return { seq: next.pos, event: logged(room.id, next) };
  }

  #room(id: string): Promise<DocumentRoom> {
    const known = this.#rooms.get(id);
    if (known) return known;
    const made = this.#makeRoom(id);
    this.#rooms.set(id, made);
    made.catch(() => this.#rooms.delete(id));
    return made;
  }

  async #makeRoom(id: string): Promise<DocumentRoom> {
    const row = await readDocument(this.deps.sql, id);
    if (!row) throw notFound('document');
    const { bus, clock, logger } = this.deps;
    const room = new DocumentRoom(row, { bus, log: this.#log, clock, logger }, () => void this.#restart(room));
    this.#open.set(id, room);
    return room;
  }

  /** The room's history could not be continued: everybody goes on from the state. */
  async #restart(room: DocumentRoom): Promise<void> {
    const row = await readDocument(this.deps.sql, room.id).catch(() => null);
    for (const watcher of room.watchers) watcher.seq = -1;
    // Not to be had now: the next comparison begins again.
    if (row) room.start(row.head);
  }

  #leave(room: DocumentRoom, watcher: DocumentWatcher): void {
    watcher.live = false;
    room.watchers.delete(watcher);
    room.left(watcher);
    if (room.watchers.size || this.#open.get(room.id) !== room) return;
    this.#open.delete(room.id);
    this.#rooms.delete(room.id);
    room.close();
  }

  /** What was not heard of: entries, removals, ends, pointers that have gone. */
  async #reconcile(): Promise<void> {
    const rooms = [...this.#open.values()];
    if (!rooms.length) return;
    for (const room of rooms) room.expire();
    const pairs = rooms.flatMap((room) => [...new Set([...room.watchers].map(({ userId }) => userId))].map((userId) => ({ id: room.id, userId })));
    const heads = new Map(rooms.map((room) => [room.id, room.head]));
    const rows = await this.deps.sql<{ id: string; head: number; endedAt: Date | null }>('select id, head::float8 as head, ended_at as "endedAt" from documents where id = any($1)', [[...heads.keys()]]);
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const room of rooms) {
      const row = found.get(room.id);
      if (!row || row.endedAt) room.end(row ? 'ENDED' : 'DELETED');
      else if (room.head < 0) room.start(row.head);
      else if (row.head > room.head || row.head < heads.get(room.id)!) room.reconcile(row.head);
    }
    const fallen = await this.deps.sql<{ id: string; userId: string }>(
      `select k.id, k.user_id as "userId" from unnest($1::uuid[], $2::uuid[]) k(id, user_id) join documents d on d.id = k.id
       where not exists (select from chat_members m where m.chat_id = d.chat_id and m.user_id = k.user_id)`,
      [pairs.map(({ id }) => id), pairs.map(({ userId }) => userId)],
    );
    for (const { id, userId } of fallen) this.#open.get(id)?.revoke(userId);
  }
}

/** Where co-browsing is followed from: behind what the client has seen, at the newest full snapshot at the latest. */
const beginOf = (row: DocumentRow, after: number): number => (row.snapshotSeq ? Math.max(after, row.snapshotSeq - 1) : row.head);
