import { availableParallelism } from 'node:os';
import pg from 'pg';
import type { Config } from '../config.js';
import { ConfigError } from '../lib/errors.js';

/** What the one worker that runs jobs holds beside its pool; see jobs/runner.ts. */
const FOR_JOBS = 3;
/** Beside its pool each worker has one that hears what Redis does not carry (events/detour.ts), and two for short readings (db/read-lanes.ts). */
const BESIDE = 3;
/** Left for operators: psql, `npm run admin`, a backup. */
const SPARE = 5;
const LEAST = 2;

/**
 * The pool of each of `workers` processes: what was wished, or less where PostgreSQL would not hold so many.
 * @throws ConfigError when not even two connections are left for each.
 */
export function poolOf(workers: number, wished: number, allowed: number): number {
  const share = Math.floor((allowed - SPARE - FOR_JOBS) / workers) - BESIDE;
  if (share < LEAST) {
    throw new ConfigError(`These settings are wrong:\n  WORKERS: ${workers} processes want ${workers * (LEAST + BESIDE) + FOR_JOBS + SPARE} connections at the least, and PostgreSQL allows ${allowed} (max_connections)`);
  }
  return Math.min(wished, share);
}

/** How many connections PostgreSQL gives to us: what the server, the database and the role allow. */
export async function allowedConnections(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ allowed: number }>(
      `select least(
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true)::int, 0),
         (select nullif(datconnlimit, -1) from pg_database where datname = current_database()),
         (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user)) as allowed`,
    );
    return rows[0]!.allowed;
  } finally {
    await client.end();
  }
}

/** What the `number`th process has of the media: its part of MEDIA_WORKERS, one at the least, on ports that no other process takes. */
export function mediaOf(config: Pick<Config, 'WORKERS' | 'MEDIA_WORKERS' | 'MEDIA_PORT'>, number: number): { MEDIA_WORKERS: string; MEDIA_PORT: string } {
  const each = Math.max(1, Math.floor((config.MEDIA_WORKERS ?? availableParallelism()) / config.WORKERS));
  return { MEDIA_WORKERS: String(each), MEDIA_PORT: String(config.MEDIA_PORT && config.MEDIA_PORT + (number - 1) * each) };
}
