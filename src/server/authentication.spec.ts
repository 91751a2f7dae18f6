import assert from 'node:assert/strict';
import type { SessionGate } from '../services/session-gate.js';
import type { AccessTokens } from '../services/tokens.js';
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
