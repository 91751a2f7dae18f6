import assert from 'node:assert/strict';
import { chromium, type Browser, type Page } from 'playwright-core';
import { eventually, World, type Person } from '../testkit/world.js';
import { raw } from '../testkit/raw.js';

const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
const CTRL_ENTER = 'Control+Enter';

describe('GraphiQL', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let browser: Browser;
  let page: Page;
  const foreign: string[] = [];
  const complaints: string[] = [];

  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Amy', 'Ben');
    browser = await chromium.launch({ executablePath: process.env['TEST_CHROMIUM']!, args: QUIET });
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    // Nothing may be fetched from elsewhere; and should it be tried, it must fail here as it would without a network.
    await context.route('**/*', (route) => {
      const url = new URL(route.request().url());
      if (url.origin === world.app.url || ['blob:', 'data:'].includes(url.protocol)) return route.continue();
      foreign.push(url.href);
      return route.abort();
    });
    page = await context.newPage();
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(`${world.app.url}/graphql`);
    await page.waitForSelector('.graphiql-execute-button');
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  /** Replaces the text of one of the editors. */
  async function write(editor: 'query' | 'variables' | 'headers', text: string): Promise<void> {
    if (editor !== 'query') await page.getByRole('button', { name: editor === 'variables' ? 'Variables' : 'Headers' }).click();
    const area = editor === 'query' ? page.locator('.graphiql-query-editor .monaco-editor').first() : page.locator('.graphiql-editor-tool .monaco-editor:visible').first();
    await area.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
  }
  async function open(name: string): Promise<void> {
    await page.locator('.graphiql-tab-button', { hasText: name }).click();
    await page.waitForSelector(`.graphiql-tab[aria-selected="true"]:has-text("${name}")`);
  }
  const result = () => page.locator('.graphiql-response').innerText();
  const showsResult = (text: string) => eventually(async () => (await result()).replaceAll('\u00a0', ' ').includes(text), `GraphiQL shows ${text}`, 15_000);

  it('opens on the first of the example operations, which stand ready as tabs', async () => {
    assert.match(await page.title(), /OmniTalk/);
    assert.deepEqual(await page.locator('.graphiql-tab-button').allInnerTexts(), ['SignUpAnn', 'SignUpBob', 'OpenChat', 'Listen', 'Send', 'History']);
  });

  it('signs somebody up by a press of the play button, with nothing typed', async () => {
    await page.locator('.graphiql-execute-button').click();
    await showsResult('"handle": "ann"');
    assert.deepEqual(await world.sql(`select handle from users where handle = 'ann'`), [{ handle: 'ann' }]);
  });

  it('runs a query with the headers of its tab, and shows the cost', async () => {
    const chatId = await world.directChat(ann, bob);
    await world.say(ann, chatId, 'before');
    await open('History');
    await write('variables', JSON.stringify({ chatId }));
    await write('headers', JSON.stringify({ authorization: `Bearer ${bob.accessToken}` }));
    await page.keyboard.press(CTRL_ENTER);
    await showsResult('"text": "before"');
  });

  it('hears an event over WebSocket, with the headers of its tab', async () => {
    const chatId = await world.directChat(ann, bob);
    await open('Listen');
    await write('variables', JSON.stringify({ chatId }));
    await write('headers', JSON.stringify({ Authorization: `Bearer ${bob.accessToken}` }));
    await page.keyboard.press(CTRL_ENTER);
    await eventually(() => world.app.serving.sockets.subscriptions === 1, 'the subscription stands');
    await world.say(ann, chatId, 'heard in a browser');
    await showsResult('"text": "heard in a browser"');
    const file = process.env['SCREENSHOT'];
    if (file) await page.screenshot({ path: file });
    await page.locator('.graphiql-execute-button').click();
    await eventually(() => world.app.serving.sockets.connections === 0, 'the subscription has ended');
  });

  it('shows the schema', async () => {
    await page.getByRole('button', { name: /documentation explorer/i }).first().click();
    await eventually(async () => (await page.locator('.graphiql-doc-explorer').innerText()).includes('Mutation'), 'the documentation shows the root types');
  });

  it('fetched nothing from elsewhere, and broke no rule of its own', () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });

  it('is guarded by a policy: scripts by a nonce that is new each time', async () => {
    const answers = await Promise.all([0, 1].map(() => raw(world, '/graphql', { headers: { accept: 'text/html' } })));
    const nonces = answers.map(({ headers, text }) => {
      const policy = headers.get('content-security-policy')!;
      assert.match(policy, /^default-src 'none'; script-src 'nonce-[\w+/=]{24}';/);
      assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
      const nonce = /'nonce-([^']+)'/.exec(policy)![1]!;
      const scripts = text.match(/<script\b[^>]*>/g)!;
      assert.ok(scripts.length > 0 && scripts.every((script) => script.includes(`nonce="${nonce}"`)));
      return nonce;
    });
    assert.notEqual(nonces[0], nonces[1]);
  });

  it('its files may be kept, and no others are there', async () => {
    const { text } = await raw(world, '/graphql', { headers: { accept: 'text/html' } });
    const script = /src="(\/graphql\/graphiql\/[0-9a-f]{16}\.js)"/.exec(text)![1]!;
    const zipped = await raw(world, script);
    assert.match(zipped.headers.get('cache-control')!, /immutable/);
    assert.equal(zipped.headers.get('content-encoding'), 'gzip');
    const plain = await raw(world, script, { headers: { 'accept-encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(plain.text, zipped.text);
    assert.equal((await raw(world, '/graphql/graphiql/other.js')).code, 'NOT_FOUND');
  });
});
