import {
  getOperationAST,
  GraphQLError,
  Kind,
  parse,
  print,
  specifiedRules,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type OperationTypeNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { VIEWER_DEPENDENT } from '../resolvers/viewer-dependent.js';
import { Executable } from './executable.js';
import { Variables, type Coerced } from './variables.js';
import { splitDocument } from './viewer-parts.js';

export interface Request {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

/** An operation that has been parsed and validated, and may be executed any number of times. */
export interface Prepared {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly kind: OperationTypeNode;
  /** The document's normalised text: two documents that differ by white space alone are one. */
  readonly text: string;
  /** Of a subscription: its one root field. */
  readonly rootField: string | null;
  readonly rootNode: FieldNode | null;
  /** Whether it selects anything that depends on who asks. */
  readonly viewerDependent: boolean;
  /** Variables that nothing uses but where the root field goes on: cursors, which don't tell subscriptions apart. */
  readonly cursorVariables: ReadonlySet<string>;
  /** The operation in two steps, for a subscription that depends on the viewer in parts; null for any other. */
  readonly split: SplitOperation | null;
  /** Checks variables against the operation. */
  coerce(variables: Record<string, unknown>): Coerced;
  execute(root: unknown, context: unknown, variables: Record<string, unknown>): ExecutionResult | Promise<ExecutionResult>;
}

/** See viewer-parts.ts. */
export interface SplitOperation {
  shared: Executable;
  parts: { executable: Executable; responseKey: string }[];
}

export interface EngineOptions {
  /** The schema once more, with marks: see viewer-parts.ts. */
  marked: GraphQLSchema;
  /** Rules beside those of the specification (depth, introspection). */
  rules: readonly ValidationRule[];
  maxTokens: number;
  /** Whether messages may name what the schema holds instead of what was misspelt. */
  suggest: boolean;
}

const KEPT_DOCUMENTS = 2_000;
/** Of all their texts together: a parsed document takes some tens of bytes a character. */
const KEPT_CHARACTERS = 2_000_000;
const MAX_DOCUMENT_BYTES = 100_000;

/** Parses, validates and compiles documents, once each. */
export class Engine {
  readonly #documents = new LRUCache<string, Prepared | readonly GraphQLError[]>({ max: KEPT_DOCUMENTS, maxSize: KEPT_CHARACTERS, sizeCalculation: (_prepared, key) => key.length });

  constructor(
    readonly schema: GraphQLSchema,
    private readonly options: EngineOptions,
  ) {}

  /** The operation, or the errors that keep it from being one. */
  prepare({ query, operationName }: Pick<Request, 'query' | 'operationName'>): Prepared | readonly GraphQLError[] {
    if (query.length > MAX_DOCUMENT_BYTES) return [coded(new GraphQLError('The document is too long.'), 'BAD_REQUEST')];
    const key = keyOf(query, operationName);
    const known = this.#documents.get(key);
    if (known) return known;
    const prepared = this.#prepareShallow(query, operationName ?? null);
    this.#documents.set(key, prepared);
    return prepared;
  }

  /** Whether it was prepared before: else it is parsed and validated, which takes up to some tenths of a second. */
  knows({ query, operationName }: Pick<Request, 'query' | 'operationName'>): boolean {
    return query.length > MAX_DOCUMENT_BYTES || this.#documents.has(keyOf(query, operationName));
  }

  /** Parsing and validating call themselves for each level: what is nested without end overflows the stack. */
  #prepareShallow(query: string, operationName: string | null): Prepared | readonly GraphQLError[] {
    try {
      return this.#prepare(query, operationName);
    } catch (error) {
      if (error instanceof RangeError) return [coded(new GraphQLError('The document is nested too deeply.'), 'QUERY_TOO_DEEP')];
      throw error;
    }
  }

  #prepare(query: string, operationName: string | null): Prepared | readonly GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: this.options.maxTokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return [coded(error, 'GRAPHQL_PARSE_FAILED')];
    }
    const errors = validate(this.schema, document, [...specifiedRules, ...this.options.rules], { maxErrors: 20 });
    if (errors.length) return errors.map((error) => (error.extensions['code'] ? error : coded(this.options.suggest ? error : withoutSuggestions(error), 'GRAPHQL_VALIDATION_FAILED')));
    const operation = getOperationAST(document, operationName);
    if (!operation) return [coded(new GraphQLError(operationName ? `There is no operation named ${operationName}.` : 'Name the operation to run.'), 'BAD_REQUEST')];
    return new PreparedOperation(this.schema, this.options.marked, document, operation);
  }
}

