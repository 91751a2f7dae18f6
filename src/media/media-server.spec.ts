import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually, mediaServer, workerBinary } from '../../test/testkit/media.js';
import { ClientWorker, type CodecName } from '../../test/testkit/rtc.js';
import type { MediaCounts } from './contract.js';
import type { MediaServer } from './media-server.js';

const NOTHING: Omit<MediaCounts, 'workers'> = {
  rooms: 0, peers: 0, routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0, pipes: 0, borrowed: 0, lent: 0, voices: 0, recordings: 0, timers: 0,
};

describe('media: one worker', () => {
  let media: MediaServer;
  let clients: ClientWorker;
  let room: string;
  before(async () => {
    media = mediaServer();
    clients = await ClientWorker.start(workerBinary());
  });
  after(async () => {
    await media.close();
    await clients.stop();
  });
  beforeEach(() => {
    room = randomUUID();
  });
  afterEach(async () => {
    await media.closeRoom(room);
    assert.deepEqual(media.rooms(), { workers: 1, ...NOTHING });
  });

  it('carries audio from one to another by real DTLS and SRTP, every packet of it', async () => {
    const ann = await clients.join(media, room);
    const ben = await clients.join(media, room);
    const microphone = await ann.send('opus');
    const heard = await ben.receive(microphone.id);
    for (let sent = 0; sent < 100; sent++) {
      microphone.packet(Buffer.from([0xf8, sent]));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await eventually(() => assert.equal(heard.packets, 100));
    assert.deepEqual(heard.payloads.map((payload) => payload[1]), Array.from({ length: 100 }, (_, index) => index));
    await ann.leave();
    await ben.leave();
    assert.deepEqual(media.rooms(), { workers: 1, ...NOTHING });
  });

  for (const codec of ['vp8', 'vp9', 'h264', 'av1'] satisfies CodecName[]) {
    it(`offers and negotiates ${codec}`, async () => {
      const ann = await clients.join(media, room);
      const ben = await clients.join(media, room);
      const camera = await ann.send(codec);
      const seen = await ben.receive(camera.id);
      assert.equal(seen.info.rtpParameters.codecs[0]!.mimeType.toLowerCase(), `video/${codec}`);
      assert.equal(seen.info.source, 'CAMERA');
    });
  }

  it('carries VP8 from its first key frame on, and asks for another', async () => {
    const ann = await clients.join(media, room);
    const ben = await clients.join(media, room);
    const camera = await ann.send('vp8');
    const seen = await ben.receive(camera.id);
    await eventually(() => {
      camera.sent = 0;
      camera.packet();
      camera.packet();
      assert.ok(seen.packets >= 20);
    });
    await media.requestKeyFrame(room, ben.peerId, seen.info.id);
  });
});

