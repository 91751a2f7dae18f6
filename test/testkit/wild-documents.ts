import {
  getNamedType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType, isObjectType, isUnionType, parseValue, valueFromASTUntyped, type GraphQLArgument, type GraphQLField, type GraphQLInputType, type GraphQLSchema,
} from 'graphql';

/** A generator whose choices come from a seed alone (mulberry32), so that what it found can be found again. */
export class Dice {
  #state: number;
  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to but not including 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  below(count: number): number {
    return Math.floor(this.next() * count);
  }
  chance(part: number): boolean {
    return this.next() < part;
  }
  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

export type OperationKind = 'query' | 'mutation' | 'subscription';
export interface WildDocument {
  kind: OperationKind;
  query: string;
  variables: Record<string, unknown>;
}

const TEXTS = ['', ' ', 'hello', 'hello', 'HELLO', '\\u0000', '👍', 'ann', '%', "'; --", '😀', '-1', '{{', '<b>', 'x'.repeat(300), '\\u202e', 'NaN', '1e999', '*:*', '"\\"', '../../etc/passwd'.repeat(3)];
const NUMBERS = ['0', '1', '1', '2', '5', '-1', '20', '100', '2147483647', '-2147483648'];
const WRONG_NUMBERS = ['99999999999', '1.5', '1e400', '-0'];
/** By which part of an argument's name its ids begin. */
const OF_NAME: readonly [RegExp, string][] = [[/chat/i, 'cht_'], [/user|member/i, 'usr_'], [/message|reply|root/i, 'msg_'], [/group/i, 'grp_']];
const MAX_FIELDS = 60;

/**
 * Documents over the schema as no client would write them: deep, with aliases, fragments that may run in circles, directives where they belong and where
 * they don't, arguments of any value, some as variables of any JSON. Most are valid in their shape; one in ten is spoiled at a random place.
 */
export class WildDocuments {
  #fields = 0;
  #fragments: string[] = [];
  #declared: string[] = [];
  #variables: Record<string, unknown> = {};

  /** `ids` stand for what is really there, so that some documents reach it. */
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly dice: Dice,
    private readonly ids: readonly string[],
  ) {}

