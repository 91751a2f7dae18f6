import {
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  type GraphQLAbstractType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import fc from 'fast-check';

/** A subscription's text and the values of its variables, root arguments aside. */
export interface GeneratedDocument {
  query: string;
  variables: Record<string, unknown>;
}

/** The subscription fields that are generated for, with their arguments. */
const ROOTS = {
  chatEvents: { arguments: '(chatId: $chatId, after: $after)', variables: ['$chatId: ID!', '$after: EventCursor'] },
  inboxEvents: { arguments: '(after: $after)', variables: ['$after: [EventCursor!]'] },
} as const;
export type RootField = keyof typeof ROOTS;

const VARIABLES = { yes: { type: 'Boolean!', value: true }, no: { type: 'Boolean!', value: false }, maybe: { type: 'Boolean = true', value: undefined }, size: { type: 'Int!', value: 2 } } as const;
type Variable = keyof typeof VARIABLES;

/** Between these lies what happens while a test runs. */
const DAYS = { since: new Date(Date.now() - 86_400_000).toISOString(), until: new Date(Date.now() + 86_400_000).toISOString() };
/** Where fields are selected: subscription, event, and so on. */
const MAX_DEPTH = 10;
const MAX_SELECTIONS = 90;
const TAPE = 700;

/** `Type.field` of every object type that a field's type leads to; `beyond` says which fields are walked through. */
export function fieldsReachedFrom(schema: GraphQLSchema, names: readonly string[], beyond: (field: string) => boolean = () => true): Set<string> {
  const fields = new Set<string>();
  const types = new Set<string>();
  const walk = (name: string) => {
    if (types.has(name)) return;
    types.add(name);
    const type = schema.getType(name);
    if (isAbstractType(type)) for (const one of schema.getPossibleTypes(type)) walk(one.name);
    if (!isObjectType(type)) return;
    for (const field of Object.values(type.getFields())) {
      fields.add(`${name}.${field.name}`);
      if (beyond(`${name}.${field.name}`)) walk(getNamedType(field.type).name);
    }
  };
  names.forEach(walk);
  return fields;
}

/** Documents that lean towards the fields in `wanted`; the same numbers make the same document. */
export function documents(schema: GraphQLSchema, root: RootField, wanted: ReadonlySet<string>): fc.Arbitrary<GeneratedDocument> {
  const toWanted = distances(schema, wanted);
  return fc.array(fc.nat(65_535), { minLength: 0, maxLength: TAPE, size: 'max' }).map((tape) => new Writer(schema, wanted, toWanted, tape).write(root));
}

/** By object type: over how many fields the nearest wanted one is reached; its own are at 0. */
function distances(schema: GraphQLSchema, wanted: ReadonlySet<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of wanted) found.set(key.slice(0, key.indexOf('.')), 0);
  const holders = holdersIn(schema);
  // A map goes on with what is added to it meanwhile: the nearest come first.
  for (const [name, over] of found) for (const holder of holders.get(name) ?? []) if (!found.has(holder)) found.set(holder, over + 1);
  return found;
}

const known = new WeakMap<GraphQLSchema, Map<string, Set<string>>>();

/** By object type: those with a field that can show it. */
export function holdersIn(schema: GraphQLSchema): Map<string, Set<string>> {
  const before = known.get(schema);
  if (before) return before;
  const holders = new Map<string, Set<string>>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      for (const name of possible(schema, getNamedType(field.type))) holders.set(name, (holders.get(name) ?? new Set()).add(type.name));
    }
  }
  known.set(schema, holders);
  return holders;
}

const possible = (schema: GraphQLSchema, type: unknown): string[] =>
  isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : isObjectType(type) ? [type.name] : [];

type Composite = GraphQLObjectType | GraphQLInterfaceType;

