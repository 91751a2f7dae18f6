import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { Browsers, bundle } from '../../test/testkit/browser.js';
import { eventually, keeper, mediaServer } from '../../test/testkit/media.js';
import type { Media } from './contract.js';
import type { MediaServer } from './media-server.js';

/** Two participants in one page, on plain mediasoup-client; `ask` calls a method of media in the test's process. */
const SCRIPT = `
import { Device } from 'mediasoup-client';

const transportOf = async (device, room, peer, direction, options) => {
  const info = await ask('createTransport', room, peer, { direction, sctp: true, ...options });
  const transport = device[direction === 'SEND' ? 'createSendTransport' : 'createRecvTransport']({ ...info, sctpParameters: info.sctpParameters ?? undefined });
  transport.on('connect', ({ dtlsParameters }, done, failed) => ask('connectTransport', room, peer, info.id, dtlsParameters).then(done, failed));
  transport.on('produce', ({ kind, rtpParameters }, done, failed) =>
    ask('produce', room, peer, info.id, { kind, rtpParameters, source: kind === 'audio' ? 'MICROPHONE' : 'CAMERA' }).then(done, failed));
  transport.on('producedata', ({ sctpStreamParameters, label, protocol }, done, failed) =>
    ask('produceData', room, peer, info.id, { sctpStreamParameters, label, protocol }).then(done, failed));
  return transport;
};

globalThis.enter = async (room, peer, options = {}) => {
  const { rtpCapabilities } = await ask('join', room, peer, {});
  const device = new Device();
  await device.load({ routerRtpCapabilities: rtpCapabilities });
  const person = { room, peer, device };
  person.sending = await transportOf(device, room, peer, 'SEND', options);
  person.receiving = await transportOf(device, room, peer, 'RECEIVE', options);
  (globalThis.people ??= {})[peer] = person;
};

globalThis.send = async (peer, kind, { codec, encodings, size = [320, 240] } = {}) => {
  const { device, sending } = people[peer];
  const media = await navigator.mediaDevices.getUserMedia(kind === 'audio' ? { audio: true } : { video: { width: size[0], height: size[1], frameRate: 15 } });
  const wanted = codec && device.sendRtpCapabilities.codecs.find(({ mimeType }) => mimeType.toLowerCase() === codec);
  if (codec && !wanted) return null;
  const producer = await sending.produce({ track: media.getTracks()[0], encodings, codec: wanted });
  return producer.id;
};

globalThis.receive = async (peer, producerId) => {
  const { room, device, receiving } = people[peer];
  const info = await ask('consume', room, peer, { transportId: receiving.id, producerId, rtpCapabilities: device.recvRtpCapabilities, paused: true });
  const consumer = await receiving.consume(info);
  const element = document.body.appendChild(Object.assign(document.createElement(info.kind), { autoplay: true, muted: info.kind === 'video', srcObject: new MediaStream([consumer.track]) }));
  await ask('setConsumerPaused', room, peer, info.id, false);
  people[peer][producerId] = { consumer, element };
  return { id: info.id, type: info.type };
};

globalThis.seen = (peer, producerId) => {
  const { element } = people[peer][producerId];
  return { frames: element.getVideoPlaybackQuality().totalVideoFrames, width: element.videoWidth };
};

globalThis.heard = async (peer, producerId) => {
  const stats = [...(await people[peer][producerId].consumer.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
  return { packets: stats.packetsReceived, lost: stats.packetsLost, energy: stats.totalAudioEnergy };
};

globalThis.openChannel = async (peer) => {
  people[peer].channel = await people[peer].sending.produceData({ label: 'chat', protocol: 'text', ordered: true });
  return people[peer].channel.id;
};

globalThis.followChannel = async (peer, dataProducerId) => {
  const { room, receiving } = people[peer];
  const info = await ask('consumeData', room, peer, { transportId: receiving.id, dataProducerId });
  const consumer = await receiving.consumeData(info);
  people[peer].messages = [];
  consumer.on('message', (message) => people[peer].messages.push(message));
};
globalThis.say = (peer, text) => people[peer].channel.send(text);
`;

interface InPage {
  enter(room: string, peer: string, options?: object): Promise<void>;
  send(peer: string, kind: 'audio' | 'video', options?: object): Promise<string | null>;
  receive(peer: string, producerId: string): Promise<{ id: string; type: string }>;
  seen(peer: string, producerId: string): { frames: number; width: number };
  heard(peer: string, producerId: string): Promise<{ packets: number; lost: number; energy: number }>;
  openChannel(peer: string): Promise<string>;
  followChannel(peer: string, dataProducerId: string): Promise<void>;
  say(peer: string, text: string): void;
  people: Record<string, { messages: string[]; channel: { readyState: string } }>;
}

