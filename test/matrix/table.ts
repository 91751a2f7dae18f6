import { ERROR_CODES } from '../../src/lib/errors.js';

/**
 * Who asks. `expired` is the owner with a token whose time is over; `blocked` is blocked by the owner; `exMember` has left the chat and the group, of
 * which `member` is a plain member and `admin` an administrator; `moderator` has that role for the whole place and is in neither; all is the owner's.
 */
export const ROLES = ['nobody', 'expired', 'stranger', 'blocked', 'exMember', 'member', 'admin', 'moderator', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** What is answered: `ok`, `null` (there is no such thing, for this person), `-` (a list with nothing in it), or the code of the error. */
export type Expectations = ReadonlyMap<string, Record<Role, string>>;

const SHORT: Readonly<Record<string, string>> = { UNAUTHENTICATED: 'sign-in', TOKEN_EXPIRED: 'expired', STATE_CONFLICT: 'conflict', INVALID_INPUT: 'invalid' };
const CODES = new Map(ERROR_CODES.map((code) => [shorten(code), code]));
const ANSWERS = new Set(['ok', 'null', '-', ...CODES.keys()]);

/** A code as the tables write it: not-found, forbidden, sign-in. */
export function shorten(code: string): string {
  return SHORT[code] ?? code.toLowerCase().replaceAll('_', '-');
}

/** Reads a table: a line a field, a column a role in the order of ROLES. */
export function table(text: string): Expectations {
  const rows = new Map<string, Record<Role, string>>();
  for (const line of text.trim().split('\n')) {
    const [field, ...cells] = line.trim().split(/\s+/);
    if (field === 'field') continue;
    const wrong = cells.filter((cell) => !ANSWERS.has(cell));
    if (cells.length !== ROLES.length || wrong.length || rows.has(field!)) throw new Error(`The row of ${field} has ${cells.length} of ${ROLES.length} columns, or no answers (${wrong.join(' ')}), or is there twice.`);
    rows.set(field!, Object.fromEntries(ROLES.map((role, index) => [role, cells[index]!])) as Record<Role, string>);
  }
  return rows;
}

/** How a row is written. */
export function row(field: string, answers: Readonly<Record<Role, string>>): string {
  return [field.padEnd(30), ...ROLES.map((role) => answers[role].padEnd(11))].join(' ').trimEnd();
}
