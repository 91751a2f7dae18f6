import { Logger as WorkerLogger, parseCronItems, run, type CronItem, type Runner, type TaskList } from 'graphile-worker';
import { EventEmitter } from 'node:events';
import type pg from 'pg';
import type { Clock } from '../lib/clock.js';
import { inTime } from '../lib/in-time.js';
import type { Logger } from '../lib/logger.js';
import { DueWatch } from './due-watch.js';
import { JobPool } from './job-pool.js';
import { Sweeper, type Sweep } from './sweeper.js';

export type RunnableTask = (payload: object) => Promise<void>;

export interface RunnerOptions {
  databaseUrl: string;
  /** What each kind of job does. A job may run more than once (at least once): a task is written so that a repeat does no harm. */
  tasks: Readonly<Record<string, RunnableTask>>;
  /** Milliseconds after which a task has failed by not ending: three that never end would leave nobody to run any other. */
  limitMs: (task: string) => number;
  /** When tasks run by themselves: cron patterns, in UTC. */
  schedules: Readonly<Record<string, string>>;
  sweeps: readonly Sweep[];
  /** What sweeps go by. */
  clock: Clock;
  log: Logger;
}

export interface JobFailure {
  task: string;
  error: string;
  at: Date;
  /** How often it was tried, e^attempts seconds apart (six hours at most); after 25 it is given up, and stays in graphile_worker.jobs. */
  attempts: number;
}

/** One connection listens, the others fetch and settle; the tasks themselves use the process's pool. */
const CONNECTIONS = 3;
/** Two may be busy for minutes, one of each queue: with large files, and with what nobody waits for (LONG_WORK). The third is for what somebody waits for, as a code. */
const CONCURRENT = 3;
const RESTART_MS = 5_000;
/** A long-running job's lock is judged by its worker's connection, which may be away for a moment. */
const ORPHAN_SECONDS = 120;
const ORPHAN_CHECK_MS = 60_000;

/** The name of a worker's connection: while it stands, the jobs that the worker has locked are under way. */
const connectionName = (poolId: string): string => `omnitalk jobs ${poolId}`;

/** Runs background jobs and sweeps in this process: any number of processes share the work. */
export class JobRunner {
  readonly #sweepers: Sweeper[];
  readonly #watch: DueWatch;
  readonly #pool: JobPool;
  readonly #orphans: NodeJS.Timeout;
  #runner: Runner | null = null;
  #restart: NodeJS.Timeout | null = null;
  #stopping: Promise<void> | null = null;
  done = 0;
  failed = 0;
  lastFailure: JobFailure | null = null;

  private constructor(private readonly options: RunnerOptions) {
    const { databaseUrl, sweeps, clock, log } = options;
    this.#sweepers = sweeps.map((sweep) => new Sweeper(sweep, log));
    this.#pool = new JobPool({ connectionString: databaseUrl, max: CONNECTIONS });
    const lost = (error: Error) => log.warn({ error: error.message }, 'a connection of the job runner was lost');
    this.#pool.on('error', lost);
    this.#pool.on('connect', (client) => client.on('error', lost));
    this.#watch = new DueWatch(this.#sweepers, (statement) => this.#pool.query<{ due: string[] }>(statement), clock, log);
    this.#orphans = setInterval(() => void this.freeOrphans().catch(lost), ORPHAN_CHECK_MS);
    this.#orphans.unref();
  }

