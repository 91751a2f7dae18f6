// `npm run seed [-- <number>]`: fills the database with a believable world, the same for the same number. Beside a running server too.
import { loadConfig } from '../src/config.js';
import { findRunningPostgres, startEmbeddedPostgres } from '../src/db/embedded-postgres.js';
import { createLogger } from '../src/lib/logger.js';
import { FULL } from './seed/plan.js';
import { PASSWORD, seedWorld } from './seed/play.js';

const config = loadConfig();
const number = Number(process.argv[2] ?? 1);
if (!Number.isSafeInteger(number) || number < 0) throw new Error('npm run seed -- <number>: the number is a whole one, from 0.');

const began = performance.now();
const running = config.DATABASE_URL ?? (await findRunningPostgres(config.DATA_DIR));
const embedded = running ? null : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, log: { info: (message) => console.log(message), warn: (message) => console.warn(message) } });
try {
  const { made, counts, logins } = await seedWorld({ ...config, DATABASE_URL: running ?? embedded!.url }, createLogger('warn'), number, FULL);
  const holds = `${counts.people} people, ${counts.groups} groups, ${counts.chats} chats, ${counts.messages} messages`;
  console.log(made ? `Seeded in ${((performance.now() - began) / 1000).toFixed(1)} s: ${holds}.` : `Seeded already, nothing was added: ${holds}.`);
  console.log(`Sign in as ${logins.map(({ name, email }) => `${name} (${email})`).join(' or ')}, password "${PASSWORD}".`);
} finally {
  await embedded?.stop();
}
