import Sentiment from 'sentiment';

const afinn = new Sentiment();
/** Points of one strong word, by which a text counts as wholly good or bad. */
const FULL = 4;

/**
 * How a text feels, from -1 to 1, by the words of AFINN (F. Å. Nielsen, 2011) with negations; 0: neither. Null where its language is none of those that there are words for: only
 * English by now, so nothing is guessed.
 */
export function sentimentOf(text: string, language: string | null): number | null {
  if (language !== 'en') return null;
  const { score } = afinn.analyze(text);
  return Math.max(-1, Math.min(1, score / FULL));
}
