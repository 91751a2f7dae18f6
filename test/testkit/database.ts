import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createDataSource } from '../../ormconfig.js';
import { migrate } from '../../src/db/migrate.js';
import { GROWING_BY_CHAT, partitionByChat } from '../../src/db/partitions.js';

const TEMPLATE = 'omnitalk_template';
/** Into how many partitions messages and what belongs to them are moved before a spec runs; 0: not at all, as a new database has them. */
const PARTITIONS = Number(process.env['TEST_PARTITIONS'] ?? 0);

/** The PostgreSQL that `npm test` has started. */
export function serverUrl(database: string): string {
  const url = process.env['TEST_DATABASE_URL'];
  if (!url) throw new Error('TEST_DATABASE_URL is not set: run tests by `npm test`.');
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.toString();
}

async function asAdmin<Result>(work: (client: pg.Client) => Promise<Result>, database = 'postgres'): Promise<Result> {
  const client = new pg.Client({ connectionString: serverUrl(database) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

let template: Promise<void> | null = null;

/** Migrates once in each PostgreSQL; every test database is a copy. Runs that follow each other on one find it: that it is a template says that it is whole. */
function prepareTemplate(): Promise<void> {
  return (template ??= (async () => {
    const whole = await asAdmin(async (client) => {
      const { rowCount } = await client.query('select from pg_database where datname = $1 and datistemplate', [TEMPLATE]);
      if (rowCount) return true;
      await client.query(`drop database if exists ${TEMPLATE}`);
      await client.query(`create database ${TEMPLATE}`);
      return false;
    });
    if (whole) return;
    const source = createDataSource(serverUrl(TEMPLATE));
    await source.initialize();
    await migrate(source);
    await source.destroy();
    if (PARTITIONS) {
      await asAdmin(async (client) => {
        for (const table of GROWING_BY_CHAT) await partitionByChat(client, table, PARTITIONS);
      }, TEMPLATE);
    }
    await asAdmin((client) => client.query(`alter database ${TEMPLATE} is_template true`));
  })());
}

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A migrated, empty database of its own. */
export async function createTestDatabase(): Promise<TestDatabase> {
  await prepareTemplate();
  const name = `t_${randomBytes(6).toString('hex')}`;
  // Nothing is written to a log that nobody will read.
  await asAdmin((client) => client.query(`create database ${name} template ${TEMPLATE} strategy file_copy`));
  return { url: serverUrl(name), drop: () => asAdmin(async (client) => void (await client.query(`drop database if exists ${name} with (force)`))) };
}
