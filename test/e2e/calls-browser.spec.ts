import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { MediaServer } from '../../src/media/media-server.js';
import { Browsers, bundle } from '../testkit/browser.js';
import { CALL_PAGE, eventsOf, hears, joinIn, openPage, PATIENCE_MS, seesMore } from '../testkit/call-page.js';
import { startCall, uuidOf } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { mediaWorkersOf } from '../testkit/media-processes.js';
import { eventually, World, type Person } from '../testkit/world.js';

describe('a call in two browsers, by the SDK', function () {
  this.timeout(150_000);
  let world: World;
  let media: MediaServer;
  let browsers: Browsers;
  let ann: Person;
  let bob: Person;
  let callId: string;
  let chatId: string;
  let run = 0;
  before(async () => {
    browsers = await Browsers.start(await bundle(CALL_PAGE));
    media = mediaServer();
    await media.start();
    world = await World.start({ settings: { CORS_ORIGINS: browsers.origin }, media: () => media });
  });
  beforeEach(async () => {
    run++;
    [ann, bob] = await world.people(`Ann_${run}`, `Bob_${run}`);
    chatId = await world.groupChat(ann, [bob]);
  });
  afterEach(() => browsers.closePages());
  after(async () => {
    await browsers?.stop();
    await world?.stop();
    await media?.close();
  });

  const open = (person: Person): Promise<Page> => openPage(browsers, world, person);
  const join = (page: Page, more: object = {}): Promise<string> => joinIn(page, callId, more);
  const heard = async (page: Page): Promise<string[]> => page.evaluate('heard');
  const both = async (): Promise<[Page, Page]> => {
    callId = await startCall(world, ann, chatId);
    const pages = await Promise.all([open(ann), open(bob)]);
    for (const page of pages) await join(page);
    await Promise.all(pages.map((page) => page.evaluate('send()')));
    return pages;
  };

  it('both see and hear each other; a screen comes and goes; nothing is left', async () => {
    const [hers, his] = await both();
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him'), seesMore(his, 'CAMERA', 'he sees her'), hears(hers, 'she hears him'), hears(his, 'he hears her')]);
    assert.deepEqual((await heard(his)).sort(), ['+CAMERA', '+MICROPHONE']);
    await hers.evaluate('share()');
    await seesMore(his, 'SCREEN', 'he sees her screen');
    await hers.evaluate(`call.stop('SCREEN')`);
    await eventually(async () => (await heard(his)).includes('-SCREEN'), 'the screen is gone');
    await hers.evaluate(`call.setPaused('CAMERA', true)`);
    await eventually(async () => (await heard(his)).at(-1) === '|CAMERA', 'he is told that her camera is off');
    await hers.evaluate(`call.setPaused('CAMERA', false)`);
    await eventually(async () => (await heard(his)).at(-1) === '>CAMERA', 'and on again');
    await seesMore(his, 'CAMERA', 'he sees her again');
    await his.evaluate('call.leave()');
    assert.equal(await his.evaluate('globalThis.reason'), 'LEFT');
    await eventually(async () => (await heard(hers)).filter((one) => one.startsWith('-')).length === 2, 'what he sent is gone');
    await hers.evaluate(`client.api.endCall({ input: { callId: ${JSON.stringify(callId)} } })`);
    await eventually(async () => (await hers.evaluate('globalThis.reason')) === 'ENDED', 'it is over for her');
    await eventually(() => media.rooms().transports === 0 && media.rooms().rooms === 0, 'nothing is left');
    assert.deepEqual(browsers.complaints, []);
  });

  // Chromium makes no layer of VP9 that is narrower than 240.
  for (const [codec, what, widths] of [['VP8', 'sizes', [160, 320]], ['VP9', 'layers', [320, 640]]] as const) {
    it(`a camera goes by ${codec} in ${what}, of which the receiver picks, who alone is told`, async () => {
      callId = await startCall(world, ann, chatId);
      const [hers, his] = await Promise.all([open(ann), open(bob)]);
      for (const page of [hers, his]) await join(page);
      await hers.evaluate(`sendLarge({ codec: '${codec}' })`);
      await seesMore(his, 'CAMERA', 'he sees her');
      const width = () => his.evaluate('videos.CAMERA.videoWidth');
      for (const [layer, pixels] of widths.entries()) {
        await his.evaluate(`prefer(${layer})`);
        await eventually(async () => (await width()) === pixels, `it is ${pixels} wide`, PATIENCE_MS);
      }
      await eventually(async () => (await eventsOf(his, 'CallConsumerChanged')).at(-1)?.spatialLayer === 1, 'he is told');
      assert.deepEqual(await eventsOf(hers, 'CallConsumerChanged'), []);
      const [sent] = await hers.evaluate<string[]>('codecs()');
      assert.equal(sent, `video/${codec}`);
    });
  }

  it('data channels carry what people say, also after the media began anew, and end with who opened them', async () => {
    const [hers, his] = await both();
    await hers.evaluate(`call.openChannel('chat').then((channel) => void (globalThis.channel = channel))`);
    const said = async () => his.evaluate('messages');
    const says = (text: string) => eventually(async () => {
      await hers.evaluate(`channel.send(${JSON.stringify(text)})`);
      return (await said() as string[]).includes(`chat: ${text}`);
    }, `he gets ${text}`, PATIENCE_MS);
    await says('hello');
    for (const pid of mediaWorkersOf()) process.kill(pid, 'SIGKILL');
    await says('again');
    assert.equal(media.rooms().dataConsumers, 1);
    await hers.evaluate('channel.close()');
    assert.equal(await hers.evaluate(`channel.send('late')`), false);
    await eventually(() => media.rooms().dataProducers === 0 && media.rooms().dataConsumers === 0, 'the channel is gone');
    assert.deepEqual([await hers.evaluate('globalThis.reason'), await his.evaluate('globalThis.reason')], [undefined, undefined]);
  });

  it('whoever loses the network for a while comes back to the same call', async () => {
    const [hers, his] = await both();
    await seesMore(hers, 'CAMERA', 'she sees him');
    await his.context().setOffline(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await ann.api.muteParticipant({ input: { callId, participantId: await his.evaluate('call.participant.id'), source: 'MICROPHONE' } });
    await his.context().setOffline(false);
    await eventually(async () => (await his.evaluate(`call.isSending('MICROPHONE')`)) === false, 'he hears that he was muted meanwhile', PATIENCE_MS);
    await seesMore(hers, 'CAMERA', 'she still sees him');
    assert.equal(await his.evaluate('globalThis.reason'), undefined);
    await his.evaluate(`call.setPaused('MICROPHONE', false)`);
    assert.equal(await his.evaluate(`call.isSending('MICROPHONE')`), true);
  });

  it('a page that was loaded again takes its seat again, and what it had left in the call is gone', async () => {
    const [hers, his] = await both();
    await seesMore(hers, 'CAMERA', 'she sees him');
    await his.reload();
    await his.evaluate(`open(${JSON.stringify(`${world.app.url}/graphql`)}, ${JSON.stringify(bob.accessToken)})`);
    await join(his);
    await his.evaluate('send()');
    await eventually(async () => (await heard(hers)).filter((one) => one === '+CAMERA').length === 2, 'she gets his camera anew', PATIENCE_MS);
    await seesMore(hers, 'CAMERA', 'she sees him again');
    await seesMore(his, 'CAMERA', 'he sees her again');
    assert.equal((await world.sql('select from call_producers where call_id = $1', [uuidOf(callId)])).length, 4);
  });

  it('when the media’s network is away for a while it goes on by an ICE restart, with the same tracks', async () => {
    const [hers, his] = await both();
    await seesMore(hers, 'CAMERA', 'she sees him');
    const workers = mediaWorkersOf();
    for (const pid of workers) process.kill(pid, 'SIGSTOP');
    try {
      await eventually(async () => (await his.evaluate('call.state')) === 'RECONNECTING', 'he notices', PATIENCE_MS);
    } finally {
      for (const pid of workers) process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => (await his.evaluate('call.state')) === 'CONNECTED' && (await hers.evaluate('call.state')) === 'CONNECTED', 'both are back', PATIENCE_MS);
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him again'), seesMore(his, 'CAMERA', 'he sees her again')]);
    assert.deepEqual((await heard(hers)).sort(), ['+CAMERA', '+MICROPHONE']);
  });

  it('when the media worker dies everybody is back, and sends what they sent', async () => {
    const [hers, his] = await both();
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him'), seesMore(his, 'CAMERA', 'he sees her')]);
    for (const pid of mediaWorkersOf()) process.kill(pid, 'SIGKILL');
    await eventually(async () => (await heard(hers)).filter((one) => one === '+CAMERA').length === 2, 'she gets his camera anew', PATIENCE_MS);
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him again'), seesMore(his, 'CAMERA', 'he sees her again'), hears(hers, 'she hears him again')]);
    assert.equal(await his.evaluate('globalThis.reason'), undefined);
    assert.equal(await his.evaluate(`call.isSending('CAMERA')`), true);
    assert.equal((await world.sql('select from call_producers where call_id = $1', [uuidOf(callId)])).length, 4);
  });

  it('another device takes the seat over only when it says so, and the first is told', async () => {
    const [hers, his] = await both();
    await seesMore(hers, 'CAMERA', 'she sees him');
    const { signIn } = await world.client().api.signIn({ input: { email: `${bob.handle}@example.com`, password: `password of ${bob.handle}` } });
    const other = await open({ ...bob, accessToken: signIn.accessToken });
    const refused = await join(other).then(() => '', (error: Error) => error.message);
    assert.match(refused, /another/);
    await join(other, { takeOver: true });
    await eventually(async () => (await his.evaluate('globalThis.reason')) === 'MOVED', 'the first is told');
    await other.evaluate('send()');
    await eventually(async () => (await heard(hers)).filter((one) => one === '+CAMERA').length === 2, 'she gets the other camera', PATIENCE_MS);
    await seesMore(other, 'CAMERA', 'he sees her on the other');
    assert.deepEqual((await heard(hers)).filter((one) => one === '-CAMERA').length, 1);
  });

  it('waits in the lobby until it is let in, and is told when it is taken out', async () => {
    callId = await startCall(world, ann, chatId, { lobby: true });
    const [hers, his] = await Promise.all([open(ann), open(bob)]);
    await join(hers);
    await hers.evaluate('send()');
    const participantId = await join(his);
    assert.equal(await his.evaluate('call.state'), 'WAITING');
    await ann.api.admitParticipant({ input: { callId, participantId } });
    await seesMore(his, 'CAMERA', 'he sees her once he is in');
    await ann.api.removeParticipant({ input: { callId, participantId } });
    await eventually(async () => (await his.evaluate('globalThis.reason')) === 'REMOVED', 'he is told');
  });
});
