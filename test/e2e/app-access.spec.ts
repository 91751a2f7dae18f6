import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { decodeId } from '../../src/lib/ids.js';
import { administrator } from '../testkit/news.js';
import { WebhookReceiver } from '../testkit/webhook-receiver.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

const insecure = { [oauth.allowInsecureRequests]: true } as const;
const WHO = '{ viewer { user { id } } }';
const REDIRECT = 'https://partner.example/callback';

/** What people let the programs of others do, and how they take it back. */
describe('what apps may do for people', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let server: oauth.AuthorizationServer;
  const receivers: WebhookReceiver[] = [];
  before(async () => {
    world = await World.start({ settings: { WEBHOOKS: 'true', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
    const issuer = new URL(world.app.url);
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
  });
  after(async () => {
    await world.stop();
    for (const receiver of receivers) await receiver.close();
  });

  const create = async (scopes: string[]) => {
    const { app, clientSecret } = (await ann.api.createApp({ input: { name: 'Helper', redirectUris: [REDIRECT], scopes, idempotencyKey: world.key() } })).createApp;
    return { app, client: { client_id: app.id }, secret: oauth.ClientSecretBasic(clientSecret!) };
  };
  type Made = Awaited<ReturnType<typeof create>>;
  const ask = (token: string, document = WHO) => world.client(token).request<object, Record<string, unknown>>(document, {});
  /** Bob says yes; what comes of it is the app's to fetch. */
  const saysYes = async ({ app, client, secret }: Made, scopes: string[]) => {
    const verifier = oauth.generateRandomCodeVerifier();
    const { redirectTo } = (await bob.api.authorizeApp({ input: { clientId: app.id, redirectUri: REDIRECT, scopes, codeChallenge: await oauth.calculatePKCECodeChallenge(verifier), state: 's' } })).authorizeApp;
    return () => oauth.authorizationCodeGrantRequest(server, client, secret, oauth.validateAuthResponse(server, client, new URL(redirectTo), 's'), REDIRECT, verifier, insecure);
  };
  const lets = async (made: Made, scopes: string[]) => oauth.processAuthorizationCodeResponse(server, made.client, await (await saysYes(made, scopes))());
  const listed = async () => (await bob.api.authorizedApps({})).viewer!.authorizedApps.edges.map(({ node }) => node);
  const listen = async () => {
    const receiver = await new WebhookReceiver().listen();
    receivers.push(receiver);
    return receiver;
  };
  const endpoint = async (person: Pick<Person, 'api'>, to: WebhookReceiver) => {
    const { webhook, secret } = (await person.api.createWebhook({ input: { url: to.url, events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook;
    to.secret = secret;
    return webhook.id;
  };
  const deliveries = async (id: string) => (await bob.api.webhook({ id })).webhook!.deliveries.edges.map(({ node }) => node.state);

  it('the page on which they say yes learns who asks and for what, and is refused what would be refused', async () => {
    const { app } = await create(['profile:read', 'chats:read']);
    const asked = { clientId: app.id, redirectUri: REDIRECT, scopes: ['chats:read'] };
    const { id, name, owner, scopes } = (await bob.api.askingApp(asked)).askingApp;
    assert.deepEqual([id, name, owner.id, scopes], [app.id, 'Helper', ann.id, ['chats:read']]);
    await fails(bob.api.askingApp({ ...asked, redirectUri: `${REDIRECT}/` }), 'INVALID_INPUT', 'redirectUri');
    await fails(bob.api.askingApp({ ...asked, scopes: ['shops:read'] }), 'INVALID_INPUT', 'scopes');
    await fails(world.client().api.askingApp(asked), 'UNAUTHENTICATED');
    await ann.api.deleteApp({ input: { appId: app.id } });
    await fails(bob.api.askingApp(asked), 'NOT_FOUND', 'clientId');
  });

  it('they see whom they have let, and take it back at once: tokens, and codes that were not used yet', async () => {
    const made = await create(['profile:read', 'chats:read']);
    assert.deepEqual(await listed(), []);
    await fails(bob.api.revokeAppAccess({ input: { appId: made.app.id } }), 'NOT_FOUND', 'appId');
    const tokens = [await lets(made, ['profile:read']), await lets(made, ['profile:read', 'chats:read'])];
    const { key } = (await ann.api.createApiKey({ input: { appId: made.app.id, name: 'server', idempotencyKey: world.key() } })).createApiKey;
    assert.deepEqual((await listed()).map(({ id, name, scopes }) => [id, name, scopes]), [[made.app.id, 'Helper', ['chats:read', 'profile:read']]]);
    assert.deepEqual((await ann.api.authorizedApps({})).viewer!.authorizedApps.edges, [], 'a key of one’s own is no app of others');
    const unused = await saysYes(made, ['profile:read']);
    assert.equal((await bob.api.revokeAppAccess({ input: { appId: made.app.id } })).revokeAppAccess.appId, made.app.id);
    for (const token of tokens) await fails(ask(token.access_token), 'SESSION_ENDED');
    assert.equal((await oauth.refreshTokenGrantRequest(server, made.client, made.secret, tokens[0]!.refresh_token!, insecure)).status, 400);
    assert.equal((await unused()).status, 400);
    assert.deepEqual(await listed(), []);
    await ask(key!);
    await fails(bob.api.revokeAppAccess({ input: { appId: made.app.id } }), 'NOT_FOUND', 'appId');
    const rows = await world.sql<{ action: string }>(`select action from audit_log where actor_id = $1 and subject_id = $2 order by id desc limit 2`, [decodeId('User', bob.id), decodeId('App', made.app.id)]);
    assert.deepEqual(rows.map(({ action }) => action), ['APP_ACCESS_REVOKED', 'APP_AUTHORIZED']);
    // They may say yes again.
    await ask((await lets(made, ['profile:read'])).access_token);
  });

  it('a code gives no more than the app may have when it is used', async () => {
    const made = await create(['profile:read', 'chats:read']);
    const [both, one] = [await saysYes(made, ['profile:read', 'chats:read']), await saysYes(made, ['chats:read'])];
    await ann.api.updateApp({ input: { appId: made.app.id, scopes: ['profile:read'] } });
    assert.equal((await oauth.processAuthorizationCodeResponse(server, made.client, await both())).scope, 'profile:read');
    assert.equal((await one()).status, 400);
  });

  it('an app knows of the endpoints that it has made for somebody, and of no others', async () => {
    const [own, its] = [await listen(), await listen()];
    const made = await create(['profile:read', 'webhooks:read', 'webhooks:write', 'chats:read']);
    const app = world.client((await lets(made, ['profile:read', 'webhooks:read', 'webhooks:write', 'chats:read'])).access_token);
    const mine = await endpoint(bob, own);
    const theirs = await endpoint(app, its);
    const ids = async (person: Pick<Person, 'api'>) => (await person.api.webhooks({})).viewer!.webhooks.edges.map(({ node }) => node.id).sort();
    assert.deepEqual(await ids(app), [theirs]);
    assert.deepEqual(await ids(bob), [mine, theirs].sort());
    assert.deepEqual([(await bob.api.webhook({ id: theirs })).webhook!.appId, (await bob.api.webhook({ id: mine })).webhook!.appId], [made.app.id, null]);
    assert.equal((await app.api.webhook({ id: mine })).webhook, null);
    await fails(app.api.updateWebhook({ input: { webhookId: mine, url: its.url } }), 'NOT_FOUND', 'webhookId');
    await fails(app.api.redeliverWebhook({ input: { webhookId: mine, since: new Date(0).toISOString() } }), 'NOT_FOUND', 'webhookId');
    await fails(app.api.deleteWebhook({ input: { webhookId: mine } }), 'NOT_FOUND', 'webhookId');
    // By Ann, whose app it is, a program of hers does for her what she can do herself.
    const { key } = (await ann.api.createApiKey({ input: { appId: made.app.id, name: 'server', idempotencyKey: world.key() } })).createApiKey;
    const anns = await endpoint(ann, await listen());
    assert.equal((await world.client(key!).api.webhook({ id: anns })).webhook!.id, anns);
    await ann.api.deleteWebhook({ input: { webhookId: anns } });
    await bob.api.deleteWebhook({ input: { webhookId: mine } });
    await bob.api.revokeAppAccess({ input: { appId: made.app.id } });
    assert.deepEqual(await ids(bob), [], 'its endpoint went with it');
  });

  it('an app learns of no other endpoint by the notification that it was switched off', async () => {
    const own = await listen();
    own.answer = () => 410;
    const scopes = ['profile:read', 'notifications:read', 'webhooks:read', 'chats:read'];
    const made = await create(scopes);
    const { access_token: token } = await lets(made, scopes);
    const mine = await endpoint(bob, own);
    // The same words from both: what is made for one is not handed to the other.
    type Event = { inboxEvents: { __typename: string; notification?: { webhook: { id: string } | null } } };
    const subscribe = async (by: string) => {
      const events = world.client(by).subscribe<Event, Record<string, never>>('subscription { inboxEvents { __typename ... on NotificationAdded { notification { webhook { id } } } } }');
      await within(events.next(), 'the checkpoint');
      return events;
    };
    const streams = [await subscribe(bob.accessToken), await subscribe(token)];
    const heard = async (events: Awaited<ReturnType<typeof subscribe>>) => {
      for (;;) {
        const { inboxEvents: event } = (await within(events.next(), 'the notification')).value!;
        if (event.__typename === 'NotificationAdded') return event.notification!.webhook;
      }
    };
    await world.say(ann, chatId, 'into the void');
    assert.deepEqual(await Promise.all(streams.map(heard)), [{ id: mine }, null]);
    for (const events of streams) events.close();
    await eventually(async () => (await bob.api.webhook({ id: mine })).webhook!.disabledReason === 'GONE', 'it is switched off');
    const told = async (by: string) =>
      (await ask(by, '{ viewer { notifications(first: 1) { edges { node { kind webhook { id url } } } } } }') as { viewer: { notifications: { edges: { node: object }[] } } }).viewer.notifications.edges[0]!.node;
    assert.deepEqual(await told(bob.accessToken), { kind: 'WEBHOOK_DISABLED', webhook: { id: mine, url: own.url } });
    assert.deepEqual(await told(token), { kind: 'WEBHOOK_DISABLED', webhook: null });
    await bob.api.deleteWebhook({ input: { webhookId: mine } });
    await bob.api.revokeAppAccess({ input: { appId: made.app.id } });
  });

  it('an endpoint is told what its app may read when it is sent, and nothing once the app may not act any more', async () => {
    const [its, files] = [await listen(), await listen()];
    const made = await create(['webhooks:read', 'webhooks:write', 'chats:read']);
    const withFiles = await create(['webhooks:read', 'webhooks:write', 'chats:read', 'files:read']);
    const tokens = await lets(made, ['webhooks:read', 'webhooks:write', 'chats:read']);
    const endpoints = [await endpoint(world.client(tokens.access_token), its), await endpoint(world.client((await lets(withFiles, ['webhooks:read', 'webhooks:write', 'chats:read', 'files:read'])).access_token), files)];
    const file = await world.upload(ann, new TextEncoder().encode('a file'), { name: 'a.txt', contentType: 'text/plain' });
    await ann.api.sendMessage({ input: { chatId, text: 'with a file', attachments: [{ fileId: file.id! }], idempotencyKey: world.key() } });
    const [[narrow], [wide]] = [await its.got(1), await files.got(1)];
    assert.deepEqual([narrow!.told.data['message'].text, narrow!.told.data['message'].sender.id, narrow!.told.data['message'].attachments], ['with a file', ann.id, undefined]);
    assert.equal(wide!.told.data['message'].attachments[0].file.id, file.id);
    // Its owner takes a scope from the one, and the other lets go of Bob’s token by itself.
    await ann.api.updateApp({ input: { appId: withFiles.app.id, scopes: ['webhooks:read', 'webhooks:write', 'files:read'] } });
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, made.client, made.secret, tokens.refresh_token!, insecure));
    await world.say(ann, chatId, 'for nobody else');
    for (const id of endpoints) await eventually(async () => (await deliveries(id))[0] === 'DROPPED', 'it is dropped');
    await ann.api.deleteApp({ input: { appId: made.app.id } });
    assert.deepEqual((await bob.api.webhooks({})).viewer!.webhooks.edges.map(({ node }) => node.id), [endpoints[1]]);
    assert.deepEqual([its.received.length, files.received.length, its.refused.length + files.refused.length], [1, 1, 0]);
  });

  it('an endpoint is told what the key was given that made it, or has led it elsewhere, whatever the app and its owner may', async () => {
    const [own, its] = [await listen(), await listen()];
    const { app } = await create(['webhooks:read', 'webhooks:write', 'chats:read', 'files:read']);
    const key = async (...scopes: string[]) => world.client((await ann.api.createApiKey({ input: { appId: app.id, name: 'server', scopes, idempotencyKey: world.key() } })).createApiKey.key!);
    const [narrow, wide] = [await key('webhooks:read', 'webhooks:write', 'chats:read'), await key('webhooks:read', 'webhooks:write', 'chats:read', 'files:read')];
    const [byOwner, byKey] = [await endpoint(ann, own), await endpoint(narrow, its)];
    const file = await world.upload(ann, new TextEncoder().encode('a file'), { name: 'a.txt', contentType: 'text/plain' });
    let sent = 0;
    const told = async (there: typeof own) => {
      await ann.api.sendMessage({ input: { chatId, text: `with a file ${++sent}`, attachments: [{ fileId: file.id! }], idempotencyKey: world.key() } });
      const received = () => there.received.find(({ told: { data } }) => data['message'].text === `with a file ${sent}`);
      await eventually(() => received() !== undefined, 'it is told');
      return received()!.told.data['message'].attachments !== undefined;
    };
    assert.deepEqual([await told(own), await told(its)], [true, false]);
    const lead = (api: typeof ann.api, webhookId: string) => api.updateWebhook({ input: { webhookId, url: its.url } });
    await lead(wide.api, byKey);
    assert.equal(await told(its), true);
    await lead(ann.api, byKey);
    assert.equal(await told(its), true, 'a person changes what an app has made, and it stays what it was given');
    await ann.api.deleteWebhook({ input: { webhookId: byKey } });
    await lead(narrow.api, byOwner);
    assert.equal(await told(its), false, 'not even one of the owner’s own');
    await lead(ann.api, byOwner);
    assert.equal(await told(its), true);
    await ann.api.deleteWebhook({ input: { webhookId: byOwner } });
  });

  it('whoever has a role here comes in by themselves, not by a partner’s key', async () => {
    const { app } = await create(['users:issue']);
    const { key } = (await ann.api.createApiKey({ input: { appId: app.id, name: 'server', idempotencyKey: world.key() } })).createApiKey;
    const issue = () => world.client(key!).api.issueUserToken({ input: { externalId: '7' } });
    const { user } = (await issue()).issueUserToken;
    await (await administrator(world)).api.setUserRoles({ input: { userId: user.id, roles: ['MODERATOR'] } });
    await fails(issue(), 'FORBIDDEN');
  });

  it('a partner’s users are signed in by the partner alone: not by one of them, nor by whoever lets the app act for them', async () => {
    const made = await create(['users:issue', 'profile:read']);
    const { key } = (await ann.api.createApiKey({ input: { appId: made.app.id, name: 'server', idempotencyKey: world.key() } })).createApiKey;
    const issue = (token: string, externalId: string) => world.client(token).api.issueUserToken({ input: { externalId } });
    const { user, accessToken } = (await issue(key!, 'customer 7')).issueUserToken;
    const short = await oauth.processClientCredentialsResponse(server, made.client, await oauth.clientCredentialsGrantRequest(server, made.client, made.secret, new URLSearchParams(), insecure));
    assert.equal((await issue(short.access_token, 'customer 7')).issueUserToken.user.id, user.id);
    await fails(issue(accessToken, 'customer 8'), 'FORBIDDEN');
    await fails(issue(accessToken, 'customer 7'), 'FORBIDDEN');
    await fails(issue((await lets(made, ['users:issue'])).access_token, 'customer 7'), 'FORBIDDEN');
    assert.equal((await world.sql(`select from identities where subject = 'customer 8'`)).length, 0);
    await bob.api.revokeAppAccess({ input: { appId: made.app.id } });
  });

  it('an app brings no bot into a chat that it may not read and write itself, nor takes the place of one that is there', async () => {
    const { bot } = (await bob.api.createBot({ input: { handle: 'parrot', displayName: 'Parrot', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot;
    const club = await world.groupChat(bob, [ann], 'Club');
    const made = await create(['bots:read', 'bots:write', 'chats:read', 'chats:write']);
    const adds = (token: string) => world.client(token).request('mutation($input: AddBotToChatInput!) { addBotToChat(input: $input) { __typename } }', { input: { botId: bot.id, chatId: club, seesHistory: true } });
    const rotates = (token: string) => world.client(token).request('mutation($input: RotateBotTokenInput!) { rotateBotToken(input: $input) { token } }', { input: { botId: bot.id } });
    const installs = (token: string) => world.client(token).request('mutation($input: InstallBotInput!) { installBot(input: $input) { __typename } }', { input: { botId: bot.id } });
    const { access_token: narrow } = await lets(made, ['bots:read', 'bots:write']);
    for (const does of [adds, rotates, installs]) await fails(does(narrow), 'FORBIDDEN');
    assert.deepEqual(await world.sql('select from chat_members where chat_id = $1 and user_id = $2', [decodeId('Chat', club), decodeId('User', bot.user.id)]), []);
    const { access_token: wide } = await lets(made, ['bots:read', 'bots:write', 'chats:read', 'chats:write']);
    await adds(wide);
    await rotates(wide);
    await fails(installs(wide), 'NOT_FOUND');
    await bob.api.revokeAppAccess({ input: { appId: made.app.id } });
  });

  it('an app whose owner is suspended acts for nobody, until they are reinstated', async () => {
    const made = await create(['profile:read', 'webhooks:read', 'webhooks:write', 'chats:read']);
    const { access_token: token, refresh_token: refresh } = await lets(made, ['profile:read', 'webhooks:read', 'webhooks:write', 'chats:read']);
    const its = await listen();
    const id = await endpoint(world.client(token), its);
    const refreshed = () => oauth.refreshTokenGrantRequest(server, made.client, made.secret, refresh!, insecure);
    const root = await administrator(world, 'rooty');
    await root.api.suspendUser({ input: { userId: ann.id, reason: 'spies on people' } });
    await eventually(() => ask(token).then(() => false, () => true), 'its token is good no more', 10_000);
    await fails(ask(token), 'SESSION_ENDED');
    assert.equal((await refreshed()).status, 401);
    await world.say(bob, chatId, 'unheard');
    await eventually(async () => (await deliveries(id))[0] === 'DROPPED', 'it is dropped');
    await root.api.reinstateUser({ input: { userId: ann.id, reason: 'it was another' } });
    await eventually(() => ask(token).then(() => true, () => false), 'its token is good again', 10_000);
    await oauth.processRefreshTokenResponse(server, made.client, await refreshed());
    await world.say(bob, chatId, 'heard');
    const [heard] = await its.got(1);
    assert.equal(heard!.told.data['message'].text, 'heard');
  });
});
