import type { Database } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import { ContentSpace, DIMENSIONS, type Bag } from '../../ml/content.js';
import { sharedFloats, sharedInts, type MlEngine } from '../../ml/engine.js';
import type { Factors, Interactions } from '../../ml/als.js';
import type { Evaluation } from '../../ml/evaluation.js';
import { chunks } from './chunks.js';
import { keepIdentities, MIN_CLUSTER, namedClusters, subjectClusters, type Cluster, type Described } from './clusters.js';
import { ModelStore } from './model-store.js';
import type { ModelMetrics, TrainingOptions } from './models.js';
import { NEAR, NEIGHBOURS } from './nearness.js';
import { PAGE, Signals, MAX_PRODUCTS, type ProductSignal } from './signals.js';
import { findSubjects, type Subjects } from './subjects.js';

const MAX_FACTORS = 32;
const SWEEPS = 15;
/** What is hidden of people is the same for every version, so that their figures compare. */
const HIDDEN_BY = 2_026;
const MAX_INTERACTIONS = 1_000_000;

interface People {
  described: Described[];
  vectors: Float32Array;
  space: ContentSpace;
}

interface Clustered extends Omit<Subjects, 'labels' | 'centroids'> {
  clusters: Cluster[];
  /** How many belong to no cluster of subjects. */
  unclustered: number;
}

/** What a training has come to. */
export interface TrainedModel {
  metrics: ModelMetrics;
  /** Of the version, where it is in use now. */
  clusters: { id: string; title: string; interests: string[] }[];
}

/** Learns everything anew: reads in portions, has the engine work in its threads, writes in portions, and puts the result into use if it is good enough. */
export class Trainer {
  readonly #signals: Signals;
  readonly #store: ModelStore;

  constructor(
    db: Pick<Database, 'background'>,
    unitOfWork: UnitOfWork,
    private readonly engine: Pick<MlEngine, 'cluster' | 'clusterBest' | 'clusterByDensity' | 'factorise' | 'neighbours' | 'evaluate'>,
    private readonly clock: Clock,
  ) {
    this.#signals = new Signals(db.background);
    this.#store = new ModelStore(db.background, unitOfWork);
  }

  /** Null where there is nothing to be trained (any more). Begins from the start, whatever an attempt before has written. */
  async train(id: string): Promise<TrainedModel | null> {
    const options = await this.#store.options(id);
    if (!options) return null;
    const began = performance.now();
    await this.#store.clear(id);
    const metrics = await this.#train(id, options);
    const clusters = await this.#store.finish(id, { ...metrics, seconds: (performance.now() - began) / 1000 });
    return { metrics, clusters };
  }

  async #train(id: string, options: TrainingOptions): Promise<ModelMetrics> {
    const now = this.clock.now();
    const { described, vectors, space } = await this.#people(now);
    const products = await this.#products();
    const contents = sharedFloats(products.length * DIMENSIONS);
    for await (const { part, from } of chunks(products, PAGE)) part.forEach(({ bag }, offset) => contents.set(space.vector(bag), (from + offset) * DIMENSIONS));
    const interactions = await this.#interactions(described, products, now);

    // So many that a few things are not learned by heart.
    const f = Math.min(MAX_FACTORS, Math.max(4, 4 * Math.floor(Math.min(described.length, products.length) / 16)));
    const evaluation = interactions && (await this.engine.evaluate(interactions, { values: contents, n: products.length, d: DIMENSIONS }, { factors: f, sweeps: SWEEPS, seed: HIDDEN_BY }));
    const factors = interactions && beatsPopularity(evaluation) ? await this.engine.factorise(interactions, { factors: f, sweeps: SWEEPS, seed: options.seed }) : null;

    const signal = await withSignal(described, vectors);
    const { clusters, ...clustered } = await this.#clusters(signal, options);
    keepIdentities(clusters, await this.#store.earlier());
    await this.#write(id, { described, vectors, space, signal, products, contents, factors, interactions, clusters });
    return { people: described.length, withSignal: signal.people.length, products: products.length, interactions: interactions?.users.length ?? 0, clusters: clusters.length, subjects: clusters.filter(({ basis }) => basis === 'SUBJECT').length, ...clustered, evaluation };
  }

