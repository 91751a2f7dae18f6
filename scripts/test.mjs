// What `npm test` runs: brings a real PostgreSQL, Redis and Chromium, then mocha. Arguments go on to mocha; a spec file among them
// replaces the whole list: `npm test -- test/e2e/x.spec.ts --grep word`. The whole list is dealt into batches, which several lanes take
// one after the other, each with a PostgreSQL and a Redis of its own: most specs wait more than they compute.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findPrerequisites } from './prerequisites.mjs';

const CLOSING_LINE = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/;
/** What the reporter says at the very end, when nothing of ours runs any more. */
const EXITING = /^mocha exits with (\d+)$/;
/** As many cores as that are kept busy; where nothing may fail because a machine is slow, one. */
const LANES = Number(process.env.TEST_LANES || 2);
const BATCHES = 10;
/** What files take that take long, in seconds on two idle cores: by it they are dealt into batches that take alike. Any other takes about `OTHERS_S`. */
const SECONDS = 'test/testkit/seconds.json';
const OTHERS_S = 3;
/** Of each failure's details, at the end; all of them stand where its batch ended. */
const DETAIL_LINES = 30;
/** How the reporter names a test that failed. */
const FAILED = 'FAILED ';
/** A run that has told its totals ends within that time, or is ended. */
const ENDING_MS = 20_000;
/** For what mocha has said at its end to arrive. */
const OUTPUT_MS = 5_000;
/** A run that takes longer than that hangs: what hangs in a test, mocha ends much sooner. */
const RUN_MS = (40 + Number(process.env.SOAK_MINUTES || 0)) * 60_000;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const MOCHARC = JSON.parse(readFileSync('.mocharc.json', 'utf8'));

/** What must be undone at the end, newest first. */
const cleanups = [];
const running = new Set();
let interrupted;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = signal;
    for (const mocha of running) mocha.kill(signal);
  });
}

async function main() {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(`OmniTalk needs Node 24 and this is ${process.version}. Run \`npm test\`: npm puts the project's own Node first.`);
  }
  await import('./register.mjs');
  const { redisServer, chromium } = findPrerequisites({ redisUrl: process.env.REDIS_URL, chromiumPath: process.env.CHROMIUM_PATH });
  const { cacheFolder, obtainWorker } = await import('../src/media/worker-binary.ts');
  // Fetched or built once, in minutes; every spec and every server that one starts then finds it at once.
  const worker = await obtainWorker({ given: process.env.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(process.env.XDG_CACHE_HOME), report: (line) => console.log(line) });
  const { startEmbeddedPostgres } = await import('../src/db/embedded-postgres.ts');
  const lane = async () => {
    const redisUrl = process.env.REDIS_URL || (await startRedis(redisServer));
    const postgres = await startEmbeddedPostgres({ ephemeral: true });
    cleanups.push(() => postgres.stop());
    // Specs look whether anything was left in the folder for temporary files: of their own lane. Others (a PostgreSQL) write there too.
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-lane-'));
    await chmod(folder, 0o1777);
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    return {
      TMPDIR: folder,
      TEST_DATABASE_URL: postgres.url,
      TEST_REDIS_URL: redisUrl,
      // Empty only with a REDIS_URL on a machine without Redis; a test that must kill and restart one then says so.
      TEST_REDIS_SERVER: redisServer ?? '',
      TEST_CHROMIUM: chromium,
      MEDIASOUP_WORKER_BIN: worker,
    };
  };
  const given = process.argv.slice(2);
  if (given.some(namesFile)) {
    const { code, totals } = await runMocha(await lane(), given, (chunk) => process.stdout.write(chunk));
    console.log(closingLine([totals]));
    return code;
  }
  return runAll(given, lane);
}

/** Every spec, dealt into batches. What a batch said is shown when it has ended; what failed is told once more at the very end, the names last. */
async function runAll(given, lane) {
  const batches = deal(globSync(MOCHARC.spec).sort());
  const ended = [];
  // With one Redis given for all, limits that one spec counts would be another's.
  const lanes = process.env.REDIS_URL ? 1 : LANES;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const env = await lane();
      for (let files = batches.shift(); files && !interrupted; files = batches.shift()) {
        let said = '';
        const result = await runMocha(env, [...given, ...files], (chunk) => (said += chunk));
        ended.push({ ...result, said, files });
        console.log(said);
      }
    }),
  );
  const failed = ended.filter(({ code }) => code !== 0);
  for (const { said } of failed) console.log(detailsOf(said));
  for (const { said, files } of failed) console.log(namesOf(said) || `${FAILED}${files.join(' ')} › did not end as a run does`);
  console.log(closingLine(ended.map(({ totals }) => totals)));
  return interrupted || failed.length ? 1 : 0;
}

