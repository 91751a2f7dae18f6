import type { Readable } from 'node:stream';
import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { AtOnce } from '../../lib/at-once.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import { StoreError, type ObjectStore, type SignedPut } from '../../storage/store.js';
import { declaredKind } from '../../policies/file-types.js';
import type { Actor, Reading } from '../actor.js';
import { FILE_COLUMNS, FILES, fileById, type FileRow } from '../loaders/files.js';
import type { FileProcessor } from './file-processor.js';
import { partsOf, uploadKey } from './file-parts.js';
import type { FileUrls } from './file-urls.js';

const MAX_NAME_BYTES = 255;
/** Up to this a file is sent in one piece. */
const ONE_PIECE = 16 * 1024 * 1024;
const MiB = 1024 * 1024;
const LEAST_PART = 8 * MiB;
const MOST_PARTS = 1_000;
/** For so long an upload that was begun can be finished. */
export const UPLOAD_HOURS = 48;
const MAX_UNFINISHED = 100;
/** Of one person, whole files or parts, in one process: the SDK sends 3 of a file. */
const SENT_AT_ONCE = 16;
const RETRY_SECONDS = 2;
/** What could not be made ready for so long, since the store or the scanner was away, is given up. */
const GIVEN_UP_HOURS = 168;
/** Up to this a file is made ready while its sender waits; what takes longer is done by a job. */
const WAITED_FOR = 32 * MiB;
/** When a job looks after what a process has begun and may not have finished. */
const LOOK_AGAIN_MS = 60_000;
const CONTENT_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

export interface NewUpload {
  name: string;
  contentType: string;
  bytes: number;
  /** In hex. */
  sha256: string;
  /** A voice message. */
  voice: boolean;
  idempotencyKey: string;
}

export interface UploadPart extends SignedPut {
  number: number;
  offset: number;
  bytes: number;
}

/** What is still to be sent, and where to: all in one piece, or those parts that have not arrived. */
export interface Upload {
  whole: SignedPut | null;
  partBytes: number | null;
  parts: UploadPart[];
  expiresAt: Date;
}

export interface UploadLimits {
  fileBytes: number;
  personBytes: number;
}

