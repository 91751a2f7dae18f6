import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import type { OmniTalkError } from '../../sdk/index.js';
import { digest } from '../testkit/digest.js';
import { fails, World } from '../testkit/world.js';

const ISSUER = 'https://id.example.com/';
const AUDIENCE = 'omnitalk-test';

/** A real JWKS endpoint on loopback, with keys made here. */
class Provider {
  readonly keys: JWK[] = [];
  requests = 0;
  #server!: Server;

  async start(): Promise<string> {
    this.#server = createServer((_request, response) => {
      this.requests++;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: this.keys }));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  async addKey(alg: string, kid: string): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    this.keys.push({ ...(await exportJWK(publicKey)), alg, kid, use: 'sig' });
    return privateKey;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

describe('identity: tokens of a partner’s own provider', () => {
  const provider = new Provider();
  let world: World;
  let rsa: CryptoKey;
  let ec: CryptoKey;
  before(async () => {
    rsa = await provider.addKey('RS256', 'one');
    ec = await provider.addKey('ES256', 'two');
    world = await World.start({ settings: { OIDC_JWKS_URL: await provider.start(), OIDC_ISSUER: ISSUER, OIDC_AUDIENCE: AUDIENCE } });
  });
  after(async () => {
    await world.stop();
    await provider.stop();
  });

  const now = () => Math.floor(world.clock.now().getTime() / 1000);
  const claims = (sub: string, more: JWTPayload = {}): JWTPayload => ({ sub, iss: ISSUER, aud: AUDIENCE, iat: now(), exp: now() + 300, ...more });
  const signed = (payload: JWTPayload, key: CryptoKey | Uint8Array = rsa, header: { alg: string; kid?: string } = { alg: 'RS256', kid: 'one' }) =>
    new SignJWT(payload).setProtectedHeader(header).sign(key);
  const signIn = async (token: string, device?: string) => (await world.client().api.signInWithIdentity({ input: { token, ...(device ? { device } : {}) } })).signInWithIdentity;

  it('makes the person at the first sign-in, and finds them at the next', async () => {
    const first = await signIn(await signed(claims('42', { preferred_username: 'Ann.Lee', name: 'Ann Lee', email: 'ann@example.com', email_verified: true })), 'laptop');
    assert.equal(first.user.handle, 'ann.lee');
    assert.equal(first.user.displayName, 'Ann Lee');
    assert.equal(first.session.device, 'laptop');
    const { viewer } = await world.client(first.accessToken).api.viewer();
    assert.deepEqual([viewer!.email, viewer!.emailVerified, viewer!.phone], [null, false, null]);
    const second = await signIn(await signed(claims('42', { preferred_username: 'another', name: 'Another' }), ec, { alg: 'ES256', kid: 'two' }));
    assert.equal(second.user.id, first.user.id);
    assert.equal(second.user.handle, 'ann.lee');
    assert.notEqual(second.session.id, first.session.id);
    await world.client().api.refreshSession({ input: { refreshToken: second.refreshToken } });
  });

  it('never links by e-mail address or by name', async () => {
    const bob = await world.person('Bob');
    const answer = await signIn(await signed(claims('bob', { preferred_username: 'bob', email: 'bob@example.com', email_verified: true })));
    assert.notEqual(answer.user.id, bob.id);
    assert.match(answer.user.handle, /^bob_[a-z2-9]{5}$/);
    assert.deepEqual(await world.sql('select count(*)::int as n from users where email is not null'), [{ n: 1 }]);
  });

  it('ten first sign-ins at once make one person', async () => {
    const token = await signed(claims('crowd', { preferred_username: 'crowd' }));
    const answers = await Promise.all([...Array(10)].map(() => signIn(token)));
    assert.equal(new Set(answers.map((answer) => answer.user.id)).size, 1);
    assert.equal(new Set(answers.map((answer) => answer.session.id)).size, 10);
    assert.deepEqual(await world.sql(`select count(*)::int as n from users where handle like 'crowd%'`), [{ n: 1 }]);
  });

  it('makes a handle and a name where the provider tells none that can be one', async () => {
    for (const [index, more] of [{}, { preferred_username: '李', name: '\u202eevil' }, { preferred_username: 7 as never, name: ['x'] as never }, { name: '\ud800' }].entries()) {
      const { user } = await signIn(await signed(claims(`nameless-${index}`, more)));
      assert.match(user.handle, /^user_[a-z2-9]{10}$/);
      assert.ok(user.displayName === user.handle || user.displayName === '李', user.displayName);
    }
  });

  it('refuses every token that is not the provider’s, for us, and of now; and makes nobody', async () => {
    const stranger = await generateKeyPair('RS256');
    const publicText = new TextEncoder().encode(JSON.stringify(provider.keys[0]));
    const good = await signed(claims('mallory'));
    const [head, , signature] = good.split('.') as [string, string, string];
    const { exp: _exp, ...endless } = claims('mallory');
    const { sub: _sub, ...nobody } = claims('mallory');
    const refused: Record<string, string> = {
      'of another issuer': await signed(claims('mallory', { iss: 'https://evil.example.com/' })),
      'for another audience': await signed(claims('mallory', { aud: 'somebody-else' })),
      'for no audience': await signed(claims('mallory', { aud: [] })),
      'that has expired': await signed(claims('mallory', { exp: now() - 10 })),
      'that is not good yet': await signed(claims('mallory', { nbf: now() + 60 })),
      'without an end': await signed(endless),
      'without a subject': await signed(nobody),
      'with an empty subject': await signed(claims('')),
      'with a subject that can’t be kept': await signed(claims('a\u0000b')),
      'with a huge subject': await signed(claims('x'.repeat(300))),
      'of no algorithm': new UnsecuredJWT(claims('mallory')).encode(),
      'of no algorithm, with a signature': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.${signature}`,
      'signed with another key of that name': await signed(claims('mallory'), stranger.privateKey),
      'signed with a key that nobody knows': await signed(claims('mallory'), stranger.privateKey, { alg: 'RS256', kid: 'three' }),
      'signed with the public key as a secret': await signed(claims('mallory'), publicText, { alg: 'HS256', kid: 'one' }),
      'with other claims than were signed': `${head}.${Buffer.from(JSON.stringify(claims('admin'))).toString('base64url')}.${signature}`,
      'that is no token': 'nonsense',
      'that is empty': '',
      'that is huge': 'x'.repeat(100_000),
      'of ours': (await signIn(await signed(claims('42')))).accessToken,
    };
    const before = await digest(world);
    for (const [what, token] of Object.entries(refused)) {
      const error = await signIn(token).then(() => null, (caught: OmniTalkError) => caught);
      assert.equal(error?.code, 'UNAUTHENTICATED', what);
      assert.equal(error.errors[0]!.extensions?.field, 'token', what);
    }
    assert.deepEqual(await digest(world), before);
  });

  it('a token of the provider is no access token', async () => {
    await fails(world.client(await signed(claims('42'))).api.viewer(), 'UNAUTHENTICATED');
  });

  it('unknown keys don’t make the provider be asked again and again', async () => {
    const before = provider.requests;
    const stranger = await generateKeyPair('ES256');
    const token = await signed(claims('mallory'), stranger.privateKey, { alg: 'ES256', kid: 'unknown' });
    await Promise.all([...Array(20)].map(() => fails(signIn(token), 'UNAUTHENTICATED')));
    assert.equal(provider.requests, before);
  });

  it('a suspended person has no way in', async () => {
    await signIn(await signed(claims('sue', { preferred_username: 'sue' })));
    await world.sql(`update users set suspended_at = now() where handle = 'sue'`);
    const before = await digest(world);
    await fails(signIn(await signed(claims('sue'))), 'FORBIDDEN');
    assert.deepEqual(await digest(world), before);
  });
});

describe('identity: without a provider', () => {
  it('none is set: no token is taken', async () => {
    const world = await World.start();
    try {
      await fails(world.client().api.signInWithIdentity({ input: { token: 'a.b.c' } }), 'UNAUTHENTICATED', 'token');
    } finally {
      await world.stop();
    }
  });

  it('it is away: the caller may try again', async () => {
    const provider = new Provider();
    const key = await provider.addKey('ES256', 'one');
    const url = await provider.start();
    await provider.stop();
    const world = await World.start({ settings: { OIDC_JWKS_URL: url, OIDC_ISSUER: ISSUER, OIDC_AUDIENCE: AUDIENCE } });
    try {
      const token = await new SignJWT({ sub: '1', iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 60 }).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(key);
      const error = await fails(world.client().api.signInWithIdentity({ input: { token } }), 'UNAVAILABLE');
      assert.equal(error.errors[0]!.extensions?.retryAfter, 5);
      assert.deepEqual(await world.sql('select count(*)::int as n from users'), [{ n: 0 }]);
    } finally {
      await world.stop();
    }
  });
});
