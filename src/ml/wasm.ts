import { KERNELS_WASM } from './binary.js';
import { MlRefusal } from './errors.js';
import { LEAF, type HalfSweep, type Kernels, type Lloyd, type Near, type Rows, type Sparse } from './kernels.js';

const PAGE = 65_536;
const MAX_PAGES = 32_768;
/** Couples of near points that are handed over at once. */
const COUPLES = 1 << 20;
/** Rows that are worked on in one call: WebAssembly that is compiled better meanwhile is taken up at the next. */
const TURN = 512;
const LEAVES_A_TURN = 16;
/** What rounding may have taken of a squared distance that comes of ‖x‖² − 2 x·c + ‖c‖², as a share of the squares: some times the precision of a float. */
const SLACK = 4e-6;

interface Exports {
  memory: WebAssembly.Memory;
  resume: WebAssembly.Global;
  resumeOther: WebAssembly.Global;
  separate(rows: number, k: number, d: number, columns: number, stride: number, norms: number, halves: number, slack: number, largest: number, scratch: number): void;
  assign(
    points: number, from: number, to: number, d: number, rows: number, columns: number, stride: number, norms: number, squares: number, labels: number, uppers: number, lowers: number, moved: number, halves: number, most: number, mostOther: number,
    farthest: number, slack: number, largest: number, sums: number, counts: number, four: number, scratch: number,
  ): number;
  pairs(lines: number, d: number, stride: number, boxes: number, padded: number, leaves: number, limit: number, reach: number, leaf: number, other: number, turns: number, out: number, room: number): number;
  gram(y: number, n: number, f: number, lambda: number, g: number): void;
  solve(from: number, to: number, starts: number, columns: number, weights: number, x: number, y: number, g: number, f: number, steps: number, settled: number, work: number): void;
  nearest(rows: number, from: number, to: number, d: number, columns: number, n: number, stride: number, shift: number, k: number, scores: number, ids: number, scratch: number): void;
  multiplyRows(rows: number, n: number, d: number, vector: number, out: number): void;
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
      const at = {
        points: plan.take(n * d * 4), rows: plan.take(up(k, 4) * d * 4), columns: plan.take(d * stride * 4), norms: plan.take(stride * 4), squares: plan.take(n * 4), labels: plan.take(n * 4), uppers: plan.take(n * 4), lowers: plan.take(n * 4),
        moved: plan.take(k * 4), halves: plan.take(k * 4), sums: plan.take(k * d * 8), counts: plan.take(k * 4), four: plan.take(4 * d * 4), scratch: plan.take(512),
      };
      plan.settle(wasm.memory);
      const { buffer } = wasm.memory;
      const own = new Float32Array(buffer, at.points, n * d);
      own.set(points);
      const [rows, columns, norms, moved] = [new Float32Array(buffer, at.rows, k * d), new Float32Array(buffer, at.columns, d * stride), new Float32Array(buffer, at.norms, stride), new Float32Array(buffer, at.moved, k)];
      const [labels, sums, counts] = [new Int32Array(buffer, at.labels, n), new Float64Array(buffer, at.sums, k * d), new Int32Array(buffer, at.counts, k)];
      const squares = new Float32Array(buffer, at.squares, n);
      for (let i = 0; i < n; i++) squares[i] = lengthOf(own, i * d, d);
      labels.fill(-1);
      norms.fill(Infinity);
      return {
        labels,
        sums,
        counts,
        step(centroids) {
          let [farthest, most, mostOther, largest] = [-1, 0, 0, 0];
          for (let c = 0; c < k; c++) {
            let gone = 0;
            for (let i = 0; i < d; i++) {
              const value = centroids[c * d + i]!;
              gone += (value - rows[c * d + i]!) ** 2;
              rows[c * d + i] = value;
              columns[i * stride + c] = value;
            }
            norms[c] = lengthOf(rows, c * d, d);
            largest = Math.max(largest, norms[c]!);
            // Rounded up, as all that the bounds are told.
            moved[c] = Math.sqrt(gone) * 1.000001;
            if (moved[c]! > most) [farthest, mostOther, most] = [c, most, moved[c]!];
            else mostOther = Math.max(mostOther, moved[c]!);
          }
          wasm.separate(at.rows, k, d, at.columns, stride, at.norms, at.halves, SLACK, largest, at.scratch);
          let changed = 0;
          for (let from = 0; from < n; from += TURN) {
            changed += wasm.assign(
              at.points, from, Math.min(n, from + TURN), d, at.rows, at.columns, stride, at.norms, at.squares, at.labels, at.uppers, at.lowers, at.moved, at.halves, most, mostOther, farthest, SLACK, largest, at.sums, at.counts, at.four,
              at.scratch,
            );
          }
          return changed;
        },
      };
    },

    near({ lines, n, d, least, greatest }, eps): Near {
      const wasm = open();
      const leaves = Math.ceil(n / LEAF);
      const [plan, stride, padded] = [new Plan(), leaves * LEAF, up(d, 4)];
      const at = { lines: plan.take(d * stride * 4), boxes: plan.take(leaves * padded * 8), out: plan.take(COUPLES * 8) };
      plan.settle(wasm.memory);
      const own = new Float32Array(wasm.memory.buffer, at.lines, d * stride).fill(NaN);
      for (let line = 0; line < d; line++) own.set(lines.subarray(line * n, (line + 1) * n), line * stride);
      const boxes = new Float32Array(wasm.memory.buffer, at.boxes, leaves * padded * 2);
      for (let leaf = 0; leaf < leaves; leaf++) {
        boxes.set(least.subarray(leaf * d, (leaf + 1) * d), leaf * padded * 2);
        boxes.set(greatest.subarray(leaf * d, (leaf + 1) * d), leaf * padded * 2 + padded);
      }
      return {
        pairs(from) {
          const leaf = Math.floor(from / (leaves + 1));
          // Bounds reach a little farther than eps, so that rounding cuts nobody off.
          const found = wasm.pairs(at.lines, d, stride, at.boxes, padded, leaves, eps * eps, eps * eps * 1.00001, leaf, from % (leaves + 1), LEAVES_A_TURN, at.out, COUPLES);
          const next = (wasm.resume.value as number) * (leaves + 1) + (wasm.resumeOther.value as number);
          return { couples: new Int32Array(wasm.memory.buffer, at.out, found * 2), next: (wasm.resume.value as number) < leaves ? next : null };
        },
      };
    },

    halfSweep(rows: Sparse, n, others, f, lambda, steps, settled): HalfSweep {
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
          for (let from = 0; from < n; from += TURN) wasm.solve(from, Math.min(n, from + TURN), at.starts, at.columns, at.weights, at.x, at.y, at.g, width, steps, settled, at.work);
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

    rows(n, d): Rows {
      const wasm = open();
      const [plan, padded] = [new Plan(), up(n, 4)];
      const at = { rows: plan.take(padded * d * 4), vector: plan.take(d * 4), out: plan.take(padded * 4) };
      plan.settle(wasm.memory);
      const { buffer } = wasm.memory;
      const [vector, out] = [new Float32Array(buffer, at.vector, d), new Float32Array(buffer, at.out, n)];
      return {
        values: new Float32Array(buffer, at.rows, n * d),
        times(given) {
          vector.set(given);
          wasm.multiplyRows(at.rows, n, d, at.vector, at.out);
          return out;
        },
      };
    },
  };
}

function lengthOf(values: Float32Array, from: number, d: number): number {
  let sum = 0;
  for (let i = from; i < from + d; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** Rows of f floats into rows of `width`, the rest of which is zero. */
function spread(from: Float32Array, n: number, f: number, to: Float32Array, width: number): void {
  if (f === width) return to.set(from);
  to.fill(0);
  for (let row = 0; row < n; row++) to.set(from.subarray(row * f, (row + 1) * f), row * width);
}
