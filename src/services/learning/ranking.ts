import { dot } from '../../ml/twins.js';

/** How much of a score is kept each time it was shown and not taken up. */
const FATIGUE = 0.85;
const MAX_SHOWN = 10;
/** How much the score counts against likeness to what stands above already. */
const RELEVANCE = 0.75;

export interface Ranked {
  score: number;
}

/** What was shown again and again and never taken up sinks. */
export const tired = (score: number, shown: number): number => score * FATIGUE ** Math.min(shown, MAX_SHOWN);

/**
 * The first `count` by maximal marginal relevance (J. Carbonell, J. Goldstein, SIGIR 1998): each next one has the greatest 0.75 × score − 0.25 × its greatest likeness (cosine) with those before, scores taken as shares of the best.
 */
export function diverse<Item extends Ranked>(items: readonly Item[], count: number, vectorOf: (item: Item) => Float32Array | null): Item[] {
  const rest = items.map((item) => ({ item, vector: vectorOf(item), likeness: 0 }));
  const best = Math.max(...items.map(({ score }) => score), Number.MIN_VALUE);
  const chosen: Item[] = [];
  while (chosen.length < count && rest.length) {
    let [at, most] = [0, -Infinity];
    rest.forEach(({ item, likeness }, place) => {
      const value = RELEVANCE * (item.score / best) - (1 - RELEVANCE) * likeness;
      if (value > most) [at, most] = [place, value];
    });
    const [next] = rest.splice(at, 1) as [(typeof rest)[number]];
    chosen.push(next.item);
    if (next.vector) for (const other of rest) if (other.vector) other.likeness = Math.max(other.likeness, dot(next.vector, 0, other.vector, 0, next.vector.length));
  }
  return chosen;
}
