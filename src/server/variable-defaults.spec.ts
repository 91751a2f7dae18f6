import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { buildSchema, getNamedType, isInputObjectType, type GraphQLInputObjectType } from 'graphql';
import { Engine, type Prepared } from './engine.js';

const SDL = `
  enum Colour { RED GREEN }
  input Inner { colour: Colour! = GREEN, note: String = "none", deepest: Deepest }
  input Deepest { marks: [Int!]! = [1, 2] }
  input Outer { flag: Boolean! = false, inner: Inner, many: [Inner!] = [{ note: "given" }] }
  type Query { show(outer: Outer, size: Int! = 7): String }
`;

describe('defaults of variables', () => {
  const schema = buildSchema(SDL);
  schema.getQueryType()!.getFields()['show']!.resolve = (_root, args) => JSON.stringify(args);
  const engine = () => new Engine(schema, { marked: schema, rules: [], maxTokens: 1_000, suggest: true });

  /** The answer of the first, interpreted, run and of a later, compiled one. */
  async function bothWays(query: string, variables: Record<string, unknown>): Promise<unknown[]> {
    const prepared = engine().prepare({ query }) as Prepared;
    const coerced = Array.from({ length: 4 }, () => JSON.stringify(prepared.coerce(variables).coerced));
    assert.equal(coerced[3], coerced[0]);
    const answers = [];
    for (let run = 0; run < 4; run++) answers.push(await prepared.execute({}, {}, variables));
    return [answers[0], answers[3]].map((answer) => (answer!.data ? JSON.parse(answer!.data['show'] as string) : answer));
  }

  const CASES: [string, Record<string, unknown>][] = [
    ['query ($outer: Outer) { show(outer: $outer) }', { outer: {} }],
    ['query ($outer: Outer) { show(outer: $outer) }', { outer: { flag: true, inner: { deepest: {} } } }],
    ['query ($outer: Outer) { show(outer: $outer) }', { outer: { many: { note: 'one' } } }],
    ['query ($outer: Outer) { show(outer: $outer) }', { outer: null }],
    ['query ($outer: Outer) { show(outer: $outer) }', {}],
    ['{ show(outer: {}) }', {}],
    ['{ show(outer: { inner: { deepest: {} }, many: [{}] }) }', {}],
    ['query ($inner: Inner) { show(outer: { inner: $inner }) }', { inner: {} }],
    ['query ($flag: Boolean!) { show(outer: { flag: true, inner: { note: "x" }, many: [] }) @include(if: $flag) }', { flag: true }],
    ['query ($note: String) { show(outer: { inner: { note: $note } }) }', {}],
    ['query ($note: String) { show(outer: { inner: { note: $note } }) }', { note: 'given' }],
    ['query ($size: Int) { show(size: $size) }', {}],
    ['query ($flag: Boolean) { show(outer: { flag: $flag }) }', {}],
    ['query ($size: Int! = 3) { show(size: $size) }', {}],
    ['query ($size: Int = 3, $outer: Outer! = { inner: {} }) { show(size: $size, outer: $outer) }', {}],
  ];
  for (const [query, variables] of CASES) {
    it(`${query} with ${JSON.stringify(variables)}: compiled as interpreted`, async () => {
      const [interpreted, compiled] = await bothWays(query, variables);
      assert.ok(!('errors' in (interpreted as object)), JSON.stringify(interpreted));
      assert.deepEqual(compiled, interpreted);
    });
  }

  it('no input of the API holds its own kind: the compiler would never end', () => {
    const inputs = Object.values(buildSchema(readFileSync('schema.graphql', 'utf8')).getTypeMap()).filter(isInputObjectType);
    assert.ok(inputs.length > 0);
    const within = (type: GraphQLInputObjectType): GraphQLInputObjectType[] => Object.values(type.getFields()).map((field) => getNamedType(field.type)).filter(isInputObjectType);
    const visit = (type: GraphQLInputObjectType, path: GraphQLInputObjectType[]): void => {
      assert.ok(!path.includes(type), `${[...path, type].map((one) => one.name).join(' → ')} goes round in a circle`);
      for (const inner of within(type)) visit(inner, [...path, type]);
    };
    for (const type of inputs) visit(type, []);
  });
});
