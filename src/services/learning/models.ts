import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt } from '../../lib/validate.js';
import type { Evaluation } from '../../ml/evaluation.js';
import { assertMay } from '../../policies/role-policy.js';
import { NOBODY, type Actor } from '../actor.js';
import { audit } from '../audit.js';

export type ModelState = 'TRAINING' | 'ACTIVE' | 'KEPT' | 'REJECTED' | 'FAILED';
export type ClusteringMethod = 'K_MEANS' | 'DBSCAN';
/** How a version is made. What was asked for before there was a choice says nothing of it, and means K_MEANS. */
export interface TrainingOptions {
  clustering?: ClusteringMethod;
  /** Of K_MEANS. Null: as many as their silhouette says. */
  clusters: number | null;
  /** Of DBSCAN. Null or none: as the distances say. */
  eps?: number | null;
  /** Of DBSCAN. Null or none: ln n. */
  minPoints?: number | null;
  seed: number;
}
export interface ModelMetrics {
  people?: number;
  withSignal?: number;
  products?: number;
  interactions?: number;
  clusters?: number;
  /** Those of subjects. */
  subjects?: number;
  silhouette?: number | null;
  eps?: number | null;
  minPoints?: number | null;
  unclustered?: number;
  evaluation?: Evaluation | null;
  seconds?: number;
}
export interface ModelRow {
  id: string;
  version: number;
  state: ModelState;
  reason: string | null;
  options: TrainingOptions;
  metrics: ModelMetrics;
  createdAt: Date;
  finishedAt: Date | null;
}
export const MODEL_COLUMNS = 'm.id, m.version, m.state, m.reason, m.options, m.metrics, m.created_at as "createdAt", m.finished_at as "finishedAt"';

/** Trainings that are kept, the one in use among them. */
export const MODELS_KEPT = 5;
export const TRAINING_JOB = 'train-model';
/** A training that has taken longer has died with its process. */
const STALE_HOURS = 6;
const MAX_CLUSTERS = 500;
/** Vectors of length 1 lie no farther apart. */
const MAX_EPS = 2;
const MAX_POINTS = 100;

export interface TrainingJob {
  id: string;
}

/** Versions of what was learned: asked for, compared, taken back. */
export class ModelService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The newest first. Errors: FORBIDDEN. */
  async list(actor: Actor): Promise<ModelRow[]> {
    assertRunsModels(actor);
    return this.sql<ModelRow>(`select ${MODEL_COLUMNS} from learned_models m order by m.version desc limit 20`);
  }

  /** Has everything learned anew, as a job. Errors: FORBIDDEN, INVALID_INPUT, STATE_CONFLICT (a training is under way). */
  async retrain(actor: Actor, options: TrainingOptions, idempotencyKey: string): Promise<ModelRow> {
    assertRunsModels(actor);
    checkOptions(options);
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'retrainModels', idempotencyKey, input: options }, async (tx) => {
      const id = await begin(tx, options);
      if (!id) throw new DomainError('STATE_CONFLICT', 'A training is under way.');
      await audit(tx, { actorId: actor.userId, action: 'MODELS_RETRAINED', subject: { type: 'LearnedModel', id }, details: { ...options } });
      return { id };
    });
    return this.#read(id);
  }

  /** By the schedule, where people have done something since the last training: as the version in use was made. */
  async retrainWhenDue(): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'retrainModels' }, async (tx) => {
      const [due] = await tx.sql(
        `select from users u where not exists (select from learned_models m where m.state <> 'FAILED' and m.created_at > coalesce((select max(at) from interactions), u.created_at)
           and m.created_at > $1::timestamptz - interval '7 days') limit 1`,
        [tx.now],
      );
      if (!due) return;
      const [active] = await tx.sql<{ options: TrainingOptions }>(`select options from learned_models where state = 'ACTIVE'`);
      await begin(tx, active?.options ?? { clusters: null, seed: 1 });
    });
  }

  /** Puts the version before the one in use (or one that is named) in its place. Errors: FORBIDDEN, NOT_FOUND. */
  async rollBack(actor: Actor, version: number | null): Promise<ModelRow> {
    assertRunsModels(actor);
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'rollBackModel' }, async (tx) => {
      await lockModels(tx);
      const [wanted] = await tx.sql<{ id: string; state: ModelState }>(
        `select m.id, m.state from learned_models m where case when $1::int is null then m.state = 'KEPT' and m.version < (select version from learned_models where state = 'ACTIVE') else m.version = $1 and m.state in ('KEPT', 'ACTIVE') end
         order by m.version desc limit 1`,
        [version],
      );
      if (!wanted) throw new DomainError('NOT_FOUND', 'There is no such version to go back to.', { field: 'version' });
      if (wanted.state === 'KEPT') {
        await activate(tx, wanted.id);
        await audit(tx, { actorId: actor.userId, action: 'MODEL_ROLLED_BACK', subject: { type: 'LearnedModel', id: wanted.id } });
      }
      return { id: wanted.id };
    });
    return this.#read(id);
  }

  async #read(id: string): Promise<ModelRow> {
    const [row] = await this.sql<ModelRow>(`select ${MODEL_COLUMNS} from learned_models m where m.id = $1`, [id]);
    return row!;
  }
}

