import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Slots } from '../lib/slots.js';
import type { AlsOptions, Factors, Interactions } from './als.js';
import type { DbscanOptions } from './dbscan.js';
import type { DensityClustering, DensityOptions } from './density.js';
import { MlRefusal, type Matrix } from './errors.js';
import type { Evaluation } from './evaluation.js';
import type { Clustering, KMeansOptions } from './kmeans.js';
import type { NeighbourOptions, Neighbours } from './neighbours.js';
import type { ChosenClustering } from './silhouette.js';
import type { Outcome } from './worker.js';

/** A thread that has had nothing to do for so long ends. */
const IDLE_MS = 30_000;
const MAX_WAITING = 32;
const MAX_HEAP_MB = 2_048;

export interface EngineState {
  /** IDLE until it was first needed. */
  state: 'IDLE' | 'READY' | 'UNAVAILABLE';
  tensors: string | null;
  kernels: string | null;
}

/**
 * The engine as the rest of the server sees it: each piece of work goes to a thread of a pool, at most 32 wait, and one that is aborted ends with its thread. Nothing is loaded, and no thread runs, until something is asked.
 * Large arrays are handed over without a copy where they lie in shared memory (`sharedFloats`).
 */
export class MlEngine {
  readonly #threads: number;
  /** The pool's own queue is left alone: what waits there is forgotten when a thread ends. */
  readonly #turns: Slots;
  #pool: Piscina;
  #state: EngineState = { state: 'IDLE', tensors: null, kernels: null };
  #closed = false;

  constructor({ threads = 1 }: { threads?: number } = {}) {
    this.#threads = threads;
    this.#turns = new Slots(threads, MAX_WAITING);
    this.#pool = this.#open();
  }

  /** What it has turned out to run on. */
  get state(): EngineState {
    return this.#state;
  }

  get threads(): number {
    return this.#pool.threads.length;
  }

  /** Loads the engine and verifies it. */
  async begin(signal?: AbortSignal): Promise<EngineState> {
    try {
      const found = await this.#run<{ tensors: string; kernels: string }>('begin', {}, signal);
      this.#state = { state: 'READY', ...found };
    } catch (error) {
      if (!signal?.aborted) this.#state = { state: 'UNAVAILABLE', tensors: null, kernels: null };
      throw error;
    }
    return this.#state;
  }

  cluster(points: Matrix, options: Omit<KMeansOptions, 'kernels'>, signal?: AbortSignal): Promise<Clustering> {
    return this.#run('cluster', { points, options }, signal);
  }
  /** K-Means for the best of these numbers of clusters. */
  clusterBest(points: Matrix, candidates: number[], options: { seed: number; restarts?: number }, signal?: AbortSignal): Promise<ChosenClustering> {
    return this.#run('clusterBest', { points, candidates, options }, signal);
  }
  density(points: Matrix, options: Omit<DbscanOptions, 'kernels'>, signal?: AbortSignal): Promise<{ labels: Int32Array; k: number }> {
    return this.#run('density', { points, options }, signal);
  }
  /** DBSCAN of points of many dimensions, with what was not given found out. */
  clusterByDensity(points: Matrix, options: DensityOptions, signal?: AbortSignal): Promise<DensityClustering> {
    return this.#run('densityBest', { points, options }, signal);
  }
  factorise(interactions: Interactions, options: Omit<AlsOptions, 'kernels'>, signal?: AbortSignal): Promise<Factors> {
    return this.#run('factorise', { interactions, options }, signal);
  }
  neighbours(vectors: Matrix, options: Omit<NeighbourOptions, 'kernels'>, signal?: AbortSignal): Promise<Neighbours> {
    return this.#run('neighbours', { vectors, options }, signal);
  }
  evaluate(interactions: Interactions, content: Matrix | null, options: Omit<AlsOptions, 'kernels'>, signal?: AbortSignal): Promise<Evaluation | null> {
    return this.#run('evaluate', { interactions, content, options }, signal);
  }

  /** Ends every thread, whatever it does. */
  async endThreads(): Promise<void> {
    await Promise.all(this.#pool.threads.map((thread) => thread.terminate()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.destroy();
  }

  #open(): Piscina {
    const pool = new Piscina({
      // In development the sources run as they are, by the loader that this process was started with; threads inherit it.
      filename: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)),
      minThreads: 0, maxThreads: this.#threads, idleTimeout: IDLE_MS, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    pool.on('error', () => this.#renew(pool));
    // A thread that ends while it starts is told to nobody. It is taken off the pool's list only when this has been said.
    pool.on('workerDestroy', () => queueMicrotask(() => pool.queueSize > 0 && pool.threads.length === 0 && this.#renew(pool)));
    return pool;
  }

  /** A pool whose thread died while it started would start none any more, and let everybody wait. */
  #renew(pool: Piscina): void {
    if (this.#closed || pool !== this.#pool) return;
    this.#pool = this.#open();
    void pool.destroy().catch(() => undefined);
  }

  async #run<Result>(name: string, input: object, signal?: AbortSignal): Promise<Result> {
    if (!(await this.#turns.take())) throw new MlRefusal('BUSY', `${MAX_WAITING} pieces of work wait already.`);
    const pool = this.#pool;
    let outcome: Outcome<Result>;
    try {
      if (this.#closed) throw new Error('The engine has been closed.');
      signal?.throwIfAborted();
      outcome = (await pool.run(input, { name, ...(signal ? { signal } : {}) })) as Outcome<Result>;
    } catch (error) {
      if (!signal?.aborted) this.#renew(pool);
      throw error;
    } finally {
      this.#turns.release();
    }
    if ('refusal' in outcome) throw new MlRefusal(outcome.refusal.reason, outcome.refusal.message);
    return outcome.result;
  }
}

/** Floats that a thread sees without a copy. */
export const sharedFloats = (count: number): Float32Array => new Float32Array(new SharedArrayBuffer(count * 4));
export const sharedInts = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(count * 4));
