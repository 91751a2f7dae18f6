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
  /** From point `from` on: couples of numbers, and the point to go on with. The couples are valid until the next call. */
  pairs(from: number): { couples: Int32Array; next: number };
}

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

/** The inner loops: in WebAssembly, or on typed arrays where that can't be had. Both do the same, to within the rounding of floats. */
export interface Kernels {
  readonly name: 'wasm-simd' | 'typed-arrays';
  lloyd(points: Float32Array, n: number, d: number, k: number): Lloyd;
  /** `lines` are d × n, ordered by the first line. */
  near(lines: Float32Array, n: number, d: number, eps: number): Near;
  halfSweep(rows: Sparse, n: number, others: number, f: number, lambda: number, steps: number): HalfSweep;
  /** For rows `from` to `to`: their k columns of the greatest product, without themselves; -1 where there are fewer. */
  nearest(vectors: Float32Array, n: number, d: number, from: number, to: number, k: number): { ids: Int32Array; scores: Float32Array };
}

let chosen: Kernels | undefined;

/** The fastest that this machine has. */
export function kernels(): Kernels {
  return (chosen ??= openWasm() ?? twins);
}
