import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import ts from 'typescript';
import { within, World, type Person } from '../test/testkit/world.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `<!doctype html><script type="importmap">${JSON.stringify({
  imports: { graphql: '/node_modules/graphql/index.mjs', 'graphql-ws': '/node_modules/graphql-ws/dist/index.js' },
})}</script>`;

/** Of a partner's own server: the page, the packages, and the SDK with its types taken off. */
async function file(path: string): Promise<[type: string, body: string]> {
  if (path === '/') return ['text/html', PAGE];
  if (path.startsWith('/node_modules/')) return ['text/javascript', await readFile(ROOT + path.slice(1), 'utf8')];
  const source = await readFile(ROOT + path.slice(1).replace(/\.js$/, '.ts'), 'utf8');
  return ['text/javascript', ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true } }).outputText];
}

/** The SDK as a browser loads it: its modules as they are, with no bundler, beside its two packages. */
describe('the SDK in a browser, on a page of another origin', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let browser: Browser;
  let page: Page;
  let files: Server;
  const complaints: string[] = [];
  before(async () => {
    files = createServer((request, response) => {
      file(request.url!).then(
        ([type, body]) => response.writeHead(200, { 'content-type': type }).end(body),
        () => response.writeHead(404).end(),
      );
    }).listen(0, '127.0.0.1');
    await once(files, 'listening');
    const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
    world = await World.start({ settings: { CORS_ORIGINS: origin } });
    [ann, bob] = await world.people('Ann', 'Bob');
    browser = await chromium.launch({ executablePath: process.env['TEST_CHROMIUM']!, args: ['--no-sandbox', '--disable-background-networking', '--no-first-run'] });
    page = await browser.newPage();
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(`${origin}/`);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
    files?.close();
  });

  it('calls, hears an event', async () => {
    const chatId = await world.directChat(ann, bob);
    await page.evaluate(`(async () => {
      const { OmniTalk } = await import('/sdk/index.js');
      const client = new OmniTalk({ url: ${JSON.stringify(`${world.app.url}/graphql`)}, accessToken: ${JSON.stringify(bob.accessToken)} });
      const { chat } = await client.api.chat({ id: ${JSON.stringify(chatId)} });
      globalThis.events = client.chatEvents(chat.id, chat.eventCursor);
      globalThis.viewer = (await client.api.viewer()).viewer.user.handle;
    })()`);
    assert.equal(await page.evaluate('viewer'), 'bob');
    const next = () => within(page.evaluate('events.next().then(({ value }) => value.message.text)'), 'an event');
    await world.say(ann, chatId, 'to a browser');
    assert.equal(await next(), 'to a browser');
    await world.say(ann, chatId, 'and again');
    assert.equal(await next(), 'and again');
    assert.deepEqual(complaints, []);
  });
});
