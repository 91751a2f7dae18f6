import { place } from '../../ml/kmeans.js';
import { dot } from '../../ml/twins.js';
import { newId } from '../../lib/ids.js';
import { chunks } from './chunks.js';
import type { ClusterBasis } from './personalization.js';
import type { PersonSignal } from './signals.js';

/** Fewer are no group, and would say of somebody what others should not know. */
export const MIN_CLUSTER = 3;
export const MAX_CLUSTER = 500;
/** Who has less in common with the others (cosine) is not counted among them. */
export const MIN_CLOSENESS = 0.2;
/** So much of two clusters of two models must be the same people (Jaccard) for them to be one. */
const SAME = 0.3;
const MAX_INTERESTS = 5;
const PORTION = 500;

export interface Cluster {
  id: string;
  basis: ClusterBasis;
  title: string;
  interests: string[];
  /** Those who stand nearest to its middle first. */
  members: string[];
  centroid: Float32Array | null;
}
export interface EarlierCluster {
  id: string;
  title: string;
  basis: ClusterBasis;
  members: string[];
}

export type Described = Pick<PersonSignal, 'id' | 'topics' | 'profession' | 'place'>;

/** Clusters of subjects: who belongs to each (a label below zero: to none), the closest first, at most 500; what they have in common. */
export async function subjectClusters(people: readonly Described[], vectors: Float32Array, d: number, labels: Int32Array, centroids: Float32Array): Promise<Cluster[]> {
  const k = centroids.length / d;
  const members: { index: number; closeness: number }[][] = Array.from({ length: k }, () => []);
  const everybody = new Map<string, number>();
  const sums = sumsOf(vectors, d, labels, k);
  for await (const { part, from } of chunks(people, PORTION)) {
    part.forEach(({ topics }, offset) => {
      const index = from + offset;
      for (const topic of new Set(topics)) everybody.set(topic, (everybody.get(topic) ?? 0) + 1);
      const label = labels[index]!;
      if (label < 0) return;
      const closeness = amongOthers(vectors, index, sums, label, d);
      if (closeness >= MIN_CLOSENESS) members[label]!.push({ index, closeness });
    });
  }
  return members.flatMap((all, label) => {
    const closest = all.sort((a, b) => b.closeness - a.closeness || a.index - b.index).slice(0, MAX_CLUSTER);
    if (closest.length < MIN_CLUSTER) return [];
    const interests = shared(closest.map(({ index }) => people[index]!), everybody, people.length);
    return [{ id: newId(), basis: 'SUBJECT' as const, title: titleOf(interests), interests, members: closest.map(({ index }) => people[index]!.id), centroid: centroids.slice(label * d, (label + 1) * d) }];
  });
}

/** Of each cluster, its vectors added up. */
function sumsOf(vectors: Float32Array, d: number, labels: Int32Array, k: number): Float32Array {
  const sums = new Float32Array(k * d);
  labels.forEach((label, row) => {
    if (label >= 0) for (let j = 0; j < d; j++) sums[label * d + j]! += vectors[row * d + j]!;
  });
  return sums;
}

/** The cosine of a vector of length 1 with the sum of the others of its cluster: with oneself counted, three strangers would have much in common. 0 for who is alone. */
function amongOthers(vectors: Float32Array, index: number, sums: Float32Array, label: number, d: number): number {
  const own = dot(vectors, index * d, sums, label * d, d);
  const others = dot(sums, label * d, sums, label * d, d) - 2 * own + 1;
  return others > 1e-6 ? (own - 1) / Math.sqrt(others) : 0;
}

/** Those who name the same profession, or place, whatever its case. */
export function namedClusters(people: readonly Described[], basis: 'PROFESSION' | 'PLACE'): Cluster[] {
  const field = basis === 'PROFESSION' ? 'profession' : 'place';
  const named = people.filter((person) => person[field] !== null);
  return [...Map.groupBy(named, (person) => person[field]!.toLowerCase())].flatMap(([, members]) => {
    if (members.length < MIN_CLUSTER) return [];
    const title = members[0]![field]!;
    return [{ id: newId(), basis, title, interests: [title.toLowerCase()], members: members.slice(0, MAX_CLUSTER).map(({ id }) => id), centroid: null }];
  });
}

/** Gives clusters the id and the title of those before them that hold the same people: each is matched once, the most alike first. */
export function keepIdentities(clusters: Cluster[], earlier: readonly EarlierCluster[]): void {
  const owners = new Map<string, number[]>();
  earlier.forEach(({ members }, place) => members.forEach((member) => owners.set(member, [...(owners.get(member) ?? []), place])));
  const pairs = clusters.flatMap((cluster, index) => {
    const common = new Map<number, number>();
    for (const member of cluster.members) for (const place of owners.get(member) ?? []) if (earlier[place]!.basis === cluster.basis) common.set(place, (common.get(place) ?? 0) + 1);
    return [...common].map(([place, count]) => ({ index, place, alike: count / (cluster.members.length + earlier[place]!.members.length - count) }));
  });
  const taken = { clusters: new Set<number>(), earlier: new Set<number>() };
  for (const { index, place, alike } of pairs.sort((a, b) => b.alike - a.alike || a.index - b.index || a.place - b.place)) {
    if (alike < SAME || taken.clusters.has(index) || taken.earlier.has(place)) continue;
    taken.clusters.add(index);
    taken.earlier.add(place);
    Object.assign(clusters[index]!, { id: earlier[place]!.id, title: earlier[place]!.title });
  }
}

/** What is said by many of them and by few others: share within × how much more frequent than among all. Of at least two. */
function shared(members: readonly Described[], everybody: ReadonlyMap<string, number>, people: number): string[] {
  const counts = new Map<string, number>();
  for (const { topics } of members) for (const topic of new Set(topics)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= Math.max(2, members.length * 0.2))
    .map(([topic, count]) => ({ topic, score: (count / members.length) * Math.log(1 + (count / members.length) / (everybody.get(topic)! / people)) }))
    .sort((a, b) => b.score - a.score || (a.topic < b.topic ? -1 : 1))
    .slice(0, MAX_INTERESTS)
    .map(({ topic }) => topic);
}

const titleOf = (interests: readonly string[]): string => {
  const text = interests.slice(0, 2).join(' & ');
  return text ? text[0]!.toUpperCase() + text.slice(1) : 'People with much in common';
};

/** The cluster of somebody who came after the training; null for who is near to none. */
export function placeAmong(vector: Float32Array, clusters: readonly { id: string; centroid: Float32Array }[]): string | null {
  if (!clusters.length || vector.every((value) => value === 0)) return null;
  const all = new Float32Array(clusters.length * vector.length);
  clusters.forEach(({ centroid }, index) => all.set(centroid, index * vector.length));
  const { label } = place(vector, all);
  const norm = Math.sqrt(dot(all, label * vector.length, all, label * vector.length, vector.length));
  return norm && dot(vector, 0, all, label * vector.length, vector.length) / norm >= MIN_CLOSENESS ? clusters[label]!.id : null;
}
