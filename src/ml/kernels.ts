import { twins } from './twins.js';
import { openWasm } from './wasm.js';

/** Steps of Lloyd over points that stay where they are. */
export interface Lloyd {
  /** Gives every point its nearest centroid (k × d); answers how many changed. */
  step(centroids: Float32Array): number;
  /** What the last step found. */
  readonly labels: Int32Array;
  readonly sums: Float64Array;
  readonly counts: Int32Array;
}

/** Pairs of near points, a portion at a time. */
export interface Near {
  /** Couples of numbers, from 0 on, then from what `next` has said, which is null when all have been told. The couples are valid until the next call. */
  pairs(from: number): { couples: Int32Array; next: number | null };
}

/** Points in an order in which each LEAF of them lie close together: d lines of n values, and of each leaf the d least and the d greatest. */
export interface Leaves {
  lines: Float32Array;
  n: number;
  d: number;
  least: Float32Array;
  greatest: Float32Array;
}
/** Points of a leaf; the kernels know the number too. */
export const LEAF = 32;

/** A sparse matrix by rows: the entries of row r stand from starts[r] to starts[r + 1]. */
export interface Sparse {
  starts: Int32Array;
  columns: Int32Array;
  values: Float32Array;
}

/** One side of a factorisation, solved for a fixed other side. */
export interface HalfSweep {
  run(other: Float32Array, own: Float32Array): void;
}

/** Rows that stay where they are, and are multiplied by one vector after the other. */
export interface Rows {
  /** n × d, zeros until they are filled. */
  readonly values: Float32Array;
  /** Of every row, its product with `vector`. Valid until the next call. */
  times(vector: Float32Array): Float32Array;
}

/** The inner loops: in WebAssembly, or on typed arrays where that can't be had. Both do the same, to within the rounding of floats. */
export interface Kernels {
  readonly name: 'wasm-simd' | 'typed-arrays';
  lloyd(points: Float32Array, n: number, d: number, k: number): Lloyd;
  near(leaves: Leaves, eps: number): Near;
  /** At most so many `steps` for a row; it is done when one has moved it by less than `settled` (squared) of its length. */
  halfSweep(rows: Sparse, n: number, others: number, f: number, lambda: number, steps: number, settled: number): HalfSweep;
  /** For rows `from` to `to`: their k columns of the greatest product, without themselves; -1 where there are fewer. */
  nearest(vectors: Float32Array, n: number, d: number, from: number, to: number, k: number): { ids: Int32Array; scores: Float32Array };
  /** `d` is a multiple of four. */
  rows(n: number, d: number): Rows;
}

let chosen: Kernels | undefined;

/** The fastest that this machine has. */
export function kernels(): Kernels {
  return (chosen ??= openWasm() ?? twins);
}
