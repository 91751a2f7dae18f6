import type { ButtonStyle, CardButtonRef, CardFieldRef, CardFormRef, FormFieldKind, FormValueRef, InteractiveCardRef } from '../../entities/bot-card.js';
import { invalidInput } from '../../lib/errors.js';
import { boundedInt, cleanText, cleanUrl, distinct } from '../../lib/validate.js';

const MAX_ROWS = 8;
const MAX_BUTTONS_A_ROW = 8;
const MAX_FIELDS = 10;
const MAX_OPTIONS = 25;
const MAX_LABEL_BYTES = 128;
const MAX_HEADING_BYTES = 256;
const MAX_HINT_BYTES = 256;
const MAX_PAYLOAD_BYTES = 256;
const MAX_VALUE_LENGTH = 4_000;
const DEFAULT_VALUE_LENGTH = 1_000;
/** Of all of it, as it is kept. */
const MAX_CARD_BYTES = 32 * 1024;

export interface NewButton {
  key: string;
  label: string;
  style: ButtonStyle;
  url: string | null;
  payload: string | null;
}
export type NewField = Omit<CardFieldRef, 'options'> & { options: string[] | null };
export interface NewCard {
  heading: string | null;
  rows: NewButton[][];
  form: { submitLabel: string; fields: NewField[] } | null;
}
/** A value of a form, as it is sent in. */
export interface GivenValue {
  key: string;
  text: string | null;
  number: number | null;
  choices: string[] | null;
  date: string | null;
}

/** Every word of a card that people read, for the rules of a chat. */
export const wordsOfCard = ({ heading, rows, form }: InteractiveCardRef): (string | null)[] => [
  heading, ...rows.flat().map(({ label }) => label), ...(form ? [form.submitLabel, ...form.fields.flatMap(({ label, hint, options }) => [label, hint, ...options])] : []),
];

/** Throws INVALID_INPUT. `empty`: there may be nothing to press any more. */
export function cleanCard(given: NewCard, empty: boolean): InteractiveCardRef {
  const heading = given.heading === null ? null : cleanText(given.heading, { field: 'card.heading', maxBytes: MAX_HEADING_BYTES });
  if (given.rows.length > MAX_ROWS) throw invalidInput('card.rows', `A card has at most ${MAX_ROWS} rows of buttons.`);
  const rows = given.rows.map(cleanRow);
  assertDifferent(rows.flat(), 'card.rows', 'buttons');
  const form = given.form && cleanForm(given.form);
  if (!empty && !rows.length && !form) throw invalidInput('card', 'A card has buttons, or a form.');
  const card: InteractiveCardRef = { type: 'interactive', heading, rows, form };
  if (Buffer.byteLength(JSON.stringify(card)) > MAX_CARD_BYTES) throw invalidInput('card', `A card is larger than ${MAX_CARD_BYTES} bytes.`);
  return card;
}

function cleanRow(row: NewButton[]): CardButtonRef[] {
  const field = 'card.rows';
  if (!row.length || row.length > MAX_BUTTONS_A_ROW) throw invalidInput(field, `A row has 1 to ${MAX_BUTTONS_A_ROW} buttons.`);
  return row.map(({ key, label, style, url, payload }) => {
    if (url !== null && payload !== null) throw invalidInput(field, 'A button has a url or a payload, not both.');
    return { key: cleanKey(key, field), label: cleanText(label, { field, maxBytes: MAX_LABEL_BYTES }), style, url: url === null ? null : cleanUrl(url, field), payload: cleanPayload(payload ?? '', field) };
  });
}

/** Opaque: as it was given, if PostgreSQL can keep it. */
function cleanPayload(payload: string, field: string): string {
  if (payload.length > MAX_PAYLOAD_BYTES || Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) throw invalidInput(field, `A payload is longer than ${MAX_PAYLOAD_BYTES} bytes.`);
  if (!payload.isWellFormed() || payload.includes('\0')) throw invalidInput(field, 'A payload is well-formed Unicode without NUL.');
  return payload;
}

function cleanKey(key: string, field: string): string {
  if (!/^[\x21-\x7e]{1,64}$/.test(key)) throw invalidInput(field, 'A key is 1 to 64 visible ASCII characters.');
  return key;
}

function assertDifferent(items: readonly { key: string }[], field: string, what: string): void {
  if (new Set(items.map(({ key }) => key)).size < items.length) throw invalidInput(field, `Two ${what} have the same key.`);
}

function cleanForm({ submitLabel, fields }: { submitLabel: string; fields: NewField[] }): CardFormRef {
  const field = 'card.form';
  if (!fields.length || fields.length > MAX_FIELDS) throw invalidInput(field, `A form has 1 to ${MAX_FIELDS} fields.`);
  assertDifferent(fields, field, 'fields');
  return { submitLabel: cleanText(submitLabel, { field, maxBytes: MAX_LABEL_BYTES }), fields: fields.map(cleanField) };
}

