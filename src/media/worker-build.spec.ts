import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CommandFailed } from './commands.js';
import { MediaError } from './contract.js';
import { buildWorker } from './worker-build.js';

const LINE = /apt-get install -y --no-install-recommends g\+\+ cmake ninja-build pkg-config libssl-dev libuv1-dev libsrtp2-dev libabsl-dev libflatbuffers-dev flatbuffers-compiler$/;

// The compiler's and Debian's part is played by commands of the test's own: that the build itself works is shown by whatever worker these tests run on.
describe('building the media worker', () => {
  const { PATH } = process.env;
  const getuid = process.getuid!;
  let folder: string;
  let lines: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'omnitalk-build-'));
    lines = [];
    await command('dpkg-query', 'exit 1');
    await command('cmake', 'exit 3');
    process.env['PATH'] = `${folder}${delimiter}${PATH}`;
  });
  afterEach(async () => {
    process.env['PATH'] = PATH;
    process.getuid = getuid;
    await rm(folder, { recursive: true });
  });

  async function command(name: string, script: string): Promise<void> {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const said = () => readFile(join(folder, 'said'), 'utf8').then((text) => text.trim().split('\n'), () => []);
  const build = () => buildWorker({ recipe: folder, source: folder, folder, report: (line) => void lines.push(line) }).then(() => assert.fail('there is nothing to build'), (error: Error) => error);

  it('gives who may not install packages the one line to run, and does nothing', async () => {
    await command('apt-get', `echo "$@" >> ${folder}/said`);
    process.getuid = () => 1_000;
    const error = await build();
    assert.ok(error instanceof MediaError && error.code === 'UNAVAILABLE', error.stack);
    assert.match(error.message, /Run: sudo apt-get/);
    assert.match(error.message, LINE);
    assert.deepEqual([await said(), lines], [[], []]);
  });

  it('installs them as root, says so, and goes on to the compiler', async () => {
    await command('apt-get', `echo "$DEBIAN_FRONTEND $@" >> ${folder}/said`);
    process.getuid = () => 0;
    const error = await build();
    assert.ok(error instanceof CommandFailed && error.message.includes('cmake'), error.stack);
    const [update, install, ...more] = await said();
    assert.equal(update, 'noninteractive update');
    assert.match(`apt-get ${install!.replace('noninteractive ', '')}`, LINE);
    assert.deepEqual(more, []);
    assert.match(lines[0]!, /^installing what the media worker is built with: g\+\+ cmake/);
    assert.match(lines[1]!, /^building the media worker once, on \d+ cores?; this takes some minutes/);
  });

  it('gives the line too where Debian can not be reached', async () => {
    await command('apt-get', 'exit 100');
    process.getuid = () => 0;
    const error = await build();
    assert.ok(error instanceof MediaError && error.code === 'UNAVAILABLE', error.stack);
    assert.match(error.message, /Run: apt-get update && apt-get/);
    assert.match(error.message, LINE);
  });
});
