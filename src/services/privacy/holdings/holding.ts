import type { StepName } from '../erasure-steps.js';

/** What one room has of people in one table: what they are given of it, and what becomes of it when they are erased. */
export interface Holding {
  table: string;
  /** The columns that say whose it is, or name somebody. A spec finds those that are declared nowhere. */
  columns: readonly string[];
  /** What the person is given: one statement ($1: the person). Null: `why` says why not. */
  exported: string | null;
  /** When the person is erased: one statement ($1: the person), a step of its own, or null: it is kept, by a row of `users` that names nobody any more. */
  erased: string | { step: StepName } | null;
  /** Why it is kept, or kept from the copy; or what else should be known. */
  why: string;
}

export const rowsOf = (table: string, column: string): string => `delete from ${table} where ${column} = $1`;
