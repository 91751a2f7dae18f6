import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import promises, { mkdtemp, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { mock } from 'node:test';
import { FolderStore } from '../../src/storage/folder-store.js';
import { S3Store } from '../../src/storage/s3-store.js';
import { StoreError, type ObjectStore } from '../../src/storage/store.js';
import { S3_KEYS, startS3 } from '../testkit/s3.js';

const MiB = 1024 * 1024;
const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');
const soon = () => new Date(Date.now() + 3_600_000);
const isKind = (kind: StoreError['kind']) => (error: unknown) => error instanceof StoreError && error.kind === kind;

/** The one interface, the same tests against each of its stores. */
const STORES: Record<string, (folder: string) => Promise<{ store: ObjectStore; stop(): Promise<void> }>> = {
  'a folder': async (folder) => ({ store: new FolderStore(folder), stop: async () => undefined }),
  'S3 (s3rver on loopback)': async (folder) => {
    const { endpoint, stop } = await startS3(folder, 'files');
    const store = new S3Store({ bucket: 'files', region: 'us-east-1', endpoint, ...S3_KEYS, pathStyle: true });
    return { store, stop: async () => (store.close(), stop()) };
  },
};

for (const [name, make] of Object.entries(STORES)) {
  describe(`the store of files: ${name}`, function () {
    this.timeout(30_000);
    let folder: string;
    let store: ObjectStore;
    let stop: () => Promise<void>;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'omnitalk-store-'));
      ({ store, stop } = await make(folder));
    });
    after(async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    });

    /** As a client sends: to where it is told, or through this server. */
    const send = async (key: string, body: Buffer, part: { uploadId: string; number: number; offset: number } | null = null) => {
      const terms = { bytes: body.length, contentType: 'text/plain', sha256: part ? null : sha256(body) };
      const signed = await store.signPut(key, part, terms, soon());
      if (!signed) return store.receive(key, part, terms, Readable.from([body]));
      const response = await fetch(signed.url, { method: 'PUT', headers: signed.headers, body: new Uint8Array(body) });
      if (!response.ok) throw new StoreError('MISMATCH', `${response.status} ${await response.text()}`);
    };

    it('keeps what it is given, whole and by ranges', async () => {
      const body = randomBytes(100_000);
      await store.put('files/a/one', body, 'application/octet-stream');
      assert.equal(await store.size('files/a/one'), body.length);
      assert.ok((await buffer(await store.read('files/a/one'))).equals(body));
      assert.ok((await buffer(await store.read('files/a/one', { start: 500, end: 1_499 }))).equals(body.subarray(500, 1_500)));
      assert.ok((await store.withFile('files/a/one', (path) => readFile(path))).equals(body));
    });

    it('takes over a file', async () => {
      const path = join(folder, 'made-elsewhere');
      const body = randomBytes(5_000);
      await writeFile(path, body);
      assert.deepEqual(await store.putFile('files/b/taken', path, 'video/mp4'), { bytes: 5_000 });
      await assert.rejects(stat(path), { code: 'ENOENT' });
      assert.ok((await buffer(await store.read('files/b/taken'))).equals(body));
    });

    it('says what is not there', async () => {
      assert.equal(await store.size('files/none'), null);
      await assert.rejects(store.read('files/none'), isKind('MISSING'));
      await store.remove(['files/none', 'files/none/either']);
      await store.removeAll('files/none');
    });

    it('gives one another key', async () => {
      await store.put('uploads/moved', Buffer.from('moved'), 'text/plain');
      await store.move('uploads/moved', 'files/m/original');
      assert.deepEqual([await store.size('uploads/moved'), await store.size('files/m/original')], [null, 5]);
      await assert.rejects(store.move('uploads/moved', 'files/m/original'), isKind('MISSING'));
    });

    it('forgets one, and everything under a prefix', async () => {
      for (const key of ['files/c/one', 'files/c/two', 'files/cc/three']) await store.put(key, Buffer.from(key), 'text/plain');
      await store.remove(['files/c/one']);
      assert.deepEqual([await store.size('files/c/one'), await store.size('files/c/two')], [null, 11]);
      await store.removeAll('files/c');
      assert.deepEqual([await store.size('files/c/two'), await store.size('files/cc/three')], [null, 14]);
    });

    it('takes what a client sends, and no other length', async () => {
      const body = randomBytes(1_000);
      await send('files/d/sent', body);
      assert.ok((await buffer(await store.read('files/d/sent'))).equals(body));
      const terms = { bytes: 1_000, contentType: 'text/plain', sha256: sha256(body) };
      const signed = await store.signPut('files/d/short', null, terms, soon());
      if (signed) {
        // What the signature covers can't be sent otherwise: another length, another type, another or no checksum is another request, which nobody has signed.
        assert.equal(new URL(signed.url).searchParams.get('X-Amz-SignedHeaders'), 'content-length;content-type;host;x-amz-checksum-sha256');
        const checksum = (of: Buffer) => createHash('sha256').update(of).digest('base64');
        assert.deepEqual(signed.headers, { 'content-type': 'text/plain', 'x-amz-checksum-sha256': checksum(body) });
        const answer = async (headers: Record<string, string>, sent = body) => {
          const response = await fetch(signed.url, { method: 'PUT', headers, body: new Uint8Array(sent) });
          return [response.status, /<Code>(\w+)/.exec(await response.text())?.[1]];
        };
        const other = Buffer.alloc(1_000);
        assert.deepEqual(await answer(signed.headers, body.subarray(1)), [403, 'SignatureDoesNotMatch']);
        assert.deepEqual(await answer({ ...signed.headers, 'content-type': 'text/html' }), [403, 'SignatureDoesNotMatch']);
        assert.deepEqual(await answer({ ...signed.headers, 'x-amz-checksum-sha256': checksum(other) }, other), [403, 'SignatureDoesNotMatch']);
        assert.deepEqual(await answer({ 'content-type': 'text/plain' }, other), [403, 'SignatureDoesNotMatch']);
        assert.equal(await store.size('files/d/short'), null);
        const uploadId = await store.beginParts('files/d/part', 'text/plain');
        const part = (await store.signPut('files/d/part', { uploadId, number: 1 }, { ...terms, sha256: null }, soon()))!;
        const tooLong = await fetch(part.url, { method: 'PUT', headers: part.headers, body: new Uint8Array(1_001) });
        assert.deepEqual([tooLong.status, await store.partsOf('files/d/part', uploadId)], [403, []]);
        return;
      }
      for (const wrong of [body.subarray(1), Buffer.concat([body, body]), Buffer.alloc(1_000)]) {
        await assert.rejects(store.receive('files/d/short', null, terms, Readable.from([wrong])), isKind('MISMATCH'));
      }
      assert.equal(await store.size('files/d/short'), null);
    });

    it('makes a file of parts that come in any order, and tells which have come', async () => {
      const body = randomBytes(12 * MiB);
      const part = (number: number) => ({ number, offset: (number - 1) * 5 * MiB, body: body.subarray((number - 1) * 5 * MiB, number * 5 * MiB) });
      const uploadId = await store.beginParts('files/e/large', 'text/plain');
      assert.deepEqual(await store.partsOf('files/e/large', uploadId), []);
      for (const number of [3, 1]) await send('files/e/large', part(number).body, { uploadId, ...part(number) });
      assert.deepEqual(await store.partsOf('files/e/large', uploadId), [1, 3]);
      await assert.rejects(store.finishParts('files/e/large', uploadId, 3), isKind('MISSING'));
      assert.equal(await store.size('files/e/large'), null);
      await send('files/e/large', part(2).body, { uploadId, ...part(2) });
      await store.finishParts('files/e/large', uploadId, 3);
      await store.finishParts('files/e/large', uploadId, 3); // its answer was lost
      assert.ok((await buffer(await store.read('files/e/large'))).equals(body));
    });

    it('forgets an upload that is given up', async () => {
      const uploadId = await store.beginParts('files/f/given-up', 'text/plain');
      await send('files/f/given-up', randomBytes(100), { uploadId, number: 1, offset: 0 });
      await store.abortParts('files/f/given-up', uploadId);
      await store.abortParts('files/f/given-up', uploadId);
      await assert.rejects(async () => store.finishParts('files/f/given-up', uploadId, 1), isKind('MISSING'));
      assert.equal(await store.size('files/f/given-up'), null);
    });
  });
}

