/**
 * The inner loops of the engine, in AssemblyScript (a TypeScript-like language for WebAssembly): four floats at a time. `npm run kernels` makes src/ml/binary.ts of it.
 * Memory is the caller's (src/ml/wasm.ts): every parameter that is a `usize` is an address in bytes. Each kernel has a twin on typed arrays in src/ml/twins.ts, which tells what it computes.
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

/** ‖x − c‖² of two rows of d floats. */
// @ts-ignore: decorator
@inline
function apart(a: usize, b: usize, d: i32): f32 {
  let s = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= d; i += 4) {
    const t = f32x4.sub(v128.load(a), v128.load(b));
    s = madd(t, t, s);
    a += 16;
    b += 16;
  }
  let sum = f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
  for (; i < d; i++) {
    const t = load<f32>(a) - load<f32>(b);
    sum += t * t;
    a += 4;
    b += 4;
  }
  return sum;
}

/**
 * Of four rows, the nearest of the columns (the first of equals) by ‖c‖² − 2 x·c: into `found`, for each row, that value, its number as an int, and the least value of the others; 16 bytes a row. `skip`: the first row is
 * column `skip` itself, the next one the one behind it, which is passed over; -1: none is.
 */
// @ts-ignore: decorator
@inline
function nearestOfFour(rows: usize, d: i32, columns: usize, stride: i32, norms: usize, skip: i32, found: usize, scratch: usize): void {
  const best = scratch + 128;
  for (let p: usize = 0; p < 4; p++) {
    v128.store(best + p * 48, f32x4.splat(f32.MAX_VALUE));
    v128.store(best + p * 48, i32x4.splat(0), 16);
    v128.store(best + p * 48, f32x4.splat(f32.MAX_VALUE), 32);
  }
  for (let c = 0; c < stride; c += 8) {
    tile(rows, d, columns + (<usize>c << 2), stride, scratch);
    const n0 = v128.load(norms + (<usize>c << 2));
    const n1 = v128.load(norms + (<usize>c << 2), 16);
    const i0 = i32x4.add(i32x4.splat(c), i32x4(0, 1, 2, 3));
    const i1 = i32x4.add(i32x4.splat(c), i32x4(4, 5, 6, 7));
    const two = f32x4.splat(2);
    for (let p: usize = 0; p < 4; p++) {
      let least = v128.load(best + p * 48);
      let which = v128.load(best + p * 48, 16);
      let second = v128.load(best + p * 48, 32);
      let s0 = f32x4.sub(n0, f32x4.mul(two, v128.load(scratch + (p << 5))));
      let s1 = f32x4.sub(n1, f32x4.mul(two, v128.load(scratch + (p << 5), 16)));
      if (skip >= 0) {
        const own = i32x4.splat(skip + <i32>p);
        const far = f32x4.splat(f32.MAX_VALUE);
        s0 = v128.bitselect(far, s0, i32x4.eq(i0, own));
        s1 = v128.bitselect(far, s1, i32x4.eq(i1, own));
      }
      const m0 = f32x4.lt(s0, least);
      second = f32x4.pmin(second, f32x4.pmax(least, s0));
      least = v128.bitselect(s0, least, m0);
      which = v128.bitselect(i0, which, m0);
      const m1 = f32x4.lt(s1, least);
      second = f32x4.pmin(second, f32x4.pmax(least, s1));
      v128.store(best + p * 48, v128.bitselect(s1, least, m1));
      v128.store(best + p * 48, v128.bitselect(i1, which, m1), 16);
      v128.store(best + p * 48, second, 32);
    }
  }
  for (let p: usize = 0; p < 4; p++) {
    const at = best + p * 48;
    let least = load<f32>(at);
    let label = load<i32>(at, 16);
    let second = min(min(load<f32>(at, 32), load<f32>(at, 36)), min(load<f32>(at, 40), load<f32>(at, 44)));
    for (let lane: usize = 1; lane < 4; lane++) {
      const value = load<f32>(at + (lane << 2));
      const which = load<i32>(at + (lane << 2), 16);
      if (value < least || (value === least && which < label)) {
        second = min(second, least);
        least = value;
        label = which;
      } else second = min(second, value);
    }
    store<f32>(found + (p << 4), least);
    store<i32>(found + (p << 4), label, 4);
    store<f32>(found + (p << 4), second, 8);
  }
}

