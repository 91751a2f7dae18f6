import { checkMatrix, checkOption, MAX_ROWS, MlRefusal, type Matrix } from './errors.js';
import { kernels, LEAF, type Kernels, type Leaves } from './kernels.js';

export const NOISE = -1;
/** Ends of pairs that are kept between the passes over them. */
const KEPT = 1 << 24;

export interface DbscanOptions {
  /** How far neighbours lie apart at the most. */
  eps: number;
  /** Neighbours (with itself) that make a point a core. */
  minPoints: number;
  kernels?: Kernels;
}

/**
 * DBSCAN (M. Ester et al., KDD 1996): cores that are neighbours are one cluster; a neighbour of a core that is none itself belongs to the first such cluster; what is left is NOISE. Clusters are
 * numbered by their first core. Points are put into leaves of those that lie close together, and leaves whose bounds lie farther apart than `eps` are passed over whole.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE, OPTION
 */
export function dbscan(points: Matrix, { eps, minPoints, kernels: by = kernels() }: DbscanOptions): { labels: Int32Array; k: number } {
  checkMatrix(points);
  checkOption('minPoints', minPoints, 1, MAX_ROWS);
  if (!(eps > 0) || !Number.isFinite(eps)) throw new MlRefusal('OPTION', `eps is a length above zero, not ${eps}.`);
  const { n } = points;
  const { leaves, order } = ordered(points);
  const near = by.near(leaves, eps);
  const degrees = new Int32Array(n).fill(1);
  // What fits is not looked for again.
  let kept: Int32Array[] | null = [];
  let room = KEPT;
  for (let from: number | null = 0; from !== null; ) {
    const { couples, next }: { couples: Int32Array; next: number | null } = near.pairs(from);
    for (const point of couples) degrees[point]!++;
    if ((room -= couples.length) < 0) kept = null;
    kept?.push(couples.slice());
    from = next;
  }
  const each = (visit: (a: number, b: number) => void): void => {
    const all = (couples: Int32Array): void => {
      for (let e = 0; e < couples.length; e += 2) visit(couples[e]!, couples[e + 1]!);
    };
    if (kept) return kept.forEach(all);
    for (let from: number | null = 0; from !== null; ) {
      const { couples, next }: { couples: Int32Array; next: number | null } = near.pairs(from);
      all(couples);
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

/** The points in an order in which each LEAF of them lie close together: halved, again and again, where they reach farthest (J. Bentley, "Multidimensional binary search trees", 1975). */
function ordered({ values, n, d }: Matrix): { leaves: Leaves; order: Int32Array } {
  const order = Int32Array.from({ length: n }, (_, index) => index);
  const [least, greatest] = [new Float32Array(d), new Float32Array(d)];
  const measure = (from: number, to: number): void => {
    least.fill(Infinity);
    greatest.fill(-Infinity);
    for (let at = from; at < to; at++) {
      const row = order[at]! * d;
      for (let j = 0; j < d; j++) {
        const value = values[row + j]!;
        if (value < least[j]!) least[j] = value;
        if (value > greatest[j]!) greatest[j] = value;
      }
    }
  };
  const halve = (from: number, to: number): void => {
    if (to - from <= LEAF) return;
    measure(from, to);
    let widest = 0;
    for (let j = 1; j < d; j++) if (greatest[j]! - least[j]! > greatest[widest]! - least[widest]!) widest = j;
    const middle = from + Math.ceil((to - from) / 2 / LEAF) * LEAF;
    select(order, from, to - 1, middle, (point) => values[point * d + widest]!);
    halve(from, middle);
    halve(middle, to);
  };
  halve(0, n);
  const count = Math.ceil(n / LEAF);
  const leaves: Leaves = { n, d, lines: new Float32Array(n * d), least: new Float32Array(count * d), greatest: new Float32Array(count * d) };
  for (let leaf = 0; leaf < count; leaf++) {
    measure(leaf * LEAF, Math.min(n, (leaf + 1) * LEAF));
    leaves.least.set(least, leaf * d);
    leaves.greatest.set(greatest, leaf * d);
  }
  for (let place = 0; place < n; place++) for (let j = 0; j < d; j++) leaves.lines[j * n + place] = values[order[place]! * d + j]!;
  return { leaves, order };
}

/** Moves items so that those before `middle` are no greater, and those from it on no less, than the one there (C. Hoare, "Find", 1961). */
function select(items: Int32Array, low: number, high: number, middle: number, valueOf: (item: number) => number): void {
  while (low < high) {
    const pivot = valueOf(items[(low + high) >>> 1]!);
    let [i, j] = [low, high];
    while (i <= j) {
      while (valueOf(items[i]!) < pivot) i++;
      while (valueOf(items[j]!) > pivot) j--;
      if (i > j) break;
      const item = items[i]!;
      items[i++] = items[j]!;
      items[j--] = item;
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}
