import assert from 'node:assert/strict';
import { chromium, type Browser, type Page } from 'playwright-core';
import { checkOut, fillCart, openShop, sell } from '../testkit/commerce.js';
import { administrator } from '../testkit/news.js';
import { World, type Person } from '../testkit/world.js';

const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

describe('the dashboard at /admin', function () {
  this.timeout(60_000);
  let world: World;
  let root: Person;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const foreign: string[] = [];
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false' } });
    root = await administrator(world);
    const [ann, bob] = await world.people('Ann', 'Bob');
    const chatId = await world.directChat(ann, bob);
    for (const text of ['one', 'two', 'three']) await world.say(ann, chatId, text);
    const shop = await openShop(world, bob);
    await checkOut(world, ann, await fillCart(world, ann, shop, [[await sell(world, shop, 'Tea'), 3]]));
    await root.api.setUserRoles({ input: { userId: bob.id, roles: ['ANALYST'] } });
    await world.app.container.jobs.analytics.run();
    browser = await chromium.launch({ executablePath: process.env['TEST_CHROMIUM']!, args: QUIET });
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
    await context.route('**/*', (route) => {
      const url = new URL(route.request().url());
      if (url.origin === world.app.url || url.protocol === 'data:') return route.continue();
      foreign.push(url.href);
      return route.abort();
    });
    page = await context.newPage();
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(`${world.app.url}/admin`);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const signIn = async (handle: string, password = `password of ${handle}`) => {
    await page.getByLabel('E-mail').fill(`${handle}@example.com`);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  const signOut = async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
  };

  it('shows nothing to whoever has not signed in, gives a wrong password no more than its refusal, and has no figures for those without the role', async () => {
    assert.equal(await page.locator('main').isVisible(), false);
    await signIn('root', 'another password');
    await page.getByText('E-mail address and password do not go together.').waitFor();
    await signIn('ann');
    await page.getByText('Your role does not reach to do this.').waitFor();
    assert.equal(await page.locator('main').isVisible(), false);
    assert.equal(await page.locator('figure').count(), 0);
  });

  it('shows an administrator the figures as they are, and what was done', async () => {
    await signIn('root');
    await page.getByText('@root').waitFor();
    const tile = (name: string) => page.locator('.tile', { hasText: name }).locator('b').innerText();
    assert.deepEqual([await tile('active today'), await tile('new people'), await tile('messages'), await tile('orders'), await tile('sales')], ['3', '3', '3', '1', 'CHF\u00a030.00']);
    assert.deepEqual(await page.locator('figcaption > span:first-child').allInnerTexts(), [
      'Active people', 'New people', 'Messages', 'Calls', 'Minutes in calls', 'Carts and orders', 'Conversion', 'Asked of language models', 'Sales, CHF',
    ]);
    assert.ok((await page.locator('figure', { hasText: 'Messages' }).locator('rect title').allTextContents()).some((text) => text.endsWith('people: 3')));
    // No label is cut off at the edge of its chart, and people are counted whole.
    const labels = await page.locator('figure svg text').evaluateAll((texts) => (texts as SVGTextElement[]).map((text) => ({ says: text.textContent, at: text.getBBox().x })));
    assert.deepEqual(labels.filter(({ at, says }) => at < 0 || says?.includes('.')), []);
    assert.ok(labels.some(({ says }) => says === '50 %'));
    assert.match(await page.locator('#audit').innerText(), /ROLE_SET/);
    assert.match(await page.locator('#cohorts').innerText(), /100\.0 %/);
    await page.getByLabel('Span').selectOption('7');
    await page.getByRole('button', { name: 'Refresh' }).click();
    const file = process.env['SCREENSHOT'];
    if (file) await page.screenshot({ path: file, fullPage: true });
    await signOut();
    assert.equal(await page.locator('figure').count(), 0);
  });

  it('shows an analyst the figures, and not what was done', async () => {
    await signIn('bob');
    await page.getByText('@bob').waitFor();
    assert.equal(await page.locator('figure').count(), 9);
    assert.equal(await page.locator('#audit').isVisible(), false);
    await signOut();
  });

  it('runs under a policy that lets nothing else run, and fetches nothing from elsewhere', async () => {
    const answer = await fetch(`${world.app.url}/admin`);
    const policy = answer.headers.get('content-security-policy')!;
    const body = await answer.text();
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)![1]!;
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(body.split(`nonce="${nonce}"`).length - 1, 2);
    assert.equal(answer.headers.get('x-frame-options'), 'DENY');
    assert.notEqual((await (await fetch(`${world.app.url}/admin`)).text()).includes(nonce), true);
    assert.deepEqual([complaints, foreign], [[], []]);
  });
});
