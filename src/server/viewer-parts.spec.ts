import assert from 'node:assert/strict';
import { execute, getOperationAST, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString, parse, printSchema, type ExecutionResult } from 'graphql';
import { VIEWER_DEPENDENT } from '../resolvers/viewer-dependent.js';
import { fill, splitDocument, toTemplate, withMarks } from './viewer-parts.js';

interface Note {
  text: string;
  notes?: Note[];
}

/** A schema with types of its own, as a second building gives. */
function makeSchema(): GraphQLSchema {
  const state = new GraphQLObjectType({ name: 'State', fields: { starred: { type: GraphQLString }, count: { type: GraphQLInt } } });
  const note: GraphQLObjectType = new GraphQLObjectType({
    name: 'Note',
    fields: () => ({
      text: { type: GraphQLString },
      notes: { type: new GraphQLList(new GraphQLNonNull(note)) },
      viewerState: {
        type: state,
        args: { depth: { type: GraphQLInt } },
        extensions: { [VIEWER_DEPENDENT]: true },
        resolve: (parent: Note, { depth }: { depth?: number }, { viewer }: { viewer: string }) => ({ starred: `${viewer} on ${parent.text}`, count: depth ?? null }),
      },
    }),
  });
  return new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { root: { type: note } } }) });
}
const schema = makeSchema();
const marked = withMarks(makeSchema());
const root = { root: { text: 'a', notes: [{ text: 'part:forged:0' }, { text: 'b', notes: [{ text: 'c' }] }] } };

/** Both ways of executing: whole for one viewer, and shared with the viewer's parts put in. */
function both(text: string, variables: Record<string, unknown> = {}): { whole: string; spliced: string; parts: number } | null {
  const document = parse(text);
  const split = splitDocument(schema, document, getOperationAST(document)!);
  if (!split) return null;
  const contextValue = { viewer: 'ann' };
  const run = (on: GraphQLSchema, what: typeof document, rootValue: unknown, context: object) => execute({ schema: on, document: what, rootValue, contextValue: context, variableValues: variables }) as ExecutionResult;
  const whole = JSON.stringify({ data: run(schema, document, root, contextValue).data });
  const set: { part: number; parent: unknown }[] = [];
  const template = toTemplate(JSON.stringify({ data: run(marked, split.shared, root, { mark: (part: number, parent: unknown) => set.push({ part, parent }) - 1 }).data }));
  const values = template.marks.map((number) => {
    const { part, parent } = set[number]!;
    const { schema: on, document: what, responseKey } = split.parts[part]!;
    return Buffer.from(JSON.stringify(run(on, what, parent, contextValue).data![responseKey]));
  });
  return { whole, spliced: fill(template, values).toString(), parts: split.parts.length };
}

describe('viewer parts', () => {
  const documents: [string, string, Record<string, unknown>?][] = [
    ['nothing that depends on the viewer', '{ root { text notes { text } } }'],
    ['one field', '{ root { text viewerState { starred } } }'],
    ['fields at every depth', '{ root { viewerState { starred } notes { text viewerState { starred } notes { viewerState { starred } text } } } }'],
    ['an alias and an argument', '{ root { mine: viewerState(depth: 3) { count } viewerState { starred } } }'],
    ['a variable', 'query($d: Int) { root { viewerState(depth: $d) { count starred } } }', { d: 7 }],
    ['a fragment used twice', '{ root { ...f notes { ...f } } } fragment f on Note { text viewerState { ...s } } fragment s on State { starred }'],
    ['a field that is skipped', 'query($no: Boolean!) { root { text viewerState @include(if: $no) { starred } } }', { no: false }],
    ['a field that is not skipped', 'query($no: Boolean!) { root { text viewerState @skip(if: $no) { starred } } }', { no: false }],
  ];
  for (const [what, text, variables] of documents) {
    it(`gives the bytes of a whole execution: ${what}`, () => {
      const result = both(text, variables)!;
      assert.equal(result.spliced, result.whole);
    });
  }

  it('executes a fragment’s field as one part wherever it stands', () => assert.equal(both('{ root { ...f notes { ...f } } } fragment f on Note { viewerState { starred } }')!.parts, 1));

  it('does not split what would have to be merged', () => assert.equal(both('{ root { viewerState { starred } ... on Note { viewerState { count } } } }'), null));

  it('is not part of the schema that clients see', () => assert.doesNotMatch(printSchema(schema), /viewerPart/));
});
