import { checkMatrix, checkOption, type Matrix } from './errors.js';
import { kernels, type Kernels } from './kernels.js';

/** Up to so many vectors each is compared with every other. */
export const EXACT_UP_TO = 50_000;
const BLOCK = 2_048;
/** Of the graph: links a node, and how wide it is searched while it is built and asked. */
const LINKS = 16;
const BUILD_WIDTH = 200;
const SEARCH_WIDTH = 128;

export interface Neighbours {
  /** k a row, the nearest first; -1 where there are fewer. */
  ids: Int32Array;
  scores: Float32Array;
  method: 'exact' | 'hnsw';
}
export interface NeighbourOptions {
  k: number;
  kernels?: Kernels;
  exactUpTo?: number;
}

/** What of hnswlib-node is used. It may be absent. */
interface Graph {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(query: number[], k: number): { distances: number[]; neighbors: number[] };
}
interface Hnsw {
  HierarchicalNSW: new (space: 'ip', d: number) => Graph;
}
const HNSW = 'hnswlib-node';

/**
 * The rows of the greatest inner product with each row, itself aside: exactly, or beyond EXACT_UP_TO by a navigable graph (Y. Malkov, D. Yashunin, "HNSW", 2018) where hnswlib-node is there.
 * @throws MlRefusal EMPTY, SHAPE, NOT_FINITE, TOO_LARGE, OPTION
 */
export async function neighbours(vectors: Matrix, { k, kernels: by = kernels(), exactUpTo = EXACT_UP_TO }: NeighbourOptions): Promise<Neighbours> {
  checkMatrix(vectors);
  checkOption('k', k, 1, 1_000);
  const hnsw = vectors.n > exactUpTo ? await loadHnsw() : null;
  return hnsw ? byGraph(hnsw, vectors, k) : exactly(by, vectors, k);
}

function exactly(by: Kernels, { values, n, d }: Matrix, k: number): Neighbours {
  const [ids, scores] = [new Int32Array(n * k), new Float32Array(n * k)];
  for (let from = 0; from < n; from += BLOCK) {
    const found = by.nearest(values, n, d, from, Math.min(n, from + BLOCK), k);
    ids.set(found.ids, from * k);
    scores.set(found.scores, from * k);
  }
  return { ids, scores, method: 'exact' };
}

function byGraph({ HierarchicalNSW }: Hnsw, { values, n, d }: Matrix, k: number): Neighbours {
  const graph = new HierarchicalNSW('ip', d);
  graph.initIndex({ maxElements: n, m: LINKS, efConstruction: BUILD_WIDTH, randomSeed: 1 });
  const row = (i: number): number[] => Array.from(values.subarray(i * d, (i + 1) * d));
  for (let i = 0; i < n; i++) graph.addPoint(row(i), i);
  graph.setEf(Math.max(SEARCH_WIDTH, k + 1));
  const [ids, scores] = [new Int32Array(n * k).fill(-1), new Float32Array(n * k)];
  for (let i = 0; i < n; i++) {
    const { distances, neighbors } = graph.searchKnn(row(i), Math.min(k + 1, n));
    let place = 0;
    neighbors.forEach((id, at) => {
      if (id === i || place === k) return;
      ids[i * k + place] = id;
      scores[i * k + place++] = 1 - distances[at]!;
    });
  }
  return { ids, scores, method: 'hnsw' };
}

async function loadHnsw(): Promise<Hnsw | null> {
  try {
    const module = (await import(HNSW)) as Hnsw & { default?: Hnsw };
    return module.default ?? module;
  } catch {
    return null;
  }
}
