import MiniSearch from 'minisearch';
import { sentencesOf, stem, termsOf } from './words.js';

/** A piece of a bot's knowledge. */
export interface Passage {
  id: string;
  /** What it is called where it is quoted. */
  title: string;
  /** What it answers, where it is a pair of an FAQ. */
  question: string | null;
  text: string;
}

export interface Hit {
  passage: Passage;
  /** 0 to 1: how much of what was asked it speaks of. */
  score: number;
}

const DIMENSIONS = 512;
const MAX_PASSAGE = 900;
/** Of a pair, that the questions are alike says more than that the answer holds the words. */
const QUESTION_BOOST = 2;
const CANDIDATES = 30;
const FUSION = 60;

/** Cuts a text into passages of whole sentences, none longer than what is quoted well. */
export function passagesOf(text: string, language = 'en'): string[] {
  const passages: string[] = [];
  for (const paragraph of text.split(/\n\s*\n/)) {
    let current = '';
    for (const sentence of sentencesOf(paragraph, language)) {
      if (current && current.length + sentence.length + 1 > MAX_PASSAGE) {
        passages.push(current);
        current = '';
      }
      current = current ? `${current} ${sentence}` : sentence.slice(0, MAX_PASSAGE);
    }
    if (current) passages.push(current);
  }
  return passages;
}

/** FNV-1a, 32 bits (G. Fowler, L. C. Noll, K.-P. Vo). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** Words and their parts of three letters, hashed into a vector of length 1: "feature hashing", K. Weinberger et al. (ICML 2009). It forgives spelling, and knows no synonyms. */
export function hashedVector(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  const add = (feature: string, weight: number) => {
    const value = hash(feature);
    vector[value % DIMENSIONS]! += value & 0x80000000 ? -weight : weight;
  };
  for (const term of termsOf(text)) {
    add(term, 1);
    const padded = `^${term}$`;
    for (let at = 0; at + 3 <= padded.length; at++) add(`#${padded.slice(at, at + 3)}`, 0.4);
  }
  const length = Math.hypot(...vector);
  return length ? vector.map((value) => value / length) : vector;
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let at = 0; at < a.length; at++) {
    dot += a[at]! * b[at]!;
    lengthA += a[at]! ** 2;
    lengthB += b[at]! ** 2;
  }
  return lengthA && lengthB ? dot / Math.sqrt(lengthA * lengthB) : 0;
}

interface Entry {
  passage: Passage;
  vector: ArrayLike<number>;
  terms: ReadonlySet<string>;
}

/** Finds passages by words (BM25+ by minisearch) and by vectors, both orders fused by rank (reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009). */
export class KnowledgeIndex {
  readonly #entries: Entry[];
  readonly #search = new MiniSearch<{ id: number; question: string; text: string; title: string }>({
    fields: ['question', 'text', 'title'], tokenize: (text) => termsOf(text), processTerm: (term) => term, searchOptions: { boost: { question: QUESTION_BOOST, title: 0.5 } },
  });
  readonly #frequency = new Map<string, number>();

  /** `vectors` come from a model, one for each passage; without them they are made of the words. */
  constructor(
    passages: readonly Passage[],
    vectors: readonly (readonly number[])[] | null = null,
  ) {
    this.#entries = passages.map((passage, at) => {
      const text = `${passage.question ?? passage.title} ${passage.text}`;
      return { passage, vector: vectors?.[at] ?? hashedVector(passage.question ?? text), terms: new Set(termsOf(text)) };
    });
    this.#search.addAll(passages.map(({ question, text, title }, id) => ({ id, question: question ?? '', text, title })));
    for (const { terms } of this.#entries) for (const term of terms) this.#frequency.set(term, (this.#frequency.get(term) ?? 0) + 1);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The best passages, best first. `vector` is that of the query by the model that made the passages'. */
  find(query: string, count: number, vector: readonly number[] | null = null): Hit[] {
    const terms = [...new Set(termsOf(query))];
    if (!terms.length) return [];
    const own: ArrayLike<number> = vector ?? hashedVector(query);
    const near = this.#entries.map((entry, at) => ({ at, near: cosine(entry.vector, own) })).sort((a, b) => b.near - a.near || a.at - b.at);
    const byWords = this.#search.search(query, { fuzzy: (term) => (term.length > 5 ? 0.2 : false), prefix: (term) => term.length > 3 }).slice(0, CANDIDATES);
    const fused = new Map<number, number>();
    const rank = (at: number, place: number) => fused.set(at, (fused.get(at) ?? 0) + 1 / (FUSION + place));
    byWords.forEach(({ id }, place) => rank(id as number, place));
    near.slice(0, CANDIDATES).forEach(({ at }, place) => rank(at, place));
    const nearness = new Map(near.map((one) => [one.at, one.near]));
    return [...fused]
      .map(([at, order]) => ({ passage: this.#entries[at]!.passage, score: this.#score(terms, this.#entries[at]!, nearness.get(at)!), order }))
      .sort((a, b) => b.order + b.score / 10 - (a.order + a.score / 10))
      .slice(0, count)
      .map(({ passage, score }) => ({ passage, score }));
  }

  /** What share of the question's words, the rare ones counting more, the passage holds; what the vectors see beyond it counts less. */
  #score(terms: readonly string[], { terms: known }: Entry, near: number): number {
    let all = 0;
    let held = 0;
    for (const term of terms) {
      const weight = Math.log(1 + this.#entries.length / (0.5 + (this.#frequency.get(term) ?? 0)));
      all += weight;
      held += weight * best(term, known);
    }
    return Math.max(0, Math.min(1, 0.65 * (held / all) + 0.35 * Math.max(0, near)));
  }
}

/** 1 where the word is there; less where one that begins like it is. */
function best(term: string, known: ReadonlySet<string>): number {
  if (known.has(term)) return 1;
  if (term.length < 4) return 0;
  for (const other of known) if (other.length >= 4 && (other.startsWith(term) || term.startsWith(other))) return 0.8;
  return 0;
}

/** The sentences of a passage that answer best, in their order: what is quoted of a long one. */
export function quoteOf(query: string, { text, question }: Passage, most: number): string {
  const sentences = sentencesOf(text);
  if (question !== null || sentences.length <= most) return text;
  const terms = new Set(termsOf(query));
  const ranked = sentences.map((sentence, at) => ({ at, held: termsOf(sentence).filter((term) => terms.has(stem(term))).length })).sort((a, b) => b.held - a.held || a.at - b.at);
  return ranked.slice(0, most).sort((a, b) => a.at - b.at).map(({ at }) => sentences[at]).join(' ');
}
