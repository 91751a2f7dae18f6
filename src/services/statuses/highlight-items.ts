import type { Tx } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import { DomainError } from '../../lib/errors.js';
import { eraseStatuses } from './status-erasure.js';

export const MAX_ITEMS = 100;

/** Highlights are locked before statuses, each by their ids. */
export const lockHighlightsWith = (tx: Tx, statusId: string): Promise<object[]> =>
  tx.sql('select from status_highlights h where h.id in (select highlight_id from status_highlight_items where status_id = $1) order by h.id for update', [statusId]);

/** Puts statuses of the owner, which can still be seen, into a highlight that is locked. True when any was not in it before. Throws NOT_FOUND, LIMIT_REACHED. */
export async function addItems(tx: Tx, highlightId: string, ownerId: string, statusIds: readonly string[]): Promise<boolean> {
  if (!statusIds.length) return false;
  const found = await tx.sql(
    'select from statuses where id = any($1) and author_id = $2 and removed_at is null and (expires_at > $3 or kept > 0) order by id for no key update',
    [statusIds, ownerId, tx.now],
  );
  if (found.length < statusIds.length) throw new DomainError('NOT_FOUND', 'There is no such status.', { field: 'statusIds' });
  const made = await tx.sql<{ id: string }>('insert into status_highlight_items (highlight_id, status_id) select $1, unnest($2::uuid[]) on conflict do nothing returning status_id as id', [highlightId, statusIds]);
  if (!made.length) return false;
  await tx.sql('update statuses set kept = kept + 1 where id = any($1)', [made.map(({ id }) => id)]);
  const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from status_highlight_items where highlight_id = $1', [highlightId]);
  if (row!.n > MAX_ITEMS) throw new DomainError('LIMIT_REACHED', `A highlight holds at most ${MAX_ITEMS} statuses.`, { field: 'statusIds' });
  return true;
}

/** Takes statuses out of a highlight that is locked; null: all of them. What nothing else holds, and whose day is over, is erased. True when any was in it. */
export async function removeItems(tx: Tx, highlightId: string, statusIds: readonly string[] | null): Promise<boolean> {
  const gone = await tx.sql<{ id: string }>('delete from status_highlight_items where highlight_id = $1 and ($2::uuid[] is null or status_id = any($2)) returning status_id as id', [highlightId, statusIds]);
  if (!gone.length) return false;
  const ids = gone.map(({ id }) => id).sort();
  await tx.sql('select from statuses where id = any($1) order by id for no key update', [ids]);
  // Where the sweep has not come by yet (`expired`), it erases what is not kept any more.
  const left = await tx.sql<{ id: string }>('update statuses set kept = kept - 1 where id = any($1) returning case when kept = 0 and expired then id end as id', [ids]);
  const over = left.flatMap(({ id }) => (id === null ? [] : [id]));
  await eraseStatuses(tx, over);
  if (over.length) await tx.sql('delete from statuses where id = any($1)', [over]);
  return true;
}

/** A status is being deleted: highlights go on without it, and one that held nothing else goes with it. The caller has locked them. */
export async function dropFromHighlights(tx: Tx, ownerId: string, statusId: string): Promise<void> {
  const touched = await tx.sql<{ id: string }>('delete from status_highlight_items where status_id = $1 returning highlight_id as id', [statusId]);
  if (!touched.length) return;
  const ids = touched.map(({ id }) => id);
  await tx.sql('update status_highlights set version = version + 1, cover_id = nullif(cover_id, $2) where id = any($1)', [ids, statusId]);
  await tx.sql('delete from status_highlights h where h.id = any($1) and not exists (select from status_highlight_items i where i.highlight_id = h.id)', [ids]);
  for (const highlightId of ids) tellHighlight(tx, ownerId, highlightId);
}

export const tellHighlight = (tx: Tx, ownerId: string, highlightId: string): void => tx.append(userStream(ownerId), { kind: 'status.highlight', highlightId });
