export const BUTTON_STYLES = ['DEFAULT', 'PRIMARY', 'DANGER'] as const;
export type ButtonStyle = (typeof BUTTON_STYLES)[number];
export const FORM_FIELD_KINDS = ['TEXT', 'NUMBER', 'CHOICE', 'DATE'] as const;
export type FormFieldKind = (typeof FORM_FIELD_KINDS)[number];

/** A link where it has a URL; else a press of it is told to its bot, with the payload, which nobody else is shown. */
export interface CardButtonRef {
  key: string;
  label: string;
  style: ButtonStyle;
  url: string | null;
  payload: string;
}
/** Bounds of other kinds are null. */
export interface CardFieldRef {
  key: string;
  kind: FormFieldKind;
  label: string;
  hint: string | null;
  required: boolean;
  maxLength: number | null;
  min: number | null;
  max: number | null;
  options: string[];
  multiple: boolean;
  earliest: string | null;
  latest: string | null;
}
export interface CardFormRef {
  submitLabel: string;
  fields: CardFieldRef[];
}
/** What a bot has people press and fill in. */
export interface InteractiveCardRef {
  type: 'interactive';
  heading: string | null;
  rows: CardButtonRef[][];
  form: CardFormRef | null;
}
/** What somebody has filled in, checked against the form: the one that the field's kind says. */
export interface FormValueRef {
  key: string;
  text?: string;
  number?: number;
  choices?: string[];
  date?: string;
}
