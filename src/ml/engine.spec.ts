import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { foldIn, implicitAls, type Interactions } from './als.js';
import { SOURCE_SHA256 } from './binary.js';
import { Bag, ContentSpace, wordsOf } from './content.js';
import { dbscan, NOISE } from './dbscan.js';
import { MlEngine, sharedFloats } from './engine.js';
import { MlRefusal, type Matrix, type RefusalReason } from './errors.js';
import { evaluate } from './evaluation.js';
import { kernels } from './kernels.js';
import { kneeOf } from './knee.js';
import { kMeans, place } from './kmeans.js';
import { neighbours } from './neighbours.js';
import { principalParts } from './principal.js';
import { adjustedRand } from './quality.js';
import { SeededRandom } from './random.js';
import { kMeansBySilhouette } from './silhouette.js';
import type { Tensors } from './tensors.js';
import { dot, twins } from './twins.js';

const wasm = kernels();

/** Points around k centres, and which. */
function blobs(seed: number, n: number, d: number, k: number, spread = 0.3): Matrix & { truth: Int32Array } {
  const random = new SeededRandom(seed);
  const centres = Float32Array.from({ length: k * d }, () => random.normal() * 3);
  const truth = Int32Array.from({ length: n }, (_, i) => i % k);
  const values = Float32Array.from({ length: n * d }, (_, at) => centres[truth[Math.floor(at / d)]! * d + (at % d)]! + random.normal() * spread);
  return { values, n, d, truth };
}

/** People who like what their kind likes. */
function tastes(seed: number, userCount: number, itemCount: number, kinds: number, each: number): Interactions {
  const random = new SeededRandom(seed);
  const pairs = new Set<number>();
  for (let user = 0; user < userCount; user++) {
    for (let i = 0; i < each; i++) {
      const item = random.next() < 0.85 ? (user % kinds) + kinds * random.below(itemCount / kinds) : random.below(itemCount);
      pairs.add(user * itemCount + item);
    }
  }
  const all = [...pairs];
  return { users: Int32Array.from(all, (pair) => Math.floor(pair / itemCount)), items: Int32Array.from(all, (pair) => pair % itemCount), strengths: new Float32Array(all.length).fill(1), userCount, itemCount };
}

const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)), `${a} is not ${b}`);
const allNear = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) near(a[i]!, b[i]!, tolerance);
};
const refused = (reason: RefusalReason) => (error: unknown) => error instanceof MlRefusal && error.reason === reason;

const matrices = fc.record({ n: fc.integer({ min: 1, max: 60 }), d: fc.integer({ min: 1, max: 19 }), seed: fc.integer({ min: 0, max: 1_000 }) }).map(({ n, d, seed }): Matrix => {
  const random = new SeededRandom(seed);
  return { values: Float32Array.from({ length: n * d }, () => random.normal()), n, d };
});

