import assert from 'node:assert/strict';
import fc from 'fast-check';
import pg from 'pg';
import { serverUrl } from '../../test/testkit/database.js';
import { bytesArray, plainArray, textArray } from './array-literals.js';

describe('array literals', () => {
  let client: pg.Client;
  before(async () => {
    client = new pg.Client({ connectionString: serverUrl('postgres') });
    await client.connect();
  });
  after(() => client.end());

  const read = async (type: string, literal: string) => (await client.query<{ read: unknown }>(`select $1::${type} as read`, [literal])).rows[0]!.read;

  it('of any texts are read as they were', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0') && value.isWellFormed());
    const awkward = fc.constantFrom('', ' ', 'null', 'NULL', '{}', '{', '}', ',', '"', '\\', '\\"', '\\x00', 'a\nb', '\t', '🙂', "'");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.oneof(text, awkward), { nil: null }), { maxLength: 20 }), async (values) => {
        assert.deepEqual(await read('text[]', textArray(values)), values);
      }),
      { numRuns: 200 },
    );
  });

  it('of numbers, ids and bytes are read as they were', async () => {
    assert.deepEqual(await read('int[]', plainArray([1, null, -2_147_483_648])), [1, null, -2_147_483_648]);
    const id = '01a1f94d-410f-7019-aad3-302e816fbc4f';
    assert.deepEqual(await read('uuid[]', plainArray([id, null])), [id, null]);
    assert.deepEqual(await read('text[]', plainArray([])), []);
    const bytes = [Buffer.from([0, 1, 255, 92, 34]), Buffer.alloc(0)];
    assert.deepEqual(await read('bytea[]', bytesArray(bytes)), bytes);
  });
});
