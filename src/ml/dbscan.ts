import { checkMatrix, checkOption, MAX_ROWS, MlRefusal, type Matrix } from './errors.js';
import { kernels, type Kernels } from './kernels.js';

export const NOISE = -1;

export interface DbscanOptions {
  /** How far neighbours lie apart at the most. */
  eps: number;
  /** Neighbours (with itself) that make a point a core. */
  minPoints: number;
  kernels?: Kernels;
}

/**
 * DBSCAN (M. Ester et al., KDD 1996): cores that are neighbours are one cluster; a neighbour of a core that is none itself belongs to the first such cluster; what is left is NOISE. Clusters are
 * numbered by their first core. Points are ordered along the dimension in which they vary most, so a point is compared with those alone that can be near.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE, OPTION
 */
export function dbscan(points: Matrix, { eps, minPoints, kernels: by = kernels() }: DbscanOptions): { labels: Int32Array; k: number } {
  checkMatrix(points);
  checkOption('minPoints', minPoints, 1, MAX_ROWS);
  if (!(eps > 0) || !Number.isFinite(eps)) throw new MlRefusal('OPTION', `eps is a length above zero, not ${eps}.`);
  const { n } = points;
  const { lines, order } = ordered(points);
  const near = by.near(lines, n, points.d, eps);
  const degrees = new Int32Array(n).fill(1);
  // What fits into one portion is not looked for again.
  let kept: Int32Array | null = null;
  for (let from = 0; from < n; ) {
    const { couples, next } = near.pairs(from);
    if (from === 0 && next === n) kept = couples;
    for (const point of couples) degrees[point]!++;
    from = next;
  }
  const each = (visit: (a: number, b: number) => void): void => {
    for (let from = 0; from < n; ) {
      const { couples, next }: { couples: Int32Array; next: number } = kept ? { couples: kept, next: n } : near.pairs(from);
      for (let e = 0; e < couples.length; e += 2) visit(couples[e]!, couples[e + 1]!);
      from = next;
    }
  };
  const isCore = (point: number): boolean => degrees[point]! >= minPoints;
  const parents = Int32Array.from({ length: n }, (_, index) => index);
  const rootOf = (point: number): number => {
    while (parents[point] !== point) point = parents[point] = parents[parents[point]!]!;
    return point;
  };
  each((a, b) => {
    if (isCore(a) && isCore(b)) parents[rootOf(a)] = rootOf(b);
  });
  const labels = new Int32Array(n).fill(NOISE);
  const numbers = new Map<number, number>();
  const placeOf = new Int32Array(n);
  order.forEach((point, place) => (placeOf[point] = place));
  for (let point = 0; point < n; point++) {
    const place = placeOf[point]!;
    if (!isCore(place)) continue;
    const root = rootOf(place);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    labels[point] = numbers.get(root)!;
  }
  const edge = (place: number, core: number): void => {
    const [point, label] = [order[place]!, labels[order[core]!]!];
    if (labels[point] === NOISE || label < labels[point]!) labels[point] = label;
  };
  each((a, b) => {
    if (isCore(a) === isCore(b)) return;
    if (isCore(a)) edge(b, a);
    else edge(a, b);
  });
  return { labels, k: numbers.size };
}

/** The points by dimension, the one that varies most first and ascending. */
function ordered({ values, n, d }: Matrix): { lines: Float32Array; order: Int32Array } {
  let [widest, spread] = [0, -1];
  for (let j = 0; j < d; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      const value = values[i * d + j]!;
      sum += value;
      squares += value * value;
    }
    const variance = squares / n - (sum / n) ** 2;
    if (variance > spread) [widest, spread] = [j, variance];
  }
  const order = Int32Array.from({ length: n }, (_, index) => index).sort((a, b) => values[a * d + widest]! - values[b * d + widest]! || a - b);
  const lines = new Float32Array(n * d);
  const dimensions = [widest, ...Array.from({ length: d }, (_, j) => j).filter((j) => j !== widest)];
  dimensions.forEach((j, line) => {
    for (let i = 0; i < n; i++) lines[line * n + i] = values[order[i]! * d + j]!;
  });
  return { lines, order };
}
