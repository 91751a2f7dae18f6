import { DomainError, invalidInput } from '../lib/errors.js';

export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

export interface PageArgs {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

export type CursorValue = string | number | null;

/** What a part of a cursor may be, so that a forged one is refused before it reaches PostgreSQL: a `number` fits int4, an `amount` (of money) is exact in a double, a `time` is in milliseconds since 1970. */
export type CursorPart = 'string' | 'uuid' | 'number' | 'amount' | 'time' | 'nullable';
const MAX_INT = 2 ** 31 - 1;
const MAX_TIME = 8.64e15;
/** The longest that a list makes: two names of 200 bytes, each of which JSON writes as two, in base64. */
const MAX_CURSOR = 2_048;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One page of a keyset: how many, from where, in which direction. */
export interface PageRequest {
  size: number;
  /** Read one more than `size`, to know whether there is more. */
  limit: number;
  /** True for last/before: rows are read from the end and turned round. */
  backward: boolean;
  /** The key to start after (or before), or null at an end. */
  from: CursorValue[] | null;
}

/**
 * Reads Relay arguments. `kinds` states the types of a cursor's parts, in the order of the sort key.
 * Throws `INVALID_INPUT` for sizes out of 1…100 (0 is allowed: an empty page) and for `first` with `last`; `INVALID_CURSOR` for a foreign cursor.
 */
export function pageRequest(args: PageArgs, kinds: readonly CursorPart[]): PageRequest {
  if (args.first != null && args.last != null) throw invalidInput('last', 'first and last do not go together.');
  if (args.before != null && args.last == null) throw invalidInput('before', 'before goes with last.');
  if (args.after != null && args.last != null) throw invalidInput('after', 'after goes with first.');
  const backward = args.last != null;
  const size = (backward ? args.last : args.first) ?? DEFAULT_PAGE;
  if (size < 0 || size > MAX_PAGE) throw invalidInput(backward ? 'last' : 'first', `A page holds at most ${MAX_PAGE} items.`);
  const text = backward ? args.before : args.after;
  return { size, limit: size + 1, backward, from: text == null ? null : decodeKey(text, kinds, backward ? 'before' : 'after') };
}

export const encodeKey = (key: CursorValue[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

function decodeKey(text: string, kinds: readonly CursorPart[], field: string): CursorValue[] {
  const foreign = () => new DomainError('INVALID_CURSOR', 'This is not a cursor of this list.', { field });
  if (text.length > MAX_CURSOR) throw foreign();
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    throw foreign();
  }
  if (!Array.isArray(key) || key.length !== kinds.length) throw foreign();
  key.forEach((part: unknown, index) => {
    if (!fits(part, kinds[index]!)) throw foreign();
  });
  return key as CursorValue[];
}

function fits(part: unknown, kind: CursorPart): boolean {
  if (kind === 'number') return Number.isInteger(part) && Math.abs(part as number) <= MAX_INT;
  if (kind === 'amount') return Number.isSafeInteger(part) && (part as number) >= 0;
  if (kind === 'time') return Number.isInteger(part) && (part as number) >= 0 && (part as number) <= MAX_TIME;
  if (part === null) return kind === 'nullable';
  return typeof part === 'string' && part.isWellFormed() && !part.includes('\0') && (kind !== 'uuid' || UUID.test(part));
}

export interface Page<Row> {
  edges: { readonly cursor: string; node: Row }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; readonly startCursor: string | null; readonly endCursor: string | null };
}

/** Its cursor is made when it is asked for: most documents ask for that of the page's ends alone. */
class Edge<Row> {
  constructor(
    readonly node: Row,
    private readonly keyOf: (row: Row) => CursorValue[],
  ) {}
  get cursor(): string {
    return encodeKey(this.keyOf(this.node));
  }
}

/** Rows as they were read (at most `limit`, from the end when backward) made a page in the list's own order. */
export function toPage<Row>(rows: Row[], request: PageRequest, keyOf: (row: Row) => CursorValue[]): Page<Row> {
  const more = rows.length > request.size;
  const kept = more ? rows.slice(0, request.size) : rows.slice();
  if (request.backward) kept.reverse();
  const edges = kept.map((node) => new Edge(node, keyOf));
  const elsewhere = request.from !== null;
  return {
    edges,
    pageInfo: {
      hasNextPage: request.backward ? elsewhere : more,
      hasPreviousPage: request.backward ? more : elsewhere,
      get startCursor() {
        return edges[0]?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
  };
}

export const emptyPage = <Row>(): Page<Row> => ({ edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null } });
