/**
 * The inner loops of the engine, in AssemblyScript (a TypeScript-like language for WebAssembly): four floats at a time. `npm run kernels` makes src/ml/binary.ts of it.
 * Memory is the caller's (src/ml/arena.ts): every parameter that is a `usize` is an address in bytes. Each kernel has a twin on typed arrays in src/ml/twins.ts, which tells what it computes.
 */

/** a b + c. Not `relaxed_madd`: rounding would depend on the machine. */
// @ts-ignore: decorator
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Products of four rows (d floats each, from `rows`) with eight columns of `columns` (d lines of `stride` floats), into 4 × 8 floats at `out`. */
// @ts-ignore: decorator
@inline
function tile(rows: usize, d: i32, columns: usize, stride: i32, out: usize): void {
  const line = <usize>stride << 2;
  const r1 = <usize>d << 2;
  const r2 = r1 << 1;
  const r3 = r1 + r2;
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), b0 = f32x4.splat(0), b1 = f32x4.splat(0);
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), d0 = f32x4.splat(0), d1 = f32x4.splat(0);
  let x = rows;
  let y = columns;
  const end = rows + r1;
  while (x < end) {
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    let s = v128.load_splat<f32>(x);
    a0 = madd(s, y0, a0);
    a1 = madd(s, y1, a1);
    s = v128.load_splat<f32>(x + r1);
    b0 = madd(s, y0, b0);
    b1 = madd(s, y1, b1);
    s = v128.load_splat<f32>(x + r2);
    c0 = madd(s, y0, c0);
    c1 = madd(s, y1, c1);
    s = v128.load_splat<f32>(x + r3);
    d0 = madd(s, y0, d0);
    d1 = madd(s, y1, d1);
    x += 4;
    y += line;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, b0, 32);
  v128.store(out, b1, 48);
  v128.store(out, c0, 64);
  v128.store(out, c1, 80);
  v128.store(out, d0, 96);
  v128.store(out, d1, 112);
}

/**
 * One step of Lloyd: the nearest centroid of each point (the first of equals) by ‖c‖² − 2 x·c, and the sums and counts of each. `columns` holds the centroids as d lines of `stride` floats, `norms` their
 * squared lengths (infinite past k). Points are given with room for a multiple of four. Answers how many labels changed.
 */
export function assign(points: usize, n: i32, d: i32, columns: usize, stride: i32, norms: usize, labels: usize, sums: usize, counts: usize, scratch: usize): i32 {
  let changed = 0;
  const width = <usize>d << 2;
  for (let i = 0; i < n; i += 4) {
    // The least so far, by lane, of each of the four points: values, then the numbers of centroids.
    const best = scratch + 128;
    for (let p: usize = 0; p < 4; p++) {
      v128.store(best + (p << 5), f32x4.splat(f32.MAX_VALUE));
      v128.store(best + (p << 5), i32x4.splat(0), 16);
    }
    for (let c = 0; c < stride; c += 8) {
      tile(points + <usize>i * width, d, columns + (<usize>c << 2), stride, scratch);
      const n0 = v128.load(norms + (<usize>c << 2));
      const n1 = v128.load(norms + (<usize>c << 2), 16);
      const i0 = i32x4.add(i32x4.splat(c), i32x4(0, 1, 2, 3));
      const i1 = i32x4.add(i32x4.splat(c), i32x4(4, 5, 6, 7));
      const two = f32x4.splat(2);
      for (let p: usize = 0; p < 4; p++) {
        let least = v128.load(best + (p << 5));
        let which = v128.load(best + (p << 5), 16);
        const s0 = f32x4.sub(n0, f32x4.mul(two, v128.load(scratch + (p << 5))));
        const m0 = f32x4.lt(s0, least);
        least = v128.bitselect(s0, least, m0);
        which = v128.bitselect(i0, which, m0);
        const s1 = f32x4.sub(n1, f32x4.mul(two, v128.load(scratch + (p << 5), 16)));
        const m1 = f32x4.lt(s1, least);
        v128.store(best + (p << 5), v128.bitselect(s1, least, m1));
        v128.store(best + (p << 5), v128.bitselect(i1, which, m1), 16);
      }
    }
    const points4 = min(4, n - i);
    for (let p = 0; p < points4; p++) {
      const at = best + (<usize>p << 5);
      let least = load<f32>(at);
      let label = load<i32>(at, 16);
      for (let lane: usize = 1; lane < 4; lane++) {
        const value = load<f32>(at + (lane << 2));
        const which = load<i32>(at + (lane << 2), 16);
        if (value < least || (value === least && which < label)) {
          least = value;
          label = which;
        }
      }
      const kept = labels + (<usize>(i + p) << 2);
      if (load<i32>(kept) !== label) {
        store<i32>(kept, label);
        changed++;
      }
      store<i32>(counts + (<usize>label << 2), load<i32>(counts + (<usize>label << 2)) + 1);
      let from = points + <usize>(i + p) * width;
      let to = sums + (<usize>label * <usize>d << 3);
      const end = from + width;
      while (from < end) {
        store<f64>(to, load<f64>(to) + <f64>load<f32>(from));
        from += 4;
        to += 8;
      }
    }
  }
  return changed;
}

