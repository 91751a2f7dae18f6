import type { Sql } from './database.js';

/** Reads rows by one key or by many; `more` are the parameters from $2 on. */
export type Keyed<Row extends object> = (sql: Sql, keys: readonly unknown[], ...more: unknown[]) => Promise<Row[]>;

const MANY = '= any($1)';

/**
 * A statement by the keys of `= any($1)`, with a twin that compares with one key. Most readings are of one, and a list as
 * parameter is planned anew each time that it is executed (PostgreSQL knows better than its general plan how long the
 * list is): for a row by its key that takes four times as long as the reading itself.
 */
export function keyed<Row extends object>(many: string): Keyed<Row> {
  if (many.split(MANY).length !== 2) throw new Error(`a keyed statement says "${MANY}" once: ${many}`);
  const one = many.replace(MANY, '= $1');
  return (sql, keys, ...more) => (keys.length === 1 ? sql<Row>(one, [keys[0], ...more]) : sql<Row>(many, [keys, ...more]));
}
