import { classify } from '../../src/language/classifier.js';
import { ENOUGH } from '../../src/language/in-process.js';
import { KnowledgeIndex } from '../../src/language/retrieval.js';
import { gist } from '../../src/language/salience.js';
import { sentimentOf } from '../../src/language/sentiment.js';
import { languageOf, termsOf } from '../../src/language/words.js';
import type { Row } from '../lib/report.js';
import { CONDUCT_SET } from '../sets/conduct.js';
import { FEELING_SET } from '../sets/feelings.js';
import { FAQ_SET, QUESTION_SET, UNKNOWN_SET } from '../sets/questions.js';
import { TALK_SET } from '../sets/talks.js';

export const LANGUAGE_NOTE = `Quality of what the process does by itself, without a model; no times. The sets stand in \`bench/sets\`: they were made for this measurement, by whoever wrote the product, and are small, so a percent here or there is chance. Shares are of 1. Sentiment: three kinds
(good, bad, neither), the language told by the product itself; "right, good or bad" leaves out the third. Conduct: at the threshold 0.7; the classifier's weights were
moved once after a first look at this set (0.43 and 0.55 were found before), so these figures flatter it. Retrieval: questions in other words than the FAQ's. Summaries: as many messages are picked as somebody would have to know of; overlap is
the F1 of their words (ROUGE-1), beside that of as many of the last messages.`;

/** From here on a text is taken as good or bad, as a client that shows a face would. */
const FELT = 0.2;
const THRESHOLD = 0.7;
const NAMES: Readonly<Record<string, string>> = { en: 'English', de: 'German', fr: 'French', es: 'Spanish' };

export function runLanguage(): Promise<Record<string, Row>> {
  return Promise.resolve({ 'in the process': { ...sentiment(), ...conduct(), ...retrieval(), ...summaries() } });
}

function sentiment(): Row {
  const row: Row = {};
  for (const [language, kinds] of Object.entries(FEELING_SET)) {
    let [all, right, told, rightFelt, felt] = [0, 0, 0, 0, 0];
    for (const [kind, texts] of Object.entries(kinds)) {
      for (const text of texts) {
        const found = languageOf(text);
        const score = sentimentOf(text, found) ?? 0;
        const said = score >= FELT ? 'good' : score <= -FELT ? 'bad' : 'neither';
        all++;
        if (found === language) told++;
        if (said === kind) right++;
        if (kind !== 'neither') {
          felt++;
          if (said === kind) rightFelt++;
        }
      }
    }
    const name = `sentiment, ${NAMES[language]}, ${all} texts`;
    Object.assign(row, { [`${name}: right`]: right / all, [`${name}: right, good or bad`]: rightFelt / felt, [`${name}: its language told`]: told / all });
  }
  return row;
}

function conduct(): Row {
  const row: Row = {};
  const all = Object.entries(CONDUCT_SET).flatMap(([kind, texts]) => texts.map((text) => ({ kind, scores: classify(text) })));
  for (const [kind, of] of [['toxic', 'toxicity'], ['spam', 'spam']] as const) {
    const found = all.filter(({ scores }) => scores[of] >= THRESHOLD);
    const right = found.filter((one) => one.kind === kind).length;
    const wanted = CONDUCT_SET[kind].length;
    Object.assign(row, { [`${of}, ${wanted} of ${all.length} texts: found`]: right / wanted, [`${of}: right of what was found`]: right / found.length });
  }
  return row;
}

function retrieval(): Row {
  const index = new KnowledgeIndex(FAQ_SET.map(({ question, answer }, at) => ({ id: String(at), title: 'FAQ', question, text: answer })));
  const hit = (most: number) => QUESTION_SET.filter(({ ask, at }) => index.find(ask, most).some(({ passage }) => passage.id === String(at))).length / QUESTION_SET.length;
  const answered = QUESTION_SET.filter(({ ask }) => (index.find(ask, 1)[0]?.score ?? 0) >= ENOUGH);
  const right = answered.filter(({ ask, at }) => index.find(ask, 1)[0]!.passage.id === String(at)).length;
  const silent = UNKNOWN_SET.filter((ask) => (index.find(ask, 1)[0]?.score ?? 0) < ENOUGH).length;
  const name = `retrieval, ${QUESTION_SET.length} questions to ${FAQ_SET.length} answers`;
  return {
    [`${name}: hit at 1`]: hit(1), [`${name}: hit at 3`]: hit(3), [`${name}: answered`]: answered.length / QUESTION_SET.length, 'retrieval: right of what was answered': right / answered.length,
    [`retrieval, ${UNKNOWN_SET.length} questions that it can’t answer: says so`]: silent / UNKNOWN_SET.length,
  };
}

function summaries(): Row {
  let [picked, last, wanted, ours, theirs] = [0, 0, 0, 0, 0];
  for (const { texts, key } of TALK_SET) {
    const chosen = gist(texts, key.length);
    const newest = texts.map((_, at) => at).slice(-key.length);
    const words = (at: readonly number[]) => at.flatMap((one) => termsOf(texts[one]!));
    picked += chosen.filter((at) => key.includes(at)).length;
    last += newest.filter((at) => key.includes(at)).length;
    wanted += key.length;
    ours += overlap(words(chosen), words(key)) / TALK_SET.length;
    theirs += overlap(words(newest), words(key)) / TALK_SET.length;
  }
  const name = `summaries, ${TALK_SET.length} conversations of ${TALK_SET.reduce((sum, { texts }) => sum + texts.length, 0)} messages`;
  return { [`${name}: overlap`]: ours, [`${name}: ${wanted} messages to know of, picked`]: picked / wanted, 'summaries, the last messages instead: overlap': theirs, 'summaries, the last messages instead: picked': last / wanted };
}

/** F1 of the words of one text in those of another, counted as often as they stand there: ROUGE-1 (C.-Y. Lin, 2004). */
function overlap(said: readonly string[], wanted: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of said) {
    const count = left.get(word) ?? 0;
    if (!count) continue;
    left.set(word, count - 1);
    shared++;
  }
  return shared ? (2 * shared) / (said.length + wanted.length) : 0;
}