/** Of each of k centroids (`rows`, with room for a multiple of four; and as columns), half its distance from the nearest other one, rounded down: into `halves`. `slack`: how much of a square rounding may have taken, as a share of the squares that it came of. */
export function separate(rows: usize, k: i32, d: i32, columns: usize, stride: i32, norms: usize, halves: usize, slack: f32, largest: f32, scratch: usize): void {
  const found = scratch + 320;
  for (let c = 0; c < k; c += 4) {
    nearestOfFour(rows + (<usize>(c * d) << 2), d, columns, stride, norms, c, found, scratch);
    const end = min(4, k - c);
    for (let p = 0; p < end; p++) {
      const norm = load<f32>(norms + (<usize>(c + p) << 2));
      const square = load<f32>(found + (<usize>p << 4)) + norm - slack * (norm + largest);
      store<f32>(halves + (<usize>(c + p) << 2), 0.5 * Mathf.sqrt(max<f32>(0, square)));
    }
  }
}

/** Takes a point out of a cluster's sums (sign −1) or into them (1). */
// @ts-ignore: decorator
@inline
function account(point: usize, d: i32, sums: usize, counts: usize, label: i32, sign: i32): void {
  const count = counts + (<usize>label << 2);
  store<i32>(count, load<i32>(count) + sign);
  let to = sums + (<usize>label * <usize>d << 3);
  const end = point + (<usize>d << 2);
  const factor = <f64>sign;
  while (point < end) {
    store<f64>(to, load<f64>(to) + factor * <f64>load<f32>(point));
    point += 4;
    to += 8;
  }
}

/**
 * One step of Lloyd for the points `from` to `to`: the nearest centroid of each (the first of equals), and the sums and counts of each. Points are given row by row; the centroids both as rows and as d lines of `stride` floats,
 * `norms` their squared lengths (infinite past k), `squares` those of the points. What can't have changed is not computed (G. Hamerly, "Making k-means even faster", SDM 2010): `uppers` bounds the distance from the own
 * centroid, `lowers` that from every other; `moved` tells how far each centroid has gone since, `most` the farthest of all, `mostOther` the farthest but `farthest`; `halves` comes of `separate`. A label of −1 is none yet.
 * Answers how many labels changed.
 */