describe('media with a real browser', function () {
  this.timeout(60_000);
  let media: MediaServer;
  let browsers: Browsers;
  let page: Page;
  let room: string;
  let ann: string;
  let ben: string;
  const ask = async (method: keyof Media, ...args: unknown[]) => (media[method] as (...given: unknown[]) => unknown)(...args);
  const inPage = async <Name extends keyof InPage>(name: Name, ...args: unknown[]): Promise<InPage[Name] extends (...given: never[]) => infer Result ? Awaited<Result> : never> =>
    page.evaluate(([what, given]) => (globalThis as unknown as Record<string, (...all: unknown[]) => unknown>)[what]!(...given), [name, args] as const) as never;

  before(async () => {
    // Each on a worker of their own: what the browser sends goes through a pipe too.
    media = mediaServer({ workers: 2, peersPerRouter: 1 });
    browsers = await Browsers.start(await bundle(SCRIPT));
    page = await browsers.page();
    await page.exposeFunction('ask', ask);
  });
  after(async () => {
    await browsers.stop();
    await media.close();
  });
  beforeEach(() => {
    [room, ann, ben] = [randomUUID(), randomUUID(), randomUUID()];
  });
  afterEach(async () => {
    assert.deepEqual(browsers.complaints, []);
    await media.closeRoom(room);
    await page.reload();
  });

  it('shakes hands by DTLS, decodes VP8 and Opus, and passes messages', async () => {
    const states = keeper(media)('transportState');
    for (const peer of [ann, ben]) await inPage('enter', room, peer);
    const camera = (await inPage('send', ann, 'video', { codec: 'video/vp8' }))!;
    const microphone = (await inPage('send', ben, 'audio'))!;
    await inPage('receive', ben, camera);
    await inPage('receive', ann, microphone);
    await eventually(async () => assert.ok((await inPage('seen', ben, camera)).frames >= 15), 15_000);
    await eventually(async () => {
      const { packets, energy, lost } = await inPage('heard', ann, microphone);
      assert.ok(packets >= 50 && energy > 0);
      assert.equal(lost, 0);
    }, 15_000);
    assert.equal(states.filter(({ state }) => state === 'connected').length, 4);
    const channel = await inPage('openChannel', ann);
    await inPage('followChannel', ben, channel);
    await eventually(async () => assert.equal(await page.evaluate((peer) => (globalThis as unknown as InPage).people[peer]!.channel.readyState, ann), 'open'));
    await eventually(async () => {
      await inPage('say', ann, 'hello');
      const messages = await page.evaluate((peer) => (globalThis as unknown as InPage).people[peer]!.messages, ben);
      assert.equal(messages[0], 'hello');
    });
  });

  it('sends three sizes by simulcast, of which the receiver picks', async () => {
    const changes = keeper(media)('consumerChanged');
    for (const peer of [ann, ben]) await inPage('enter', room, peer);
    const encodings = [4, 2, 1].map((scaleResolutionDownBy, index) => ({ rid: `r${index}`, scaleResolutionDownBy, maxBitrate: [100_000, 300_000, 900_000][index] }));
    const camera = (await inPage('send', ann, 'video', { codec: 'video/vp8', encodings, size: [640, 480] }))!;
    const { id, type } = await inPage('receive', ben, camera);
    assert.equal(type, 'simulcast');
    await media.setPreferredLayers(room, ben, id, { spatial: 0, temporal: 2 });
    await eventually(async () => assert.equal((await inPage('seen', ben, camera)).width, 160), 15_000);
    await media.setPreferredLayers(room, ben, id, { spatial: 1, temporal: 2 });
    await eventually(async () => assert.equal((await inPage('seen', ben, camera)).width, 320), 15_000);
    await eventually(() => assert.equal(changes.findLast(({ consumerId }) => consumerId === id)?.layers?.spatial, 1));
  });

  it('sends VP9 in layers (SVC), of which the receiver picks', async () => {
    for (const peer of [ann, ben]) await inPage('enter', room, peer);
    const camera = (await inPage('send', ann, 'video', { codec: 'video/vp9', encodings: [{ scalabilityMode: 'L2T2_KEY', maxBitrate: 1_000_000 }], size: [640, 480] }))!;
    const { id, type } = await inPage('receive', ben, camera);
    assert.equal(type, 'svc');
    await media.setPreferredLayers(room, ben, id, { spatial: 0, temporal: 1 });
    await eventually(async () => assert.equal((await inPage('seen', ben, camera)).width, 320), 15_000);
    await media.setPreferredLayers(room, ben, id, { spatial: 1, temporal: 1 });
    await eventually(async () => assert.equal((await inPage('seen', ben, camera)).width, 640), 15_000);
  });

  for (const codec of ['video/h264', 'video/av1']) {
    it(`decodes ${codec}`, async () => {
      for (const peer of [ann, ben]) await inPage('enter', room, peer);
      const camera = await inPage('send', ann, 'video', { codec });
      assert.ok(camera, `this browser does not encode ${codec}`);
      await inPage('receive', ben, camera);
      await eventually(async () => assert.ok((await inPage('seen', ben, camera)).frames >= 5), 15_000);
    });
  }

  it('goes by TCP where UDP is not to be had', async () => {
    for (const peer of [ann, ben]) await inPage('enter', room, peer, { forceTcp: true });
    const camera = (await inPage('send', ann, 'video', { codec: 'video/vp8' }))!;
    await inPage('receive', ben, camera);
    await eventually(async () => assert.ok((await inPage('seen', ben, camera)).frames >= 15), 15_000);
  });
});
