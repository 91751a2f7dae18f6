import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALS_ALPHA, ALS_LAMBDA, implicitAls, type Interactions } from '../../src/ml/als.js';
import { dbscan } from '../../src/ml/dbscan.js';
import { evaluate } from '../../src/ml/evaluation.js';
import { kernels } from '../../src/ml/kernels.js';
import { kMeans } from '../../src/ml/kmeans.js';
import { adjustedRand, mutualInformation } from '../../src/ml/quality.js';
import { SeededRandom } from '../../src/ml/random.js';
import { tensors } from '../../src/ml/tensors.js';
import { dot } from '../../src/ml/twins.js';
import { onPath } from '../lib/on-path.js';
import type { Row } from '../lib/report.js';

const ANCHORS = fileURLToPath(new URL('../peers/sklearn/anchors.py', import.meta.url));
const KMEANS = { n: 20_000, d: 64, k: 50, iterations: 20 };
const DBSCAN = { n: 10_000, d: 16, eps: 4, minPoints: 8 };
const ALS = { users: 5_000, items: 2_000, entries: 200_000, factors: 32, sweeps: 15, lambda: ALS_LAMBDA, alpha: ALS_ALPHA };
/** Not seen while anything was tuned. */
const UNSEEN = [90_001, 90_002, 90_003, 90_004, 90_005];

export const ML_NOTE =
  'One thread each, the same data and starts, in turn, medians. K-Means: 20,000 × 64, k 50, 20 iterations. DBSCAN: 10,000 × 16. Factors: 5,000 people × 2,000 things, 200,000 interactions, 32 factors, 15 sweeps (numpy solves each row exactly, ours by three steps ' +
  'of conjugate gradient); recall@10 of one thing hidden of each of 2,000 people. Planted structure: means over 5 seeds that were not seen while anything was tuned.';

interface Answer {
  kmeansMs: number;
  inertia: number;
  iterations: number;
  dbscanMs: number;
  alsMs: number;
  digits: { n: number; d: number; ari: number; nmi: number };
}

