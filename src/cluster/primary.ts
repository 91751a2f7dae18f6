import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { prepareDatabase } from '../app.js';
import { filesPortOf, withSettings, type Config } from '../config.js';
import type { Logger } from '../lib/logger.js';
import { BoxFigures } from './figures.js';
import { Restarts } from './restarts.js';
import { allowedConnections, mediaOf, poolOf } from './shares.js';
import { WORKER_ARGUMENT, type FromPrimary, type FromWorker } from './talk.js';

/** Beyond DRAIN, and beyond what a worker gives itself: then it is killed. */
const STOP_MS = 8_000;

/** A worker can't start, or dies over and over. The message holds what it said. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';
}

/** Makes the process of a worker; replaced in tests. What it can't have is told by an 'error', or thrown: it depends on what the system is short of. */
export type Fork = (number: number, env: NodeJS.ProcessEnv) => ChildProcess;

const forkWorker: Fork = (number, env) => fork(process.argv[1]!, [`${WORKER_ARGUMENT}${number}`], { env });

/** The place of a worker. Whoever dies in it is replaced. */
interface Slot {
  number: number;
  worker: ChildProcess | null;
  restarts: Restarts;
  again: NodeJS.Timeout | null;
}

/** WORKERS processes on one port. The primary serves nobody: it does what must be done once, and keeps the others alive. */
export class Workers {
  readonly #slots: Slot[];
  readonly #figures: BoxFigures;
  #stopping: Promise<void> | null = null;
  #started = false;
  #deaths = 0;
  /** Where all of them listen: http://host:port */
  #url = '';
  /** Of all of them, once the first has found it. */
  #filesPort: number | null = null;

  private constructor(
    private readonly config: Config & { DATABASE_URL: string },
    private readonly log: Logger,
    private readonly onCrashLoop: (failure: WorkerFailure) => void,
    private readonly fork: Fork,
  ) {
    this.#slots = Array.from({ length: config.WORKERS }, (_, index) => ({ number: index + 1, worker: null, restarts: new Restarts(), again: null }));
    this.#figures = new BoxFigures(() => ({ alive: this.#slots.filter(({ worker }) => worker).length, deaths: this.#deaths }));
  }

