import { readFileSync } from 'node:fs';
import type { ClientBase } from 'pg';

/** Where a table lies once PostgreSQL is many nodes. */
export interface Place {
  /** What its rows lie with: `a chat`, `a person`, …; or `every node`, `one node`. */
  with: string;
  /** The column by which it is distributed; null where it is whole. */
  column: string | null;
}

export interface Plan {
  places: Map<string, Place>;
  /** What Citus would refuse, as the document says it: see `refusals`. */
  refused: string[];
}

export const EVERY_NODE = 'every node';
const ONE_NODE = 'one node';

/** The tables of docs/SCALE.md that say where each table of the database would lie, and what stands against it. */
export function readPlan(): Plan {
  const text = readFileSync(new URL('../../docs/SCALE.md', import.meta.url), 'utf8');
  const rowsUnder = (head: string): string[][] =>
    text
      .slice(text.indexOf(head) + head.length)
      .split('\n')
      .slice(2)
      .reduce<{ rows: string[][]; over: boolean }>(({ rows, over }, line) => (over || !line.startsWith('|') ? { rows, over: true } : { rows: [...rows, line.slice(1, -1).split(' | ').map((cell) => cell.trim())], over }), { rows: [], over: false }).rows;
  const places = new Map<string, Place>();
  for (const [lies, tables] of rowsUnder('| Lies with | Tables |')) {
    const [, what, own] = /^([^:]+?)(?:: `(\w+)`)?$/.exec(lies!)!;
    for (const [, table, column] of tables!.matchAll(/`(\w+)`(?: by `(\w+)`)?/g)) {
      if (places.has(table!)) throw new Error(`${table} stands twice in docs/SCALE.md`);
      places.set(table!, { with: what!, column: column ?? own ?? null });
    }
  }
  return { places, refused: rowsUnder('| Refused | What changes |').flatMap(([cell]) => cell!.split(', ')) };
}

export interface Table {
  name: string;
  columns: string[];
  /** Primary keys and unique indexes, with their plain columns. */
  unique: { index: string; columns: string[] }[];
  references: { name: string; to: string; columns: string[]; their: string[] }[];
}

const NAMES = (numbers: string, table: string) => `array(select a.attname::text from unnest(${numbers}) with ordinality k(attnum, place) join pg_attribute a on a.attrelid = ${table} and a.attnum = k.attnum order by place)`;
const CATALOG = `
select c.relname as name, array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
  coalesce((select json_agg(json_build_object('index', i.indexrelid::regclass::text, 'columns', ${NAMES('i.indkey::int2[]', 'c.oid')})) from pg_index i where i.indrelid = c.oid and i.indisunique), '[]') as unique,
  coalesce((select json_agg(json_build_object('name', f.conname, 'to', f.confrelid::regclass::text, 'columns', ${NAMES('f.conkey', 'f.conrelid')}, 'their', ${NAMES('f.confkey', 'f.confrelid')}))
    from pg_constraint f where f.conrelid = c.oid and f.contype = 'f'), '[]') as "references"
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname not in ('migrations', 'citus_tables') order by 1`;

/** Every table of the database, but not partitions of one. */
export const tablesOf = async (client: ClientBase): Promise<Table[]> => (await client.query<Table>(CATALOG)).rows;

/**
 * What Citus would refuse of a table that lies where the plan says: a unique constraint without the column by which the table is distributed (it could
 * hold within a node alone), and a foreign key to rows that may lie on another node.
 */
export function refusals(table: Table, places: ReadonlyMap<string, Place>): string[] {
  const place = places.get(table.name);
  if (!place) return [`\`${table.name}\` has no place`];
  const found: string[] = [];
  if (place.column !== null) {
    if (!table.columns.includes(place.column)) found.push(`\`${table.name}.${place.column}\``);
    for (const { index, columns } of table.unique) if (!columns.includes(place.column)) found.push(`\`${index}\``);
  }
  for (const { to, columns, their } of table.references) {
    const other = places.get(to);
    if (other?.with === EVERY_NODE) continue;
    const together = place.column === null ? place.with === ONE_NODE && other?.with === ONE_NODE : other?.with === place.with && columns.some((column, at) => column === place.column && their[at] === other.column);
    if (!together) found.push(`\`${table.name}\` → \`${to}\``);
  }
  return found;
}
