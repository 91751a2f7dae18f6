import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { FolderStore } from '../../src/storage/folder-store.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const HOUR = 3_600_000;
const MiB = 1024 * 1024;
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest('hex');

/** A PNG that says that it is so large: a hundred bytes that would take gigabytes. */
function bombPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(1_000))), chunk('IEND', Buffer.alloc(0))]);
}

describe('files', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let eve: Person;
  let chatId: string;
  before(async () => {
    world = await World.start({ settings: { FILE_URL_TTL: '60', FILE_QUOTA: String(100 * MiB) } });
    [ann, bob, eve] = await world.people('Ann', 'Bob', 'Eve');
    chatId = await world.groupChat(ann, [bob], 'Pictures');
  });
  after(() => world.stop());

  const picture = (more: { exif?: boolean; width?: number; height?: number; orientation?: number } = {}) => {
    const made = sharp({ create: { width: more.width ?? 640, height: more.height ?? 400, channels: 3, background: { r: 200, g: 80, b: 20 } } }).jpeg();
    if (more.exif) made.withExif({ IFD0: { Artist: 'Ann' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '47/1 22/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '8/1 32/1 0/1' } });
    if (more.orientation) made.withMetadata({ orientation: more.orientation });
    return made.toBuffer();
  };
  const create = async (person: Person, input: object) =>
    (await person.api.createUpload({ input: { name: 'a file', contentType: 'application/octet-stream', bytes: 4, sha256: '0'.repeat(64), idempotencyKey: world.key(), ...input } })).createUpload;
  const put = (upload: { url?: string | null; headers: { name: string; value: string }[] }, body: Uint8Array<ArrayBuffer> | string, more: Record<string, string> = {}) =>
    fetch(upload.url!, { method: 'PUT', headers: { ...Object.fromEntries(upload.headers.map(({ name, value }) => [name, value])), ...more }, body });
  const send = async (person: Person, attachmentIds: (string | null | undefined)[], more: object = {}) =>
    (await person.api.sendMessage({ input: { chatId, attachmentIds: attachmentIds as string[], idempotencyKey: world.key(), ...more } })).sendMessage.message;
  const inStore = () => readdirSync(join(world.config.DATA_DIR, 'store', 'files'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('/'));
  const fetched = async (url: string | null | undefined, headers: Record<string, string> = {}) => {
    const response = await fetch(url!, { headers });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  };

  const smaller = async ({ thumbnailUrl }: { thumbnailUrl?: string | null }) => {
    const { format, width, height } = await sharp((await fetched(thumbnailUrl)).body).metadata();
    return [format, width, height];
  };

  it('a picture is uploaded, made ready, sent, and fetched by whoever is in the chat', async () => {
    const body = await picture();
    const file = await world.upload(ann, body, { name: 'Zürich "am" See.jpg', contentType: 'image/jpeg' });
    assert.deepEqual([file.state, file.kind, file.contentType, file.bytes, file.width, file.height, file.failure], ['READY', 'IMAGE', 'image/jpeg', body.length, 640, 400, null]);
    assert.ok(file.blurhash!.length > 6);
    const events = bob.client.chatEvents(chatId);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const message = await send(ann, [file.id], { text: 'the lake' });
    assert.deepEqual([message.kind, message.text, message.attachments.map((one) => one.file.id)], ['MEDIA', 'the lake', [file.id]]);
    const [event] = await take(events, 1);
    assert.ok(event?.__typename === 'MessageSent');
    const shown = event.message!.attachments[0]!.file;
    assert.equal(shown.url, file.url, 'the same address for everybody');
    const got = await fetched(shown.url);
    assert.deepEqual([got.status, got.body.equals(body)], [200, true]);
    const header = (name: string) => got.headers.get(name);
    assert.deepEqual([header('content-type'), header('x-content-type-options'), header('accept-ranges'), header('content-length')], ['image/jpeg', 'nosniff', 'bytes', String(body.length)]);
    assert.equal(header('content-disposition'), `inline; filename="Zurich _am_ See.jpg"; filename*=UTF-8''Z%C3%BCrich%20%22am%22%20See.jpg`);
    assert.match(header('content-security-policy')!, /default-src 'none'.*sandbox/);
    assert.match(header('cache-control')!, /^public, max-age=\d+, immutable$/);
    assert.deepEqual(await smaller(shown), ['webp', 480, 300]);
    events.close();
    const { editMessage } = await ann.api.editMessage({ input: { messageId: message.id, text: 'the lake of Zürich' } });
    assert.deepEqual([editMessage.message.text, editMessage.message.attachments.length], ['the lake of Zürich', 1]);
  });

  it('ranges, conditions, and what lies behind the end', async () => {
    const body = randomBytes(1000);
    const file = await world.upload(ann, body);
    const part = async (range: string, more: Record<string, string> = {}) => {
      const got = await fetched(file.url, { range, ...more });
      return [got.status, got.headers.get('content-range'), got.body.toString('hex')];
    };
    assert.deepEqual(await part('bytes=10-19'), [206, 'bytes 10-19/1000', body.subarray(10, 20).toString('hex')]);
    assert.deepEqual(await part('bytes=990-'), [206, 'bytes 990-999/1000', body.subarray(990).toString('hex')]);
    assert.deepEqual(await part('bytes=-5'), [206, 'bytes 995-999/1000', body.subarray(995).toString('hex')]);
    assert.deepEqual((await part('bytes=1000-'))[0], 416);
    assert.deepEqual((await part('bytes=0-1,5-6'))[0], 200);
    const etag = (await fetched(file.url)).headers.get('etag')!;
    assert.deepEqual((await part('bytes=0-0', { 'if-range': etag }))[0], 206);
    assert.deepEqual((await part('bytes=0-0', { 'if-range': '"other"' }))[0], 200);
    const same = await fetched(file.url, { 'if-none-match': etag });
    assert.deepEqual([same.status, same.body.length], [304, 0]);
    const head = await fetch(file.url!, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length'), (await head.text()).length], [200, '1000', 0]);
  });

  it('a link ends, and one that was tampered with never began', async () => {
    const file = await world.upload(ann, randomBytes(10));
    assert.equal((await fetched(file.url)).status, 200);
    const other = await world.upload(ann, randomBytes(10));
    const [mine, theirs] = [file.url!.split('/'), other.url!.split('/')];
    assert.equal((await fetched([...mine.slice(0, -1), theirs.at(-1)].join('/'))).status, 404);
    assert.equal((await fetched(file.url!.replace('/original/', '/thumbnail/'))).status, 404);
    assert.equal((await fetched(file.url!.replace(/\/(\d{10})\//, (_, at) => `/${Number(at) + 1}/`))).status, 404);
    assert.equal((await fetched(`${world.app.url}${new URL(file.url!).pathname}`)).status, 404, 'not from the origin of the API');
    assert.equal((await fetched(file.url!.replace(/\/files\/.*/, '/graphql'))).status, 404, 'nor the API from that of files');
    world.clock.advance(59_999);
    assert.equal((await fetched(file.url)).status, 200, 'good for at least one step');
    world.clock.advance(60_001);
    assert.equal((await fetched(file.url)).status, 404, 'and for two at the most');
    const again = (await ann.api.file({ id: file.id! })).file!;
    assert.notEqual(again.url, file.url);
    assert.equal((await fetched(again.url)).status, 200);
  });

  it('size, type and checksum are bound to where it is sent', async () => {
    const body = 'four';
    const { file, upload } = await create(ann, { sha256: sha256(Buffer.from(body)), contentType: 'text/plain' });
    await fails(ann.api.completeUpload({ input: { fileId: file.id! } }), 'STATE_CONFLICT');
    const refused = async (response: Response) => [response.status, ((await response.json()) as { errors: { extensions: { code: string; field: string } }[] }).errors[0]!.extensions];
    assert.deepEqual(await refused(await put(upload!, 'fours')), [400, { code: 'INVALID_INPUT', field: 'bytes' }]);
    assert.deepEqual(await refused(await put(upload!, body, { 'content-type': 'text/html' })), [400, { code: 'INVALID_INPUT', field: 'contentType' }]);
    assert.deepEqual(await refused(await put(upload!, 'five')), [400, { code: 'INVALID_INPUT', field: 'bytes' }]);
    assert.equal((await put({ ...upload!, url: `${upload!.url!.slice(0, -1)}x` }, body)).status, 404);
    await fails(ann.api.completeUpload({ input: { fileId: file.id! } }), 'STATE_CONFLICT');
    assert.equal((await put(upload!, body)).status, 204);
    await fails(bob.api.completeUpload({ input: { fileId: file.id! } }), 'NOT_FOUND');
    const ready = (await ann.api.completeUpload({ input: { fileId: file.id! } })).completeUpload.file;
    assert.deepEqual([ready.state, ready.kind], ['READY', 'OTHER']);
    assert.equal((await ann.api.completeUpload({ input: { fileId: file.id! } })).completeUpload.file.state, 'READY', 'a repeat changes nothing');
    assert.equal((await put(upload!, body)).status, 404, 'nothing more is taken');
    const got = await fetched(ready.url);
    assert.deepEqual([got.headers.get('content-type'), got.headers.get('content-disposition')?.split(';')[0]], ['application/octet-stream', 'attachment']);
  });

  it('what can be turned into script is bytes to be saved, whatever it is called', async () => {
    const page = Buffer.from('<html><script>alert(1)</script></html>');
    for (const [contentType, name] of [['text/html', 'a.html'], ['image/svg+xml', 'a.svg'], ['application/xhtml+xml', 'a'], ['text/javascript', 'a.js']] as const) {
      const file = await world.upload(ann, contentType === 'image/svg+xml' ? Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>') : page, { contentType, name });
      assert.deepEqual([file.state, file.kind], ['READY', 'OTHER'], contentType);
      const { headers } = await fetched(file.url);
      assert.deepEqual([headers.get('content-type'), headers.get('content-disposition')!.split(';')[0]], ['application/octet-stream', 'attachment']);
    }
    const lie = await world.upload(ann, page, { contentType: 'image/png' });
    assert.deepEqual([lie.state, lie.failure, lie.url], ['REJECTED', 'TYPE_MISMATCH', null]);
    const hidden = await world.upload(ann, await picture(), { contentType: 'application/pdf' });
    assert.deepEqual([hidden.state, hidden.failure], ['REJECTED', 'TYPE_MISMATCH']);
  });

  it('where a picture was taken is taken out of it, and it stands upright', async () => {
    const body = await picture({ exif: true });
    assert.ok((await sharp(body).metadata()).exif);
    const file = await world.upload(ann, body, { contentType: 'image/jpeg' });
    const { body: served } = await fetched(file.url);
    const facts = await sharp(served).metadata();
    assert.deepEqual([facts.exif, facts.xmp, facts.format, facts.width], [undefined, undefined, 'jpeg', 640]);
    assert.equal(file.bytes, served.length);
    assert.ok(!served.includes('Ann'));
    const turned = await world.upload(ann, await picture({ orientation: 6 }), { contentType: 'image/jpeg' });
    assert.deepEqual([turned.width, turned.height], [400, 640]);
    assert.deepEqual(await smaller(turned), ['webp', 300, 480]);
    // What tells nothing is left as it was.
    const plain = await picture();
    assert.deepEqual((await fetched((await world.upload(ann, plain, { contentType: 'image/jpeg' })).url)).body, plain);
  });

  it('a picture that is a bomb, or half of one, is rejected and forgotten', async () => {
    const bomb = bombPng(30_000, 30_000);
    const before = inStore().length;
    const big = await world.upload(ann, bomb, { contentType: 'image/png' });
    assert.deepEqual([big.state, big.failure], ['REJECTED', 'TOO_MANY_PIXELS']);
    const whole = await picture();
    const half = await world.upload(ann, whole.subarray(0, whole.length / 2), { contentType: 'image/jpeg' });
    assert.deepEqual([half.state, half.failure], ['REJECTED', 'UNREADABLE']);
    await fails(send(ann, [half.id]), 'STATE_CONFLICT', 'attachmentIds');
    assert.equal(inStore().length, before);
  });

  it('only one’s own files that are ready can be sent, and nothing is sent else', async () => {
    const file = await world.upload(ann, randomBytes(10));
    const count = async () => (await world.sql<{ n: number }>('select count(*)::int as n from messages'))[0]!.n;
    const before = await count();
    await fails(send(bob, [file.id]), 'NOT_FOUND', 'attachmentIds');
    await fails(send(ann, [chatId]), 'INVALID_ID', 'attachmentIds');
    const { file: unfinished } = await create(ann, {});
    await fails(send(ann, [unfinished.id]), 'STATE_CONFLICT', 'attachmentIds');
    await fails(send(ann, [file.id], { poll: { question: 'Well?', options: ['a', 'b'] } }), 'INVALID_INPUT', 'attachmentIds');
    await fails(send(ann, Array.from({ length: 11 }, (_, index) => file.id!.replace(/.{2}$/, String(index).padStart(2, '0')))), 'INVALID_INPUT', 'attachmentIds');
    assert.equal(await count(), before);
    const key = world.key();
    const first = await send(ann, [file.id], { idempotencyKey: key });
    assert.equal((await send(ann, [file.id], { idempotencyKey: key })).id, first.id);
    assert.equal(await count(), before + 1);
  });

  it('deleting a message for everyone deletes its files; a forward keeps them', async () => {
    const file = await world.upload(ann, randomBytes(100));
    const message = await send(ann, [file.id], { text: 'for a while' });
    const other = await world.groupChat(bob, [eve]);
    const [forwarded] = (await bob.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [other], idempotencyKey: world.key() } })).forwardMessages.messages;
    assert.deepEqual(forwarded!.attachments.map((one) => one.file.id), [file.id]);
    await ann.api.deleteMessage({ input: { messageId: message.id, scope: 'FOR_EVERYONE' } });
    assert.equal((await fetched(file.url)).status, 200, 'another message shows it');
    await bob.api.deleteMessage({ input: { messageId: forwarded!.id, scope: 'FOR_EVERYONE' } });
    await eventually(async () => (await fetched(file.url)).status === 404, 'it is gone');
    await eventually(() => !inStore().some((name) => name.includes(file.url!.split('/')[4]!)), 'its bytes are gone');
    assert.deepEqual(await world.sql('select from files where state = $1', ['DELETED']), []);
  });

  it('disappearing messages take their files with them', async () => {
    const made = await world.groupChat(ann, [bob], 'Brief');
    await ann.api.updateChat({ input: { chatId: made, messageTtlSeconds: 60 } });
    const file = await world.upload(ann, randomBytes(100));
    await ann.api.sendMessage({ input: { chatId: made, attachmentIds: [file.id!], idempotencyKey: world.key() } });
    world.clock.advance(61_000);
    await eventually(async () => !(await world.sql('select from files where name = $1 and bytes = 100', ['a file'])).length, 'it is gone');
    assert.equal((await fetched(file.url)).status, 404);
  });

  it('avatars by file: of a person, a chat, a group; the old one goes', async () => {
    const mine = () => picture().then((body) => world.upload(ann, body, { contentType: 'image/jpeg' }));
    const [first, second] = [await mine(), await mine()];
    const avatar = async () => (await bob.client.request<{ user: { avatar: { id: string; url: string } | null } }, { id: string }>('query ($id: ID!) { user(id: $id) { avatar { id url } } }', { id: ann.id })).user.avatar;
    await ann.api.updateProfile({ input: { avatarFileId: first.id } });
    assert.deepEqual(await avatar(), { id: first.id, url: first.url });
    await ann.api.updateProfile({ input: { avatarFileId: second.id } });
    assert.deepEqual(await avatar(), { id: second.id, url: second.url });
    await eventually(async () => (await fetched(first.url)).status === 404, 'the old one is gone');
    await fails(ann.api.updateProfile({ input: { avatarFileId: second.id, avatarUrl: 'https://example.com/a.png' } }), 'INVALID_INPUT', 'avatarFileId');
    await fails(bob.api.updateProfile({ input: { avatarFileId: second.id } }), 'NOT_FOUND', 'avatarFileId');
    const text = await world.upload(ann, Buffer.from('not a picture'), { contentType: 'text/plain' });
    await fails(ann.api.updateProfile({ input: { avatarFileId: text.id } }), 'INVALID_INPUT', 'avatarFileId');
    // One file, shown thrice, goes with the last.
    await ann.api.updateChat({ input: { chatId, avatarFileId: second.id } });
    await ann.api.createGroup({ input: { name: 'Lakes', visibility: 'PUBLIC', joinPolicy: 'OPEN', avatarFileId: second.id, idempotencyKey: world.key() } });
    await ann.api.updateProfile({ input: { avatarUrl: null } });
    await ann.api.updateChat({ input: { chatId, avatarUrl: null } });
    assert.equal((await fetched(second.url)).status, 200);
  });

  it('a large file is sent in parts, in any order, and goes on where it was left', async () => {
    const body = randomBytes(17 * MiB);
    const { file, upload } = await create(ann, { bytes: body.length, sha256: sha256(body) });
    assert.deepEqual([upload!.url, upload!.partBytes, upload!.parts.map((part) => part.bytes)], [null, 8 * MiB, [8 * MiB, 8 * MiB, MiB]]);
    const sent = (part: (typeof upload & object)['parts'][number]) => put(part, body.subarray(part.offset, part.offset + part.bytes));
    assert.equal((await sent(upload!.parts[2]!)).status, 204);
    await fails(ann.api.completeUpload({ input: { fileId: file.id! } }), 'STATE_CONFLICT');
    const left = (await ann.api.upload({ fileId: file.id! })).upload!;
    assert.deepEqual(left.parts.map((part) => part.number), [1, 2]);
    for (const part of left.parts) assert.equal((await sent(part)).status, 204);
    assert.equal((await put(left.parts[0]!, randomBytes(8 * MiB))).status, 204, 'what has arrived stays');
    const ready = (await ann.api.completeUpload({ input: { fileId: file.id! } })).completeUpload.file;
    assert.equal(ready.state, 'READY');
    assert.ok((await fetched(ready.url)).body.equals(body));
  });

  it('a person’s share of the store holds, and unfinished or unclaimed files are swept', async () => {
    let dan = await world.person('Dan');
    let { api } = dan;
    const used = async () => (await api.storage()).viewer!.storage.bytes;
    const wait = async (hours: number) => {
      world.clock.advance(hours * HOUR);
      const { signIn } = await world.client().api.signIn({ input: { email: 'dan@example.com', password: 'password of dan' } });
      ({ api } = dan = { ...dan, api: world.client(signIn.accessToken).api });
    };
    await fails(create(dan, { bytes: 3 * 1024 ** 3 }), 'INVALID_INPUT', 'bytes');
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => create(dan, { bytes: 20 * MiB })));
    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 5, 'at once or one after another');
    await fails(create(dan, { bytes: 1 }), 'LIMIT_REACHED', 'bytes');
    assert.equal(await used(), 100 * MiB);
    await wait(49);
    await world.app.container.jobs.fileRemoval.sweep();
    await eventually(async () => (await used()) === 0, 'they are swept', 20_000);
    const kept = await world.upload(dan, randomBytes(5));
    assert.equal(await used(), 5);
    await world.directChat(dan, bob).then((id) => dan.api.sendMessage({ input: { chatId: id, attachmentIds: [kept.id!], idempotencyKey: world.key() } }));
    const loose = await world.upload(dan, randomBytes(7));
    await wait(25);
    await eventually(async () => (await used()) === 5, 'what nothing shows is swept', 20_000);
    assert.equal((await dan.api.file({ id: loose.id! })).file, null);
    assert.equal((await dan.api.file({ id: kept.id! })).file!.state, 'READY');
  });
});

/** A store by which a test has a second run of a file wait until the first has removed what was uploaded; the tools of the first wait until the second is as far. */
class OverlappingStore extends FolderStore {
  /** What the second finds, instead of what was uploaded. */
  other: string | null = null;
  readonly first = Promise.withResolvers<void>();
  readonly #second = Promise.withResolvers<void>();
  readonly #removed = Promise.withResolvers<void>();
  #runs = 0;

  override async withFile<Result>(key: string, work: (path: string) => Promise<Result>): Promise<Result> {
    if (++this.#runs === 1) {
      this.first.resolve();
      await this.#second.promise;
      return super.withFile(key, work);
    }
    this.#second.resolve();
    await this.#removed.promise;
    return this.other === null ? super.withFile(key, work) : work(this.other);
  }

  override async remove(keys: readonly string[]): Promise<void> {
    await super.remove(keys);
    this.#removed.resolve();
  }
}

describe('a file that a request and a job look at together', function () {
  this.timeout(60_000);
  let folder: string;
  let store: OverlappingStore;
  let world: World;
  let ann: Person;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'omnitalk-overlap-'));
    store = new OverlappingStore(join(folder, 'store'));
    world = await World.start({ store });
    ann = await world.person('Ann');
  });
  afterEach(async () => {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const picture = (background: string) => sharp({ create: { width: 64, height: 40, channels: 3, background } }).jpeg().withExif({ IFD0: { Artist: 'Ann' } }).toBuffer();
  /** Uploads a picture that is written anew, and has both look at it; answers it, and asserts that it stands. */
  const assertStands = async () => {
    const uploading = world.upload(ann, await picture('red'), { contentType: 'image/jpeg' });
    await store.first.promise;
    const [{ id }] = (await world.sql<{ id: string }>('select id from files')) as [{ id: string }];
    const [file] = await Promise.all([uploading, world.app.container.jobs.files.run(id)]);
    const [{ state, sha256: recorded }] = (await world.sql<{ state: string; sha256: string }>('select state, sha256 from files')) as [{ state: string; sha256: string }];
    assert.deepEqual([file.state, state], ['READY', 'READY']);
    const [whole, small] = await Promise.all([file.url, file.thumbnailUrl].map((url) => fetch(url!)));
    const body = Buffer.from(await whole!.arrayBuffer());
    assert.deepEqual([whole!.status, small!.status, body.length, sha256(body)], [200, 200, file.bytes, recorded]);
    assert.deepEqual(readdirSync(join(folder, 'store', 'files', id)).map((name) => name.split('-')[0]).sort(), ['clean', 'thumbnail']);
  };

  it('stays, when the second no longer finds what was uploaded', assertStands);

  it('stays as the first has made it, and nothing of what the second has made is left', async () => {
    store.other = join(folder, 'other.jpg');
    await writeFile(store.other, await picture('blue'));
    await assertStands();
  });
});