describe('the kernels', () => {
  it('run as WebAssembly, compiled from the source that stands beside them', () => {
    assert.equal(wasm.name, 'wasm-simd');
    assert.equal(SOURCE_SHA256, createHash('sha256').update(readFileSync(new URL('./assembly/kernels.ts', import.meta.url))).digest('hex'), 'run `npm run kernels`');
  });

  it('step as their twin does', () =>
    fc.assert(
      fc.property(matrices, fc.integer({ min: 1, max: 17 }), ({ values, n, d }, wanted) => {
        const k = Math.min(wanted, n);
        const centroids = values.slice(0, k * d);
        const [ours, twin] = [wasm.lloyd(values, n, d, k), twins.lloyd(values, n, d, k)];
        assert.equal(ours.step(centroids), twin.step(centroids));
        assert.deepEqual([...ours.labels], [...twin.labels]);
        assert.deepEqual([...ours.counts], [...twin.counts]);
        allNear(ours.sums, twin.sums, 1e-6);
        assert.equal(ours.step(centroids), 0);
      }),
      { numRuns: 60 },
    ));

  it('go all the way of Lloyd as their twin does, though they leave out what can’t have changed', () => {
    // Points without any structure change their clusters for long; twelve of one place leave clusters empty.
    for (const [seed, d, k] of [[1, 3, 17], [2, 19, 9], [3, 8, 40]] as const) {
      const random = new SeededRandom(seed);
      const points = { n: 600, d, values: Float32Array.from({ length: 600 * d }, (_, at) => (at < 12 * d ? 4 : random.normal())) };
      const options = { k, seed, start: points.values.slice(0, k * d) };
      const [ours, twin] = [kMeans(points, { ...options, kernels: wasm }), kMeans(points, { ...options, kernels: twins })];
      assert.deepEqual([ours.iterations, [...ours.labels]], [twin.iterations, [...twin.labels]]);
      near(ours.inertia, twin.inertia, 1e-9);
      assert.ok(ours.counts.every((count) => count > 0));
    }
  });

  it('find the pairs that their twin finds', () =>
    fc.assert(
      fc.property(matrices, fc.double({ min: 0.3, max: 5, noNaN: true }), (points, eps) => {
        const options = { eps, minPoints: 3 };
        assert.deepEqual(dbscan(points, { ...options, kernels: wasm }), dbscan(points, { ...options, kernels: twins }));
      }),
      { numRuns: 60 },
    ));

  it('solve as their twin does', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 1, max: 13 }), (seed, factors) => {
        const given = tastes(seed, 20, 12, 3, 4);
        const options = { factors, sweeps: 2, seed };
        const [ours, twin] = [implicitAls(given, { ...options, kernels: wasm }), implicitAls(given, { ...options, kernels: twins })];
        allNear(ours.users, twin.users, 2e-3);
        allNear(ours.items, twin.items, 2e-3);
      }),
      { numRuns: 25 },
    ));

  it('find the neighbours that their twin finds', () =>
    fc.assert(
      fc.asyncProperty(matrices, fc.integer({ min: 1, max: 9 }), async (points, k) => {
        const [ours, twin] = [await neighbours(points, { k, kernels: wasm }), await neighbours(points, { k, kernels: twins })];
        allNear(ours.scores, twin.scores, 1e-5);
        assert.deepEqual([...ours.ids].map((id) => id === -1), [...twin.ids].map((id) => id === -1));
      }),
      { numRuns: 40 },
    ));

  it('multiply rows as their twin does, one vector after the other', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 41 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 1_000 }), (n, quarter, seed) => {
        const d = 4 * quarter;
        const random = new SeededRandom(seed);
        const [ours, twin] = [wasm.rows(n, d), twins.rows(n, d)];
        for (const { values } of [ours, twin]) assert.deepEqual(values, new Float32Array(n * d));
        for (let at = 0; at < n * d; at++) ours.values[at] = twin.values[at] = random.normal();
        for (let turn = 0; turn < 2; turn++) {
          const vector = Float32Array.from({ length: d }, () => random.normal());
          allNear(ours.times(vector), twin.times(vector), 1e-5);
        }
      }),
      { numRuns: 60 },
    ));
});

