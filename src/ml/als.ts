import { checkOption, MAX_ROWS, MlRefusal } from './errors.js';
import { kernels, type Kernels, type Sparse } from './kernels.js';
import { SeededRandom } from './random.js';
import { gramOf, solveRow } from './twins.js';

/** Who has done something with what, and how much: one entry a pair. */
export interface Interactions {
  users: Int32Array;
  items: Int32Array;
  /** Above zero. */
  strengths: Float32Array;
  userCount: number;
  itemCount: number;
}
export interface AlsOptions {
  factors: number;
  sweeps: number;
  seed: number;
  lambda?: number;
  /** Confidence is 1 + alpha × strength. */
  alpha?: number;
  kernels?: Kernels;
}
export interface Factors {
  users: Float32Array;
  items: Float32Array;
  f: number;
  /** YᵀY + λI of the items, by which somebody new is placed (`foldIn`). */
  gram: Float64Array;
}

export const ALS_LAMBDA = 1;
export const ALS_ALPHA = 8;
const STEPS = 3;
/** A row that a step has moved by less than a thousandth of its length is done. */
const SETTLED = 1e-6;
const MAX_ENTRIES = 4_000_000;

/**
 * Factors of implicit feedback (Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008): minimises Σ c (p − xᵀy)² + λ (Σ‖x‖² + Σ‖y‖²), with c = 1 + α × strength and
 * p = 1 where there was something, by solving each side in turn with at most three steps of conjugate gradient (G. Takács, I. Pilászy, D. Tikk, RecSys 2011). Who has done nothing has zeros.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE, OPTION
 */
export function implicitAls(given: Interactions, { factors: f, sweeps, seed, lambda = ALS_LAMBDA, alpha = ALS_ALPHA, kernels: by = kernels() }: AlsOptions): Factors {
  checkInteractions(given);
  checkOption('factors', f, 1, 256);
  checkOption('sweeps', sweeps, 1, 1_000);
  const byUser = compress(given.users, given.items, given.strengths, given.userCount, alpha);
  const byItem = compress(given.items, given.users, given.strengths, given.itemCount, alpha);
  const random = new SeededRandom(seed);
  const start = (rows: number) => Float32Array.from({ length: rows * f }, () => random.normal() * 0.01);
  const [users, items] = [start(given.userCount), start(given.itemCount)];
  const [ofUsers, ofItems] = [by.halfSweep(byUser, given.userCount, given.itemCount, f, lambda, STEPS, SETTLED), by.halfSweep(byItem, given.itemCount, given.userCount, f, lambda, STEPS, SETTLED)];
  for (let sweep = 0; sweep < sweeps; sweep++) {
    ofUsers.run(items, users);
    ofItems.run(users, items);
  }
  return { users, items, f, gram: gramOf(items, given.itemCount, f, lambda) };
}

/** The factors of somebody new, from what they have done, without training: solved to the end for the items as they are. */
export function foldIn(items: Float32Array, gram: Float64Array, f: number, columns: number[], strengths: number[], alpha = ALS_ALPHA): Float32Array {
  const x = new Float32Array(f);
  const row: Sparse = { starts: Int32Array.of(0, columns.length), columns: Int32Array.from(columns), values: Float32Array.from(strengths, (strength) => alpha * strength) };
  solveRow(row, 0, items, gram, x, f, f);
  return x;
}

export function checkInteractions({ users, items, strengths, userCount, itemCount }: Interactions): void {
  const n = users.length;
  if (items.length !== n || strengths.length !== n) throw new MlRefusal('SHAPE', 'Users, items and strengths differ in number.');
  if (n > MAX_ENTRIES || userCount > MAX_ROWS || itemCount > MAX_ROWS) throw new MlRefusal('TOO_LARGE', `${n} interactions of ${userCount} people with ${itemCount} things are too many.`);
  if (!n) throw new MlRefusal('EMPTY', 'Nobody has done anything.');
  for (let e = 0; e < n; e++) {
    if (!(users[e]! >= 0 && users[e]! < userCount && items[e]! >= 0 && items[e]! < itemCount)) throw new MlRefusal('SHAPE', `Interaction ${e} is of nobody.`);
    if (!(strengths[e]! > 0) || !Number.isFinite(strengths[e]!)) throw new MlRefusal('NOT_FINITE', `Interaction ${e} has the strength ${strengths[e]}.`);
  }
}

/** By rows, with alpha × strength as values: a counting sort. */
export function compress(rows: Int32Array, columns: Int32Array, strengths: Float32Array, count: number, alpha: number): Sparse {
  const starts = new Int32Array(count + 1);
  for (const row of rows) starts[row + 1]!++;
  for (let row = 0; row < count; row++) starts[row + 1]! += starts[row]!;
  const next = starts.slice();
  const sparse = { starts, columns: new Int32Array(rows.length), values: new Float32Array(rows.length) };
  for (let e = 0; e < rows.length; e++) {
    const at = next[rows[e]!]!++;
    sparse.columns[at] = columns[e]!;
    sparse.values[at] = strengths[e]! * alpha;
  }
  return sparse;
}
