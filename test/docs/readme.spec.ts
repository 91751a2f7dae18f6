import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { World } from '../testkit/world.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const DEFAULT_URL = 'http://127.0.0.1:4000';
const PATIENCE = { timeout: 30_000 };

/** The fenced blocks of one language in one section. */
function blocks(section: string, language: string): string[] {
  const from = README.indexOf(`### ${section}\n`);
  assert.ok(from >= 0, `the README has no section ${section}`);
  const after = README.slice(from + 4);
  const end = after.search(/^##/m);
  const body = end < 0 ? after : after.slice(0, end);
  return [...body.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```$', 'gm'))].map((match) => match[1]!);
}

describe('README.md does what it says', function () {
  this.timeout(60_000);
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());

  const here = (text: string): string => {
    assert.ok(text.includes(DEFAULT_URL), 'the snippet names the default address');
    return text.replaceAll(DEFAULT_URL, world.app.url);
  };

  for (const time of ['once', 'a second time on the same database']) {
    it(`the curl steps, pasted ${time}, let Bob hear Ann`, async () => {
      const steps = blocks('With curl', 'sh');
      assert.equal(steps.length, 4);
      const folder = await mkdtemp(join(tmpdir(), 'omnitalk-readme-'));
      try {
        const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', here(steps.join('\n'))], { cwd: folder, ...PATIENCE });
        assert.match(stdout, /"sendMessage":\{"message":\{"id":"msg_[0-9a-f]{32}_1","text":"Hello Bob!"\}\}/);
        assert.match(stdout, /^event: next\ndata: \{"data":\{"chatEvents":\{"cursor":"[\w-]+","message":\{"text":"Hello Bob!","sender":\{"displayName":"Ann"\}\}\}\}\}$/m);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it('the snippet of the SDK prints what Bob hears', async () => {
    const [snippet, ...others] = blocks('With the SDK', 'ts');
    assert.equal(others.length, 0);
    const [command] = blocks('With the SDK', 'sh');
    assert.equal(command, 'npm exec -- node --import ./scripts/register.mjs talk.ts\n');
    // Beside the sources, since it imports the SDK by its place.
    const file = join(ROOT, `talk.readme-${process.pid}.ts`);
    await writeFile(file, here(snippet!));
    try {
      const { stdout } = await run(process.execPath, ['--import', './scripts/register.mjs', file], { cwd: ROOT, ...PATIENCE });
      assert.equal(stdout, 'Ann: Hello Bob!\n');
    } finally {
      await rm(file);
    }
  });

  it('names commands, files and documents that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const [, name] of README.matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name!], `npm run ${name}`);
    for (const [, path] of README.matchAll(/\]\((?!http)([^)#]+)\)/g)) assert.ok(existsSync(join(ROOT, path!)), path);
  });
});
