import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { OmniTalk } from '../../sdk/index.js';
import { signedInAgain } from '../testkit/news.js';
import { WebhookReceiver } from '../testkit/webhook-receiver.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const HOUR = 3_600_000;

describe('apps of partners', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  const receivers: WebhookReceiver[] = [];

  before(async () => {
    world = await World.start({ settings: { WEBHOOKS: 'true', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
  });
  after(async () => {
    await world?.stop();
    for (const receiver of receivers) await receiver.close();
  });

  const clients: OmniTalk[] = [];
  const using = (token: string) => {
    const client = world.client(token);
    clients.push(client);
    return client;
  };
  const create = async (person: Person, scopes: string[], redirectUris: string[] = []) => {
    const { app, clientSecret } = (await person.api.createApp({ input: { name: 'Helper', redirectUris, scopes, idempotencyKey: world.key() } })).createApp;
    return { app, clientSecret: clientSecret! };
  };
  const key = async (person: Person, appId: string, scopes?: string[]) => (await person.api.createApiKey({ input: { appId, name: 'server', scopes: scopes ?? null, idempotencyKey: world.key() } })).createApiKey;
  /** The public client library, on a server that speaks plain HTTP on loopback. */
  const insecure = { [oauth.allowInsecureRequests]: true } as const;
  const discover = async (): Promise<oauth.AuthorizationServer> => {
    const issuer = new URL(world.app.url);
    return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  };

  it('the partner’s walk: register an app, take a token, subscribe, receive a verified webhook, and replay it', async () => {
    const { app, clientSecret } = await create(ann, ['chats:read', 'chats:write', 'webhooks:read', 'webhooks:write', 'profile:read', 'files:read', 'calls:read', 'documents:read', 'news:read', 'shops:read', 'statuses:read']);
    const server = await discover();
    const client = { client_id: app.id };
    const answer = await oauth.processClientCredentialsResponse(
      server, client, await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretBasic(clientSecret), new URLSearchParams(), insecure),
    );
    assert.deepEqual([answer.token_type, answer.scope], ['bearer', app.scopes.join(' ')]);
    const partner = using(answer.access_token);
    assert.equal((await partner.request<{ viewer: { user: { id: string } } }, Record<string, unknown>>('{ viewer { user { id } } }', {})).viewer.user.id, ann.id);
    const events = partner.chatEvents(chatId, (await partner.request<{ chat: { eventCursor: string } }, Record<string, unknown>>('query($id: ID!) { chat(id: $id) { eventCursor } }', { id: chatId })).chat.eventCursor);
    const receiver = await new WebhookReceiver().listen();
    receivers.push(receiver);
    const { webhook, secret } = (await partner.api.createWebhook({ input: { url: receiver.url, events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook;
    receiver.secret = secret;
    await world.say(bob, chatId, 'for the partner');
    const [event] = await take(events, 1);
    events.close();
    assert.ok(event!.__typename === 'MessageSent' && event.message?.text === 'for the partner');
    const [one] = await receiver.got(1);
    assert.deepEqual([receiver.refused, one!.told.offset, one!.told.data['message'].text], [[], event.offset, 'for the partner']);
    await eventually(async () => (await partner.api.webhook({ id: webhook.id })).webhook!.deliveries.edges[0]?.node.state === 'DELIVERED', 'it is delivered');
    await partner.api.redeliverWebhook({ input: { webhookId: webhook.id, deliveryIds: [one!.id] } });
    const [, again] = await receiver.got(2);
    assert.deepEqual([again!.id, again!.body], [one!.id, one!.body]);
    // No endpoint is told of what the app could not read itself.
    await fails(partner.api.createWebhook({ input: { url: receiver.url, events: ['CONTACT_CHANGED'], idempotencyKey: world.key() } }), 'FORBIDDEN');
    await partner.api.deleteWebhook({ input: { webhookId: webhook.id } });
  });

  it('a key acts for its owner within its scopes, by what a document selects; it is shown once, and ends at once', async () => {
    const { app } = await create(ann, ['profile:read', 'chats:read', 'chats:write']);
    const made = await key(ann, app.id, ['profile:read']);
    assert.match(made.key!, /^otk_[\w-]{43}$/);
    const stored = await world.sql<{ row: string }>('select to_jsonb(k)::text || (select string_agg(to_jsonb(a)::text, $1) from apps a) as row from api_keys k', ['']);
    assert.ok(stored.every(({ row }) => !row.includes(made.key!)), 'the hash alone is kept');
    const client = using(made.key!);
    assert.equal((await client.request<{ viewer: { user: { id: string } } }, Record<string, unknown>>('{ viewer { user { id } } }', {})).viewer.user.id, ann.id);
    for (const [document, input] of [
      ['{ viewer { chats { edges { node { id } } } } }', {}],
      ['{ viewer { email } }', {}],
      ['query($id: ID!) { node(id: $id) { id } }', { id: chatId }],
      ['fragment F on Viewer { sessions { edges { cursor } } } { viewer { ...F } }', {}],
      ['mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }', { input: { chatId, text: 'no', idempotencyKey: world.key() } }],
      ['mutation($input: CreateAppInput!) { createApp(input: $input) { clientSecret } }', { input: { name: 'more', redirectUris: [], scopes: ['chats:read'], idempotencyKey: world.key() } }],
    ] as const) await fails(client.request(document, input), 'FORBIDDEN');
    await assert.rejects(take(client.chatEvents(chatId), 1));
    const writer = using((await key(ann, app.id)).key!);
    const { sendMessage } = await writer.request<{ sendMessage: { message: { text: string } } }, Record<string, unknown>>('mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { text } } }', { input: { chatId, text: 'by a key', idempotencyKey: world.key() } });
    assert.equal(sendMessage.message.text, 'by a key');
    const [shown] = (await ann.api.app({ id: app.id })).app!.apiKeys.edges.slice(-1);
    assert.ok(shown!.node.lastUsedAt && shown!.node.hint.length < 20 && shown!.node.revokedAt === null);
    assert.deepEqual((await ann.api.viewer()).viewer!.roles, ['USER']);
    await ann.api.revokeApiKey({ input: { apiKeyId: made.apiKey.id } });
    await fails(client.request('{ viewer { user { id } } }', {}), 'UNAUTHENTICATED');
    await fails(bob.api.revokeApiKey({ input: { apiKeyId: made.apiKey.id } }), 'NOT_FOUND', 'apiKeyId');
    await fails(key(ann, app.id, ['shops:read']), 'INVALID_INPUT', 'scopes');
    await fails(using(`otk_${'a'.repeat(43)}`).api.viewer(), 'UNAUTHENTICATED');
  });

  it('a person lets an app act for them: code with PKCE, once, refreshed, within scopes; reuse ends it', async () => {
    const redirect = 'https://partner.example/callback';
    const { app, clientSecret } = await create(ann, ['profile:read', 'chats:read'], [redirect]);
    const server = await discover();
    const client = { client_id: app.id };
    const verifier = oauth.generateRandomCodeVerifier();
    const codeChallenge = await oauth.calculatePKCECodeChallenge(verifier);
    assert.equal(codeChallenge, createHash('sha256').update(verifier).digest('base64url'));
    const input = { clientId: app.id, redirectUri: redirect, scopes: ['profile:read'], codeChallenge, state: 'state 1' };
    for (const [change, code, field] of [[{ redirectUri: `${redirect}/` }, 'INVALID_INPUT', 'redirectUri'], [{ scopes: ['shops:read'] }, 'INVALID_INPUT', 'scopes'], [{ codeChallenge: 'short' }, 'INVALID_INPUT', 'codeChallenge']] as const) {
      await fails(bob.api.authorizeApp({ input: { ...input, ...change, scopes: [...(('scopes' in change && change.scopes) || input.scopes)] } }), code, field);
    }
    const { redirectTo } = (await bob.api.authorizeApp({ input })).authorizeApp;
    const parameters = oauth.validateAuthResponse(server, client, new URL(redirectTo), 'state 1');
    const exchange = (code_verifier: string, secret = clientSecret) => oauth.authorizationCodeGrantRequest(server, client, oauth.ClientSecretPost(secret), parameters, redirect, code_verifier, insecure);
    assert.equal((await exchange(oauth.generateRandomCodeVerifier())).status, 400);
    assert.equal((await exchange(verifier, 'ots_wrong')).status, 401);
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, await exchange(verifier));
    const acting = using(tokens.access_token);
    assert.equal((await acting.request<{ viewer: { user: { id: string } } }, Record<string, unknown>>('{ viewer { user { id } } }', {})).viewer.user.id, bob.id);
    await fails(acting.request('{ viewer { chats { edges { cursor } } } }', {}), 'FORBIDDEN');
    // It is none of Bob's devices, and none of them gives way to it.
    assert.equal((await bob.api.sessions({})).viewer!.sessions.edges.length, 1);
    const refresh = (token: string) => oauth.refreshTokenGrantRequest(server, client, oauth.ClientSecretBasic(clientSecret), token, insecure);
    const renewed = await oauth.processRefreshTokenResponse(server, client, await refresh(tokens.refresh_token!));
    assert.equal(renewed.scope, 'profile:read');
    await fails(using(renewed.access_token).request('{ viewer { chats { edges { cursor } } } }', {}), 'FORBIDDEN');
    assert.equal((await refresh(bob.refreshToken)).status, 400, 'a person’s own token is no app’s');
    // The code once more: somebody has it who should not.
    assert.equal((await exchange(verifier)).status, 400);
    await fails(acting.request('{ viewer { user { id } } }', {}), 'SESSION_ENDED');
  });

  it('secrets are rotated with a day on which both are good', async () => {
    const { app, clientSecret: old } = await create(ann, ['profile:read']);
    const { clientSecret } = (await ann.api.rotateAppSecret({ input: { appId: app.id } })).rotateAppSecret;
    const server = await discover();
    const status = async (secret: string) => (await oauth.clientCredentialsGrantRequest(server, { client_id: app.id }, oauth.ClientSecretBasic(secret), new URLSearchParams(), insecure)).status;
    assert.deepEqual([await status(old), await status(clientSecret)], [200, 200]);
    world.clock.advance(25 * HOUR);
    assert.deepEqual([await status(old), await status(clientSecret)], [401, 200]);
    [ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)];
    await fails(bob.api.rotateAppSecret({ input: { appId: app.id } }), 'NOT_FOUND', 'appId');
    assert.equal((await bob.api.app({ id: app.id })).app, null);
  });

  it('a partner’s own users come in by a token of the partner’s, each known by the partner’s id', async () => {
    const { app } = await create(ann, ['users:issue', 'profile:read']);
    const server = using((await key(ann, app.id)).key!);
    const issue = async (externalId: string) => (await server.api.issueUserToken({ input: { externalId, displayName: 'Customer Seven' } })).issueUserToken;
    const [first, second, other] = [await issue('7'), await issue('7'), await issue('8')];
    assert.equal(first.user.id, second.user.id);
    assert.notEqual(first.user.id, other.user.id);
    assert.equal(first.user.displayName, 'Customer Seven');
    assert.equal((await using(first.accessToken).api.viewer()).viewer!.user.id, first.user.id);
    await fails(ann.api.issueUserToken({ input: { externalId: '7' } }), 'FORBIDDEN');
    const { app: another } = await create(ann, ['profile:read']);
    await fails(using((await key(ann, another.id)).key!).api.issueUserToken({ input: { externalId: '7' } }), 'FORBIDDEN');
    await world.sql(`update users set suspended_at = now() where handle = $1`, [first.user.handle]);
    await fails(issue('7'), 'FORBIDDEN');
  });

  it('a repeat of a creation answers the same, without its secret; at most twenty', async () => {
    const input = { name: 'Once', redirectUris: [], scopes: ['chats:read'], idempotencyKey: world.key() };
    const [a, b] = [(await bob.api.createApp({ input })).createApp, (await bob.api.createApp({ input })).createApp];
    assert.deepEqual([a.app.id, b.clientSecret], [b.app.id, null]);
    await fails(create(bob, ['everything']), 'INVALID_INPUT', 'scopes');
    await fails(create(bob, ['chats:read'], ['http://partner.example/']), 'INVALID_INPUT', 'redirectUris');
    for (let more = 1; more < 20; more++) await create(bob, ['chats:read']);
    await fails(create(bob, ['chats:read']), 'LIMIT_REACHED');
  });
});