describe('a folder whose machine loses its power', () => {
  let folder: string;
  let store: FolderStore;
  let did: string[] = [];
  before(async () => {
    const { copyFile, open, rename, rm } = promises;
    const paths = new WeakMap<object, string>();
    const named = (path: unknown) => basename(String(path)).replace(/\d+-\d+\.part$/, 'draft');
    const handle = await open(tmpdir(), 'r');
    await handle.close();
    const handles = Object.getPrototypeOf(handle) as FileHandle;
    const { sync } = handles;
    mock.method(handles, 'sync', function (this: FileHandle) {
      did.push(`sync ${named(paths.get(this))}`);
      return sync.call(this);
    });
    mock.method(promises, 'open', async (...args: Parameters<typeof open>) => {
      const opened = await open(...args);
      paths.set(opened, String(args[0]));
      return opened;
    });
    mock.method(promises, 'rename', async (from: string, to: string) => {
      did.push(`rename ${named(from)} ${named(to)}`);
      if (named(from) === 'far') throw Object.assign(new Error('EXDEV: cross-device link not permitted'), { code: 'EXDEV', syscall: 'rename' });
      return rename(from, to);
    });
    mock.method(promises, 'copyFile', async (...args: Parameters<typeof copyFile>) => {
      did.push(`copy ${named(args[0])} ${named(args[1])}`);
      return copyFile(...args);
    });
    mock.method(promises, 'rm', async (...args: Parameters<typeof rm>) => {
      did.push(`remove ${named(args[0])}`);
      return rm(...args);
    });
    syncBuiltinESMExports();
  });
  after(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'omnitalk-power-'));
    store = new FolderStore(join(folder, 'store'));
    await store.put('files/a/first', Buffer.from('first'));
    did = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('has the folders that it makes', async () => {
    await store.put('other/b/one', Buffer.from('one'));
    assert.deepEqual(did, ['sync other', 'sync store', 'sync one.draft', 'rename one.draft one', 'sync b']);
  });

  it('has a file that it takes over before it has its name, and the name before it answers', async () => {
    await writeFile(join(folder, 'near'), 'near');
    await store.putFile('files/a/taken', join(folder, 'near'));
    assert.deepEqual(did, ['sync near', 'rename near taken', 'sync a']);
  });

  it('has the copy of one that comes from another disk before the source goes', async () => {
    await writeFile(join(folder, 'far'), 'far');
    await store.putFile('files/a/taken', join(folder, 'far'));
    assert.deepEqual(did, ['sync far', 'rename far taken', 'copy far taken.draft', 'sync taken.draft', 'rename taken.draft taken', 'sync a', 'remove far']);
  });

  it('has each part before it counts, and what is made of them before they go', async () => {
    const uploadId = await store.beginParts('files/a/large');
    assert.deepEqual(did.splice(0), ['sync a', 'sync a']);
    await store.receive('files/a/large', { uploadId, number: 1, offset: 0 }, { bytes: 4, contentType: '', sha256: null }, Readable.from([Buffer.from('part')]));
    assert.deepEqual(did.splice(0), ['sync large.parts', 'sync large.parts.there']);
    await store.finishParts('files/a/large', uploadId, 1);
    assert.deepEqual(did, ['copy large.parts large.draft', 'sync large.draft', 'rename large.draft large', 'sync a', 'remove large.parts', 'remove large.parts.there']);
  });
});

