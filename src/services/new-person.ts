import { randomInt } from 'node:crypto';
import type { Tx } from '../db/unit-of-work.js';
import { newId } from '../lib/ids.js';
import { handleTaken } from './accounts.js';

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const suffix = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');

export interface NewPerson {
  /** The one that was asked for, or HANDLE_TAKEN. */
  handle?: string | null;
  /** What to derive one from, when none was asked for. */
  like?: string | null;
  displayName?: string | null;
  phone?: string | null;
}

/** Makes a person who came without a password. Errors: HANDLE_TAKEN. */
export async function makePerson(tx: Tx, { handle, like, displayName, phone }: NewPerson): Promise<string> {
  const id = newId();
  const insert = async (candidate: string) => {
    const made = await tx.sql(
      'insert into users (id, handle, handle_key, display_name, phone, created_at) values ($1, $2, lower($2), $3, $4, $5) on conflict (handle_key) do nothing returning id',
      [id, candidate, displayName ?? candidate, phone ?? null, tx.now],
    );
    return made.length > 0;
  };
  if (handle != null) {
    if (!(await insert(handle))) throw handleTaken();
    return id;
  }
  const base = like == null ? null : handleLike(like);
  if (base !== null && ((await insert(base)) || (await insert(`${base.slice(0, 26)}_${suffix(5)}`)))) return id;
  while (!(await insert(`user_${suffix(10)}`)));
  return id;
}

/** A handle that looks like a name from elsewhere; null when too little is left of it. */
export function handleLike(name: string): string | null {
  const plain = name.slice(0, 256).normalize('NFKD').replace(/[\u0300-\u036f]/g, '').split('@')[0]!.toLowerCase();
  const handle = plain.replace(/[^a-z0-9_.]+/g, '_').replace(/^[_.]+/, '').slice(0, 32).replace(/[_.]+$/, '');
  return handle.length >= 3 ? handle : null;
}
