import assert from 'node:assert/strict';
import type { OmniTalkError } from '../../sdk/index.js';
import { digest } from '../testkit/digest.js';
import { digitsIn } from '../testkit/outbox.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('phone: coming in by a code', () => {
  let world: World;
  let numbers = 0;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());

  const freshNumber = () => `+4179${String(1_000_000 + ++numbers)}`;
  const request = (phone: string) => world.client().api.requestPhoneCode({ input: { phone } });
  /** Asks for a code and reads it off the phone. */
  const codeFor = async (phone: string): Promise<string> => {
    await request(phone);
    await world.sent();
    return digitsIn(world.outbox.textsTo(phone).at(-1)!);
  };
  const verify = async (phone: string, code: string, more: object = {}) => (await world.client().api.verifyPhoneCode({ input: { phone, code, ...more } })).verifyPhoneCode;
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  const outcomes = async (tries: Promise<unknown>[]) => (await Promise.allSettled(tries)).map((result) => (result.status === 'fulfilled' ? 'ok' : (result.reason as OmniTalkError).code)).sort();

  it('signs a new person up, with the handle and name they want', async () => {
    const phone = freshNumber();
    const { requestPhoneCode: sent } = await request(phone.replace('+4179', '+41 (0)79 '));
    assert.equal(sent.phone, phone);
    assert.equal(Date.parse(sent.expiresAt) - Date.parse(sent.resendAt), 540_000);
    await world.sent();
    assert.equal(world.outbox.textsTo(phone).length, 1);
    const answer = await verify(phone, digitsIn(world.outbox.textsTo(phone)[0]!), { handle: 'phoebe', displayName: 'Phoebe', device: 'phone' });
    assert.equal(answer.user.handle, 'phoebe');
    assert.equal(answer.user.displayName, 'Phoebe');
    assert.equal(answer.session.device, 'phone');
    const { viewer } = await world.client(answer.accessToken).api.viewer();
    assert.deepEqual([viewer!.phone, viewer!.email, viewer!.emailVerified], [phone, null, false]);
    await world.client().api.refreshSession({ input: { refreshToken: answer.refreshToken! } });
  });

  it('makes a handle for whoever asks for none, and signs them in the next time', async () => {
    const phone = freshNumber();
    const first = await verify(phone, await codeFor(phone));
    assert.match(first.user.handle, /^user_[a-z2-9]{10}$/);
    assert.equal(first.user.displayName, first.user.handle);
    world.clock.advance(60_000);
    const second = await verify(phone, await codeFor(phone), { handle: 'ignored_for_who_is_known' });
    assert.equal(second.user.id, first.user.id);
    assert.equal(second.user.handle, first.user.handle);
    assert.notEqual(second.session.id, first.session.id);
  });

  it('a code is good once, also for ten who use it at once', async () => {
    const phone = freshNumber();
    const code = await codeFor(phone);
    const tries = await outcomes([...Array(10)].map(() => verify(phone, code)));
    assert.deepEqual(tries, [...Array(9).fill('CODE_INVALID'), 'ok']);
    assert.deepEqual(await world.sql('select count(*)::int as n from users where phone = $1', [phone]), [{ n: 1 }]);
  });

  it('a code is good for ten minutes', async () => {
    const phone = freshNumber();
    const code = await codeFor(phone);
    world.clock.advance(600_000);
    const before = await digest(world);
    await fails(verify(phone, code), 'CODE_EXPIRED', 'code');
    assert.deepEqual(await digest(world), before);
  });

  it('allows five tries, then not even the right code', async () => {
    const phone = freshNumber();
    const code = await codeFor(phone);
    const before = await digest(world);
    const tries = await outcomes([...Array(12)].map(() => verify(phone, wrong(code))));
    assert.deepEqual(tries, [...Array(5).fill('CODE_INVALID'), ...Array(7).fill('TOO_MANY_ATTEMPTS')]);
    await fails(verify(phone, code), 'TOO_MANY_ATTEMPTS', 'code');
    assert.deepEqual(await digest(world), before);
  });

  it('the newest code alone is good, and only for its number', async () => {
    const phone = freshNumber();
    const first = await codeFor(phone);
    world.clock.advance(60_000);
    const second = await codeFor(phone);
    if (first !== second) await fails(verify(phone, first), 'CODE_INVALID');
    await fails(verify(freshNumber(), second), 'CODE_INVALID');
    await verify(phone, second);
  });

  it('sends one code a minute and five an hour, and says when the next can be asked for', async () => {
    const phone = freshNumber();
    assert.deepEqual(await outcomes([...Array(6)].map(() => request(phone))), [...Array(5).fill('RATE_LIMITED'), 'ok']);
    world.clock.advance(20_000);
    const soon = (await fails(request(phone), 'RATE_LIMITED', 'phone')).errors[0]!.extensions!.retryAfter!;
    assert.ok(soon > 35 && soon <= 40, `retryAfter ${soon}`);
    for (let nth = 2; nth <= 5; nth++) {
      await world.sent();
      world.clock.advance(60_000);
      await request(phone);
    }
    world.clock.advance(60_000);
    const later = (await fails(request(phone), 'RATE_LIMITED', 'phone')).errors[0]!.extensions!.retryAfter!;
    assert.ok(later > 3_200 && later < 3_300, `retryAfter ${later}`);
    await world.sent();
    assert.equal(world.outbox.textsTo(phone).length, 5);
    world.clock.advance(3_600_000);
    await request(phone);
  });

  it('a handle that is taken costs no code', async () => {
    await world.person('Tina');
    const phone = freshNumber();
    const code = await codeFor(phone);
    const before = await digest(world);
    await fails(verify(phone, code, { handle: 'Tina' }), 'HANDLE_TAKEN', 'handle');
    await fails(verify(phone, code, { handle: 'a b' }), 'INVALID_INPUT', 'handle');
    await fails(verify(phone, code, { displayName: '\u202eevil' }), 'INVALID_INPUT', 'displayName');
    assert.deepEqual(await digest(world), before);
    await verify(phone, code, { handle: 'tina_2' });
  });

  it('refuses what is no number, and sends nothing', async () => {
    const sent = world.outbox.texts.length;
    const before = await digest(world);
    for (const phone of ['', '0791234567', '+', '+999123456789', 'ann', `+${'4'.repeat(60)}`, '+41791234567\u0000']) {
      await fails(request(phone), 'INVALID_INPUT', 'phone');
      await fails(verify(phone, '123456'), 'INVALID_INPUT', 'phone');
    }
    for (const code of ['', '12345', 'abcdef', '\u0000', '\ud800', '1'.repeat(5_000)]) await fails(verify('+41791234567', code), 'CODE_INVALID', 'code');
    await world.sent();
    assert.equal(world.outbox.texts.length, sent);
    assert.deepEqual(await digest(world), before);
  });

  it('keeps no code, only a hash that wants the server’s key', async () => {
    const phone = freshNumber();
    const code = await codeFor(phone);
    const [row] = await world.sql<{ text: string }>('select c::text as text from one_time_codes c where subject = $1', [phone]);
    assert.ok(!row!.text.replace(phone, '').includes(`,${code},`));
    assert.deepEqual(await world.sql(`select from graphile_worker.jobs where task_identifier = 'send-phone-code'`), []);
  });

  describe('linking a number', () => {
    let ann: Person;
    before(async () => {
      ann = await world.person('Ann');
    });
    const linkTo = async (person: Person, phone: string, code: string) => (await person.api.verifyPhoneCode({ input: { phone, code } })).verifyPhoneCode;

    it('goes on in the session that asks, and the number signs its owner in from then on', async () => {
      const phone = freshNumber();
      const inbox = ann.client.inboxEvents([(await ann.api.viewer()).viewer!.eventCursor]);
      const linked = await linkTo(ann, phone, await codeFor(phone));
      assert.deepEqual([linked.accessToken, linked.accessTokenExpiresAt, linked.refreshToken], [null, null, null]);
      assert.equal(linked.user.id, ann.id);
      assert.deepEqual([linked.session.id, linked.session.viewerState.current], [ann.sessionId, true]);
      assert.equal((await ann.api.viewer()).viewer!.phone, phone);
      const [event] = await take(inbox, 1);
      inbox.close();
      assert.ok(event!.__typename === 'AccountChanged');
      assert.deepEqual([event.phone, event.email, event.emailVerified, event.roles], [phone, 'ann@example.com', false, ['USER']]);
      world.clock.advance(60_000);
      assert.equal((await verify(phone, await codeFor(phone))).user.id, ann.id);
    });

    it('never takes another’s number', async () => {
      const phone = freshNumber();
      const owner = await verify(phone, await codeFor(phone));
      world.clock.advance(60_000);
      const code = await codeFor(phone);
      const before = await digest(world);
      await fails(linkTo(ann, phone, code), 'PHONE_TAKEN', 'phone');
      assert.deepEqual(await digest(world), before);
      assert.equal((await verify(phone, code)).user.id, owner.user.id);
    });
  });

  it('a suspended person has no way in by phone', async () => {
    const phone = freshNumber();
    const { user } = await verify(phone, await codeFor(phone), { handle: 'suspicious' });
    await world.sql(`update users set suspended_at = now() where handle = 'suspicious'`);
    world.clock.advance(60_000);
    const code = await codeFor(phone);
    const before = await digest(world);
    await fails(verify(phone, code), 'FORBIDDEN');
    assert.deepEqual(await digest(world), before);
    assert.ok(user.id);
  });

  it('a text message that could not be sent is sent again', async () => {
    world.outbox.failures = 1;
    const phone = freshNumber();
    const code = await codeFor(phone);
    assert.equal(world.outbox.textsTo(phone).length, 1);
    await verify(phone, code);
  });
});