/** Which bounds a field of each kind has. */
const BOUNDS: Readonly<Record<FormFieldKind, readonly (keyof NewField)[]>> = { TEXT: ['maxLength'], NUMBER: ['min', 'max'], CHOICE: ['options', 'multiple'], DATE: ['earliest', 'latest'] };
const ALL_BOUNDS = Object.values(BOUNDS).flat();

function cleanField(given: NewField): CardFieldRef {
  const field = 'card.form';
  const foreign = ALL_BOUNDS.find((bound) => !BOUNDS[given.kind].includes(bound) && given[bound] !== null && given[bound] !== false);
  if (foreign) throw invalidInput(field, `A field of the kind ${given.kind} has no ${foreign}.`);
  const maxLength = given.kind === 'TEXT' ? boundedInt(given.maxLength ?? DEFAULT_VALUE_LENGTH, field, 1, MAX_VALUE_LENGTH) : null;
  const options = distinct(given.options ?? [], field, MAX_OPTIONS).map((option) => cleanText(option, { field, maxBytes: MAX_LABEL_BYTES }));
  if (given.kind === 'CHOICE' && (!options.length || new Set(options).size < given.options!.length)) throw invalidInput(field, `A choice has 1 to ${MAX_OPTIONS} options, all different.`);
  for (const date of [given.earliest, given.latest]) if (date !== null && !isDate(date)) throw invalidInput(field, 'A date is written as 2026-01-31.');
  if ((given.min !== null && given.max !== null && given.min > given.max) || (given.earliest !== null && given.latest !== null && given.earliest > given.latest)) throw invalidInput(field, 'Nothing is within these bounds.');
  const hint = given.hint === null ? null : cleanText(given.hint, { field, maxBytes: MAX_HINT_BYTES });
  return { ...given, key: cleanKey(given.key, field), label: cleanText(given.label, { field, maxBytes: MAX_LABEL_BYTES }), hint, maxLength, options };
}

/** A day of the calendar, as 2026-01-31. */
function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;
}

/** What was filled in, in the order of the fields: what is left empty and may be is left out. Throws INVALID_INPUT with `values.<key>`. */
export function cleanValues({ fields }: CardFormRef, given: readonly GivenValue[]): FormValueRef[] {
  if (given.length > MAX_FIELDS) throw invalidInput('values', 'There are more values than the form has fields.');
  assertDifferent(given, 'values', 'values');
  if (given.some(({ key }) => !fields.some((field) => field.key === key))) throw invalidInput('values', 'The form has no such field.');
  return fields.flatMap((field) => {
    const value = cleanValue(field, given.find(({ key }) => key === field.key));
    if (!value && field.required) throw invalidInput(`values.${field.key}`, `${field.label} is required.`);
    return value ? [{ key: field.key, ...value }] : [];
  });
}

const PART = { TEXT: 'text', NUMBER: 'number', CHOICE: 'choices', DATE: 'date' } as const;

/** Null: nothing was filled in. */
function cleanValue(field: CardFieldRef, given: GivenValue | undefined): Omit<FormValueRef, 'key'> | null {
  const name = `values.${field.key}`;
  if (!given) return null;
  const { key: _key, ...parts } = given;
  const own = PART[field.kind];
  if (Object.entries(parts).some(([part, value]) => part !== own && value !== null)) throw invalidInput(name, `${field.label} is given as ${own}.`);
  const value = parts[own];
  if (value === null || value === '' || (Array.isArray(value) && !value.length)) return null;
  switch (own) {
    case 'text': {
      const text = cleanText(given.text!, { field: name, maxBytes: 4 * field.maxLength!, minLength: 0, multiline: true });
      if ([...text].length > field.maxLength!) throw invalidInput(name, `${field.label} is longer than ${field.maxLength} characters.`);
      return text ? { text } : null;
    }
    case 'number':
      if (given.number! < (field.min ?? -Infinity) || given.number! > (field.max ?? Infinity)) throw invalidInput(name, `${field.label} is out of its bounds.`);
      return { number: given.number! };
    case 'choices': {
      const choices = distinct(given.choices!, name, MAX_OPTIONS);
      if (!choices.every((choice) => field.options.includes(choice))) throw invalidInput(name, `${field.label} has no such option.`);
      if (choices.length > 1 && !field.multiple) throw invalidInput(name, `${field.label} takes one option.`);
      return { choices };
    }
    case 'date':
      if (!isDate(given.date!) || given.date! < (field.earliest ?? '') || given.date! > (field.latest ?? '9999-12-31')) throw invalidInput(name, `${field.label} is a day within its bounds, written as 2026-01-31.`);
      return { date: given.date! };
  }
}
