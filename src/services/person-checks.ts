import type { Sql } from '../db/database.js';
import { DomainError } from '../lib/errors.js';

/** Throws NOT_FOUND for who was never here, and for the suspended. */
export async function assertIsThere(sql: Sql, userId: string, field: string): Promise<void> {
  const [user] = await sql('select from users where id = $1 and suspended_at is null', [userId]);
  if (!user) throw new DomainError('NOT_FOUND', 'There is no such user.', { field });
}
