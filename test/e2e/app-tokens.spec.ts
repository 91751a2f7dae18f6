import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { decodeId } from '../../src/lib/ids.js';
import { startCall } from '../testkit/calls.js';
import { signedInAgain } from '../testkit/news.js';
import { VoiceClient } from '../testkit/voice.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const insecure = { [oauth.allowInsecureRequests]: true } as const;
const WHO = '{ viewer { user { id } } }';
const CHATS = '{ viewer { chats { edges { cursor } } } }';
const REDIRECT = 'https://partner.example/callback';

describe('what an app holds', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let server: oauth.AuthorizationServer;
  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    const issuer = new URL(world.app.url);
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  });
  after(() => world.stop());

  const create = async (scopes: string[]) => {
    const { app, clientSecret } = (await ann.api.createApp({ input: { name: 'Helper', redirectUris: [REDIRECT], scopes, idempotencyKey: world.key() } })).createApp;
    return { app, client: { client_id: app.id }, secret: oauth.ClientSecretBasic(clientSecret!) };
  };
  type Made = Awaited<ReturnType<typeof create>>;
  const key = async (appId: string, scopes: string[] | null = null) => (await ann.api.createApiKey({ input: { appId, name: 'server', scopes, idempotencyKey: world.key() } })).createApiKey.key!;
  const ask = (token: string, document = WHO) => world.client(token).request<object, Record<string, unknown>>(document, {});
  /** Bob lets it. */
  const allowed = async ({ app, client, secret }: Made, scopes: string[]) => {
    const verifier = oauth.generateRandomCodeVerifier();
    const { redirectTo } = (await bob.api.authorizeApp({ input: { clientId: app.id, redirectUri: REDIRECT, scopes, codeChallenge: await oauth.calculatePKCECodeChallenge(verifier), state: 's' } })).authorizeApp;
    const answer = await oauth.authorizationCodeGrantRequest(server, client, secret, oauth.validateAuthResponse(server, client, new URL(redirectTo), 's'), REDIRECT, verifier, insecure);
    return oauth.processAuthorizationCodeResponse(server, client, answer);
  };
  const introspect = async ({ client, secret }: Made, token: string) => oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, secret, token, insecure));
  const revoke = async ({ client, secret }: Made, token: string) => oauth.processRevocationResponse(await oauth.revocationRequest(server, client, secret, token, insecure));
  const audited = async (appId: string) => (await world.sql<{ action: string }>(`select action from audit_log where subject_type = 'App' and subject_id = $1 order by id`, [decodeId('App', appId)])).map(({ action }) => action);

  it('is told by introspection, to itself alone, and ends by revocation', async () => {
    const [mine, other] = [await create(['profile:read', 'chats:read']), await create(['profile:read'])];
    const tokens = await allowed(mine, ['profile:read']);
    for (const token of [tokens.access_token, tokens.refresh_token!]) {
      const told = await introspect(mine, token);
      assert.deepEqual([told.active, told.scope, told.client_id, told.sub], [true, 'profile:read', mine.app.id, bob.id]);
      assert.deepEqual(await introspect(other, token), { active: false });
      await revoke(other, token);
    }
    assert.ok((await introspect(mine, tokens.access_token)).exp! > world.clock.now().getTime() / 1000);
    for (const nonsense of ['nonsense', bob.accessToken, bob.refreshToken, 'a.b.c', 'x'.repeat(5_000)]) {
      assert.deepEqual(await introspect(mine, nonsense), { active: false });
      await revoke(mine, nonsense);
    }
    await ask(tokens.access_token);
    await revoke(mine, tokens.refresh_token!);
    await fails(ask(tokens.access_token), 'SESSION_ENDED');
    assert.deepEqual([await introspect(mine, tokens.access_token), await introspect(mine, tokens.refresh_token!)], [{ active: false }, { active: false }]);
    await revoke(mine, tokens.refresh_token!);
    assert.equal((await bob.api.viewer()).viewer!.user.id, bob.id, 'a person’s own session is no app’s to end');
    const wrong = await oauth.introspectionRequest(server, mine.client, oauth.ClientSecretBasic('ots_wrong'), tokens.access_token, insecure);
    assert.equal(wrong.status, 401);
  });

  it('is kept to what an app may still be given, once scopes are taken from it', async () => {
    const made = await create(['profile:read', 'chats:read']);
    const [both, chats] = [await key(made.app.id), await key(made.app.id, ['chats:read'])];
    await ask(both, CHATS);
    const change = { appId: made.app.id, name: 'Renamed', scopes: ['profile:read'] };
    assert.deepEqual([(await ann.api.updateApp({ input: change })).updateApp.app.name, (await ann.api.updateApp({ input: change })).updateApp.app.scopes], ['Renamed', ['profile:read']]);
    await fails(ask(chats, CHATS), 'SESSION_ENDED');
    await eventually(async () => ask(both, CHATS).then(() => false, () => true), 'the key has it no more');
    await fails(ask(both, CHATS), 'FORBIDDEN');
    await ask(both);
    assert.deepEqual((await ann.api.app({ id: made.app.id })).app!.redirectUris, [REDIRECT]);
    await fails(ann.api.updateApp({ input: { appId: made.app.id, scopes: ['everything'] } }), 'INVALID_INPUT', 'scopes');
    await fails(ann.api.updateApp({ input: { appId: made.app.id, redirectUris: ['http://partner.example/'] } }), 'INVALID_INPUT', 'redirectUris');
    await fails(bob.api.updateApp({ input: { appId: made.app.id, name: 'Mine' } }), 'NOT_FOUND', 'appId');
    assert.deepEqual((await audited(made.app.id)).filter((action) => action === 'APP_UPDATED').length, 1);
  });

  it('goes with the app', async () => {
    const made = await create(['profile:read']);
    const [token, tokens] = [await key(made.app.id), await allowed(made, ['profile:read'])];
    await fails(bob.api.deleteApp({ input: { appId: made.app.id } }), 'NOT_FOUND', 'appId');
    await ask(token);
    assert.equal((await ann.api.deleteApp({ input: { appId: made.app.id } })).deleteApp.appId, made.app.id);
    await fails(ask(token), 'UNAUTHENTICATED');
    await fails(ask(tokens.access_token), 'SESSION_ENDED');
    assert.equal((await ann.api.app({ id: made.app.id })).app, null);
    await fails(ann.api.deleteApp({ input: { appId: made.app.id } }), 'NOT_FOUND', 'appId');
    assert.equal((await audited(made.app.id)).at(-1), 'APP_DELETED');
  });

  it('codes are forgotten a day after their end, used or not', async () => {
    await allowed(await create(['profile:read']), ['profile:read']);
    const count = async () => (await world.sql('select from oauth_codes')).length;
    assert.ok((await count()) > 0);
    world.clock.advance(25 * 3_600_000);
    await eventually(async () => (await count()) === 0, 'they are forgotten');
    const { signIn } = await world.client().api.signIn({ input: { email: 'ann@example.com', password: 'password of ann' } });
    ann = { ...ann, api: world.client(signIn.accessToken).api };
  });

  it('of one person is at most ten sessions; those of minutes are forgotten the day after, and keys are not', async () => {
    [ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)];
    const made = await create(['profile:read']);
    const token = await key(made.app.id);
    const tokens: string[] = [];
    for (let count = 0; count < 11; count++) tokens.push((await allowed(made, ['profile:read'])).access_token);
    await fails(ask(tokens[0]!), 'SESSION_ENDED');
    await ask(tokens[1]!);
    const short = async () => oauth.processClientCredentialsResponse(server, made.client, await oauth.clientCredentialsGrantRequest(server, made.client, made.secret, new URLSearchParams(), insecure));
    for (let count = 0; count < 3; count++) await short();
    const held = async () => (await world.sql('select from sessions where app_id = $1', [decodeId('App', made.app.id)])).length;
    assert.equal(await held(), 1 + 11 + 3);
    world.clock.advance(26 * 3_600_000);
    await world.app.container.jobs.upkeep.codesAndTokens();
    assert.equal(await held(), 1 + 11);
    await ask(token);
    [ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)];
  });

  it('lets it speak in a call by /voice only where it may write calls', async () => {
    const { app } = await create(['profile:read', 'calls:read', 'calls:write']);
    const callId = await startCall(world, ann, (await ann.api.createChat({ input: { kind: 'DIRECT', memberIds: [bob.id], idempotencyKey: world.key() } })).createChat.chat.id, { ring: false });
    const refused = await VoiceClient.join(world, await key(app.id, ['profile:read', 'calls:read']), callId);
    assert.deepEqual(await refused.closed, { code: 4403, reason: 'FORBIDDEN' });
    // With the scope it is the call that answers: here it has no media that a voice could join.
    const letIn = await VoiceClient.join(world, await key(app.id), callId);
    const outcome = await Promise.race([letIn.closed.then(({ reason }) => reason), eventually(() => letIn.texts.length > 0, 'it is in').then(() => 'in')]);
    assert.notEqual(outcome, 'FORBIDDEN');
    letIn.socket.terminate();
    await ann.api.endCall({ input: { callId } });
  });
});
