import { getNamedType, isObjectType, TypeInfo, visit, visitWithTypeInfo, type DocumentNode, type GraphQLSchema } from 'graphql';
import { DomainError } from '../../lib/errors.js';
import { accessToField, accessToType, type Access } from '../../policies/scopes.js';
import type { Prepared } from '../engine.js';

/** What an operation asks of an app: scopes, and what no scope opens. */
interface Needs {
  scopes: ReadonlySet<string>;
  closed: string | null;
}

const ROOTS = new Set(['Query', 'Mutation', 'Subscription', 'Viewer']);

/** Keeps apps to the scopes that they were given, by what their documents select: before anything is executed. */
export class Scopes {
  readonly #needs = new WeakMap<Prepared, Needs>();

  constructor(private readonly schema: GraphQLSchema) {}

  /** `scopes` null: a person by their own app, who may all that they may. Throws FORBIDDEN. */
  assert(prepared: Prepared, scopes: readonly string[] | null | undefined): void {
    if (!scopes) return;
    let needs = this.#needs.get(prepared);
    if (!needs) this.#needs.set(prepared, (needs = this.#find(prepared)));
    if (needs.closed !== null) throw new DomainError('FORBIDDEN', `No app may use ${needs.closed}.`);
    const missing = [...needs.scopes].filter((scope) => !scopes.includes(scope));
    if (missing.length) throw new DomainError('FORBIDDEN', `This app was not given: ${missing.sort().join(', ')}.`);
  }

  #find({ document }: Prepared): Needs {
    const types = new TypeInfo(this.schema);
    const scopes = new Set<string>();
    let closed: string | null = null;
    const need = (access: Access | null, what: string) => {
      if (access === null || access === 'person-only') closed ??= what;
      else if (access !== 'open') scopes.add(access);
    };
    visit(
      document,
      visitWithTypeInfo(types, {
        Field: ({ name: { value } }) => {
          const parent = types.getParentType()?.name ?? '';
          if (value.startsWith('__')) return;
          if (ROOTS.has(parent)) need(accessToField(parent, value), `${parent}.${value}`);
          const type = getNamedType(types.getType());
          if (isObjectType(type)) need(accessToType(type.name), type.name);
        },
        InlineFragment: () => {
          const type = types.getType();
          if (isObjectType(type)) need(accessToType(type.name), type.name);
        },
        FragmentDefinition: () => {
          const type = types.getType();
          if (isObjectType(type)) need(accessToType(type.name), type.name);
        },
      }),
    );
    return { scopes, closed };
  }
}

/** The document without what these scopes don't open: what an app gets of something that the server itself selects. The root field stays. */
export function keptTo(schema: GraphQLSchema, document: DocumentNode, scopes: readonly string[]): DocumentNode {
  const types = new TypeInfo(schema);
  const closed = () => {
    const type = getNamedType(types.getType());
    const access = isObjectType(type) ? accessToType(type.name) : 'open';
    return access !== 'open' && (access === null || !scopes.includes(access));
  };
  const cut = () => (closed() ? null : undefined);
  let left: DocumentNode = visit(document, visitWithTypeInfo(types, { Field: cut, InlineFragment: cut, FragmentDefinition: cut }));
  // What has nothing left to select goes, too, and so do fragments that nothing spreads any more.
  for (let before: DocumentNode | null = null; before !== left; ) {
    before = left;
    const defined = new Set(left.definitions.flatMap((definition) => (definition.kind === 'FragmentDefinition' ? [definition.name.value] : [])));
    const spread = new Set<string>();
    left = visit(left, {
      FragmentSpread: ({ name: { value } }) => (defined.has(value) ? void spread.add(value) : null),
      Field: { leave: ({ selectionSet }) => (selectionSet?.selections.length === 0 ? null : undefined) },
      InlineFragment: { leave: ({ selectionSet }) => (selectionSet.selections.length === 0 ? null : undefined) },
    });
    left = visit(left, { FragmentDefinition: ({ name: { value }, selectionSet }) => (spread.has(value) && selectionSet.selections.length ? undefined : null) });
  }
  return left;
}
