import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oauth from 'oauth4webapi';
import { chromium, type Browser, type Page } from 'playwright-core';
import { eventually, World, type Person } from '../testkit/world.js';

const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
const insecure = { [oauth.allowInsecureRequests]: true } as const;

/** A partner's app from its first request to a token, as a public client library and a browser go: nothing is known but the server's address, and the app's id and secret. */
describe('the page on which people let an app', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let browser: Browser;
  let page: Page;
  let partner: Server;
  let callback: string;
  let server: oauth.AuthorizationServer;
  const came: string[] = [];
  const complaints: string[] = [];
  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    partner = createServer((request, response) => {
      if (request.url!.startsWith('/callback')) came.push(request.url!);
      response.end('back at the partner');
    });
    await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
    callback = `http://127.0.0.1:${(partner.address() as AddressInfo).port}/callback`;
    const issuer = new URL(world.app.url);
    server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }));
    browser = await chromium.launch({ executablePath: process.env['TEST_CHROMIUM']!, args: QUIET });
    page = await (await browser.newContext({ viewport: { width: 900, height: 760 } })).newPage();
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => void complaints.push(error.message));
  });
  after(async () => {
    await browser?.close();
    partner?.close();
    await world?.stop();
  });

  const create = async () => {
    const { app, clientSecret } = (await ann.api.createApp({ input: { name: 'Helper <b>of</b> Ann', redirectUris: [callback], scopes: ['profile:read', 'chats:read'], idempotencyKey: world.key() } })).createApp;
    return { client: { client_id: app.id }, secret: oauth.ClientSecretBasic(clientSecret!) };
  };
  /** Sends Bob there, as the app does; `change` says what is wrong with the link. */
  const send = async (clientId: string, change: Record<string, string> = {}) => {
    const verifier = oauth.generateRandomCodeVerifier();
    const to = new URL(server.authorization_endpoint!);
    const asked = { response_type: 'code', client_id: clientId, redirect_uri: callback, scope: 'profile:read', state: 'state 1', code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...change };
    for (const [name, value] of Object.entries(asked)) to.searchParams.set(name, value);
    await page.goto(to.href);
    return verifier;
  };
  const signIn = async () => {
    await page.getByLabel('E-mail').fill('bob@example.com');
    await page.getByLabel('Password').fill('password of bob');
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  const back = async (count: number) => {
    await eventually(() => came.length === count, 'the partner has them back');
    await page.getByText('back at the partner').waitFor();
    return new URL(came.at(-1)!, callback);
  };
  const sessionsOfBob = async () => (await bob.api.sessions({})).viewer!.sessions.edges.length;

  it('shows who asks and for what; a yes brings the app a token, and leaves no session behind', async () => {
    const { client, secret } = await create();
    const verifier = await send(client.client_id);
    await signIn();
    await page.getByRole('heading', { name: 'asks to act for you' }).waitFor();
    assert.deepEqual([await page.locator('#app').innerText(), await page.locator('#owner').innerText(), await page.locator('#who').innerText()], ['Helper <b>of</b> Ann', '@ann', '@bob']);
    assert.deepEqual(await page.locator('#scopes li').allInnerTexts(), ['Read your profile (profile:read)']);
    const file = process.env['SCREENSHOT'];
    if (file) await page.screenshot({ path: file });
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    const parameters = oauth.validateAuthResponse(server, client, await back(1), 'state 1');
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, await oauth.authorizationCodeGrantRequest(server, client, secret, parameters, callback, verifier, insecure));
    assert.equal(tokens.scope, 'profile:read');
    const { viewer } = await world.client(tokens.access_token).request<{ viewer: { user: { id: string } } }, Record<string, unknown>>('{ viewer { user { id } } }', {});
    assert.equal(viewer.user.id, bob.id);
    assert.equal(await sessionsOfBob(), 1);
  });

  it('a no tells the app so, with nothing given', async () => {
    const { client } = await create();
    await send(client.client_id);
    await signIn();
    await page.getByRole('button', { name: 'Do not allow' }).click();
    assert.deepEqual([...(await back(2)).searchParams], [['error', 'access_denied'], ['state', 'state 1']]);
    assert.equal(await sessionsOfBob(), 1);
    assert.equal((await world.sql('select from oauth_codes where used_at is null')).length, 0);
  });

  it('a link that is not complete, or leads elsewhere, sends nobody anywhere', async () => {
    const { client } = await create();
    for (const [change, text] of [[{ response_type: 'token' }, 'response_type'], [{ code_challenge_method: 'plain' }, 'code_challenge'], [{ scope: '' }, 'scope']] as const) {
      await send(client.client_id, change);
      assert.match(await page.locator('#refused').innerText(), new RegExp(text));
      assert.equal(await page.locator('#enter').isVisible(), false);
    }
    for (const [change, text] of [[{ redirect_uri: `${callback}/other` }, 'none of those'], [{ scope: 'shops:write' }, 'can’t be given']] as const) {
      await send(client.client_id, change);
      await signIn();
      await page.locator('#refused', { hasText: text }).waitFor();
      assert.equal(await page.locator('#ask').isVisible(), false);
    }
    assert.equal(await sessionsOfBob(), 1);
    assert.equal(came.length, 2);
    assert.deepEqual(complaints, []);
  });

  it('is not served where the operator has one of their own', async () => {
    const other = await World.start({ settings: { PUBLIC_URL: 'https://chat.example' } });
    try {
      assert.equal((await fetch(`${other.app.url}/authorize`)).status, 404);
      const { authorization_endpoint } = (await (await fetch(`${other.app.url}/.well-known/oauth-authorization-server`)).json()) as { authorization_endpoint: string };
      assert.equal(authorization_endpoint, 'https://chat.example/authorize');
    } finally {
      await other.stop();
    }
    const answer = await fetch(`${world.app.url}/authorize`);
    assert.match(answer.headers.get('content-security-policy')!, /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(answer.headers.get('content-security-policy')!, /unsafe/);
  });
});
