import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { decodeId } from '../../src/lib/ids.js';
import { SmtpMailer } from '../../src/messaging/smtp.js';
import { digest } from '../testkit/digest.js';
import { tokenIn } from '../testkit/outbox.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('e-mail addresses and forgotten passwords', () => {
  let world: World;
  let ann: Person;
  let email: string;
  before(async () => {
    world = await World.start({ settings: { PUBLIC_URL: 'https://chat.example.com/app' } });
  });
  after(() => world.stop());
  beforeEach(async () => {
    ann = await world.person(`ann${world.key().replace('-', '')}`);
    email = `${ann.handle}@example.com`;
    await world.sent();
  });

  const verifyEmail = (token: string) => world.client().api.verifyEmail({ input: { token } });
  const own = async (person: Person) => (await person.api.viewer()).viewer!;
  const newestMailTo = async (address: string) => {
    await world.sent();
    return world.outbox.mailsTo(address).at(-1)!;
  };
  const askReset = (address: string) => world.client().api.requestPasswordReset({ input: { email: address } });
  const reset = (token: string, password = 'another password') => world.client().api.resetPassword({ input: { token, password } });
  const signIn = async (address: string, password: string) => (await world.client().api.signIn({ input: { email: address, password } })).signIn;

  describe('proving an address', () => {
    it('a sign-up is followed by one mail, whose code proves the address, once', async () => {
      const mails = world.outbox.mailsTo(email);
      assert.equal(mails.length, 1);
      const token = tokenIn(mails[0]!);
      assert.ok(mails[0]!.text.includes(`https://chat.example.com/app/verify-email?token=${token}\n`));
      const inbox = ann.client.inboxEvents([(await own(ann)).eventCursor]);
      const { verifyEmail: answer } = await verifyEmail(token);
      const [event] = await take(inbox, 1);
      inbox.close();
      assert.ok(event!.__typename === 'AccountChanged' && event.emailVerified);
      assert.deepEqual([answer.email, answer.user.id], [email, ann.id]);
      assert.equal((await own(ann)).emailVerified, true);
      await fails(verifyEmail(token), 'CODE_INVALID', 'token');
    });

    it('the code is good for a day', async () => {
      const token = tokenIn(world.outbox.mailsTo(email)[0]!);
      world.clock.advance(86_400_000);
      await fails(verifyEmail(token), 'CODE_EXPIRED', 'token');
      ann.client = world.client((await signIn(email, `password of ${ann.handle}`)).accessToken);
      assert.equal((await ann.client.api.viewer()).viewer!.emailVerified, false);
    });

    it('another mail can be asked for, until the address is proved', async () => {
      const first = tokenIn(world.outbox.mailsTo(email)[0]!);
      assert.equal((await ann.api.requestEmailVerification({ input: {} })).requestEmailVerification.email, email);
      const second = tokenIn(await newestMailTo(email));
      assert.notEqual(first, second);
      await verifyEmail(second);
      await fails(verifyEmail(first), 'CODE_INVALID');
      await ann.api.requestEmailVerification({ input: {} });
      await world.sent();
      assert.equal(world.outbox.mailsTo(email).length, 2);
    });

    it('a new address takes the place of the old one only once it is proved, and wants the password', async () => {
      const wanted = `new-${email}`;
      await fails(ann.api.requestEmailVerification({ input: { email: wanted } }), 'INVALID_CREDENTIALS', 'password');
      await fails(ann.api.requestEmailVerification({ input: { email: wanted, password: 'a wrong password' } }), 'INVALID_CREDENTIALS', 'password');
      await ann.api.requestEmailVerification({ input: { email: wanted, password: `password of ${ann.handle}` } });
      assert.equal((await own(ann)).email, email);
      await verifyEmail(tokenIn(await newestMailTo(wanted)));
      const { email: now, emailVerified } = await own(ann);
      assert.deepEqual([now, emailVerified], [wanted, true]);
      await signIn(wanted, `password of ${ann.handle}`);
      await fails(signIn(email, `password of ${ann.handle}`), 'INVALID_CREDENTIALS');
    });

    it('whether somebody has the wanted address is not told; they get no mail, and keep it', async () => {
      const bob = await world.person(`bob${ann.handle}`);
      await world.sent();
      const password = `password of ${ann.handle}`;
      const theirs = `${bob.handle}@example.com`;
      const before = world.outbox.mails.length;
      const { requestEmailVerification: answer } = await ann.api.requestEmailVerification({ input: { email: theirs, password } });
      assert.equal(answer.email, theirs);
      await world.sent();
      assert.equal(world.outbox.mails.length, before);
      assert.equal((await own(bob)).email, theirs);
    });

    it('of two who prove one address, the first has it', async () => {
      const [one, other] = await world.people(`one${ann.handle}`, `two${ann.handle}`);
      const wanted = `wanted-${email}`;
      const tokens: string[] = [];
      for (const person of [one, other]) {
        await person.api.requestEmailVerification({ input: { email: wanted, password: `password of ${person.handle}` } });
        tokens.push(tokenIn(await newestMailTo(wanted)));
      }
      const results = await Promise.allSettled(tokens.map(verifyEmail));
      const refused = results.filter((result) => result.status === 'rejected').map((result) => result.reason as Promise<unknown>);
      assert.equal(refused.length, 1);
      await fails(Promise.reject(refused[0]), 'EMAIL_TAKEN', 'token');
      assert.deepEqual([(await own(one)).email, (await own(other)).email].filter((address) => address === wanted).length, 1);
    });

    it('what is no code is CODE_INVALID, and changes nothing; a code is not good for another purpose', async () => {
      const verification = tokenIn(world.outbox.mailsTo(email)[0]!);
      const before = await digest(world);
      for (const token of ['', 'x', 'x'.repeat(43), 'x'.repeat(9_000), '\u0000', '\ud800']) {
        await fails(verifyEmail(token), 'CODE_INVALID', 'token');
        await fails(reset(token), 'CODE_INVALID', 'token');
      }
      await fails(reset(verification), 'CODE_INVALID', 'token');
      assert.deepEqual(await digest(world), before);
    });
  });

  describe('a forgotten password', () => {
    it('is set anew by the code of a mail, and ends every session', async () => {
      const socket = await RawSocket.open(world, ann.accessToken);
      const { requestPasswordReset } = await askReset(email.toUpperCase());
      assert.equal(requestPasswordReset.email, email);
      const mail = await newestMailTo(email);
      assert.ok(mail.text.includes(`https://chat.example.com/app/reset-password?token=${tokenIn(mail)}\n`));
      const { resetPassword } = await reset(tokenIn(mail));
      assert.equal(resetPassword.user.id, ann.id);
      assert.equal((await socket.closed()).code, 4401);
      await fails(ann.api.viewer(), 'SESSION_ENDED');
      await fails(world.client().api.refreshSession({ input: { refreshToken: ann.refreshToken } }), 'SESSION_ENDED');
      await fails(signIn(email, `password of ${ann.handle}`), 'INVALID_CREDENTIALS');
      const again = await signIn(email, 'another password');
      assert.equal((await world.client(again.accessToken).api.viewer()).viewer!.emailVerified, true);
      assert.match((await newestMailTo(email)).subject, /was changed/);
    });

    it('is answered alike whether an account has the address or not; nobody gets a mail who didn’t ask', async () => {
      const before = world.outbox.mails.length;
      for (const address of [email, `nobody-${email}`]) assert.deepEqual((await askReset(address)).requestPasswordReset, { email: address });
      await world.sent();
      assert.deepEqual(world.outbox.mails.slice(before).map((mail) => mail.to), [email]);
    });

    it('a code is good once, and for an hour; a bad password costs no code', async () => {
      await askReset(email);
      const token = tokenIn(await newestMailTo(email));
      await fails(reset(token, 'short'), 'INVALID_INPUT', 'password');
      const results = await Promise.allSettled([...Array(5)].map(() => reset(token)));
      assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
      await fails(reset(token), 'CODE_INVALID', 'token');
      await askReset(email);
      const late = tokenIn(await newestMailTo(email));
      world.clock.advance(3_600_000);
      const before = await digest(world);
      await fails(reset(late, 'yet another password'), 'CODE_EXPIRED', 'token');
      assert.deepEqual(await digest(world), before);
    });

    it('takes the account from whoever made it in another’s name: what they linked and asked for is void', async () => {
      await world.sql(`update users set phone = '+41790000001' where handle = $1`, [ann.handle]);
      await world.sql(`insert into identities (issuer, subject, user_id) select 'https://id.example.com', 'squatter', id from users where handle = $1`, [ann.handle]);
      await ann.api.requestEmailVerification({ input: { email: `squatter-${email}`, password: `password of ${ann.handle}` } });
      const squatters = tokenIn(await newestMailTo(`squatter-${email}`));
      await askReset(email);
      await reset(tokenIn(await newestMailTo(email)));
      await fails(verifyEmail(squatters), 'CODE_INVALID');
      assert.deepEqual(
        await world.sql('select u.email, u.phone, (select count(*)::int from identities i where i.user_id = u.id) as identities from users u where u.handle = $1', [ann.handle]),
        [{ email, phone: null, identities: 0 }],
      );
    });

    /** An app of Ann's with all that it could come in by, and one of another's that she has let act for her. */
    async function letIn() {
      const bob = await world.person(`bob${ann.handle}`);
      const make = async (person: Person) => (await person.api.createApp({ input: { name: 'An app', redirectUris: ['https://partner.example/callback'], scopes: ['profile:read'], idempotencyKey: world.key() } })).createApp;
      const [own, others] = [await make(ann), await make(bob)];
      const { key } = (await ann.api.createApiKey({ input: { appId: own.app.id, name: 'a key', idempotencyKey: world.key() } })).createApiKey;
      const { webhook } = (await ann.api.createWebhook({ input: { url: 'https://partner.example/told', events: ['MESSAGE_SENT'], idempotencyKey: world.key() } })).createWebhook;
      const ask = async ({ app, clientSecret }: typeof own, form: Record<string, string>) => {
        const answer = await fetch(`${world.app.url}/oauth/token`, { method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${app.id}:${clientSecret!}`).toString('base64')}` }, body: new URLSearchParams(form) });
        return { status: answer.status, ...((await answer.json()) as { access_token?: string; refresh_token?: string }) };
      };
      const verifier = 'v'.repeat(43);
      const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
      const says = async () => {
        const { redirectTo } = (await ann.api.authorizeApp({ input: { clientId: others.app.id, redirectUri: 'https://partner.example/callback', scopes: ['profile:read'], codeChallenge } })).authorizeApp;
        return { grant_type: 'authorization_code', code: new URL(redirectTo).searchParams.get('code')!, code_verifier: verifier, redirect_uri: 'https://partner.example/callback' };
      };
      const held = await ask(others, await says());
      const unused = await says();
      const who = (token: string) => world.client(token).request('{ viewer { user { id } } }', {}).then(() => 200, () => 401);
      return async () => ({
        key: await who(key!), secret: (await ask(own, { grant_type: 'client_credentials' })).status, held: await who(held.access_token!),
        refreshed: (await ask(others, { grant_type: 'refresh_token', refresh_token: held.refresh_token! })).status, code: (await ask(others, unused)).status,
        told: (await world.sql<{ state: string }>('select state from webhooks where id = $1', [decodeId('Webhook', webhook.id)]))[0]!.state,
      });
    }

    it('takes it from the apps that they had let in, too, and from their own', async () => {
      const ways = await letIn();
      await askReset(email);
      await reset(tokenIn(await newestMailTo(email)));
      assert.deepEqual(await ways(), { key: 401, secret: 401, held: 401, refreshed: 400, code: 400, told: 'PAUSED' });
      const again = world.client((await signIn(email, 'another password')).accessToken);
      const [app] = (await again.api.apps({})).viewer!.apps.edges;
      assert.ok((await again.api.rotateAppSecret({ input: { appId: app!.node.id } })).rotateAppSecret.clientSecret);
    });

    it('leaves what is linked to a person with a proved address', async () => {
      await verifyEmail(tokenIn(world.outbox.mailsTo(email)[0]!));
      const ways = await letIn();
      await world.sql(`update users set phone = '+41790000002' where handle = $1`, [ann.handle]);
      await askReset(email);
      await reset(tokenIn(await newestMailTo(email)));
      assert.deepEqual(await world.sql('select phone from users where handle = $1', [ann.handle]), [{ phone: '+41790000002' }]);
      assert.deepEqual(await ways(), { key: 200, secret: 200, held: 200, refreshed: 200, code: 200, told: 'ACTIVE' });
    });
  });

  describe('a password that is changed', () => {
    it('wants the current one, and ends the other sessions', async () => {
      const other = await signIn(email, `password of ${ann.handle}`);
      const before = await digest(world);
      await fails(ann.api.changePassword({ input: { currentPassword: 'a wrong password', newPassword: 'another password' } }), 'INVALID_CREDENTIALS', 'currentPassword');
      await fails(ann.api.changePassword({ input: { newPassword: 'another password' } }), 'INVALID_CREDENTIALS', 'currentPassword');
      await fails(ann.api.changePassword({ input: { currentPassword: `password of ${ann.handle}`, newPassword: 'short' } }), 'INVALID_INPUT', 'newPassword');
      assert.deepEqual(await digest(world), before);
      const { changePassword } = await ann.api.changePassword({ input: { currentPassword: `password of ${ann.handle}`, newPassword: 'another password' } });
      assert.deepEqual(changePassword.endedSessionIds, [other.session.id]);
      await fails(world.client(other.accessToken).api.viewer(), 'SESSION_ENDED');
      await ann.api.viewer();
      await signIn(email, 'another password');
    });
  });
});

