import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FcmService, Subscription, WebPushService } from '../testkit/push-service.js';
import { raw } from '../testkit/raw.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

const GATHER = 1_100;
const APART = 15_100;
const CERTAIN = 25_100;

describe('pushes', function () {
  this.timeout(30_000);
  let world: World;
  let service: WebPushService;
  let fcm: FcmService;
  let folder: string;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let device: Subscription;
  let names = 0;

  before(async () => {
    service = await new WebPushService().listen();
    fcm = await new FcmService().listen();
    folder = await mkdtemp(join(tmpdir(), 'omnitalk-push-'));
    await writeFile(join(folder, 'account.json'), JSON.stringify(fcm.account));
    world = await World.start({ settings: { NOTIFICATIONS: 'true', ACCESS_TOKEN_TTL: '86400', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1', FCM_URL: fcm.url, FCM_SERVICE_ACCOUNT: join(folder, 'account.json') } });
    fcm.now = () => world.clock.now();
    service.serverKey = (await world.client().api.pushConfig()).pushConfig.webPushPublicKey;
  });
  after(async () => {
    await world?.stop();
    await service.close();
    await fcm.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    const suffix = ++names;
    [ann, bob] = await world.people(`Ann${suffix}`, `Bob${suffix}`);
    chatId = await world.directChat(ann, bob);
    device = new Subscription(service);
    await bob.api.registerPushDevice({ input: { webPush: device.input } });
  });

  const pushes = () => world.app.container.jobs.pushes;
  /** Something is noted to be pushed to devices of these people. */
  const noted = (count = 1, person = bob) =>
    eventually(async () => (await world.sql('select from pushes p join push_devices d on d.id = p.device_id join users u on u.id = d.user_id where u.handle = $1 and p.due_at is not null', [person.handle])).length === count, `${count} wait`);
  /** Time passes, and what is due by then has been dealt with: sent, dropped, or put off. */
  const pass = async (ms: number) => {
    world.clock.advance(ms);
    await eventually(async () => {
      await pushes().sweep();
      return !(await world.sql('select from pushes where due_at <= $1', [world.clock.now()])).length;
    }, 'all that was due is taken');
    await pushes().close();
  };
  const nothingWaits = async () =>
    assert.deepEqual(await world.sql('select p.slot from pushes p join push_devices d on d.id = p.device_id join users u on u.id = d.user_id where p.due_at is not null and u.handle = $1', [bob.handle]), []);
  const texts = (of = device) => of.received.map(({ payload }) => `${String(payload['title']).replace(/\d+/g, '')}: ${String(payload['body'])}`);

  it('reach the device alone: signed for its service, encrypted for it, with what to show and where to go', async () => {
    const message = await world.say(ann, chatId, 'Hello Bob 👋');
    await noted();
    await pass(GATHER);
    const [{ payload, headers, bytes }] = device.received as [(typeof device.received)[0]];
    const { title, at, ...rest } = payload;
    assert.equal(title, `Ann${names}`);
    assert.ok(Math.abs(Date.parse(String(at)) - world.clock.now().getTime()) < 60_000);
    assert.deepEqual(rest, { v: 1, kind: 'DIRECT_MESSAGE', tag: rest['tag'], body: 'Hello Bob 👋', count: 1, chatId, messageId: message.id, userId: ann.id });
    assert.deepEqual([headers['urgency'], Number(headers['ttl']) > 80_000, bytes < 4_096], ['normal', true, true]);
    await nothingWaits();
    assert.equal(device.received.length, 1);
  });

  it('come once for a burst, with the number of messages; what follows keeps its distance, under the same topic', async () => {
    for (const text of ['one', 'two', 'three']) await world.say(ann, chatId, text);
    await eventually(async () => (await world.sql('select from pushes where due_at is not null and seq = 3')).length === 1, 'all three are noted');
    await pass(GATHER);
    assert.deepEqual(texts(), ['Ann: 3 new messages\nthree']);
    await world.say(ann, chatId, 'four');
    await noted();
    await pass(GATHER);
    assert.equal(device.received.length, 1);
    await pass(APART);
    assert.deepEqual(texts(), ['Ann: 3 new messages\nthree', 'Ann: 4 new messages\nfour']);
    assert.equal(new Set(device.received.map(({ headers }) => headers['topic'])).size, 1);
  });

  it('tell the device of an app of what the app may read itself, and of nothing else', async () => {
    const registered = async (scopes: string[]) => {
      const { app } = (await bob.api.createApp({ input: { name: 'Told', redirectUris: [], scopes: ['notifications:read', 'notifications:write', ...scopes], idempotencyKey: world.key() } })).createApp;
      const { key } = (await bob.api.createApiKey({ input: { appId: app.id, name: 'a key', idempotencyKey: world.key() } })).createApiKey;
      const its = new Subscription(service);
      await world.client(key!).api.registerPushDevice({ input: { webPush: its.input } });
      return its;
    };
    const [blind, reader] = [await registered([]), await registered(['chats:read'])];
    await world.say(ann, chatId, 'for those who may read it');
    await noted(3);
    await pass(GATHER);
    assert.deepEqual([device, blind, reader].map((of) => texts(of)), [['Ann: for those who may read it'], [], ['Ann: for those who may read it']]);
  });

  it('are not for what was read on any device, deleted, muted, quiet, unwanted, or across a block', async () => {
    const said: string[] = [];
    const other = async (prepare: (seq: number) => Promise<unknown>, undo: () => Promise<unknown> = async () => undefined) => {
      const { id, seq } = await world.say(ann, chatId, 'soon of no use');
      said.push(id);
      await noted();
      await prepare(seq);
      await pass(APART);
      await undo();
    };
    const want = (input: Parameters<Person['api']['updateNotificationPreferences']>[0]['input']) => bob.api.updateNotificationPreferences({ input });
    await other((seq) => bob.api.markRead({ input: { chatId, seq } }));
    await other(() => bob.api.updateChatSettings({ input: { chatId, muted: true } }), () => bob.api.updateChatSettings({ input: { chatId, muted: false } }));
    await other(() => want({ kinds: [{ kind: 'DIRECT_MESSAGE', push: false }] }), () => want({ kinds: [{ kind: 'DIRECT_MESSAGE', push: true }] }));
    await other(() => want({ quietHours: { from: '00:00', to: '23:59', timeZone: zoneAwayFromMidnight(world.clock.now()) } }), () => want({ quietHours: null }));
    await other(() => want({ chats: [{ chatId, level: 'MENTIONS' }] }), () => want({ chats: [{ chatId, level: null }] }));
    await other(() => Promise.all(said.map((messageId) => ann.api.deleteMessage({ input: { messageId, scope: 'FOR_EVERYONE' } }))));
    await other(() => bob.api.blockUser({ input: { userId: ann.id } }));
    assert.deepEqual(texts(), []);
    await nothingWaits();
    await bob.api.unblockUser({ input: { userId: ann.id } });
    await world.say(ann, chatId, 'at last');
    await noted();
    await pass(APART);
    assert.deepEqual(device.received.map(({ payload }) => String(payload['body']).split('\n').at(-1)), ['at last']);
  });

  it('leave out the device that is connected and looked at, once that is certain; and no other', async () => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${bob.handle}@example.com`, password: `password of ${bob.handle}` } });
    const phone = new Subscription(service);
    const second = world.client(signIn.accessToken);
    await second.api.registerPushDevice({ input: { webPush: phone.input } });
    const inbox = bob.client.inboxEvents([]);
    await within(inbox.next(), 'it stands');
    await eventually(async () => (await world.sql('select from presence p join users u on u.id = p.user_id where u.handle = $1', [bob.handle])).length === 1, 'he is there');
    await world.say(ann, chatId, 'live');
    await noted(2);
    await pass(GATHER);
    assert.deepEqual([device.received.length, texts(phone)], [0, ['Ann: live']]);
    await pass(CERTAIN);
    assert.deepEqual([device.received.length, phone.received.length], [0, 1]);
    await nothingWaits();
    // A connection that only seemed to be alive: the device is told when it has gone.
    await world.say(ann, chatId, 'to a dead connection');
    await noted(2);
    await pass(APART);
    assert.equal(device.received.length, 0);
    inbox.close();
    await bob.client.close();
    await eventually(async () => !(await world.sql('select from presence p join users u on u.id = p.user_id where u.handle = $1', [bob.handle])).length, 'he is gone');
    await pass(CERTAIN);
    assert.deepEqual([device.received.length, phone.received.length], [1, 2]);
  });

  it('ring at once and for as long as it rings, and say who was missed in its place', async () => {
    const { startCall } = await ann.api.startCall({ input: { chatId, kind: 'VIDEO', idempotencyKey: world.key() } });
    await noted();
    await pass(0);
    const [{ payload, headers }] = device.received as [(typeof device.received)[0]];
    assert.deepEqual([payload['kind'], payload['callId'], payload['body'], headers['urgency']], ['INCOMING_CALL', startCall.call.id, 'Video call', 'high']);
    assert.ok(Number(headers['ttl']) <= 45);
    await ann.api.endCall({ input: { callId: startCall.call.id } });
    await noted();
    await pass(APART);
    assert.deepEqual(device.received.map(({ payload: { kind } }) => kind), ['INCOMING_CALL', 'MISSED_CALL']);
    assert.equal(device.received[1]!.payload['tag'], payload['tag']);
    const again = (await ann.api.startCall({ input: { chatId, kind: 'VOICE', idempotencyKey: world.key() } })).startCall.call.id;
    await noted();
    await bob.api.declineCall({ input: { callId: again } });
    await pass(0);
    // A sweep may have told of it while it rang.
    const since = device.received.slice(2).map((push) => [push.payload['kind'], push.payload['callId']]);
    assert.deepEqual(since, since.length ? [['INCOMING_CALL', again]] : [], 'what does not ring any more is not told of');
    await nothingWaits();
  });

  it('are counted in /metrics: what waits, and what became of each', async () => {
    const figures = async () => {
      const { text } = await raw(world, '/metrics');
      const figure = (name: string) => Number(new RegExp(`^omnitalk_${name} (\\d+)$`, 'm').exec(text)![1]);
      return [figure('push_queue_size'), ...['sent', 'gone', 'expired', 'refused'].map((outcome) => figure(`pushes_total\\{outcome="${outcome}"\\}`))];
    };
    const [, sent, gone, expired, refused] = await figures();
    await world.say(ann, chatId, 'one');
    await noted();
    assert.deepEqual(await figures(), [1, sent, gone, expired, refused]);
    await pass(GATHER);
    assert.deepEqual(await figures(), [0, sent! + 1, gone, expired, refused]);
    await world.say(ann, chatId, 'too late');
    await noted();
    await pass(24 * 3_600_000 + APART);
    assert.deepEqual(await figures(), [0, sent! + 1, gone, expired! + 1, refused]);
  });

  it('show as much as somebody wants, and never more than a push service takes', async () => {
    const long = `${'𓀀'.repeat(3_000)}`;
    const say = async (content: 'TEXT' | 'SENDER' | 'NOTHING') => {
      await bob.api.updateNotificationPreferences({ input: { content } });
      await world.say(ann, chatId, long);
      await noted();
      await pass(APART);
      const { payload, bytes } = device.received.at(-1)!;
      assert.ok(bytes <= 4_096, `${bytes} bytes`);
      return [String(payload['title']), String(payload['body'])];
    };
    const [, text] = await say('TEXT');
    assert.ok(text!.startsWith('𓀀𓀀') && text!.endsWith('𓀀…') && text!.isWellFormed());
    assert.deepEqual(await say('SENDER'), [`Ann${names}`, '2 new messages']);
    assert.deepEqual(await say('NOTHING'), ['OmniTalk', 'Something new']);
    assert.ok(!JSON.stringify(device.received.at(-1)!.payload).includes(`Ann${names}`));
  });

  it('are tried again when the service asks for it, and as late as it says', async () => {
    device.refusals.push({ status: 503 }, { status: 429, headers: { 'retry-after': '120' } }, { status: 500 });
    await world.say(ann, chatId, 'patience');
    await noted();
    await pass(GATHER);
    await noted();
    await pass(15_100);
    await pass(60_000);
    assert.deepEqual([device.received.length, device.refusals.length], [0, 1], 'not before two minutes are over');
    await pass(61_000);
    assert.deepEqual([device.received.length, device.refusals.length], [0, 0]);
    await pass(61_000);
    assert.deepEqual(texts(), ['Ann: patience']);
    device.refusals.push({ status: 400, body: 'never' });
    await world.say(ann, chatId, 'refused');
    await noted();
    await pass(APART);
    await nothingWaits();
    device.refusals.push(...Array.from({ length: 20 }, () => ({ status: 503 })));
    await world.say(ann, chatId, 'too late');
    await noted();
    await pass(APART);
    await pass(25 * 3_600_000);
    await nothingWaits();
    assert.equal(device.received.length, 1, 'after a day there is no point');
  });

  it('end with the subscription, with the session, and with who signs in after', async () => {
    const devices = () => world.sql<{ n: number }>('select count(*)::int as n from push_devices d join users u on u.id = d.user_id where u.handle = any($1)', [[ann.handle, bob.handle]]);
    device.refusals.push({ status: 410 });
    await world.say(ann, chatId, 'gone');
    await noted();
    await pass(GATHER);
    assert.deepEqual(await devices(), [{ n: 0 }]);
    await bob.api.registerPushDevice({ input: { webPush: device.input } });
    // The browser is Ann's now.
    await ann.api.registerPushDevice({ input: { webPush: device.input } });
    assert.deepEqual((await bob.api.pushDevices({})).viewer!.pushDevices.edges, []);
    assert.deepEqual((await ann.api.pushDevices({})).viewer!.pushDevices.edges.map(({ node }) => [node.provider, node.current]), [['WEB_PUSH', true]]);
    await bob.api.registerPushDevice({ input: { webPush: new Subscription(service).input } });
    await world.say(ann, chatId, 'to a session that ends');
    await noted();
    await bob.api.signOut({ input: {} });
    await pass(GATHER);
    await eventually(async () => (await devices())[0]!.n === 1, 'only Ann’s is left');
    assert.equal(device.received.length, 0);
  });

  it('go by FCM as well: a token that is kept, one that ended early, errors as it names them', async () => {
    const token = `token-${randomBytes(8).toString('hex')}`;
    await bob.api.registerPushDevice({ input: { fcm: { token } } });
    const say = async (text: string) => {
      await world.say(ann, chatId, text);
      await noted();
      await pass(APART);
    };
    await say('first');
    const asked = fcm.tokens.size;
    await say('second');
    assert.equal(fcm.tokens.size, asked, 'one token serves for many');
    for (const value of fcm.tokens.keys()) fcm.tokens.set(value, false);
    await say('third');
    assert.equal(fcm.tokens.size, asked + 1);
    world.clock.advance(3_600_000);
    await say('fourth');
    assert.equal(fcm.tokens.size, asked + 2, 'and not past its hour');
    const mine = fcm.received.filter((one) => one.token === token);
    assert.deepEqual(mine.map(({ message }) => message.data['body']!.split('\n').at(-1)), ['first', 'second', 'third', 'fourth']);
    assert.deepEqual((mine[0]!.message['notification'] as object), { title: `Ann${names}`, body: 'first' });
    fcm.refusals.set(token, [FcmService.error(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', { 'retry-after': '60' }), FcmService.error(503, 'UNAVAILABLE', 'UNAVAILABLE')]);
    await say('fifth');
    await pass(30_000);
    assert.equal(fcm.refusals.get(token)!.length, 1);
    await pass(31_000);
    await pass(31_000);
    assert.equal(fcm.received.filter((one) => one.token === token).length, 5);
    fcm.refusals.set(token, [FcmService.error(404, 'NOT_FOUND', 'UNREGISTERED')]);
    await say('sixth');
    assert.deepEqual((await bob.api.pushDevices({})).viewer!.pushDevices.edges, []);
  });

  it('are registered only with what can be pushed to', async () => {
    const register = (input: object) => bob.api.registerPushDevice({ input: { webPush: { ...device.input, ...input } } });
    const [before] = await world.sql<{ n: number }>('select count(*)::int as n from push_devices');
    await fails(register({ endpoint: 'ftp://push.example/1' }), 'INVALID_INPUT', 'webPush.endpoint');
    await fails(register({ endpoint: 'https://user:secret@push.example/1' }), 'INVALID_INPUT', 'webPush.endpoint');
    await fails(register({ p256dh: Buffer.alloc(65, 4).toString('base64url') }), 'INVALID_INPUT', 'webPush.p256dh');
    await fails(register({ p256dh: 'AAAA' }), 'INVALID_INPUT', 'webPush.p256dh');
    await fails(register({ auth: randomBytes(15).toString('base64url') }), 'INVALID_INPUT', 'webPush.auth');
    await fails(bob.api.registerPushDevice({ input: {} }), 'INVALID_INPUT', 'webPush');
    await fails(bob.api.registerPushDevice({ input: { webPush: device.input, fcm: { token: 'x' } } }), 'INVALID_INPUT', 'webPush');
    await fails(bob.api.registerPushDevice({ input: { fcm: { token: 'two words' } } }), 'INVALID_INPUT', 'fcm.token');
    const { pushDevice } = (await register({})).registerPushDevice;
    assert.deepEqual((await register({})).registerPushDevice.pushDevice, pushDevice, 'a repeat changes nothing');
    await fails(ann.api.unregisterPushDevice({ input: { pushDeviceId: pushDevice.id } }), 'NOT_FOUND');
    assert.deepEqual(await world.sql('select count(*)::int as n from push_devices'), [before]);
    await bob.api.unregisterPushDevice({ input: { pushDeviceId: pushDevice.id } });
    await fails(bob.api.unregisterPushDevice({ input: { pushDeviceId: pushDevice.id } }), 'NOT_FOUND');
  });

  it('never lead into the network that the server stands in', async () => {
    const inside = new Subscription(service);
    const endpoint = inside.endpoint.replace('127.0.0.1', 'localhost');
    await bob.api.registerPushDevice({ input: { webPush: { ...inside.input, endpoint } } });
    await world.say(ann, chatId, 'ask your neighbour');
    await noted();
    const before = service.requests;
    await pass(GATHER);
    assert.equal(service.requests, before);
    await nothingWaits();
  });
});

/** A zone in which it is not the last minute of a day. */
const zoneAwayFromMidnight = (now: Date): string => (now.getUTCHours() === 23 ? 'Asia/Tokyo' : 'UTC');
