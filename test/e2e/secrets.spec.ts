import assert from 'node:assert/strict';
import { createLogger } from '../../src/lib/logger.js';
import { startCall } from '../testkit/calls.js';
import { digitsIn, tokenIn } from '../testkit/outbox.js';
import { PIXEL } from '../testkit/pictures.js';
import { post, raw } from '../testkit/raw.js';
import { eventually, fails, World } from '../testkit/world.js';

/**
 * Everybody comes in by every way, gets everything that is secret, uses it rightly and wrongly, and things break meanwhile. Then each secret is searched for in
 * every line that was logged at the most talkative level, and in every error that was answered.
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

  before(async () => {
    const log = createLogger('trace', undefined, { write: (line) => void lines.push(line) });
    world = await World.start({ log, settings: { TURN_URLS: 'turn:turn.example.com:3478', TURN_SECRET: issued('TURN_SECRET', 'turn-secret-of-the-operator'), METRICS_TOKEN: issued('METRICS_TOKEN', 'metrics-token-of-the-operator') } });
  });
  after(() => world.stop());

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
    const found = [...secrets].flatMap(([what, secret]) => [...(log.includes(secret) ? [`${what} is in the log: ${lines.find((line) => line.includes(secret))}`] : []), ...(errors.includes(secret) ? [`${what} is in an answer: ${answers.find((text) => text.includes(secret))}`] : [])]);
    assert.deepEqual(found, []);
    assert.ok(secrets.size >= 18, String(secrets.size));
  }).timeout(60_000);
});