describe('clustering', () => {
  it('finds planted clusters, the same for the same seed', () => {
    for (const seed of [11, 12, 13]) {
      const points = blobs(seed, 240, 8, 6);
      const found = kMeans(points, { k: 6, seed });
      assert.equal(adjustedRand(found.labels, points.truth), 1);
      assert.deepEqual(kMeans(points, { k: 6, seed }), found);
    }
  });

  it('places what is new beside those whom it belongs to', () => {
    const points = blobs(3, 200, 6, 4);
    const { labels, centroids } = kMeans({ values: points.values.slice(0, 160 * 6), n: 160, d: 6 }, { k: 4, seed: 1 });
    for (let i = 160; i < 200; i++) assert.equal(place(points.values.slice(i * 6, i * 6 + 6), centroids).label, labels[i % 4]);
  });

  it('keeps noise apart', () => {
    const points = blobs(5, 150, 4, 3);
    const values = Float32Array.of(...points.values, ...[99, 99, 99, 99], ...[-99, 0, 0, 0]);
    const { labels, k } = dbscan({ values, n: 152, d: 4 }, { eps: 1.5, minPoints: 4 });
    assert.equal(k, 3);
    assert.deepEqual([labels[150], labels[151]], [NOISE, NOISE]);
    assert.equal(adjustedRand(labels.slice(0, 150), points.truth), 1);
  });

  it('finds the knee from which on values rise steeply', () => {
    assert.equal(kneeOf(Float32Array.of(1, 1.25, 1.5, 1.75, 5, 9)), 1.75);
    assert.deepEqual([kneeOf(Float32Array.of(2, 2, 2)), kneeOf(Float32Array.of(3)), kneeOf(new Float32Array(0))], [2, 3, 0]);
  });

  it('finds the principal parts that say more than noise would, which keep distances', () => {
    const random = new SeededRandom(21);
    // Three directions of sixteen, and a little noise in all.
    const [n, d] = [400, 16];
    const axes = Float32Array.from({ length: 3 * d }, () => random.normal());
    const values = new Float32Array(n * d);
    for (let row = 0; row < n; row++) {
      const along = [random.normal(), random.normal(), random.normal()];
      for (let j = 0; j < d; j++) values[row * d + j] = 5 + along.reduce((sum, length, axis) => sum + length * axes[axis * d + j]!, 0) + 0.05 * random.normal();
    }
    const parts = principalParts({ values, n, d });
    assert.deepEqual([parts.n, parts.d], [n, 3]);
    const apart = (of: Matrix, a: number, b: number): number => Math.sqrt(Array.from({ length: of.d }, (_, j) => (of.values[a * of.d + j]! - of.values[b * of.d + j]!) ** 2).reduce((sum, square) => sum + square, 0));
    for (let pair = 0; pair < 50; pair++) near(apart(parts, pair, pair + 100), apart({ values, n, d }, pair, pair + 100), 0.1);
    assert.equal(principalParts({ values: new Float32Array(n * d), n, d }).d, 2);
    assert.throws(() => principalParts({ values: new Float32Array(0), n: 0, d }), refused('EMPTY'));
  });

  it('answers clearly what can’t be clustered', () => {
    const of = (values: number[], d = 1): Matrix => ({ values: Float32Array.from(values), n: values.length / d, d });
    assert.throws(() => kMeans(of([]), { k: 1, seed: 1 }), refused('EMPTY'));
    assert.throws(() => kMeans(of([1, 2]), { k: 3, seed: 1 }), refused('K_TOO_LARGE'));
    assert.throws(() => kMeans(of([1, NaN]), { k: 1, seed: 1 }), refused('NOT_FINITE'));
    assert.throws(() => kMeans({ values: new Float32Array(3), n: 2, d: 2 }, { k: 1, seed: 1 }), refused('SHAPE'));
    assert.throws(() => kMeans({ values: new Float32Array(0), n: 2_000_000, d: 2 }, { k: 1, seed: 1 }), refused('TOO_LARGE'));
    assert.throws(() => dbscan(of([1, 2]), { eps: 0, minPoints: 1 }), refused('OPTION'));
    assert.throws(() => dbscan(of([]), { eps: 1, minPoints: 1 }), refused('EMPTY'));
    assert.throws(() => dbscan(of([1, Infinity]), { eps: 1, minPoints: 1 }), refused('NOT_FINITE'));
    const one = { users: Int32Array.of(0), items: Int32Array.of(0), userCount: 1, itemCount: 1 };
    assert.throws(() => implicitAls({ ...one, strengths: Float32Array.of(NaN) }, { factors: 2, sweeps: 1, seed: 1 }), refused('NOT_FINITE'));
    assert.throws(() => implicitAls({ ...one, items: Int32Array.of(1), strengths: Float32Array.of(1) }, { factors: 2, sweeps: 1, seed: 1 }), refused('SHAPE'));
    // Who has done nothing has no taste, and is no reason to fail.
    assert.deepEqual([...implicitAls({ ...one, userCount: 2, strengths: Float32Array.of(1) }, { factors: 2, sweeps: 3, seed: 1 }).users.subarray(2)], [0, 0]);
    assert.throws(() => implicitAls({ users: new Int32Array(0), items: new Int32Array(0), strengths: new Float32Array(0), userCount: 1, itemCount: 1 }, { factors: 2, sweeps: 1, seed: 1 }), refused('EMPTY'));
    assert.deepEqual([...kMeans(of([7]), { k: 1, seed: 1 }).labels], [0]);
    const same = kMeans(of([5, 5, 5, 5]), { k: 3, seed: 1 });
    assert.deepEqual([same.k, [...same.labels], same.inertia], [1, [0, 0, 0, 0], 0]);
    assert.deepEqual([...dbscan(of([5, 5, 5, 5]), { eps: 1, minPoints: 2 }).labels], [0, 0, 0, 0]);
    assert.deepEqual([...dbscan(of([5]), { eps: 1, minPoints: 2 }).labels], [NOISE]);
  });

  it('clusters a million points within the memory that they need', function () {
    this.timeout(60_000);
    const values = Float32Array.from({ length: 2_000_000 }, (_, at) => (at % 4 < 2 ? 0 : 9) + (at % 7) / 10);
    const { counts, k } = kMeans({ values, n: 1_000_000, d: 2 }, { k: 2, seed: 1, restarts: 1 });
    assert.deepEqual([k, [...counts]], [2, [500_000, 500_000]]);
    assert.throws(() => kMeans({ values: new Float32Array(1_000_001), n: 1_000_001, d: 1 }, { k: 2, seed: 1 }), refused('TOO_LARGE'));
  });

  it('takes the number of clusters by the silhouette, and one where all are the same', async () => {
    const points = blobs(9, 200, 5, 4);
    assert.equal((await kMeansBySilhouette(points, [2, 3, 4, 6, 8], { seed: 2 }, plain)).k, 4);
    assert.equal((await kMeansBySilhouette({ values: new Float32Array(20).fill(1), n: 10, d: 2 }, [2, 3], { seed: 2 }, plain)).k, 1);
  });
});

