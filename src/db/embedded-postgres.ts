import { execFile } from 'node:child_process';
import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { CHILD_ENV, findBinaries } from './postgres-account.js';
import { type Home, type Log, openEphemeralHome, openHome, type Passwords, passwordsOf } from './postgres-home.js';
import { launchPostmaster, stopPostmasterOf } from './postmaster.js';

export { DataDirInUseError } from './data-lock.js';

const run = promisify(execFile);
const SUPERUSER = 'postgres';
const APP = 'omnitalk';

export interface EmbeddedPostgres {
  /**
   * Of a lasting database: the database `omnitalk` as its owner, who is no superuser (as with any hosted PostgreSQL; trusted extensions
   * such as pg_trgm may be created). Of an ephemeral one: the superuser, since tests make databases of their own.
   */
  url: string;
  port: number;
  /** Stops PostgreSQL (and removes an ephemeral one). Safe to call twice. */
  stop(): Promise<void>;
}

export type EmbeddedPostgresOptions =
  | { dataDir: string; log: Log; port?: number; ephemeral?: false }
  /** `durable`: with fsync and commits that wait for it, as a lasting one has: for measuring. */
  | { ephemeral: true; durable?: boolean; log?: Log; port?: number };

const silent: Log = { info: () => undefined, warn: () => undefined };

/**
 * Starts a PostgreSQL of our own, made at the first start, on 127.0.0.1 behind random passwords.
 * @throws DataDirInUseError when another live OmniTalk holds the data folder.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const ephemeral = options.ephemeral === true;
  const log = options.log ?? silent;
  const volatile = options.ephemeral === true && !options.durable;
  const home = ephemeral ? await openEphemeralHome(log, { inMemory: volatile }) : await openHome(options.dataDir, log);
  try {
    return await startIn(home, { ephemeral, volatile, log, port: options.port });
  } catch (error) {
    await home.release();
    throw error;
  }
}

interface Start {
  ephemeral: boolean;
  /** Nothing need outlive a crash: no waiting for the disk, or none at all. */
  volatile: boolean;
  log: Log;
  port?: number | undefined;
}

async function startIn(home: Home, { ephemeral, volatile, log, port }: Start): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries(home.account);
  const isNew = !(await stat(home.cluster).catch(() => undefined));
  const passwords = await passwordsOf(home, isNew);
  if (isNew) await initialise(home, binaries.initdb, passwords, ephemeral);
  else await stopPostmasterOf(home.cluster, 'SIGINT', log);

  const stopSignal = ephemeral ? 'SIGQUIT' : 'SIGINT';
  const postmaster = await launchPostmaster({
    binary: binaries.postgres,
    cluster: home.cluster,
    account: home.account,
    logFile: join(home.dataDir, 'postgres.log'),
    port,
    settings: volatile ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB', max_wal_size: '256MB' } : {},
    onOurDeath: stopSignal,
  });
  const urlFor = (user: string, password: string, database: string): string =>
    `postgres://${user}:${password}@127.0.0.1:${postmaster.port}/${database}`;
  try {
    await ensureDatabase(urlFor(SUPERUSER, passwords.superuser, 'postgres'), passwords.app);
  } catch (error) {
    await postmaster.stop(stopSignal);
    throw error;
  }
  postmaster.onUnexpectedEnd(() => log.warn(`PostgreSQL ended by itself; ${join(home.dataDir, 'postgres.log')} says why. Restart OmniTalk.`));
  let stopped: Promise<void> | undefined;
  return {
    url: ephemeral ? urlFor(SUPERUSER, passwords.superuser, APP) : urlFor(APP, passwords.app, APP),
    port: postmaster.port,
    stop() {
      stopped ??= postmaster.stop(stopSignal).then(() => home.release());
      return stopped;
    },
  };
}

/** Makes the cluster under another name first: a start that is killed half-way leaves nothing that looks finished. */
async function initialise(home: Home, initdb: string, passwords: Passwords, ephemeral: boolean): Promise<void> {
  const draft = `${home.cluster}.init`;
  const passwordFile = `${home.cluster}.pwfile`;
  await rm(draft, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, passwords.superuser, { mode: 0o600 });
    if (home.account.uid !== undefined && home.account.gid !== undefined) {
      await chown(draft, home.account.uid, home.account.gid);
      await chown(passwordFile, home.account.uid, home.account.gid);
    }
    await run(
      initdb,
      [
        `--pgdata=${draft}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // PostgreSQL's own C.UTF-8 sorts alike on every machine and never changes with the system's libc, which would break indexes.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        `--locale=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
        ...(ephemeral ? ['--no-sync'] : []),
        ...Object.entries(defaults()).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
      ],
      { ...home.account, cwd: '/', env: CHILD_ENV },
    );
    await rename(draft, home.cluster);
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`PostgreSQL's data could not be made in ${home.cluster}: ${stderr?.trim() || String(error)}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** Written once into postgresql.conf, where an operator may change them; durability stays at PostgreSQL's defaults, which is on. */
function defaults(): Record<string, string> {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity) / 1024 / 1024;
  const sharedBuffers = Math.round(Math.min(512, Math.max(128, memory / 8)));
  return {
    max_connections: '200',
    shared_buffers: `${sharedBuffers}MB`,
    effective_cache_size: `${sharedBuffers * 4}MB`,
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'pglz',
    random_page_cost: '1.1',
    // Short statements only: compiling one costs more than it saves.
    jit: 'off',
    // One forgotten transaction holds back every durable consumer of the event log.
    idle_in_transaction_session_timeout: '30s',
    log_lock_waits: 'on',
    // DETAIL lines quote rows, and rows hold what people wrote.
    log_error_verbosity: 'terse',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
}

/** Asked at each start, since a first start may have been killed before it came here. */
async function ensureDatabase(superuserUrl: string, appPassword: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '${APP}') AS role,
              EXISTS (SELECT FROM pg_database WHERE datname = '${APP}') AS database`,
    );
    // pg_monitor: the lag of the log's consumers is read from everyone's transactions.
    if (!rows[0]?.role) await client.query(`CREATE ROLE ${APP} LOGIN PASSWORD '${appPassword}' IN ROLE pg_monitor`);
    if (!rows[0]?.database) await client.query(`CREATE DATABASE ${APP} OWNER ${APP}`);
  } finally {
    await client.end();
  }
}
