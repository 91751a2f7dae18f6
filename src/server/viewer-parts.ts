import { randomBytes } from 'node:crypto';
import {
  GraphQLInt,
  GraphQLNonNull,
  GraphQLSchema,
  GraphQLString,
  isObjectType,
  Kind,
  OperationTypeNode,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type OperationDefinitionNode,
} from 'graphql';
import { VIEWER_DEPENDENT } from '../resolvers/viewer-dependent.js';

/**
 * A document whose every field but a few is the same for all viewers is executed in two steps: once for all, with a mark
 * where each viewer-dependent field would stand; then, for each viewer, those fields alone, written into the shared bytes.
 */
export interface SplitDocument {
  /** For execution against `withMarks(schema)`. */
  shared: DocumentNode;
  parts: Part[];
}

/** A viewer-dependent field as an operation of its own, whose root is the object that it stands in. */
export interface Part {
  /** A schema whose query type is the type of that object. */
  schema: GraphQLSchema;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  responseKey: string;
}

/** What a shared execution notes of the marks that it sets. */
export interface MarkKeeper {
  /** Returns the number of the mark. */
  mark(part: number, parent: unknown): number;
}

const MARK_FIELD = 'viewerPart';
/** Unguessable, so that nobody's text can be taken for a mark. */
const NONCE = `part:${randomBytes(18).toString('base64url')}:`;
const MARK = new RegExp(`"${NONCE}(\\d+)"`);

/** Adds to each type that has a viewer-dependent field one that sets a mark. Changes the schema: give it one of its own, that is never printed. */
export function withMarks(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const fields = type.getFields();
    if (Object.values(fields).some((field) => field.extensions[VIEWER_DEPENDENT])) fields[MARK_FIELD] = markField;
  }
  return schema;
}

const markField: GraphQLField<unknown, MarkKeeper> = {
  name: MARK_FIELD,
  description: undefined,
  type: new GraphQLNonNull(GraphQLString),
  args: [{ name: 'part', type: new GraphQLNonNull(GraphQLInt), description: undefined, defaultValue: undefined, deprecationReason: undefined, extensions: {}, astNode: undefined }],
  resolve: (parent, args, keeper) => `${NONCE}${keeper.mark((args as { part: number }).part, parent)}`,
  subscribe: undefined,
  deprecationReason: undefined,
  extensions: {},
  astNode: undefined,
};

/**
 * Splits a document; null when it can't be: one response key of one type stands for different fields, so that merging
 * them (GraphQL § 5.3.2) would need both.
 */
export function splitDocument(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): SplitDocument | null {
  const types = new TypeInfo(schema);
  const numbers = new Map<string, { text: string; part: number }>();
  const parts: Part[] = [];
  let mergeable = true;
  const shared = visit(
    document,
    visitWithTypeInfo(types, {
      Field(node) {
        if (types.getFieldDef()?.extensions[VIEWER_DEPENDENT] !== true) return undefined;
        const type = types.getParentType() as GraphQLObjectType;
        const responseKey = (node.alias ?? node.name).value;
        const field: FieldNode = { ...node, directives: [] };
        const slot = `${type.name}.${responseKey}`;
        const text = print(field);
        let known = numbers.get(slot);
        if (!known) {
          numbers.set(slot, (known = { text, part: parts.length }));
          parts.push({ schema: schemaOf(schema, type), ...partDocument(document, operation, field), responseKey });
        } else if (known.text !== text) {
          mergeable = false;
        }
        return markNode(node, responseKey, known.part);
      },
    }),
  );
  return mergeable ? { shared, parts } : null;
}

/** Directives stay at the mark: a field that is skipped has none. */
function markNode(node: FieldNode, responseKey: string, part: number): FieldNode {
  return {
    kind: Kind.FIELD,
    alias: { kind: Kind.NAME, value: responseKey },
    name: { kind: Kind.NAME, value: MARK_FIELD },
    arguments: [{ kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: 'part' }, value: { kind: Kind.INT, value: String(part) } }],
    directives: node.directives ?? [],
  };
}

function partDocument(document: DocumentNode, { variableDefinitions }: OperationDefinitionNode, field: FieldNode): Pick<Part, 'document' | 'operation'> {
  const operation: OperationDefinitionNode = {
    kind: Kind.OPERATION_DEFINITION,
    operation: OperationTypeNode.QUERY,
    ...(variableDefinitions ? { variableDefinitions } : {}),
    selectionSet: { kind: Kind.SELECTION_SET, selections: [field] },
  };
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return { operation, document: { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] } };
}

const schemas = new WeakMap<GraphQLObjectType, GraphQLSchema>();
function schemaOf(schema: GraphQLSchema, type: GraphQLObjectType): GraphQLSchema {
  let made = schemas.get(type);
  // Every type is named, so that a fragment on an interface finds its implementations.
  if (!made) schemas.set(type, (made = new GraphQLSchema({ query: type, types: Object.values(schema.getTypeMap()).filter((other) => !other.name.startsWith('__')), assumeValid: true })));
  return made;
}

/** Serialised bytes with gaps: between two segments belongs the value of one mark. */
export interface Template {
  segments: Buffer[];
  /** Numbers of marks, one fewer than segments. */
  marks: number[];
}

/** Cuts a serialised result at its marks. */
export function toTemplate(json: string): Template {
  const pieces = json.split(MARK); // text, number, text, number, … text
  return {
    segments: pieces.filter((_, index) => index % 2 === 0).map((text) => Buffer.from(text)),
    marks: pieces.filter((_, index) => index % 2 === 1).map(Number),
  };
}

/** The bytes with a value in each gap, in the order of `marks`. */
export function fill({ segments }: Template, values: readonly Buffer[]): Buffer {
  return Buffer.concat(segments.flatMap((segment, index) => (index < values.length ? [segment, values[index]!] : [segment])));
}
