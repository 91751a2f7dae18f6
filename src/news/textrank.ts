/** Longer texts are summarised by their beginning: the work grows with the square of the sentences. */
const MAX_SENTENCES = 120;
const LEAST_WORDS = 4;
const DAMPING = 0.85;
const ROUNDS = 40;
const ENOUGH = 1e-5;

interface Sentence {
  text: string;
  words: Set<string>;
}

/**
 * The sentences that stand for a text, in its own order: TextRank, R. Mihalcea and P. Tarau, "TextRank: Bringing Order into Texts" (EMNLP 2004). Sentences are the nodes of a graph; two are
 * as near as the words they share, over the logarithms of their lengths (the paper's formula); each is worth what its neighbours give it, by PageRank with damping 0.85.
 */
export function textRank(text: string, language: string, count: number): string[] {
  const sentences = sentencesOf(text, language);
  if (sentences.length <= count) return sentences.map((sentence) => sentence.text);
  const near = sentences.map((a) => sentences.map((b) => (a === b ? 0 : similarity(a, b))));
  const sums = near.map((row) => row.reduce((sum, value) => sum + value, 0));
  let ranks = sentences.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) {
    const next = ranks.map((_, to) => 1 - DAMPING + DAMPING * ranks.reduce((sum, rank, from) => (sums[from] ? sum + (near[from]![to]! / sums[from]) * rank : sum), 0));
    const moved = Math.max(...next.map((rank, index) => Math.abs(rank - ranks[index]!)));
    ranks = next;
    if (moved < ENOUGH) break;
  }
  const best = ranks.map((rank, index) => ({ rank, index })).sort((a, b) => b.rank - a.rank || a.index - b.index).slice(0, count);
  return best.sort((a, b) => a.index - b.index).map(({ index }) => sentences[index]!.text);
}

function similarity(a: Sentence, b: Sentence): number {
  let shared = 0;
  for (const word of a.words) if (b.words.has(word)) shared++;
  return shared && shared / (Math.log(a.words.size) + Math.log(b.words.size));
}

function segmenter(language: string, granularity: 'sentence' | 'word'): Intl.Segmenter {
  try {
    return new Intl.Segmenter(language, { granularity });
  } catch {
    return new Intl.Segmenter('en', { granularity }); // a language tag that is none
  }
}

function sentencesOf(text: string, language: string): Sentence[] {
  const words = segmenter(language, 'word');
  const seen = new Set<string>();
  const sentences: Sentence[] = [];
  for (const line of text.split('\n')) {
    for (const { segment } of segmenter(language, 'sentence').segment(line)) {
      const sentence = segment.trim();
      const set = new Set([...words.segment(sentence)].filter((part) => part.isWordLike).map((part) => part.segment.toLowerCase()));
      if (set.size < LEAST_WORDS || seen.has(sentence)) continue;
      seen.add(sentence);
      sentences.push({ text: sentence, words: set });
      if (sentences.length === MAX_SENTENCES) return sentences;
    }
  }
  return sentences;
}
