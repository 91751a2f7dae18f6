import { termsOf } from './words.js';

const DAMPING = 0.85;
const ROUNDS = 20;
/** More than that are looked at by their newest: the work grows with the square. */
const MAX_TEXTS = 600;

/**
 * How much each text says of what all of them say, the most first: LexRank's idea (G. Erkan and D. Radev, JAIR 2004), with shared words over the logarithms of lengths as nearness, as in TextRank.
 * Texts of fewer than three words that say something are left out.
 */
export function salient(texts: readonly string[]): { at: number; rank: number }[] {
  const first = Math.max(0, texts.length - MAX_TEXTS);
  const all = texts.slice(first).map((text, at) => ({ at: at + first, terms: new Set(termsOf(text)) })).filter(({ terms }) => terms.size >= 3);
  const holders = new Map<string, number[]>();
  all.forEach(({ terms }, index) => {
    for (const term of terms) (holders.get(term) ?? holders.set(term, []).get(term)!).push(index);
  });
  const near = all.map(() => new Map<number, number>());
  for (const [, group] of holders) {
    // A word that half of all hold links everything with everything, and says nothing.
    if (group.length > Math.max(3, all.length / 2)) continue;
    for (const a of group) for (const b of group) if (a !== b) near[a]!.set(b, (near[a]!.get(b) ?? 0) + 1);
  }
  near.forEach((row, a) => row.forEach((shared, b) => row.set(b, shared / (Math.log(all[a]!.terms.size) + Math.log(all[b]!.terms.size)))));
  const sums = near.map((row) => [...row.values()].reduce((sum, value) => sum + value, 0));
  let ranks = all.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) ranks = near.map((row) => 1 - DAMPING + DAMPING * [...row].reduce((sum, [from, weight]) => sum + (weight / sums[from]!) * ranks[from]!, 0));
  return all.map(({ at }, index) => ({ at, rank: ranks[index]! })).sort((a, b) => b.rank - a.rank || a.at - b.at);
}

/** The `count` texts that stand for all, in their order: no two that say nearly the same. */
export function gist(texts: readonly string[], count: number): number[] {
  const chosen: { at: number; terms: Set<string> }[] = [];
  for (const { at } of salient(texts)) {
    const terms = new Set(termsOf(texts[at]!));
    const repeats = chosen.some((other) => [...terms].filter((term) => other.terms.has(term)).length > 0.6 * Math.min(terms.size, other.terms.size));
    if (!repeats) chosen.push({ at, terms });
    if (chosen.length === count) break;
  }
  return chosen.map(({ at }) => at).sort((a, b) => a - b);
}