/** Dense products without TensorFlow.js, whose loading takes a second. */
const plain: Tensors = {
  backend: 'tfjs-cpu',
  product: (a, n, inner, b, m) => Promise.resolve(Float32Array.from({ length: n * m }, (_, at) => Array.from({ length: inner }, (__, i) => a[Math.floor(at / m) * inner + i]! * b[i * m + (at % m)]!).reduce((x, y) => x + y, 0))),
  productWithOwn: (rows, n, d) => Promise.resolve(Float32Array.from({ length: n * n }, (_, at) => dot(rows, Math.floor(at / n) * d, rows, (at % n) * d, d))),
};

describe('factors', () => {
  it('suggest what is hidden far better than popularity and chance', async () => {
    const found = await evaluate(tastes(4, 120, 60, 4, 8), null, { factors: 8, sweeps: 8, seed: 1 }, plain);
    assert.ok(found);
    assert.equal(found.people, 120);
    assert.ok(found.model.recall > 1.5 * found.popularity.recall && found.model.ndcg > 1.5 * found.popularity.ndcg, JSON.stringify(found));
    assert.ok(found.model.recall > 2 * found.random.recall);
  });

  it('of somebody new come out as those of somebody who did the same', () => {
    const given = tastes(6, 60, 40, 4, 8);
    const { users, items, f, gram } = implicitAls(given, { factors: 6, sweeps: 30, seed: 1 });
    const own = [...given.users.keys()].filter((entry) => given.users[entry] === 7).map((entry) => given.items[entry]!);
    const placed = foldIn(items, gram, f, own, own.map(() => 1));
    const cosine = dot(placed, 0, users, 7 * f, f) / Math.sqrt(dot(placed, 0, placed, 0, f) * dot(users, 7 * f, users, 7 * f, f));
    assert.ok(cosine > 0.99, String(cosine));
    assert.deepEqual([...foldIn(items, gram, f, [], [])], [0, 0, 0, 0, 0, 0]);
  });
});

