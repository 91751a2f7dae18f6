import assert from 'node:assert/strict';
import { exercisesOf, FIRST_RATING, gradeInProcess, leitner, rated, RIGHT } from './tutoring.js';

const LONG = (word: string) => `The answer to this is a rather long sentence which tells everything there is to know about ${word}.`;

describe('exercises without a model', () => {
  it('asks short pairs, has long ones chosen among others, and leaves the rarest word of a text out', () => {
    const pairs = ['one', 'two', 'three', 'four', 'five'].map((word) => ({ question: `What about ${word}?`, text: LONG(word) }));
    const [short, text, ...long] = exercisesOf([{ question: 'house', text: 'das Haus' }, { question: null, text: 'The lake is deep. A cormorant dives into the cold lake every morning. The lake is cold.' }, ...pairs]);
    assert.deepEqual(short, { kind: 'ANSWER', prompt: 'house', answer: 'das Haus', choices: [] });
    assert.deepEqual([text!.kind, text!.prompt, text!.answer], ['CLOZE', 'A _____ dives into the cold lake every morning.', 'cormorant']);
    for (const [at, one] of long.entries()) {
      assert.equal(one!.kind, 'CHOICE');
      assert.deepEqual([new Set(one!.choices).size, one!.choices.filter((choice) => choice === LONG(['one', 'two', 'three', 'four', 'five'][at]!)).length], [4, 1]);
    }
    assert.deepEqual(exercisesOf([{ question: null, text: 'Too short.' }]), [null]);
    assert.equal(exercisesOf(pairs.slice(0, 3))[0]!.kind, 'ANSWER', 'too few to choose among');
  });

  const right: [string, string][] = [['das Haus', 'Haus'], ['Haus', 'haus!'], ['élève', 'eleve'], ['cormorant', 'cormorent'], ['It opens at seven in the morning', 'at seven in the morning it opens'], ['1291', 'in 1291']];
  const wrong: [string, string][] = [['Haus', 'Maus'], ['Haus', ''], ['1291', '1292'], ['It opens at seven in the morning', 'it closes'], ['It costs 12 francs an hour', 'It costs 13 francs an hour'], ['cormorant', 'duck'], ['It opens at seven in the morning', 'It does not open at seven in the morning'], ['1291', 'not 1291']];
  for (const [answer, given] of right) it(`takes “${given}” for “${answer}”`, () => assert.ok(gradeInProcess({ kind: 'ANSWER', answer }, given) >= RIGHT));
  for (const [answer, given] of wrong) it(`does not take “${given}” for “${answer}”`, () => assert.ok(gradeInProcess({ kind: 'ANSWER', answer }, given) < RIGHT));
  it('takes of choices the one alone', () => assert.deepEqual([gradeInProcess({ kind: 'CHOICE', answer: 'A boat' }, 'a boat'), gradeInProcess({ kind: 'CHOICE', answer: 'A boat' }, 'a boot')], [1, 0]));

  it('moves cards on by one box, and back to the first', () => {
    assert.deepEqual([null, 1, 2, 4, 5].map((box) => leitner(box, true).box), [2, 2, 3, 5, 5]);
    assert.deepEqual([null, 1, 5].map((box) => leitner(box, false)), [{ box: 1, waitMs: 600_000 }, { box: 1, waitMs: 600_000 }, { box: 1, waitMs: 600_000 }]);
    assert.equal(leitner(4, true).waitMs, 21 * 86_400_000);
  });

  it('rates whoever is right higher and the exercise lower, by less the surer it is', () => {
    const fresh = { rating: FIRST_RATING.learner, answered: 0 };
    const exercise = { rating: FIRST_RATING.exercise, answered: 0, choices: 0 };
    const up = rated(fresh, exercise, 1);
    assert.ok(up.learner > fresh.rating && up.exercise < exercise.rating);
    assert.ok(rated(fresh, exercise, 0).learner < fresh.rating);
    assert.ok(rated({ ...fresh, answered: 100 }, exercise, 1).learner < up.learner);
    assert.ok(rated(fresh, { ...exercise, choices: 4 }, 1).learner < up.learner, 'it may have been guessed');
  });
});
