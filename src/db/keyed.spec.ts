import assert from 'node:assert/strict';
import type { Sql } from './database.js';
import { keyed } from './keyed.js';

describe('statements by one key or by many', () => {
  const asked: [string, unknown[] | undefined][] = [];
  const sql: Sql = (text, values) => {
    asked.push([text, values]);
    return Promise.resolve([]);
  };
  beforeEach(() => asked.splice(0));

  it('compares with one key, and looks through a list of many; what else is bound stays where it is', async () => {
    const read = keyed('select from t where id = any($1) and owner = $2');
    await read(sql, ['a'], 'o');
    await read(sql, ['a', 'b'], 'o');
    await read(sql, [], 'o');
    assert.deepEqual(asked, [
      ['select from t where id = $1 and owner = $2', ['a', 'o']],
      ['select from t where id = any($1) and owner = $2', [['a', 'b'], 'o']],
      ['select from t where id = any($1) and owner = $2', [[], 'o']],
    ]);
  });

  it('is made only of a statement that names its keys once', () => {
    assert.throws(() => keyed('select from t where id = $1'), /says "= any\(\$1\)" once/);
    assert.throws(() => keyed('select from t where id = any($1) or other = any($1)'), /once/);
  });
});
