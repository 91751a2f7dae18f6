import type { World } from './world.js';

/** What changes without anybody having done anything to a person's data: counted tries, clocks, leases, queues, what is measured of calls. */
const RESTLESS = new Set(['one_time_codes', 'nodes', 'call_nodes', 'presence', 'quotas', 'server_keys', 'migrations']);
const RESTLESS_COLUMNS = ['last_active_at', 'last_seen_at', 'quality'];

/** A text for each table that differs when any of its rows does. */
export async function digest(world: World): Promise<Record<string, string>> {
  const tables = await world.sql<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    if (RESTLESS.has(name)) continue;
    const [row] = await world.sql<{ rows: number; sum: string }>(
      `select count(*)::int as rows, coalesce(sum(hashtextextended((to_jsonb(t) - '{${RESTLESS_COLUMNS.join(',')}}'::text[])::text, 0)), 0)::text as sum from "${name}" t`,
    );
    found[name] = `${row!.rows} rows, ${row!.sum}`;
  }
  return found;
}
