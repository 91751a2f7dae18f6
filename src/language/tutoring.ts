import { sentencesOf, stem, termsOf, wordsOf } from './words.js';

export type ExerciseKind = 'ANSWER' | 'CHOICE' | 'CLOZE';
export interface Exercise {
  kind: ExerciseKind;
  prompt: string;
  answer: string;
  /** Of a CHOICE, the answer among them. */
  choices: string[];
}

const SHORT_WORDS = 12;
const CHOICES = 4;
const GAP = '_____';
const LEAST_SENTENCE = 6;
const LEAST_GAP = 5;
const MAX_PROMPT = 1_000;

/**
 * An exercise for each passage out of which one can be made, without any model. Of a pair of an FAQ: its question, to be answered where the answer is short, else chosen among answers to others; of a text: a sentence of which the
 * word that is rarest in all of them is left out.
 */
export function exercisesOf(passages: readonly { question: string | null; text: string }[]): (Exercise | null)[] {
  const answers = [...new Set(passages.filter(({ question }) => question !== null).map(({ text }) => text))];
  const frequency = new Map<string, number>();
  for (const { text, question } of passages) if (question === null) for (const term of new Set(termsOf(text))) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  return passages.map(({ question, text }) => (question === null ? clozeOf(text, frequency) : ofPair(question, text, answers)));
}

function ofPair(question: string, answer: string, answers: readonly string[]): Exercise {
  const prompt = question.slice(0, MAX_PROMPT);
  if (wordsOf(answer).length <= SHORT_WORDS || answers.length < CHOICES) return { kind: 'ANSWER', prompt, answer, choices: [] };
  // By a chance that stays the same: those that stand some way behind it, and the place of the right one.
  const at = answers.indexOf(answer);
  const step = 1 + (wordsOf(question).join('').length % Math.max(1, Math.floor((answers.length - 1) / (CHOICES - 1))));
  const choices = Array.from({ length: CHOICES - 1 }, (_, index) => answers[(at + (index + 1) * step) % answers.length]!);
  choices.splice(question.length % CHOICES, 0, answer);
  return { kind: 'CHOICE', prompt, answer, choices };
}

function clozeOf(text: string, frequency: ReadonlyMap<string, number>): Exercise | null {
  let best: { sentence: string; word: string; rarity: number } | null = null;
  for (const sentence of sentencesOf(text)) {
    const words = wordsOf(sentence);
    if (words.length < LEAST_SENTENCE || sentence.length > MAX_PROMPT) continue;
    for (const word of words) {
      if (word.length < LEAST_GAP || !/^\p{L}+$/u.test(word) || !termsOf(word).length) continue;
      const rarity = -(frequency.get(stem(word)) ?? 0) + word.length / 100;
      if (!best || rarity > best.rarity) best = { sentence, word, rarity };
    }
  }
  // Wherever it stands: a gap that the same sentence fills in is none.
  return best && { kind: 'CLOZE', prompt: best.sentence.replace(new RegExp(`(?<!\\p{L})${best.word}(?!\\p{L})`, 'giu'), GAP), answer: best.word, choices: [] };
}

/** From here on an answer counts as right. */
export const RIGHT = 0.6;
/** Between these two a model, where there is one, is asked what was meant. */
export const UNSURE = { from: 0.15, to: 0.95 };
/** Between an answer and its contrary stands one word; `plain` makes "don't" two. */
const NEGATIONS = /\b(?:not|no|never|t|nicht|kein\w*|nie|pas|jamais|ne|non|nunca|sin)\b/;
const ARTICLES = /^(?:the|an?|der|die|das|eine?[nmrs]?|le|la|les|une?|el|los|las|una?s?|to) /;

const plain = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim().replace(ARTICLES, '');

/** How right an answer is, 0 to 1, by its words: order, accents, endings and a slip of the pen are forgiven; another number is not. */
export function gradeInProcess({ kind, answer }: Pick<Exercise, 'kind' | 'answer'>, given: string): number {
  const [wanted, got] = [plain(answer), plain(given)];
  if (!got) return 0;
  if (wanted === got) return 1;
  if (kind === 'CHOICE') return 0;
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).sort().join(' ');
  if (numbers(wanted) && numbers(wanted) !== numbers(got)) return 0;
  if (NEGATIONS.test(wanted) !== NEGATIONS.test(got)) return 0.2;
  const [terms, said] = [new Set(termsOf(wanted)), new Set(termsOf(got))];
  const held = [...terms].filter((term) => said.has(term)).length;
  if (terms.size && held === terms.size && said.size === held) return 1;
  const alike = 1 - distance(wanted, got) / Math.max(wanted.length, got.length);
  if (wordsOf(wanted).length <= 2) return stem(wanted) === stem(got) ? 1 : alike >= 0.8 ? 0.8 : 0;
  if (!terms.size) return alike >= 0.8 ? 0.8 : 0;
  const recall = held / terms.size;
  const precision = said.size ? held / said.size : 0;
  return Math.max(0.8 * recall + 0.2 * precision, alike >= 0.8 ? 0.8 : 0);
}

/** V. Levenshtein's, in two rows; of what is longer than a line, by its beginning. */
function distance(a: string, b: string): number {
  const [from, to] = [a.slice(0, 200), b.slice(0, 200)];
  let before = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) row.push(Math.min(row[j - 1]! + 1, before[j]! + 1, before[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)));
    before = row;
  }
  return before.at(-1)! + Math.abs(a.length - from.length - (b.length - to.length));
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** By boxes: when what lies in one is asked again. S. Leitner, So lernt man lernen (1972): what was right moves on by one, what was wrong goes back to the first. */
const INTERVALS: readonly number[] = [10 * MINUTE, DAY, 3 * DAY, 7 * DAY, 21 * DAY];
export const BOXES = INTERVALS.length;

/** `box`: where it lies, 1 to 5; null: it was never asked. What is right at once skips the first. */
export function leitner(box: number | null, right: boolean): { box: number; waitMs: number } {
  const next = right ? Math.min((box ?? 1) + 1, BOXES) : 1;
  return { box: next, waitMs: INTERVALS[next - 1]! };
}

export const FIRST_RATING = { learner: 900, exercise: 1_000 };
/** Points of Elo by which a logit of Pelánek's is told. */
const LOGIT = 400 / Math.LN10;

/**
 * What learner and exercise are rated after an answer: R. Pelánek, Applications of the Elo rating system in adaptive educational systems (Computers & Education 98, 2016), with his uncertainty function (a = 1, b = 0.05) by how
 * often each was met before, and with guessing for choices.
 */
export function rated(learner: { rating: number; answered: number }, exercise: { rating: number; answered: number; choices: number }, score: number): { learner: number; exercise: number } {
  const guess = exercise.choices ? 1 / exercise.choices : 0;
  const expected = guess + (1 - guess) / (1 + 10 ** ((exercise.rating - learner.rating) / 400));
  const step = (answered: number) => (LOGIT / (1 + 0.05 * answered)) * (score - expected);
  return { learner: learner.rating + step(learner.answered), exercise: exercise.rating - step(exercise.answered) };
}
