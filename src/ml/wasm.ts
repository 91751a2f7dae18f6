import { KERNELS_WASM } from './binary.js';
import { MlRefusal } from './errors.js';
import type { HalfSweep, Kernels, Lloyd, Near, Sparse } from './kernels.js';

const PAGE = 65_536;
const MAX_PAGES = 32_768;
/** Couples of near points that are handed over at once. */
const COUPLES = 1 << 20;

interface Exports {
  memory: WebAssembly.Memory;
  resume: WebAssembly.Global;
  assign(points: number, n: number, d: number, columns: number, stride: number, norms: number, labels: number, sums: number, counts: number, scratch: number): number;
  pairs(lines: number, n: number, d: number, stride: number, limit: number, reach: number, from: number, out: number, room: number): number;
  gram(y: number, n: number, f: number, lambda: number, g: number): void;
  solve(from: number, to: number, starts: number, columns: number, weights: number, x: number, y: number, g: number, f: number, steps: number, work: number): void;
  nearest(rows: number, from: number, to: number, d: number, columns: number, n: number, stride: number, shift: number, k: number, scores: number, ids: number, scratch: number): void;
}

const up = (count: number, to: number): number => Math.ceil(count / to) * to;

/** Memory of one piece of work, laid out at once: growing it would cut off every view. */
class Plan {
  #bytes = PAGE;
  take(bytes: number): number {
    const at = this.#bytes;
    this.#bytes = up(at + bytes, 64);
    return at;
  }
  settle(memory: WebAssembly.Memory): void {
    const missing = Math.ceil(this.#bytes / PAGE) - memory.buffer.byteLength / PAGE;
    if (this.#bytes > MAX_PAGES * PAGE) throw new MlRefusal('TOO_LARGE', `This needs ${Math.ceil(this.#bytes / 2 ** 20)} MiB: at most 2,048.`);
    if (missing > 0) memory.grow(missing);
  }
}

/** Null where the machine can't run it: it needs SIMD. */
export function openWasm(): Kernels | null {
  const bytes = Buffer.from(KERNELS_WASM, 'base64');
  if (!WebAssembly.validate(bytes)) return null;
  const module = new WebAssembly.Module(bytes);
  // Each piece of work has an instance, and so a memory, of its own, which goes with it.
  const open = () => new WebAssembly.Instance(module, { env: { abort: () => undefined } }).exports as unknown as Exports;

  return {
    name: 'wasm-simd',

    lloyd(points, n, d, k): Lloyd {
      const wasm = open();
      const [plan, stride] = [new Plan(), up(k, 8)];
      const at = { points: plan.take(up(n, 4) * d * 4), columns: plan.take(d * stride * 4), norms: plan.take(stride * 4), labels: plan.take(n * 4), sums: plan.take(k * d * 8), counts: plan.take(k * 4), scratch: plan.take(256) };
      plan.settle(wasm.memory);
      const { buffer } = wasm.memory;
      new Float32Array(buffer, at.points, n * d).set(points);
      const [columns, norms] = [new Float32Array(buffer, at.columns, d * stride), new Float32Array(buffer, at.norms, stride)];
      const [labels, sums, counts] = [new Int32Array(buffer, at.labels, n), new Float64Array(buffer, at.sums, k * d), new Int32Array(buffer, at.counts, k)];
      labels.fill(-1);
      return {
        labels,
        sums,
        counts,
        step(centroids) {
          norms.fill(Infinity);
          for (let c = 0; c < k; c++) {
            let norm = 0;
            for (let i = 0; i < d; i++) {
              const value = centroids[c * d + i]!;
              columns[i * stride + c] = value;
              norm += value * value;
            }
            norms[c] = norm;
          }
          sums.fill(0);
          counts.fill(0);
          return wasm.assign(at.points, n, d, at.columns, stride, at.norms, at.labels, at.sums, at.counts, at.scratch);
        },
      };
    },

    near(lines, n, d, eps): Near {
      const wasm = open();
      const [plan, stride] = [new Plan(), up(n, 8) + 8];
      const room = Math.max(COUPLES, n + 8);
      const at = { lines: plan.take(d * stride * 4), out: plan.take(room * 8) };
      plan.settle(wasm.memory);
      const own = new Float32Array(wasm.memory.buffer, at.lines, d * stride).fill(NaN);
      for (let line = 0; line < d; line++) own.set(lines.subarray(line * n, (line + 1) * n), line * stride);
      return {
        pairs(from) {
          // A little farther than eps, so that rounding cuts nobody off.
          const found = wasm.pairs(at.lines, n, d, stride, eps * eps, eps * 1.000001, from, at.out, room);
          return { couples: new Int32Array(wasm.memory.buffer, at.out, found * 2), next: wasm.resume.value as number };
        },
      };
    },

    halfSweep(rows: Sparse, n, others, f, lambda, steps): HalfSweep {
      const wasm = open();
      const [plan, width, entries] = [new Plan(), up(f, 4), rows.columns.length];
      const at = {
        starts: plan.take((n + 1) * 4), columns: plan.take(entries * 4), weights: plan.take(entries * 4), x: plan.take(n * width * 4), y: plan.take(others * width * 4), g: plan.take(width * width * 4), work: plan.take(width * 12),
      };
      plan.settle(wasm.memory);
      const { buffer } = wasm.memory;
      new Int32Array(buffer, at.starts, n + 1).set(rows.starts);
      new Int32Array(buffer, at.columns, entries).set(rows.columns);
      new Float32Array(buffer, at.weights, entries).set(rows.values);
      const [x, y] = [new Float32Array(buffer, at.x, n * width), new Float32Array(buffer, at.y, others * width)];
      return {
        run(other, own) {
          spread(other, others, f, y, width);
          spread(own, n, f, x, width);
          wasm.gram(at.y, others, width, lambda, at.g);
          wasm.solve(0, n, at.starts, at.columns, at.weights, at.x, at.y, at.g, width, steps, at.work);
          for (let row = 0; row < n; row++) own.set(x.subarray(row * width, row * width + f), row * f);
        },
      };
    },

    nearest(vectors, n, d, from, to, k) {
      const wasm = open();
      const [plan, stride, rows] = [new Plan(), up(n, 8), up(to - from, 4)];
      const at = { rows: plan.take(rows * d * 4), columns: plan.take(d * stride * 4), scores: plan.take(rows * k * 4), ids: plan.take(rows * k * 4), scratch: plan.take(128) };
      plan.settle(wasm.memory);
      const { buffer } = wasm.memory;
      new Float32Array(buffer, at.rows, rows * d).set(vectors.subarray(from * d, to * d));
      const columns = new Float32Array(buffer, at.columns, d * stride);
      for (let row = 0; row < n; row++) for (let i = 0; i < d; i++) columns[i * stride + row] = vectors[row * d + i]!;
      wasm.nearest(at.rows, 0, rows, d, at.columns, n, stride, from, k, at.scores, at.ids, at.scratch);
      return { ids: new Int32Array(buffer, at.ids, (to - from) * k).slice(), scores: new Float32Array(buffer, at.scores, (to - from) * k).slice() };
    },
  };
}

/** Rows of f floats into rows of `width`, the rest of which is zero. */
function spread(from: Float32Array, n: number, f: number, to: Float32Array, width: number): void {
  if (f === width) return to.set(from);
  to.fill(0);
  for (let row = 0; row < n; row++) to.set(from.subarray(row * f, (row + 1) * f), row * width);
}
