import { readFileSync } from 'node:fs';
import { buildSchema, getNamedType, isLeafType, isObjectType, type GraphQLField, type GraphQLNamedType, type GraphQLObjectType } from 'graphql';
import { UnitOfWork, type Tx, type WriteOptions } from '../../src/db/unit-of-work.js';
import { DomainError } from '../../src/lib/errors.js';
import { post } from '../testkit/raw.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { eventually, settle } from '../testkit/world.js';
import { variablesFor } from './inputs.js';
import { ROLES, shorten, type Role } from './table.js';
import type { Asker, Stage } from './stage.js';

export const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
export const fieldsOf = (type: GraphQLObjectType | null | undefined): GraphQLField<unknown, unknown>[] => Object.values(type!.getFields());
type Kind = 'query' | 'mutation' | 'subscription';

/** A row of the tables: a root field, asked of what `things` holds, or of things aside. */
export interface Asked {
  row: string;
  kind: Kind;
  field: GraphQLField<unknown, unknown>;
  aside: string | null;
}

/** Every root field, and once more each for every row that asks it of other things: `sendMessage@direct`. */
export function everythingAsked(rows: Iterable<string>): Asked[] {
  const aside = [...rows].filter((row) => row.includes('@'));
  return ([['query', schema.getQueryType()], ['mutation', schema.getMutationType()], ['subscription', schema.getSubscriptionType()]] as const).flatMap(([kind, type]) =>
    fieldsOf(type).flatMap((field) => [field.name, ...aside.filter((row) => row.startsWith(`${field.name}@`))].map((row) => ({ row, kind, field, aside: row.split('@')[1] ?? null }))),
  );
}

function stageOf(stage: Stage, { row, aside }: Asked): Stage {
  if (aside === null) return stage;
  if (!stage.aside[aside]) throw new Error(`${row}: there is no ${aside} on the stage.`);
  return { ...stage, things: { ...stage.things, ...stage.aside[aside] } };
}

const isConnection = (type: GraphQLNamedType): boolean => isObjectType(type) && 'edges' in type.getFields();
/** What is asked of what a field gives, so that it is told whether there is anything in it. */
const selectionOf = (type: GraphQLNamedType): string => (isLeafType(type) ? '' : isConnection(type) ? ' { edges { __typename } }' : ' { __typename }');

const REHEARSED = 'Everything would have been written.';

/** Rows that this transaction has written so far. Counted tries and keys are written for whoever is refused, too. */
const WRITTEN = `select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int as rows from pg_stat_xact_all_tables where relname not in ('one_time_codes', 'idempotency_keys', 'quotas')`;

/**
 * While it runs, every transaction that has written is rolled back at its very end: who may do a thing is told without doing it, and one row of the
 * matrix leaves the stage as the next one wants it. What only looked goes on, to be refused by what comes after it.
 */
export async function rehearsing<Result>(work: () => Promise<Result>): Promise<Result> {
  const run = UnitOfWork.prototype.run;
  UnitOfWork.prototype.run = function (this: UnitOfWork, options: WriteOptions, write: (tx: Tx) => Promise<unknown>) {
    const rehearsal = async (tx: Tx): Promise<unknown> => {
      const count = async () => (await tx.sql<{ rows: number }>(WRITTEN))[0]!.rows;
      const before = await count();
      const result = await write(tx);
      if ((await count()) === before && !tx.pending.length) return result;
      throw new DomainError('STATE_CONFLICT', REHEARSED);
    };
    return run.call(this, options, rehearsal);
  } as typeof run;
  try {
    return await work();
  } finally {
    UnitOfWork.prototype.run = run;
  }
}

export function documentFor(kind: Kind, field: GraphQLField<unknown, unknown>, variables: Record<string, unknown>): string {
  const used = field.args.filter(({ name }) => name in variables);
  const declared = used.length ? `(${used.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ')})` : '';
  const given = used.length ? `(${used.map(({ name }) => `${name}: $${name}`).join(', ')})` : '';
  return `${kind}${declared} { ${field.name}${given}${selectionOf(getNamedType(field.type))} }`;
}

export const bearer = (token: string | null): Record<string, string> => (token === null ? {} : { authorization: `Bearer ${token}` });

/** What one role is answered by a field of Query or Mutation. */
export async function ask(stage: Stage, asked: Asked, role: Asker): Promise<string> {
  const { kind, field } = asked;
  const variables = variablesFor(field, stageOf(stage, asked));
  const { json, text } = await post(stage.world, { query: documentFor(kind, field, variables), variables }, bearer(stage.tokens[role]));
  if (!json) throw new Error(`${field.name}: ${text}`);
  const [error] = json.errors ?? [];
  if (error) return error.message === REHEARSED ? 'ok' : shorten(error.extensions.code);
  return shown(json.data![field.name]);
}

