import {
  getIntrospectionQuery, isAbstractType, isEnumType, isInputObjectType, isInterfaceType, isObjectType, Kind, parse, type FieldNode, type FragmentDefinitionNode, type GraphQLSchema, type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** What the whole description of the schema costs, as tools ask for it; what asks for less, or for more, costs so much less or more. */
export const INTROSPECTION_COST = 1_000;
const LEAST = 10;
const WHOLE = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true });

/** Lists whose items belong to one owner alone: under all types there are so many of them together, and no more. */
const OWNED = new Set(['fields', 'inputFields', 'enumValues', 'args']);
/** Of types, about half are wrapped in another (`!`, `[]`), of those again half. */
const WRAPPED = 0.5;

/** How many items a list of introspection has: of a type or field on average, and of the largest. */
interface Sizes {
  mean: Readonly<Record<string, number>>;
  most: Readonly<Record<string, number>>;
  /** Values in the answer to WHOLE. */
  whole: number;
}

const known = new WeakMap<GraphQLSchema, Sizes>();

/**
 * What `__schema` and `__type` cost: in proportion to how many values the answer has, since all of them are made in one go, however they are asked for (by aliases, by fragments, in circles as
 * deep as the specification's own rule lets). Linear in the document's size.
 */
export class IntrospectionCost {
  readonly #sizes: Sizes;
  /** By fragment, and whether it stands under all types. */
  readonly #counted = new Map<string, number>();
  steps = 0;

  constructor(
    schema: GraphQLSchema,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ) {
    this.#sizes = sizesOf(schema);
  }

  of(node: FieldNode): number {
    return Math.max(LEAST, Math.ceil((INTROSPECTION_COST * this.values(node, false)) / this.#sizes.whole));
  }

  /** `ofAll`: it is asked of every type (or of all that belongs to them), each once. */
  values({ name: { value: name }, selectionSet }: FieldNode, ofAll: boolean): number {
    this.steps++;
    const size = (ofAll ? this.#sizes.mean : this.#sizes.most)[name] ?? 1;
    return size * (1 + (selectionSet ? this.#selections(selectionSet, name === 'types' || (ofAll && OWNED.has(name))) : 0));
  }

  #selections({ selections }: SelectionSetNode, ofAll: boolean): number {
    let total = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) total += this.values(selection, ofAll);
      else if (selection.kind === Kind.INLINE_FRAGMENT) total += this.#selections(selection.selectionSet, ofAll);
      else total += this.#fragment(selection.name.value, ofAll);
    }
    return total;
  }

  #fragment(name: string, ofAll: boolean): number {
    const key = `${name} ${ofAll}`;
    let count = this.#counted.get(key);
    if (count === undefined) {
      this.#counted.set(key, 0); // a cycle is another rule's finding
      const fragment = this.fragments.get(name);
      this.#counted.set(key, (count = fragment ? this.#selections(fragment.selectionSet, ofAll) : 0));
    }
    return count;
  }
}

function sizesOf(schema: GraphQLSchema): Sizes {
  let sizes = known.get(schema);
  if (!sizes) {
    known.set(schema, (sizes = measure(schema)));
    const { definitions } = parse(WHOLE);
    const fragments = new Map(definitions.flatMap((definition) => (definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [])));
    const operation = definitions.find((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION)!;
    sizes.whole = new IntrospectionCost(schema, fragments).values(operation.selectionSet.selections[0] as FieldNode, false);
  }
  return sizes;
}

function measure(schema: GraphQLSchema): Sizes {
  const types = Object.values(schema.getTypeMap());
  const fields = types.flatMap((type) => (isObjectType(type) || isInterfaceType(type) ? [Object.values(type.getFields())] : []));
  const counts: Readonly<Record<string, { owners: number; of: number[] }>> = {
    fields: { owners: types.length, of: fields.map(({ length }) => length) },
    args: { owners: fields.flat().length, of: [...fields.flat(), ...schema.getDirectives()].map(({ args }) => args.length) },
    inputFields: { owners: types.length, of: types.flatMap((type) => (isInputObjectType(type) ? [Object.keys(type.getFields()).length] : [])) },
    enumValues: { owners: types.length, of: types.flatMap((type) => (isEnumType(type) ? [type.getValues().length] : [])) },
    interfaces: { owners: types.length, of: types.flatMap((type) => (isObjectType(type) || isInterfaceType(type) ? [type.getInterfaces().length] : [])) },
    possibleTypes: { owners: types.length, of: types.flatMap((type) => (isAbstractType(type) ? [schema.getPossibleTypes(type).length] : [])) },
  };
  const same = { types: types.length, directives: schema.getDirectives().length, locations: 20, ofType: WRAPPED };
  const each = (count: (one: { owners: number; of: number[] }) => number) => ({ ...Object.fromEntries(Object.entries(counts).map(([name, one]) => [name, count(one)])), ...same });
  return { mean: each(({ owners, of }) => of.reduce((sum, one) => sum + one, 0) / owners), most: each(({ of }) => Math.max(1, ...of)), whole: 1 };
}
