import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, refuses, workerBinary } from '../../test/testkit/media.js';
import { underLock } from './file-lock.js';
import { cacheFolder, findWorker, obtainWorker } from './worker-binary.js';
import { loads, proveWorker } from './worker-check.js';

describe('the media worker', function () {
  this.timeout(60_000);
  let folder: string;
  let cacheDir: string;
  let releases: Server;
  let downloadFrom: string;
  let asked: string[];
  let archive: Buffer;
  const lines: string[] = [];
  const options = () => ({ cacheDir, downloadFrom, report: (line: string) => void lines.push(line) });
  const kept = async () => (existsSync(join(cacheDir, 'omnitalk')) ? readdir(join(cacheDir, 'omnitalk')) : []);

  /** An archive as mediasoup releases them, around this file. */
  async function packed(file: string): Promise<Buffer> {
    const inside = await mkdtemp(join(folder, 'pack-'));
    await copyFile(file, join(inside, 'mediasoup-worker'));
    await chmod(join(inside, 'mediasoup-worker'), 0o755);
    execFileSync('tar', ['-czf', join(inside, 'a.tgz'), '-C', inside, 'mediasoup-worker']);
    return readFile(join(inside, 'a.tgz'));
  }

  /** Obtains one where building is out of the question. */
  async function withoutBuilding(): Promise<string[]> {
    const stop = new AbortController();
    const said: string[] = [];
    const report = (line: string) => {
      said.push(line);
      if (line.startsWith('no prebuilt')) stop.abort(new Error('enough'));
    };
    await assert.rejects(obtainWorker({ ...options(), report, signal: stop.signal }), /enough/);
    return said;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'omnitalk-worker-'));
    releases = createServer((request, response) => {
      asked.push(request.url!);
      response.writeHead(archive.length > 0 ? 200 : 404).end(archive);
    }).listen(0, '127.0.0.1');
    await once(releases, 'listening');
    downloadFrom = `http://127.0.0.1:${(releases.address() as AddressInfo).port}`;
  });
  after(async () => {
    releases.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    cacheDir = await mkdtemp(join(folder, 'cache-'));
    asked = [];
    lines.length = 0;
  });

  it('shakes hands with itself by DTLS', () => proveWorker(workerBinary()));

  it('is told from what is none', async () => {
    assert.equal(await loads(workerBinary()), true);
    assert.equal(await loads('/bin/false'), false);
    assert.equal(await loads(join(folder, 'nothing')), false);
    await refuses(findWorker({ ...options(), given: '/bin/false' }), 'UNAVAILABLE');
    assert.equal(await findWorker({ ...options(), given: workerBinary() }), workerBinary());
  });

  it('is downloaded once for several who start together, and found afterwards', async () => {
    archive = await packed(workerBinary());
    const [one, two, three] = await Promise.all([obtainWorker(options()), obtainWorker(options()), obtainWorker(options())]);
    assert.equal(asked.length, 1);
    assert.match(asked[0]!, /^\/3\.\d+\.\d+\/mediasoup-worker-3\.\d+\.\d+-[a-z0-9]+-[a-z0-9]+(-kernel\d+)?\.tgz$/);
    assert.deepEqual([two, three], [one, one]);
    assert.equal(await findWorker(options()), one);
    assert.equal(await obtainWorker(options()), one);
    assert.equal(asked.length, 1);
    // No lock, no half of anything.
    assert.deepEqual((await kept()).filter((name) => /lock|download|build/.test(name)), []);
  });

  it('is not taken in halves, nor when it does not run here', async () => {
    const whole = await packed(workerBinary());
    archive = whole.subarray(0, whole.length / 2);
    assert.match((await withoutBuilding()).join('\n'), /no prebuilt media worker/);
    archive = await packed('/bin/false');
    assert.match((await withoutBuilding()).join('\n'), /no prebuilt media worker: it does not run here/);
    archive = Buffer.alloc(0);
    assert.match((await withoutBuilding()).join('\n'), /no prebuilt media worker: the answer was 404/);
    assert.equal(await findWorker(options()), null);
    assert.deepEqual((await kept()).filter((name) => /lock|download/.test(name)), []);
  });

  it('replaces a kept one that no longer runs, as after an upgrade of the system', async () => {
    archive = await packed(workerBinary());
    const binary = await obtainWorker(options());
    await rm(binary); // written over, it would be busy while its trial run ends
    await writeFile(binary, 'not a program');
    assert.equal(await findWorker(options()), null);
    assert.equal(await obtainWorker(options()), binary);
    assert.equal(await loads(binary), true);
  });

  it('is kept in XDG_CACHE_HOME, unless that is relative', () => {
    assert.equal(cacheFolder('/var/cache/x'), '/var/cache/x');
    assert.match(cacheFolder('x'), /\/\.cache$/);
    assert.match(cacheFolder(undefined), /\/\.cache$/);
  });
});

describe('a lock of files', () => {
  let file: string;
  beforeEach(async () => {
    file = join(await mkdtemp(join(tmpdir(), 'omnitalk-lock-')), 'lock');
  });
  afterEach(() => rm(join(file, '..'), { recursive: true, force: true }));

  it('lets one at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all([underLock(file, work), underLock(file, work), underLock(file, work)]);
    assert.equal(most, 1);
    assert.equal(existsSync(file), false);
  });

  it('is let go by a failure', async () => {
    await assert.rejects(underLock(file, () => Promise.reject(new Error('no'))), /no/);
    await underLock(file, () => Promise.resolve());
  });

  it('is taken from a holder that was killed, and by one alone', async () => {
    await writeFile(file, '1\n');
    const old = new Date(Date.now() - 60_000);
    await utimes(file, old, old);
    let inside = 0;
    const work = async () => {
      assert.equal(++inside, 1);
      await new Promise((resolve) => setTimeout(resolve, 10));
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => underLock(file, work)));
  });

  it('stays with a holder that lives, and can be given up waiting for', async () => {
    const stop = new AbortController();
    let waited = 0;
    await underLock(file, async () => {
      const other = underLock(file, () => assert.fail('got in'), { signal: stop.signal, onWait: () => waited++ });
      await eventually(() => assert.equal(waited, 1));
      stop.abort(new Error('given up'));
      await assert.rejects(other, /given up|aborted/);
    });
  });
});
