import { checkMatrix, checkOption, MlRefusal, type Matrix } from './errors.js';
import { kernels, type Kernels, type Lloyd } from './kernels.js';
import { SeededRandom } from './random.js';

export interface KMeansOptions {
  k: number;
  seed: number;
  /** Starts, of which the best is kept. */
  restarts?: number;
  iterations?: number;
  /** A start of one's own (k × d): then there is one. */
  start?: Float32Array;
  kernels?: Kernels;
}
export interface Clustering {
  /** Of each point, its cluster. */
  labels: Int32Array;
  /** Fewer than k where there are not so many different points. */
  k: number;
  centroids: Float32Array;
  counts: Int32Array;
  /** Σ ‖x − c‖² */
  inertia: number;
  iterations: number;
}

/** Starts are drawn from so many points, or so many for each cluster. */
const MIN_SAMPLE = 4_096;
const SAMPLE_EACH = 32;

/**
 * K-Means: Lloyd's steps (S. Lloyd, "Least squares quantization in PCM", 1982) from a greedy k-means++ start (D. Arthur, S. Vassilvitskii, 2007), the best of some restarts. The same seed gives the same clusters.
 * A cluster that runs empty takes the point that is farthest from its own centroid.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE, K_TOO_LARGE, OPTION
 */
export function kMeans(points: Matrix, { k, seed, restarts = 4, iterations = 100, start, kernels: by = kernels() }: KMeansOptions): Clustering {
  checkMatrix(points);
  checkOption('k', k, 1, 4_096);
  checkOption('iterations', iterations, 1, 10_000);
  if (k > points.n) throw new MlRefusal('K_TOO_LARGE', `${k} clusters of ${points.n} points.`);
  const random = new SeededRandom(seed);
  if (start) return lloyd(points, start, iterations, by);
  let best: Clustering | undefined;
  for (let round = 0; round < restarts; round++) {
    const found = lloyd(points, plusPlus(points, k, random), iterations, by);
    if (!best || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** Points as centroids: of some that are drawn by their squared distance from those before, each time the one that leaves the least of it; fewer than k when all are picked that differ. Drawn from a sample of what is many. */
function plusPlus({ values, n, d }: Matrix, k: number, random: SeededRandom): Float32Array {
  const sample = random.sample(n, Math.max(MIN_SAMPLE, SAMPLE_EACH * k));
  const centroids = new Float32Array(k * d);
  const trials = 2 + Math.floor(Math.log(k));
  const from = (chosen: number, distances: Float64Array): { left: Float64Array; total: number } => {
    const left = new Float64Array(sample.length);
    let total = 0;
    for (let i = 0; i < sample.length; i++) {
      let distance = 0;
      for (let j = 0; j < d && distance < distances[i]!; j++) {
        const difference = values[sample[i]! * d + j]! - values[chosen * d + j]!;
        distance += difference * difference;
      }
      left[i] = Math.min(distance, distances[i]!);
      total += left[i]!;
    }
    return { left, total };
  };
  let chosen = sample[random.below(sample.length)]!;
  let { left, total } = from(chosen, new Float64Array(sample.length).fill(Infinity));
  for (let c = 0; ; ) {
    centroids.set(values.subarray(chosen * d, (chosen + 1) * d), c * d);
    if (++c === k) return centroids;
    if (!(total > 0)) return centroids.slice(0, c * d);
    let best: { left: Float64Array; total: number } | undefined;
    for (let trial = 0; trial < trials; trial++) {
      const drawn = sample[draw(left, random.next() * total)]!;
      const found = from(drawn, left);
      if (!best || found.total < best.total) [best, chosen] = [found, drawn];
    }
    ({ left, total } = best!);
  }
}

/** Where the sum of weights passes `rest`: never at a weight of zero. */
function draw(weights: Float64Array, rest: number): number {
  let last = -1;
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i]! > 0)) continue;
    last = i;
    if ((rest -= weights[i]!) < 0) break;
  }
  return last;
}

function lloyd({ values, n, d }: Matrix, start: Float32Array, iterations: number, by: Kernels): Clustering {
  const k = start.length / d;
  const centroids = start.slice();
  const steps = by.lloyd(values, n, d, k);
  let done = 0;
  while (done < iterations) {
    done++;
    const changed = steps.step(centroids);
    if (!changed) break;
    const { sums, counts } = withoutEmpty({ values, n, d }, centroids, steps);
    for (let c = 0; c < k; c++) if (counts[c]) for (let j = 0; j < d; j++) centroids[c * d + j] = sums[c * d + j]! / counts[c]!;
  }
  // Of the centroids as they are now.
  steps.step(centroids);
  let inertia = 0;
  for (let i = 0; i < n; i++) inertia += squared(values, i, centroids, steps.labels[i]!, d);
  return { labels: steps.labels.slice(), k, centroids, counts: steps.counts.slice(), inertia, iterations: done };
}

/** Sums and counts in which each cluster that has run empty holds one of the points that are farthest from their own centroids, which is taken out of the cluster where it was. */
function withoutEmpty({ values, n, d }: Matrix, centroids: Float32Array, { labels, sums, counts }: Lloyd): Pick<Lloyd, 'sums' | 'counts'> {
  const empty = [...counts.keys()].filter((c) => !counts[c]);
  if (!empty.length) return { sums, counts };
  const filled = { sums: sums.slice(), counts: counts.slice() };
  const far = Array.from({ length: n }, (_, i) => ({ i, distance: squared(values, i, centroids, labels[i]!, d) })).filter(({ distance }) => distance > 0);
  far.sort((a, b) => b.distance - a.distance || a.i - b.i);
  let next = 0;
  for (const c of empty) {
    while (next < far.length && filled.counts[labels[far[next]!.i]!]! < 2) next++;
    const found = far[next++];
    if (!found) break;
    const from = labels[found.i]!;
    filled.counts[from]!--;
    filled.counts[c] = 1;
    for (let j = 0; j < d; j++) {
      const value = values[found.i * d + j]!;
      filled.sums[from * d + j]! -= value;
      filled.sums[c * d + j] = value;
    }
  }
  return filled;
}

/** ‖x − c‖² of a row and a centroid. */
export function squared(values: Float32Array, row: number, centroids: Float32Array, c: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) {
    const difference = values[row * d + j]! - centroids[c * d + j]!;
    sum += difference * difference;
  }
  return sum;
}

/** Where a new point belongs, without training: the nearest centroid. */
export function place(point: Float32Array, centroids: Float32Array): { label: number; distance: number } {
  const d = point.length;
  let [label, distance] = [-1, Infinity];
  for (let c = 0; c * d < centroids.length; c++) {
    const found = squared(point, 0, centroids, c, d);
    if (found < distance) [label, distance] = [c, found];
  }
  return { label, distance: Math.sqrt(distance) };
}
