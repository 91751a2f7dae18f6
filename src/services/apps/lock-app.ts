import type { Tx } from '../../db/unit-of-work.js';
import { DomainError } from '../../lib/errors.js';

/** Errors: NOT_FOUND, also of an app that is somebody else's. */
export async function lockApp(tx: Tx, ownerId: string, id: string): Promise<{ id: string; scopes: string[] }> {
  const [row] = await tx.sql<{ id: string; scopes: string[] }>('select id, scopes from apps where id = $1 and owner_id = $2 for update', [id, ownerId]);
  if (!row) throw new DomainError('NOT_FOUND', 'There is no such app.', { field: 'appId' });
  return row;
}
