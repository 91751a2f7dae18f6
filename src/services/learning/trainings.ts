import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Database } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import type { EngineState } from '../../ml/engine.js';
import { MlRefusal } from '../../ml/errors.js';
import type { ClusterGroups } from './cluster-groups.js';
import { ModelStore } from './model-store.js';
import type { TrainingJob } from './models.js';
import type { TrainedModel } from './trainer.js';
import { errorOf, type FromTraining, type TrainingStart } from './training-protocol.js';

const MAX_HEAP_MB = 2_048;

/** Runs trainings, each in a thread of its own (training-thread.ts), and tells how they ended. */
export class Trainings {
  readonly #store: ModelStore;
  readonly #running = new Set<Worker>();
  #engine: EngineState = { state: 'IDLE', tensors: null, kernels: null };
  #closed = false;

  constructor(
    private readonly db: Pick<Database, 'background' | 'source'>,
    unitOfWork: UnitOfWork,
    private readonly groups: ClusterGroups,
    private readonly clock: Clock,
    private readonly log: Logger,
    /** Of the engine of each. */
    private readonly threads: number,
  ) {
    this.#store = new ModelStore(db.background, unitOfWork);
  }

  /**
   * The job of one training. A repeat after a crash begins from the start. What fails for good is a version that has FAILED; where the process
   * ends meanwhile, the job is tried again later and the version stays TRAINING.
   */
  async run({ id }: TrainingJob): Promise<void> {
    try {
      const trained = await this.#inThread(id);
      if (!trained) return;
      await this.groups.make(trained.clusters);
      this.log.info({ model: id, ...trained.metrics }, 'a model was trained');
    } catch (error) {
      const refusal = error instanceof MlRefusal ? error.reason : null;
      if (this.#closed) throw error;
      await this.#store.fail(id, refusal ? (error as Error).message : 'The training failed; the log says why.');
      this.log.error({ model: id, error: (error as Error).message, stack: (error as Error).stack }, 'a training failed');
    }
  }

  /** What the engine of the last has turned out to run on. */
  get engine(): EngineState {
    return this.#engine;
  }

  /** How many are under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Ends what is under way, with its threads. */
  async endThreads(): Promise<void> {
    await Promise.all([...this.#running].map((thread) => thread.terminate()));
  }

  /** Ends what is under way; it begins anew where the next process takes the job. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.endThreads();
  }

  #inThread(id: string): Promise<TrainedModel | null> {
    if (this.#closed) return Promise.reject(new Error('The server ends.'));
    const { url } = this.db.source.options as { url?: string };
    const start: TrainingStart = { id, databaseUrl: url!, now: this.clock.now().getTime(), threads: this.threads };
    // In development the sources run as they are, by the loader that this process was started with; threads inherit it.
    const thread = new Worker(new URL(`./training-thread${extname(import.meta.url)}`, import.meta.url), { workerData: start, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    this.#running.add(thread);
    return new Promise<TrainedModel | null>((resolve, reject) => {
      thread.on('message', (message: FromTraining) => {
        if ('done' in message) resolve(message.done);
        else if ('failed' in message) reject(errorOf(message.failed));
        else this.#engine = message.engine;
      });
      thread.on('error', reject);
      thread.on('exit', () => {
        this.#running.delete(thread);
        reject(new Error('The thread of the training ended before it was done.'));
      });
    });
  }
}
