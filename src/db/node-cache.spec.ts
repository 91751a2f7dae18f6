import assert from 'node:assert/strict';
import { LoaderScope, type LoaderDef } from './loaders.js';
import { NodeCache } from './node-cache.js';

const deps = { sql: () => Promise.reject(new Error('not used')), viewerId: null, now: new Date(0) };

describe('NodeCache', () => {
  it('keeps a value across scopes until it is forgotten', async () => {
    const cache = new NodeCache();
    let readings = 0;
    const def: LoaderDef<string, { value: number }> = { cache: 'things', batch: async (keys) => keys.map(() => ({ value: ++readings })) };
    const scope = () => new LoaderScope(deps, cache);
    assert.deepEqual(await scope().load(def, 'a'), { value: 1 });
    assert.deepEqual(await scope().load(def, 'a'), { value: 1 });
    assert.deepEqual(scope().peek(def, 'a'), { value: 1 });
    cache.forget('things', ['a']);
    assert.equal(scope().peek(def, 'a'), undefined);
    assert.deepEqual(await scope().load(def, 'a'), { value: 2 });
  });

  it('does not keep what was read before it was forgotten', async () => {
    const cache = new NodeCache();
    let answer: (value: { value: string }[]) => void = () => undefined;
    const def: LoaderDef<string, { value: string }> = { cache: 'things', batch: () => new Promise((resolve) => (answer = resolve)) };
    const reading = new LoaderScope(deps, cache).load(def, 'a');
    await new Promise((resolve) => setImmediate(resolve));
    cache.forget('things', ['a']);
    answer([{ value: 'old' }]);
    assert.deepEqual(await reading, { value: 'old' });
    assert.equal(new LoaderScope(deps, cache).peek(def, 'a'), undefined);
  });

  it('reads once for all who ask at once, and again for who asks after it was forgotten', async () => {
    const cache = new NodeCache();
    const answers: ((value: { value: string }[]) => void)[] = [];
    const def: LoaderDef<string, { value: string }> = { cache: 'things', batch: () => new Promise((resolve) => answers.push(resolve)) };
    const load = () => new LoaderScope(deps, cache).load(def, 'a');
    const together = [load(), load(), load()];
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answers.length, 1);
    cache.forget('things', ['a']);
    const later = load();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answers.length, 2);
    answers[0]!([{ value: 'old' }]);
    answers[1]!([{ value: 'new' }]);
    assert.deepEqual(await Promise.all(together), Array(3).fill({ value: 'old' }));
    assert.deepEqual(await later, { value: 'new' });
  });

  it('does not keep what is not there', async () => {
    const cache = new NodeCache();
    const def: LoaderDef<string, object> = { cache: 'things', batch: async (keys) => keys.map(() => null) };
    assert.equal(await new LoaderScope(deps, cache).load(def, 'a'), null);
    assert.equal(new LoaderScope(deps, cache).peek(def, 'a'), undefined);
  });
});
