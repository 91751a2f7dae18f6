import assert from 'node:assert/strict';
import { InTurn } from './in-turn.js';

describe('InTurn', () => {
  it('does the work of one key in order, one at a time, whatever fails, and holds up no other key', async () => {
    const turn = new InTurn();
    const done: string[] = [];
    const work = (name: string, turns: number) => async () => {
      done.push(`${name} begins`);
      for (let at = 0; at < turns; at++) await Promise.resolve();
      done.push(`${name} ends`);
      if (name === 'first') throw new Error(name);
      return name;
    };
    const ends = await Promise.allSettled([turn.run('a', work('first', 50)), turn.run('a', work('second', 1)), turn.run('b', work('other', 1)), turn.run('a', work('third', 1))]);
    assert.deepEqual(ends.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as Error).message)), ['first', 'second', 'other', 'third']);
    assert.deepEqual(done.filter((step) => !step.startsWith('other')), ['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
    assert.ok(done.indexOf('other ends') < done.indexOf('first ends'));
    assert.equal(await turn.run('a', async () => 'later'), 'later');
  });
});
