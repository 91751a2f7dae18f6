import assert from 'node:assert/strict';
import { Kind, parse, type FieldNode, type FragmentDefinitionNode } from 'graphql';
import { askedAt } from './asked.js';

function asked(text: string, path: string): string[] {
  const { definitions } = parse(text);
  const [operation] = definitions;
  assert.ok(operation?.kind === Kind.OPERATION_DEFINITION);
  const fragments = Object.fromEntries(definitions.flatMap((definition) => (definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : []))) as Record<string, FragmentDefinitionNode>;
  const info = { fieldNodes: operation.selectionSet.selections as FieldNode[], fragments };
  const first = [...askedAt(info, path)].sort();
  assert.deepEqual([...askedAt(info, path)].sort(), first, 'the same when it is asked again');
  return first;
}

describe('what a document asks for below a field', () => {
  const cases: [string, string, string, string[]][] = [
    ['plain fields', '{ messages { edges { node { id text } } } }', 'edges.node', ['id', 'text']],
    ['fields by their names, whatever their aliases', '{ messages { page: edges { it: node { key: id } } } }', 'edges.node', ['id']],
    ['fragments, named and inline', '{ messages { edges { ...e } } } fragment e on Edge { node { ... on Message { id } ...m } } fragment m on Message { text }', 'edges.node', ['id', 'text']],
    ['what conditions may leave out', '{ messages { edges { node { id text @skip(if: true) } } } }', 'edges.node', ['id', 'text']],
    ['a field that stands there twice', '{ messages { edges { node { id } } } messages { edges { node { seq } } } }', 'edges.node', ['id', 'seq']],
    ['nothing where the path is not asked for', '{ messages { pageInfo { hasNextPage } } }', 'edges.node', []],
  ];
  for (const [what, text, path, names] of cases) it(what, () => assert.deepEqual(asked(text, path), names));
});