  next(): WildDocument {
    const { dice, schema } = this;
    this.#fields = 0;
    this.#fragments = [];
    this.#declared = [];
    this.#variables = {};
    if (dice.chance(0.05)) return { kind: 'query', query: this.#introspection(), variables: {} };
    const kind = dice.of<OperationKind>(['query', 'query', 'query', 'mutation', 'mutation', 'subscription']);
    const root = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[kind]!;
    const fields = Object.values(root.getFields());
    const count = kind === 'subscription' && dice.chance(0.9) ? 1 : 1 + dice.below(4);
    const body = Array.from({ length: count }, () => this.#field(dice.of(fields), 1 + dice.below(9), kind)).join(' ');
    const circle = this.#circle(root.name);
    const declared = this.#declared.length ? `(${this.#declared.join(', ')})` : '';
    const text = `${kind} ${declared} ${this.#directives('OPERATION')} { ${body} ${circle.spread} } ${this.#fragments.join(' ')} ${circle.fragments}`;
    return { kind, query: dice.chance(0.1) ? this.#spoil(text) : text, variables: this.#variables };
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number, kind: OperationKind | null = null): string {
    this.#fields++;
    const { dice } = this;
    const given = field.args.filter((one) => (isNonNullType(one.type) && one.defaultValue === undefined && !dice.chance(0.02)) || dice.chance(0.25));
    const args = given.length ? `(${given.map((one) => `${one.name}: ${this.#given(one)}`).join(', ')})` : '';
    // Without an alias, two fields of different arguments would only clash.
    const alias = kind === 'subscription' && !dice.chance(0.1) ? '' : `a${this.#fields}: `;
    return `${alias}${field.name}${args} ${this.#directives('FIELD')} ${this.#selection(getNamedType(field.type).name, depth)}`;
  }

  #selection(name: string, depth: number): string {
    const { dice } = this;
    const type = this.schema.getType(name)!;
    if (isLeafType(type)) return dice.chance(0.002) ? '{ id }' : '';
    if (depth <= 0 || this.#fields > MAX_FIELDS) return '{ __typename }';
    if (!isObjectType(type)) {
      const one = dice.of(this.schema.getPossibleTypes(type as never));
      return `{ __typename ... on ${one.name} ${this.#selection(one.name, depth - 1)} ${isUnionType(type) ? '' : 'id'} }`;
    }
    const fields = Object.values(type.getFields());
    const chosen = Array.from({ length: 1 + dice.below(4) }, () => this.#field(dice.of(fields), depth - 1)).join(' ');
    if (!dice.chance(0.15)) return `{ ${chosen} }`;
    if (dice.chance(0.5)) return `{ ... on ${name} ${this.#directives('FRAGMENT')} { ${chosen} } }`;
    const fragment = `F${this.#fragments.length}`;
    this.#fragments.push('');
    this.#fragments[Number(fragment.slice(1))] = `fragment ${fragment} on ${name} { ${chosen} ${dice.chance(0.1) ? `...${fragment}` : ''} }`;
    return `{ ...${fragment} ${dice.chance(0.3) ? `...${fragment}` : ''} }`;
  }

  /** What an argument is given: in the document, or by a variable of its type, whose value may be of any other. */
  #given({ type, name }: GraphQLArgument): string {
    const { dice } = this;
    const value = this.#value(type, name);
    if (!dice.chance(0.2)) return value;
    const variable = `v${this.#declared.length}`;
    this.#declared.push(`$${variable}: ${String(type)}${dice.chance(0.05) ? ` = ${value}` : ''}`);
    if (!dice.chance(0.03)) this.#variables[variable] = dice.chance(0.7) ? this.#read(value) : this.#json();
    return `$${variable}`;
  }

  /** The JSON that means what a literal does; some literals are none. */
  #read(literal: string): unknown {
    try {
      return valueFromASTUntyped(parseValue(literal)) ?? null;
    } catch {
      return this.#json();
    }
  }

  #json(depth = 4): unknown {
    const { dice } = this;
    const kind = dice.below(depth ? 8 : 6);
    if (kind === 6) return Array.from({ length: dice.below(5) }, () => this.#json(depth - 1));
    // Each key is the object's own, `__proto__` too: so it goes over the wire.
    if (kind === 7) return Object.fromEntries(Array.from({ length: dice.below(5) }, () => [dice.of(['id', 'first', 'chatId', 'text', 'kind', '', '__proto__', 'constructor', 'toString', 'length', '0']), this.#json(depth - 1)]));
    return dice.of<unknown>([null, true, false, 0, -1, 1.5, 1e21, 2 ** 53, '', 'hello', '\u0000', '\ud800', '1', 'NaN', 'x'.repeat(2_000), this.#id('')]);
  }

  #value(type: GraphQLInputType, name: string, depth = 4): string {
    const { dice } = this;
    if (isNonNullType(type)) return this.#value(type.ofType, name, depth);
    if (dice.chance(0.01)) return dice.of(['null', '$nothing', '[]', '{}', 'true', 'NO_SUCH', '"text"', '[[[[1]]]]']);
    if (isListType(type)) return `[${Array.from({ length: dice.below(4) }, () => this.#value(type.ofType, name, depth)).join(', ')}]`;
    if (isEnumType(type)) return dice.of(type.getValues()).name;
    if (isInputObjectType(type)) {
      if (depth <= 0) return '{}';
      const fields = Object.values(type.getFields()).filter((one) => (isNonNullType(one.type) && one.defaultValue === undefined) || dice.chance(0.3));
      return `{ ${fields.map((one) => `${one.name}: ${this.#value(one.type, one.name, depth - 1)}`).join(', ')} }`;
    }
    switch (type.name) {
      case 'ID':
        return JSON.stringify(name === 'idempotencyKey' ? `wild-${dice.below(1_000_000)}` : dice.chance(0.9) ? this.#id(name) : dice.of(['', 'nonsense', 'usr_0', 'msg_1_1', `cht_${'f'.repeat(32)}`]));
      case 'Int':
      case 'BigInt':
      case 'Float':
        return dice.of(dice.chance(0.03) ? WRONG_NUMBERS : NUMBERS);
      case 'Boolean':
        return dice.of(['true', 'false']);
      case 'DateTime':
        return dice.of(['"2026-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"', '"0000-01-01T00:00:00Z"', '"today"', '"+275760-09-13T00:00:00Z"']);
      case 'JSON':
        return dice.of(['{}', '[]', '{ a: { b: [1, "x", null] } }', '"text"', '{ __proto__: { a: 1 } }', '{ constructor: 1 }']);
      default:
        return `"${dice.of(TEXTS)}"`;
    }
  }

  #id(name: string): string {
    const prefix = OF_NAME.find(([pattern]) => pattern.test(name))?.[1];
    const fitting = this.ids.filter((id) => prefix !== undefined && id.startsWith(prefix));
    return this.dice.of(fitting.length && this.dice.chance(0.8) ? fitting : this.ids);
  }

  #directives(place: string): string {
    const { dice } = this;
    if (!dice.chance(place === 'OPERATION' ? 0.03 : 0.08)) return '';
    if (dice.chance(0.9)) return dice.of(['@include(if: true)', '@skip(if: false)', '@skip(if: true)', '@include(if: false)']);
    return dice.of(['@include', '@skip(if: "x")', '@nothing', '@deprecated', '@include(if: true) @include(if: true)', '@specifiedBy(url: "x")', '@defer', '@stream']);
  }

  /** Fragments that run in a circle, which the operation enters: the longer, the longer a careless walk takes. */
  #circle(root: string): { spread: string; fragments: string } {
    const { dice } = this;
    if (!dice.chance(0.05)) return { spread: '', fragments: '' };
    const length = 1 + dice.below(30);
    return { spread: `...C${dice.below(length)}`, fragments: Array.from({ length }, (_, at) => `fragment C${at} on ${root} { ...C${(at + 1) % length} ...C${dice.below(length)} }`).join(' ') };
  }

  #introspection(): string {
    const { dice } = this;
    const below = (depth: number): string => (depth ? `{ name ofType ${below(depth - 1)} fields { name type ${below(depth - 1)} } }` : '{ name kind }');
    return dice.of([
      `{ __schema { types ${below(dice.below(5))} } }`,
      `{ __type(name: "${dice.of(['User', 'Query', '', '__proto__', 'constructor'])}") ${below(dice.below(4))} }`,
      `{ ${Array.from({ length: 1 + dice.below(50) }, (_, at) => `s${at}: __schema { types { name } }`).join(' ')} }`,
    ]);
  }

  /** One thing wrong, somewhere in the text. */
  #spoil(text: string): string {
    const { dice } = this;
    const at = dice.below(text.length);
    switch (dice.below(5)) {
      case 0:
        return text.slice(0, at);
      case 1:
        return text.slice(0, at) + String.fromCharCode(dice.below(65_536)) + text.slice(at);
      case 2:
        return text.slice(0, at) + text.slice(at + 1 + dice.below(5));
      case 3:
        return text.slice(0, at) + dice.of(['{', '}', '(', ')', '...', '"""', '$x', '@', '!', '#', '\u0000']) + text.slice(at);
      default:
        return text.slice(at) + text.slice(0, at);
    }
  }
}

/** Bytes as a faulty or a hostile peer would send them: what was good, with some of it changed, doubled, cut or left out. */
export function mutate(dice: Dice, good: Buffer): Buffer {
  let bytes = Buffer.from(good);
  for (let turn = 1 + dice.below(6); turn > 0; turn--) {
    const at = dice.below(bytes.length + 1);
    const part = bytes.subarray(at, at + dice.below(40));
    switch (dice.below(5)) {
      case 0:
        if (at < bytes.length) bytes[at] = dice.below(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), dice.bytes(1 + dice.below(20)), bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + part.length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes, part]);
        break;
      default:
        if (at < bytes.length) bytes[at]! ^= 1 << dice.below(8);
    }
  }
  return bytes;
}
