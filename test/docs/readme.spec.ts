import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { at, blocks, PATIENCE, printed, ROOT } from '../testkit/snippets.js';
import { World } from '../testkit/world.js';

const run = promisify(execFile);
const README = 'README.md';

describe('README.md does what it says', function () {
  this.timeout(60_000);
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());

  for (const time of ['once', 'a second time on the same database']) {
    it(`the curl steps, pasted ${time}, let Bob hear Ann`, async () => {
      const steps = blocks(README, '### With curl', 'sh');
      assert.equal(steps.length, 4);
      const folder = await mkdtemp(join(tmpdir(), 'omnitalk-readme-'));
      try {
        const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', at(world.app.url, steps.join('\n'))], { cwd: folder, ...PATIENCE });
        assert.match(stdout, /"sendMessage":\{"message":\{"id":"msg_[0-9a-f]{32}_1","text":"Hello Bob!"\}\}/);
        assert.match(stdout, /^event: next\ndata: \{"data":\{"chatEvents":\{"cursor":"[\w-]+","message":\{"text":"Hello Bob!","sender":\{"displayName":"Ann"\}\}\}\}\}$/m);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it('the snippet of the SDK prints what Bob hears', async () => {
    const [snippet, ...others] = blocks(README, '### With the SDK', 'ts');
    assert.equal(others.length, 0);
    const [command] = blocks(README, '### With the SDK', 'sh');
    assert.equal(command, 'npm exec -- node --import ./scripts/register.mjs talk.ts\n');
    assert.equal(await printed(at(world.app.url, snippet!)), 'Ann: Hello Bob!\n');
  });

  it('names commands, files and documents that exist', () => {
    const text = readFileSync(join(ROOT, README), 'utf8');
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const [, name] of text.matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name!], `npm run ${name}`);
    for (const [, path] of text.matchAll(/\]\((?!http)([^)#]+)\)/g)) assert.ok(existsSync(join(ROOT, path!)), path);
  });
});