export function assign(
  points: usize, from: i32, to: i32, d: i32, rows: usize, columns: usize, stride: i32, norms: usize, squares: usize, labels: usize, uppers: usize, lowers: usize, moved: usize, halves: usize, most: f32, mostOther: f32,
  farthest: i32, slack: f32, largest: f32, sums: usize, counts: usize, four: usize, scratch: usize,
): i32 {
  let changed = 0;
  const width = <usize>d << 2;
  const queue = scratch + 384;
  const found = scratch + 320;
  let waiting = 0;
  for (let i = from; i < to; i++) {
    const at = <usize>i << 2;
    const label = load<i32>(labels + at);
    let open = true;
    if (label >= 0) {
      const bar = max<f32>(load<f32>(lowers + at) - (label === farthest ? mostOther : most), load<f32>(halves + (<usize>label << 2)));
      let upper = load<f32>(uppers + at) + load<f32>(moved + (<usize>label << 2));
      if (upper >= bar) upper = Mathf.sqrt(apart(points + <usize>i * width, rows + <usize>label * width, d)) * 1.00001;
      if (upper < bar) {
        store<f32>(uppers + at, upper);
        store<f32>(lowers + at, load<f32>(lowers + at) - (label === farthest ? mostOther : most));
        open = false;
      }
    }
    if (open) {
      store<i32>(queue + (<usize>waiting << 2), i);
      memory.copy(four + <usize>waiting * width, points + <usize>i * width, width);
      waiting++;
    }
    if (waiting < 4 && (i + 1 < to || waiting === 0)) continue;
    nearestOfFour(four, d, columns, stride, norms, -1, found, scratch);
    for (let p = 0; p < waiting; p++) {
      const point = load<i32>(queue + (<usize>p << 2));
      const own = <usize>point << 2;
      const square = load<f32>(squares + own);
      const rounding = slack * (square + largest);
      store<f32>(uppers + own, Mathf.sqrt(max<f32>(0, load<f32>(found + (<usize>p << 4)) + square + rounding)));
      store<f32>(lowers + own, Mathf.sqrt(max<f32>(0, load<f32>(found + (<usize>p << 4), 8) + square - rounding)));
      const before = load<i32>(labels + own);
      const now = load<i32>(found + (<usize>p << 4), 4);
      if (before === now) continue;
      changed++;
      store<i32>(labels + own, now);
      if (before >= 0) account(points + <usize>point * width, d, sums, counts, before, -1);
      account(points + <usize>point * width, d, sums, counts, now, 1);
    }
    waiting = 0;
  }
  return changed;
}

/** Where `pairs` stopped: at which leaf, and with which other. */
export let resume: i32 = 0;
export let resumeOther: i32 = 0;

/** Points of a leaf: see dbscan.ts. */
const LEAF = 32;

/**
 * Pairs of points (i < j) whose squared distance is at most `limit`, as two ints each, at most `room` of them. `lines` holds d lines of `stride` floats, a line a dimension, with NaN past n; each 32 points are a leaf, whose
 * bounds stand in `boxes`: `padded` floats of least values and as many of greatest, a multiple of four. Leaves whose bounds lie farther apart than `reach` (squared) are passed over whole. Begins with a leaf and another, and stops
 * after `turns` leaves, or before a pair of leaves whose pairs may not fit: `resume` and `resumeOther` say where. Answers how many.
 */
