import { createHash, randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { lockDataDir, ownerOf } from './data-lock.js';
import { type Account, canEnter, chooseAccount, makeSystemHome, SYSTEM_HOME } from './postgres-account.js';
import { stopPostmasterOf } from './postmaster.js';

const EPHEMERAL_PREFIX = 'omnitalk-pg-';
/** Linux keeps what is written there in memory. */
const MEMORY = '/dev/shm';
const TMPFS = 0x01021994;
const LEAST_FREE_BYTES = 2 * 1024 ** 3;

export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** Where one embedded PostgreSQL lives, held by the lock of this process until `release`. */
export interface Home {
  dataDir: string;
  /** The data of PostgreSQL; absent until `initdb` has run. */
  cluster: string;
  account: Account;
  release(): Promise<void>;
}

export interface Passwords {
  superuser: string;
  app: string;
}

/** Opens (or makes) a data folder that lasts. */
export async function openHome(folder: string, log: Log): Promise<Home> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const dataDir = await realpath(folder);
    const release = await lockDataDir(dataDir);
    try {
      const account = await chooseAccount(join(dataDir, 'postgres'));
      return { dataDir, cluster: await clusterOf(dataDir, account, log), account, release };
    } catch (error) {
      await release();
      throw error;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new Error(
      `${folder} can't be written by user ${userInfo().username}. Give it to that user (\`chown -R\`), or set DATA_DIR to a folder that it owns.`,
      { cause: error },
    );
  }
}

/** Makes a folder for one test run, in memory where that is wanted and there is room, and clears those whose test runs were killed. */
export async function openEphemeralHome(log: Log, { inMemory }: { inMemory: boolean }): Promise<Home> {
  await sweepEphemeral(log);
  const account = await chooseAccount('');
  let base = inMemory && (await hasRoomInMemory()) ? MEMORY : tmpdir();
  if (!(await canEnter(account, base))) {
    await makeSystemHome();
    base = SYSTEM_HOME;
  }
  const dataDir = await realpath(await mkdtemp(join(base, EPHEMERAL_PREFIX)));
  // User postgres passes through to its own folder; the passwords beside it are 0600.
  await chmod(dataDir, 0o711);
  const release = await lockDataDir(dataDir);
  return {
    dataDir,
    cluster: join(dataDir, 'postgres'),
    account,
    async release() {
      await rm(dataDir, { recursive: true, force: true });
      await release();
    },
  };
}

async function hasRoomInMemory(): Promise<boolean> {
  const about = await statfs(MEMORY).catch(() => null);
  return about !== null && about.type === TMPFS && about.bavail * about.bsize >= LEAST_FREE_BYTES;
}

async function sweepEphemeral(log: Log): Promise<void> {
  for (const base of new Set([tmpdir(), MEMORY, SYSTEM_HOME])) {
    for (const name of await readdir(base).catch(() => [])) {
      if (!name.startsWith(EPHEMERAL_PREFIX)) continue;
      const folder = join(base, name);
      const about = await lstat(folder).catch(() => undefined);
      // Anyone may write to /tmp: only what is really ours is removed.
      if (!about?.isDirectory() || about.uid !== process.getuid?.()) continue;
      // One without a lock is either being made this moment or half removed.
      const locked = await stat(join(folder, 'omnitalk.lock')).catch(() => undefined);
      if (!locked && Date.now() - about.mtimeMs < 600_000) continue;
      if (await ownerOf(folder)) continue;
      try {
        await stopPostmasterOf(join(folder, 'postgres'), 'SIGQUIT', log);
        await rm(folder, { recursive: true, force: true });
        log.info(`Removed ${folder}, left by a test run that was killed`);
      } catch (error) {
        // Another run may be sweeping it this moment, and what can't be swept is no reason not to start.
        log.warn(`${folder}, left by a test run that was killed, could not be removed: ${String(error)}`);
      }
    }
  }
}

/**
 * The folder of PostgreSQL's data: `postgres` in the data folder, or, where its account can't reach that (a clone under /root, mode 0700),
 * a folder under /var/lib/omnitalk to which `postgres` is then a link.
 */
async function clusterOf(dataDir: string, account: Account, log: Log): Promise<string> {
  const local = join(dataDir, 'postgres');
  const linked = await readlink(local).catch(() => undefined);
  if (linked !== undefined) return linked;
  if (await canEnter(account, dataDir)) return local;
  const occupied = await stat(local).catch(() => undefined);
  if (occupied) {
    throw new Error(
      `The user of PostgreSQL (uid ${account.uid}) can no longer reach its data in ${local}: a parent folder was closed. ` +
        'Open that folder for traversal again (`chmod o+x`), or move the data away.',
    );
  }
  await makeSystemHome();
  const remote = join(SYSTEM_HOME, createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
  if (await stat(remote).catch(() => undefined)) {
    // The data folder was removed, and with it the passwords. Removing it means starting anew; but nothing is ever thrown away here.
    const aside = `${remote}.${Date.now()}`;
    await rename(remote, aside);
    log.warn(`${dataDir} is new, though data of an earlier folder of that name is here: moved to ${aside}; delete it if you don't need it`);
  }
  await mkdir(remote);
  await chmod(remote, 0o711);
  await symlink(join(remote, 'postgres'), local);
  log.info(`User postgres can't reach ${dataDir}; its data lies in ${remote}`);
  return join(remote, 'postgres');
}

/** The passwords of the two database users, made at the first start and kept, readable by our user only. */
export async function passwordsOf(home: Home, isNew: boolean): Promise<Passwords> {
  const file = join(home.dataDir, 'postgres.passwords');
  if (isNew) {
    const random = (): string => randomBytes(24).toString('base64url');
    const passwords = { superuser: random(), app: random() };
    await writeFile(file, JSON.stringify(passwords), { mode: 0o600 });
    await chmod(file, 0o600);
    return passwords;
  }
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Passwords;
  } catch (error) {
    throw new Error(
      `The database in ${home.cluster} has its passwords in ${file}, which can't be read. Put that file back from a backup, or move the ` +
        'database away to start anew.',
      { cause: error },
    );
  }
}
