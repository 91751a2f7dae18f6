import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { chatStream } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import type { ObjectStore } from '../../storage/store.js';
import { deleteUnreferenced, releaseFiles, type FilePurpose } from './file-claims.js';
import { NOBODY } from '../actor.js';

const BATCH = 100;
/** What only a person shows of themself; messages are looked at one by one. */
const PERSONAL: readonly FilePurpose[] = ['STATUS', 'USER_AVATAR', 'SCHEDULED'];

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

  /**
   * Whoever is erased leaves no files: their messages, statuses and avatar show none any more. What another has sent on, and what belongs to a chat or a call (its picture, its recording),
   * stays until the last of them goes. In batches; a repeat does no harm.
   */
  async releaseFilesOf(userId: string): Promise<void> {
    while (await this.#releaseHeld(userId));
    for (let after: string | null = NOBODY; after !== null; ) after = await this.#release(userId, after);
  }

  /** One batch of their messages that are held, and will never be sent: also what these show of others. True when there may be more. */
  async #releaseHeld(userId: string): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'releaseFilesOf' }, async (tx) => {
      const held = await tx.sql<{ id: string }>(`select distinct k.id from moderation_cases k join file_references r on r.purpose = 'HELD' and r.ref_id = k.id where k.sender_id = $1 order by 1 limit $2`, [userId, BATCH]);
      await releaseFiles(tx, 'HELD', held);
      return held.length === BATCH;
    });
  }

  /** One batch, in the order of ids; answers the last of it, or null at the end. */
  async #release(userId: string, after: string): Promise<string | null> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'releaseFilesOf' }, async (tx) => {
      const batch = await tx.sql<{ id: string }>(`select id from files where owner_id = $1 and state <> 'DELETED' and id > $2 order by id limit $3`, [userId, after, BATCH]);
      const ids = batch.map(({ id }) => id);
      const shownBy = await tx.sql<{ chatId: string; seq: number }>(
        `select distinct m.chat_id as "chatId", m.seq from file_references r join messages m on m.chat_id = r.ref_id and m.seq = r.ref_seq
         where r.file_id = any($1) and r.purpose = 'MESSAGE' and m.sender_id = $2 order by 1, 2`,
        [ids, userId],
      );
      await tx.sql('select from chats where id = any($1) order by id for update', [[...new Set(shownBy.map(({ chatId }) => chatId))]]);
      await tx.sql('select from files where id = any($1) order by id for update', [ids]);
      const keys = [shownBy.map(({ chatId }) => chatId), shownBy.map(({ seq }) => seq)];
      const told = await tx.sql<{ chatId: string; seq: number }>(
        `update messages m set card = null, version = version + 1 from unnest($1::uuid[], $2::int[]) k(chat_id, seq)
         where m.chat_id = k.chat_id and m.seq = k.seq and m.card->>'type' = 'files' returning m.chat_id as "chatId", m.seq`,
        keys,
      );
      for (const { chatId, seq } of told) tx.append(chatStream(chatId), { kind: 'message.updated', seq });
      // A message shows all of its files or none: those of the next batch too.
      await tx.sql(`delete from file_references r using unnest($1::uuid[], $2::int[]) k(chat_id, seq) where r.purpose = 'MESSAGE' and r.ref_id = k.chat_id and r.ref_seq = k.seq`, keys);
      await tx.sql(`delete from file_references where file_id = any($1) and purpose = any($2)`, [ids, PERSONAL]);
      await deleteUnreferenced(tx, ids);
      return batch.length === BATCH ? ids.at(-1)! : null;
    });
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
