import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import { LONG_WORK, type Tx, type UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import { assertMay, may } from '../../policies/role-policy.js';
import { StoreError, type ObjectStore } from '../../storage/store.js';
import { NOBODY, type Actor } from '../actor.js';
import { audit } from '../audit.js';
import { changeFile } from '../files/file-claims.js';
import { tell } from '../notifications/notices.js';
import type { PushQueue } from '../notifications/push-queue.js';
import type { Quota } from '../quota.js';
import { Archive } from './archive.js';
import { ROOMS } from './holdings/index.js';

const DAY_MS = 86_400_000;
const ROWS_AT_ONCE = 1_000;
/** Of somebody's own files so many bytes go into the copy, the oldest first; the list says which do not: they can be fetched one by one. */
const MAX_FILES_BYTES = 1024 ** 3;
/** Rows that one round of the sweep tells of. */
const TOLD_AT_ONCE = 100;
const ZIP = 'application/zip';

export interface DataExportRow {
  id: string;
  userId: string;
  requestedBy: string;
  fileId: string | null;
  createdAt: Date;
  finishedAt: Date | null;
  expiresAt: Date | null;
}
const COLUMNS = 'e.id, e.user_id as "userId", e.requested_by as "requestedBy", e.file_id as "fileId", e.created_at as "createdAt", e.finished_at as "finishedAt", e.expires_at as "expiresAt"';

/** Copies of what the place has of somebody: a ZIP of JSON by room and table, with their files. */
export class DataExportService {
  static readonly EXPIRED = 'exists (select from data_exports where not expiry_told and finished_at is not null and expires_at <= $1)';

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly store: ObjectStore,
    private readonly quota: Quota,
    private readonly keptDays: number,
    private readonly pushes: PushQueue,
    private readonly log: Logger,
  ) {}

  /**
   * Has a copy made: one's own, or (support, administrators) that of somebody else, who finds it among theirs. One that is being made is answered again.
   * Errors: FORBIDDEN, NOT_FOUND, RATE_LIMITED, IDEMPOTENCY_KEY_REUSED.
   */
  async request(actor: Actor, { userId, idempotencyKey }: { userId: string | null; idempotencyKey: string }): Promise<DataExportRow> {
    const subject = userId ?? actor.userId;
    if (subject !== actor.userId) assertMay(actor, 'EXPORT_FOR_OTHERS');
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'requestDataExport', idempotencyKey, input: { userId } }, async (tx) => {
      const [person] = await tx.sql(`select from users where id = $1 and kind = 'PERSON' and erased_at is null for no key update`, [subject]);
      if (!person) throw new DomainError('NOT_FOUND', 'There is no such person.', { field: 'userId' });
      const [waiting] = await tx.sql<{ id: string }>('select id from data_exports where user_id = $1 and finished_at is null', [subject]);
      if (waiting) return waiting;
      await this.quota.consume(subject);
      const made = newId();
      await tx.sql('insert into data_exports (id, user_id, requested_by, created_at) values ($1, $2, $3, $4)', [made, subject, actor.userId, tx.now]);
      await audit(tx, { actorId: actor.userId, action: 'DATA_EXPORT_REQUESTED', subject: { type: 'User', id: subject }, details: { own: subject === actor.userId } });
      await tx.enqueue('make-data-export', { id: made }, { key: `make-data-export ${made}`, queue: LONG_WORK });
      return { id: made };
    });
    return this.#read(id);
  }

  /** One's own; or one that one has asked for, as long as one may ask for it. */
  async find(actor: Actor, id: string): Promise<DataExportRow | null> {
    const [row] = await this.sql<DataExportRow>(`select ${COLUMNS} from data_exports e where e.id = $1 and (e.user_id = $2 or (e.requested_by = $2 and $3))`, [id, actor.userId, may(actor, 'EXPORT_FOR_OTHERS')]);
    return row ?? null;
  }

  /** Of oneself, the newest first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<DataExportRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<DataExportRow>(`select ${COLUMNS} from data_exports e where e.user_id = $1 and ($2::uuid is null or e.id < $2) order by e.id desc limit $3`, [actor.userId, request.from?.[0] ?? null, request.limit]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** The job. A repeat makes it anew. */
  async make(id: string): Promise<void> {
    const [wanted] = await this.sql<{ userId: string; erased: boolean }>('select e.user_id as "userId", u.erased_at is not null as erased from data_exports e join users u on u.id = e.user_id where e.id = $1 and e.finished_at is null', [id]);
    if (wanted && !wanted.erased) await this.#make(id, wanted.userId);
    // Whoever was erased while it was made has no copy, and nobody would find its bytes again.
    if (!(await this.sql('select from data_exports where id = $1 and file_id is not null', [id])).length) await this.store.remove([keyOf(id)]);
  }

  async #make(id: string, userId: string): Promise<void> {
    const archive = await Archive.open();
    const [fileId, key] = [newId(), keyOf(id)];
    try {
      await this.#fill(archive, userId);
      await archive.close();
      const { bytes } = await this.store.putFile(key, archive.path, ZIP);
      await this.unitOfWork.run({ actorId: NOBODY, operation: 'makeDataExport' }, (tx) => this.#hand(tx, { id, fileId, key, bytes, userId }));
    } finally {
      await archive.discard();
    }
  }

  /** One round of telling people that their copy has gone; true when there may be more. */
  async tellExpired(): Promise<boolean> {
    const { count } = await this.unitOfWork.run({ actorId: NOBODY, operation: 'tellExpiredExports' }, async (tx) => {
      const gone = await tx.sql<{ id: string; userId: string }>(
        `update data_exports set expiry_told = true where id = any(array(
           select id from data_exports where not expiry_told and finished_at is not null and expires_at <= $1 order by expires_at limit $2 for update skip locked)) returning id, user_id as "userId"`,
        [tx.now, TOLD_AT_ONCE],
      );
      for (const { id, userId } of gone) await tell(tx, this.pushes, { userId, kind: 'DATA_EXPORT_EXPIRED', slot: `export-expired:${id}`, dataExportId: id });
      return { count: gone.length };
    });
    return count === TOLD_AT_ONCE;
  }

  /** What was asked for and could never be made (it is tried for days), and rows whose file has gone. */
  async forget(before: Date): Promise<void> {
    const gone = await this.sql<{ id: string; fileId: string | null }>('delete from data_exports where coalesce(expires_at, created_at) < $1 returning id, file_id as "fileId"', [before]);
    await this.store.remove(gone.flatMap(({ id, fileId }) => (fileId === null ? [keyOf(id)] : [])));
  }

  async #hand(tx: Tx, { id, fileId, key, bytes, userId }: { id: string; fileId: string; key: string; bytes: number; userId: string }): Promise<null> {
    const [person] = await tx.sql('select from users where id = $1 and erased_at is null for no key update', [userId]);
    if (!person) return null;
    const expiresAt = new Date(tx.now.getTime() + this.keptDays * DAY_MS);
    const done = await tx.sql('update data_exports set file_id = $2, finished_at = $3, expires_at = $4 where id = $1 and finished_at is null returning id', [id, fileId, tx.now, expiresAt]);
    if (!done.length) return null;
    // Nothing shows it, so the sweep of files takes it away when its time is over.
    await tx.sql(`insert into files (id, owner_id, state, kind, name, content_type, bytes, key, created_at, expires_at) values ($1, $2, 'READY', 'OTHER', $3, $4, $5, $6, $7, $8)`, [
      fileId, userId, `omnitalk-${tx.now.toISOString().slice(0, 10)}.zip`, ZIP, bytes, key, tx.now, expiresAt,
    ]);
    changeFile(tx, { id: fileId, ownerId: userId });
    await tell(tx, this.pushes, { userId, kind: 'DATA_EXPORT_READY', slot: `export:${id}`, dataExportId: id });
    return null;
  }

  async #fill(archive: Archive, userId: string): Promise<void> {
    const tables: object[] = [];
    // One moment for all of it; it reads alone, so it holds back no consumer of the log.
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'copyData' }, async (tx) => {
      await tx.sql('set transaction isolation level repeatable read read only');
      await tx.sql(`set local statement_timeout = '15min'`);
      for (const [room, holdings] of Object.entries(ROOMS)) {
        for (const { table, exported, erased, why } of holdings) {
          const name = exported === null ? null : `${room}/${table}.json`;
          const rows = exported === null ? null : await archive.rows(name!, rowsOf(tx, table, exported, userId));
          tables.push({ room, table, file: name, rows, erasedWithTheAccount: erased !== null, why });
        }
      }
      return null;
    });
    const files = await this.#files(archive, userId);
    archive.text('manifest.json', `${JSON.stringify({ format: 1, madeAt: new Date().toISOString(), user: userId, tables, files }, null, 2)}\n`);
    archive.text('README.txt', README);
  }

  async #files(archive: Archive, userId: string): Promise<object[]> {
    const rows = await this.sql<{ id: string; name: string; bytes: number; key: string }>(`select id, name, bytes::float8 as bytes, key from files where owner_id = $1 and state = 'READY' and key is not null and key not like 'exports/%' order by id`, [userId]);
    const listed: object[] = [];
    let total = 0;
    for (const { id, name, bytes, key } of rows) {
      const path = total + bytes > MAX_FILES_BYTES ? null : `files/files/${id}${/\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? ''}`;
      const there = path !== null && (await this.#copy(archive, key, path));
      if (there) total += bytes;
      listed.push({ id, name, bytes, file: there ? path : null });
    }
    return listed;
  }

  /** False for what was deleted meanwhile. */
  async #copy(archive: Archive, key: string, path: string): Promise<boolean> {
    try {
      await archive.stream(path, await this.store.read(key), false);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'MISSING')) throw error;
      this.log.warn({ key }, 'a file was not there any more for the copy of somebody’s data');
      return false;
    }
  }

  async #read(id: string): Promise<DataExportRow> {
    const [row] = await this.sql<DataExportRow>(`select ${COLUMNS} from data_exports e where e.id = $1`, [id]);
    if (!row) throw notFound('export');
    return row;
  }
}

/** Where the copy stands, whoever makes it. */
const keyOf = (id: string): string => `exports/${id}.zip`;

/** Rows as JSON, by a cursor: the answers of FETCH have one shape for all tables, so that they can be prepared. */
async function* rowsOf(tx: Tx, table: string, statement: string, userId: string): AsyncGenerator<object[]> {
  const cursor = `export_${table}`;
  await tx.sql(`declare ${cursor} no scroll cursor for select to_jsonb(x) as row from (${statement}) x`, [userId]);
  for (;;) {
    const rows = await tx.sql<{ row: object }>(`fetch ${ROWS_AT_ONCE} from ${cursor}`);
    if (rows.length) yield rows.map(({ row }) => row);
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await tx.sql(`close ${cursor}`);
}

const README = `This is what the place has of you.

Each folder is a part of it, each file in it a table, as JSON. manifest.json lists them all, with what is kept when an
account is deleted, and why. files/files holds what you uploaded and is still shown somewhere.

Ids are those of the API without their prefixes and with dashes: the user usr_0190… is 0190…
`;