/** Sending files here. */
export class UploadService {
  readonly #sending = new AtOnce(SENT_AT_ONCE);

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly store: ObjectStore,
    private readonly urls: FileUrls,
    private readonly processor: FileProcessor,
    private readonly limits: UploadLimits,
  ) {}

  /** Errors: INVALID_INPUT, LIMIT_REACHED (the person's share of the store; unfinished uploads), STORAGE_UNAVAILABLE. */
  async create(actor: Actor, { idempotencyKey, ...input }: NewUpload): Promise<FileRow> {
    const name = cleanText(input.name, { field: 'name', maxBytes: MAX_NAME_BYTES });
    const contentType = input.contentType.toLowerCase().split(';')[0]!.trim();
    if (!CONTENT_TYPE.test(contentType)) throw invalidInput('contentType', 'contentType is a media type, as image/jpeg.');
    const { bytes } = input;
    if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > this.limits.fileBytes) throw invalidInput('bytes', `A file has 1 to ${this.limits.fileBytes} bytes.`);
    const sha256 = input.sha256.toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalidInput('sha256', 'sha256 is the SHA-256 of the bytes: 64 hexadecimal digits.');
    const kind = declaredKind(contentType, input.voice);
    if (!kind) throw invalidInput('contentType', 'A voice message is audio.');
    const partBytes = bytes <= ONE_PIECE ? null : Math.max(LEAST_PART, Math.ceil(bytes / MOST_PARTS / MiB) * MiB);
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createUpload', idempotencyKey, input }, async (tx) => {
      // One at a time for each person, so that their share holds.
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [used] = await tx.sql<Usage>(USAGE, [actor.userId]);
      if (used!.unfinished >= MAX_UNFINISHED) throw new DomainError('LIMIT_REACHED', `At most ${MAX_UNFINISHED} uploads are under way.`);
      if (used!.bytes + bytes > this.limits.personBytes) throw new DomainError('LIMIT_REACHED', `There is no room: ${used!.bytes} of ${this.limits.personBytes} bytes are used.`, { field: 'bytes' });
      const made = newId();
      await tx.sql(
        `insert into files (id, owner_id, state, kind, name, content_type, bytes, sha256, key, part_bytes, created_at, expires_at) values ($1, $2, 'UPLOADING', $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [made, actor.userId, kind, name, contentType, bytes, sha256, `files/${made}/original`, partBytes, tx.now, new Date(tx.now.getTime() + UPLOAD_HOURS * 3_600_000)],
      );
      return { id: made };
    });
    return this.#begun(await this.#read(id));
  }

  /** What is still to be sent of one's own upload; null when it is no longer under way. Errors: STORAGE_UNAVAILABLE. */
  async left(file: FileRow): Promise<Upload | null> {
    if (file.state !== 'UPLOADING') return null;
    const { id, key, contentType, sha256, bytes, partBytes } = file;
    const expiresAt = file.expiresAt!;
    if (partBytes === null) {
      const signed = await stored(this.store.signPut(uploadKey(file), null, { bytes, contentType, sha256 }, expiresAt));
      return { whole: signed ?? { url: this.urls.upload(id, null, expiresAt), headers: { 'content-type': contentType } }, partBytes, parts: [], expiresAt };
    }
    const { uploadId } = await this.#begun(file);
    const there = new Set(await stored(this.store.partsOf(key!, uploadId!)));
    const parts: UploadPart[] = [];
    for (const part of partsOf(file)) {
      if (there.has(part.number)) continue;
      const terms = { bytes: part.bytes, contentType, sha256: null };
      const signed = await this.store.signPut(key!, { uploadId: uploadId!, number: part.number }, terms, expiresAt);
      parts.push({ ...part, ...(signed ?? { url: this.urls.upload(id, part.number, expiresAt), headers: { 'content-type': contentType } }) });
    }
    return { whole: null, partBytes, parts, expiresAt };
  }

  /**
   * Takes what a client sends to a signed address of this server. Errors: NOT_FOUND (no upload that is under way), INVALID_INPUT (other bytes than agreed), RATE_LIMITED (too many at once),
   * STORAGE_UNAVAILABLE.
   */
  async receive({ fileId, part }: { fileId: string; part: number | null }, head: { contentType: string | undefined; contentLength: number | undefined }, body: Readable): Promise<void> {
    const file = await this.#read(fileId).catch(() => null);
    const piece = file && partsOf(file).find(({ number }) => number === (part ?? 1));
    if (!file || file.state !== 'UPLOADING' || !piece || (part === null) !== (file.partBytes === null)) throw notFound('upload');
    if (head.contentLength !== piece.bytes) throw invalidInput('bytes', `Exactly ${piece.bytes} bytes are expected here, with Content-Length.`);
    if (head.contentType !== file.contentType) throw invalidInput('contentType', `Content-Type must be ${file.contentType}.`);
    const terms = { bytes: piece.bytes, contentType: file.contentType, sha256: part === null ? file.sha256 : null };
    const place = part === null ? null : { uploadId: file.uploadId!, number: part, offset: piece.offset };
    const leave = this.#sending.enter(file.ownerId);
    if (!leave) throw new DomainError('RATE_LIMITED', `At most ${SENT_AT_ONCE} files and parts are sent at once.`, { retryAfter: RETRY_SECONDS });
    await stored(this.store.receive(uploadKey(file), place, terms, body)).finally(leave);
    // Deleted, or finished by an earlier try, while its bytes came: nobody would look for these again.
    const now = part === null ? await this.#read(fileId).catch(() => null) : file;
    if (now?.state === 'UPLOADING') return;
    await stored(this.store.remove([uploadKey(file)]));
    throw notFound('upload');
  }

  /**
   * The bytes have been sent: they are looked at, and the file becomes READY, or REJECTED with the reason. A small file is answered so; a large one, and a video, is answered PROCESSING. Again:
   * answers it as it is. Errors: NOT_FOUND, STATE_CONFLICT (bytes are missing), STORAGE_UNAVAILABLE.
   */
  async complete(actor: Actor, id: string): Promise<FileRow> {
    const file = await this.#own(actor, id);
    if (file.state !== 'UPLOADING') return file;
    await this.#assertThere(file);
    const inline = file.bytes <= WAITED_FOR && file.kind !== 'VIDEO' && this.processor.hasRoom;
    const begun = await this.unitOfWork.run({ actorId: actor.userId, operation: 'completeUpload' }, async (tx) => {
      const rows = await tx.sql(`update files set state = 'PROCESSING', expires_at = $2 where id = $1 and state = 'UPLOADING' returning id`, [id, new Date(tx.now.getTime() + GIVEN_UP_HOURS * 3_600_000)]);
      if (!rows.length) return false;
      tx.changed(FILES, id);
      await tx.enqueue('process-file', { id }, { key: `process-file ${id}`, queue: 'files', ...(inline ? { runAt: new Date(tx.now.getTime() + LOOK_AGAIN_MS) } : {}) });
      return true;
    });
    if (begun && inline) await this.processor.process(id);
    return this.#read(id);
  }

  /** The viewer's own file, or null. */
  async find(reading: Reading, id: string): Promise<FileRow | null> {
    const file = await reading.load(fileById, id);
    return file && file.ownerId === reading.viewer?.userId && file.state !== 'DELETED' ? file : null;
  }

  async usage(userId: string): Promise<{ bytes: number; limit: number }> {
    const [used] = await this.sql<Usage>(USAGE, [userId]);
    return { bytes: used!.bytes, limit: this.limits.personBytes };
  }

  async #assertThere(file: FileRow): Promise<void> {
    const missing = new DomainError('STATE_CONFLICT', 'Not all of its bytes have arrived.');
    if (file.partBytes === null) {
      // To where nobody can send: what is looked at is what is served.
      await this.store.move(uploadKey(file), file.key!).catch(async (error: unknown) => {
        if (!(error instanceof StoreError && error.kind === 'MISSING')) throw unavailable(error);
        if ((await stored(this.store.size(file.key!))) === null) throw missing;
      });
      return;
    }
    // They are put together where the file is looked at: gigabytes take longer than a request may.
    if (file.uploadId === null || (await stored(this.store.partsOf(file.key!, file.uploadId))).length < partsOf(file).length) throw missing;
  }

  /** With the store's name for an upload in parts: a process that died before it was noted leaves it to the next. */
  async #begun(file: FileRow): Promise<FileRow> {
    if (file.partBytes === null || file.uploadId !== null || file.state !== 'UPLOADING') return file;
    const uploadId = await stored(this.store.beginParts(file.key!, file.contentType));
    await this.sql('update files set upload_id = $2 where id = $1 and upload_id is null', [file.id, uploadId]);
    return this.#read(file.id);
  }

  async #own(actor: Actor, id: string): Promise<FileRow> {
    const [file] = await this.sql<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = $1 and f.owner_id = $2 and f.state <> 'DELETED'`, [id, actor.userId]);
    if (!file) throw notFound('file');
    return file;
  }

  async #read(id: string): Promise<FileRow> {
    const [file] = await this.sql<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = $1`, [id]);
    if (!file) throw notFound('file');
    return file;
  }
}

interface Usage {
  bytes: number;
  unfinished: number;
}
const USAGE = `select coalesce(sum(bytes) filter (where state <> 'REJECTED'), 0)::float8 as bytes, (count(*) filter (where state = 'UPLOADING'))::int as unfinished
  from files where owner_id = $1 and state <> 'DELETED'`;

/** What callers are told of a store that fails. */
export function unavailable(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.kind === 'MISSING') return notFound('file');
  if (error.kind === 'MISMATCH') return invalidInput('bytes', error.message);
  return new DomainError('STORAGE_UNAVAILABLE', error.kind === 'FULL' ? 'The file store is full.' : 'The file store does not answer.', { retryAfter: 10 });
}

export const stored = <Result>(work: Promise<Result>): Promise<Result> =>
  work.catch((error: unknown) => {
    throw unavailable(error);
  });
