import {
  astFromValue,
  getNullableType,
  isInputObjectType,
  isListType,
  Kind,
  typeFromAST,
  TypeInfo,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

type Fill = (value: unknown) => unknown;
export type FillVariables = (variables: Record<string, unknown>) => Record<string, unknown>;

/**
 * What puts the defaults of input fields and of variables that must not be null into variables as a client gave them. The
 * compiler of documents leaves both out and refuses what it takes for missing. Null where an operation has no such defaults.
 */
export function fillerOf(schema: GraphQLSchema, operation: OperationDefinitionNode): FillVariables | null {
  const known = new Map<GraphQLInputType, Fill | null>();
  const wanted = (operation.variableDefinitions ?? []).flatMap(({ variable, type, defaultValue }) => {
    const fill = fillOf(typeFromAST(schema, type as never) as GraphQLInputType, known);
    return fill || defaultValue ? [{ name: variable.name.value, fill, fallback: defaultValue && valueFromASTUntyped(defaultValue) }] : [];
  });
  if (!wanted.length) return null;
  return (variables) => {
    const filled = { ...variables };
    for (const { name, fill, fallback } of wanted) {
      if (filled[name] === undefined && fallback !== undefined) filled[name] = fallback;
      if (fill && filled[name] != null) filled[name] = fill(filled[name]);
    }
    return filled;
  };
}

/**
 * Whether a variable that may be left out stands within an input, for a field that has a default then. What graphql-jit makes of such
 * a document takes null for it; no filling of variables can mend that, since the default is the place's.
 */
export function hasOptionalPlaces(schema: GraphQLSchema, document: DocumentNode, { variableDefinitions }: OperationDefinitionNode): boolean {
  const optional = new Set((variableDefinitions ?? []).filter(({ type, defaultValue }) => type.kind !== Kind.NON_NULL_TYPE && !defaultValue).map(({ variable }) => variable.name.value));
  const types = new TypeInfo(schema);
  let found = false;
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      ObjectField({ value }) {
        found ||= value.kind === Kind.VARIABLE && optional.has(value.name.value) && types.getDefaultValue() !== undefined;
      },
    }),
  );
  return found;
}

function fillOf(given: GraphQLInputType, known: Map<GraphQLInputType, Fill | null>): Fill | null {
  const type = getNullableType(given);
  if (isListType(type)) {
    const item = fillOf(type.ofType, known);
    return item && ((value) => (Array.isArray(value) ? value.map((one: unknown) => (one == null ? one : item(one))) : item(value)));
  }
  if (!isInputObjectType(type)) return null;
  const seen = known.get(type);
  if (seen !== undefined) return seen;
  const fields: { name: string; fill: Fill | null; fallback: unknown }[] = [];
  // Known before its fields are looked at: an input may hold its own kind.
  const fill: Fill = (value) => {
    if (typeof value !== 'object') return value;
    const filled: Record<string, unknown> = { ...value };
    for (const { name, fill: inner, fallback } of fields) {
      if (filled[name] === undefined && fallback !== undefined) filled[name] = fallback;
      if (inner && filled[name] != null) filled[name] = inner(filled[name]);
    }
    return filled;
  };
  known.set(type, fill);
  for (const field of Object.values(type.getFields())) {
    const literal = field.defaultValue === undefined ? null : astFromValue(field.defaultValue, field.type);
    const inner = fillOf(field.type, known);
    if (literal || inner) fields.push({ name: field.name, fill: inner, fallback: literal ? valueFromASTUntyped(literal) : undefined });
  }
  if (!fields.length) known.set(type, null);
  return fields.length ? fill : null;
}