function checkOptions({ clustering, clusters, eps, minPoints, seed }: TrainingOptions): void {
  const isDensity = clustering === 'DBSCAN';
  if (clusters !== null) {
    if (isDensity) throw invalidInput('clusters', 'DBSCAN finds out how many clusters there are.');
    boundedInt(clusters, 'clusters', 1, MAX_CLUSTERS);
  }
  if (eps != null) {
    if (!isDensity) throw invalidInput('eps', 'eps is of DBSCAN alone.');
    if (!(eps > 0 && eps <= MAX_EPS)) throw invalidInput('eps', `eps is above 0 and at most ${MAX_EPS}.`);
  }
  if (minPoints != null) {
    if (!isDensity) throw invalidInput('minPoints', 'minPoints is of DBSCAN alone.');
    boundedInt(minPoints, 'minPoints', 2, MAX_POINTS);
  }
  boundedInt(seed, 'seed', 0, 2 ** 31 - 1);
}

const assertRunsModels = (actor: Actor): void => assertMay(actor, 'RUN_MODELS', 'Only administrators have models trained.');

/** Versions are made, and change places, one after the other. */
export const lockModels = (tx: Tx): Promise<object[]> => tx.sql(`select pg_advisory_xact_lock(hashtextextended('learned models', 0))`);

/** A training that begins; null when one is under way. */
async function begin(tx: Tx, options: TrainingOptions): Promise<string | null> {
  await lockModels(tx);
  await tx.sql(`update learned_models set state = 'FAILED', reason = 'It never ended.', finished_at = $1 where state = 'TRAINING' and created_at < $1::timestamptz - interval '${STALE_HOURS} hours'`, [tx.now]);
  const [underWay] = await tx.sql(`select from learned_models where state = 'TRAINING'`);
  if (underWay) return null;
  const id = newId();
  await tx.sql(`insert into learned_models (id, version, state, options, created_at) select $1, coalesce(max(version), 0) + 1, 'TRAINING', $2, $3 from learned_models`, [id, JSON.stringify(options), tx.now]);
  await tx.enqueue(TRAINING_JOB, { id } satisfies TrainingJob, { key: TRAINING_JOB, queue: TRAINING_JOB });
  return id;
}

/** Puts a version into use. The models are locked. */
export async function activate(tx: Tx, id: string): Promise<void> {
  await tx.sql(`update learned_models set state = 'KEPT' where state = 'ACTIVE'`);
  await tx.sql(`update learned_models set state = 'ACTIVE' where id = $1`, [id]);
}
