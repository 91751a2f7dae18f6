import type { World } from './world.js';

/** What changes without anybody having done anything to a person's data: counted tries, clocks, leases, queues, what is measured of calls and apps. */
const RESTLESS = new Set(['one_time_codes', 'nodes', 'call_nodes', 'presence', 'quotas', 'server_keys', 'migrations', 'app_usage']);
/** `away` is of presence: it ends by itself a moment after the last connection of a session. */
const RESTLESS_COLUMNS = ['last_active_at', 'last_seen_at', 'quality', 'away'];

interface Look {
  /** Which transactions could be seen. */
  snapshot: string;
  found: Readonly<Record<string, string>>;
}

const statements = new WeakMap<World, Promise<string>>();
const looks = new WeakMap<World, Look>();

/** A text for each table that differs when any of its rows does. */
export async function digest(world: World): Promise<Record<string, string>> {
  // Whoever writes a row has a transaction id: where the same transactions are seen as at the last look, so are the same rows.
  const [seen] = await world.sql<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  let look = looks.get(world);
  if (look?.snapshot !== seen!.snapshot) {
    const statement = statements.get(world) ?? statementFor(world);
    statements.set(world, statement);
    const rows = await world.sql<{ snapshot: string; name: string; rows: number; sum: string }>(await statement);
    look = { snapshot: rows[0]!.snapshot, found: Object.fromEntries(rows.map(({ name, rows: count, sum }) => [name, `${count} rows, ${sum}`])) };
    looks.set(world, look);
  }
  return { ...look.found };
}

/** One statement for all tables: asked for one by one, they take most of a test that looks often. */
async function statementFor(world: World): Promise<string> {
  const tables = await world.sql<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  const digests = tables.filter(({ name }) => !RESTLESS.has(name)).map(
    ({ name }) => `select '${name}' as name, count(*)::int as rows, coalesce(sum(hashtextextended((to_jsonb(t) - '{${RESTLESS_COLUMNS.join(',')}}'::text[])::text, 0)), 0)::text as sum from "${name}" t`,
  );
  return `select pg_current_snapshot()::text as snapshot, name, rows, sum from (${digests.join(' union all ')}) as digests order by name`;
}
