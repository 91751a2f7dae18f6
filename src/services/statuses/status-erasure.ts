import type { Tx } from '../../db/unit-of-work.js';
import { releaseFiles } from '../files/file-claims.js';

/**
 * Takes away what statuses hold, their files too, and who has seen them. Their rows stay until everybody has been told (status-news.ts): of
 * whom they were for, nothing else knows. The caller has locked them.
 */
export async function eraseStatuses(tx: Tx, ids: readonly string[]): Promise<void> {
  if (!ids.length) return;
  await tx.sql('update statuses set text = null, background = null, font = null, file_id = null, removed_at = $2, news_at = null where id = any($1)', [ids, tx.now]);
  await tx.sql('delete from status_views where status_id = any($1)', [ids]);
  await releaseFiles(tx, 'STATUS', ids.map((id) => ({ id })));
}
