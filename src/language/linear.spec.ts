import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildSchema } from 'graphql';
import { firstLink } from '../policies/links.js';
import { hostsIn } from '../policies/moderation-policy.js';
import { Engine } from '../server/engine.js';
import { calculate, sumIn } from './calculator.js';
import { classify } from './classifier.js';
import { pairsOf } from './faq.js';
import { wantsPerson } from './hand-over.js';
import { repliesTo } from './replies.js';
import { passagesOf } from './retrieval.js';
import { languageOf, sentencesOf, termsOf } from './words.js';

const READERS: Readonly<Record<string, (text: string) => unknown>> = { sumIn, calculate, pairsOf, passagesOf, sentencesOf, termsOf, languageOf, classify, wantsPerson, repliesTo: (text) => repliesTo(text, [text, text]), firstLink, hostsIn };
const PIECES = ['(', ')', '1', ',', '-', '1 - ( ', '?', '? ', ' ', '\n', '\n ', 'a\n', 'a. ', '**', '# ', 'q', 'q: ', 'http', 'http://', 'www.', 'a-', '-a.', "a'", 'i am so an ', 'speak a an ', '.what', '@a', '/a@', '!', '"a', '[', ']('] as const;
const LONG = 128 * 1024;

/**
 * Whatever of the process reads what people write, reads it while nobody else is served. An expression that tries again from each place takes minutes for a text of this length, and
 * the spec does not end in its time; one that reads once takes some milliseconds.
 */
describe('what people write', function () {
  this.timeout(30_000);

  for (const [name, read] of Object.entries(READERS)) {
    it(`is read once by ${name}, be it one thing without end`, () => {
      for (const piece of PIECES) for (const [head, tail] of [['', ''], ['', 'x'], ['1', 'x'], ['q: x', ' x'], ['**a', 'z'], ['http://a', '']]) read(head + piece.repeat(LONG / piece.length) + tail);
    });
  }

  it('is read once by pairsOf, whatever ends a line in its midst', () => {
    for (const [head, tail] of [['q:', 'x\u2028y'], ['q: x\na:', 'x\ry'], ['# ', 'x\u2029y?']]) pairsOf(head + ' '.repeat(LONG) + tail);
  });

  it('is answered whatever it is', () =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary' })), { maxLength: 40 }), (pieces) => {
        for (const read of Object.values(READERS)) read(pieces.join(''));
      }),
      { numRuns: 200 },
    ));

  it('suggestions that introspection would have told are taken off an error once, however often it seems to hold one', () => {
    const schema = buildSchema('type Query { one(of: Kind): Int } enum Kind { GOOD }');
    const engine = new Engine(schema, { marked: schema, rules: [], maxTokens: 100, suggest: false });
    const told = (query: string) => (engine.prepare({ query, operationName: null }) as readonly Error[]).map(({ message }) => message);
    assert.deepEqual(told('{ on }'), ['Cannot query field "on" on type "Query".']);
    assert.deepEqual(told('{ one(of: GOD) }'), ['Value "GOD" does not exist in "Kind" enum.']);
    assert.equal(told(`{ one(of: "${' Did you mean '.repeat(60_000)}") }`).length, 1);
  });
});

describe('sums and questions', () => {
  const sums: [text: string, sum: string | null][] = [
    ['what is 3 * (4 + 5)?', '3 * (4 + 5)'], ['12 x 12', '12 x 12'], ['it costs 1,200.50 + 3.', '1,200.50 + 3'], ['2^10 please', '2^10'], ['-(2 + 3) × 4', '-(2 + 3) × 4'], ['7 ÷ 2', '7 ÷ 2'], ['1 − 2', '1 − 2'],
    ['I have 3 cats', null], ['call 044 123 45 67', null], ['3 + ', null], ['(', null], [`${'1+'.repeat(300)}1`, null],
  ];
  for (const [text, sum] of sums) it(`${text.slice(0, 40)} → ${sum}`, () => assert.equal(sumIn(text), sum));

  it('an FAQ is its pairs, however it is written', () => {
    assert.deepEqual(pairsOf('Q: Open?\nA: Daily.\n\n- **Frage 2:** Wann? **\n**Antwort:** Um neun.\nUnd um zehn.'), [{ question: 'Open?', answer: 'Daily.' }, { question: 'Wann?', answer: 'Um neun.\nUnd um zehn.' }]);
    assert.deepEqual(pairsOf('# Help\n## Where are you?\nIn Bern.\n**And when?**\n  By day.\n# Other\nNothing.'), [{ question: 'Where are you?', answer: 'In Bern.' }, { question: 'And when?', answer: 'By day.' }]);
    assert.deepEqual(pairsOf('Q: Here\u2028or there?\nA: By\u2028the sea.'), [{ question: 'Here\u2028or there?', answer: 'By\u2028the sea.' }]);
    assert.deepEqual(pairsOf('No question here.\nNone at all.'), []);
  });

  it('sentences end with their lines, too', () => assert.deepEqual(sentencesOf('One. Two!\nthree\n\n four? '), ['One.', 'Two!', 'three', 'four?']));
});