/** The longest first, each to the batch that has least to do. */
function deal(files) {
  const seconds = JSON.parse(readFileSync(SECONDS, 'utf8'));
  const of = (file) => seconds[file] ?? OTHERS_S;
  const batches = Array.from({ length: BATCHES }, () => ({ files: [], takes: 0 }));
  for (const file of files.toSorted((one, other) => of(other) - of(one))) {
    const least = batches.reduce((least, batch) => (batch.takes < least.takes ? batch : least));
    least.files.push(file);
    least.takes += of(file);
  }
  return batches.map((batch) => batch.files).filter((batch) => batch.length);
}

/** What a run that failed said from its count of failures on, or its end where it did not come to that. */
function detailsOf(said) {
  const lines = said.split('\n').filter((line) => !line.startsWith(FAILED));
  const at = lines.findLastIndex((line) => /^\S*\s+\d+ failing/.test(line));
  if (at === -1) return lines.slice(-80).join('\n');
  let since = 0;
  return lines.slice(at).filter((line) => (since = /^\s+\d+\) /.test(line) ? 0 : since + 1) < DETAIL_LINES).join('\n');
}

const namesOf = (said) => said.split('\n').filter((line) => line.startsWith(FAILED)).join('\n');

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

/** @param {number[][]} totals passed, failed and skipped, of each run */
function closingLine(totals) {
  const [passed, failed, skipped] = [0, 1, 2].map((place) => totals.reduce((sum, run) => sum + run[place], 0));
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

const namesFile = (argument) => !argument.startsWith('-') && argument.endsWith('.ts');

/**
 * The configuration is spelled out for mocha instead of left to it: mocha merges files named on the command line with those of its
 * configuration (a single file could not be run alone), and for Node's options it forks a child that outlives a signal to its parent.
 */
function commandOf(given) {
  const { spec: _, 'node-option': nodeOptions = [], ...rest } = MOCHARC;
  const options = Object.entries(rest).flatMap(([name, value]) => [value].flat().map((one) => (one === true ? `--${name}` : `--${name}=${one}`)));
  return [
    ...nodeOptions.map((option) => `--${option}`),
    'node_modules/mocha/bin/mocha.js',
    '--no-config',
    ...options,
    '--reporter=./test/testkit/reporter.mjs',
    ...(process.stdout.isTTY ? ['--color'] : []),
    ...given,
  ];
}

/** Hands on what mocha says but for its closing line, which counts into `totals`; without one the run counts as one failure. */
async function runMocha(env, given, say) {
  // A signal that came while we were starting things had no mocha to go to.
  if (interrupted) return { code: 1, totals: [0, 1, 0] };
  const mocha = spawn(process.execPath, commandOf(given), { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  running.add(mocha);
  let totals = null;
  let stated = null;
  const end = (why) => {
    say(`${why}, and was killed. Its threads:\n${threadsOf(mocha.pid)}\n`);
    mocha.kill('SIGKILL');
  };
  const limit = setTimeout(end, RUN_MS, 'mocha did not come to an end');
  let ending;
  const lines = createInterface({ input: mocha.stdout });
  lines.on('line', (line) => {
    const counts = CLOSING_LINE.exec(line);
    const exiting = EXITING.exec(line);
    if (exiting) return void (stated = Number(exiting[1]));
    if (!counts) return say(`${line}\n`);
    totals = counts.slice(1).map((count) => Number(count ?? 0));
    ending ??= setTimeout(end, ENDING_MS, 'mocha told its totals and did not end');
  });
  // A process of a test's that outlives mocha must not hold up the rest by holding its output open.
  mocha.once('exit', () => {
    setTimeout(() => {
      lines.close();
      mocha.stdout.destroy();
    }, OUTPUT_MS).unref();
  });
  const [[code]] = await Promise.all([once(mocha, 'close'), once(lines, 'close')]);
  running.delete(mocha);
  clearTimeout(limit);
  clearTimeout(ending);
  // Whatever native code does while a process ends changes nothing in what the tests have shown.
  if (totals) return { code: code ?? (interrupted ? 1 : (stated ?? 1)), totals };
  say(`mocha ended${interrupted ? ` by ${interrupted}` : ''} before its tests did; what it said above is why.\n`);
  return { code: code || 1, totals: [0, 1, 0] };
}

/** What the threads of a process wait for, as far as the kernel says. */
function threadsOf(pid) {
  return globSync(`/proc/${pid}/task/*`)
    .map((task) => ['comm', 'wchan', 'syscall'].map((file) => readIfThere(`${task}/${file}`).trim()).join(' '))
    .join('\n');
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
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
