import type { Matrix } from '../../ml/errors.js';
import { sharedFloats, type MlEngine } from '../../ml/engine.js';
import { MAX_CLUSTER, MIN_CLUSTER } from './clusters.js';
import type { TrainingOptions } from './models.js';

/** Numbers of clusters that are compared. */
const CANDIDATES = [2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 32, 40, 50];
/** So many people are looked at to find out how many clusters there are. */
const SAMPLE = 10_000;
const RESTARTS = 6;

/** People by what they are about. */
export interface Subjects {
  /** The cluster of each, from 0 on; below zero for who belongs to none. */
  labels: Int32Array;
  /** k × d */
  centroids: Float32Array;
  silhouette: number | null;
  /** Of DBSCAN: as given, or as found. */
  eps: number | null;
  minPoints: number | null;
}
type Engine = Pick<MlEngine, 'cluster' | 'clusterBest' | 'clusterByDensity'>;

export const findSubjects = (engine: Engine, people: Matrix, options: TrainingOptions): Promise<Subjects> => (options.clustering === 'DBSCAN' ? byDensity(engine, people, options) : byMeans(engine, people, options));

async function byMeans(engine: Engine, people: Matrix, { clusters: wanted, seed }: TrainingOptions): Promise<Subjects> {
  const { values, n, d } = people;
  const least = Math.ceil(n / MAX_CLUSTER);
  const numbers = wanted === null ? CANDIDATES.map((k) => Math.max(k, least)).filter((k) => k <= n / MIN_CLUSTER) : [];
  const sample = n <= SAMPLE ? people : { values: values.subarray(0, SAMPLE * d), n: SAMPLE, d };
  const best = numbers.length ? await engine.clusterBest(sample, numbers, { seed, restarts: RESTARTS }) : null;
  const { labels, centroids } = best && sample === people ? best : await engine.cluster(people, { k: Math.min(wanted ?? best?.k ?? 1, n), seed, restarts: RESTARTS });
  return { labels, centroids, silhouette: best?.silhouettes.find(({ k }) => k === best.k)?.silhouette ?? null, eps: null, minPoints: null };
}

/** What grows together past the size of a group is divided by K-Means. */
async function byDensity(engine: Engine, people: Matrix, { eps = null, minPoints = null, seed }: TrainingOptions): Promise<Subjects> {
  const { labels, k, ...found } = await engine.clusterByDensity(people, { eps, minPoints, seed });
  const count = await divide(engine, people, labels, k, seed);
  return { labels, centroids: middles(people, labels, count), ...found };
}

function middles({ values, d }: Matrix, labels: Int32Array, k: number): Float32Array {
  const [sums, sizes] = [new Float32Array(k * d), new Int32Array(k)];
  labels.forEach((label, row) => {
    if (label < 0) return;
    sizes[label]!++;
    for (let j = 0; j < d; j++) sums[label * d + j]! += values[row * d + j]!;
  });
  return sums.map((sum, at) => sum / sizes[Math.floor(at / d)]!);
}

/** Changes `labels`; answers how many clusters there are then. */
async function divide(engine: Engine, { values, d }: Matrix, labels: Int32Array, k: number, seed: number): Promise<number> {
  let count = k;
  const sizes = new Int32Array(k);
  for (const label of labels) if (label >= 0) sizes[label]!++;
  for (let label = 0; label < k; label++) {
    if (sizes[label]! <= MAX_CLUSTER) continue;
    const rows = Int32Array.from(labels.keys()).filter((row) => labels[row] === label);
    const own = sharedFloats(rows.length * d);
    rows.forEach((row, at) => own.set(values.subarray(row * d, (row + 1) * d), at * d));
    const parts = await engine.cluster({ values: own, n: rows.length, d }, { k: Math.ceil(rows.length / MAX_CLUSTER), seed, restarts: RESTARTS });
    rows.forEach((row, at) => (labels[row] = parts.labels[at] === 0 ? label : count + parts.labels[at]! - 1));
    count += parts.k - 1;
  }
  return count;
}
