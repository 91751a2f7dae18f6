import assert from 'node:assert/strict';
import { DIMENSIONS, unit } from '../../ml/content.js';
import { MlEngine } from '../../ml/engine.js';
import type { Matrix } from '../../ml/errors.js';
import { adjustedRand } from '../../ml/quality.js';
import { SeededRandom } from '../../ml/random.js';
import { MAX_CLUSTER, subjectClusters } from './clusters.js';
import type { TrainingOptions } from './models.js';
import { findSubjects } from './subjects.js';

const options = (more: Partial<TrainingOptions>): TrainingOptions => ({ clusters: null, seed: 1, ...more });

/** People of some kinds, and some who are like nobody: those come last, with a kind of their own each. */
function people(seed: number, sizes: readonly number[], noise: number, spread = 0.06): Matrix & { truth: Int32Array } {
  const random = new SeededRandom(seed);
  const draw = (): Float32Array => unit(Float32Array.from({ length: DIMENSIONS }, () => random.normal()));
  const truth = Int32Array.from([...sizes.flatMap((size, kind) => Array<number>(size).fill(kind)), ...Array.from({ length: noise }, (_, n) => sizes.length + n)]);
  const middles = sizes.map(draw);
  const values = new Float32Array(truth.length * DIMENSIONS);
  truth.forEach((kind, row) => values.set(kind < sizes.length ? unit(middles[kind]!.map((value) => value + spread * random.normal())) : draw(), row * DIMENSIONS));
  return { values, n: truth.length, d: DIMENSIONS, truth };
}

describe('clusters of subjects', function () {
  this.timeout(60_000);
  let engine: MlEngine;
  before(() => (engine = new MlEngine()));
  after(() => engine.close());
  const found = async (all: Matrix, more: Partial<TrainingOptions>) => findSubjects(engine, all, options(more));

  it('finds planted kinds by both methods, of seeds that nothing was chosen by', async () => {
    for (const seed of [41, 42, 43]) {
      const all = people(seed, [60, 40, 25, 12], 0);
      for (const clustering of ['K_MEANS', 'DBSCAN'] as const) {
        const { labels, silhouette } = await found(all, { clustering });
        const agreement = adjustedRand(labels, all.truth);
        assert.ok(agreement >= 0.9, `${clustering}, seed ${seed}: ${agreement}`);
        assert.ok(silhouette! > 0.2, `${clustering}, seed ${seed}: ${silhouette}`);
      }
    }
  });

  it('keeps those apart by DBSCAN who are like nobody, and says by what distance', async () => {
    const all = people(44, [50, 30, 20], 15);
    const { labels, centroids, eps, minPoints } = await found(all, { clustering: 'DBSCAN' });
    assert.ok(adjustedRand(labels.slice(0, 100), all.truth.slice(0, 100)) >= 0.9);
    const strangers = new Set(Array.from({ length: 15 }, (_, n) => `${100 + n}`));
    const described = Array.from(all.truth, (_, n) => ({ id: `${n}`, topics: [], profession: null, place: null }));
    const members = (await subjectClusters(described, all.values, DIMENSIONS, labels, centroids)).flatMap((cluster) => cluster.members);
    assert.deepEqual([members.some((id) => strangers.has(id)), members.length >= 90], [false, true], members.join());
    assert.equal(minPoints, Math.round(Math.log(115)));
    assert.ok(eps! > 0.05 && eps! < 1, `${eps}`);
    // As found or as given: the same.
    assert.deepEqual((await found(all, { clustering: 'DBSCAN', eps, minPoints })).labels, labels);
    // Who reaches no farther than this is near to nobody.
    const strict = await found(all, { clustering: 'DBSCAN', eps: 0.01 });
    assert.deepEqual([strict.labels.every((label) => label < 0), strict.centroids.length, strict.silhouette], [true, 0, null]);
  });

  it('takes people who are all the same as one kind, and divides what is larger than a group', async () => {
    const same = people(45, [40], 0, 0);
    assert.deepEqual([...(await found(same, { clustering: 'DBSCAN' })).labels], new Array(40).fill(0));
    const large = people(46, [MAX_CLUSTER + 300, 200], 0);
    const { labels, centroids } = await found(large, { clustering: 'DBSCAN' });
    assert.equal(centroids.length, 3 * DIMENSIONS);
    const sizes = [0, 1, 2].map((label) => labels.filter((one) => one === label).length).sort((a, b) => a - b);
    assert.ok(sizes[0]! > 150 && sizes[0]! <= 200 && sizes[1]! > 200 && sizes[2]! <= MAX_CLUSTER, sizes.join());
  });
});
