import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../src/storage/folder-store.js';
import { StoreError } from '../../src/storage/store.js';
import { ClamdProcess, INFECTED } from '../testkit/clamd.js';
import { S3_KEYS, startS3 } from '../testkit/s3.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const MiB = 1024 * 1024;
const blob = (body: Uint8Array<ArrayBuffer>, type = 'application/octet-stream') => new Blob([body], { type });
const fetched = async (url: string | null | undefined) => Buffer.from(await (await fetch(url!)).arrayBuffer());

/** A store of which a test says when it fails. */
class FailingStore extends FolderStore {
  fail: StoreError['kind'] | null = null;

  override async receive(...args: Parameters<FolderStore['receive']>): Promise<void> {
    this.#trip();
    return super.receive(...args);
  }
  override async put(...args: Parameters<FolderStore['put']>): Promise<void> {
    this.#trip();
    return super.put(...args);
  }
  override async read(...args: Parameters<FolderStore['read']>): ReturnType<FolderStore['read']> {
    this.#trip();
    return super.read(...args);
  }

  #trip(): void {
    if (this.fail) throw new StoreError(this.fail, 'as the test wants');
  }
}

describe('files: upload() and stores', function () {
  this.timeout(90_000);

  describe('in a folder that fails at times', () => {
    let world: World;
    let ann: Person;
    let folder: string;
    let store: FailingStore;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'omnitalk-failing-'));
      store = new FailingStore(folder);
      world = await World.start({ store });
      ann = await world.person('Ann');
    });
    afterEach(() => (store.fail = null));
    after(async () => {
      await world.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it('upload() sends a file, tells how far it is, and answers it READY', async () => {
      const body = randomBytes(1_000);
      const heard: number[] = [];
      const file = await ann.client.upload(blob(body), { name: 'thousand', onProgress: ({ sent, total }) => void (assert.equal(total, 1_000), heard.push(sent)) });
      assert.deepEqual([file.state, file.name, file.bytes, heard], ['READY', 'thousand', 1_000, [0, 1_000]]);
      assert.ok((await fetched(file.url)).equals(body));
    });

    it('a large one goes on where it was left, under the same key', async () => {
      const body = randomBytes(20 * MiB);
      const idempotencyKey = world.key();
      const stop = new AbortController();
      const first = ann.client.upload(blob(body), { idempotencyKey, parallel: 1, signal: stop.signal, onProgress: ({ sent }) => sent === 8 * MiB && stop.abort(new Error('the train went into a tunnel')) });
      await assert.rejects(first, /tunnel/);
      const heard: number[] = [];
      const file = await ann.client.upload(blob(body), { idempotencyKey, onProgress: ({ sent }) => heard.push(sent / MiB) });
      assert.equal(heard[0], 8, 'what had arrived is not sent again');
      assert.deepEqual([heard.at(-1), heard.length, file.state], [20, 3, 'READY']);
      assert.ok((await fetched(file.url)).equals(body));
    });

    it('a full disk and a store that does not answer have codes, and lose nothing that was confirmed', async () => {
      const kept = await ann.client.upload(blob(randomBytes(10)));
      const { file, upload } = (await ann.api.createUpload({ input: { name: 'x', contentType: 'text/plain', bytes: 1, sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', idempotencyKey: world.key() } })).createUpload;
      const send = () => fetch(upload!.url!, { method: 'PUT', headers: Object.fromEntries(upload!.headers.map(({ name, value }) => [name, value])), body: 'x' });
      const code = async (response: Response) => [response.status, ((await response.json()) as { errors: { extensions: object }[] }).errors[0]!.extensions];
      store.fail = 'FULL';
      assert.deepEqual(await code(await send()), [507, { code: 'STORAGE_UNAVAILABLE', retryAfter: 10 }]);
      store.fail = 'FAILED';
      assert.deepEqual(await code(await send()), [503, { code: 'STORAGE_UNAVAILABLE', retryAfter: 10 }]);
      assert.deepEqual(await code(await fetch(kept.url!)), [503, { code: 'STORAGE_UNAVAILABLE', retryAfter: 10 }]);
      store.fail = null;
      assert.equal((await fetched(kept.url)).length, 10);
      assert.equal((await send()).status, 204);
      // What has arrived, and could not be looked at, waits for the store.
      store.fail = 'FAILED';
      assert.equal((await ann.api.completeUpload({ input: { fileId: file.id! } })).completeUpload.file.state, 'PROCESSING');
      store.fail = null;
      await world.passTime(61_000);
      await eventually(async () => (await ann.api.file({ id: file.id! })).file!.state === 'READY', 'it is looked at by a job', 20_000);
    });

    it('upload() tries again what a store refuses for a while', async () => {
      store.fail = 'FULL';
      const sending = ann.client.upload(blob(randomBytes(10)));
      await eventually(async () => (await world.sql(`select from files where state = 'UPLOADING'`)).length > 0, 'it is begun');
      store.fail = null;
      assert.equal((await sending).state, 'READY');
    });
  });

  describe('in S3, shown to clamd', () => {
    let world: World;
    let ann: Person;
    let folder: string;
    let clamd: ClamdProcess;
    let s3: Awaited<ReturnType<typeof startS3>>;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'omnitalk-s3-'));
      [s3, clamd] = await Promise.all([startS3(folder, 'files'), ClamdProcess.start()]);
      world = await World.start({ settings: { S3_BUCKET: 'files', S3_ENDPOINT: s3.endpoint, S3_ACCESS_KEY: S3_KEYS.accessKey, S3_SECRET_KEY: S3_KEYS.secretKey, S3_PATH_STYLE: 'true', CLAMD_URL: clamd.url } });
      ann = await world.person('Ann');
    });
    after(async () => {
      await world.stop();
      await Promise.all([s3.stop(), clamd.stop()]);
      await rm(folder, { recursive: true, force: true });
    });

    it('goes to S3 itself, and is fetched through our origin, ranges and all', async () => {
      const body = randomBytes(100_000);
      const { upload } = (await ann.api.createUpload({ input: { name: 'x', contentType: 'text/plain', bytes: 1, sha256: '0'.repeat(64), idempotencyKey: world.key() } })).createUpload;
      assert.ok(upload!.url!.startsWith(`${s3.endpoint}/files/uploads/`));
      const file = await ann.client.upload(blob(body));
      assert.equal(file.state, 'READY');
      assert.ok((await fetched(file.url)).equals(body));
      const part = await fetch(file.url!, { headers: { range: 'bytes=99990-' } });
      assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer())], [206, body.subarray(99_990)]);
      const large = randomBytes(17 * MiB);
      const tooLarge = await ann.client.upload(blob(large));
      assert.deepEqual([tooLarge.state, tooLarge.failure], ['REJECTED', 'TOO_LARGE_TO_SCAN'], 'in parts; and this clamd takes 2 MiB');
    });

    it('what is infected is never served; while the scanner is away nothing is', async () => {
      const bad = await ann.client.upload(blob(new Uint8Array(INFECTED), 'text/plain'));
      assert.deepEqual([bad.state, bad.failure, bad.url ?? null], ['REJECTED', 'INFECTED', null]);
      await fails(ann.api.updateProfile({ input: { avatarFileId: bad.id } }), 'STATE_CONFLICT', 'avatarFileId');
      await clamd.stop();
      const stop = new AbortController();
      const waiting = ann.client.upload(blob(randomBytes(10)), { name: 'unscanned', signal: stop.signal });
      await eventually(async () => (await world.sql(`select from files where name = 'unscanned' and state = 'PROCESSING'`)).length === 1, 'it waits');
      stop.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
      clamd = await ClamdProcess.start();
    });
  });
});