class Writer {
  #at = 0;
  #selections = 0;
  #fragments = 0;
  readonly #definitions: string[] = [];
  readonly #known: { name: string; on: string; depth: number; selections: number }[] = [];
  readonly #used = new Set<Variable>();
  /** What a response name stands for, everywhere in the document: so selections can always be merged. */
  readonly #names = new Map<string, string>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly wanted: ReadonlySet<string>,
    private readonly toWanted: ReadonlyMap<string, number>,
    private readonly tape: readonly number[],
  ) {}

  write(root: RootField): GeneratedDocument {
    const union = getNamedType(this.schema.getSubscriptionType()!.getFields()[root]!.type) as GraphQLAbstractType;
    const body = this.#ofAbstract(union, MAX_DEPTH - 1);
    const variables = [...ROOTS[root].variables, ...[...this.#used].map((name) => `$${name}: ${VARIABLES[name].type}`)];
    return {
      query: [`subscription (${variables.join(', ')}) { ${root}${ROOTS[root].arguments} ${body} }`, ...this.#definitions].join('\n'),
      variables: Object.fromEntries([...this.#used].flatMap((name) => (VARIABLES[name].value === undefined ? [] : [[name, VARIABLES[name].value]]))),
    };
  }

  /** A number below `limit`; 0 when the tape has come to its end, so that documents shrink. */
  #draw(limit: number): number {
    return (this.tape[this.#at++] ?? 0) % limit;
  }
  /** True so many times in a hundred. */
  #chance(percent: number): boolean {
    return this.#draw(100) >= 100 - percent;
  }

  #ofAbstract(type: GraphQLAbstractType, depth: number): string {
    const pieces = [this.#chance(50) ? '__typename' : ''];
    if (isInterfaceType(type) && this.#chance(60)) pieces.push(this.#fields(type, depth));
    const types = [...this.schema.getPossibleTypes(type)].sort((a, b) => this.#distance(a.name) - this.#distance(b.name));
    // The nearest to what is wanted, and others.
    const near = types.filter(({ name }) => this.#distance(name) <= depth).slice(0, 8);
    const chosen = new Set([near[this.#draw(near.length || 1)], ...Array.from({ length: 1 + this.#draw(3) }, () => types[this.#draw(types.length)])]);
    for (const one of chosen) if (one) pieces.push(this.#inFragment(one, depth));
    return `{ ${pieces.join(' ') || '__typename'} }`;
  }

  #distance(name: string): number {
    return this.toWanted.get(name) ?? Infinity;
  }

  /** The selection of an object type, in an inline or a named fragment on it or on one of its interfaces. */
  #inFragment(type: GraphQLObjectType, depth: number): string {
    const interfaces = type.getInterfaces();
    const on: Composite = interfaces.length && this.#chance(15) ? interfaces[this.#draw(interfaces.length)]! : type;
    // A fragment counts wherever it stands: fragments in fragments would grow without a bound that the server has.
    const again = this.#known.filter((one) => one.on === on.name && one.depth <= depth && this.#selections + one.selections <= MAX_SELECTIONS);
    if (again.length && this.#chance(30)) {
      const { name, selections } = again[this.#draw(again.length)]!;
      this.#selections += selections;
      return `...${name}${this.#directive()}`;
    }
    const before = this.#selections;
    const fields = this.#fields(on, depth);
    if (this.#chance(60)) return `... on ${on.name}${this.#directive()} { ${fields} }`;
    const name = `part${++this.#fragments}`;
    this.#definitions.push(`fragment ${name} on ${on.name} { ${fields} }`);
    this.#known.push({ name, on: on.name, depth, selections: this.#selections - before });
    return `...${name}${this.#directive()}`;
  }

  #directive(): string {
    if (!this.#chance(15)) return '';
    const [text, variable] = ([['@include(if: $yes)', 'yes'], ['@skip(if: $no)', 'no'], ['@include(if: $maybe)', 'maybe'], ['@skip(if: $yes)', 'yes'], ['@include(if: $no)', 'no'], ['@include(if: true)', null], ['@skip(if: false) @include(if: $yes)', 'yes']] as const)[this.#draw(7)]!;
    if (variable) this.#used.add(variable);
    return ` ${text}`;
  }

  #fields(type: Composite, depth: number): string {
    const pieces: string[] = [];
    let nested = 0;
    const all = Object.values(type.getFields());
    const first = this.#draw(all.length);
    for (let step = 0; step < all.length && this.#selections < MAX_SELECTIONS; step++) {
      const field = all[(first + step) % all.length]!;
      const isWanted = isObjectType(type) && this.wanted.has(`${type.name}.${field.name}`);
      const isLeaf = isLeafType(getNamedType(field.type));
      if (isLeaf ? !this.#chance(isWanted ? 90 : 25) : depth < 2 || nested >= 3 || !this.#chance(isWanted || this.#leads(type, field) ? 85 : 10)) continue;
      if (!isLeaf) nested++;
      pieces.push(this.#field(field, depth));
    }
    if (this.#chance(15)) pieces.push('__typename');
    // Some of it once more, or in a fragment of its own, so that selections are merged.
    if (pieces.length > 1 && this.#chance(20)) pieces.push(this.#chance(50) ? `... { ${pieces[this.#draw(pieces.length)]} }` : `... on ${type.name}${this.#directive()} { ${pieces.splice(this.#draw(pieces.length), 1)[0]} }`);
    return pieces.join(' ') || '__typename';
  }

  /** Whether the field is a step on a shortest way to what is wanted. */
  #leads(type: Composite, field: GraphQLField<unknown, unknown>): boolean {
    const from = isObjectType(type) ? this.#distance(type.name) : Infinity;
    return from > 0 && possible(this.schema, getNamedType(field.type)).some((name) => this.#distance(name) < from);
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    this.#selections++;
    const type = getNamedType(field.type);
    const given = this.#arguments(field.args);
    const stands = `${field.name}${given}: ${String(field.type)}`;
    let name = this.#chance(15) ? `${field.name}_` : field.name;
    while ((this.#names.get(name) ?? stands) !== stands) name += '_';
    this.#names.set(name, stands);
    const text = `${name === field.name ? '' : `${name}: `}${field.name}${given}${this.#directive()}`;
    if (isLeafType(type)) return text;
    return `${text} ${isAbstractType(type) ? this.#ofAbstract(type, depth - 1) : `{ ${this.#ofObject(type as GraphQLObjectType, depth - 1)} }`}`;
  }

  #ofObject(type: GraphQLObjectType, depth: number): string {
    return this.#chance(25) ? this.#inFragment(type, depth) : this.#fields(type, depth);
  }

  #arguments(args: readonly GraphQLArgument[]): string {
    const given = args.flatMap((argument) => {
      const { name } = argument;
      if (name === 'first') return [this.#chance(30) ? this.#sized() : 'first: 3'];
      if (name === 'since' || name === 'until') return [`${name}: "${DAYS[name]}"`];
      if (name === 'seq') return [`seq: ${1 + this.#draw(6)}`];
      if (isRequiredArgument(argument)) throw new Error(`Say in test/testkit/subscription-documents.ts what a required argument "${name}" is to be.`);
      return [];
    });
    return given.length ? `(${given.join(', ')})` : '';
  }

  #sized(): string {
    this.#used.add('size');
    return 'first: $size';
  }
}
