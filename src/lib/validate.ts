import { invalidInput } from './errors.js';

/* eslint-disable no-control-regex -- naming control characters is the point */
/** C0 and C1 controls, tab and line feed aside. */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
/** What a one-line name must not hold either: line breaks, and bidirectional overrides, which can disguise it. */
const NOT_IN_A_LINE = /[\n\t\u202a-\u202e\u2066-\u2069]/;
/* eslint-enable no-control-regex */

export interface TextRules {
  field: string;
  /** In UTF-8 bytes. */
  maxBytes: number;
  /** After trimming, in characters; 1 unless told. */
  minLength?: number;
  /** Line feeds and tabs are allowed. */
  multiline?: boolean;
}

/** A text as it may be stored: well-formed Unicode, no control characters, trimmed, CRLF made LF. Throws `INVALID_INPUT`. */
export function cleanText(value: string, { field, maxBytes, minLength = 1, multiline = false }: TextRules): string {
  // The byte length is at least the number of UTF-16 units, so a huge string is refused before anything walks it.
  if (value.length > maxBytes) throw invalidInput(field, `${field} is longer than ${maxBytes} bytes.`);
  if (!value.isWellFormed()) throw invalidInput(field, `${field} holds a lone surrogate: it is not well-formed Unicode.`);
  const text = (value.includes('\r') ? value.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : value).trim();
  if (CONTROLS.test(text) || (!multiline && NOT_IN_A_LINE.test(text))) throw invalidInput(field, `${field} holds control characters.`);
  if (text.length < minLength) throw invalidInput(field, minLength === 1 ? `${field} is empty.` : `${field} is shorter than ${minLength} characters.`);
  if (Buffer.byteLength(text) > maxBytes) throw invalidInput(field, `${field} is longer than ${maxBytes} bytes.`);
  return text;
}

/** An integer within bounds, both included. Throws `INVALID_INPUT`. */
export function boundedInt(value: number, field: string, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw invalidInput(field, `${field} is an integer from ${min} to ${max}.`);
  return value;
}

/** The caller's idempotency key: 1 to 128 visible ASCII characters. */
export function checkIdempotencyKey(key: string): string {
  if (!/^[\x21-\x7e]{1,128}$/.test(key)) throw invalidInput('idempotencyKey', 'idempotencyKey is 1 to 128 visible ASCII characters.');
  return key;
}

/** The distinct values in their first order. Throws `INVALID_INPUT` when more than `max` are given. */
export function distinct<T>(values: readonly T[], field: string, max: number): T[] {
  if (values.length > max) throw invalidInput(field, `${field} holds more than ${max} items.`);
  return [...new Set(values)];
}

const MAX_URL_BYTES = 2_048;

/** An address of the web (http or https, without credentials), as it was given. Throws `INVALID_INPUT`. */
export function cleanUrl(value: string, field: string): string {
  const text = cleanText(value, { field, maxBytes: MAX_URL_BYTES });
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) throw invalidInput(field, `${field} is not an http(s) address.`);
  return text;
}
