import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { Agent, get, request } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeId } from '../../src/lib/ids.js';
import { eventually, fails, settle, take, within, World, type Person } from '../testkit/world.js';

const HOUR = 3_600_000;

describe('files: what is written under them, what is sent later, and how they end', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ settings: { FILE_TRANSFERS_EACH: '6', ACCESS_TOKEN_TTL: '86400' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
  });
  after(() => world.stop());

  const inStore = () => readdirSync(join(world.config.DATA_DIR, 'store'), { recursive: true, encoding: 'utf8' }).filter((name) => /^(files|uploads)\/./.test(name)).sort();
  const file = async (person = ann) => (await world.upload(person, randomBytes(50))).id!;
  const stateOf = async (id: string) => (await ann.api.file({ id })).file?.state ?? null;
  const create = async (person: Person, body: Uint8Array) => {
    const sha256 = createHash('sha256').update(body).digest('hex');
    const made = (await person.api.createUpload({ input: { name: 'x', contentType: 'text/plain', bytes: body.length, sha256, idempotencyKey: world.key() } })).createUpload;
    return { id: made.file.id!, url: made.upload!.url!, headers: Object.fromEntries(made.upload!.headers.map(({ name, value }) => [name, value])) };
  };

  it('each of several has its caption, wherever the message is shown', async () => {
    const [first, second] = [await file(), await file()];
    const events = bob.client.chatEvents(chatId);
    await settle();
    const attachments = [{ fileId: first, caption: '  the lake ' }, { fileId: second }];
    const idempotencyKey = world.key();
    const { message } = (await ann.api.sendMessage({ input: { chatId, text: 'Sunday', attachments, idempotencyKey } })).sendMessage;
    const shown = [{ id: first, caption: 'the lake' }, { id: second, caption: null }];
    const of = ({ attachments: all }: typeof message) => all.map((one) => ({ id: one.file.id, caption: one.caption }));
    assert.deepEqual([message.kind, message.text, of(message)], ['MEDIA', 'Sunday', shown]);
    const [event] = await take(events, 1);
    assert.ok(event?.__typename === 'MessageSent');
    assert.deepEqual(of(event.message as typeof message), shown);
    assert.equal((await ann.api.sendMessage({ input: { chatId, text: 'Sunday', attachments, idempotencyKey } })).sendMessage.message.id, message.id);
    await fails(ann.api.sendMessage({ input: { chatId, text: 'Sunday', attachmentIds: [first, second], idempotencyKey } }), 'IDEMPOTENCY_KEY_REUSED');
    const other = await world.groupChat(bob, [ann]);
    const [forwarded] = (await bob.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [other], idempotencyKey: world.key() } })).forwardMessages.messages;
    assert.deepEqual(of(forwarded as typeof message), shown);
    const send = (input: object) => ann.api.sendMessage({ input: { chatId, idempotencyKey: world.key(), ...input } });
    await fails(send({ attachments, attachmentIds: [first] }), 'INVALID_INPUT', 'attachments');
    await fails(send({ attachments: [{ fileId: first, caption: 'x'.repeat(1_025) }] }), 'INVALID_INPUT', 'attachments.caption');
    await fails(send({ attachments: [{ fileId: chatId }] }), 'INVALID_ID', 'attachments.fileId');
    const twice = (await send({ attachments: [{ fileId: second, caption: 'one' }, { fileId: second, caption: 'other' }, { fileId: first, caption: 'last' }] })).sendMessage.message;
    assert.deepEqual(of(twice), [{ id: second, caption: 'one' }, { id: first, caption: 'last' }], 'what is named twice is shown once');
  });

  it('a message that is sent later keeps its files for itself, and they go when it is taken back', async () => {
    const [sent, cancelled] = [await file(), await file()];
    const schedule = async (input: object) => (await ann.api.scheduleMessage({ input: { chatId, sendAt: new Date(world.clock.now().getTime() + HOUR).toISOString(), idempotencyKey: world.key(), ...input } })).scheduleMessage.scheduledMessage;
    await fails(schedule({}), 'INVALID_INPUT', 'text');
    await fails(schedule({ attachmentIds: [await file(bob)] }), 'NOT_FOUND', 'attachmentIds');
    const one = await schedule({ attachments: [{ fileId: sent, caption: 'later' }] });
    assert.deepEqual([one.text, one.attachments.map(({ caption, file: { id } }) => [id, caption])], [null, [[sent, 'later']]]);
    const two = await schedule({ text: 'never', attachmentIds: [cancelled] });
    const back = (await ann.api.cancelScheduledMessage({ input: { scheduledMessageId: two.id } })).cancelScheduledMessage.scheduledMessage;
    assert.deepEqual([back.attachments, await stateOf(cancelled)], [[], null]);
    world.clock.advance(HOUR + 1_000);
    const waiting = async () => (await ann.api.scheduledMessages({ states: ['SENT'] })).viewer!.scheduledMessages.edges[0]?.node;
    await eventually(async () => Boolean((await waiting())?.message), 'it is sent', 20_000);
    const { message, attachments } = (await waiting())!;
    assert.deepEqual([message!.kind, message!.attachments.map(({ caption, file: { id } }) => [id, caption]), attachments], ['MEDIA', [[sent, 'later']], []]);
    assert.deepEqual(await world.sql(`select from file_references where purpose = 'SCHEDULED'`), []);
    await ann.api.deleteMessage({ input: { messageId: message!.id, scope: 'FOR_EVERYONE' } });
    await eventually(async () => (await stateOf(sent)) === null, 'it goes with the message');
  });

  it('a link to what was deleted a moment ago is 404, and no cache keeps that', async () => {
    const gone = await world.upload(ann, randomBytes(100));
    const { message } = (await ann.api.sendMessage({ input: { chatId, attachmentIds: [gone.id!], idempotencyKey: world.key() } })).sendMessage;
    assert.equal((await fetch(gone.url!)).headers.get('cache-control')?.split(',')[0], 'public');
    await ann.api.deleteMessage({ input: { messageId: message.id, scope: 'FOR_EVERYONE' } });
    await eventually(async () => !(await world.sql(`select from files where state = 'DELETED'`)).length, 'its bytes are gone', 20_000);
    const answer = await fetch(gone.url!);
    assert.deepEqual([answer.status, answer.headers.get('cache-control'), ((await answer.json()) as { errors: { extensions: object }[] }).errors[0]!.extensions], [404, 'no-store', { code: 'NOT_FOUND' }]);
  });

  it('what still arrives of a file that was deleted leaves nothing behind', async () => {
    const cem = await world.person('Cem');
    const before = inStore();
    const body = randomBytes(1_000);
    const { id, url, headers } = await create(cem, body);
    const put = request(url, { method: 'PUT', headers: { ...headers, 'content-length': body.length } });
    const answered = new Promise<number>((resolve, reject) => put.on('response', (response) => (response.resume(), resolve(response.statusCode!))).on('error', reject));
    put.write(body.subarray(0, 500));
    await eventually(() => inStore().length > before.length, 'it is being sent');
    await world.app.container.jobs.fileRemoval.releaseFilesOf(decodeId('User', cem.id));
    assert.equal((await cem.api.file({ id })).file, null);
    await eventually(async () => !(await world.sql(`select from files where state = 'DELETED'`)).length, 'it is forgotten', 20_000);
    put.end(body.subarray(500));
    assert.equal(await answered, 404);
    assert.deepEqual(inStore(), before);
  });

  it('the files of somebody who goes go with them, save those that another has sent on', async () => {
    const dan = await world.person('Dan');
    const with_ = await world.groupChat(dan, [bob]);
    const [kept, gone, later, avatar, loose] = await Promise.all([file(dan), file(dan), file(dan), world.upload(dan, await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).png().toBuffer(), { contentType: 'image/png' }).then(({ id }) => id!), file(dan)]);
    const send = async (attachmentIds: string[]) => (await dan.api.sendMessage({ input: { chatId: with_, text: 'words', attachmentIds, idempotencyKey: world.key() } })).sendMessage.message;
    const [both, one] = [await send([kept, gone]), await send([gone])];
    await bob.api.forwardMessages({ input: { messageIds: [both.id], chatIds: [chatId], idempotencyKey: world.key() } });
    const only = await send([loose]);
    await dan.api.updateProfile({ input: { avatarFileId: avatar } });
    await dan.api.scheduleMessage({ input: { chatId: with_, attachmentIds: [later], sendAt: new Date(world.clock.now().getTime() + HOUR).toISOString(), idempotencyKey: world.key() } });
    await create(dan, randomBytes(9));
    const events = bob.client.chatEvents(with_);
    await settle();
    const release = () => world.app.container.jobs.fileRemoval.releaseFilesOf(decodeId('User', dan.id));
    await release();
    const told = await take(events, 3);
    assert.deepEqual(told.map((event) => (event.__typename === 'MessageUpdated' ? [event.message!.id, event.message!.text, event.message!.attachments] : event.__typename)).sort(), [both, one, only].map(({ id }) => [id, 'words', []]).sort());
    await eventually(async () => !(await world.sql(`select from files where state = 'DELETED'`)).length, 'they are forgotten', 20_000);
    const left = await world.sql<{ id: string; purposes: string[] }>('select f.id, array(select purpose from file_references r where r.file_id = f.id) as purposes from files f where owner_id = $1 order by id', [decodeId('User', dan.id)]);
    assert.deepEqual(left, [kept, gone].map((id) => ({ id: decodeId('File', id), purposes: ['MESSAGE'] })).sort((a, b) => (a.id < b.id ? -1 : 1)));
    assert.equal(inStore().filter((name) => left.every(({ id }) => !name.includes(id)) && [later, avatar, loose].some((id) => name.includes(decodeId('File', id)))).length, 0);
    await release();
    assert.equal((await world.sql('select from files where owner_id = $1', [decodeId('User', dan.id)])).length, 2, 'a repeat changes nothing');
  });

  it('so many are sent at once from one address, and there is room again when one ends', async () => {
    const body = randomBytes(100);
    const begin = async () => {
      const { url, headers } = await create(ann, body);
      const put = request(url, { method: 'PUT', headers: { ...headers, 'content-length': body.length } });
      const status = new Promise<number>((resolve, reject) => put.on('response', (response) => (response.resume(), resolve(response.statusCode!))).on('error', reject));
      put.write(body.subarray(0, 50));
      return { end: () => put.end(body.subarray(50)), status };
    };
    const before = inStore().length;
    const held = await Promise.all(Array.from({ length: 6 }, begin));
    await eventually(() => inStore().length === before + 6, 'six are under way');
    const { url, headers } = await create(ann, body);
    const refused = await fetch(url, { method: 'PUT', headers, body });
    assert.deepEqual([refused.status, refused.headers.get('retry-after'), ((await refused.json()) as { errors: { extensions: object }[] }).errors[0]!.extensions], [429, '5', { code: 'RATE_LIMITED', retryAfter: 5 }]);
    held[0]!.end();
    assert.equal(await held[0]!.status, 204);
    await eventually(async () => (await fetch(url, { method: 'PUT', headers, body })).status === 204, 'there is room');
    for (const one of held.slice(1)) one.end();
    assert.deepEqual(await Promise.all(held.slice(1).map(({ status }) => status)), [204, 204, 204, 204, 204]);
  });

  it('a body that was sent to no address of ours holds no connection: it is answered, and closed', async () => {
    const { hostname, port } = new URL((await create(ann, Buffer.from('x'))).url);
    const forged = `/uploads/${decodeId('File', await file())}/0/4102444800/${'x'.repeat(43)}`;
    for (const [method, path] of [['PUT', forged], ['PUT', '/nowhere'], ['GET', '/files/x'], ['POST', forged]]) {
      const heard = await within(new Promise<string>((resolve) => {
        let text = '';
        const socket = createConnection(Number(port), hostname, () => socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n`));
        const more = setInterval(() => socket.write('x'), 20);
        socket.on('data', (chunk) => (text += chunk.toString())).on('error', () => undefined).on('close', () => {
          clearInterval(more);
          resolve(text);
        });
      }), `${method} ${path} to be closed`);
      assert.match(heard, /^HTTP\/1\.1 404 /, `${method} ${path}`);
    }
    // Whoever has sent all of a request keeps their connection.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let count = 0; count < 2; count++) {
      ports.add(await new Promise((resolve, reject) => {
        get({ hostname, port, path: '/files/x', agent }, (response) => {
          const { localPort } = response.socket;
          response.resume().on('end', () => resolve(localPort));
        }).on('error', reject);
      }));
    }
    agent.destroy();
    assert.equal(ports.size, 1);
  });

  it('what could not be made ready for a week is given up, and counts no more', async () => {
    const eve = await world.person('Eve');
    const { id, url, headers } = await create(eve, randomBytes(70));
    await fetch(url, { method: 'PUT', headers, body: new Uint8Array(70) }).then((response) => assert.equal(response.status, 400));
    // Its job was given up, or lost with the machine.
    await world.sql(`update files set state = 'PROCESSING', expires_at = $2::timestamptz + interval '1 week' where id = $1`, [decodeId('File', id), world.clock.now()]);
    assert.equal((await eve.api.storage()).viewer!.storage.bytes, 70);
    world.clock.advance(7 * 24 * HOUR + 1_000);
    await eventually(async () => !(await world.sql('select from files where id = $1', [decodeId('File', id)])).length, 'it is swept', 20_000);
  });
});