/** With the length of the name before both, no text of one request is the name and text of another. */
const keyOf = (query: string, operationName: string | null | undefined): string => `${operationName?.length ?? 0} ${operationName ?? ''}${query}`;

class PreparedOperation implements Prepared {
  readonly kind: OperationTypeNode;
  readonly text: string;
  readonly rootField: string | null;
  readonly rootNode: FieldNode | null;
  readonly viewerDependent: boolean;
  readonly cursorVariables: ReadonlySet<string>;
  readonly #executable: Executable;
  readonly #variables: Variables;
  #split: SplitOperation | null | undefined;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly marked: GraphQLSchema,
    readonly document: DocumentNode,
    readonly operation: OperationDefinitionNode,
  ) {
    this.kind = operation.operation;
    this.text = `${operation.name?.value ?? ''}\n${print(document)}`;
    this.rootNode = this.kind === 'subscription' ? firstField(document, operation.selectionSet) : null;
    this.rootField = this.rootNode?.name.value ?? null;
    this.viewerDependent = dependsOnViewer(schema, document);
    this.cursorVariables = cursorVariables(document, this.rootNode);
    this.#executable = new Executable(schema, document, operation);
    this.#variables = new Variables(schema, operation);
  }

  get split(): SplitOperation | null {
    if (this.#split === undefined) this.#split = this.rootNode && this.viewerDependent ? this.#splitUp() : null;
    return this.#split;
  }

  coerce(variables: Record<string, unknown>): Coerced {
    return this.#variables.coerce(variables);
  }

  execute(root: unknown, context: unknown, variables: Record<string, unknown>): ExecutionResult | Promise<ExecutionResult> {
    return this.#executable.execute(root, context, variables);
  }

  #splitUp(): SplitOperation | null {
    const split = splitDocument(this.schema, this.document, this.operation);
    return (
      split && {
        shared: new Executable(this.marked, split.shared, this.operation),
        parts: split.parts.map(({ schema, document, operation, responseKey }) => ({ executable: new Executable(schema, document, operation), responseKey })),
      }
    );
  }
}

function dependsOnViewer(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let found = false;
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        found ||= types.getFieldDef()?.extensions[VIEWER_DEPENDENT] === true;
      },
    }),
  );
  return found;
}

/** The first field of a selection, which may stand in a fragment. */
function firstField(document: DocumentNode, { selections: [first] }: SelectionSetNode): FieldNode | null {
  if (!first || first.kind === Kind.FIELD) return first ?? null;
  if (first.kind === Kind.INLINE_FRAGMENT) return firstField(document, first.selectionSet);
  const fragment = document.definitions.find((definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === first.name.value);
  return fragment?.kind === Kind.FRAGMENT_DEFINITION ? firstField(document, fragment.selectionSet) : null;
}

/** Arguments that say where a subscription goes on, for which client, and of which things it hears: they change nothing of what an event looks like. */
const RESUMING = new Set(['after', 'stateVector', 'clientId', 'productIds']);

function cursorVariables(document: DocumentNode, root: FieldNode | null): ReadonlySet<string> {
  if (!root) return new Set();
  const found = new Set<string>();
  for (const { name, value } of root.arguments ?? []) if (RESUMING.has(name.value)) visit(value, { Variable: (node) => void found.add(node.name.value) });
  const uses = new Map<string, number>();
  visit(document, { VariableDefinition: () => false, Variable: (node) => void uses.set(node.name.value, (uses.get(node.name.value) ?? 0) + 1) });
  return new Set([...found].filter((name) => uses.get(name) === 1));
}

function withoutSuggestions(error: GraphQLError): GraphQLError {
  const { message } = error;
  const at = message.endsWith('?') ? message.indexOf(' Did you mean ') : -1;
  return new GraphQLError(at < 0 ? message : message.slice(0, at), { nodes: error.nodes });
}

/** The error with a code in its extensions. */
export function coded(error: GraphQLError, code: string, extensions: object = {}): GraphQLError {
  return new GraphQLError(error.message, { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path, originalError: error.originalError, extensions: { ...error.extensions, ...extensions, code } });
}
