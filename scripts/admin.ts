// Gives somebody a role: `npm run admin -- <handle or e-mail> [role]` (ADMIN unless told). It is how the first
// administrator is made; the server may run meanwhile. It uses DATABASE_URL, or the embedded database in DATA_DIR.
import { createDataSource } from '../ormconfig.js';
import { loadConfig } from '../src/config.js';
import { Database } from '../src/db/database.js';
import { migrate } from '../src/db/migrate.js';
import { UnitOfWork } from '../src/db/unit-of-work.js';
import { USER_ROLES } from '../src/entities/user.js';
import { systemClock } from '../src/lib/clock.js';
import { DomainError } from '../src/lib/errors.js';
import { RoleService } from '../src/services/roles.js';
import { connect } from './lib/connect.js';

const USAGE = `Usage: npm run admin -- <handle or e-mail> [${USER_ROLES.join('|')}]`;

async function main(): Promise<number> {
  const [who, wanted = 'ADMIN', ...rest] = process.argv.slice(2);
  const role = USER_ROLES.find((name) => name === wanted.toUpperCase());
  if (!who || !role || rest.length) {
    console.error(USAGE);
    return 2;
  }
  const database = await connect(loadConfig());
  try {
    const source = await createDataSource(database.url, 2).initialize();
    try {
      await migrate(source);
      const unitOfWork = new UnitOfWork(new Database(source), systemClock, { publish: () => undefined, changed: () => undefined });
      const { handle, before, proved } = await new RoleService(unitOfWork).give(who, role);
      console.log(before === role ? `${handle} is ${role} already.` : `${handle} is ${role} now (was ${before}).`);
      if (!proved) console.error(`Beware: ${handle} has not shown yet that ${who} is theirs. Is it who you mean?`);
      return 0;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      console.error(`Nobody has the handle or e-mail address ${who}. Sign up first.`);
      return 1;
    } finally {
      await source.destroy();
    }
  } finally {
    await database.stop();
  }
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message);
  return 1;
});