/** The engine beside scikit-learn and numpy, and what it finds of what was planted. */
export async function runMl(rounds: number): Promise<Record<string, Row>> {
  const python = pythonWithSklearn();
  const folder = mkdtempSync(join(tmpdir(), 'omnitalk-bench-ml-'));
  try {
    const points = blobs(1, KMEANS.n, KMEANS.d, KMEANS.k, 1);
    const dense = blobs(2, DBSCAN.n, DBSCAN.d, 12, 1);
    const start = points.values.slice(0, KMEANS.k * KMEANS.d);
    const { train, hidden } = split(tastes(3, ALS.users, ALS.items, 20, ALS.entries), 2_000);
    const bytes = (name: string, values: Float32Array | Int32Array) => writeFileSync(join(folder, name), Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    bytes('kmeans.f32', points.values);
    bytes('start.f32', start);
    bytes('dbscan.f32', dense.values);
    bytes('users.i32', train.users);
    bytes('items.i32', train.items);
    writeFileSync(join(folder, 'given.json'), JSON.stringify({ kmeans: KMEANS, dbscan: DBSCAN, als: ALS }));
    const floats = (name: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(join(folder, name))).buffer);
    const ints = (name: string): Int32Array => new Int32Array(new Uint8Array(readFileSync(join(folder, name))).buffer);

    const took = { kmeans: [] as number[], dbscan: [] as number[], als: [] as number[] };
    const answers: Answer[] = [];
    const timed = <Result>(list: number[], work: () => Result): Result => {
      const began = performance.now();
      const result = work();
      list.push(performance.now() - began);
      return result;
    };
    let [inertia, agreement, recall] = [NaN, NaN, NaN];
    for (let round = 0; round < rounds; round++) {
      inertia = timed(took.kmeans, () => kMeans(points, { k: KMEANS.k, seed: 1, start, iterations: KMEANS.iterations })).inertia;
      const ours = timed(took.dbscan, () => dbscan(dense, DBSCAN));
      const factors = timed(took.als, () => implicitAls(train, { factors: ALS.factors, sweeps: ALS.sweeps, seed: 1 }));
      recall = recallOf(factors.users, factors.items, train, hidden);
      answers.push(JSON.parse(execFileSync(python, [ANCHORS, folder], { encoding: 'utf8', env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' } })) as Answer);
      agreement = adjustedRand(ours.labels, ints('dbscan-labels.i32'));
    }
    const last = answers.at(-1)!;
    const digits = kMeans({ values: floats('digits.f32'), n: last.digits.n, d: last.digits.d }, { k: 10, seed: 1, restarts: 10 });
    const target = ints('digits.i32');
    const [mine, theirs] = [{ k: median(took.kmeans), d: median(took.dbscan), a: median(took.als) }, { k: median(answers.map(({ kmeansMs }) => kmeansMs)), d: median(answers.map(({ dbscanMs }) => dbscanMs)), a: median(answers.map(({ alsMs }) => alsMs)) }];
    const planted = await quality();
    return {
      [`OmniTalk (${kernels().name})`]: {
        'K-Means ms': mine.k, 'of the anchor’s time (to reach: 1.5)': mine.k / theirs.k, 'inertia, as a share of the anchor’s': inertia / last.inertia,
        'DBSCAN ms': mine.d, 'of its time (to reach: 1.0)': mine.d / theirs.d, 'its labels, ARI with the anchor’s': agreement,
        'factors ms': mine.a, 'of their time (to reach: 0.3)': mine.a / theirs.a, 'recall@10 of these factors': recall,
        'digits, ARI': adjustedRand(digits.labels, target), 'digits, NMI': mutualInformation(digits.labels, target), ...planted,
      },
      'scikit-learn, numpy': {
        'K-Means ms': theirs.k, 'DBSCAN ms': theirs.d, 'factors ms': theirs.a, 'recall@10 of these factors': recallOf(floats('x.f32'), floats('y.f32'), train, hidden), 'digits, ARI': last.digits.ari, 'digits, NMI': last.digits.nmi,
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same without what a busy machine would spoil. */
export async function runMlQuality(): Promise<Record<string, Row>> {
  const rows = await runMl(1);
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, Object.fromEntries(Object.entries(row).filter(([figure]) => !/ ms$| time /.test(figure)))]));
}

/** What was planted, with seeds that nothing was tuned by. */
async function quality(): Promise<Row> {
  const means = new Map<string, number>();
  const add = (name: string, value: number) => means.set(name, (means.get(name) ?? 0) + value / UNSEEN.length);
  for (const seed of UNSEEN) {
    const points = blobs(seed, 3_000, 32, 12, 1.5);
    const found = kMeans(points, { k: 12, seed });
    add('planted clusters, ARI', adjustedRand(found.labels, points.truth));
    add('planted clusters, NMI', mutualInformation(found.labels, points.truth));
    const judged = (await evaluate(tastes(seed, 2_000, 600, 12, 24_000), null, { factors: 32, sweeps: 15, seed }, await tensors()))!;
    for (const [name, { recall, ndcg }] of [['model', judged.model], ['popularity', judged.popularity], ['random', judged.random]] as const) {
      add(`planted tastes, recall@10: ${name}`, recall);
      add(`planted tastes, NDCG@10: ${name}`, ndcg);
    }
  }
  return Object.fromEntries(means);
}

function blobs(seed: number, n: number, d: number, k: number, spread: number) {
  const random = new SeededRandom(seed);
  const centres = Float32Array.from({ length: k * d }, () => random.normal() * 3);
  const truth = Int32Array.from({ length: n }, () => random.below(k));
  return { n, d, truth, values: Float32Array.from({ length: n * d }, (_, at) => centres[truth[Math.floor(at / d)]! * d + (at % d)]! + random.normal() * spread) };
}

/** People of kinds, things of kinds, some things more popular than others; of each five, four interactions are with one's own kind. */
function tastes(seed: number, userCount: number, itemCount: number, kinds: number, entries: number): Interactions {
  const random = new SeededRandom(seed);
  const pairs = new Set<number>();
  while (pairs.size < entries) {
    const user = random.below(userCount);
    const any = Math.floor(itemCount * random.next() ** 2);
    const item = random.next() < 0.8 ? any - (any % kinds) + (user % kinds) : any;
    if (item < itemCount) pairs.add(user * itemCount + item);
  }
  const all = [...pairs];
  return { users: Int32Array.from(all, (pair) => Math.floor(pair / itemCount)), items: Int32Array.from(all, (pair) => pair % itemCount), strengths: new Float32Array(entries).fill(1), userCount, itemCount };
}

/** The last thing of each of the first people is hidden. */
function split(given: Interactions, people: number): { train: Interactions; hidden: Map<number, number> } {
  const hidden = new Map<number, number>();
  given.users.forEach((user, entry) => user < people && hidden.set(user, entry));
  const out = new Set(hidden.values());
  const kept = [...given.users.keys()].filter((entry) => !out.has(entry));
  return {
    train: { ...given, users: Int32Array.from(kept, (entry) => given.users[entry]!), items: Int32Array.from(kept, (entry) => given.items[entry]!), strengths: new Float32Array(kept.length).fill(1) },
    hidden: new Map([...hidden].map(([user, entry]) => [user, given.items[entry]!])),
  };
}

function recallOf(users: Float32Array, items: Float32Array, { users: rows, items: columns, itemCount }: Interactions, hidden: ReadonlyMap<number, number>): number {
  const f = items.length / itemCount;
  const had = Map.groupBy(rows.keys(), (entry) => rows[entry]!);
  let found = 0;
  for (const [user, item] of hidden) {
    const own = new Set((had.get(user) ?? []).map((entry) => columns[entry]!));
    const score = (other: number) => dot(users, user * f, items, other * f, f);
    const wanted = score(item);
    let before = 0;
    for (let other = 0; other < itemCount && before < 10; other++) if (!own.has(other) && score(other) > wanted) before++;
    if (before < 10) found++;
  }
  return found / hidden.size;
}

const median = (values: number[]): number => values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Debian's own, since its packages are not seen by others that may come first on the PATH. */
function pythonWithSklearn(): string {
  for (const python of ['/usr/bin/python3', onPath('python3')]) {
    try {
      if (python && execFileSync(python, ['-c', 'import sklearn, threadpoolctl'], { stdio: 'ignore' }) !== undefined) return python;
    } catch {
      // The next one may have it.
    }
  }
  throw new Error('There is no Python with scikit-learn. On Debian: apt-get install python3-sklearn');
}
