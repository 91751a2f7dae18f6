import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, HERE, type Place } from './processes.js';

const run = promisify(execFile);
const PACKAGES = '/usr/lib/postgresql';
const START_MS = 30_000;
/** Whom PostgreSQL runs as where we are root. */
const ACCOUNT = 'postgres';

function program(name: string): string {
  const version = readdirSync(PACKAGES).map(Number).filter(Boolean).sort((a, b) => b - a)[0];
  return join(PACKAGES, String(version), 'bin', name);
}
const isRoot = () => process.getuid?.() === 0;

export interface PostgresOptions {
  place?: Place;
  /** Where its data goes, to be made; default: a folder for temporary files. Removed with it. */
  folder?: string;
  settings?: Record<string, string>;
}

/** Debian's PostgreSQL as a child of ours: killed, stopped and started again at will, alone or with replicas. */
export class PostgresProcess {
  #child: ChildProcess | null = null;

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly place: Place,
  ) {}

  static async start({ place = HERE, folder, settings = {} }: PostgresOptions = {}): Promise<PostgresProcess> {
    const server = await PostgresProcess.#make(place, folder);
    await server.#tool('initdb', ['-D', server.#data, '-U', 'omnitalk', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
    const written = { fsync: 'off', wal_level: 'replica', max_wal_senders: '8', max_connections: '120', hot_standby: 'on', wal_keep_size: '64MB', ...settings };
    await appendFile(join(server.#data, 'postgresql.conf'), Object.entries(written).map(([name, value]) => `\n${name} = '${value}'`).join(''));
    await appendFile(join(server.#data, 'pg_hba.conf'), '\nhost all all all trust\nhost replication all all trust\n');
    await server.start();
    await server.sql('create database omnitalk', 'postgres');
    return server;
  }

  static async #make(place: Place, folder?: string): Promise<PostgresProcess> {
    if (folder) await mkdir(folder);
    const made = folder ?? (await mkdtemp(join(tmpdir(), 'omnitalk-pg-')));
    if (isRoot()) {
      const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, ACCOUNT])).stdout)));
      await chown(made, uid!, gid!);
    }
    await chmod(made, 0o700);
    return new PostgresProcess(made, await freePort(), place);
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `postgres://omnitalk@${this.place.address}:${this.port}/omnitalk`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Whether it has ended by itself. */
  get ended(): boolean {
    return this.#child !== null && (this.#child.exitCode !== null || this.#child.signalCode !== null);
  }

  /** Starts it (again), on the same port; resolves when it answers. */
  async start(): Promise<void> {
    // Who becomes somebody else loses the tie to us: it is made after that.
    const account = isRoot() ? ['--reuid', ACCOUNT, '--regid', ACCOUNT, '--clear-groups'] : [];
    const args = [...this.place.within, '/usr/bin/setpriv', ...account, '/usr/bin/setpriv', '--pdeathsig', 'INT', program('postgres'), '-D', this.#data, '-p', String(this.port), '-k', this.folder, '-c', `listen_addresses=${this.place.address}`];
    const child = spawn(args[0]!, args.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-5_000)));
    this.#child = child;
    const end = Date.now() + START_MS;
    for (;;) {
      const up = await this.sql('select 1', 'postgres').then(() => true, () => false);
      if (up) return;
      if (child.exitCode !== null || Date.now() > end) throw new Error(`PostgreSQL did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A statement by a connection of its own. */
  async sql<Row extends object>(text: string, database = 'omnitalk', values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ host: this.place.address, port: this.port, user: 'omnitalk', database, connectionTimeoutMillis: 3_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row & pg.QueryResultRow>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** A copy that follows this one as it goes. */
  async replica(folder?: string, settings: Record<string, string> = {}): Promise<PostgresProcess> {
    const copy = await PostgresProcess.#make(this.place, folder);
    await copy.#tool('pg_basebackup', ['-h', this.place.address, '-p', String(this.port), '-U', 'omnitalk', '-D', copy.#data, '-R', '-X', 'stream', '-c', 'fast']);
    await appendFile(join(copy.#data, 'postgresql.conf'), Object.entries(settings).map(([name, value]) => `\n${name} = '${value}'`).join(''));
    await copy.start();
    return copy;
  }

  async promote(): Promise<void> {
    await this.#tool('pg_ctl', ['-D', this.#data, '-w', 'promote']);
  }

  /** `fast` ends everybody's connection and writes what is needed; `immediate` is a crash with a word. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  /** By SIGKILL; those that serve its connections end as they notice. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    // The next start refuses while somebody still holds the memory of the old one.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }

  async close(): Promise<void> {
    await this.#end('SIGQUIT');
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async #tool(name: string, args: readonly string[]): Promise<void> {
    const command = [...this.place.within, ...(isRoot() ? ['runuser', '-u', ACCOUNT, '--'] : []), program(name), ...args];
    await run(command[0]!, command.slice(1), { cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
  }
}
