import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { DomainError } from '../../lib/errors.js';
import { cleanPublicKeys, issuerOf, verifyTicket } from './tickets.js';

describe('tickets of partners', () => {
  const now = new Date('2026-05-01T12:00:00Z');
  const seconds = now.getTime() / 1000;
  const pair = generateKeyPairSync('ed25519');
  const publicKeys = cleanPublicKeys([JSON.stringify({ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k' })]);
  const verify = (ticket: string) => verifyTicket(ticket, { issuer: 'app', audience: ['here'], publicKeys, now });
  const sign = (claims: object) => new SignJWT({ iss: 'app', aud: 'here', sub: 'seven', jti: 'one', exp: seconds + 300, ...claims }).setProtectedHeader({ alg: 'EdDSA', kid: 'k' }).sign(pair.privateKey);

  it('that are good say whose they are', async () => {
    const good = await verify(await sign({ name: 'Seven' }));
    assert.deepEqual([good?.externalId, good?.displayName, good?.id], ['seven', 'Seven', 'one']);
  });

  it('end within ten minutes, whatever they say their end is', async () => {
    for (const exp of [seconds - 60, seconds + 3_600, 1e13, 1e300, Number.MAX_VALUE]) assert.equal(await verify(await sign({ exp })), null, String(exp));
  });

  it('that hold anything else are not good, and nothing breaks', () =>
    fc.assert(
      fc.asyncProperty(fc.record({ sub: fc.jsonValue(), jti: fc.jsonValue(), exp: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), name: fc.jsonValue() }, { requiredKeys: [] }), async (claims) => {
        const ticket = await verify(await sign(claims));
        if (ticket) assert.ok(typeof ticket.externalId === 'string' && ticket.expiresAt.getTime() > now.getTime() && ticket.expiresAt.getTime() < now.getTime() + 11 * 60_000);
      }),
      { numRuns: 200 },
    ));

  it('that are no tickets are nobody’s', () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map((text) => Buffer.from(text).toString('base64url')), fc.constantFrom('eyJhbGciOiJub25lIiwia2lkIjoiayJ9', 'eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ'));
    return fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const text = parts.join('.');
        assert.equal(await verify(text), null);
        const issuer = issuerOf(text);
        assert.ok(issuer === null || typeof issuer === 'string');
      }),
      { numRuns: 300 },
    );
  });

  it('keys that are none are refused by code', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.record({ kty: fc.constantFrom('OKP', 'EC', 'RSA', 'oct'), crv: fc.constantFrom('Ed25519', 'P-256', 'X25519'), x: fc.base64String(), y: fc.base64String(), n: fc.base64String(), e: fc.constant('AQAB'), k: fc.base64String(), kid: fc.string() }, { requiredKeys: ['kty'] }).map((key) => JSON.stringify(key))), (text) => {
        try {
          for (const key of cleanPublicKeys([text])) assert.equal(Object.hasOwn(JSON.parse(key) as object, 'd'), false);
        } catch (error) {
          assert.ok(error instanceof DomainError && error.code === 'INVALID_INPUT', String(error));
        }
      }),
      { numRuns: 300 },
    ));
});