/** Where `pairs` stopped for want of room. */
export let resume: i32 = 0;

/**
 * Pairs of points (i < j) whose squared distance is at most `limit`, from point `from` on, as two ints each, at most `room` of them. `lines` holds d lines of `stride` floats, a line a dimension, with NaN
 * past n; points are ordered by the first line, of which `reach` is the farthest that a pair can lie apart. Stops before a point whose pairs may not fit: `resume` says where (n: all done). Answers how many.
 */
export function pairs(lines: usize, n: i32, d: i32, stride: i32, limit: f32, reach: f32, from: i32, out: usize, room: i32): i32 {
  const line = <usize>stride << 2;
  let found = 0;
  const most = f32x4.splat(limit);
  for (let i = from; i < n; i++) {
    const own = lines + (<usize>i << 2);
    const last = load<f32>(own) + reach;
    let j = i + 1;
    while (j < n && load<f32>(lines + (<usize>j << 2)) <= last) {
      if (found + 8 > room) {
        // What was found of this point is found again.
        while (found > 0 && load<i32>(out + (<usize>(found - 1) << 3)) === i) found--;
        resume = i;
        return found;
      }
      let x = own;
      let y = lines + (<usize>j << 2);
      let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
      let dim = 0;
      while (dim < d) {
        const stop = min(d, dim + 4);
        for (; dim < stop; dim++) {
          const v = v128.load_splat<f32>(x);
          const t0 = f32x4.sub(v128.load(y), v);
          const t1 = f32x4.sub(v128.load(y, 16), v);
          s0 = f32x4.add(s0, f32x4.mul(t0, t0));
          s1 = f32x4.add(s1, f32x4.mul(t1, t1));
          x += line;
          y += line;
        }
        if (!v128.any_true(v128.or(f32x4.le(s0, most), f32x4.le(s1, most)))) break;
      }
      let mask = i32x4.bitmask(f32x4.le(s0, most)) | (i32x4.bitmask(f32x4.le(s1, most)) << 4);
      while (mask) {
        const lane = ctz(mask);
        mask &= mask - 1;
        store<i32>(out + (<usize>found << 3), i);
        store<i32>(out + (<usize>found << 3), j + lane, 4);
        found++;
      }
      j += 8;
    }
  }
  resume = n;
  return found;
}

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, f: i32): f32 {
  let s = f32x4.splat(0), t = f32x4.splat(0);
  let i = 0;
  for (; i + 8 <= f; i += 8) {
    s = madd(v128.load(a), v128.load(b), s);
    t = madd(v128.load(a, 16), v128.load(b, 16), t);
    a += 32;
    b += 32;
  }
  if (i < f) s = madd(v128.load(a), v128.load(b), s);
  s = f32x4.add(s, t);
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
}

