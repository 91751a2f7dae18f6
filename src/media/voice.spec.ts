import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { eventually, keeper, mediaServer, refuses, workerBinary } from '../../test/testkit/media.js';
import { ClientWorker, OPUS_SILENCE } from '../../test/testkit/rtc.js';
import type { MediaServer } from './media-server.js';
import { VOICE_CLOSE, VoiceBridge, type VoiceSocket } from './voice-bridge.js';

class FakeSocket extends EventEmitter implements VoiceSocket {
  bufferedAmount = 0;
  readonly texts: Record<string, unknown>[] = [];
  readonly frames: Buffer[] = [];
  closed: number | undefined;

  send(data: Buffer | string): void {
    if (typeof data === 'string') this.texts.push(JSON.parse(data) as Record<string, unknown>);
    else this.frames.push(data);
  }

  close(code: number): void {
    this.closed = code;
  }

  voice(opus: Buffer, level = 20): void {
    this.emit('message', Buffer.concat([Buffer.from([level]), opus]), true);
  }
}

const FRAME_20_MS = Buffer.from([0xf8, 1, 2, 3, 4]);

describe('voice without WebRTC', () => {
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
    const { workers, ...rest } = media.rooms();
    assert.equal(workers, 1);
    assert.deepEqual([...new Set(Object.values(rest))], [0]);
  });

  async function voice(peerId: string = randomUUID()) {
    await media.join(room, peerId, { voiceOnly: true });
    const socket = new FakeSocket();
    let ends = 0;
    const bridge = new VoiceBridge(socket, { participantId: (id) => `cpt_${id}`, producerId: (id) => `cpr_${id}`, onEnd: () => ends++ });
    bridge.attach(await media.openVoice(room, peerId, bridge));
    return { peerId, socket, bridge, ends: () => ends };
  }

  it('is heard by a WebRTC participant, and hears them', async () => {
    const ann = await clients.join(media, room);
    const microphone = await ann.send('opus');
    const { peerId, socket } = await voice();
    await eventually(() => assert.deepEqual(socket.texts.map(({ type }) => type).sort(), ['ready', 'stream']));
    const stream = socket.texts.find(({ type }) => type === 'stream')!;
    assert.equal(stream['participantId'], `cpt_${ann.peerId}`);
    assert.equal(stream['producerId'], `cpr_${microphone.id}`);

    const ready = socket.texts.find(({ type }) => type === 'ready')!;
    const heard = await ann.receive(String(ready['producerId']).slice(4));
    assert.equal(heard.info.peerId, peerId);
    for (let count = 0; count < 50; count++) socket.voice(Buffer.concat([FRAME_20_MS, Buffer.from([count])]));
    await eventually(() => assert.equal(heard.packets, 50));
    assert.deepEqual(heard.payloads.map((payload) => payload.at(-1)), Array.from({ length: 50 }, (_, index) => index));

    for (let count = 0; count < 30; count++) {
      microphone.packet(Buffer.from([0xf8, count]), 42);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await eventually(() => assert.equal(socket.frames.length, 30));
    assert.equal(socket.frames[0]!.readUInt16BE(0), stream['stream']);
    assert.equal(socket.frames[0]!.readUInt8(2), 42);
    assert.equal(socket.frames[1]!.readUInt32BE(3) - socket.frames[0]!.readUInt32BE(3), 960);
    assert.deepEqual(socket.frames.map((frame) => frame[8]), Array.from({ length: 30 }, (_, index) => index));

    await media.closeProducer(room, ann.peerId, microphone.id);
    await eventually(() => assert.deepEqual(socket.texts.at(-1), { type: 'streamEnded', stream: stream['stream'] }));
  });

  it('has a level, and the floor', async () => {
    const levels = keeper(media)('audioLevels');
    const speakers = keeper(media)('activeSpeaker');
    const { peerId, socket } = await voice();
    const timer = setInterval(() => socket.voice(FRAME_20_MS, 25), 20);
    try {
      await eventually(() => assert.equal(levels.find((event) => event.roomId === room)?.levels[0]?.peerId, peerId));
      await eventually(() => assert.equal(speakers.find((event) => event.roomId === room)?.peerId, peerId));
    } finally {
      clearInterval(timer);
    }
    const level = levels.find((event) => event.roomId === room)!.levels[0]!.level;
    assert.ok(level >= 95 && level <= 105, `127 - 25 was told as ${level}`);
    await eventually(() => assert.deepEqual(levels.at(-1)!.levels, []));
  });

  it('mutes and unmutes', async () => {
    const paused = keeper(media)('producerPaused');
    const { socket } = await voice();
    socket.emit('message', Buffer.from('{"type":"mute"}'), false);
    await eventually(() => assert.deepEqual(paused.map((event) => event.paused), [true]));
    socket.emit('message', Buffer.from('{"type":"unmute"}'), false);
    await eventually(() => assert.deepEqual(paused.map((event) => event.paused), [true, false]));
  });

  it('bears malformed messages up to a bound, says so once, and sends none of them on', async () => {
    const ann = await clients.join(media, room);
    const { socket, ends } = await voice();
    const heard = await ann.receive(String(socket.texts.find(({ type }) => type === 'ready')!['producerId']).slice(4));
    const bad: [Buffer, boolean][] = [
      [Buffer.alloc(0), true],
      [Buffer.from([5]), true],
      [Buffer.from([5, 0xfb]), true],
      [Buffer.from([5, 0xfb, 0]), true],
      [Buffer.from([5, 0xfb, 63, 1]), true],
      [Buffer.from([5, 0xf9, 1]), true],
      [Buffer.from([200, 0xf8, 1]), true],
      [Buffer.alloc(2_000, 1), true],
      [Buffer.from('null'), false],
      [Buffer.from('{'), false],
      [Buffer.alloc(10_000, 0x20), false],
    ];
    for (const [data, isBinary] of bad) socket.emit('message', data, isBinary);
    assert.deepEqual(socket.texts.filter(({ type }) => type === 'error').map(({ code }) => code), ['BAD_FRAME']);
    assert.equal(socket.closed, undefined);
    for (let count = bad.length; count < 20; count++) socket.emit('message', Buffer.from([5]), true);
    assert.equal(socket.closed, VOICE_CLOSE.MALFORMED);
    assert.equal(ends(), 1);
    await eventually(() => assert.equal(media.rooms().voices, 0));
    assert.equal(heard.packets, 0);
    assert.equal(media.rooms().producers, 0);
  });

  it('takes a little more sound than time, not more and more', async () => {
    const { socket } = await voice();
    for (let count = 0; count < 650; count++) socket.voice(FRAME_20_MS);
    assert.equal(socket.closed, VOICE_CLOSE.TOO_FAST);
  });

  it('leaves out what a slow reader does not take', async () => {
    const ann = await clients.join(media, room);
    const microphone = await ann.send('opus');
    const { socket, bridge } = await voice();
    await eventually(() => assert.ok(socket.texts.some(({ type }) => type === 'stream')));
    socket.bufferedAmount = 1_000_000;
    microphone.packet(OPUS_SILENCE);
    await eventually(() => assert.equal(bridge.dropped, 1));
    socket.bufferedAmount = 0;
    microphone.packet(OPUS_SILENCE);
    await eventually(() => assert.equal(socket.frames.length, 1));
  });

  it('ends with its seat', async () => {
    const { peerId, socket, ends } = await voice();
    await media.leave(room, peerId);
    assert.equal(socket.closed, VOICE_CLOSE.ENDED);
    assert.equal(ends(), 1);
    await refuses(media.openVoice(room, peerId, new VoiceBridge(new FakeSocket(), { participantId: String, producerId: String, onEnd: () => undefined })), 'NOT_FOUND');
  });

  it('is one at a time: who connects again takes the place of the socket before', async () => {
    const peerId = randomUUID();
    await voice(peerId);
    const again = await voice(peerId);
    assert.deepEqual([media.rooms().voices, media.rooms().producers, media.rooms().peers], [1, 1, 1]);
    again.socket.emit('close');
    assert.equal(media.rooms().voices, 0);
    assert.equal(media.rooms().peers, 1);
  });
});