/** What each role is answered by each subscription, asked for all at once: what is refused is so by its own message. */
export async function askToListen(stage: Stage, streams: readonly Asked[], role: Asker, refusals: number): Promise<Map<string, string>> {
  const socket = RawSocket.connect(stage.world, stage.tokens[role]);
  try {
    const first = await Promise.race([socket.receive('connection_ack').then(() => null), socket.closed()]);
    if (first) return new Map(streams.map(({ row }) => [row, shorten(first.reason === 'Unauthorized' ? 'UNAUTHENTICATED' : first.reason)]));
    for (const asked of streams) {
      const variables = variablesFor(asked.field, stageOf(stage, asked));
      socket.subscribe(asked.row, documentFor('subscription', asked.field, variables), variables);
    }
    const refused = () => socket.messages.filter(({ type }) => type === 'error');
    if (refusals) await eventually(() => refused().length >= refusals, `${refusals} refusals`).catch(() => undefined);
    await settle(300);
    const codes = new Map(refused().map(({ id, payload }) => [id, (payload as { extensions: { code: string } }[])[0]!.extensions.code]));
    return new Map(streams.map(({ row }) => [row, codes.has(row) ? shorten(codes.get(row)!) : 'ok']));
  } finally {
    socket.close();
  }
}

/** Runs work for each item, some at a time. */
export async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>, lanes = 4): Promise<void> {
  const waiting = [...items];
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  }));
}

export const forAll = <Value>(value: (role: Role) => Value): Record<Role, Value> => Object.fromEntries(ROLES.map((role) => [role, value(role)])) as Record<Role, Value>;

/** A type of which one can be asked for: the fields that lead to it, a root field first. */
export interface Findable {
  type: GraphQLObjectType;
  path: readonly string[];
}

/** What a role is answered by each field of an object; null where the object is not there for it. */
export async function askObject(stage: Stage, { type, path }: Findable, role: Asker): Promise<Map<string, string> | string> {
  const fields = fieldsOf(type);
  const whole = await askFields(stage, path, type, fields, role);
  if (whole) return whole;
  // One refusal can take its neighbours with it: each by itself, then.
  const answers = new Map<string, string>();
  for (const field of fields) {
    const alone = await askFields(stage, path, type, [field], role);
    if (typeof alone === 'string') return alone;
    answers.set(field.name, alone?.get(field.name) ?? '?');
  }
  return answers;
}

/** Null where an error has taken the object away. */
async function askFields(stage: Stage, path: readonly string[], type: GraphQLObjectType, fields: readonly GraphQLField<unknown, unknown>[], role: Asker): Promise<Map<string, string> | string | null> {
  const variables: Record<string, unknown> = {};
  const declared: string[] = [];
  const asked = fields.map((field) => {
    const given = Object.entries(variablesFor(field, stage)).map(([name, value]) => {
      variables[`${field.name}_${name}`] = value;
      declared.push(`$${field.name}_${name}: ${String(field.args.find((one) => one.name === name)!.type)}`);
      return `${name}: $${field.name}_${name}`;
    });
    return `${field.name}${given.length ? `(${given.join(', ')})` : ''}${selectionOf(getNamedType(field.type))}`;
  });
  const selection = path.reduceRight((below, step) => `{ object: ${step} ${below} }`, `{ ... on ${type.name} { ${asked.join(' ')} } }`);
  const query = `query${declared.length ? `(${declared.join(', ')})` : ''} ${selection}`;
  const { json, text } = await post(stage.world, { query, variables }, bearer(stage.tokens[role]));
  if (!json || json.errors?.some(({ extensions }) => extensions.code === 'GRAPHQL_VALIDATION_FAILED')) throw new Error(`${type.name}: ${text} for ${query}`);
  const depth = path.length;
  const errors = new Map((json.errors as { path?: (string | number)[]; extensions: { code: string } }[] | undefined)?.map(({ path: at, extensions }) => [String(at?.[depth] ?? ''), shorten(extensions.code)]));
  const refused = errors.get('');
  if (refused) return refused;
  let object = json.data as Record<string, unknown> | null | undefined;
  for (let step = 0; step < depth; step++) object = object?.['object'] as Record<string, unknown> | null | undefined;
  if (!object && !errors.size) return 'null';
  if (!object) return fields.length === 1 ? errors : null;
  return new Map(fields.map(({ name }) => [name, errors.get(name) ?? shown(object[name])]));
}

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return 'null';
  const list = Array.isArray(value) ? value : (value as { edges?: unknown[] }).edges;
  return list && !list.length ? '-' : 'ok';
};
