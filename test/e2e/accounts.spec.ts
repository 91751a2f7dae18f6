import assert from 'node:assert/strict';
import jwt from 'jsonwebtoken';
import { OmniTalkError } from '../../sdk/index.js';
import { Passwords } from '../../src/services/passwords.js';
import { digest } from '../testkit/digest.js';
import { fails, World, type Person } from '../testkit/world.js';

describe('accounts: signing up and in', () => {
  let world: World;
  let ann: Person;
  before(async () => {
    world = await World.start({ passwords: new Passwords() });
    ann = await world.person('Ann');
  });
  after(() => world.stop());

  const signUp = (input: Partial<Record<'email' | 'password' | 'handle' | 'displayName' | 'device', string>>) =>
    world.client().api.signUp({ input: { email: 'new@example.com', password: 'long enough', handle: 'newcomer', displayName: 'New', ...input } });
  const signIn = (email: string, password: string, device?: string) => world.client().api.signIn({ input: { email, password, ...(device ? { device } : {}) } });

  it('a viewer sees their own e-mail address, which is not verified yet, and no phone number', async () => {
    const { viewer } = await ann.api.viewer();
    assert.equal(viewer!.email, 'ann@example.com');
    assert.equal(viewer!.emailVerified, false);
    assert.equal(viewer!.phone, null);
    assert.deepEqual(viewer!.roles, ['USER']);
  });

  it('signs in with the password, whatever the case of the address', async () => {
    const { signIn: answer } = await signIn('ANN@Example.com', 'password of ann', 'tablet');
    assert.equal(answer.user.id, ann.id);
    assert.equal(answer.session.device, 'tablet');
    assert.equal(answer.session.viewerState.current, true);
    assert.notEqual(answer.session.id, ann.sessionId);
    const { viewer } = await world.client(answer.accessToken).api.viewer();
    assert.equal(viewer!.user.handle, 'ann');
  });

  it('knows a password in whichever Unicode form it is typed', async () => {
    await signUp({ email: 'umlaut@example.com', handle: 'umlaut', password: 'Schl\u00fcssel' });
    await signIn('umlaut@example.com', 'Schlu\u0308ssel');
  });

  it('answers an unknown address and a wrong password alike, and keeps nothing of either', async () => {
    const before = await digest(world);
    const unknown = await fails(signIn('nobody@example.com', 'password of ann'), 'INVALID_CREDENTIALS');
    const wrong = await fails(signIn('ann@example.com', 'password of bob'), 'INVALID_CREDENTIALS');
    assert.deepEqual(unknown.errors.map(({ message, extensions }) => ({ message, extensions })), wrong.errors.map(({ message, extensions }) => ({ message, extensions })));
    assert.deepEqual(await digest(world), before);
  });

  it('keeps no password, only what argon2id makes of it', async () => {
    const [row] = await world.sql<{ password_hash: string }>(`select password_hash from users where handle = 'ann'`);
    assert.match(row!.password_hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('a suspended person is told so only with the right password, and has no session any more', async () => {
    const sue = await world.person('Sue');
    await world.sql(`update users set suspended_at = now() where handle = 'sue'`);
    await fails(signIn('sue@example.com', 'a wrong password'), 'INVALID_CREDENTIALS');
    await fails(signIn('sue@example.com', 'password of sue'), 'FORBIDDEN');
    await fails(world.client().api.refreshSession({ input: { refreshToken: sue.refreshToken } }), 'SESSION_ENDED');
    assert.deepEqual(await world.sql(`select count(*)::int as n from sessions s join users u on u.id = s.user_id where u.handle = 'sue'`), [{ n: 1 }]);
  });

  it('refuses what is taken, whatever its case, and makes nothing', async () => {
    const before = await digest(world);
    await fails(signUp({ email: 'ANN@example.com' }), 'EMAIL_TAKEN', 'email');
    await fails(signUp({ handle: 'ANN' }), 'HANDLE_TAKEN', 'handle');
    assert.deepEqual(await digest(world), before);
  });

  it('of ten who want one handle at once, one gets it; the same for an address', async () => {
    const codes = async (tries: Promise<unknown>[]) => (await Promise.allSettled(tries)).map((result) => (result.status === 'fulfilled' ? 'ok' : (result.reason as OmniTalkError).code)).sort();
    const handles = [...Array(10)].map((_, index) => signUp({ email: `racer${index}@example.com`, handle: index % 2 ? 'racer' : 'RACER' }));
    assert.deepEqual(await codes(handles), [...Array(9).fill('HANDLE_TAKEN'), 'ok']);
    const emails = [...Array(10)].map((_, index) => signUp({ email: 'one@example.com', handle: `runner${index}` }));
    assert.deepEqual(await codes(emails), [...Array(9).fill('EMAIL_TAKEN'), 'ok']);
    assert.deepEqual(await world.sql(`select count(*)::int as n from users where handle_key like 'r%er%' or email = 'one@example.com'`), [{ n: 2 }]);
  });

  it('names the field of a bad input', async () => {
    const before = await digest(world);
    for (const email of ['', 'ann', 'a@', '@b', 'a b@c', 'a@b@c', 'a\u0000@b.c', `${'x'.repeat(65)}@b.c`, 'a,b@c.d', 'a\n@b.c']) await fails(signUp({ email }), 'INVALID_INPUT', 'email');
    for (const password of ['', 'short', 'x'.repeat(257), `long enough \ud800`]) await fails(signUp({ password }), 'INVALID_INPUT', 'password');
    for (const handle of ['', 'ab', 'x'.repeat(33), 'with space', 'dot.', '.dot', 'ümlaut', 'a\u0000b']) await fails(signUp({ handle }), 'INVALID_INPUT', 'handle');
    for (const displayName of ['', ' ', 'a\nb', '\u202eevil', 'x'.repeat(129), '\ud800']) await fails(signUp({ displayName }), 'INVALID_INPUT', 'displayName');
    await fails(signUp({ device: 'x'.repeat(129) }), 'INVALID_INPUT', 'device');
    assert.deepEqual(await digest(world), before);
  });

  describe('an access token', () => {
    const claims = () => jwt.decode(ann.accessToken) as jwt.JwtPayload;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = (): Record<string, string> => {
      const [head, body, signature] = ann.accessToken.split('.') as [string, string, string];
      return {
        'of no algorithm': `${part({ alg: 'none', typ: 'JWT' })}.${body}.`,
        'of no algorithm, with a signature': `${part({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`,
        'signed with another secret': jwt.sign(claims(), 'another secret of thirty-two letters'),
        'with another person’s id': `${head}.${part({ ...claims(), sub: '0190aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa' })}.${signature}`,
        'with another role': `${head}.${part({ ...claims(), role: 'ADMIN' })}.${signature}`,
        'with its signature cut': `${head}.${body}.${signature.slice(0, -2)}`,
        'that is none': 'a.b.c',
      };
    };

    it('that is forged in any way is UNAUTHENTICATED', async () => {
      for (const [what, token] of Object.entries(forged())) {
        const error = await world.client(token).api.viewer().then(() => null, (caught: OmniTalkError) => caught);
        assert.equal(error?.code, 'UNAUTHENTICATED', what);
      }
    });

    it('that was signed by this server for another purpose, or without an end, is UNAUTHENTICATED', async () => {
      const [key] = await world.sql<{ value: string }>(`select value from server_keys where name = 'access-token'`);
      const { exp: _exp, iat: _iat, ...lasting } = claims();
      for (const token of [
        jwt.sign({ ...claims(), iss: 'somebody else' }, key!.value),
        jwt.sign(lasting, key!.value),
        jwt.sign({ ...claims(), role: 'EMPEROR' }, key!.value),
        jwt.sign({ ...claims(), sub: 'ann' }, key!.value),
        jwt.sign(claims(), key!.value, { algorithm: 'HS512' }),
      ]) await fails(world.client(token).api.viewer(), 'UNAUTHENTICATED');
      await world.client(jwt.sign(claims(), key!.value)).api.viewer();
    });

    it('that has expired says so', async () => {
      world.clock.advance(901_000);
      await fails(ann.api.viewer(), 'TOKEN_EXPIRED');
    });
  });
});

describe('accounts: tries are limited', () => {
  it('by address, over all ways in', async () => {
    const world = await World.start({ settings: { RATE_LIMIT_AUTH: '3' } });
    try {
      await world.people('Ann', 'Bob', 'Cat');
      const before = await digest(world);
      const refused = await fails(world.person('Dan'), 'RATE_LIMITED');
      const { retryAfter } = refused.errors[0]!.extensions!;
      assert.ok(retryAfter! > 0 && retryAfter! <= 600, `retryAfter ${retryAfter}`);
      await fails(world.client().api.signIn({ input: { email: 'ann@example.com', password: 'password of ann' } }), 'RATE_LIMITED');
      assert.deepEqual(await digest(world), before);
    } finally {
      await world.stop();
    }
  });

  it('by account, whether there is such an account or not', async () => {
    const world = await World.start({ settings: { RATE_LIMIT_AUTH: '12' } });
    try {
      await world.person('Ann');
      const codes: string[] = [];
      for (const email of ['ann@example.com', 'nobody@example.com']) {
        for (let nth = 0; nth < 5; nth++) codes.push(await world.client().api.signIn({ input: { email, password: 'a wrong password' } }).then(() => 'ok', (error: OmniTalkError) => error.code));
      }
      const one = [...Array(4).fill('INVALID_CREDENTIALS'), 'RATE_LIMITED'];
      assert.deepEqual(codes, [...one, ...one]);
    } finally {
      await world.stop();
    }
  });
});
