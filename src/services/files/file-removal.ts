import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import type { ObjectStore } from '../../storage/store.js';
import { deleteUnreferenced } from './file-claims.js';

const BATCH = 100;
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Forgets files: those that were deleted, those that nobody finished, those that nothing shows. */
export class FileRemoval {
  static readonly DUE = "exists (select from files where expires_at <= $1 and state <> 'DELETED')";

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly store: ObjectStore,
  ) {}

  /** The job that follows a deletion: the bytes, then the row. A repeat does no harm. */
  async remove(id: string): Promise<void> {
    const [file] = await this.sql<{ key: string | null; uploadId: string | null }>(`select key, upload_id as "uploadId" from files where id = $1 and state = 'DELETED'`, [id]);
    if (!file) return;
    if (file.uploadId) await this.store.abortParts(`files/${id}/original`, file.uploadId);
    if (file.key && !file.key.startsWith(`files/${id}/`)) await this.store.remove([file.key]);
    await this.store.remove([`uploads/${id}`]);
    await this.store.removeAll(`files/${id}`);
    await this.sql(`delete from files where id = $1 and state = 'DELETED'`, [id]);
  }

  /** One round of what has had its time; true when there may be more. */
  async sweep(): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'sweepFiles' }, async (tx) => {
      const due = await tx.sql<{ id: string }>(
        `select id from files where id = any(array(select id from files where expires_at <= $1 and state <> 'DELETED' order by expires_at limit $2)) order by id for update skip locked`,
        [this.clock.now(), BATCH],
      );
      if (due.length) await deleteUnreferenced(tx, due.map(({ id }) => id));
      return due.length === BATCH;
    });
  }
}