export function pairs(lines: usize, d: i32, stride: i32, boxes: usize, padded: i32, leaves: i32, limit: f32, reach: f32, leaf: i32, other: i32, turns: i32, out: usize, room: i32): i32 {
  const line = <usize>stride << 2;
  const box = <usize>padded << 3;
  const high = <usize>padded << 2;
  const most = f32x4.splat(limit);
  const stop = min(leaves, leaf + turns);
  let found = 0;
  for (let a = leaf; a < stop; a++) {
    const own = boxes + <usize>a * box;
    for (let b = a === leaf ? other : a; b < leaves; b++) {
      const theirs = boxes + <usize>b * box;
      let gap = f32x4.splat(0);
      for (let at: usize = 0; at < high; at += 16) {
        const between = f32x4.pmax(f32x4.splat(0), f32x4.pmax(f32x4.sub(v128.load(own + at), v128.load(theirs + at + high)), f32x4.sub(v128.load(theirs + at), v128.load(own + at + high))));
        gap = madd(between, between, gap);
      }
      if (f32x4.extract_lane(gap, 0) + f32x4.extract_lane(gap, 1) + (f32x4.extract_lane(gap, 2) + f32x4.extract_lane(gap, 3)) > reach) continue;
      if (found + LEAF * LEAF > room) {
        resume = a;
        resumeOther = b;
        return found;
      }
      for (let i = a * LEAF; i < (a + 1) * LEAF; i++) {
        for (let j = b * LEAF; j < (b + 1) * LEAF; j += 8) {
          if (j + 7 <= i) continue;
          let x = lines + (<usize>i << 2);
          let y = lines + (<usize>j << 2);
          let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
          let dim = 0;
          while (dim < d) {
            const end = min(d, dim + 8);
            for (; dim < end; dim++) {
              const v = v128.load_splat<f32>(x);
              const t0 = f32x4.sub(v128.load(y), v);
              const t1 = f32x4.sub(v128.load(y, 16), v);
              s0 = madd(t0, t0, s0);
              s1 = madd(t1, t1, s1);
              x += line;
              y += line;
            }
            if (!v128.any_true(v128.or(f32x4.le(s0, most), f32x4.le(s1, most)))) break;
          }
          let mask = i32x4.bitmask(f32x4.le(s0, most)) | (i32x4.bitmask(f32x4.le(s1, most)) << 4);
          // A pair is told once: i < j.
          if (j <= i) mask &= -1 << (i + 1 - j);
          while (mask) {
            const lane = ctz(mask);
            mask &= mask - 1;
            store<i32>(out + (<usize>found << 3), i);
            store<i32>(out + (<usize>found << 3), j + lane, 4);
            found++;
          }
        }
      }
    }
  }
  resume = stop;
  resumeOther = stop;
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

/** out = G x, for a symmetric G: sixteen floats of it at a time stay in registers. */
// @ts-ignore: decorator
@inline
function multiply(g: usize, x: usize, f: i32, out: usize): void {
  const width = <usize>f << 2;
  const end = x + width;
  let c = 0;
  for (; c + 16 <= f; c += 16) {
    let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
    let from = g + (<usize>c << 2);
    for (let at = x; at < end; at += 4) {
      const s = v128.load_splat<f32>(at);
      a0 = madd(s, v128.load(from), a0);
      a1 = madd(s, v128.load(from, 16), a1);
      a2 = madd(s, v128.load(from, 32), a2);
      a3 = madd(s, v128.load(from, 48), a3);
      from += width;
    }
    const to = out + (<usize>c << 2);
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to, a2, 32);
    v128.store(to, a3, 48);
  }
  for (; c < f; c += 4) {
    let a0 = f32x4.splat(0);
    let from = g + (<usize>c << 2);
    for (let at = x; at < end; at += 4) {
      a0 = madd(v128.load_splat<f32>(at), v128.load(from), a0);
      from += width;
    }
    v128.store(out + (<usize>c << 2), a0);
  }
}

/**
 * For rows `from` to `to`: some steps of conjugate gradient towards the x that solves (G + Σ (c − 1) y yᵀ) x = Σ c y, over the row's columns with their confidences c. `starts` and `columns` are
 * those of a compressed sparse matrix, `weights` holds c − 1. A row without columns becomes zero. A row is done when a step has moved it by less than `settled` (squared) of its length. `work` has room for three rows.
 */
export function solve(from: i32, to: i32, starts: usize, columns: usize, weights: usize, x: usize, y: usize, g: usize, f: i32, steps: i32, settled: f32, work: usize): void {
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
      if (step + 1 === steps || alpha * alpha * dot(p, p, f) < settled * dot(own, own, f)) break;
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

/** The four lanes of each of four vectors added up: a vector of the four sums. */
// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** Products of n rows of d floats (a multiple of four; with room for a multiple of four rows) with one vector, into `out`. */
export function multiplyRows(rows: usize, n: i32, d: i32, vector: usize, out: usize): void {
  const width = <usize>d << 2;
  for (let i = 0; i < n; i += 4) {
    let x = rows + <usize>i * width;
    let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), e = f32x4.splat(0);
    for (let at: usize = 0; at < width; at += 16) {
      const v = v128.load(vector + at);
      a = madd(v128.load(x), v, a);
      b = madd(v128.load(x + width), v, b);
      c = madd(v128.load(x + 2 * width), v, c);
      e = madd(v128.load(x + 3 * width), v, e);
      x += 16;
    }
    v128.store(out + (<usize>i << 2), sums(a, b, c, e));
  }
}
