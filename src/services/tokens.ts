import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { Sql } from '../db/database.js';
import type { Clock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';
import type { Actor } from './actor.js';

const ISSUER = 'omnitalk';
const claimsShape = z.object({ sub: z.uuid(), sid: z.uuid(), role: z.enum(['USER', 'MODERATOR', 'ADMIN']), exp: z.number() });

export interface VerifiedToken {
  actor: Actor;
  expiresAt: Date;
}

/** The secret that access tokens are signed with, made once for all processes of one database. */
export async function loadTokenSecret(sql: Sql): Promise<string> {
  await sql(`insert into server_keys (name, value) values ('access-token', $1) on conflict do nothing`, [randomBytes(48).toString('base64url')]);
  const [row] = await sql<{ value: string }>(`select value from server_keys where name = 'access-token'`);
  return row!.value;
}

/** Signs and checks access tokens: JWT (RFC 7519) with HS256. The key is prepared once: preparing it costs fifty times a check. */
export class AccessTokens {
  readonly #key: KeyObject;

  constructor(
    secret: string,
    private readonly ttlSeconds: number,
    private readonly clock: Clock,
  ) {
    this.#key = createSecretKey(Buffer.from(secret));
  }

  sign(actor: Actor): { accessToken: string; accessTokenExpiresAt: Date } {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const exp = now + this.ttlSeconds;
    const accessToken = jwt.sign({ sub: actor.userId, sid: actor.sessionId, role: actor.role, iat: now, exp, iss: ISSUER }, this.#key, { algorithm: 'HS256' });
    return { accessToken, accessTokenExpiresAt: new Date(exp * 1000) };
  }

  /** Throws `TOKEN_EXPIRED`, or `UNAUTHENTICATED` for everything that this server has not signed. */
  verify(token: string): VerifiedToken {
    let claims: unknown;
    try {
      claims = jwt.verify(token, this.#key, { algorithms: ['HS256'], issuer: ISSUER, clockTimestamp: Math.floor(this.clock.now().getTime() / 1000) });
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) throw new DomainError('TOKEN_EXPIRED', 'The access token has expired: refresh the session.');
      throw new DomainError('UNAUTHENTICATED', 'The access token is not valid.');
    }
    const parsed = claimsShape.safeParse(claims);
    if (!parsed.success) throw new DomainError('UNAUTHENTICATED', 'The access token is not valid.');
    const { sub, sid, role, exp } = parsed.data;
    return { actor: { userId: sub, sessionId: sid, role }, expiresAt: new Date(exp * 1000) };
  }
}
