import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, QueryResult } from 'pg';
import { isConflict } from './failures.js';

/** Tables of a chat that grow with what is said in it. A row stays with its chat. */
export const GROWING_BY_CHAT = ['messages', 'message_edits', 'message_reactions', 'message_marks'] as const;
export type GrowingByChat = (typeof GROWING_BY_CHAT)[number];

/** Rows that are copied in one transaction: the locks of their rows last for milliseconds. */
const ROWS_AT_ONCE = 5_000;
/** For the two moments at which nobody may use the table; who has not got it by then tries again. */
const LOCK_TIMEOUT = '2s';
const MOST_PARTITIONS = 256;
/** A transaction that reads what was before the copy is waited for so long. */
const SNAPSHOTS_MS = 600_000;

export interface Moved {
  table: string;
  rows: number;
  /** It had been partitioned before, and was left as it is. */
  already: boolean;
}

/**
 * Moves a table into partitions by a hash of `chat_id`, while servers read and write it: what is written meanwhile is written to both by a
 * trigger, and old rows are copied in short transactions, each under locks of its rows, so that none that is deleted meanwhile comes back. At the end the
 * new table takes the name. A move that was broken off is begun anew.
 */
export async function partitionByChat(client: Client, table: GrowingByChat, partitions: number, atOnce = ROWS_AT_ONCE): Promise<Moved> {
  if (!Number.isInteger(partitions) || partitions < 2 || partitions > MOST_PARTITIONS) throw new RangeError(`There are 2 to ${MOST_PARTITIONS} partitions.`);
  const { rows: locked } = await client.query<{ alone: boolean }>('select pg_try_advisory_lock(hashtext($1)) as alone', [`partitions of ${table}`]);
  if (!locked[0]!.alone) throw new Error(`${table} is being moved by another.`);
  const kind = await kindOf(client, table);
  if (kind === 'p') {
    await client.query(`drop table if exists ${table}_whole`); // of a move that was broken off at its very end
    return { table, rows: 0, already: true };
  }
  if (kind !== 'r') throw new Error(`There is no table ${table}: bring the database up to the code first.`);
  await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`);
  await client.query('set statement_timeout = 0');
  const keys = await keyOf(client, table);
  await retried(() => begin(client, table, partitions, keys));
  const rows = await copy(client, table, keys, atOnce);
  await client.query(`analyze ${table}_parted`);
  await untilAllSee(client);
  await retried(() => exchange(client, table));
  await retried(() => client.query(`drop table ${table}_whole`));
  return { table, rows, already: false };
}

async function kindOf(client: Client, table: string): Promise<string | undefined> {
  const { rows } = await client.query<{ kind: string }>(`select relkind as kind from pg_class where oid = to_regclass($1)`, [table]);
  return rows[0]?.kind;
}

/** The columns of its primary key, in their order. */
async function keyOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_index i cross join unnest(i.indkey::int2[]) with ordinality k(attnum, place) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
     where i.indrelid = $1::regclass and i.indisprimary order by k.place`,
    [table],
  );
  return rows.map(({ name }) => name);
}

