import { implicitAls, type AlsOptions, type Interactions } from './als.js';
import { checkInteractions, compress } from './als.js';
import { unit } from './content.js';
import type { Matrix } from './errors.js';
import { SeededRandom } from './random.js';
import { transposed, type Tensors } from './tensors.js';

/** What the likeness of contents adds to the score of the factors. */
export const CONTENT_WEIGHT = 0.3;
const TOP = 10;
const MAX_PEOPLE = 2_000;
const BLOCK = 128;

export interface Quality {
  recall: number;
  ndcg: number;
}
export interface Evaluation {
  people: number;
  model: Quality;
  popularity: Quality;
  random: Quality;
}

/**
 * Hides one thing of each of up to 2,000 people who have done something with two or more, learns from the rest, and looks at which place of ten it is suggested: recall@10 is the share that is among them,
 * NDCG@10 (K. Järvelin, J. Kekäläinen, 2002) the mean of 1 / log2(1 + place). The same for the most popular things, and for random ones. What somebody is known to have is suggested by none. Null when there is nobody to judge by.
 */
export async function evaluate(given: Interactions, content: Matrix | null, options: AlsOptions, tensors: Tensors): Promise<Evaluation | null> {
  checkInteractions(given);
  const { userCount, itemCount } = given;
  const random = new SeededRandom(options.seed + 1);
  const rows = compress(given.users, Int32Array.from(given.users.keys()), given.strengths, userCount, 1);
  const able = Array.from({ length: userCount }, (_, user) => user).filter((user) => rows.starts[user + 1]! - rows.starts[user]! >= 2);
  const judged = Array.from(random.sample(able.length, MAX_PEOPLE), (place) => able[place]!);
  if (!judged.length || itemCount <= TOP) return null;
  const hidden = new Map(judged.map((user) => [user, rows.columns[rows.starts[user]! + random.below(rows.starts[user + 1]! - rows.starts[user]!)]!]));
  const dropped = new Set(hidden.values());
  const kept = Int32Array.from(given.users.keys()).filter((entry) => !dropped.has(entry));
  const train: Interactions = { users: pick(given.users, kept), items: pick(given.items, kept), strengths: Float32Array.from(kept, (entry) => given.strengths[entry]!), userCount, itemCount };
  const factors = implicitAls(train, options);
  const popularity = new Float32Array(itemCount);
  for (const item of train.items) popularity[item]!++;
  const known = compress(train.users, train.items, train.strengths, userCount, 1);
  const columns = transposed(factors.items, itemCount, factors.f);
  const topics = content && transposed(content.values, itemCount, content.d);
  const sums = { model: { recall: 0, ndcg: 0 }, popularity: { recall: 0, ndcg: 0 }, random: { recall: 0, ndcg: 0 } };
  for (let from = 0; from < judged.length; from += BLOCK) {
    const users = judged.slice(from, from + BLOCK);
    const scores = await tensors.product(gather(factors.users, users, factors.f), users.length, factors.f, columns, itemCount);
    if (content && topics) {
      const profiles = new Float32Array(users.length * content.d);
      users.forEach((user, place) => profiles.set(profileOf(content, known.columns.subarray(known.starts[user]!, known.starts[user + 1]!)), place * content.d));
      const likeness = await tensors.product(profiles, users.length, content.d, topics, itemCount);
      for (let i = 0; i < scores.length; i++) scores[i]! += CONTENT_WEIGHT * likeness[i]!;
    }
    users.forEach((user, place) => {
      const item = given.items[hidden.get(user)!]!;
      const own = new Set(known.columns.subarray(known.starts[user]!, known.starts[user + 1]!));
      own.delete(item);
      const chance = Float32Array.from({ length: itemCount }, () => random.next());
      count(sums.model, rankOf(scores.subarray(place * itemCount, (place + 1) * itemCount), item, own));
      count(sums.popularity, rankOf(popularity, item, own));
      count(sums.random, rankOf(chance, item, own));
    });
  }
  const mean = ({ recall, ndcg }: Quality): Quality => ({ recall: recall / judged.length, ndcg: ndcg / judged.length });
  return { people: judged.length, model: mean(sums.model), popularity: mean(sums.popularity), random: mean(sums.random) };
}

/** What somebody who has these things is about. */
export function profileOf({ values, d }: Matrix, items: Iterable<number>): Float32Array {
  const profile = new Float32Array(d);
  for (const item of items) for (let j = 0; j < d; j++) profile[j]! += values[item * d + j]!;
  return unit(profile);
}

const pick = (from: Int32Array, entries: Int32Array): Int32Array => Int32Array.from(entries, (entry) => from[entry]!);

function gather(values: Float32Array, rows: readonly number[], d: number): Float32Array {
  const out = new Float32Array(rows.length * d);
  rows.forEach((row, place) => out.set(values.subarray(row * d, (row + 1) * d), place * d));
  return out;
}

/** How many come before it; of equals, half. */
function rankOf(scores: Float32Array, item: number, passedOver: ReadonlySet<number>): number {
  let [before, equal] = [0, 0];
  for (let other = 0; other < scores.length; other++) {
    if (other === item || passedOver.has(other)) continue;
    if (scores[other]! > scores[item]!) before++;
    else if (scores[other] === scores[item]) equal++;
  }
  return before + Math.floor(equal / 2);
}

function count(sum: Quality, rank: number): void {
  if (rank >= TOP) return;
  sum.recall++;
  sum.ndcg += 1 / Math.log2(rank + 2);
}
