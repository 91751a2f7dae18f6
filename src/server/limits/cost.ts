import {
  getNamedType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { AT_MOST } from '../../resolvers/at-most.js';
import { IntrospectionCost } from './introspection-cost.js';

/** How many items a list counts for when nothing says otherwise, and the most that any page holds. */
export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

const PAGE_ARGUMENTS = ['first', 'last'];

export interface Counted {
  cost: number;
  /** Fields and fragments that were looked at: bounded by the document's size, however often it spreads a fragment. */
  steps: number;
  /** Whether a page size came from a variable, so that other variables cost something else. */
  byVariables: boolean;
}

/**
 * What an operation may cost, before it runs: a scalar or enum under its own name is free, every other field counts 1 (a scalar under an alias too: it can be asked for any number of times), and
 * what stands under a list counts as often as the list has items: `first` or `last`, else its own bound (`AtMost`), else 20. Aliases and repeats count each time; of what is asked for by object types
 * of a union or an interface the dearest counts, as a value is of one of them; @skip and @include are not looked at; `__schema` and `__type` count by the size of their answer. It is an upper bound,
 * linear in the document's size.
 */
export function countCost(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): Counted {
  return new Counter(schema, document, variables).count(operation);
}

class Counter {
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** By fragment and the page size that it stands under. */
  readonly #known = new Map<string, number>();
  #described: IntrospectionCost | null = null;
  #steps = 0;
  #byVariables = false;

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    private readonly variables: Readonly<Record<string, unknown>>,
  ) {
    for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition);
  }

  count(operation: OperationDefinitionNode): Counted {
    const cost = this.#selections(operation.selectionSet, this.schema.getRootType(operation.operation)!, null);
    return { cost: Math.min(cost, Number.MAX_SAFE_INTEGER), steps: this.#steps + (this.#described?.steps ?? 0), byVariables: this.#byVariables };
  }

  /** `page`: the size of the connection that this selection is of. */
  #selections(set: SelectionSetNode, parent: GraphQLNamedType, page: number | null): number {
    let total = 0;
    /** By the object type that it is asked of. */
    const branches = new Map<GraphQLNamedType, number>();
    for (const selection of set.selections) {
      this.#steps++;
      if (selection.kind === Kind.FIELD) {
        total += this.#field(selection, parent, page);
        continue;
      }
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
      const condition = isSpread ? this.#fragments.get(selection.name.value)?.typeCondition : selection.typeCondition;
      const type = this.#typeOf(condition?.name.value) ?? parent;
      const cost = isSpread ? this.#fragment(selection.name.value, page) : this.#selections(selection.selectionSet, type, page);
      if (isAbstractType(parent) && isObjectType(type)) branches.set(type, (branches.get(type) ?? 0) + cost);
      else total += cost;
    }
    return total + Math.max(0, ...branches.values());
  }

  #fragment(name: string, page: number | null): number {
    const key = `${name} ${page}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, 0);
    const fragment = this.#fragments.get(name);
    const type = fragment && this.#typeOf(fragment.typeCondition.name.value);
    const cost = type ? this.#selections(fragment.selectionSet, type, page) : 0;
    this.#known.set(key, cost);
    return cost;
  }

  #field(node: FieldNode, parent: GraphQLNamedType, page: number | null): number {
    const name = node.name.value;
    if (name === '__schema' || name === '__type') return (this.#described ??= new IntrospectionCost(this.schema, this.#fragments)).of(node);
    const field = isObjectType(parent) || isAbstractType(parent) ? ('getFields' in parent ? parent.getFields()[name] : undefined) : undefined;
    const type = field && getNamedType(field.type);
    if (!type || !node.selectionSet || isLeafType(type)) return node.alias ? 1 : 0;
    const size = this.#pageSize(node, field);
    if (isConnection(type)) return 1 + this.#selections(node.selectionSet, type, size ?? DEFAULT_PAGE);
    const inner = this.#selections(node.selectionSet, type, null);
    const isList = isListType(isNonNullType(field.type) ? field.type.ofType : field.type);
    return 1 + (isList ? (size ?? page ?? (field.extensions[AT_MOST] as number | undefined) ?? DEFAULT_PAGE) * inner : inner);
  }

  /** Null when the field takes none. */
  #pageSize(node: FieldNode, field: GraphQLField<unknown, unknown>): number | null {
    if (!field.args.some((argument) => PAGE_ARGUMENTS.includes(argument.name))) return null;
    for (const { name, value } of node.arguments ?? []) {
      if (!PAGE_ARGUMENTS.includes(name.value)) continue;
      if (value.kind === Kind.VARIABLE) this.#byVariables = true;
      const given = value.kind === Kind.VARIABLE ? this.variables[value.name.value] : value.kind === Kind.INT ? Number(value.value) : null;
      // A size that no page may have is refused by whoever reads the page: here it counts as the largest.
      if (typeof given === 'number') return Math.min(Math.max(given, 0), MAX_PAGE);
    }
    return DEFAULT_PAGE;
  }

  #typeOf(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.schema.getType(name);
  }
}

const isConnection = (type: GraphQLNamedType): boolean => isObjectType(type) && type.name.endsWith('Connection');
