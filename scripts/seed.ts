// `npm run seed [-- <number>]`: fills the database with a believable world, the same for the same number. Beside a running server too.
import { loadConfig } from '../src/config.js';
import { createLogger } from '../src/lib/logger.js';
import { connect } from './lib/connect.js';
import { FULL } from './seed/plan.js';
import { PASSWORD, seedWorld } from './seed/play.js';

const config = loadConfig();
const number = Number(process.argv[2] ?? 1);
if (!Number.isSafeInteger(number) || number < 0) throw new Error('npm run seed -- <number>: the number is a whole one, from 0.');

const began = performance.now();
const database = await connect(config);
try {
  const { made, counts, logins } = await seedWorld({ ...config, DATABASE_URL: database.url }, createLogger('warn'), number, FULL);
  const holds = `${counts.people} people, ${counts.groups} groups, ${counts.chats} chats, ${counts.messages} messages`;
  console.log(made ? `Seeded in ${((performance.now() - began) / 1000).toFixed(1)} s: ${holds}.` : `Seeded already, nothing was added: ${holds}.`);
  console.log(`Sign in as ${logins.map(({ name, email }) => `${name} (${email})`).join(' or ')}, password "${PASSWORD}".`);
} finally {
  await database.stop();
}
