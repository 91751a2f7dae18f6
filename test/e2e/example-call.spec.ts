import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import type { MediaServer } from '../../src/media/media-server.js';
import { Browsers } from '../testkit/browser.js';
import { mediaServer } from '../testkit/media.js';
import { eventually, World } from '../testkit/world.js';

const { serveExample } = (await import(new URL('../../examples/call/serve.mjs', import.meta.url).href)) as { serveExample: (port: number) => Promise<Server> };

describe('examples/call', function () {
  this.timeout(60_000);
  let files: Server;
  let media: MediaServer;
  let world: World;
  let browsers: Browsers;
  before(async () => {
    files = await serveExample(0);
    browsers = Browsers.at(`http://127.0.0.1:${(files.address() as AddressInfo).port}`);
    media = mediaServer();
    await media.start();
    world = await World.start({ settings: { CORS_ORIGINS: browsers.origin }, media: () => media });
  });
  after(async () => {
    await browsers?.stop();
    await world?.stop();
    await media?.close();
    files?.close();
  });

  const enter = async (page: Page, name: string): Promise<void> => {
    await page.fill('#name', name);
    await page.click('#door button');
    await page.waitForSelector('#inside:not(.off)', { timeout: 20_000 });
  };
  const frames = (page: Page, source: string): Promise<number> =>
    page.evaluate(`document.querySelector('video[data-source=${source}]')?.getVideoPlaybackQuality().totalVideoFrames ?? 0`);
  const lines = (page: Page): Promise<string> => page.evaluate(`document.getElementById('board').dataset.lines`);

  it('two people who open the page see each other, and draw on one board', async () => {
    const hers = await browsers.page(`?api=${encodeURIComponent(`${world.app.url}/graphql`)}`);
    await enter(hers, 'Ann');
    const link = await hers.getAttribute('#link', 'href');
    const his = await browsers.page(link!);
    await enter(his, 'Bob');
    for (const page of [hers, his]) await eventually(async () => (await frames(page, 'CAMERA')) > 5, 'the other is seen', 20_000);
    await his.hover('#board', { position: { x: 20, y: 20 } });
    await his.mouse.down();
    await his.hover('#board', { position: { x: 120, y: 60 } });
    await his.mouse.up();
    await eventually(async () => (await lines(hers)) === '1', 'what he draws is drawn for her');
    await his.click('#leave');
    await eventually(async () => (await hers.evaluate(`document.querySelectorAll('video[data-source=CAMERA]').length`)) === 0, 'his picture has gone with him');
    assert.deepEqual(browsers.complaints, []);
  });
});
