import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildSchema, getOperationAST, GraphQLError, parse, type GraphQLScalarType } from 'graphql';
import { Variables } from './variables.js';

const schema = buildSchema(`
  scalar Even
  enum Colour { RED GREEN }
  input Inner { colour: Colour! = GREEN, note: String = "none", marks: [Int!]! = [1, 2] }
  input Outer { flag: Boolean! = false, inner: Inner, many: [Inner!], size: Float, key: ID, even: Even, rows: [[Int]] }
  type Query { show(outer: Outer, size: Int, colours: [Colour!]): String }
`);
(schema.getType('Even') as GraphQLScalarType).parseValue = (value) => {
  if (typeof value !== 'number' || value % 2 !== 0) throw new GraphQLError('Not even.');
  return value / 2;
};
const document = parse('query ($outer: Outer, $must: Outer!, $size: Int = 3, $colours: [Colour!]! = [RED]) { show(outer: $outer, size: $size, colours: $colours) again: show(outer: $must) }');

/** Of the kinds that a place takes, and some that it does not. */
const leaf = fc.oneof(fc.constantFrom('RED', 'GREEN', 'BLUE', '', 'x', true, false, null), fc.integer({ min: -3, max: 5 }), fc.constantFrom(2 ** 31, 1.5, -0, 1e300, '7'));
const some = <Value>(value: fc.Arbitrary<Value>) => fc.oneof({ weight: 40, arbitrary: value as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: leaf });
const inner = some(fc.record({ colour: fc.constantFrom('RED', 'GREEN'), note: some(fc.string()), marks: some(fc.array(some(fc.integer({ min: 0, max: 9 })), { maxLength: 3 })) }, { requiredKeys: [] }));
const strange = fc.oneof({ weight: 40, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constant({ unknown: 1 }) });
const outer = some(
  fc.record(
    {
      flag: some(fc.boolean()), inner, many: some(fc.array(inner, { maxLength: 3 })), size: some(fc.double({ noNaN: true, noDefaultInfinity: true })), key: some(fc.string()), even: some(fc.integer({ min: -9, max: 9 }).map((half) => 2 * half)),
      rows: some(fc.array(some(fc.array(some(fc.integer({ min: 0, max: 9 })), { maxLength: 2 })), { maxLength: 2 })),
    },
    { requiredKeys: [] },
  ).chain((fields) => strange.map((more) => ({ ...fields, ...more }))),
);
const given = fc.record({ outer, must: outer, size: some(fc.integer({ min: -9, max: 9 })), colours: some(fc.array(fc.constantFrom('RED', 'GREEN'), { maxLength: 3 })) }, { requiredKeys: ['must'] }) as fc.Arbitrary<Record<string, unknown>>;

/** Whatever prototypes the objects have. */
const plain = (value: unknown): unknown => value && JSON.parse(JSON.stringify(value));

describe('variables', () => {
  it('come out of the compiled reader as of the reference implementation, and so does what is wrong with them', () => {
    const compiled = new Variables(schema, getOperationAST(document)!);
    for (let use = 0; use < 3; use++) compiled.coerce({ must: {} });
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(given, (variables) => {
        const reference = new Variables(schema, getOperationAST(document)!).coerce(variables);
        const read = compiled.coerce(variables);
        assert.deepEqual(read.errors?.map(({ message }) => message), reference.errors?.map(({ message }) => message));
        assert.deepEqual(plain(read.coerced), plain(reference.coerced));
        seen[read.errors ? 'refused' : 'taken']++;
      }),
      { numRuns: 2_000 },
    );
    assert.ok(seen.taken > 200 && seen.refused > 200, JSON.stringify(seen));
  });
});
