import assert from 'node:assert/strict';
import { buildSchema, parse } from 'graphql';
import { hasSkippedTwins } from './skipped-twins.js';

const schema = buildSchema('interface Node { id: ID } type Query { a: A b: B any: Any node: Node } type A implements Node { id: ID x: Int y: Int a: A } type B { x: Int } union Any = A | B');

describe('fields that are skipped in one of two places', () => {
  const cases: [boolean, string][] = [
    [false, '{ a { x y x } }'],
    [false, 'query ($no: Boolean!) { a { x @include(if: $no) y } }'],
    [true, 'query ($no: Boolean!) { a { x @include(if: $no) y x } }'],
    [true, 'query ($no: Boolean!) { a { ... @skip(if: $no) { x } y x } }'],
    [true, 'query ($no: Boolean!) { a { ...f @skip(if: $no) y x } } fragment f on A { x }'],
    [true, 'query ($no: Boolean!) { a { ...f @skip(if: $no) y ...f } } fragment f on A { x }'],
    [true, 'query ($no: Boolean!) { a { ...g @skip(if: $no) y x } } fragment f on A { x } fragment g on A { ...f }'],
    [true, 'query ($no: Boolean!) { node { id @skip(if: $no) ... on A { x id } } }'],
    [true, 'query ($no: Boolean!) { a { z: x @skip(if: $no) y z: x } }'],
    [false, 'query ($no: Boolean!) { a { z: x @skip(if: $no) y x } }'],
    [false, 'query ($no: Boolean!) { any { ... on A { x @skip(if: $no) } ... on B { x } } }'],
    [false, 'query ($no: Boolean!) { a { ...f } any { ...f } b { x @skip(if: $no) } } fragment f on A { x }'],
  ];
  for (const [twins, text] of cases) it(`${twins ? 'are found' : 'are not'} in ${text}`, () => assert.equal(hasSkippedTwins(schema, parse(text)), twins));
});