async function columnsOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`, [table]);
  return rows.map(({ name }) => name);
}

/** The new table beside the old one, and the trigger that keeps it in step. */
async function begin(client: Client, table: string, partitions: number, keys: readonly string[]): Promise<void> {
  const columns = await columnsOf(client, table);
  const others = columns.filter((column) => !keys.includes(column));
  await inTransaction(client, async () => {
    // Waits for the transactions that write to the table, so that all that write later are seen; and first, as they lock what an earlier move has left.
    await client.query(`lock table ${table} in share row exclusive mode`);
    await client.query(`drop table if exists ${table}_parted`);
    await client.query(`create table ${table}_parted (like ${table} including all excluding indexes) partition by hash (chat_id)`);
    for (let number = 0; number < partitions; number++) await client.query(`create table ${table}_${number} partition of ${table}_parted for values with (modulus ${partitions}, remainder ${number})`);
    await client.query(`alter table ${table}_parted add constraint ${table}_parted_pkey primary key (${keys.join(', ')})`);
    const indexes = await client.query<{ name: string; definition: string }>(
      `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::regclass and not i.indisprimary order by 1`,
      [table],
    );
    // Its own name gets an index with the table's.
    for (const { name, definition } of indexes.rows) await client.query(definition.replace(/ INDEX .* ON .*? USING /, () => ` INDEX ${name}_parted ON ${table}_parted USING `));
    await client.query(
      `create or replace function ${table}_to_parted() returns trigger language plpgsql as $$
       begin
         if tg_op = 'DELETE' then
           delete from ${table}_parted t where ${keys.map((key) => `t.${key} = old.${key}`).join(' and ')};
         else
           insert into ${table}_parted (${columns.join(', ')}) values (${columns.map((column) => `new.${column}`).join(', ')})
             on conflict (${keys.join(', ')}) do ${others.length ? `update set ${others.map((column) => `${column} = excluded.${column}`).join(', ')}` : 'nothing'};
         end if;
         return null;
       end $$`,
    );
    await client.query(`create or replace trigger to_parted after insert or update or delete on ${table} for each row execute function ${table}_to_parted()`);
  });
}

/** Copies what stood there before, in the order of its key. */
async function copy(client: Client, table: string, keys: readonly string[], atOnce: number): Promise<number> {
  const columns = (await columnsOf(client, table)).join(', ');
  const key = keys.join(', ');
  let after: unknown[] | null = null;
  for (let rows = 0; ; ) {
    const past: string = after ? `where (${key}) > (${keys.map((_, place) => `$${place + 1}`).join(', ')})` : '';
    const edge: QueryResult<Record<string, unknown>> = await client.query(`select ${key} from ${table} ${past} order by ${key} offset ${atOnce - 1} limit 1`, after ?? []);
    const last: unknown[] | null = edge.rows[0] ? keys.map((name) => edge.rows[0]![name]) : null;
    const bounds = [...(after ? [past.slice('where '.length)] : []), ...(last ? [`(${key}) <= (${keys.map((_, place) => `$${(after ? keys.length : 0) + place + 1}`).join(', ')})`] : [])];
    await retried(async () => {
      const { rowCount } = await client.query(
        `with old as (select ${columns} from ${table} ${bounds.length ? `where ${bounds.join(' and ')}` : ''} for share)
         insert into ${table}_parted (${columns}) select ${columns} from old on conflict (${key}) do nothing`,
        [...(after ?? []), ...(last ?? [])],
      );
      rows += rowCount ?? 0;
    });
    if (!last) return rows;
    after = last;
  }
}

/** Waits for the transactions that began before the copy was whole: in one that keeps its view of the database (a copy of somebody's data), the new table would lack rows. */
async function untilAllSee(client: Client): Promise<void> {
  const { rows } = await client.query<{ next: string }>('select pg_snapshot_xmax(pg_current_snapshot())::xid as next');
  for (const until = Date.now() + SNAPSHOTS_MS; ; await sleep(500)) {
    const older = await client.query(
      'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_xmin is not null and age(backend_xmin) > age($1::xid)',
      [rows[0]!.next],
    );
    if (!older.rows.length) return;
    if (Date.now() > until) throw new Error(`A transaction of process ${older.rows[0].pid} of PostgreSQL has been open for ten minutes: end it, and begin anew.`);
  }
}

/** The new table takes the name, and its indexes those of the old one: migrations of later releases know them by these. */
async function exchange(client: Client, table: string): Promise<void> {
  await inTransaction(client, async () => {
    await client.query(`lock table ${table} in access exclusive mode`);
    if (String(await columnsOf(client, table)) !== String(await columnsOf(client, `${table}_parted`))) throw new Error(`${table} has got other columns meanwhile: begin anew.`);
    await client.query(`drop trigger to_parted on ${table}`);
    await client.query(`drop function ${table}_to_parted`);
    const { rows } = await client.query<{ name: string }>(`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::regclass`, [table]);
    await client.query(`alter table ${table} rename to ${table}_whole`);
    await client.query(`alter table ${table}_parted rename to ${table}`);
    for (const { name } of rows) {
      await client.query(`alter index ${name} rename to ${name}_whole`);
      await client.query(`alter index ${name === `${table}_pkey` ? `${table}_parted_pkey` : `${name}_parted`} rename to ${name}`);
    }
  });
}

async function inTransaction(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/** Whoever waits for a table holds up everybody behind them: a wait is short, and comes again. So does what a deadlock has ended. */
async function retried(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 30 || !(isConflict(error) || (error as { code?: string }).code === LOCK_NOT_AVAILABLE)) throw error;
      await sleep(1_000);
    }
  }
}
