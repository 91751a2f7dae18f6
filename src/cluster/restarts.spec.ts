import assert from 'node:assert/strict';
import { Restarts } from './restarts.js';

describe('starting workers again', () => {
  it('waits longer after each death, and gives a crash loop up', () => {
    const restarts = new Restarts();
    assert.deepEqual([0, 10, 29_999, 0, 0, 0].map((lived) => restarts.died(lived)), [100, 200, 400, 800, 1600, null]);
    assert.equal(restarts.deaths, 6);
  });

  it('takes a death after a steady life for the first', () => {
    const restarts = new Restarts();
    for (let day = 0; day < 20; day++) assert.deepEqual([restarts.died(30_000), restarts.died(5)], [100, 200]);
  });
});
