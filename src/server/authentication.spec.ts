import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import type { SessionGate } from '../services/session-gate.js';
import { AccessTokens } from '../services/tokens.js';
import { Authentication } from './authentication.js';

describe('Authentication by an API key', () => {
  const now = new Date('2026-05-01T12:00:00Z');
  const inHours = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);

  for (const [key, expiresAt, until] of [['that has no end', null, inHours(24)], ['that ends next year', inHours(8_760), inHours(24)], ['that ends in an hour', inHours(1), inHours(1)]] as const) {
    it(`lets a connection by one ${key} stand for a day at the most, and no longer than the key`, async () => {
      const gate = { check: async (actor) => actor } as Pick<SessionGate, 'check'> as SessionGate;
      const authentication = new Authentication({} as AccessTokens, gate, { verifyKey: async () => ({ userId: 'u', sessionId: 's', expiresAt }) }, () => now);
      const authenticated = await authentication.authenticate(`Bearer otk_${'a'.repeat(43)}`);
      assert.deepEqual([authenticated?.viewer?.userId, authenticated?.expiresAt], ['u', until]);
    });
  }
});

describe('Authorization', () => {
  const now = new Date('2026-05-01T12:00:00Z');
  const tokens = new AccessTokens('a secret of some length, or more than that', 900, { now: () => now });
  const gate = { check: async (actor) => actor } as Pick<SessionGate, 'check'> as SessionGate;
  const authentication = new Authentication(tokens, gate, { verifyKey: async () => null }, () => now);
  const good = tokens.sign({ userId: '0199f0a0-0000-7000-8000-000000000000', sessionId: '0199f0a0-0000-7000-8000-000000000001', role: 'USER' }).accessToken;

  it('that this server has not signed is refused by code, whatever it is', () => {
    const changed = fc.tuple(fc.nat(good.length - 1), fc.constantFrom(...'aZ09-_.', '')).map(([at, by]) => good.slice(0, at) + by + good.slice(at + 1));
    const part = fc.oneof(fc.base64String(), fc.json().map((text) => Buffer.from(text).toString('base64url')), fc.constantFrom('eyJhbGciOiJub25lIn0', 'eyJhbGciOiJIUzI1NiJ9', ''));
    const token = fc.oneof(changed, fc.tuple(part, part, part).map((parts) => parts.join('.')), fc.string(), fc.constant(`otk_${'a'.repeat(43)}`));
    return fc.assert(
      fc.asyncProperty(fc.oneof(token.map((text) => `Bearer ${text}`), fc.string({ minLength: 1 }), fc.jsonValue().filter((value) => value !== null && value !== '')), async (given) => {
        const error = await authentication.authenticate(given).then((found) => found, (caught: unknown) => caught);
        if (given === `Bearer ${good}`) return assert.equal((error as { viewer: { role: string } }).viewer.role, 'USER');
        // The last character of a signature holds bits that say nothing: a token that differs in them alone is the same one.
        if (error !== null && !(error instanceof Error)) return assert.equal(Buffer.compare(signatureOf(String(given)), signatureOf(good)), 0);
        assert.ok(error instanceof DomainError && error.code === 'UNAUTHENTICATED', String(error));
      }),
      { numRuns: 500 },
    );
  });
});

const signatureOf = (token: string): Buffer => Buffer.from(token.split('.')[2] ?? '', 'base64url');
