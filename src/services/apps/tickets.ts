import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { decodeProtectedHeader, errors, importJWK, jwtVerify, type JWK } from 'jose';
import { invalidInput } from '../../lib/errors.js';
import { distinct } from '../../lib/validate.js';

const MAX_KEYS = 4;
const MAX_KEY_BYTES = 4_096;
const MIN_RSA_BITS = 2_048;
const MAX_ID_BYTES = 200;
const MAX_TICKET_LENGTH = 8_192;
const MAX_TICKET_MS = 10 * 60_000;
/** Clocks of two houses differ a little. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** By the kind of key: signatures by a key pair alone, and what fits the key, whatever a ticket says of itself (RFC 8725, 3.1). EdDSA has two names (RFC 9864). */
const ALGORITHMS_OF: Readonly<Record<string, readonly string[]>> = { 'OKP Ed25519': ['EdDSA', 'Ed25519'], 'EC P-256': ['ES256'], RSA: ['RS256'] };

/** What a partner's server says of one of its own users: good once, until then. */
export interface Ticket {
  externalId: string;
  displayName: string | null;
  id: string;
  expiresAt: Date;
}

/**
 * Public keys (JWK, RFC 7517) as they are kept: each with a `kid` of its own; of what else stands in them, nothing. Ed25519, P-256, and RSA from 2,048 bits on.
 * Errors: INVALID_INPUT, also for a private key, which is nobody's to send.
 */
export function cleanPublicKeys(given: readonly string[]): string[] {
  const kept = distinct(given, 'publicKeys', MAX_KEYS).map(cleanPublicKey);
  if (new Set(kept.map(({ kid }) => kid)).size < kept.length) throw invalidInput('publicKeys', 'publicKeys have a kid of their own each.');
  return kept.map((key) => JSON.stringify(key));
}

function cleanPublicKey(text: string): JWK & { kid: string } {
  const wrong = (why: string) => invalidInput('publicKeys', `publicKeys holds ${why}.`);
  if (text.length > MAX_KEY_BYTES) throw wrong(`a key of more than ${MAX_KEY_BYTES} characters`);
  let key: Record<string, unknown>;
  let made;
  try {
    key = JSON.parse(text) as Record<string, unknown>;
    made = createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
  } catch {
    throw wrong('what is no public key as JWK');
  }
  if ('d' in key) throw wrong('a private key: keep it, make another, and send only its public half');
  const { kid } = key;
  if (typeof kid !== 'string' || !/^[\x21-\x7e]{1,100}$/.test(kid)) throw wrong('a key without a kid of 1 to 100 visible ASCII characters');
  const jwk = made.export({ format: 'jwk' });
  if (algorithmsOf(jwk as JWK) === undefined || (made.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS) throw wrong('a key that is neither Ed25519, nor P-256, nor RSA of 2,048 bits');
  return { ...(jwk as JWK), kid };
}

const algorithmsOf = ({ kty, crv }: JWK): readonly string[] | undefined => ALGORITHMS_OF[[kty, crv].filter(Boolean).join(' ')];

/** Which app a ticket says that it is of, before anybody believes it; null: it says nothing of the sort. */
export function issuerOf(ticket: string): string | null {
  if (ticket.length > MAX_TICKET_LENGTH) return null;
  try {
    const { iss } = JSON.parse(Buffer.from(ticket.split('.')[1] ?? '', 'base64url').toString()) as { iss?: unknown };
    return typeof iss === 'string' ? iss : null;
  } catch {
    return null;
  }
}

/**
 * Checks a ticket, a JWT (RFC 7519) as RFC 7523 has it: signed by one of the app's keys, by its `kid`; `iss` the app, `aud` this server, `sub` the partner's own id of the user, `exp` within ten minutes, `jti` its
 * own; `name` for a user who is new. Null: it is not good. Whether it was used is for the caller to see.
 */
export async function verifyTicket(ticket: string, { issuer, audience, publicKeys, now }: { issuer: string; audience: string[]; publicKeys: readonly string[]; now: Date }): Promise<Ticket | null> {
  try {
    const { kid } = decodeProtectedHeader(ticket);
    const key = publicKeys.map((text) => JSON.parse(text) as JWK).find((one) => one.kid === kid);
    const algorithms = key && algorithmsOf(key);
    if (!algorithms) return null;
    const { payload } = await jwtVerify(ticket, await importJWK(key, algorithms[0]), { algorithms: [...algorithms], issuer, audience, requiredClaims: ['sub', 'exp', 'jti'], clockTolerance: CLOCK_TOLERANCE_SECONDS, currentDate: now });
    const { sub, jti, name } = payload;
    const expiresAt = new Date(payload.exp! * 1000);
    // An end that is no time is none.
    const soon = expiresAt.getTime() <= now.getTime() + MAX_TICKET_MS + CLOCK_TOLERANCE_SECONDS * 1000;
    if (!isPlain(sub) || !isPlain(jti) || !soon) return null;
    return { externalId: sub, displayName: typeof name === 'string' ? name : null, id: jti, expiresAt: new Date(expiresAt.getTime() + CLOCK_TOLERANCE_SECONDS * 1000) };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}

const isPlain = (text: unknown): text is string => typeof text === 'string' && text.trim() !== '' && Buffer.byteLength(text) <= MAX_ID_BYTES && text.isWellFormed() && !text.includes('\0');
