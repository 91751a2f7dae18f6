import { dbscan } from './dbscan.js';
import type { Matrix } from './errors.js';
import { kneeOf } from './knee.js';
import { principalParts } from './principal.js';
import { SeededRandom } from './random.js';
import { silhouette } from './silhouette.js';
import type { Tensors } from './tensors.js';

/** Points whose distances from their neighbours are looked at. */
const SAMPLE = 1_000;
/** Distances that are tried, as shares of those beyond the knee; fewer where each takes long. */
const TRIED = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const TRIED_OF_MANY = [0, 0.25, 0.5, 0.75];
const MANY = 10_000;
/** What rounding makes of the distance of two points that are the same is less. */
const MIN_EPS = 0.01;
/** Fewer are no core of anything. */
const FEWEST = 3;
/** Qualities that differ by no more than this share are the same. */
const AS_GOOD = 0.02;

export interface DensityOptions {
  /** Null: as the distances say. */
  eps: number | null;
  /** Null: ln n. */
  minPoints: number | null;
  seed: number;
}
/** Clusters by density. */
export interface DensityClustering {
  /** NOISE for who belongs to none. */
  labels: Int32Array;
  k: number;
  /** As given, or as found. */
  eps: number;
  minPoints: number;
  /** Of the points as they were given; null where there are not two clusters. */
  silhouette: number | null;
}

/**
 * DBSCAN of points of many dimensions, in the space of their principal parts (principal.ts): among 128 dimensions everybody is about as far from everybody. `minPoints` is ln n, 3 or more, unless given (D. Birant, A. Kut, "ST-DBSCAN", 2007). `eps`,
 * unless given, is the knee (knee.ts) of the distances from the neighbour that makes a point a core, or a longer one of these: of those that separate the points as well as the best, to within 2 %, the one that leaves the fewest out.
 * How well is the mean silhouette, noise counting 0.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE, OPTION
 */
export async function clusterByDensity(points: Matrix, { eps: givenEps, minPoints: givenPoints, seed }: DensityOptions, tensors: Tensors): Promise<DensityClustering> {
  const parts = principalParts(points);
  const { n } = parts;
  const minPoints = givenPoints ?? Math.max(FEWEST, Math.round(Math.log(n)));
  const tried: { eps: number; labels: Int32Array; k: number; noise: number; quality: number }[] = [];
  for (const eps of givenEps === null ? candidates(parts, minPoints, seed) : [givenEps]) {
    const { labels, k } = dbscan(parts, { eps, minPoints });
    const noise = labels.reduce((count, label) => count + (label < 0 ? 1 : 0), 0);
    tried.push({ eps, labels, k, noise, quality: k > 1 ? ((await silhouette(parts, labels, seed, tensors)) * (n - noise)) / n : 0 });
    // What has grown into one stays one.
    if (k === 1 && noise < n / 2) break;
  }
  const best = Math.max(...tried.map(({ quality }) => quality));
  const { eps, labels, k } = tried.filter(({ quality }) => quality >= best - AS_GOOD * Math.abs(best)).reduce((one, other) => (other.noise < one.noise ? other : one));
  return { labels, k, eps, minPoints, silhouette: k > 1 ? await silhouette(points, labels, seed, tensors) : null };
}

/** The knee of the distances of a sample from their neighbour number `minPoints`, themselves being the first, and some of those beyond it: rising, each once. */
function candidates({ values, n, d }: Matrix, minPoints: number, seed: number): number[] {
  const rising = Float32Array.from(new SeededRandom(seed).sample(n, SAMPLE), (row) => {
    const nearest = new Float32Array(Math.min(minPoints, n)).fill(Infinity);
    for (let other = 0; other < n; other++) {
      let square = 0;
      for (let j = 0; j < d; j++) square += (values[row * d + j]! - values[other * d + j]!) ** 2;
      let at = nearest.length - 1;
      if (square >= nearest[at]!) continue;
      while (at > 0 && nearest[at - 1]! > square) nearest[at] = nearest[--at]!;
      nearest[at] = square;
    }
    return Math.sqrt(nearest.at(-1)!);
  }).sort();
  const last = rising.length - 1;
  const knee = rising.indexOf(kneeOf(rising));
  return [...new Set((n > MANY ? TRIED_OF_MANY : TRIED).map((share) => Math.max(MIN_EPS, rising[Math.round(knee + share * (last - knee))]!)))];
}
