import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Database } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import { MlRefusal } from '../../ml/errors.js';
import type { ClusterGroups } from './cluster-groups.js';
import { ModelStore } from './model-store.js';
import type { TrainingJob } from './models.js';
import type { TrainedModel } from './trainer.js';
import { ENGINE_CALLS, errorOf, failureOf, type FromTraining, type ToTraining, type TrainingEngine, type TrainingStart } from './training-protocol.js';

const MAX_HEAP_MB = 2_048;

/** Runs trainings, each in a thread of its own (training-thread.ts), and tells how they ended. */
export class Trainings {
  readonly #store: ModelStore;
  readonly #running = new Set<Worker>();
  #closed = false;

  constructor(
    private readonly db: Pick<Database, 'background' | 'source'>,
    unitOfWork: UnitOfWork,
    private readonly engine: TrainingEngine,
    private readonly groups: ClusterGroups,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.#store = new ModelStore(db.background, unitOfWork);
  }

  /**
   * The job of one training. A repeat after a crash begins from the start. What fails for good is a version that has FAILED; where the engine has no room, or the
   * process ends meanwhile, the job is tried again later and the version stays TRAINING.
   */
  async run({ id }: TrainingJob): Promise<void> {
    try {
      const trained = await this.#inThread(id);
      if (!trained) return;
      await this.groups.make(trained.clusters);
      this.log.info({ model: id, ...trained.metrics }, 'a model was trained');
    } catch (error) {
      const refusal = error instanceof MlRefusal ? error.reason : null;
      if (this.#closed || refusal === 'BUSY') throw error;
      await this.#store.fail(id, refusal ? (error as Error).message : 'The training failed; the log says why.');
      this.log.error({ model: id, error: (error as Error).message, stack: (error as Error).stack }, 'a training failed');
    }
  }

  /** Ends what is under way, with its threads. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((thread) => thread.terminate()));
  }

  #inThread(id: string): Promise<TrainedModel | null> {
    if (this.#closed) return Promise.reject(new Error('The server ends.'));
    const { url } = this.db.source.options as { url?: string };
    const start: TrainingStart = { id, databaseUrl: url!, now: this.clock.now().getTime() };
    // In development the sources run as they are, by the loader that this process was started with; threads inherit it.
    const thread = new Worker(new URL(`./training-thread${extname(import.meta.url)}`, import.meta.url), { workerData: start, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    this.#running.add(thread);
    return new Promise<TrainedModel | null>((resolve, reject) => {
      thread.on('message', (message: FromTraining) => {
        if ('done' in message) resolve(message.done);
        else if ('failed' in message) reject(errorOf(message.failed));
        else void this.#ask(message).then((answer) => thread.postMessage(answer));
      });
      thread.on('error', reject);
      thread.on('exit', () => {
        this.#running.delete(thread);
        reject(new Error('The thread of the training ended before it was done.'));
      });
    });
  }

  async #ask({ ask, call, input }: Extract<FromTraining, { ask: number }>): Promise<ToTraining> {
    try {
      if (!ENGINE_CALLS.includes(call)) throw new Error(`The engine has no ${String(call)}.`);
      return { ask, result: await (this.engine[call] as (...given: unknown[]) => Promise<unknown>)(...input) };
    } catch (error) {
      return { ask, failed: failureOf(error) };
    }
  }
}