  /**
   * Resolves once all of them serve. `onCrashLoop` hears, once, that one of them can't be kept alive.
   * @throws ConfigError, or WorkerFailure with none of them left
   */
  static async start(config: Config & { DATABASE_URL: string }, log: Logger, onCrashLoop: (failure: WorkerFailure) => void, fork = forkWorker): Promise<Workers> {
    await prepareDatabase(config.DATABASE_URL);
    const pool = poolOf(config.WORKERS, config.DATABASE_POOL, await allowedConnections(config.DATABASE_URL));
    if (pool < config.DATABASE_POOL) log.warn({ pool, wished: config.DATABASE_POOL }, 'PostgreSQL does not allow so many connections: each worker has fewer');
    await assertFree(config);
    const workers = new Workers({ ...config, DATABASE_POOL: pool }, log, onCrashLoop, fork);
    // However the primary ends, nobody outlives it: of a SIGKILL the workers hear by their channel.
    process.on('exit', () => workers.#kill());
    try {
      // With PORT=0 the first one finds the port of all.
      if (config.PORT === 0) workers.#url = await workers.#launch(workers.#slots[0]!);
      const urls = await Promise.all(workers.#slots.filter(({ worker }) => !worker).map((slot) => workers.#launch(slot)));
      workers.#url ||= urls[0]!;
      const dead = workers.#slots.find(({ worker }) => !worker);
      if (dead) throw new WorkerFailure(`worker ${dead.number} died while the others were starting`);
      workers.#started = true;
    } catch (error) {
      await workers.stop();
      throw error;
    }
    return workers;
  }

  get url(): string {
    return this.#url;
  }

  /** All of them drain. Idempotent. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  /** Starts the worker of a slot; resolves with its address once it serves, and rejects when it ends before. */
  #launch(slot: Slot): Promise<string> {
    const settings = {
      DATABASE_URL: this.config.DATABASE_URL,
      DATABASE_POOL: String(this.config.DATABASE_POOL),
      // Queues and sweeps are safe in many processes; in one, they ask the database no more often than with one process.
      JOBS: String(this.config.JOBS && slot.number === 1),
      ...mediaOf(this.config, slot.number),
      PORT: this.#url ? new URL(this.#url).port : String(this.config.PORT),
      FILES_PORT: String(this.#filesPort ?? filesPortOf(this.config)),
    };
    const startedAt = performance.now();
    return new Promise((resolve, reject) => {
      const ended = (how: string, asked = false) => {
        const failure = new WorkerFailure(`worker ${slot.number} ${how}`);
        reject(failure);
        if (!this.#stopping && this.#started) this.#replace(slot, asked ? null : failure, performance.now() - startedAt);
      };
      let worker: ChildProcess;
      try {
        worker = this.fork(slot.number, withSettings(settings));
      } catch (error) {
        return ended(`could not be started: ${(error as Error).message}`);
      }
      worker.on('error', (error) => {
        // A process that never was does not exit either.
        if (worker.pid === undefined) ended(`could not be started: ${error.message}`);
        else this.log.warn({ worker: slot.number, error: error.message }, 'a worker could not be reached');
      });
      if (worker.pid === undefined) return;
      let reason: string | null = null;
      slot.worker = worker;
      this.#figures.joined(slot.number, (message: FromPrimary) => void worker.send(message, () => undefined));
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'serving') {
          this.#filesPort ??= message.filesPort;
          resolve(message.url);
        } else if (message.kind === 'failed') reason = message.reason;
        else this.#figures.hear(slot.number, message);
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        slot.worker = null;
        this.#figures.left(slot.number);
        ended(`ended ${signal ? `by ${signal}` : `with code ${code}`}${reason ? `: ${reason}` : ''}`, code === 0);
      });
    });
  }

  /** Starts another one: at once after one that was told to stop, later and later after those that died. */
  #replace(slot: Slot, failure: WorkerFailure | null, livedMs: number): void {
    let pause: number | null = 0;
    if (failure) {
      this.#deaths++;
      pause = slot.restarts.died(livedMs);
    }
    if (pause === null) {
      this.onCrashLoop(new WorkerFailure(`${failure!.message}\nThat was the ${slot.restarts.deaths}th time in a row; it is not started again.`));
      return;
    }
    this.log[failure ? 'error' : 'info']({ worker: slot.number, pause, reason: failure?.message }, 'a worker ended; starting another');
    slot.again = setTimeout(() => {
      slot.again = null;
      this.#launch(slot).then(
        () => this.log.info({ worker: slot.number }, 'a worker serves again'),
        () => undefined, // its end is told above
      );
    }, pause);
  }

  async #stop(): Promise<void> {
    const late = setTimeout(() => {
      this.log.error('workers did not stop in time; killing them');
      this.#kill();
    }, this.config.DRAIN * 1000 + STOP_MS);
    await Promise.all(
      this.#slots.map(async (slot) => {
        if (slot.again) clearTimeout(slot.again);
        const { worker } = slot;
        if (!worker) return;
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.send({ kind: 'stop' } satisfies FromPrimary, () => undefined);
        await ended;
      }),
    );
    clearTimeout(late);
  }

  #kill(): void {
    for (const { worker } of this.#slots) worker?.kill('SIGKILL');
  }
}

/** Workers share a port with whoever else asks to share it: another OmniTalk there would go unnoticed, and take half of the connections. */
async function assertFree(config: Config): Promise<void> {
  for (const port of [config.PORT, filesPortOf(config)]) {
    const server = createServer().listen(port, config.HOST);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
}