describe('a store that fails', () => {
  it('S3 that is not there is FAILED, not missing', async () => {
    const store = new S3Store({ bucket: 'files', region: 'us-east-1', endpoint: 'http://127.0.0.1:1', accessKey: 'a', secretKey: 'b', pathStyle: true });
    await assert.rejects(store.size('files/x'), isKind('FAILED'));
    await assert.rejects(store.put('files/x', Buffer.from('x'), 'text/plain'), isKind('FAILED'));
    store.close();
  });

  it('a folder that takes no more keeps nothing of what did not fit', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-full-'));
    const store: ObjectStore = new FolderStore(folder);
    await store.put('files/a/kept', Buffer.from('kept'), '');
    // As a full disk does: half way through a write.
    const body = Readable.from((async function* () {
      yield Buffer.alloc(1_000);
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    })());
    await assert.rejects(store.receive('files/a/half', null, { bytes: 2_000, contentType: '', sha256: null }, body), isKind('FULL'));
    assert.deepEqual(readdirSync(join(folder, 'files/a')), ['kept']);
    await rm(folder, { recursive: true });
  });

  it('leaves the folder that uploads share, where somebody may be about to write, and none that was one file’s own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-store-'));
    const store = new FolderStore(folder);
    for (const key of ['uploads/one', 'files/one/original']) await store.put(key, Buffer.from('x'));
    await store.remove(['uploads/one', 'files/one/original']);
    assert.deepEqual([readdirSync(join(folder, 'uploads')), readdirSync(join(folder, 'files'))], [[], []]);
    await rm(folder, { recursive: true, force: true });
  });

  it('who still sends a part as the others are put together changes nothing of the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-late-'));
    const store: ObjectStore = new FolderStore(folder);
    const uploadId = await store.beginParts('files/l/late', '');
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const slow = Readable.from((async function* () {
      yield Buffer.from('e');
      await held;
      yield Buffer.from('vil');
    })());
    const part = { uploadId, number: 1, offset: 0 };
    const terms = { bytes: 4, contentType: '', sha256: null };
    const late = store.receive('files/l/late', part, terms, slow);
    await store.receive('files/l/late', part, terms, Readable.from([Buffer.from('good')]));
    await store.finishParts('files/l/late', uploadId, 1);
    const before = await buffer(await store.read('files/l/late'));
    go();
    await late.catch(() => undefined);
    assert.deepEqual(await buffer(await store.read('files/l/late')), before);
    await rm(folder, { recursive: true });
  });

  it('a key that would leave the folder is none', async () => {
    const store: ObjectStore = new FolderStore(tmpdir());
    for (const key of ['../x', 'files/../../x', '/etc/passwd', '']) await assert.rejects(async () => store.put(key, Buffer.from('x'), ''), /not a key/);
  });
});

