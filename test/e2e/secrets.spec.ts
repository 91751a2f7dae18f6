import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { createLogger } from '../../src/lib/logger.js';
import { webPush } from '../matrix/inputs.js';
import { startCall } from '../testkit/calls.js';
import { ADDRESS, openShop, sell } from '../testkit/commerce.js';
import { digitsIn, tokenIn } from '../testkit/outbox.js';
import { PIXEL } from '../testkit/pictures.js';
import { post, raw } from '../testkit/raw.js';
import { eventually, fails, World } from '../testkit/world.js';

/**
 * Everybody comes in by every way, gets everything that is secret, uses it rightly and wrongly, and things break meanwhile. Then each secret is searched for in
 * every line that was logged at the most talkative level, in every trace, and in every error that was answered.
 */
describe('secrets', () => {
  let world: World;
  const lines: string[] = [];
  const answers: string[] = [];
  const secrets = new Map<string, string>();
  const issued = (what: string, secret: string | null | undefined): string => {
    assert.ok(secret && secret.length >= 6, `no ${what} was issued`);
    secrets.set(what, secret);
    return secret;
  };
  const told = async (answer: Promise<{ text: string }>) => void answers.push((await answer).text);

  /** What a collector of traces is sent. */
  const traced: string[] = [];
  let collector: Server;

  before(async () => {
    collector = createServer((request, response) => void textOf(request).then((body) => {
      traced.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    }));
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const log = createLogger('trace', undefined, { write: (line) => void lines.push(line) });
    world = await World.start({ log, settings: { TURN_URLS: 'turn:turn.example.com:3478', TURN_SECRET: issued('TURN_SECRET', 'turn-secret-of-the-operator'), METRICS_TOKEN: issued('METRICS_TOKEN', 'metrics-token-of-the-operator'),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, JWT_SECRET: issued('JWT_SECRET', 'key-of-access-tokens-of-the-operator'), NOTIFICATIONS: 'true', BOTS: 'true',
      // Of those who answer nobody: what is said of that must not hold what they were asked with.
      STRIPE_SECRET_KEY: issued('STRIPE_SECRET_KEY', 'sk_test_of_the_operator'), STRIPE_WEBHOOK_SECRET: issued('STRIPE_WEBHOOK_SECRET', 'whsec_of_the_operator'), STRIPE_URL: 'http://127.0.0.1:9', STRIPE_RETURN_URL: 'https://example.com/paid',
      LANGUAGE_PROVIDER: 'openai', LANGUAGE_URL: 'http://127.0.0.1:9/v1', LANGUAGE_KEY: issued('LANGUAGE_KEY', 'key-of-a-model-of-the-operator'), LANGUAGE_MODEL: 'a-model' } });
  });
  after(async () => {
    await world.stop();
    collector.close();
  });

  it('are in no line of the log and in no error, whatever is done with them', async () => {
    const ann = await world.person('Ann');
    const bob = await world.person('Bob');
    const password = issued('password', 'password of ann');
    for (const [name, person] of [['ann', ann], ['bob', bob]] as const) {
      issued(`access token of ${name}`, person.accessToken);
      issued(`refresh token of ${name}`, person.refreshToken);
    }
    const nobody = world.client().api;
    // Rightly and wrongly; what is wrong may be nearly right, and stand in another account.
    const wrong = issued('wrong password', 'correct horse battery staple');
    await fails(nobody.signIn({ input: { email: 'ann@example.com', password: wrong } }), 'INVALID_CREDENTIALS');
    await told(post(world, { query: 'mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }', variables: { input: { email: 'ann@example.com', password: wrong, nosuch: 1 } } }));
    await told(post(world, { query: `mutation { signIn(input: { email: "ann@example.com", password: "${wrong}", nosuch: 1 }) { accessToken } }` }));
    const again = (await nobody.signIn({ input: { email: 'ann@example.com', password } })).signIn;
    issued('second access token', again.accessToken);
    const refreshed = (await nobody.refreshSession({ input: { refreshToken: again.refreshToken } })).refreshSession;
    issued('rotated refresh token', refreshed.refreshToken);
    await fails(ann.api.changePassword({ input: { currentPassword: wrong, newPassword: 'x'.repeat(20) } }), 'INVALID_CREDENTIALS');

    // Codes.
    await nobody.requestPasswordReset({ input: { email: 'ann@example.com' } });
    await nobody.requestPhoneCode({ input: { phone: '+41791234567' } });
    await eventually(() => world.outbox.mailsTo('ann@example.com').length === 2 && world.outbox.textsTo('+41791234567').length === 1, 'mails and a text message');
    for (const mail of world.outbox.mailsTo('ann@example.com')) issued(`code of the mail “${mail.subject}”`, tokenIn(mail));
    const digits = issued('code of the text message', digitsIn(world.outbox.texts[0]!));
    await fails(nobody.verifyPhoneCode({ input: { phone: '+41791234567', code: digits === '000000' ? '000001' : '000000' } }), 'CODE_INVALID');
    await nobody.verifyPhoneCode({ input: { phone: '+41791234567', code: digits, handle: 'phoned', displayName: 'Phoned' } });

    // Apps, bots, webhooks, calls, files.
    const chatId = await world.groupChat(ann, [bob]);
    const made = (await ann.api.createApp({ input: { name: 'An app', redirectUris: ['https://example.com/back'], scopes: ['chats:read'], idempotencyKey: world.key() } })).createApp;
    const clientSecret = issued('client secret', made.clientSecret);
    const apiKey = issued('API key', (await ann.api.createApiKey({ input: { appId: made.app.id, name: 'A key', idempotencyKey: world.key() } })).createApiKey.key);
    const bot = (await ann.api.createBot({ input: { handle: 'a_bot', displayName: 'A bot', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot.bot;
    const botToken = issued('bot token', (await ann.api.rotateBotToken({ input: { botId: bot.id } })).rotateBotToken.token);
    issued('webhook secret', (await ann.api.createWebhook({ input: { url: 'https://example.com/hook', events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook.secret);
    const callId = await startCall(world, ann, chatId, { ring: false });
    const guest = issued('call token', (await ann.api.createCallToken({ input: { callId, name: 'Guest', idempotencyKey: world.key() } })).createCallToken.token);
    issued('TURN credential', (await ann.api.createTurnCredentials({ input: {} })).createTurnCredentials.credential);
    const file = await world.upload(ann, PIXEL, { contentType: 'image/png' });
    const signature = (url: string) => new URL(url).pathname.split('/').at(-1)!;
    await eventually(async () => (await ann.api.file({ id: file.id! })).file?.url != null, 'the file is ready');
    const url = (await ann.api.file({ id: file.id! })).file!.url!;
    issued('signature of a file link', signature(url));
    assert.equal((await fetch(url)).status, 200);
    await told(fetch(`${url.slice(0, -3)}abc`).then(async (answer) => ({ text: await answer.text() })));

    // As a bearer, where they belong and where they don't; as a form; in an address.
    for (const bearer of [apiKey, botToken, guest, clientSecret, ann.accessToken, `${ann.accessToken}x`, ann.refreshToken]) {
      await told(post(world, { query: '{ viewer { user { id } } }' }, { authorization: `Bearer ${bearer}` }));
      await told(raw(world, '/metrics', { headers: { authorization: `Bearer ${bearer}` } }));
      await told(raw(world, `/graphql?access_token=${bearer}&query=nonsense`, { headers: { 'apollo-require-preflight': '1' } }));
      await told(raw(world, '/oauth/token', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ grant_type: 'client_credentials', client_id: made.app.id, client_secret: `${bearer}x` }) }));
    }
    // What an app comes in by: a code with its verifier, what they are exchanged for, a ticket that its server has signed.
    const verifier = issued('PKCE verifier', randomBytes(32).toString('base64url'));
    const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
    const { redirectTo } = (await bob.api.authorizeApp({ input: { clientId: made.app.id, redirectUri: 'https://example.com/back', scopes: ['chats:read'], codeChallenge } })).authorizeApp;
    const code = issued('OAuth code', new URL(redirectTo).searchParams.get('code'));
    const form = (fields: Record<string, string>) => raw(world, '/oauth/token', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: `session=${issued('cookie', 'a-cookie-of-somebody-else')}` }, body: new URLSearchParams({ client_id: made.app.id, client_secret: clientSecret, ...fields }) });
    await told(form({ grant_type: 'authorization_code', code, code_verifier: `${verifier}x`, redirect_uri: 'https://example.com/back' }));
    const { json: exchanged } = await form({ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: 'https://example.com/back' });
    const granted = exchanged as unknown as { access_token: string; refresh_token: string };
    issued('access token of an app', granted.access_token);
    issued('refresh token of an app', granted.refresh_token);
    await told(form({ grant_type: 'refresh_token', refresh_token: `${granted.refresh_token}x` }));
    await told(form({ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: 'https://example.com/back' }));
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    issued('private key of a partner', privateKey.export({ format: 'jwk' }).d);
    await fails(ann.api.updateApp({ input: { appId: made.app.id, publicKeys: [JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'k' })] } }), 'INVALID_INPUT', 'publicKeys');
    await ann.api.updateApp({ input: { appId: made.app.id, publicKeys: [JSON.stringify({ ...publicKey.export({ format: 'jwk' }), kid: 'k' })] } });
    const ticket = issued('ticket', await new SignJWT({ iss: made.app.id, sub: 'seven', aud: 'elsewhere', jti: 'one' }).setExpirationTime('5m').setProtectedHeader({ alg: 'EdDSA', kid: 'k' }).sign(privateKey));
    await told(raw(world, '/oauth/token', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: ticket }) }));

    // What a browser is pushed by; an invitation; a gateway and a model that don't answer.
    const device = webPush();
    issued('secret of a push device', device.auth);
    await ann.api.registerPushDevice({ input: { webPush: { ...device, endpoint: `http://127.0.0.1:9/${issued('address of a push device', randomBytes(16).toString('hex'))}` } } }).catch((error: Error) => answers.push(error.message));
    issued('invitation', (await ann.api.createInviteLink({ input: { chatId, idempotencyKey: world.key() } })).createInviteLink.token);
    await told(raw(world, '/webhooks/payments/stripe', { method: 'POST', headers: { 'content-type': 'application/json', 'stripe-signature': 't=1,v1=00' }, body: '{}' }));
    const shop = await openShop(world, ann, 'the-shop');
    const product = await sell(world, shop, 'Tea', { slug: 'tea' });
    const { cart } = (await bob.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
    await bob.api.addToCart({ input: { cartId: cart.id, variantId: product.variants[0]!.id, quantity: 1, idempotencyKey: world.key() } });
    const paid = await bob.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, provider: 'stripe', method: issued('payment method', 'pm_card_of_bob'), idempotencyKey: world.key() } });
    answers.push(JSON.stringify(paid));
    const own = (await ann.api.createBot({ input: { handle: 'own_bot', displayName: 'Own', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot.bot;
    const withBot = (await ann.api.createChat({ input: { kind: 'DIRECT', memberIds: [own.user.id], idempotencyKey: world.key() } })).createChat.chat.id;
    await world.say(ann, withBot, 'hello?');
    await eventually(() => lines.some((line) => line.includes('a model did not answer')), 'a model that does not answer', 20_000);

    const socket = new WebSocket(`${world.app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const closed = new Promise<string>((resolve) => socket.addEventListener('close', ({ reason }) => resolve(reason)));
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ann.refreshToken}` } })));
    answers.push(await closed);

    // While the database breaks, a fault of ours is logged with all that the code knows of it.
    await world.sql('alter table sessions rename to sessions_away');
    await told(post(world, { query: `mutation { signIn(input: { email: "ann@example.com", password: "${password}" }) { accessToken } }` }));
    await told(post(world, { query: 'mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken } }', variables: { input: { refreshToken: refreshed.refreshToken } } }));
    await world.sql('alter table sessions_away rename to sessions');
    assert.ok(answers.some((text) => text.includes('INTERNAL')) && lines.some((line) => line.includes('errorId')), 'nothing broke');

    const keys = await world.sql<Record<string, unknown>>('select * from server_keys');
    for (const key of keys) for (const [name, value] of Object.entries(key)) if (Buffer.isBuffer(value) || (typeof value === 'string' && value.length >= 32)) issued(`server key ${name}`, Buffer.isBuffer(value) ? value.toString('base64url') : value);
    issued('password of the database', new URL(world.databaseUrl).password || 'no password here');

    assert.ok(lines.length > 50, `only ${lines.length} lines were logged`);
    const log = lines.join('');
    const errors = answers.join('\n');
    // Sends what is left of them.
    await world.app.container.tracing!.close();
    assert.ok(traced.length > 0, 'nothing was traced');
    const spans = traced.join('');
    const found = [...secrets].flatMap(([what, secret]) => [...(log.includes(secret) ? [`${what} is in the log: ${lines.find((line) => line.includes(secret))}`] : []), ...(spans.includes(secret) ? [`${what} is in a trace`] : []), ...(errors.includes(secret) ? [`${what} is in an answer: ${answers.find((text) => text.includes(secret))}`] : [])]);
    assert.deepEqual(found, []);
    assert.ok(secrets.size >= 36, String(secrets.size));
  }).timeout(60_000);
});
