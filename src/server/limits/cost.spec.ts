import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { countCost } from './cost.js';

const schema = buildSchema(/* GraphQL */ `
  type Query {
    thing: Thing
    things: [Thing!]!
    page(first: Int, last: Int): ThingConnection!
    sized(first: Int): [Thing!]!
    either: Either
  }
  type Thing {
    id: ID!
    thing: Thing
    things: [Thing!]
    page(first: Int, last: Int): ThingConnection!
    sized(first: Int): [Thing!]!
    either: Either
  }
  type Other {
    id: ID!
    thing: Thing
  }
  union Either = Thing | Other
  type ThingConnection {
    edges: [ThingEdge!]!
    nodes: [Thing!]!
    total: Int!
  }
  type ThingEdge {
    cursor: String!
    node: Thing!
  }
`);

function count(text: string, variables: Record<string, unknown> = {}, operationName?: string) {
  const document = parse(text);
  return countCost(schema, document, getOperationAST(document, operationName)!, variables);
}
const cost = (text: string, variables?: Record<string, unknown>) => count(text, variables).cost;

describe('the cost of an operation', () => {
  it('is one for each field that is no scalar', () => {
    assert.equal(cost('{ __typename }'), 0);
    assert.equal(cost('{ thing { id } }'), 1);
    assert.equal(cost('{ thing { thing { id } either { ... on Other { id thing { id } } } } }'), 4);
  });

  it('multiplies by the size of lists: first or last, else 20', () => {
    assert.equal(cost('{ things { thing { id } } }'), 1 + 20);
    assert.equal(cost('{ sized(first: 3) { thing { id } } }'), 1 + 3);
    assert.equal(cost('{ page(first: 50) { edges { node { thing { id } } } total } }'), 1 + 1 + 50 * 2);
    assert.equal(cost('{ page(last: 2) { nodes { thing { id } } edges { cursor } } }'), 1 + 1 + 2 + 1);
    assert.equal(cost('{ page { edges { node { page(first: 5) { nodes { thing { id } } } } } } }'), 2 + 20 * (1 + 1 + 1 + 5));
  });

  it('takes sizes from variables, and says that it did', () => {
    const text = 'query($n: Int) { page(first: $n) { nodes { thing { id } } } }';
    assert.deepEqual([count(text, { n: 7 }).cost, count(text, { n: 7 }).byVariables], [9, true]);
    assert.equal(cost(text), 2 + 20);
    assert.equal(count('{ page(first: 7) { nodes { thing { id } } } }').byVariables, false);
  });

  it('counts a size that no page may have as the largest, and none below nothing', () => {
    assert.equal(cost('{ sized(first: 2000000000) { thing { id } } }'), 101);
    assert.equal(cost('{ sized(first: -5) { thing { id } } }'), 1);
    assert.equal(cost('{ sized(first: 0) { thing { id } } }'), 1);
  });

  it('counts aliases and repeats each time', () => {
    assert.equal(cost(`{ ${[...Array(30).keys()].map((index) => `a${index}: thing { id }`).join(' ')} }`), 30);
    assert.equal(cost('{ ...F ...F } fragment F on Query { thing { id } }'), 2);
  });

  it('counts the dearest of the types that a value may be of', () => {
    assert.equal(cost('{ either { ... on Thing { things { thing { id } } } ... on Other { thing { id } } ... on Other { thing { id } } } }'), 1 + 1 + 20);
    assert.equal(cost('{ either { ... on Thing { thing { id } } ...O ...E } } fragment O on Other { a: thing { id } b: thing { id } } fragment E on Either { ... on Thing { thing { id } } }'), 1 + 2 + 1);
  });

  it('counts a scalar each time that it is asked for under another name', () => {
    assert.equal(cost('{ things { id __typename } }'), 1);
    assert.equal(cost('{ things { a: id b: id c: __typename id } }'), 1 + 20 * 3);
    assert.equal(cost('{ page(first: 50) { nodes { ...F ...G } } } fragment F on Thing { f: id } fragment G on Thing { g: id }'), 2 + 50 * 2);
  });

  it('looks at each fragment once for each size that it stands under, however often it is spread', () => {
    const levels = 40;
    const bomb = `{ thing { ...F0 } } ${[...Array(levels).keys()]
      .map((level) => `fragment F${level} on Thing { a: thing { ...F${level + 1} } b: thing { ...F${level + 1} } c: things { ...F${level + 1} } }`)
      .join(' ')} fragment F${levels} on Thing { id }`;
    const { cost: counted, steps } = count(bomb);
    assert.equal(counted, Number.MAX_SAFE_INTEGER);
    assert.ok(steps <= 7 * levels + 3, `${steps} steps`);
  });

  it('is what a naive count says, for any document', () => {
    fc.assert(
      fc.property(documents(), ({ text, expected, variables }) => {
        const document = parse(text);
        assert.deepEqual(validate(schema, document).filter(({ message }) => !/conflict|never used/.test(message)), []);
        assert.equal(countCost(schema, document, getOperationAST(document, null)!, variables).cost, expected, text);
      }),
      { numRuns: 300 },
    );
  });
});