/** y += a x */
// @ts-ignore: decorator
@inline
function add(y: usize, a: f32, x: usize, f: i32): void {
  const s = f32x4.splat(a);
  for (let i = 0; i < f; i += 4) {
    v128.store(y, madd(s, v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
}

/** G = YᵀY + λI, of n rows of f floats. */
export function gram(y: usize, n: i32, f: i32, lambda: f32, g: usize): void {
  memory.fill(g, 0, <usize>(f * f) << 2);
  const width = <usize>f << 2;
  for (let row = 0; row < n; row++) {
    const from = y + <usize>row * width;
    for (let i = 0; i < f; i++) add(g + <usize>i * width, load<f32>(from + (<usize>i << 2)), from, f);
  }
  for (let i = 0; i < f; i++) {
    const at = g + <usize>i * width + (<usize>i << 2);
    store<f32>(at, load<f32>(at) + lambda);
  }
}

/** out = G x, for a symmetric G. */
// @ts-ignore: decorator
@inline
function multiply(g: usize, x: usize, f: i32, out: usize): void {
  memory.fill(out, 0, <usize>f << 2);
  const width = <usize>f << 2;
  for (let i = 0; i < f; i++) add(out, load<f32>(x + (<usize>i << 2)), g + <usize>i * width, f);
}

/**
 * For rows `from` to `to`: some steps of conjugate gradient towards the x that solves (G + Σ (c − 1) y yᵀ) x = Σ c y, over the row's columns with their confidences c. `starts` and `columns` are
 * those of a compressed sparse matrix, `weights` holds c − 1. A row without columns becomes zero. `work` has room for three rows.
 */
export function solve(from: i32, to: i32, starts: usize, columns: usize, weights: usize, x: usize, y: usize, g: usize, f: i32, steps: i32, work: usize): void {
  const width = <usize>f << 2;
  const r = work;
  const p = work + width;
  const ap = p + width;
  for (let row = from; row < to; row++) {
    const own = x + <usize>row * width;
    const first = load<i32>(starts + (<usize>row << 2));
    const last = load<i32>(starts + (<usize>row << 2), 4);
    if (first === last) {
      memory.fill(own, 0, width);
      continue;
    }
    multiply(g, own, f, r);
    for (let i: usize = 0; i < width; i += 16) v128.store(r + i, f32x4.neg(v128.load(r + i)));
    for (let e = first; e < last; e++) {
      const item = y + <usize>load<i32>(columns + (<usize>e << 2)) * width;
      const weight = load<f32>(weights + (<usize>e << 2));
      add(r, 1 + weight - weight * dot(item, own, f), item, f);
    }
    memory.copy(p, r, width);
    let rs = dot(r, r, f);
    for (let step = 0; step < steps && rs > 1e-20; step++) {
      multiply(g, p, f, ap);
      for (let e = first; e < last; e++) {
        const item = y + <usize>load<i32>(columns + (<usize>e << 2)) * width;
        add(ap, load<f32>(weights + (<usize>e << 2)) * dot(item, p, f), item, f);
      }
      const alpha = rs / dot(p, ap, f);
      add(own, alpha, p, f);
      add(r, -alpha, ap, f);
      const next = dot(r, r, f);
      const beta = next / rs;
      for (let i: usize = 0; i < width; i += 16) v128.store(p + i, f32x4.add(v128.load(r + i), f32x4.mul(f32x4.splat(beta), v128.load(p + i))));
      rs = next;
    }
  }
}

/**
 * The k columns with the greatest products with each of the rows `from` to `to` (multiples of four, with room), the greatest first, the first of equals; a row is not its own: column `row + shift` is passed over.
 * `columns` are d lines of `stride` floats, of which n count. Scores and numbers go to `scores` and `ids`, k a row.
 */
export function nearest(rows: usize, from: i32, to: i32, d: i32, columns: usize, n: i32, stride: i32, shift: i32, k: i32, scores: usize, ids: usize, scratch: usize): void {
  const width = <usize>d << 2;
  for (let i = from; i < to; i += 4) {
    for (let p = 0; p < 4; p++) {
      const at = <usize>(i + p - from) * <usize>k << 2;
      for (let s = 0; s < k; s++) {
        store<f32>(scores + at + (<usize>s << 2), -f32.MAX_VALUE);
        store<i32>(ids + at + (<usize>s << 2), -1);
      }
    }
    for (let c = 0; c < n; c += 8) {
      tile(rows + <usize>i * width, d, columns + (<usize>c << 2), stride, scratch);
      for (let p = 0; p < 4; p++) {
        const at = <usize>(i + p - from) * <usize>k << 2;
        const lowest = scores + at + (<usize>(k - 1) << 2);
        const from8 = scratch + (<usize>p << 5);
        const bar = v128.load_splat<f32>(lowest);
        if (!v128.any_true(v128.or(f32x4.gt(v128.load(from8), bar), f32x4.gt(v128.load(from8, 16), bar)))) continue;
        const lanes = min(8, n - c);
        for (let lane = 0; lane < lanes; lane++) {
          const score = load<f32>(from8 + (<usize>lane << 2));
          if (!(score > load<f32>(lowest)) || c + lane === i + p + shift) continue;
          let s = k - 1;
          while (s > 0 && load<f32>(scores + at + (<usize>(s - 1) << 2)) < score) {
            store<f32>(scores + at + (<usize>s << 2), load<f32>(scores + at + (<usize>(s - 1) << 2)));
            store<i32>(ids + at + (<usize>s << 2), load<i32>(ids + at + (<usize>(s - 1) << 2)));
            s--;
          }
          store<f32>(scores + at + (<usize>s << 2), score);
          store<i32>(ids + at + (<usize>s << 2), c + lane);
        }
      }
    }
  }
}
