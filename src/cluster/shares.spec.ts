import assert from 'node:assert/strict';
import { ConfigError } from '../lib/errors.js';
import { mediaOf, poolOf } from './shares.js';

describe('the pool of each worker', () => {
  it('is what was wished, where PostgreSQL holds so many', () => assert.equal(poolOf(4, 16, 97), 16));
  it('is an equal share otherwise, with a rest for what a worker has beside it, jobs and operators', () => {
    assert.equal(poolOf(8, 16, 97), 8);
    for (let workers = 2; workers <= 17; workers++) assert.ok(workers * (poolOf(workers, 200, 97) + 3) + 8 <= 97);
  });
  it('is refused when too little is left for each', () =>
    assert.throws(() => poolOf(18, 16, 97), (error: Error) => error instanceof ConfigError && /WORKERS: 18 processes want 98 connections/.test(error.message)));
});

describe('the media of each worker', () => {
  const ask = (settings: { WORKERS: number; MEDIA_WORKERS?: number; MEDIA_PORT: number }) =>
    Array.from({ length: settings.WORKERS }, (_, index) => Object.values(mediaOf({ MEDIA_WORKERS: undefined, ...settings }, index + 1)).map(Number));

  it('is an equal part, on ports of its own', () => {
    assert.deepEqual(ask({ WORKERS: 3, MEDIA_WORKERS: 6, MEDIA_PORT: 20_000 }), [[2, 20_000], [2, 20_002], [2, 20_004]]);
    assert.deepEqual(ask({ WORKERS: 2, MEDIA_WORKERS: 1, MEDIA_PORT: 20_000 }), [[1, 20_000], [1, 20_001]]);
    assert.deepEqual(ask({ WORKERS: 2, MEDIA_WORKERS: 4, MEDIA_PORT: 0 }), [[2, 0], [2, 0]]);
  });
});
