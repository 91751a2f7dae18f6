import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Bus } from '../../events/bus.js';
import type { AttemptLimiter } from '../../lib/attempt-limiter.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { assertCanEditDocument, assertCanSeeDocument, assertOpen } from '../../policies/document-policy.js';
import { assertControls, deny, grant, release, request, type Control } from '../../policies/control-policy.js';
import type { Actor } from '../actor.js';
import { readChatAccess } from '../chat-access.js';
import { lockDocument, readDocument, type DocumentRow } from '../loaders/documents.js';
import { accessOfMembers } from './document-access.js';
import { documentTopic, hintOf, type DocumentHint, type LoggedUpdate } from './document-log.js';
import type { Applied } from './whiteboard-writer.js';
import { MAX_UPDATE_BYTES } from './yjs.js';

const unzip = promisify(gunzip);

/** A batch once it is unpacked: pages are large, and pack well. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;
export const MAX_BATCH_EVENTS = 2_000;
/** Bytes behind the newest full snapshot from which another is wanted, and at which nothing else is taken. */
const WANTS_SNAPSHOT_BYTES = 1024 * 1024;
export const MAX_TAIL_BYTES = 4 * 1024 * 1024;
const MAX_EVENT_TYPE = 20;
const FULL_SNAPSHOT = 2;
export const MAX_INPUT_MESSAGES = 50;
export const MAX_INPUT_BYTES = 8 * 1024;

/** A batch of rrweb's events of which every one has the shape of one. */
export interface CheckedBatch {
  bytes: Buffer;
  /** Whoever comes late can begin here. */
  hasSnapshot: boolean;
}

/** Reads a batch: a JSON array of rrweb's events in UTF-8, as it is or packed by gzip. Throws INVALID_INPUT. */
export async function checkBatch(bytes: Buffer): Promise<CheckedBatch> {
  if (bytes.length > MAX_UPDATE_BYTES) throw invalidInput('update', `update is longer than ${MAX_UPDATE_BYTES} bytes.`);
  const malformed = (why: string) => invalidInput('update', `This is not a batch of rrweb events: ${why}.`);
  let events: unknown;
  try {
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    events = JSON.parse((packed ? await unzip(bytes, { maxOutputLength: MAX_BATCH_BYTES }) : bytes).toString('utf8'));
  } catch {
    throw malformed('a JSON array in UTF-8, perhaps packed by gzip, is expected');
  }
  if (!Array.isArray(events) || !events.length) throw malformed('it holds none');
  if (events.length > MAX_BATCH_EVENTS) throw malformed(`it holds more than ${MAX_BATCH_EVENTS}`);
  let hasSnapshot = false;
  for (const event of events as { type?: unknown; timestamp?: unknown; data?: unknown }[]) {
    const { type, timestamp } = event ?? {};
    if (!Number.isInteger(type) || (type as number) < 0 || (type as number) > MAX_EVENT_TYPE || !Number.isFinite(timestamp)) throw malformed('each has a type and a timestamp');
    hasSnapshot ||= type === FULL_SNAPSHOT;
  }
  return { bytes, hasSnapshot };
}

