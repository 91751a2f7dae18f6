import pg from 'pg';
import { CONNECTION_LIMITS } from '../db/connection-limits.js';
import { isUnavailable } from '../db/failures.js';

/** What graphile-worker tries again, after 50 ms and later and later, up to 5 s: a hundred times. */
const TRIED_AGAIN = '40001';
const AGAIN_MS = 500;

class JobClient extends pg.Client {
  override query(...args: unknown[]): never {
    const answer = (super.query as (...all: unknown[]) => unknown).apply(this, args);
    return (answer instanceof Promise ? answer.catch((error: Error) => Promise.reject(isUnavailable(error) ? Object.assign(new Error(error.message, { cause: error }), { code: TRIED_AGAIN }) : error)) : answer) as never;
  }
}

/**
 * The connections of a job runner. graphile-worker waits for nobody when it settles a job that has ended, and a failure which it does not try again ends the process:
 * so a connection is waited for as long as PostgreSQL is away, and a statement whose connection is lost fails as one that is tried again. What it settles is settled as well twice.
 */
export class JobPool extends pg.Pool {
  constructor(options: pg.PoolConfig) {
    // As all connections: one to a host that has fallen silent is given up, also the one that only listens, whose name says that its worker is alive.
    super({ ...CONNECTION_LIMITS, ...options, Client: JobClient });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void): void;
  override connect(callback?: (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void): Promise<pg.PoolClient> | void {
    return callback ? super.connect(callback) : this.#patiently();
  }

  async #patiently(): Promise<pg.PoolClient> {
    for (;;) {
      try {
        return await super.connect();
      } catch (error) {
        if (!isUnavailable(error) || this.ending) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}
