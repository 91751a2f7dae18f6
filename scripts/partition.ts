// `npm run partition -- <partitions> [table …]`: moves the tables that grow with what is said into partitions by their chat, while servers run. docs/SCALE.md says when that pays.
import pg from 'pg';
import { createDataSource } from '../ormconfig.js';
import { loadConfig } from '../src/config.js';
import { migrate } from '../src/db/migrate.js';
import { GROWING_BY_CHAT, partitionByChat } from '../src/db/partitions.js';
import { connect } from './lib/connect.js';

const USAGE = `Usage: npm run partition -- <2 to 256> [${GROWING_BY_CHAT.join(' | ')} …]`;

async function main(): Promise<number> {
  const [count, ...named] = process.argv.slice(2);
  const tables = named.map((name) => GROWING_BY_CHAT.find((table) => table === name));
  const partitions = Number(count);
  if (!Number.isInteger(partitions) || partitions < 2 || partitions > 256 || tables.includes(undefined)) {
    console.error(USAGE);
    return 2;
  }
  const database = await connect(loadConfig());
  try {
    const source = await createDataSource(database.url, 2).initialize();
    await migrate(source).finally(() => source.destroy());
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      for (const table of tables.length ? tables : GROWING_BY_CHAT.slice(0, 1)) {
        const { rows, already } = await partitionByChat(client, table!, partitions);
        console.log(already ? `${table} is partitioned already.` : `${table} lies in ${partitions} partitions now; ${rows} rows were copied.`);
      }
      return 0;
    } finally {
      await client.end();
    }
  } finally {
    await database.stop();
  }
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message);
  return 1;
});
