import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { USER_ROLES } from '../entities/user.js';
import type { Clock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';
import type { Actor } from './actor.js';
import type { Guest } from './calls/caller.js';

const ISSUER = 'omnitalk';
const KEPT = 20_000;
const BOT_TOKEN_SECONDS = 10 * 365 * 86_400;
/** Of join tokens: good for one call, and for nothing else. */
const GUEST_ISSUER = 'omnitalk-call';
const claimsShape = z.object({ sub: z.uuid(), sid: z.uuid(), role: z.enum(USER_ROLES), exp: z.number() });
const guestShape = z.object({ iss: z.literal(GUEST_ISSUER), tid: z.uuid(), cid: z.uuid(), exp: z.number() });

/** Whose token it is: one of the two. */
export interface VerifiedToken {
  actor: Actor | null;
  guest: Guest | null;
  expiresAt: Date;
}

/**
 * Signs and checks access tokens: JWT (RFC 7519) with HS256 and nothing else, whatever a token says of itself. The key is prepared
 * once: preparing it costs fifty times a check. A new secret makes every access token UNAUTHENTICATED at once; sessions stand, and
 * their refresh tokens, which it does not sign, fetch new ones.
 */
export class AccessTokens {
  readonly #key: KeyObject;
  /** Tokens whose signature was found good: it stays so. */
  readonly #good = new LRUCache<string, VerifiedToken>({ max: KEPT });

  constructor(
    secret: string,
    readonly ttlSeconds: number,
    private readonly clock: Clock,
  ) {
    this.#key = createSecretKey(Buffer.from(secret));
  }

  sign(actor: Pick<Actor, 'userId' | 'sessionId' | 'role'>): { accessToken: string; accessTokenExpiresAt: Date } {
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const exp = now + this.ttlSeconds;
    const accessToken = jwt.sign({ sub: actor.userId, sid: actor.sessionId, role: actor.role, iat: now, exp, iss: ISSUER }, this.#key, { algorithm: 'HS256' });
    return { accessToken, accessTokenExpiresAt: new Date(exp * 1000) };
  }

  /** The token of a bot: good for as long as its session stands. */
  signForBot(botId: string, sessionId: string, madeAt: Date): string {
    const iat = Math.floor(madeAt.getTime() / 1000);
    return jwt.sign({ sub: botId, sid: sessionId, role: 'USER', iat, exp: iat + BOT_TOKEN_SECONDS, iss: ISSUER }, this.#key, { algorithm: 'HS256' });
  }

  /** A join token of a call. Whether it was revoked stands in the database. */
  signGuest({ tokenId, callId }: Guest, expiresAt: Date): string {
    return jwt.sign({ tid: tokenId, cid: callId, iss: GUEST_ISSUER, iat: Math.floor(this.clock.now().getTime() / 1000), exp: Math.floor(expiresAt.getTime() / 1000) }, this.#key, { algorithm: 'HS256' });
  }

  /** Throws `TOKEN_EXPIRED`, or `UNAUTHENTICATED` for everything that this server has not signed. */
  verify(token: string): VerifiedToken {
    const known = this.#good.get(token);
    if (known && known.expiresAt > this.clock.now()) return known;
    const verified = this.#verify(token);
    this.#good.set(token, verified);
    return verified;
  }

  #verify(token: string): VerifiedToken {
    let claims: unknown;
    try {
      claims = jwt.verify(token, this.#key, { algorithms: ['HS256'], issuer: [ISSUER, GUEST_ISSUER], clockTimestamp: Math.floor(this.clock.now().getTime() / 1000) });
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) throw new DomainError('TOKEN_EXPIRED', 'The access token has expired: refresh the session.');
      throw new DomainError('UNAUTHENTICATED', 'The access token is not valid.');
    }
    const guest = guestShape.safeParse(claims);
    if (guest.success) return { actor: null, guest: { tokenId: guest.data.tid, callId: guest.data.cid }, expiresAt: new Date(guest.data.exp * 1000) };
    const parsed = claimsShape.safeParse(claims);
    if (!parsed.success) throw new DomainError('UNAUTHENTICATED', 'The access token is not valid.');
    const { sub, sid, role, exp } = parsed.data;
    return { actor: { userId: sub, sessionId: sid, role }, guest: null, expiresAt: new Date(exp * 1000) };
  }
}
