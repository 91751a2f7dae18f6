import { checkMatrix, type Matrix } from './errors.js';

const SWEEPS = 30;
/** Parts that are kept at least: with one, there is a line and no neighbourhood. */
const FEWEST = 2;

/**
 * The points in the space of those of their principal parts that say more than noise would (K. Pearson, 1901): eigenvectors of their covariance whose eigenvalue is above (1 + √(d / n))² times the mean of all, the edge of what n points of
 * pure noise have (V. Marchenko, L. Pastur, 1967); two at the least. Distances keep their scale, and lose what is noise in them.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE
 */
export function principalParts(points: Matrix): Matrix {
  checkMatrix(points);
  const { values, n, d } = points;
  const mean = new Float64Array(d);
  for (let at = 0; at < n * d; at++) mean[at % d]! += values[at]! / n;
  const covariance = new Float64Array(d * d);
  for (let row = 0; row < n; row++) {
    for (let a = 0; a < d; a++) {
      const value = (values[row * d + a]! - mean[a]!) / n;
      for (let b = a; b < d; b++) covariance[a * d + b]! += value * (values[row * d + b]! - mean[b]!);
    }
  }
  for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) covariance[a * d + b] = covariance[b * d + a]!;
  const parts = eigenvectors(covariance, d);
  const edge = (1 + Math.sqrt(d / n)) ** 2 * (parts.reduce((sum, { value }) => sum + value, 0) / d);
  const kept = parts.slice(0, Math.min(d, Math.max(FEWEST, parts.filter(({ value }) => value > edge).length)));
  const out = new Float32Array(n * kept.length);
  for (let row = 0; row < n; row++) {
    kept.forEach(({ vector }, part) => {
      let product = 0;
      for (let j = 0; j < d; j++) product += vector[j]! * (values[row * d + j]! - mean[j]!);
      out[row * kept.length + part] = product;
    });
  }
  return { values: out, n, d: kept.length };
}

/** Of a symmetric matrix, which is changed: the greatest value first. Each pair of lines is turned until nothing is left beside the diagonal (C. Jacobi, 1846). */
function eigenvectors(a: Float64Array, d: number): { value: number; vector: Float64Array }[] {
  const vectors = new Float64Array(d * d);
  for (let i = 0; i < d; i++) vectors[i * d + i] = 1;
  let trace = 0;
  for (let i = 0; i < d; i++) trace += a[i * d + i]!;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let beside = 0;
    for (let p = 0; p < d; p++) for (let q = p + 1; q < d; q++) beside += a[p * d + q]! ** 2;
    if (beside <= 1e-20 * trace * trace) break;
    for (let p = 0; p < d; p++) for (let q = p + 1; q < d; q++) turn(a, vectors, d, p, q);
  }
  const found = Array.from({ length: d }, (_, i) => ({ value: a[i * d + i]!, vector: vectors.slice(i * d, (i + 1) * d) }));
  return found.sort((one, other) => other.value - one.value);
}

/** Turns lines p and q so that what stands at their crossing is zero. */
function turn(a: Float64Array, vectors: Float64Array, d: number, p: number, q: number): void {
  const crossing = a[p * d + q]!;
  if (crossing === 0) return;
  const theta = (a[q * d + q]! - a[p * d + p]!) / (2 * crossing);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const turned = (of: Float64Array, one: number, other: number): void => {
    const [x, y] = [of[one]!, of[other]!];
    of[one] = cosine * x - sine * y;
    of[other] = sine * x + cosine * y;
  };
  for (let k = 0; k < d; k++) turned(a, k * d + p, k * d + q);
  for (let k = 0; k < d; k++) turned(a, p * d + k, q * d + k);
  for (let k = 0; k < d; k++) turned(vectors, p * d + k, q * d + k);
}
