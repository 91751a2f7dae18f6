import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import type { DataSource } from 'typeorm';

/** Any number that no other user of the database's advisory locks takes. */
const MIGRATION_LOCK = 7_311_042;

/** Brings the database up to the code, and the job queue's tables with it. Processes that start together wait for one another. */
export async function migrate(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  await runner.connect();
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await source.runMigrations({ transaction: 'each' });
      await migrateJobs((source.options as { url: string }).url);
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}

/** On connections of its own: graphile-worker wants to hear of their loss, and the migration must leave none behind. */
async function migrateJobs(connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 });
  const ignore = () => undefined; // the statement under way fails by itself
  pool.on('error', ignore).on('connect', (client) => client.on('error', ignore));
  try {
    await runMigrations({ pgPool: pool });
  } finally {
    await pool.end();
  }
}
