// `npm run migrate`: brings the database up to the code, as a start of the server does too. For deployments that want it apart.
import { createDataSource } from '../ormconfig.js';
import { loadConfig } from '../src/config.js';
import { migrate } from '../src/db/migrate.js';
import { connect } from './lib/connect.js';

const database = await connect(loadConfig());
try {
  const source = await createDataSource(database.url, 2).initialize();
  try {
    const waiting = await source.showMigrations();
    await migrate(source);
    console.log(waiting ? 'The database has been brought up to the code.' : 'The database is up to the code already.');
  } finally {
    await source.destroy();
  }
} finally {
  await database.stop();
}