  async #people(now: Date): Promise<People> {
    const all = await this.#signals.people();
    const described: Described[] = [];
    const space = ContentSpace.empty();
    // Bags are compact arrays, one a page, until every word has been counted: maps of two hundred thousand people would not fit, and as many arrays would hold up the loop while they are collected.
    const pages: PackedBags[] = [];
    for await (const { part } of chunks(all, PAGE)) {
      const people = await this.#signals.about(part, now);
      for (const { bag, ...person } of people) {
        described.push(person);
        space.learn(bag);
      }
      pages.push(packed(people.map(({ bag }) => bag)));
    }
    const vectors = sharedFloats(described.length * DIMENSIONS);
    let index = 0;
    for await (const { part } of chunks(pages, 1)) for (const counts of unpacked(part[0]!)) vectors.set(space.vector({ counts }), index++ * DIMENSIONS);
    return { described, vectors, space };
  }

  async #products(): Promise<ProductSignal[]> {
    const products: ProductSignal[] = [];
    for (;;) {
      const page = await this.#signals.products(products.at(-1)?.id ?? null);
      products.push(...page);
      if (page.length < PAGE || products.length >= MAX_PRODUCTS) return products;
    }
  }

  async #interactions(described: readonly Described[], products: readonly ProductSignal[], now: Date): Promise<Interactions | null> {
    const places = new Map<string, number>();
    for await (const { part, from } of chunks(products, 5_000)) part.forEach(({ id }, offset) => places.set(id, from + offset));
    const found: number[] = [];
    for await (const { part, from } of chunks(described, PAGE)) {
      const users = new Map(part.map(({ id }, offset) => [id, from + offset]));
      for (const { userId, productId, strength } of await this.#signals.strengths([...users.keys()], now)) {
        const item = places.get(productId);
        if (item !== undefined && strength > 0 && found.length < MAX_INTERACTIONS * 3) found.push(users.get(userId)!, item, Math.log1p(strength));
      }
    }
    const n = found.length / 3;
    if (!n) return null;
    const [users, items, strengths] = [sharedInts(n), sharedInts(n), sharedFloats(n)];
    for (let e = 0; e < n; e++) {
      users[e] = found[3 * e]!;
      items[e] = found[3 * e + 1]!;
      strengths[e] = found[3 * e + 2]!;
    }
    return { users, items, strengths, userCount: described.length, itemCount: products.length };
  }

  async #clusters({ people, vectors }: Signalled, options: TrainingOptions): Promise<Clustered> {
    const named = (['PROFESSION', 'PLACE'] as const).flatMap((basis) => namedClusters(people, basis));
    if (people.length < 2 * MIN_CLUSTER) return { clusters: named, silhouette: null, eps: null, minPoints: null, unclustered: people.length };
    const { labels, centroids, ...found } = await findSubjects(this.engine, { values: vectors, n: people.length, d: DIMENSIONS }, options);
    const subjects = await subjectClusters(people, vectors, DIMENSIONS, labels, centroids);
    return { clusters: [...subjects, ...named], ...found, unclustered: people.length - subjects.reduce((sum, { members }) => sum + members.length, 0) };
  }

  async #write(id: string, learned: { described: Described[]; vectors: Float32Array; space: ContentSpace; signal: Signalled; products: ProductSignal[]; contents: Float32Array; factors: Factors | null; interactions: Interactions | null; clusters: Cluster[] }): Promise<void> {
    const { described, vectors, space, signal, products, contents, factors, interactions, clusters } = learned;
    const near = signal.people.length > 1 ? await this.engine.neighbours({ values: signal.vectors, n: signal.people.length, d: DIMENSIONS }, { k: NEIGHBOURS }) : null;
    const memberships = new Map<string, string[]>();
    for await (const { part } of chunks(clusters, 4)) {
      for (const { id: clusterId, members } of part) {
        for (const member of members) {
          const own = memberships.get(member);
          if (own) own.push(clusterId);
          else memberships.set(member, [clusterId]);
        }
      }
    }
    const popularity = new Float32Array(products.length);
    for (const item of interactions?.items ?? []) popularity[item]!++;
    await this.#store.space(id, space, factors);
    await this.#store.clusters(id, clusters);
    for await (const { part, from } of chunks(described, PAGE)) {
      await this.#store.people(id, part.map((person, offset) => {
        const index = from + offset;
        const place = signal.places[index]!;
        const neighbours = near && place >= 0 ? Array.from({ length: NEIGHBOURS }, (_, at) => ({ at: place * NEIGHBOURS + at })).filter(({ at }) => near.ids[at]! >= 0 && near.scores[at]! >= NEAR) : [];
        return {
          userId: person.id,
          clusterIds: memberships.get(person.id) ?? [],
          vector: place >= 0 ? vectors.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS) : null,
          factors: factors && isSome(factors.users, index, factors.f) ? factors.users.subarray(index * factors.f, (index + 1) * factors.f) : null,
          neighbours: neighbours.map(({ at }) => signal.people[near!.ids[at]!]!.id),
          closeness: neighbours.map(({ at }) => near!.scores[at]!),
        };
      }));
    }
    for await (const { part, from } of chunks(products, PAGE)) {
      await this.#store.products(id, part.map((product, offset) => {
        const index = from + offset;
        return {
          productId: product.id,
          factors: factors && factors.items.subarray(index * factors.f, (index + 1) * factors.f),
          vector: contents.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS),
          popularity: popularity[index]!,
        };
      }));
    }
  }
}