  static async start(options: RunnerOptions): Promise<JobRunner> {
    const runner = new JobRunner(options);
    await runner.#begin();
    for (const sweeper of runner.#sweepers) sweeper.start();
    runner.#watch.start();
    return runner;
  }

  /** Takes no more jobs and waits for those under way, at most so long; what was cut off is tried again by another process. */
  stop(patienceMs: number): Promise<void> {
    return (this.#stopping ??= this.#stop(patienceMs));
  }

  /** Lets others take the jobs of processes that died at work. Without this they would stay locked for four hours. */
  async freeOrphans(): Promise<void> {
    await this.#pool.query(
      `select graphile_worker.force_unlock_workers(array_agg(distinct locked_by)) from graphile_worker.jobs j
       where locked_at < now() - make_interval(secs => $1) and not exists (select from pg_stat_activity a where a.application_name = left($2 || j.locked_by, 63))
       having count(*) > 0`,
      [ORPHAN_SECONDS, connectionName('')],
    );
  }

  async #begin(): Promise<void> {
    const { tasks, limitMs, schedules, log } = this.options;
    const events = new EventEmitter();
    events.on('job:success', () => this.done++);
    events.on('job:error', ({ job, error }: { job: { task_identifier: string; attempts: number }; error: unknown }) => {
      this.failed++;
      const message = error instanceof Error ? error.message : String(error);
      this.lastFailure = { task: job.task_identifier, error: message, at: new Date(), attempts: job.attempts };
      log.error({ task: job.task_identifier, attempts: job.attempts, error: message, stack: error instanceof Error ? error.stack : undefined }, 'a job failed');
    });
    events.on('pool:listen:success', ({ client, workerPool }: { client: pg.PoolClient; workerPool: { id: string } }) => {
      // Once its LISTEN is through: a client takes one statement at a time.
      client.once('drain', () => {
        client.query(`select set_config('application_name', $1, false)`, [connectionName(workerPool.id)]).catch(() => undefined); // its loss is met by the worker
      });
    });
    const taskList: TaskList = Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, (payload: unknown) => inTime(task(payload as object), limitMs(name), `the job did not end within ${limitMs(name) / 1000} s`)]));
    const items = Object.entries(schedules).map(([task, match]): CronItem => ({ task, match, identifier: task, options: { backfillPeriod: 0, jobKey: `schedule ${task}` } }));
    this.#runner = await run({
      pgPool: this.#pool, taskList, parsedCronItems: parseCronItems(items), concurrency: CONCURRENT, noHandleSignals: true, logger: workerLogger(log),
      events: events as NonNullable<Parameters<typeof run>[0]['events']>,
    });
    // It ends by itself only when something is badly wrong (the database is away for long): then it begins again.
    const again = (error?: unknown) => {
      if (this.#stopping) return;
      log.error({ error: error instanceof Error ? error.message : undefined }, 'the job runner ended; starting it again');
      this.#restartSoon();
    };
    this.#runner.promise.then(() => again(), again);
  }

  #restartSoon(): void {
    this.#restart = setTimeout(() => {
      this.#begin().catch((error: Error) => {
        this.options.log.error({ error: error.message }, 'the job runner could not start');
        if (!this.#stopping) this.#restartSoon();
      });
    }, RESTART_MS);
    this.#restart.unref();
  }

  async #stop(patienceMs: number): Promise<void> {
    clearInterval(this.#orphans);
    if (this.#restart) clearTimeout(this.#restart);
    const runner = this.#runner;
    const gently = Promise.all([this.#watch.stop(), ...this.#sweepers.map((sweeper) => sweeper.stop()), runner?.stop().catch(() => undefined)]);
    let timer: NodeJS.Timeout | undefined;
    const late = await Promise.race([gently.then(() => false), new Promise<true>((resolve) => (timer = setTimeout(() => resolve(true), patienceMs)))]);
    clearTimeout(timer);
    if (late) {
      this.options.log.warn('jobs were still running at the stop; they will be tried again');
      await runner?.kill().catch(() => undefined);
    }
    await this.#pool.end();
  }
}

/** The worker's own chatter goes to our log, a step quieter: what matters is told by its events. */
function workerLogger(log: Logger): WorkerLogger {
  return new WorkerLogger(() => (level, message) => {
    if (level === 'error' || level === 'warning') log.warn({ worker: message }, 'job runner');
    else log.debug({ worker: message }, 'job runner');
  });
}
