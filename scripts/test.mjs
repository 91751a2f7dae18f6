// What `npm test` runs: brings a real PostgreSQL, Redis and Chromium, then mocha. Arguments go on to mocha; a spec file among them
// replaces the whole list: `npm test -- test/e2e/x.spec.ts --grep word`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPrerequisites } from './prerequisites.mjs';

const CLOSING_LINE = /^\d+ passed, \d+ failed(, \d+ skipped)?$/;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** What must be undone at the end, newest first. */
const cleanups = [];
let mocha;
let interrupted;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = signal;
    mocha?.kill(signal);
  });
}

async function main() {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(`OmniTalk needs Node 24 and this is ${process.version}. Run \`npm test\`: npm puts the project's own Node first.`);
  }
  await import('./register.mjs');
  const { redisServer, chromium } = findPrerequisites({ redisUrl: process.env.REDIS_URL, chromiumPath: process.env.CHROMIUM_PATH });
  const redisUrl = process.env.REDIS_URL || (await startRedis(redisServer));
  const { cacheFolder, obtainWorker } = await import('../src/media/worker-binary.ts');
  // Fetched or built once, in minutes; every spec and every server that one starts then finds it at once.
  const worker = await obtainWorker({ given: process.env.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(process.env.XDG_CACHE_HOME), report: (line) => console.log(line) });
  const { startEmbeddedPostgres } = await import('../src/db/embedded-postgres.ts');
  const postgres = await startEmbeddedPostgres({ ephemeral: true });
  cleanups.push(() => postgres.stop());
  // A signal that came while we were starting things had no mocha to go to.
  if (interrupted) return 1;
  return runMocha({
    TEST_DATABASE_URL: postgres.url,
    TEST_REDIS_URL: redisUrl,
    // Empty only with a REDIS_URL on a machine without Redis; a test that must kill and restart one then says so.
    TEST_REDIS_SERVER: redisServer ?? '',
    TEST_CHROMIUM: chromium,
    MEDIASOUP_WORKER_BIN: worker,
  });
}

/** A Redis of our own, which keeps nothing on disk. */
async function startRedis(binary) {
  const folder = await mkdtemp(join(tmpdir(), 'omnitalk-redis-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder, '--logfile', 'redis.log'];
  // On Linux the kernel ends it with us, even when we are killed. A group of its own, so that Ctrl-C leaves it until mocha has ended.
  const tied = existsSync('/usr/bin/setpriv');
  const command = tied ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', binary, ...args] : [binary, ...args];
  const redis = spawn(command[0], command.slice(1), { stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => {
    redis.once('exit', resolve);
    redis.once('error', resolve);
  });
  cleanups.push(async () => {
    redis.kill('SIGKILL');
    await ended;
  });
  const deadline = Date.now() + 15_000;
  while (!(await accepts(port))) {
    if (redis.exitCode !== null || Date.now() > deadline) {
      const said = await readFile(join(folder, 'redis.log'), 'utf8').catch(() => 'nothing');
      throw new Error(`${binary} did not start on port ${port}. It said:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return `redis://127.0.0.1:${port}`;
}

async function accepts(port) {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * The configuration is spelled out for mocha instead of left to it: mocha merges files named on the command line with those of its
 * configuration (a single file could not be run alone), and for Node's options it forks a child that outlives a signal to its parent.
 */
function commandOf(given) {
  const { spec, 'node-option': nodeOptions = [], ...rest } = JSON.parse(readFileSync('.mocharc.json', 'utf8'));
  const options = Object.entries(rest).flatMap(([name, value]) => [value].flat().map((one) => (one === true ? `--${name}` : `--${name}=${one}`)));
  const namesFiles = given.some((argument) => !argument.startsWith('-') && argument.endsWith('.ts'));
  return [
    ...nodeOptions.map((option) => `--${option}`),
    'node_modules/mocha/bin/mocha.js',
    '--no-config',
    ...options,
    '--reporter=./test/testkit/reporter.mjs',
    ...(process.stdout.isTTY ? ['--color'] : []),
    ...given,
    ...(namesFiles ? [] : spec),
  ];
}

async function runMocha(env) {
  mocha = spawn(process.execPath, commandOf(process.argv.slice(2)), { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  let tail = '';
  mocha.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-500);
  });
  const [code] = await once(mocha, 'close');
  if (CLOSING_LINE.test(tail.trimEnd().split('\n').at(-1))) return code ?? 1;
  console.error(`mocha ended${interrupted ? ` by ${interrupted}` : ''} before its tests did; what it said above is why.`);
  console.log('0 passed, 1 failed');
  return code || 1;
}

let code = 1;
try {
  code = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
}
for (const cleanup of cleanups.reverse()) await cleanup();
process.exit(code);
