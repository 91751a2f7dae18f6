import type { DataSource } from 'typeorm';

/** Any number that no other user of the database's advisory locks takes. */
const MIGRATION_LOCK = 7_311_042;

/** Brings the database up to the code. Processes that start together wait for one another. */
export async function migrate(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  await runner.connect();
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await source.runMigrations({ transaction: 'each' });
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}
