import { invalidInput } from '../lib/errors.js';
import { cleanText } from '../lib/validate.js';

const EMAIL = /^[^\s@<>(),;:\\"[\]]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,188}[\p{L}\p{N}])?$/u;
/** A full stop only inside, so that a handle at the end of a sentence can be mentioned. */
const HANDLE = /^[a-z0-9_][a-z0-9_.]{1,30}[a-z0-9_]$/i;

export const MAX_DISPLAY_NAME_BYTES = 128;
const MAX_DEVICE_BYTES = 128;
const MIN_PASSWORD = 8;
const MAX_PASSWORD = 256;

/** An e-mail address as it is kept: lower case. Whether it exists is found out by writing to it. Throws `INVALID_INPUT`. */
export function cleanEmail(value: string, field = 'email'): string {
  const email = cleanText(value, { field, maxBytes: 254 }).normalize('NFC').toLowerCase();
  if (!EMAIL.test(email)) throw invalidInput(field, 'This is not an e-mail address.');
  return email;
}

/** Throws `INVALID_INPUT`. */
export function cleanHandle(value: string, field = 'handle'): string {
  if (!HANDLE.test(value)) throw invalidInput(field, 'A handle has 3 to 32 of a–z, 0–9, _ and, inside, full stops.');
  return value;
}

/** Throws `INVALID_INPUT`. */
export const cleanDisplayName = (value: string, field = 'displayName'): string => cleanText(value, { field, maxBytes: MAX_DISPLAY_NAME_BYTES });

/** The name of a device, or null. Throws `INVALID_INPUT`. */
export const cleanDevice = (value: string | null | undefined): string | null => (value == null ? null : cleanText(value, { field: 'device', maxBytes: MAX_DEVICE_BYTES }));

/** A password that is being set. In one Unicode form, since keyboards differ in theirs. Throws `INVALID_INPUT`. */
export function newPassword(value: string, field = 'password'): string {
  const password = typedPassword(value, field);
  if (password.length < MIN_PASSWORD) throw invalidInput(field, `A password has ${MIN_PASSWORD} to ${MAX_PASSWORD} characters.`);
  return password;
}

/** A password that is to be compared. Throws `INVALID_INPUT` only for what can be nobody's. */
export function typedPassword(value: string, field = 'password'): string {
  if (value.length > MAX_PASSWORD || !value.isWellFormed()) throw invalidInput(field, `A password has ${MIN_PASSWORD} to ${MAX_PASSWORD} characters.`);
  return value.normalize('NFKC');
}
