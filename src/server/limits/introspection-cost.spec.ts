import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { buildSchema, getIntrospectionQuery, getOperationAST, graphqlSync, parse, validate } from 'graphql';
import { countCost } from './cost.js';
import { INTROSPECTION_COST } from './introspection-cost.js';

describe('the cost of introspection', () => {
  const schema = buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'), { noLocation: true });
  const cost = (text: string): number => {
    const document = parse(text);
    return countCost(schema, document, getOperationAST(document)!, {}).cost;
  };
  const many = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, index) => text(index)).join(' ');
  const valuesIn = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.values(value).reduce<number>((sum, one) => sum + valuesIn(one), 1) : 1);
  const valuesOf = (source: string): number => {
    const { data, errors } = graphqlSync({ schema, source });
    assert.equal(errors, undefined);
    return valuesIn(data);
  };
  const WHOLE = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true });

  it('is a fixed price for all that tools ask for, in whatever detail', () => {
    assert.equal(cost(WHOLE), INTROSPECTION_COST);
    assert.ok(cost(getIntrospectionQuery()) > INTROSPECTION_COST / 2 && cost(getIntrospectionQuery()) <= INTROSPECTION_COST);
  });

  it('is little for little', () => {
    assert.ok(cost('{ __type(name: "User") { name fields { name type { name } } } }') < 25);
    assert.equal(cost('{ __schema { queryType { name } } }'), 10);
  });

  it('is more for all that is asked for again: by aliases, by fragments, beside each other', () => {
    const one = cost('{ __schema { types { fields { name type { name } } } } }');
    const again = cost(`{ __schema { types { ${many(7, (index) => `f${index}: fields { name type { name } }`)} } } }`);
    assert.ok(again > 6 * one && again <= 7 * one, `${again} for ${one}`);
    assert.equal(cost(`{ ${many(7, (index) => `s${index}: __schema { types { fields { name type { name } } } }`)} }`), 7 * one);
    const bomb = `{ __schema { types { ...F } } } fragment F on __Type { ${many(400, (index) => `f${index}: fields { type { ...G } }`)} } fragment G on __Type { ${many(900, (index) => `g${index}: fields { name }`)} }`;
    assert.ok(validate(schema, parse(bomb)).length === 0, 'nothing else refuses it');
    assert.ok(cost(bomb) > 100_000_000, `${cost(bomb)}`);
  });

  it('pays for the answer: none is much larger than what it costs, beside the whole', () => {
    const whole = valuesOf(WHOLE);
    for (const text of [
      '{ __schema { types { fields { args { name type { name } } type { fields { name } } } } } }',
      '{ __schema { types { possibleTypes { fields { name } } interfaces { fields { name } } } } }',
      `{ __schema { types { fields { ${many(50, (index) => `n${index}: name`)} } } } }`,
      `{ __schema { mutationType { ${many(50, (index) => `f${index}: fields { name args { name } }`)} } } }`,
      '{ __schema { queryType { fields { type { fields { type { name } } } } } } }',
      '{ __schema { types { fields { type { ofType { ofType { ofType { name fields { name } } } } } } } } }',
      `{ ${many(20, (index) => `t${index}: __type(name: "Mutation") { fields { name type { name kind } } }`)} }`,
      '{ __schema { types { enumValues(includeDeprecated: true) { name description } inputFields { name type { enumValues { name } } } } } }',
    ]) {
      const [paid, made] = [cost(text) / INTROSPECTION_COST, valuesOf(text) / whole];
      assert.ok(made <= paid, `${text.slice(0, 100)}: ${made} of the whole for ${paid} of its price`);
    }
  });
});
