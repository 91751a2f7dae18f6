import { MlRefusal, type Matrix } from './errors.js';
import { kMeans, type Clustering } from './kmeans.js';
import { SeededRandom } from './random.js';
import type { Tensors } from './tensors.js';

/** Points on which clusterings are compared. */
const SAMPLE = 1_000;

/**
 * The mean silhouette (P. Rousseeuw, 1987) of a sample: (b − a) / max(a, b), where a is a point's mean distance from its own cluster and b that from the nearest other. 0 for a point that is alone; noise (a label below zero) does not count.
 * Distances come of one product of the sample with itself: ‖x − y‖² = ‖x‖² + ‖y‖² − 2 x·y.
 */
export async function silhouette({ values, n, d }: Matrix, labels: Int32Array, seed: number, tensors: Tensors): Promise<number> {
  const clustered = labels.every((label) => label >= 0) ? null : Int32Array.from(labels.keys()).filter((row) => labels[row]! >= 0);
  const sample = new SeededRandom(seed).sample(clustered?.length ?? n, SAMPLE).map((at) => clustered?.[at] ?? at);
  const m = sample.length;
  if (!m) return 0;
  const rows = new Float32Array(m * d);
  sample.forEach((row, place) => rows.set(values.subarray(row * d, (row + 1) * d), place * d));
  const products = await tensors.productWithOwn(rows, m, d);
  const k = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const counts = new Int32Array(k);
  for (const row of sample) counts[labels[row]!]!++;
  let total = 0;
  const sums = new Float64Array(k);
  for (let i = 0; i < m; i++) {
    sums.fill(0);
    for (let j = 0; j < m; j++) sums[labels[sample[j]!]!]! += Math.sqrt(Math.max(0, products[i * m + i]! + products[j * m + j]! - 2 * products[i * m + j]!));
    const own = labels[sample[i]!]!;
    if (counts[own]! < 2) continue;
    const a = sums[own]! / (counts[own]! - 1);
    let b = Infinity;
    for (let c = 0; c < k; c++) if (c !== own && counts[c]) b = Math.min(b, sums[c]! / counts[c]!);
    if (b < Infinity && Math.max(a, b) > 0) total += (b - a) / Math.max(a, b);
  }
  return total / m;
}

export interface ChosenClustering extends Clustering {
  silhouettes: { k: number; silhouette: number }[];
}

/** K-Means for each k, and of these the clustering of the greatest silhouette; of equals the one with fewer clusters. One cluster when no two points differ. */
export async function kMeansBySilhouette(points: Matrix, candidates: readonly number[], options: { seed: number; restarts?: number }, tensors: Tensors): Promise<ChosenClustering> {
  const possible = [...new Set(candidates)].filter((k) => k >= 2 && k < points.n).sort((a, b) => a - b);
  if (!possible.length) return { ...kMeans(points, { ...options, k: 1 }), silhouettes: [] };
  let best: { clustering: Clustering; score: number } | undefined;
  const silhouettes: ChosenClustering['silhouettes'] = [];
  for (const k of possible) {
    const clustering = kMeans(points, { ...options, k });
    if (clustering.k < 2) return { ...clustering, silhouettes };
    const score = await silhouette(points, clustering.labels, options.seed, tensors);
    silhouettes.push({ k, silhouette: score });
    if (!best || score > best.score + 1e-9) best = { clustering, score };
  }
  if (!best) throw new MlRefusal('OPTION', 'No number of clusters was given.');
  return { ...best.clustering, silhouettes };
}
