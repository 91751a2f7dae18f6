import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, CHILD_ENV } from './postgres-account.js';
import { isAlive, waitForEnd, worksIn } from './process-identity.js';

const run = promisify(execFile);

/** Crash recovery after a power cut replays at most max_wal_size, which takes a slow disk minutes. */
const READY_WITHIN_MS = 300_000;
const FAST_STOP_MS = 30_000;
const KILL_STOP_MS = 10_000;
const LOG_LIMIT_BYTES = 16 * 1024 * 1024;

/** SIGINT is PostgreSQL's fast shutdown (with a checkpoint); SIGQUIT its immediate one, for data that nobody wants any more. */
export type StopSignal = 'SIGINT' | 'SIGQUIT';

export interface Postmaster {
  port: number;
  stop(signal: StopSignal): Promise<void>;
  /** Called at most once, when PostgreSQL ends without `stop`. */
  onUnexpectedEnd(listener: () => void): void;
}

interface Launch {
  binary: string;
  cluster: string;
  account: Account;
  logFile: string;
  /** A fixed port; a free one is chosen otherwise. */
  port?: number | undefined;
  settings: Record<string, string>;
  /** What the system sends PostgreSQL when this process dies without stopping it. */
  onOurDeath: StopSignal;
}

/** Starts PostgreSQL on an initialised folder that no other postmaster holds, and resolves once it takes connections. */
export async function launchPostmaster(launch: Launch): Promise<Postmaster> {
  await rotate(launch.logFile);
  for (let attempt = 1; ; attempt += 1) {
    const port = launch.port ?? (await freePort());
    const from = await stat(launch.logFile).then(({ size }) => size, () => 0);
    const child = await spawnPostmaster(launch, port);
    const failure = await whenReady(child, launch.cluster);
    if (failure === undefined) return supervise(child, port);
    const said = (await readFile(launch.logFile)).subarray(from).toString();
    // Another program may take the free port in between, and the children of a postmaster that was killed need a moment to go.
    const passing = (launch.port === undefined && said.includes('Address already in use')) || said.includes('pre-existing shared memory block');
    if (!passing || attempt === 10) {
      throw new Error(`PostgreSQL did not start (${failure}). It said, in ${launch.logFile}:\n${said.trim().split('\n').slice(-12).join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/**
 * Stops the postmaster that still runs on this folder though its OmniTalk is dead; does nothing where there is none.
 * It is stopped rather than adopted, so that each start has the settings, port and log of that start.
 */
export async function stopPostmasterOf(cluster: string, signal: StopSignal, log: { warn(message: string): void }): Promise<void> {
  const pid = (await statusOf(cluster))?.pid;
  if (pid === undefined || !isAlive(pid)) return; // PostgreSQL itself clears the file of a dead one.
  const holds = await worksIn(pid, cluster);
  if (holds === undefined) {
    // Neither ended nor passed by: two postmasters on one folder destroy it.
    throw new Error(
      `Process ${pid} may be a PostgreSQL on ${cluster}, and can't be looked into. Stop it; or, if it is something else, delete ` +
        `${join(cluster, 'postmaster.pid')}.`,
    );
  }
  if (!holds) {
    // The number was given to another process (usual in containers), which PostgreSQL would take for a rival.
    await rm(join(cluster, 'postmaster.pid'), { force: true });
    return;
  }
  log.warn(`PostgreSQL ${pid} was left running on ${cluster} by an OmniTalk that was killed; stopping it first`);
  await endProcess(pid, signal);
}

async function endProcess(pid: number, signal: StopSignal): Promise<void> {
  for (const [name, patience] of [[signal, FAST_STOP_MS], ['SIGQUIT', KILL_STOP_MS]] as const) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    if (await waitForEnd(pid, patience)) return;
  }
  throw new Error(`PostgreSQL ${pid} does not stop. See whether its disk hangs, then end it by hand (kill -QUIT ${pid}).`);
}

async function spawnPostmaster({ binary, cluster, account, logFile, settings, onOurDeath }: Launch, port: number): Promise<ChildProcess> {
  const args = ['-D', cluster, '-c', `port=${port}`, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  // On Linux the kernel tells PostgreSQL of our death, even by SIGKILL. Elsewhere the next start stops the orphan.
  const tie = ['--pdeathsig', onOurDeath.slice(3)];
  const tied = await run('setpriv', [...tie, 'true'], { env: CHILD_ENV, cwd: '/' }).then(() => true, () => false);
  const output = await open(logFile, 'a', 0o600);
  try {
    const options = {
      ...account,
      cwd: '/',
      env: CHILD_ENV,
      stdio: ['ignore', output.fd, output.fd] as ['ignore', number, number],
      // A group of its own: Ctrl-C in a terminal reaches us alone, and we stop the database last.
      detached: true,
    };
    return tied ? spawn('setpriv', [...tie, binary, ...args], options) : spawn(binary, args, options);
  } finally {
    await output.close();
  }
}

/** Waits until PostgreSQL takes connections; a text says why it doesn't. */
async function whenReady(child: ChildProcess, cluster: string): Promise<string | undefined> {
  let ended: string | undefined;
  child.once('error', (error) => (ended ??= error.message));
  child.once('exit', (code, signal) => (ended ??= `it ended with ${signal ?? `code ${code}`}`));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (ended === undefined) {
    const status = await statusOf(cluster);
    if (status?.ready && status.pid === child.pid) return undefined;
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      return `it was not ready after ${READY_WITHIN_MS / 1000} s`;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return ended;
}

function supervise(child: ChildProcess, port: number): Postmaster {
  let stopping: Promise<void> | undefined;
  let listener: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      resolve();
      if (!stopping) listener?.();
    };
    if (child.exitCode !== null || child.signalCode !== null) end();
    else child.once('exit', end);
  });
  return {
    port,
    stop(signal) {
      stopping ??= child.exitCode === null && child.signalCode === null ? endProcess(child.pid!, signal).then(() => ended) : ended;
      return stopping;
    },
    onUnexpectedEnd(call) {
      listener = call;
    },
  };
}

/** What postmaster.pid says: line 1 is its process, line 8 its state (PostgreSQL's `pidfile.h`). */
async function statusOf(cluster: string): Promise<{ pid: number; ready: boolean } | undefined> {
  try {
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
    const pid = Number(lines[0]);
    return pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** One older log is kept, so that the log of an installation that runs for years stays bounded. */
async function rotate(logFile: string): Promise<void> {
  const about = await stat(logFile).catch(() => undefined);
  if (about && about.size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
