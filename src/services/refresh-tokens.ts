import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Sql } from '../db/database.js';

/** A lost answer may be asked again for this long, until its token is used. */
export const LOST_ANSWER_MS = 30_000;

const SHAPE = /^[\w-]{43}$/;

/** A key that all processes of one database share, made by whichever comes first. */
export async function loadServerKey(sql: Sql, name: string): Promise<string> {
  await sql('insert into server_keys (name, value) values ($1, $2) on conflict do nothing', [name, randomBytes(48).toString('base64url')]);
  const [row] = await sql<{ value: string }>('select value from server_keys where name = $1', [name]);
  return row!.value;
}

/**
 * Refresh tokens: 256 bits, base64url. The database keeps their hashes alone, so the answer to a repeated question can't be read from
 * there: a token's successor is derived from the token and a key of the server, and whoever holds neither can't make it.
 */
export class RefreshTokens {
  constructor(private readonly key: string) {}

  first(): string {
    return randomBytes(32).toString('base64url');
  }

  successor(token: string): string {
    return createHmac('sha256', this.key).update(token).digest('base64url');
  }

  hash(token: string): Buffer {
    return createHash('sha256').update(token).digest();
  }

  /** Whether this can be one of ours at all. */
  isWellFormed(token: string): boolean {
    return SHAPE.test(token);
  }
}