/** Sessions of co-browsing: what the presenter's page shows, as a numbered log, and who may control it. */
export class BrowsingService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly bus: Bus,
    private readonly limits: { updates: AttemptLimiter },
  ) {}

  /**
   * Appends the presenter's next batch; one that is there already changes nothing. Errors: NOT_FOUND, FORBIDDEN, BLOCKED,
   * STATE_CONFLICT (ended, not the next one, no snapshot to begin with), LIMIT_REACHED (a snapshot is overdue), INVALID_INPUT (batch).
   */
  append(document: Pick<DocumentRow, 'id' | 'chatId'>, actor: Actor, number: number | null, batch: CheckedBatch): Promise<Applied & { snapshotWanted: boolean }> {
    if (number === null || number < 1) throw invalidInput('batch', 'batch is the number of this batch: 1, 2, 3 …');
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'applyDocumentUpdate' }, async (tx) => {
      const row = await this.#lock(tx, document, actor, true);
      const tail = (batch.hasSnapshot ? 0 : row.tailBytes) + batch.bytes.length;
      if (number <= row.batches) return { seq: row.head, changed: false, snapshotWanted: row.tailBytes > WANTS_SNAPSHOT_BYTES };
      if (number !== row.batches + 1) throw new DomainError('STATE_CONFLICT', `Batch ${row.batches + 1} is the next.`, { field: 'batch' });
      if (!batch.hasSnapshot && !row.snapshotSeq) throw new DomainError('STATE_CONFLICT', 'A session begins with a full snapshot.', { field: 'update' });
      if (!batch.hasSnapshot && tail > MAX_TAIL_BYTES) throw new DomainError('LIMIT_REACHED', 'A full snapshot comes first: too much stands behind the last.', { field: 'update' });
      const seq = await this.#append(tx, row, actor.userId, 'UPDATE', batch.bytes);
      // Those who are about to read from the last snapshot find it still: one more is kept.
      if (batch.hasSnapshot) await tx.sql('delete from document_updates where document_id = $1 and seq < $2', [row.id, row.snapshotSeq]);
      await tx.sql('update documents set batches = $2, snapshot_seq = $3, tail_bytes = $4 where id = $1', [row.id, number, batch.hasSnapshot ? seq : row.snapshotSeq, tail]);
      return { seq, changed: true, snapshotWanted: tail > WANTS_SNAPSHOT_BYTES };
    });
  }

  /**
   * What else is done with control answers something that was asked, so asking is what is bounded: taking it back never fails for want of room.
   * Errors: NOT_FOUND, FORBIDDEN (the presenter), BLOCKED, STATE_CONFLICT (ended), LIMIT_REACHED (too many ask, or a snapshot is overdue), RATE_LIMITED.
   */
  async requestControl(actor: Actor, id: string): Promise<DocumentRow> {
    await this.limits.updates.consume(actor.userId);
    return this.#control(actor, id, 'requestControl', (control, presenterId, tailBytes) => {
      const after = request(control, actor.userId, presenterId);
      if (after !== control && tailBytes >= MAX_TAIL_BYTES) throw new DomainError('LIMIT_REACHED', 'The presenter’s next full snapshot comes first: too much stands behind the last.');
      return after;
    });
  }
  /** Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (ended, nobody of that id asks, another controls). */
  grantControl(actor: Actor, id: string, userId: string): Promise<DocumentRow> {
    return this.#control(actor, id, 'grantControl', (control, presenterId) => grant(control, actor.userId, presenterId, userId), userId);
  }
  /** Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (ended). */
  denyControl(actor: Actor, id: string, userId: string): Promise<DocumentRow> {
    return this.#control(actor, id, 'denyControl', (control, presenterId) => deny(control, actor.userId, presenterId, userId));
  }
  /** Errors: NOT_FOUND, STATE_CONFLICT (ended). */
  releaseControl(actor: Actor, id: string): Promise<DocumentRow> {
    return this.#control(actor, id, 'releaseControl', (control, presenterId) => release(control, actor.userId, presenterId));
  }

  /**
   * What the controller does, for the presenter's page. Kept nowhere (it may be a password), and at most once.
   * Errors: NOT_FOUND, FORBIDDEN, BLOCKED, STATE_CONFLICT (ended), INVALID_INPUT (messages).
   */
  async sendInput(actor: Actor, id: string, messages: readonly unknown[]): Promise<void> {
    if (!messages.length || messages.length > MAX_INPUT_MESSAGES) throw invalidInput('messages', `messages holds 1 to ${MAX_INPUT_MESSAGES}.`);
    if (Buffer.byteLength(JSON.stringify(messages)) > MAX_INPUT_BYTES) throw invalidInput('messages', `messages is longer than ${MAX_INPUT_BYTES} bytes.`);
    const row = await readDocument(this.sql, id);
    const access = row && (await readChatAccess(this.sql, row.chatId, actor.userId));
    assertCanSeeDocument(access);
    if (row!.kind !== 'CO_BROWSING') throw notFound('session');
    assertOpen(row!);
    if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
    assertControls({ controllerId: row!.controllerId, requests: row!.controlRequests }, actor.userId);
    this.bus.publish(documentTopic(id), { input: { userId: actor.userId, messages: [...messages] } } satisfies DocumentHint);
  }

  async #control(actor: Actor, id: string, operation: string, step: (control: Control, presenterId: string, tailBytes: number) => Control, other?: string): Promise<DocumentRow> {
    const known = await readDocument(this.sql, id);
    if (!known || known.kind !== 'CO_BROWSING') throw notFound('session');
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      const row = await this.#lock(tx, known, actor, false);
      const before = await this.#present(tx, { controllerId: row.controllerId, requests: row.controlRequests }, row.chatId);
      const after = step(before, row.createdBy, row.tailBytes);
      if (other !== undefined && after.controllerId === other && before.controllerId !== other && !(await isMember(tx.sql, row.chatId, other))) {
        throw new DomainError('STATE_CONFLICT', 'They are no longer in this chat.', { field: 'userId' });
      }
      if (after.controllerId === row.controllerId && same(after.requests, row.controlRequests)) return row;
      const entry = Buffer.from(JSON.stringify(after));
      await this.#append(tx, row, actor.userId, 'CONTROL', entry);
      const tailBytes = row.tailBytes + entry.length;
      await tx.sql('update documents set controller_id = $2, control_requests = $3, tail_bytes = $4 where id = $1', [id, after.controllerId, after.requests, tailBytes]);
      return { ...row, controllerId: after.controllerId, controlRequests: [...after.requests], head: row.head + 1, tailBytes };
    });
  }

  /** Who has left the chat neither controls nor asks. */
  async #present(tx: Tx, control: Control, chatId: string): Promise<Control> {
    const people = [...control.requests, ...(control.controllerId ? [control.controllerId] : [])];
    if (!people.length) return control;
    const members = await tx.sql<{ id: string }>('select user_id as id from chat_members where chat_id = $1 and user_id = any($2)', [chatId, people]);
    const here = new Set(members.map(({ id }) => id));
    return { controllerId: control.controllerId && here.has(control.controllerId) ? control.controllerId : null, requests: control.requests.filter((one) => here.has(one)) };
  }

  async #lock(tx: Tx, { id, chatId }: Pick<DocumentRow, 'id' | 'chatId'>, actor: Actor, presents: boolean): Promise<DocumentRow> {
    const access = (await accessOfMembers(tx.sql, chatId, [actor.userId])).get(actor.userId) ?? null;
    assertCanSeeDocument(access);
    const row = await lockDocument(tx.sql, id);
    if (!row) throw notFound('session');
    if (presents) assertCanEditDocument(access, row, actor.userId);
    else {
      assertOpen(row);
      if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
    }
    return row;
  }

  async #append(tx: Tx, row: DocumentRow, authorId: string, kind: LoggedUpdate['kind'], body: Buffer): Promise<number> {
    const seq = row.head + 1;
    await tx.sql('insert into document_updates (document_id, seq, kind, author_id, body, created_at) values ($1, $2, $3, $4, $5, $6)', [row.id, seq, kind, authorId, body, tx.now]);
    // A session lives by its presenter: others can't keep one that has gone.
    await tx.sql('update documents set head = $2, active_at = case when created_by = $4 then $3 else active_at end where id = $1', [row.id, seq, tx.now, authorId]);
    const updates: LoggedUpdate[] = [{ pos: seq, kind, authorId, body: body.toString('base64') }];
    tx.afterCommit.push(() => this.bus.publish(documentTopic(row.id), hintOf(updates)));
    return seq;
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((one, index) => one === b[index]);

const isMember = async (sql: Sql, chatId: string, userId: string): Promise<boolean> => (await sql('select from chat_members where chat_id = $1 and user_id = $2', [chatId, userId])).length > 0;
