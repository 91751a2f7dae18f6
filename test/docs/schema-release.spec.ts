import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { changelog, judge, reference } from '../../scripts/lib/schema-changes.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const TODAY = '2027-03-01';

describe('what partners were promised', () => {
  const released = buildSchema(`
    enum Color { RED GREEN @deprecated(reason: "Until 2027-02-28: there is no green any more.") }
    input In { a: String }
    type Query { old: String @deprecated(reason: "Until 2027-02-28: use fresh.") soon: String @deprecated(reason: "Until 2027-03-01: use fresh.") kept(a: Int): String color: Color }`);
  const verdict = async (sdl: string) => {
    const { breaking, undated } = await judge(released, buildSchema(sdl), TODAY);
    return [breaking.map(({ path }) => path), undated];
  };
  const INPUT = 'enum Color { RED GREEN } input In { a: String }';

  it('takes what is added, and what goes when its date is over', async () => {
    assert.deepEqual(await verdict('enum Color { RED } input In { a: String b: Int } type Query { soon: String kept(a: Int, b: Int): String fresh: Int color: Color }'), [[], []]);
  });

  it('refuses what goes too early, what changes its type, and what is asked for anew', async () => {
    assert.deepEqual((await verdict(`${INPUT} type Query { kept(a: Int): String color: Color }`))[0], ['Query.soon']);
    assert.deepEqual((await verdict(`${INPUT} type Query { old: String soon: String color: Color }`))[0], ['Query.kept']);
    assert.deepEqual((await verdict(`${INPUT} type Query { old: String soon: Int kept(a: Int): String color: Color }`))[0], ['Query.soon']);
    assert.deepEqual((await verdict(`enum Color { RED GREEN } input In { a: String b: Int! } type Query { old: String soon: String kept(a: Int!): String color: Color }`))[0], ['In.b', 'Query.kept.a']);
  });

  it('refuses a deprecation that names no date', async () => {
    assert.deepEqual((await verdict(`${INPUT} type Query { old: String soon: String kept(a: Int @deprecated(reason: "Some day")): String color: Color @deprecated }`))[1], ['Query.kept.a', 'Query.color']);
  });

  it('says in the changelog what has changed', async () => {
    const entry = changelog('1.2.0', TODAY, await judge(released, buildSchema('enum Color { RED } input In { a: String } type Query { soon: String kept(a: Int): String color: Color fresh: Int }'), TODAY));
    assert.match(entry, /^## 1\.2\.0, 2027-03-01\n\n### Breaking\n\n(- .*\n)+\n/);
    assert.match(entry, /- Field 'fresh' was added to object type 'Query'/);
  });

  it('has the reference of the schema that was released, and the same changelog’s newest entry is its release', () => {
    assert.equal(read('docs/schema/REFERENCE.md'), `${reference(buildSchema(read('docs/schema/released.graphql'))).trimEnd()}\n`);
    assert.match(read('docs/schema/CHANGELOG.md'), /^# What has changed in the API\n\n.*\n\n## \d+\.\d+\.\d+, \d{4}-\d\d-\d\d\n/);
  });
});
