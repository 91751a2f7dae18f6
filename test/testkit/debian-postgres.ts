import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './processes.js';

const run = promisify(execFile);
const PACKAGES = '/usr/lib/postgresql';

/** The PostgreSQL of Debian's package, as operators bring one: a server of its own, and what comes with it. */
export class DebianPostgres {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<DebianPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-pg-'));
    const port = await freePort();
    const server = new DebianPostgres(folder, port);
    if (process.getuid?.() === 0) {
      const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)));
      await chown(folder, uid!, gid!);
    }
    await server.tool('initdb', ['-D', join(folder, 'data'), '-U', 'omnitalk', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
    await server.tool('pg_ctl', ['-D', join(folder, 'data'), '-w', '-l', join(folder, 'log'), '-o', `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`, 'start']);
    return server;
  }

  url(database: string): string {
    return `postgres://omnitalk@127.0.0.1:${this.port}/${database}`;
  }

  async create(database: string): Promise<void> {
    await this.sql('postgres', `create database ${database}`);
  }

  /** Statements, as an operator types them. */
  async sql(database: string, text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  /** A program of the package, as whom PostgreSQL may run. */
  async tool(name: string, args: readonly string[]): Promise<void> {
    const version = readdirSync(PACKAGES).map(Number).filter(Boolean).sort((a, b) => b - a)[0];
    const program = join(PACKAGES, String(version), 'bin', name);
    // What stays running must not hold the pipes of what started it: no output is taken.
    const [command, rest] = process.getuid?.() === 0 ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, [...args]];
    await run(command as string, rest as string[], { cwd: this.folder, env: { ...process.env, LC_ALL: 'C' } });
  }

  async stop(): Promise<void> {
    await this.tool('pg_ctl', ['-D', join(this.folder, 'data'), '-m', 'immediate', '-w', 'stop']);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Where its tools may write. */
  file(name: string): string {
    return join(this.folder, name);
  }
}
