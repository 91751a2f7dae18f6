import { LEAF, type Kernels, type Sparse } from './kernels.js';

/** The inner loops on typed arrays: what src/ml/assembly/kernels.ts is measured by, and what runs where WebAssembly has no SIMD. */
export const twins: Kernels = {
  name: 'typed-arrays',

  lloyd(points, n, d, k) {
    const [labels, sums, counts] = [new Int32Array(n).fill(-1), new Float64Array(k * d), new Int32Array(k)];
    return {
      labels,
      sums,
      counts,
      step(centroids) {
        const norms = Float64Array.from({ length: k }, (_, c) => dot(centroids, c * d, centroids, c * d, d));
        sums.fill(0);
        counts.fill(0);
        let changed = 0;
        for (let i = 0; i < n; i++) {
          let [label, least] = [0, Infinity];
          for (let c = 0; c < k; c++) {
            const score = norms[c]! - 2 * dot(points, i * d, centroids, c * d, d);
            if (score < least) [label, least] = [c, score];
          }
          if (labels[i] !== label) changed++;
          labels[i] = label;
          counts[label]!++;
          for (let j = 0; j < d; j++) sums[label * d + j]! += points[i * d + j]!;
        }
        return changed;
      },
    };
  },

  near({ lines, n, d, least, greatest }, eps) {
    const leaves = Math.ceil(n / LEAF);
    const apart = (a: number, b: number): number => {
      let gap = 0;
      for (let line = 0; line < d; line++) gap += Math.max(0, least[a * d + line]! - greatest[b * d + line]!, least[b * d + line]! - greatest[a * d + line]!) ** 2;
      return gap;
    };
    return {
      pairs(from) {
        const found: number[] = [];
        let a = from;
        for (; a < leaves && found.length < 2_000_000; a++) {
          for (let b = a; b < leaves; b++) {
            if (apart(a, b) > eps * eps) continue;
            for (let i = a * LEAF; i < Math.min(n, (a + 1) * LEAF); i++) {
              for (let j = Math.max(b * LEAF, i + 1); j < Math.min(n, (b + 1) * LEAF); j++) {
                let distance = 0;
                for (let line = 0; line < d; line++) distance += (lines[line * n + i]! - lines[line * n + j]!) ** 2;
                if (distance <= eps * eps) found.push(i, j);
              }
            }
          }
        }
        return { couples: Int32Array.from(found), next: a < leaves ? a : null };
      },
    };
  },

  halfSweep(rows, n, others, f, lambda, steps, settled) {
    return {
      run(other, own) {
        const g = gramOf(other, others, f, lambda);
        for (let row = 0; row < n; row++) solveRow(rows, row, other, g, own.subarray(row * f, (row + 1) * f), f, steps, settled);
      },
    };
  },

  nearest(vectors, n, d, from, to, k) {
    const [ids, scores] = [new Int32Array((to - from) * k).fill(-1), new Float32Array((to - from) * k).fill(-3.4028234663852886e38)];
    for (let row = from; row < to; row++) {
      const all = Array.from({ length: n }, (_, id) => ({ id, score: dot(vectors, row * d, vectors, id * d, d) })).filter(({ id }) => id !== row);
      all.sort((a, b) => b.score - a.score || a.id - b.id);
      all.slice(0, k).forEach(({ id, score }, place) => {
        ids[(row - from) * k + place] = id;
        scores[(row - from) * k + place] = score;
      });
    }
    return { ids, scores };
  },

  rows(n, d) {
    const [values, out] = [new Float32Array(n * d), new Float32Array(n)];
    return {
      values,
      times(vector) {
        for (let row = 0; row < n; row++) out[row] = dot(values, row * d, vector, 0, d);
        return out;
      },
    };
  },
};

/** The product of two vectors within arrays. */
export function dot(a: Float32Array, from: number, b: Float32Array, start: number, d: number): number {
  // Four sums that don't wait for each other.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < d; i += 4) {
    s0 += a[from + i]! * b[start + i]!;
    s1 += a[from + i + 1]! * b[start + i + 1]!;
    s2 += a[from + i + 2]! * b[start + i + 2]!;
    s3 += a[from + i + 3]! * b[start + i + 3]!;
  }
  for (; i < d; i++) s0 += a[from + i]! * b[start + i]!;
  return s0 + s1 + (s2 + s3);
}

/** YᵀY + λI, f × f. */
export function gramOf(y: Float32Array, n: number, f: number, lambda: number): Float64Array {
  const g = new Float64Array(f * f);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < f; i++) {
      const value = y[row * f + i]!;
      for (let j = 0; j < f; j++) g[i * f + j]! += value * y[row * f + j]!;
    }
  }
  for (let i = 0; i < f; i++) g[i * f + i]! += lambda;
  return g;
}

/** Conjugate gradient for one row: see `solve` of the kernels. Changes `x`. */
export function solveRow({ starts, columns, values }: Sparse, row: number, y: Float32Array, g: Float64Array, x: Float32Array, f: number, steps: number, settled = 0): void {
  const [first, last] = [starts[row]!, starts[row + 1]!];
  if (first === last) {
    x.fill(0);
    return;
  }
  /** (G + Σ (c − 1) y yᵀ) v */
  const times = (v: ArrayLike<number>): Float64Array => {
    const out = new Float64Array(f);
    for (let i = 0; i < f; i++) for (let j = 0; j < f; j++) out[i]! += g[i * f + j]! * v[j]!;
    for (let e = first; e < last; e++) {
      const at = columns[e]! * f;
      let product = 0;
      for (let i = 0; i < f; i++) product += y[at + i]! * v[i]!;
      for (let i = 0; i < f; i++) out[i]! += values[e]! * product * y[at + i]!;
    }
    return out;
  };
  const residual = times(x).map((value) => -value);
  for (let e = first; e < last; e++) for (let i = 0; i < f; i++) residual[i]! += (1 + values[e]!) * y[columns[e]! * f + i]!;
  const direction = residual.slice();
  const square = (v: Float64Array | Float32Array): number => {
    let sum = 0;
    for (const value of v) sum += value * value;
    return sum;
  };
  let rest = square(residual);
  for (let step = 0; step < steps && rest > 1e-20; step++) {
    const product = times(direction);
    const alpha = rest / direction.reduce((sum, value, i) => sum + value * product[i]!, 0);
    for (let i = 0; i < f; i++) {
      x[i]! += alpha * direction[i]!;
      residual[i]! -= alpha * product[i]!;
    }
    if (alpha * alpha * square(direction) < settled * square(x)) return;
    const next = square(residual);
    for (let i = 0; i < f; i++) direction[i] = residual[i]! + (next / rest) * direction[i]!;
    rest = next;
  }
}
