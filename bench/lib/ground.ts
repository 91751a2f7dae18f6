import pg from 'pg';
import { createDataSource } from '../../ormconfig.js';
import { migrate } from '../../src/db/migrate.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/db/embedded-postgres.js';
import { cpuOfTree, parentOf } from './system.js';
import type { ServerProcess } from './server-process.js';

/** The PostgreSQL of one run: ephemeral, yet as durable as in production, and shared by everything that is compared. */
export class Ground {
  readonly #postmaster: number;

  private constructor(
    private readonly postgres: EmbeddedPostgres,
    readonly sql: pg.Pool,
    backend: number,
  ) {
    this.#postmaster = parentOf(backend);
  }

  static async prepare(): Promise<Ground> {
    const postgres = await startEmbeddedPostgres({ ephemeral: true, durable: true });
    try {
      const source = createDataSource(postgres.url);
      await source.initialize();
      await migrate(source);
      await source.destroy();
      const sql = new pg.Pool({ connectionString: postgres.url, max: 4 });
      const { rows } = await sql.query<{ pid: number }>('select pg_backend_pid() as pid');
      return new Ground(postgres, sql, rows[0]!.pid);
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  get url(): string {
    return this.postgres.url;
  }

  /** Makes every commit wait so many microseconds before it is flushed, as on a slower disk. */
  async delayCommits(microseconds: number): Promise<void> {
    await this.sql.query(`alter system set commit_delay = ${microseconds}`);
    await this.sql.query('alter system set commit_siblings = 0');
    await this.sql.query('select pg_reload_conf()');
  }

  databaseCpu(): number {
    return cpuOfTree(this.#postmaster);
  }

  async close(): Promise<void> {
    await this.sql.end();
    await this.postgres.stop();
  }
}

/** What one piece of work took. CPU in seconds; the client's tells whether it was the client that limited. */
export interface Cost {
  seconds: number;
  server: number;
  database: number;
  client: number;
}

export async function measured(ground: Ground, server: Pick<ServerProcess, 'cpu'>, work: () => Promise<unknown>): Promise<Cost> {
  const began = { at: performance.now(), server: server.cpu(), database: ground.databaseCpu(), client: process.cpuUsage() };
  await work();
  const client = process.cpuUsage(began.client);
  return {
    seconds: (performance.now() - began.at) / 1000,
    server: server.cpu() - began.server,
    database: ground.databaseCpu() - began.database,
    client: (client.user + client.system) / 1e6,
  };
}
