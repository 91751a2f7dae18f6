import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';

/** Signatures by a key pair alone: with a shared secret, the public key could be taken for it. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const MAX_TOKEN_LENGTH = 16_384;
const MAX_SUBJECT_LENGTH = 255;
/** Clocks of two houses differ a little. */
const CLOCK_TOLERANCE_SECONDS = 5;
const FETCH_TIMEOUT_MS = 5_000;
/** Tokens with unknown keys make us look for new ones at most this often, whoever sends them. */
const COOLDOWN_MS = 30_000;
const KEYS_KEPT_MS = 600_000;

export interface IdentityProviderOptions {
  jwksUrl: string;
  issuer: string;
  audience: string;
}

/** Somebody as the provider knows them. Nothing here is a proof of an e-mail address or a phone number. */
export interface Identity {
  issuer: string;
  subject: string;
  username: string | null;
  name: string | null;
}

/** A partner's own identity provider: its ID tokens (OpenID Connect Core, section 3.1.3.7), checked against its published keys. */
export class IdentityProvider {
  readonly #keys: JWTVerifyGetKey;

  constructor(
    private readonly options: IdentityProviderOptions,
    private readonly clock: Clock,
  ) {
    this.#keys = createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: FETCH_TIMEOUT_MS, cooldownDuration: COOLDOWN_MS, cacheMaxAge: KEYS_KEPT_MS });
  }

  /** Throws `UNAUTHENTICATED` for what is not a token of this provider, for us, and of now; `UNAVAILABLE` when its keys can't be had. */
  async verify(token: string): Promise<Identity> {
    if (token.length > MAX_TOKEN_LENGTH) throw refused();
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer: this.options.issuer,
      audience: this.options.audience,
      algorithms: ALGORITHMS,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: this.clock.now(),
    }).catch((error: unknown) => {
      throw isAboutTheToken(error) ? refused() : new DomainError('UNAVAILABLE', 'The identity provider does not answer; try again.', { retryAfter: 5 });
    });
    const subject = payload.sub;
    if (typeof subject !== 'string' || !isPlain(subject)) throw refused();
    return { issuer: this.options.issuer, subject, username: textOf(payload['preferred_username']), name: textOf(payload['name']) };
  }
}

const refused = (): DomainError => new DomainError('UNAUTHENTICATED', 'This is not a valid token of the identity provider.', { field: 'token' });

/** Everything that jose says of a token is; what it says of fetching keys, and what it does not say itself, is not. */
const isAboutTheToken = (error: unknown): boolean =>
  error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && !(error instanceof errors.JWKSInvalid) && error.code !== 'ERR_JOSE_GENERIC';

const isPlain = (text: string): boolean => text.length > 0 && text.length <= MAX_SUBJECT_LENGTH && text.isWellFormed() && !text.includes('\0');
const textOf = (claim: unknown): string | null => (typeof claim === 'string' && claim.trim() !== '' ? claim : null);