describe('mails over SMTP', () => {
  /** As little of an SMTP server (RFC 5321) as a client needs: no real one is at hand. */
  let server: Server;
  let received: string[];
  const sockets = new Set<Socket>();
  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      let text = '';
      let inData = false;
      socket.write('220 test\r\n');
      socket.on('data', (chunk) => {
        text += chunk.toString();
        for (let end; (end = text.indexOf(inData ? '\r\n.\r\n' : '\r\n')) >= 0; ) {
          const line = text.slice(0, end);
          text = text.slice(end + (inData ? 5 : 2));
          received.push(line);
          if (inData) inData = false;
          else if (line === 'DATA') inData = true;
          socket.write(inData ? '354 go on\r\n' : line === 'RCPT TO:<refused@example.com>' ? '550 nobody\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => (received = []));
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const mailer = () => new SmtpMailer(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, 'OmniTalk <no-reply@example.com>');

  it('are sent from MAIL_FROM, to one address', async () => {
    await mailer().send({ to: 'ann@example.com', subject: 'Hello', text: 'A text.\n' });
    assert.deepEqual(received.filter((line) => /^(MAIL|RCPT)/.test(line)), ['MAIL FROM:<no-reply@example.com>', 'RCPT TO:<ann@example.com>']);
    const message = received.find((line) => line.includes('Subject'))!;
    assert.match(message, /^From: OmniTalk <no-reply@example\.com>$/m);
    assert.match(message, /^Subject: Hello$/m);
    assert.match(message, /\r\nA text\./);
  });

  it('that are refused are an error, so that the job tries again', async () => {
    await assert.rejects(mailer().send({ to: 'refused@example.com', subject: 'Hello', text: 'A text.' }), /550/);
    await assert.rejects(new SmtpMailer('smtp://127.0.0.1:1', 'a@example.com').send({ to: 'ann@example.com', subject: 'Hello', text: 'A text.' }));
  });
});
