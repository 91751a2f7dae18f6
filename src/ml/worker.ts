/** The engine's work, in a thread beside the one that serves people. Each export is a task of the pool (engine.ts). */
import { stepBack } from '../lib/background-thread.js';
import { implicitAls, type AlsOptions, type Interactions } from './als.js';
import { dbscan, type DbscanOptions } from './dbscan.js';
import { clusterByDensity, type DensityOptions } from './density.js';
import type { Matrix } from './errors.js';
import { MlRefusal } from './errors.js';
import { evaluate as judge } from './evaluation.js';
import { kernels } from './kernels.js';
import { kMeans, type KMeansOptions } from './kmeans.js';
import { neighbours as near, type NeighbourOptions } from './neighbours.js';
import { kMeansBySilhouette } from './silhouette.js';
import { tensors } from './tensors.js';

stepBack();

/** Errors keep their class on this side alone: a refusal is handed over as what it says. */
export type Outcome<Result> = { result: Result } | { refusal: { reason: MlRefusal['reason']; message: string } };

function task<Input, Result>(work: (input: Input) => Result | Promise<Result>): (input: Input) => Promise<Outcome<Result>> {
  return async (input) => {
    try {
      return { result: await work(input) };
    } catch (error) {
      if (error instanceof MlRefusal) return { refusal: { reason: error.reason, message: error.message } };
      throw error;
    }
  };
}

/** Handed over without a copy, which the loop on the other side would have to make. */
function shared<Values extends Float32Array | Int32Array>(values: Values): Values {
  const own = new (values.constructor as new (buffer: SharedArrayBuffer) => Values)(new SharedArrayBuffer(values.byteLength));
  own.set(values);
  return own;
}

/** Loads what is needed, and says what it is. */
export const begin = task(async () => ({ tensors: (await tensors()).backend, kernels: kernels().name }));
export const cluster = task(({ points, options }: { points: Matrix; options: KMeansOptions }) => kMeans(points, options));
export const clusterBest = task(async ({ points, candidates, options }: { points: Matrix; candidates: number[]; options: { seed: number; restarts?: number } }) => kMeansBySilhouette(points, candidates, options, await tensors()));
export const density = task(({ points, options }: { points: Matrix; options: DbscanOptions }) => dbscan(points, options));
export const densityBest = task(async ({ points, options }: { points: Matrix; options: DensityOptions }) => clusterByDensity(points, options, await tensors()));
export const factorise = task(({ interactions, options }: { interactions: Interactions; options: AlsOptions }) => {
  const { users, items, ...rest } = implicitAls(interactions, options);
  return { ...rest, users: shared(users), items: shared(items) };
});
export const neighbours = task(async ({ vectors, options }: { vectors: Matrix; options: NeighbourOptions }) => {
  const { ids, scores, method } = await near(vectors, options);
  return { ids: shared(ids), scores: shared(scores), method };
});
export const evaluate = task(async ({ interactions, content, options }: { interactions: Interactions; content: Matrix | null; options: AlsOptions }) => judge(interactions, content, options, await tensors()));