describe('content vectors', () => {
  it('are near for what speaks of the same, of length 1, and zero without a signal', () => {
    const bags = ['mountain trail running shoes for the ridge', 'trail running on a mountain ridge', 'sourdough bread and lentil soup'].map((text) => {
      const bag = new Bag();
      for (const word of wordsOf(text)) bag.add(word);
      return bag;
    });
    const space = ContentSpace.empty();
    for (const bag of bags) space.learn(bag);
    const [a, b, c] = bags.map((bag) => space.vector(bag)) as [Float32Array, Float32Array, Float32Array];
    near(dot(a, 0, a, 0, 128), 1, 1e-5);
    assert.ok(dot(a, 0, b, 0, 128) > dot(a, 0, c, 0, 128) + 0.3);
    assert.ok(space.vector(new Bag()).every((value) => value === 0));
    assert.deepEqual(wordsOf('The AND of it; I’ll'), []);
  });
});

describe('the engine', function () {
  this.timeout(60_000);
  let engine: MlEngine;
  before(() => (engine = new MlEngine()));
  after(() => engine.close());

  it('runs nothing until it is asked; then says what it runs on, and works beside this thread', async () => {
    assert.deepEqual([engine.state.state, engine.threads], ['IDLE', 0]);
    const points = blobs(2, 200, 6, 5);
    const values = sharedFloats(points.values.length);
    values.set(points.values);
    const found = await engine.cluster({ values, n: 200, d: 6 }, { k: 5, seed: 3 });
    assert.equal(adjustedRand(found.labels, points.truth), 1);
    const { state, tensors, kernels: name } = await engine.begin();
    assert.deepEqual([state, name], ['READY', 'wasm-simd']);
    assert.match(tensors!, /^tfjs-(node|wasm|cpu)$/);
    assert.equal((await engine.clusterBest(points, [2, 5, 7], { seed: 1 })).k, 5);
    assert.ok((await engine.neighbours(points, { k: 3 })).ids.every((id) => id >= 0));
  });

  it('refuses with a reason, as it does on this side', async () => {
    await assert.rejects(engine.cluster({ values: new Float32Array(0), n: 0, d: 2 }, { k: 1, seed: 1 }), refused('EMPTY'));
    await assert.rejects(engine.density({ values: Float32Array.of(1, NaN), n: 1, d: 2 }, { eps: 1, minPoints: 1 }), refused('NOT_FINITE'));
  });

  it('is cancelled, and survives the death of its thread', async () => {
    const long = blobs(1, 4_000, 32, 40, 3);
    const endless = { k: 400, seed: 1, restarts: 100_000 };
    const stop = new AbortController();
    const cancelled = engine.cluster(long, endless, stop.signal);
    stop.abort();
    await assert.rejects(cancelled, { name: 'AbortError' });
    const dying = assert.rejects(engine.cluster(long, endless));
    while (engine.threads === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await engine.endThreads();
    await dying;
    assert.deepEqual([...(await engine.cluster({ values: Float32Array.of(1, 9), n: 2, d: 1 }, { k: 2, seed: 1 })).counts], [1, 1]);
  });

  it('lets no more than so many wait', async () => {
    const blocked = blobs(1, 4_000, 32, 40, 3);
    const all = Array.from({ length: 40 }, () => engine.cluster(blocked, { k: 400, seed: 1, restarts: 100_000 }).then(() => 'done', (error: unknown) => (error instanceof MlRefusal ? error.reason : 'ended')));
    while (engine.threads === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await engine.close();
    const outcomes = await Promise.all(all);
    assert.ok(outcomes.filter((outcome) => outcome === 'BUSY').length >= 7);
    assert.ok(outcomes.every((outcome) => outcome !== 'done'));
    engine = new MlEngine();
  });
});
