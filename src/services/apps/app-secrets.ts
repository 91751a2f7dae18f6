import { createHash, randomBytes } from 'node:crypto';

/** Texts that say what they are, so that a scanner of repositories finds one that was let slip. */
const PREFIX = { key: 'otk_', secret: 'ots_', code: 'otc_' } as const;

export const newToken = (kind: keyof typeof PREFIX): string => PREFIX[kind] + randomBytes(32).toString('base64url');
/** 256 bits at random need no slow hash. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
export const isApiKey = (token: string): boolean => /^otk_[\w-]{43}$/.test(token);
/** Of PKCE (RFC 7636), by S256. */
export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');
