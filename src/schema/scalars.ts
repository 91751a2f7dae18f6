import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { GraphQLJSON } from 'graphql-scalars';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' && RFC_3339.test(value) ? new Date(value) : null;
  if (!date || Number.isNaN(date.getTime())) throw new GraphQLError('A DateTime is an RFC 3339 string with an offset, as 2026-01-31T12:00:00Z.');
  return date;
}

export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment, as an RFC 3339 string. Answers are in UTC with milliseconds.',
  serialize: (value) => (value instanceof Date ? value : new Date(value as number)).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node: ValueNode) => parseDateTime(node.kind === Kind.STRING ? node.value : null),
});

function parseCursor(value: unknown): string {
  if (typeof value !== 'string') throw new GraphQLError('An EventCursor is the string that an event or an eventCursor field gave.');
  return value;
}

export const EventCursor = new GraphQLScalarType<string, string>({
  name: 'EventCursor',
  description: 'A place in a stream of events: opaque. Given as `after`, the stream goes on right behind it.',
  serialize: (value) => value as string,
  parseValue: parseCursor,
  parseLiteral: (node: ValueNode) => parseCursor(node.kind === Kind.STRING ? node.value : null),
});

const BASE_64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function parseBytes(value: unknown): Buffer {
  if (typeof value !== 'string' || !BASE_64.test(value)) throw new GraphQLError('Bytes are a string in base64 (RFC 4648, with padding).');
  return Buffer.from(value, 'base64');
}

export const Bytes = new GraphQLScalarType<Buffer, string>({
  name: 'Bytes',
  description: 'Bytes in base64 (RFC 4648, with padding).',
  // What is in base64 already is handed on as it is.
  serialize: (value) => (typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString('base64')),
  parseValue: parseBytes,
  parseLiteral: (node: ValueNode) => parseBytes(node.kind === Kind.STRING ? node.value : null),
});

function parseBigInt(value: unknown): number {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number)) throw new GraphQLError('A BigInt is a whole number from -(2⁵³ - 1) to 2⁵³ - 1.');
  return number as number;
}

export const BigIntScalar = new GraphQLScalarType<number, number>({
  name: 'BigInt',
  description: 'A whole number larger than an Int may be, and exact in JSON: from -(2⁵³ - 1) to 2⁵³ - 1.',
  serialize: parseBigInt, // what the database gives of an int8 is a text
  parseValue: parseBigInt,
  parseLiteral: (node: ValueNode) => parseBigInt(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : null),
});
export const JsonScalar = GraphQLJSON;
