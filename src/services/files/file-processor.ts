import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { FileFailure, FileVariants } from '../../entities/file.js';
import type { Logger } from '../../lib/logger.js';
import { judgeType } from '../../policies/file-types.js';
import { PictureError, readPicture } from '../../storage/images.js';
import { inspect } from '../../storage/inspect.js';
import { StoreError, type ObjectStore } from '../../storage/store.js';
import { FILE_COLUMNS, FILES, type FileRow } from '../loaders/files.js';

/** How many files are looked at in requests at once; the others are left to jobs. */
const AT_ONCE = 4;
/** A READY file that nothing shows is swept after this. */
export const UNCLAIMED_HOURS = 24;

/** What was found out about a file. */
type Found = Partial<Pick<FileRow, 'kind' | 'contentType' | 'bytes' | 'sha256' | 'key' | 'width' | 'height' | 'durationMs' | 'blurhash' | 'waveform'>> & { variants?: FileVariants };

/** The bytes are not what they should be, and never will be. */
class Rejected extends Error {
  override readonly name = 'Rejected';
  constructor(readonly failure: FileFailure) {
    super(failure);
  }
}

/** Looks at what has arrived: nothing is served before. Whatever fails for a while leaves the file PROCESSING, for a job to try again. */
export class FileProcessor {
  #underWay = 0;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly store: ObjectStore,
    private readonly log: Logger,
  ) {}

  get hasRoom(): boolean {
    return this.#underWay < AT_ONCE;
  }

  /** For a request: what can't be done now is done by the job that was enqueued. */
  async process(id: string): Promise<void> {
    this.#underWay++;
    try {
      await this.run(id);
    } catch (error) {
      this.log.warn({ fileId: id, error: (error as Error).message }, 'a file could not be made ready; it is tried again');
    } finally {
      this.#underWay--;
    }
  }

  /** The job. A repeat does no harm. */
  async run(id: string): Promise<void> {
    const [file] = await this.sql<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = $1 and f.state = 'PROCESSING'`, [id]);
    if (!file) return;
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-file-'));
    try {
      await this.#ready(file, await this.#examine(file, folder));
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      await this.#reject(file, error.failure);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #examine(file: FileRow, folder: string): Promise<Found> {
    const seen = await inspect(await this.store.read(file.key!)).catch((error: unknown) => {
      throw error instanceof StoreError && error.kind === 'MISSING' ? new Rejected('SIZE_MISMATCH') : error;
    });
    if (seen.bytes !== file.bytes) throw new Rejected('SIZE_MISMATCH');
    if (seen.sha256 !== file.sha256) throw new Rejected('CHECKSUM_MISMATCH');
    const type = judgeType(file, seen.contentType);
    if (typeof type === 'string') throw new Rejected(type);
    if (type.kind === 'IMAGE') return { ...type, ...(await this.#picture(file, type.contentType, folder)) };
    return type;
  }

  async #picture(file: FileRow, contentType: string, folder: string): Promise<Found> {
    const clean = join(folder, 'clean');
    const { width, height, blurhash, thumbnail, cleaned } = await this.store.withFile(file.key!, (path) => readPicture(path, clean)).catch((error: unknown) => {
      throw error instanceof PictureError ? new Rejected(error.kind) : error;
    });
    const key = `files/${file.id}/thumbnail`;
    await this.store.put(key, thumbnail.body, thumbnail.contentType);
    const variants: FileVariants = { thumbnail: { key, contentType: thumbnail.contentType, bytes: thumbnail.body.length, width: thumbnail.width, height: thumbnail.height } };
    return { width, height, blurhash, variants, ...(cleaned ? await this.#replaced(file, clean, contentType) : {}) };
  }

  /** What is served instead of what was uploaded. */
  async #replaced(file: FileRow, path: string, contentType: string): Promise<Found> {
    const key = `files/${file.id}/clean`;
    const { bytes } = await this.store.putFile(key, path, contentType);
    const { sha256 } = await inspect(await this.store.read(key));
    return { key, bytes, sha256 };
  }

  async #ready(file: FileRow, found: Found): Promise<void> {
    const now = { ...file, ...found };
    await this.unitOfWork.run({ actorId: file.ownerId, operation: 'processFile' }, async (tx) => {
      const rows = await tx.sql(
        `update files set state = 'READY', kind = $2, content_type = $3, bytes = $4, sha256 = $5, key = $6, width = $7, height = $8, duration_ms = $9, blurhash = $10, waveform = $11, variants = $12,
           upload_id = null, expires_at = $13 where id = $1 and state = 'PROCESSING' returning id`,
        [
          file.id, now.kind, now.contentType, now.bytes, now.sha256, now.key, now.width, now.height, now.durationMs, now.blurhash, now.waveform,
          now.variants && JSON.stringify(now.variants), new Date(tx.now.getTime() + UNCLAIMED_HOURS * 3_600_000),
        ],
      );
      if (rows.length) tx.changed(FILES, file.id);
      return null;
    });
    // What was uploaded is forgotten only once what is served instead is on record.
    if (now.key !== file.key) await this.store.remove([file.key!]);
  }

  async #reject(file: FileRow, failure: FileFailure): Promise<void> {
    await this.unitOfWork.run({ actorId: file.ownerId, operation: 'processFile' }, async (tx) => {
      const rows = await tx.sql(`update files set state = 'REJECTED', failure = $2, expires_at = $3 where id = $1 and state = 'PROCESSING' returning id`, [
        file.id, failure, new Date(tx.now.getTime() + UNCLAIMED_HOURS * 3_600_000),
      ]);
      if (rows.length) tx.changed(FILES, file.id);
      return null;
    });
    await this.store.removeAll(`files/${file.id}`);
  }
}