interface Made {
  text: string;
  expected: number;
  variables: Record<string, unknown>;
}
/** What a selection reads, and what it costs in the plainest way: fragments are counted where they stand, each time. */
type Selection = { text: string; cost: (page: number | null) => number; branch?: string };

/** Random documents over the schema above, with a cost that is made together with the text. */
function documents(): fc.Arbitrary<Made> {
  return fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((seed) => {
    const random = mulberry(seed);
    const fragments: { type: string; name: string; selection: Selection }[] = [];
    const variables: Record<string, unknown> = {};
    let aliases = 0;
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;

    function size(): { text: string; value: number | null } {
      const value = Math.floor(random() * 130) - 10;
      const clamped = Math.min(100, Math.max(0, value));
      if (random() < 0.4) return { text: '', value: null };
      if (random() < 0.5) return { text: `(first: ${value})`, value: clamped };
      const name = `v${Object.keys(variables).length}`;
      variables[name] = value;
      return { text: `(first: $${name})`, value: clamped };
    }
    const field = (name: string, inner: Selection, costOf: (page: number | null) => number): Selection => ({ text: `a${aliases++}: ${name} { ${inner.text} }`, cost: costOf });

    function one(type: string, depth: number): Selection {
      if (random() < 0.2) {
        const known = fragments.filter((fragment) => fragment.type === type);
        const fragment = known.length && random() < 0.5 ? pick(known) : { type, name: `F${fragments.length}x${aliases++}`, selection: several(type, depth - 1) };
        if (!fragments.includes(fragment)) fragments.push(fragment);
        return { text: `...${fragment.name}`, cost: fragment.selection.cost };
      }
      if (random() < 0.15) {
        const inner = several(type, depth - 1);
        return { text: `... on ${type} { ${inner.text} }`, cost: inner.cost };
      }
      if (type === 'Either') {
        const member = pick(['Thing', 'Other']);
        const inner = several(member, depth - 1);
        return { text: `... on ${member} { ${inner.text} }`, cost: inner.cost, branch: member };
      }
      if (depth <= 0) return { text: '__typename', cost: () => 0 };
      if (type === 'ThingConnection') {
        const name = pick(['edges', 'nodes']);
        const inner = several(name === 'edges' ? 'ThingEdge' : 'Thing', depth - 1);
        return field(name, inner, (page) => 1 + (page ?? 20) * inner.cost(null));
      }
      if (type === 'ThingEdge') {
        const inner = several('Thing', depth - 1);
        return field('node', inner, () => 1 + inner.cost(null));
      }
      const name = type === 'Other' ? 'thing' : pick(['thing', 'things', 'page', 'sized', 'either']);
      const given = name === 'page' || name === 'sized' ? size() : { text: '', value: null };
      const inner = several(name === 'page' ? 'ThingConnection' : name === 'either' ? 'Either' : 'Thing', depth - 1);
      const items = name === 'things' || name === 'sized' ? (given.value ?? 20) : 1;
      return field(`${name}${given.text}`, inner, () => 1 + (name === 'page' ? inner.cost(given.value ?? 20) : items * inner.cost(null)));
    }
    function several(type: string, depth: number): Selection {
      const parts = [...Array(1 + Math.floor(random() * 3))].map(() => one(type, depth));
      const sum = (some: Selection[], page: number | null) => some.reduce((total, part) => total + part.cost(page), 0);
      const of = (branch?: string) => parts.filter((part) => part.branch === branch);
      return { text: parts.map((part) => part.text).join(' '), cost: (page) => sum(of(), page) + Math.max(sum(of('Thing'), page), sum(of('Other'), page)) };
    }

    const root = several('Query', 4);
    const declared = Object.keys(variables).map((name) => `$${name}: Int`);
    const text = `query ${declared.length ? `(${declared.join(', ')})` : ''} { ${root.text} } ${fragments.map(({ name, type, selection }) => `fragment ${name} on ${type} { ${selection.text} }`).join(' ')}`;
    return { text, expected: root.cost(null), variables };
  });
}

/** A small generator of numbers, so that a seed is all that a failing case needs. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
