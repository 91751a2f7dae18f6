import assert from 'node:assert/strict';
import { answerInProcess } from './in-process.js';
import { KnowledgeIndex, passagesOf, type Passage } from './retrieval.js';
import { languageOf } from './words.js';

const FAQ: [string, string][] = [
  ['How long does delivery take?', 'Parcels arrive within three working days.'],
  ['Can I return something?', 'You may send anything back within 30 days; we refund the price.'],
  ['Which cards do you accept?', 'We take Visa and Mastercard.'],
  ['Where is your shop?', 'Our shop is at Lake Street 5 in Zürich.'],
  ['When are you open?', 'We are open from 9 to 18 o’clock, Monday to Saturday.'],
];
const passages = FAQ.map(([question, text], at): Passage => ({ id: String(at), title: 'FAQ', question, text }));
const persona = { name: 'Tilly', about: 'I answer questions about the tea shop.', languages: ['en', 'de'] };

describe('the in-process engine', () => {
  const index = new KnowledgeIndex(passages);
  const ask = (question: string) => answerInProcess(question, index.find(question, 3), persona);

  it('answers from what it was given, and says where from', () => {
    for (const [question, at] of [['how long will the delivery take', 0], ['may I return a teapot?', 1], ['do you accept my card', 2], ['when do you open on saturday', 4], ['how long is the delivry', 0]] as const) {
      const answer = ask(question);
      assert.equal(answer.kind, 'ANSWER', question);
      assert.equal(answer.text, FAQ[at]![1], question);
      assert.deepEqual(answer.sources.map(({ passage }) => passage.id), [String(at)], question);
    }
  });

  it('says that it does not know, in the language of the question', () => {
    assert.deepEqual([ask('who won the world cup in 1990?').kind, ask('what is the capital of Peru').kind], ['UNKNOWN', 'UNKNOWN']);
    assert.match(ask('Wie heisst die Hauptstadt von Peru?').text, /weiss ich nicht/);
  });

  it('makes small talk by templates', () => {
    assert.deepEqual(['hello', 'thank you!', 'who are you?', 'bye'].map((text) => ask(text).kind), Array(4).fill('SMALL_TALK'));
    assert.match(ask('who are you?').text, /Tilly.*tea shop/);
  });

  it('quotes the sentences of a long text that answer', () => {
    const text = 'Green tea is steamed. It is not fermented. Black tea is fermented for some hours. Oolong stands between the two. White tea is only dried. Our kettles are made of copper. They are heated by gas.';
    const long = new KnowledgeIndex(passagesOf(text).map((one, at) => ({ id: String(at), title: 'Tea', question: null, text: one })));
    assert.match(answerInProcess('what are the kettles made of?', long.find('what are the kettles made of?', 3), persona).text, /copper/);
    assert.equal(new KnowledgeIndex([]).find('anything', 3).length, 0);
  });

  it('cuts texts into passages that lose nothing', () => {
    const text = Array.from({ length: 200 }, (_, at) => `This is sentence number ${at}.`).join(' ');
    const cut = passagesOf(text);
    assert.ok(cut.length > 4 && cut.every((passage) => passage.length <= 900));
    assert.equal(cut.join(' '), text);
  });

  it('tells languages', () => {
    assert.deepEqual(['Where is the station?', 'Wo ist der Bahnhof?', 'Où est la gare ?', '¿Dónde está la estación?', 'ok'].map(languageOf), ['en', 'de', 'fr', 'es', null]);
  });
});
