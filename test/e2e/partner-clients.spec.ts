import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import * as oauth from 'oauth4webapi';
import { signedInAgain } from '../testkit/news.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const insecure = { [oauth.allowInsecureRequests]: true } as const;
const WHO = '{ viewer { user { id displayName } } }';
const LOOPBACK = 'http://127.0.0.1/back?from=omnitalk';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('how partners come in', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let server: oauth.AuthorizationServer;
  before(async () => {
    world = await World.start({ settings: { ACCESS_TOKEN_TTL: '86400' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    const issuer = new URL(world.app.url);
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  });
  after(() => world.stop());

  const create = async (confidential: boolean, scopes = ['profile:read']) => (await ann.api.createApp({ input: { name: 'On a phone', redirectUris: [LOOPBACK], scopes, confidential, idempotencyKey: world.key() } })).createApp;
  const who = async (token: string) => (await world.client(token).request<{ viewer: { user: { id: string; displayName: string } } }, Record<string, unknown>>(WHO, {})).viewer.user;
  /** Bob says yes to an app, which is sent the code at `redirectUri`; the token endpoint's answer to it. */
  const exchange = async (clientId: string, redirectUri: string, auth: oauth.ClientAuth, mend = (verifier: string) => verifier) => {
    const verifier = oauth.generateRandomCodeVerifier();
    const { redirectTo } = (await bob.api.authorizeApp({ input: { clientId, redirectUri, scopes: ['profile:read'], codeChallenge: await oauth.calculatePKCECodeChallenge(verifier), state: 's' } })).authorizeApp;
    const parameters = oauth.validateAuthResponse(server, { client_id: clientId }, new URL(redirectTo), 's');
    return oauth.authorizationCodeGrantRequest(server, { client_id: clientId }, auth, parameters, redirectUri, mend(verifier), insecure);
  };
  const errorOf = async (response: Response) => [response.status, ((await response.json()) as { error: string }).error];

  describe('an app that can keep no secret', () => {
    it('is let act by PKCE alone, on whichever port it listens, refreshes, and gives back what it holds', async () => {
      assert.ok(server.token_endpoint_auth_methods_supported!.includes('none'));
      const { app, clientSecret } = await create(false);
      assert.deepEqual([app.confidential, clientSecret], [false, null]);
      const client = { client_id: app.id };
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, await exchange(app.id, 'http://127.0.0.1:49152/back?from=omnitalk', oauth.None()));
      assert.equal((await who(tokens.access_token)).id, bob.id);
      const renewed = await oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token!, insecure));
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, oauth.None(), renewed.refresh_token!, insecure));
      await fails(who(renewed.access_token), 'SESSION_ENDED');
    });

    it('gets nothing without the verifier, by credentials, or by asking what tokens are good for; and has no secret to rotate', async () => {
      const { app } = await create(false);
      const client = { client_id: app.id };
      assert.deepEqual(await errorOf(await exchange(app.id, LOOPBACK, oauth.None(), () => oauth.generateRandomCodeVerifier())), [400, 'invalid_grant']);
      assert.deepEqual(await errorOf(await exchange(app.id, LOOPBACK, oauth.None(), () => 'short')), [400, 'invalid_request']);
      assert.deepEqual(await errorOf(await exchange(app.id, LOOPBACK, oauth.ClientSecretBasic('ots_made_up'))), [401, 'invalid_client']);
      assert.deepEqual(await errorOf(await oauth.clientCredentialsGrantRequest(server, client, oauth.None(), new URLSearchParams(), insecure)), [400, 'unauthorized_client']);
      assert.deepEqual(await errorOf(await oauth.introspectionRequest(server, client, oauth.None(), bob.accessToken, insecure)), [401, 'invalid_client']);
      await fails(ann.api.rotateAppSecret({ input: { appId: app.id } }), 'STATE_CONFLICT', 'appId');
    });

    it('is sent back to the loopback address that it has registered, whatever the port, and to none that differs in more', async () => {
      const { app } = await create(false);
      const ask = (redirectUri: string) => bob.api.askingApp({ clientId: app.id, redirectUri, scopes: ['profile:read'] });
      for (const good of [LOOPBACK, 'http://127.0.0.1:1/back?from=omnitalk', 'http://127.0.0.1:65535/back?from=omnitalk']) assert.equal((await ask(good)).askingApp.id, app.id);
      for (const other of ['http://127.0.0.1:70000/back?from=omnitalk', 'http://127.0.0.1:80@evil.example/back?from=omnitalk', 'http://127.0.0.1.evil.example/back?from=omnitalk', 'http://[::1]:80/back?from=omnitalk', 'http://127.0.0.1:80/back', 'https://127.0.0.1:80/back?from=omnitalk', 'http://localhost:80/back?from=omnitalk']) {
        await fails(ask(other), 'INVALID_INPUT', 'redirectUri');
      }
    });

    it('and one that keeps a secret can not leave it out; what it holds, nobody refreshes without', async () => {
      const { app, clientSecret } = await create(true);
      const client = { client_id: app.id };
      assert.deepEqual(await errorOf(await exchange(app.id, LOOPBACK, oauth.None())), [401, 'invalid_client']);
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, await exchange(app.id, LOOPBACK, oauth.ClientSecretPost(clientSecret!)));
      await fails(world.client().api.refreshSession({ input: { refreshToken: tokens.refresh_token! } }), 'UNAUTHENTICATED', 'refreshToken');
      await oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, oauth.ClientSecretBasic(clientSecret!), tokens.refresh_token!, insecure));
      assert.equal((await bob.api.refreshSession({ input: { refreshToken: bob.refreshToken } })).refreshSession.user.id, bob.id);
    });
  });

  describe('a partner’s server that signs for its own users', () => {
    const pairOf = (kid: string, pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ed25519')) => ({ kid, ...pair, jwk: JSON.stringify({ ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig' }) });
    type Pair = ReturnType<typeof pairOf>;
    const seconds = () => Math.floor(world.clock.now().getTime() / 1000);
    const sign = (appId: string, { kid, privateKey }: Pair, claims: JWTPayload = {}, alg = 'EdDSA') =>
      new SignJWT({ iss: appId, sub: 'customer 7', aud: server.issuer, exp: seconds() + 300, jti: world.key(), ...claims }).setProtectedHeader({ alg, kid }).sign(privateKey);
    const bring = (assertion: string, form: Record<string, string> = {}) =>
      fetch(server.token_endpoint!, { method: 'POST', body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, ...form }) });
    const tokenOf = async (response: Response) => {
      assert.equal(response.status, 200);
      return (await response.json()) as { access_token: string; expires_in: number; refresh_token?: string };
    };
    const setUp = async (...pairs: Pair[]) => {
      const { app } = await create(true, ['users:issue']);
      return (await ann.api.updateApp({ input: { appId: app.id, publicKeys: pairs.map(({ jwk }) => jwk) } })).updateApp.app;
    };
    const [ed, ec, rsa] = [pairOf('ed'), pairOf('ec', generateKeyPairSync('ec', { namedCurve: 'P-256' })), pairOf('rsa', generateKeyPairSync('rsa', { modulusLength: 2_048 }))];

    it('has them come in by a ticket, without asking anybody here before; each is one person, and acts as one', async () => {
      const app = await setUp(ed, ec, rsa);
      assert.deepEqual(app.publicKeys.map((key) => (JSON.parse(key) as { kid: string }).kid), ['ed', 'ec', 'rsa']);
      const first = await tokenOf(await bring(await sign(app.id, ed, { name: 'Customer Seven' })));
      assert.equal(first.refresh_token, undefined);
      const seven = await who(first.access_token);
      assert.equal(seven.displayName, 'Customer Seven');
      for (const ticket of [await sign(app.id, ec, {}, 'ES256'), await sign(app.id, rsa, { aud: [server.token_endpoint!, 'another'] }, 'RS256'), await sign(app.id, ed, {}, 'Ed25519')]) assert.equal((await who((await tokenOf(await bring(ticket))).access_token)).id, seven.id);
      assert.notEqual((await who((await tokenOf(await bring(await sign(app.id, ed, { sub: 'customer 8' })))).access_token)).id, seven.id);
      // The partner's server can ask for the same person by its key.
      const { key } = (await ann.api.createApiKey({ input: { appId: app.id, name: 'server', idempotencyKey: world.key() } })).createApiKey;
      assert.equal((await world.client(key!).api.issueUserToken({ input: { externalId: 'customer 7' } })).issueUserToken.user.id, seven.id);
      const chatId = await world.groupChat(ann, [{ id: seven.id } as Person]);
      await world.client(first.access_token).api.sendMessage({ input: { chatId, text: 'I am here', idempotencyKey: world.key() } });
    });

    it('each ticket is good once, also when it is brought by many at once, and is forgotten after its end', async () => {
      const app = await setUp(ed);
      const ticket = await sign(app.id, ed);
      const answers = await Promise.all(Array.from({ length: 8 }, () => bring(ticket)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 7 }, () => 400)]);
      assert.deepEqual(await errorOf(await bring(ticket)), [400, 'invalid_grant']);
      const kept = async () => (await world.sql('select from used_tickets')).length;
      assert.ok((await kept()) > 0);
      world.clock.advance(11 * MINUTE);
      await eventually(async () => (await kept()) === 0, 'they are forgotten');
      assert.deepEqual(await errorOf(await bring(ticket)), [400, 'invalid_grant']);
    });

    it('signs for the one name that the operator has given, whatever host the ticket is brought to', async () => {
      const other = await World.start({ settings: { API_URL: 'https://api.example/' } });
      try {
        const eve = await other.person('Eve');
        const { app } = (await eve.api.createApp({ input: { name: 'Shop', scopes: ['users:issue'], redirectUris: [], confidential: true, idempotencyKey: 'one' } })).createApp;
        await eve.api.updateApp({ input: { appId: app.id, publicKeys: [ed.jwk] } });
        const described = (await (await fetch(`${other.app.url}/.well-known/oauth-authorization-server`)).json()) as Record<string, string>;
        assert.deepEqual([described['issuer'], described['token_endpoint']], ['https://api.example', 'https://api.example/oauth/token']);
        const status = async (aud: string) =>
          (await fetch(`${other.app.url}/oauth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await sign(app.id, ed, { aud, exp: Math.floor(other.clock.now().getTime() / 1000) + 300 }) }) })).status;
        assert.deepEqual([await status(other.app.url), await status('https://api.example'), await status('https://api.example/oauth/token')], [400, 200, 200]);
      } finally {
        await other.stop();
      }
    });

    it('is believed for what it has signed itself, for this server, and for minutes', async () => {
      const [app, another] = [await setUp(ed, rsa), await setUp(ec)];
      const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'ed' })).toString('base64url');
      const shared = await new SignJWT({ iss: app.id, sub: '7', aud: server.issuer, exp: seconds() + 60, jti: world.key() }).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' })));
      const before = (await world.sql('select from users')).length;
      for (const [why, ticket] of [
        ['by a key that is another’s', await sign(app.id, ec, {}, 'ES256')],
        ['by a key of the same name that is not registered', await sign(app.id, pairOf('ed'))],
        ['of another app', await sign(another.id, ed)],
        ['of nobody', await sign('app_nobody', ed)],
        ['for another server', await sign(app.id, ed, { aud: 'https://other.example' })],
        ['over', await sign(app.id, ed, { exp: seconds() - 10 })],
        ['for too long', await sign(app.id, ed, { exp: seconds() + 3_600 })],
        ['not yet', await sign(app.id, ed, { nbf: seconds() + 60 })],
        ['without an id', await sign(app.id, ed, { jti: undefined })],
        ['without a user', await sign(app.id, ed, { sub: ' ' })],
        ['without an end', await sign(app.id, ed, { exp: undefined })],
        ['with a name that can be none', await sign(app.id, ed, { sub: 'new one', name: 'x'.repeat(500) })],
        ['unsigned', `${none}.${(await sign(app.id, ed)).split('.')[1]!}.`],
        ['by a shared secret', shared],
        ['no ticket', 'a.b.c'],
        ['nothing', ''],
        ['endless', 'x'.repeat(9_000)],
      ] as const) assert.deepEqual(await errorOf(await bring(ticket)), [400, 'invalid_grant'], why);
      assert.deepEqual(await errorOf(await bring(await sign(app.id, ed), { client_id: another.id })), [401, 'invalid_client']);
      assert.equal((await world.sql('select from users')).length, before);
    });

    it('is asked for no more once its app may not issue, a key is taken away, or its owner or the user is suspended', async () => {
      const app = await setUp(ed, ec);
      const user = await who((await tokenOf(await bring(await sign(app.id, ed)))).access_token);
      await ann.api.updateApp({ input: { appId: app.id, publicKeys: [ec.jwk] } });
      assert.deepEqual(await errorOf(await bring(await sign(app.id, ed))), [400, 'invalid_grant']);
      await tokenOf(await bring(await sign(app.id, ec, {}, 'ES256')));
      await world.sql('update users set suspended_at = now() where display_name = $1', [user.displayName]);
      assert.deepEqual(await errorOf(await bring(await sign(app.id, ec, {}, 'ES256'))), [400, 'invalid_grant']);
      await ann.api.updateApp({ input: { appId: app.id, scopes: ['profile:read'] } });
      assert.deepEqual(await errorOf(await bring(await sign(app.id, ec, { sub: 'customer 9' }, 'ES256'))), [400, 'unauthorized_client']);
      await ann.api.updateApp({ input: { appId: app.id, scopes: ['users:issue'], publicKeys: [] } });
      assert.deepEqual(await errorOf(await bring(await sign(app.id, ec, { sub: 'customer 9' }, 'ES256'))), [400, 'invalid_grant']);
    });

    it('registers public keys that are good, each by its own name, and no private one', async () => {
      const { app } = await create(true);
      const set = (...publicKeys: string[]) => ann.api.updateApp({ input: { appId: app.id, publicKeys } });
      const small = pairOf('small', generateKeyPairSync('rsa', { modulusLength: 1_024 }));
      const curve = pairOf('curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }));
      const exchangeOnly = pairOf('exchange', generateKeyPairSync('x25519'));
      const secret = JSON.stringify({ ...ed.privateKey.export({ format: 'jwk' }), kid: 'mine' });
      for (const bad of ['', '{}', 'null', '[]', 'no key', '{"kty":"oct","k":"c2VjcmV0","kid":"s"}', secret, small.jwk, curve.jwk, exchangeOnly.jwk, JSON.stringify(ed.publicKey.export({ format: 'jwk' })), 'x'.repeat(5_000)]) await fails(set(bad), 'INVALID_INPUT', 'publicKeys');
      await fails(set(ed.jwk, pairOf('ed').jwk), 'INVALID_INPUT', 'publicKeys');
      await fails(set(...['1', '2', '3', '4', '5'].map((kid) => pairOf(kid).jwk)), 'INVALID_INPUT', 'publicKeys');
      assert.deepEqual((await ann.api.app({ id: app.id })).app!.publicKeys, []);
    });
  });

  describe('an API key', () => {
    beforeEach(async () => ([ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)]));

    it('is rotated: for a while both are good, and then the new one alone', async () => {
      const { app } = await create(true, ['profile:read', 'chats:read']);
      const old = (await ann.api.createApiKey({ input: { appId: app.id, name: 'server', scopes: ['profile:read'], expiresInDays: 10, idempotencyKey: world.key() } })).createApiKey;
      world.clock.advance(HOUR);
      const input = { apiKeyId: old.apiKey.id, overlapHours: 48, idempotencyKey: world.key() };
      const made = (await ann.api.rotateApiKey({ input })).rotateApiKey;
      assert.deepEqual([made.apiKey.name, made.apiKey.scopes], ['server', ['profile:read']]);
      const left = (at: string) => Math.round((Date.parse(at) - world.clock.now().getTime()) / HOUR);
      assert.deepEqual([left(made.apiKey.expiresAt!), left(made.previous.expiresAt!)], [240, 48]);
      const repeated = (await ann.api.rotateApiKey({ input })).rotateApiKey;
      assert.deepEqual([repeated.apiKey.id, repeated.key], [made.apiKey.id, null]);
      for (const key of [old.key!, made.key!]) assert.equal((await who(key)).id, ann.id);
      world.clock.advance(48 * HOUR);
      ann = await signedInAgain(world, ann);
      await fails(who(old.key!), 'UNAUTHENTICATED');
      assert.equal((await who(made.key!)).id, ann.id);
      for (const ended of [old.apiKey.id, made.previous.id]) await fails(ann.api.rotateApiKey({ input: { apiKeyId: ended, idempotencyKey: world.key() } }), 'STATE_CONFLICT', 'apiKeyId');
    });

    it('ends now where it is to, is rotated once, and by its owner; those that have ended make room for others', async () => {
      const { app } = await create(true);
      const make = async () => (await ann.api.createApiKey({ input: { appId: app.id, name: 'server', expiresInDays: 1, idempotencyKey: world.key() } })).createApiKey;
      const leaked = await make();
      const rotate = (apiKeyId: string, overlapHours: number, { api } = ann) => api.rotateApiKey({ input: { apiKeyId, overlapHours, idempotencyKey: world.key() } });
      await fails(rotate(leaked.apiKey.id, 721), 'INVALID_INPUT', 'overlapHours');
      await fails(rotate(leaked.apiKey.id, 1, bob), 'NOT_FOUND', 'apiKeyId');
      const { rotateApiKey: next } = await rotate(leaked.apiKey.id, 0);
      await fails(who(leaked.key!), 'UNAUTHENTICATED');
      assert.equal((await who(next.key!)).id, ann.id);
      await fails(rotate(leaked.apiKey.id, 0), 'STATE_CONFLICT', 'apiKeyId');
      const both = await Promise.allSettled([rotate(next.apiKey.id, 1), rotate(next.apiKey.id, 1)]);
      assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1);
      for (let more = 2; more < 20; more++) await make();
      await fails(make(), 'LIMIT_REACHED');
      world.clock.advance(25 * HOUR);
      ann = await signedInAgain(world, ann);
      await make();
    });
  });
});