/** Bags of a page, one behind the other. */
interface PackedBags {
  sizes: Int32Array;
  buckets: Int32Array;
  weights: Float32Array;
}

function packed(bags: readonly Bag[]): PackedBags {
  const sizes = Int32Array.from(bags, ({ counts }) => counts.size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const all: PackedBags = { sizes, buckets: new Int32Array(total), weights: new Float32Array(total) };
  let at = 0;
  for (const { counts } of bags) {
    for (const [bucket, weight] of counts) {
      all.buckets[at] = bucket;
      all.weights[at++] = weight;
    }
  }
  return all;
}

function* unpacked({ sizes, buckets, weights }: PackedBags): Generator<[bucket: number, count: number][]> {
  let at = 0;
  for (const size of sizes) {
    yield Array.from({ length: size }, (_, place): [number, number] => [buckets[at + place]!, weights[at + place]!]);
    at += size;
  }
}

/** Those who have given a signal, and where each of all stands among them (-1: nowhere). */
interface Signalled {
  people: Described[];
  vectors: Float32Array;
  places: Int32Array;
}

async function withSignal(described: Described[], vectors: Float32Array): Promise<Signalled> {
  const places = new Int32Array(described.length).fill(-1);
  const people: Described[] = [];
  for await (const { part, from } of chunks(described, 1_000)) {
    part.forEach((person, offset) => {
      if (isSome(vectors, from + offset, DIMENSIONS)) places[from + offset] = people.push(person) - 1;
    });
  }
  const own = sharedFloats(people.length * DIMENSIONS);
  for await (const { part, from } of chunks(described, 1_000)) {
    for (let index = from; index < from + part.length; index++) if (places[index]! >= 0) own.set(vectors.subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS), places[index]! * DIMENSIONS);
  }
  return { people, vectors: own, places };
}

const isSome = (values: Float32Array, row: number, d: number): boolean => values.subarray(row * d, (row + 1) * d).some((value) => value !== 0);

/** What does not beat popularity is not shipped. */
export const beatsPopularity = (evaluation: Evaluation | null): boolean => evaluation !== null && evaluation.model.ndcg > evaluation.popularity.ndcg && evaluation.model.recall >= evaluation.popularity.recall;
