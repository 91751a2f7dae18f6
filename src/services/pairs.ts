import type { Sql } from '../db/database.js';
import type { ChatEncryption } from '../entities/chat.js';

/**
 * Holds, until the transaction ends, what two people are to each other: contacts, blocks, and their direct chat. Whoever
 * reads one of these in order to write another takes this lock first; without it two transactions could each miss the other's write.
 * The locks of several pairs are taken in one order. A chat's row is locked after them.
 */
export const lockPairs = (sql: Sql, userId: string, otherIds: readonly string[]): Promise<object[]> =>
  sql(
    `select pg_advisory_xact_lock(h) from (
       select distinct hashtextextended(least($1::uuid, o) || ':' || greatest($1::uuid, o), 0) as h from unnest($2::uuid[]) o order by 1) pairs`,
    [userId, otherIds],
  );

/** The keys of the direct chats of two people, of which each is made once. Both hold both ids: the encrypted one's in the other order. */
export function directKeys(userId: string, otherId: string): Readonly<Record<ChatEncryption, string>> {
  const pair = [userId, otherId].sort();
  return { NONE: pair.join(':'), MLS: pair.reverse().join(':') };
}

/** Those of the others between whom and the person there is a block, whoever made it: what is direct between two people asks it first. */
export async function blockedPairs(sql: Sql, userId: string, otherIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ id: string }>(
    `select blocked_id as id from blocks where blocker_id = $1 and blocked_id = any($2)
     union select blocker_id from blocks where blocked_id = $1 and blocker_id = any($2)`,
    [userId, otherIds],
  );
  return new Set(rows.map((row) => row.id));
}
