import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from '../../db/database.js';
import { LONG_WORK, type UnitOfWork } from '../../db/unit-of-work.js';
import type { FileFailure, FileState, FileVariants } from '../../entities/file.js';
import type { Logger } from '../../lib/logger.js';
import { StoreError, type ObjectStore } from '../../storage/store.js';
import { FILE_COLUMNS, type FileRow } from '../loaders/files.js';
import { Rejected, type FileExaminer, type Found } from './file-examiner.js';
import { changeFile, lockShown } from './file-claims.js';
import { partsOf } from './file-parts.js';

/** How many files are looked at in requests at once; the others are left to jobs. */
const AT_ONCE = 4;
/** A READY file that nothing shows is swept after this. */
export const UNCLAIMED_HOURS = 24;

/** Looks at what has arrived: nothing is served before. Whatever fails for a while leaves the file PROCESSING, for a job to try again. */
export class FileProcessor {
  #underWay = 0;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly store: ObjectStore,
    private readonly examiner: FileExaminer,
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
  run(id: string): Promise<void> {
    return this.#at(id, 'PROCESSING', async (file, folder) => {
      try {
        await this.#assemble(file);
        await this.#ready(file, await this.examiner.examine(file, folder));
      } catch (error) {
        if (!(error instanceof Rejected)) throw error;
        await this.#reject(file, error.failure);
      }
    });
  }

  /** The job that makes a rendition of a video. A repeat does no harm. */
  playback(id: string): Promise<void> {
    return this.#at(id, 'READY', async (file, folder) => {
      if (file.variants?.playback) return;
      const variants = await this.examiner.playback(file, folder);
      if (!variants) return this.log.warn({ fileId: id }, 'no rendition could be made of a video');
      await this.unitOfWork.run({ actorId: file.ownerId, operation: 'processFile' }, async (tx) => {
        const shown = await lockShown(tx, id);
        const rows = await tx.sql(`update files set variants = $2 where id = $1 and state = 'READY' returning id`, [id, JSON.stringify(variants)]);
        if (!rows.length) return null;
        changeFile(tx, file);
        await shown.touch();
        return null;
      });
      await this.#forgetUnshown(id, []);
    });
  }

  async #at(id: string, state: FileState, work: (file: FileRow, folder: string) => Promise<void>): Promise<void> {
    const [file] = await this.sql<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = $1 and f.state = $2`, [id, state]);
    if (!file) return;
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-file-'));
    try {
      await work(file, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Of a file that came in parts: one of them. A repeat finds it so. */
  async #assemble({ key, uploadId, bytes, partBytes }: FileRow): Promise<void> {
    if (partBytes === null || uploadId === null) return;
    await this.store.finishParts(key!, uploadId, partsOf({ bytes, partBytes }).length).catch(async (error: unknown) => {
      if (!(error instanceof StoreError && error.kind === 'MISSING')) throw error;
      // Another has just done it; or the store has lost a part that it had.
      if ((await this.store.size(key!)) === null) throw new Rejected('SIZE_MISMATCH');
    });
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
      if (!rows.length) return null;
      changeFile(tx, file);
      if (found.wantsPlayback) await tx.enqueue('make-playback', { id: file.id }, { key: `make-playback ${file.id}`, queue: LONG_WORK });
      return null;
    });
    // What was uploaded is forgotten only once what is served instead is on record.
    await this.#forgetUnshown(file.id, [file.key!, now.key!, ...keysOf(found.variants)]);
  }

  async #reject(file: FileRow, failure: FileFailure): Promise<void> {
    await this.unitOfWork.run({ actorId: file.ownerId, operation: 'processFile' }, async (tx) => {
      const rows = await tx.sql(`update files set state = 'REJECTED', failure = $2, expires_at = $3 where id = $1 and state = 'PROCESSING' returning id`, [
        file.id, failure, new Date(tx.now.getTime() + UNCLAIMED_HOURS * 3_600_000),
      ]);
      if (rows.length) changeFile(tx, file);
      return null;
    });
    await this.#forgetUnshown(file.id, [file.key!]);
  }

  /**
   * What a run leaves is decided by what is on record, whoever wrote it: a request and a job may look at one file at the same time, and what the first of them has removed is no fault of the file.
   * Of one that is READY all that it shows stays, and of `keys`, which this run has read or made, the rest goes. Of one that was rejected or deleted everything goes: whoever removed its bytes did
   * not know of these.
   */
  async #forgetUnshown(id: string, keys: readonly string[]): Promise<void> {
    const [left] = await this.sql<Pick<FileRow, 'key' | 'variants'>>(`select key, variants from files where id = $1 and state not in ('REJECTED', 'DELETED')`, [id]);
    if (!left) return this.store.removeAll(`files/${id}`);
    const shown = new Set([left.key, ...keysOf(left.variants)]);
    await this.store.remove(keys.filter((key) => !shown.has(key)));
  }
}

const keysOf = (variants: FileVariants | null | undefined): string[] => Object.values(variants ?? {}).map(({ key }) => key);
