import Sentiment from 'sentiment';
import { FEELINGS, NEGATIONS } from './feelings.js';

const analyzer = new Sentiment();
/** Points of one strong word, by which a text counts as wholly good or bad. */
const FULL = 4;
/** A word that turns another round stands at most so far before it. */
const REACH = 3;

/** Languages that there are words for. */
export const FELT_LANGUAGES = ['en', ...Object.keys(FEELINGS)];

for (const [language, labels] of Object.entries(FEELINGS)) {
  const negations = NEGATIONS[language]!;
  analyzer.registerLanguage(language, {
    labels: { ...labels },
    scoringStrategy: { apply: (tokens, cursor, score) => (tokens.slice(Math.max(0, cursor - REACH), cursor).some((token) => negations.has(token)) ? -score : score) },
  });
}

/**
 * How a text feels, from -1 to 1; 0: neither. English by the words of AFINN (F. Å. Nielsen, 2011), German, French and Spanish by a list of our own, each with its negations. Null where its language is none of
 * these: nothing is guessed.
 */
export function sentimentOf(text: string, language: string | null): number | null {
  if (language === null || !FELT_LANGUAGES.includes(language)) return null;
  const { score } = analyzer.analyze(text.replaceAll('’', "'"), { language });
  return Math.max(-1, Math.min(1, score / FULL));
}
