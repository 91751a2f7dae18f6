import pg from 'pg';
import type { Logger } from '../lib/logger.js';
import { runPrepared, type Sql } from './database.js';
import { isUnavailable } from './failures.js';
import { surviveLoss } from './lost-connections.js';

export interface ReadReplicasOptions {
  urls: readonly string[];
  /** Connections to each. */
  pool: number;
  /** How long one operation waits for a replica to come up to it, milliseconds; then the primary is asked. */
  waitMs: number;
}

const CONNECT_MS = 2_000;
const STATEMENT_MS = 10_000;
/** How often a replica that somebody waits for is looked at. */
const LOOK_EVERY_MS = 2;
/** And one that could not be waited for, until it is there again. */
const LATE_EVERY_MS = 200;

/** Positions in the log of writes, `16/B374D848`, as numbers that compare. */
const positionOf = (lsn: string): bigint => {
  const [high, low] = lsn.split('/') as [string, string];
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
};

/** One replica: how far it has come. */
class Replica {
  readonly #pool: pg.Pool;
  #replayed = 0n;
  /** It is away, or farther behind than anybody waits. */
  #late = false;
  /** It answered when it was last looked at, as a replica. */
  #reachable = true;
  #looking: Promise<void> | null = null;
  #again: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(
    url: string,
    connections: number,
    private readonly log: Pick<Logger, 'warn' | 'info'>,
  ) {
    this.#pool = new pg.Pool({ connectionString: url, max: connections, connectionTimeoutMillis: CONNECT_MS, statement_timeout: STATEMENT_MS, application_name: 'omnitalk reads', onConnect: surviveLoss });
    // Whoever answers there next may be another one, and not as far: how far this one had come says nothing any more.
    this.#pool.on('error', (error) => this.failed(error.message));
  }

  run<Row extends object>(text: string, values: unknown[]): Promise<Row[]> {
    return runPrepared<Row>(this.#pool, text, values);
  }

  /** Whether it has come to a position, within so many milliseconds. */
  async reaches(position: bigint, waitMs: number): Promise<boolean> {
    if (this.#replayed >= position) return !this.#late;
    if (this.#late) return false;
    const end = performance.now() + waitMs;
    for (;;) {
      const left = end - performance.now();
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([this.#look(), new Promise((resolve) => (timer = setTimeout(resolve, Math.max(0, left))))]);
      clearTimeout(timer);
      if (this.#replayed >= position) return true;
      if (this.#late || this.#closed) return false;
      if (performance.now() >= end) {
        this.failed(`it is farther behind than ${waitMs} ms`, position);
        return false;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Nobody waits for it again before it has come to this position. */
  failed(why: string, position = this.#replayed): void {
    if (this.#late || this.#closed) return;
    this.#late = true;
    this.log.warn({ why }, 'a replica is not read from for now');
    const look = async (): Promise<void> => {
      await this.#look(true);
      if (this.#closed) return;
      if (this.#reachable && this.#replayed >= position) {
        this.#late = false;
        this.log.info('a replica is read from again');
      } else this.#again = setTimeout(() => void look(), LATE_EVERY_MS).unref();
    };
    this.#again = setTimeout(() => void look(), LATE_EVERY_MS).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#again) clearTimeout(this.#again);
    await this.#pool.end();
  }

  #look(quiet = false): Promise<void> {
    return (this.#looking ??= this.run<{ lsn: string | null }>('select pg_last_wal_replay_lsn()::text as lsn', [])
      .then(
        ([row]) => {
          // A replica that has become a primary replays nothing, and is not asked: its history may be another one.
          this.#reachable = row!.lsn !== null;
          if (row!.lsn !== null) this.#replayed = positionOf(row!.lsn);
          else if (!quiet) this.failed('it is no replica');
        },
        (error: Error) => {
          this.#reachable = false;
          if (!quiet) this.failed(error.message);
        },
      )
      .finally(() => (this.#looking = null)));
  }
}

/**
 * Reads from streaming replicas that never show less than what was committed when the operation began, whoever committed it and wherever: so one's own writes,
 * and what an event has told of, are there. The primary says how far its log of writes goes (one question for all operations that wait at the time), and a replica is asked
 * once it has come that far. One that does not in time is not waited for until it is there again, and the primary answers.
 */
export class ReadReplicas {
  readonly #all: Replica[];
  #next = 0;
  #asking: Promise<bigint> | null = null;
  #asked: Promise<bigint> | null = null;
  /** Statements that a replica has answered, and such that went to the primary although there are replicas. */
  readonly figures = { replica: 0, primary: 0 };

  constructor(
    private readonly primary: Sql,
    private readonly options: ReadReplicasOptions,
    log: Pick<Logger, 'warn' | 'info'>,
  ) {
    this.#all = options.urls.map((url) => new Replica(url, options.pool, log));
  }

  /** The reads of one operation, which writes nothing: by one replica, chosen at the first of them, or by the primary. */
  reads(): Sql {
    let choice: Promise<Replica | null> | null = null;
    return async <Row extends object>(text: string, values: unknown[] = []) => {
      const replica = await (choice ??= this.#choose());
      if (replica) {
        try {
          const rows = await replica.run<Row>(text, values);
          this.figures.replica++;
          return rows;
        } catch (error) {
          // Whatever a replica can't do (a conflict with what it replays, a statement that writes after all), the primary can, or says why not.
          if (isUnavailable(error)) replica.failed((error as Error).message);
        }
      }
      this.figures.primary++;
      return this.primary<Row>(text, values);
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((replica) => replica.close()));
  }

  async #choose(): Promise<Replica | null> {
    const position = await this.#position();
    for (let tried = 0; tried < this.#all.length; tried++) {
      const replica = this.#all[this.#next++ % this.#all.length]!;
      if (await replica.reaches(position, this.options.waitMs)) return replica;
    }
    return null;
  }

  /** Where the primary's log ended at some time after now. Who comes while a question is under way waits for the next one: its answer may be of before. */
  #position(): Promise<bigint> {
    if (!this.#asking) return this.#ask();
    return (this.#asked ??= this.#asking.then(
      () => this.#askNext(),
      () => this.#askNext(),
    ));
  }

  #askNext(): Promise<bigint> {
    this.#asked = null;
    return this.#asking ?? this.#ask();
  }

  #ask(): Promise<bigint> {
    const asking = this.primary<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn').then(([row]) => positionOf(row!.lsn));
    this.#asking = asking;
    const done = () => {
      if (this.#asking === asking) this.#asking = null;
    };
    asking.then(done, done);
    return asking;
  }
}
