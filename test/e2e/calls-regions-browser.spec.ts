import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { MediaServer } from '../../src/media/media-server.js';
import { Browsers, bundle } from '../testkit/browser.js';
import { CALL_PAGE, hears, joinIn, openPage, PATIENCE_MS, seesMore } from '../testkit/call-page.js';
import { startCall, uuidOf } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { VoiceClient } from '../testkit/voice.js';
import { eventually, World, type Person } from '../testkit/world.js';

describe('a call of two browsers in two regions, by the SDK', function () {
  this.timeout(150_000);
  let world: World;
  let media: MediaServer[];
  let browsers: Browsers;
  let ann: Person;
  let bob: Person;
  let cal: Person;
  let callId: string;
  before(async () => {
    browsers = await Browsers.start(await bundle(CALL_PAGE));
    media = [mediaServer(), mediaServer()];
    await Promise.all(media.map((one) => one.start()));
    world = await World.start({ nodes: 2, settings: { CORS_ORIGINS: browsers.origin }, media: (node) => media[node]!, configOf: (node) => ({ MEDIA_REGION: ['east', 'west'][node]! }) });
    [ann, bob, cal] = [await world.person('Ann'), await world.person('Bob'), await world.person('Cal')];
    callId = await startCall(world, ann, await world.groupChat(ann, [bob, cal]), { ring: false });
  });
  after(async () => {
    await browsers?.stop();
    await world?.stop();
    await Promise.all((media ?? []).map((one) => one.close()));
  });

  it('both see and hear each other, in the size that each wants, and pass messages; when the worker of one dies, it comes back', async () => {
    const [hers, his] = await Promise.all([openPage(browsers, world, ann), openPage(browsers, world, bob, 1)]);
    await joinIn(hers, callId);
    await joinIn(his, callId, { region: 'west' });
    assert.deepEqual(media.map((one) => one.rooms().peers), [1, 1]);
    await hers.evaluate(`sendLarge()`);
    await his.evaluate('send()');
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him'), seesMore(his, 'CAMERA', 'he sees her'), hears(hers, 'she hears him')]);
    // All layers come over the pipe, and each receiver has its choice of them.
    for (const [layer, width] of [[0, 160], [1, 320]] as const) {
      await his.evaluate(`prefer(${layer})`);
      await eventually(async () => (await his.evaluate('videos.CAMERA.videoWidth')) === width, `${width} pixels`, PATIENCE_MS);
    }
    await hers.evaluate(`call.openChannel('chat').then((channel) => void (globalThis.channel = channel))`);
    await eventually(async () => {
      await hers.evaluate(`channel.send('hello')`);
      return ((await his.evaluate('messages')) as string[])[0] === 'chat: hello';
    }, 'a message comes', PATIENCE_MS);

    // By a plain socket to the node in the west, everybody is heard too.
    const voice = await VoiceClient.connect(world, { type: 'join', callId, authorization: `Bearer ${cal.accessToken}` }, 1);
    await eventually(() => voice.frames.length > 10, 'he is heard by voice alone');
    voice.socket.close();

    process.kill(media[1]!.room(uuidOf(callId)).spare().live.worker.pid, 'SIGKILL');
    const cameras = async (page: Page) => ((await page.evaluate('heard')) as string[]).filter((one) => one === '+CAMERA').length;
    await eventually(async () => (await cameras(hers)) === 2, 'she gets his camera anew', PATIENCE_MS);
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him again'), seesMore(his, 'CAMERA', 'he sees her again')]);
    assert.deepEqual(browsers.complaints, []);
    await ann.api.endCall({ input: { callId } });
    await eventually(() => media.every((one) => one.rooms().rooms === 0 && one.rooms().transports === 0), 'nothing is left');
  });
});
