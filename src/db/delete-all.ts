import type { Sql } from './database.js';

/** Rows that one statement deletes: short transactions, so that nobody waits for them and no limit of time ends them. */
export const BATCH = 5_000;

/** Deletes by batches until there is nothing more. The text takes the batch's size as its last parameter, and returns a row for each that it deleted. */
export async function deleteAll(sql: Sql, text: string, values: readonly unknown[]): Promise<void> {
  while ((await sql(text, [...values, BATCH])).length === BATCH);
}
