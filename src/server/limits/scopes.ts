import { getNamedType, isObjectType, TypeInfo, visit, visitWithTypeInfo, type GraphQLSchema } from 'graphql';
import { DomainError } from '../../lib/errors.js';
import { placeOfField, placeOfType, scopeFor } from '../../policies/scopes.js';
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
    const need = (scope: string | null, what: string) => {
      if (scope === null) closed ??= what;
      else if (scope) scopes.add(scope);
    };
    visit(
      document,
      visitWithTypeInfo(types, {
        Field: ({ name: { value } }) => {
          const parent = types.getParentType()?.name ?? '';
          if (value.startsWith('__')) return;
          if (ROOTS.has(parent)) need(scopeFor(placeOfField(value), parent === this.schema.getMutationType()?.name ? 'write' : 'read'), `${parent}.${value}`);
          const type = getNamedType(types.getType());
          if (isObjectType(type)) need(scopeFor(placeOfType(type.name), 'read'), type.name);
        },
        InlineFragment: () => {
          const type = types.getType();
          if (isObjectType(type)) need(scopeFor(placeOfType(type.name), 'read'), type.name);
        },
        FragmentDefinition: () => {
          const type = types.getType();
          if (isObjectType(type)) need(scopeFor(placeOfType(type.name), 'read'), type.name);
        },
      }),
    );
    return { scopes, closed };
  }
}
