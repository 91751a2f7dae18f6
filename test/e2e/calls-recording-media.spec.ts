import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { apiMedia } from '../testkit/api-media.js';
import { Seat, startCall } from '../testkit/calls.js';
import { mediaServer, recordings, workerBinary } from '../testkit/media.js';
import { probe } from '../testkit/probe.js';
import { ClientWorker, type RtcClient } from '../testkit/rtc.js';
import { play } from '../testkit/source.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';
import type { MediaServer } from '../../src/media/media-server.js';
import { FolderStore } from '../../src/storage/folder-store.js';

const RECORDED_MS = 2_500;

/** Until so many tracks are being written, on a busy machine too: ffmpeg opens a file once it knows what it gets. */
const written = (count: number) => eventually(
  () => readdirSync(tmpdir()).filter((name) => name.startsWith('omnitalk-recording-')).flatMap((name) => readdirSync(join(tmpdir(), name))).filter((name) => name.endsWith('.webm')).length === count,
  `${count} tracks are being written`, 30_000,
);

describe('recording what is really said and shown', function () {
  this.timeout(90_000);
  let media: MediaServer;
  let clients: ClientWorker;
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let callId: string;
  let a: Seat;
  let b: Seat;
  let stops: (() => void)[];
  before(async () => {
    media = mediaServer();
    await media.start();
    clients = await ClientWorker.start(workerBinary());
    world = await World.start({ media: () => media, store: new FolderStore(recordings) });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
  });
  beforeEach(async () => {
    stops = [];
    callId = await startCall(world, ann, chatId, { ring: false });
    [a, b] = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
  });
  afterEach(async () => {
    for (const stop of stops) stop();
    if ((await ann.api.call({ id: callId })).call!.state !== 'ENDED') await ann.api.endCall({ input: { callId } });
    await eventually(() => media.rooms().recordings === 0 && media.rooms().transports === 0, 'nothing is left');
    await eventually(() => !readdirSync(tmpdir()).some((name) => name.startsWith('omnitalk-recording-')), 'no half of a file is left');
  });
  after(async () => {
    await world?.stop();
    await media?.close();
    await clients?.stop();
    rmSync(recordings, { recursive: true, force: true });
  });

  const device = (seat: Seat): Promise<RtcClient> => clients.join(apiMedia(seat), callId, { peerId: seat.participantId });
  const speak = async (client: RtcClient, frequency: number) => void stops.push(await play(await client.send('opus'), 'opus', frequency));
  const show = async (client: RtcClient) => void stops.push(await play(await client.send('vp8'), 'vp8'));
  const record = async () => {
    await ann.api.startRecording({ input: { callId } });
    assert.equal((await bob.api.consentToRecording({ input: { callId, consent: true } })).consentToRecording.call.recordingState, 'ON');
  };
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('nothing before all have agreed; then a file with the voices in one track and each picture in one of its own', async () => {
    const [hers, his] = [await device(a), await device(b)];
    await speak(hers, 440);
    await show(hers);
    await ann.api.startRecording({ input: { callId } });
    assert.deepEqual([(await b.until('CallRecordingChanged')).call.recordingState, media.rooms().recordings], ['ASKING', 0]);
    const began = Date.now();
    await bob.api.consentToRecording({ input: { callId, consent: true } });
    assert.equal((await b.until('CallRecordingChanged')).call.recordingState, 'ON');
    assert.equal(media.rooms().recordings, 1);
    // Who comes later is in it too.
    await speak(his, 880);
    await show(his);
    await written(4);
    await pass(RECORDED_MS);
    const { recording } = (await ann.api.stopRecording({ input: { callId } })).stopRecording;
    const took = Date.now() - began;
    assert.equal((await b.until('CallRecordingChanged')).call.recordingState, 'OFF');

    const file = join(recordings, recording!.file!);
    assert.equal(statSync(file).size, Number(recording!.bytes));
    // It stands among all files: whoever was in the call fetches it by its link.
    const fetched = await fetch(recording!.media!.url!);
    assert.deepEqual([fetched.status, fetched.headers.get('content-type'), (await fetched.arrayBuffer()).byteLength], [200, 'video/webm', Number(recording!.bytes)]);
    assert.ok(recording!.durationMs! >= RECORDED_MS && recording!.durationMs! <= took, `${recording!.durationMs} of ${took} ms`);
    const { format, streams } = probe(file);
    assert.match(format.format_name, /webm/);
    assert.deepEqual(streams.map(({ codec_type, codec_name }) => `${codec_type} ${codec_name}`).sort(), ['audio opus', 'video vp8', 'video vp8']);
    const seconds = Number(format.duration);
    assert.ok(seconds * 1000 > RECORDED_MS * 0.75 && seconds * 1000 < recording!.durationMs! + 1_500, `${seconds} s in the file, ${recording!.durationMs} ms told`);
    for (const { codec_type, width, nb_read_packets } of streams) {
      // 50 packets of voice a second, and 15 pictures of which a late key frame may cost some.
      assert.ok(Number(nb_read_packets) > (codec_type === 'audio' ? 50 * 1.5 : 15 * 0.7), `${nb_read_packets} packets of ${codec_type}`);
      if (codec_type === 'video') assert.equal(width, 320);
    }
    assert.deepEqual((await bob.api.callRecordings({ id: callId })).call!.recordings, [recording]);
  });

  it('a recording ends with its call, and is kept', async () => {
    await speak(await device(a), 440);
    await record();
    await written(1);
    await pass(500);
    await ann.api.endCall({ input: { callId } });
    const kept = async () => (await bob.api.callRecordings({ id: callId })).call!.recordings;
    await eventually(async () => (await kept())[0]!.file !== null, 'the file is kept', 20_000);
    const [recording] = await kept();
    assert.equal(statSync(join(recordings, recording!.file!)).size, Number(recording!.bytes));
    assert.ok(recording!.endedAt);
    assert.deepEqual(probe(join(recordings, recording!.file!)).streams.map(({ codec_name }) => codec_name), ['opus']);
  });

  it('a recording in which nothing was sent is over like any other, without a file', async () => {
    await record();
    const { recording } = (await ann.api.stopRecording({ input: { callId } })).stopRecording;
    assert.deepEqual([recording!.file ?? null, recording!.bytes ?? null, recording!.endedAt !== null], [null, null, true]);
    assert.equal((await ann.api.call({ id: callId })).call!.recordingState, 'OFF');
    await fails(ann.api.stopRecording({ input: { callId } }), 'STATE_CONFLICT');
    // And another can begin.
    await record();
    assert.equal((await bob.api.consentToRecording({ input: { callId, consent: false } })).consentToRecording.call.recordingState, 'OFF');
  });
});

describe('a recording in a process that stops', function () {
  this.timeout(90_000);
  let clients: ClientWorker;
  let world: World;
  before(async () => {
    clients = await ClientWorker.start(workerBinary());
    const settings = { CALLS: 'true', MEDIA_WORKERS: '1', MEDIA_PORT: '0', MEDIASOUP_WORKER_BIN: workerBinary() };
    world = await World.start({ media: () => undefined, store: new FolderStore(recordings), settings });
  });
  after(async () => {
    await world?.stop();
    await clients?.stop();
    rmSync(recordings, { recursive: true, force: true });
  });

  it('is over, which people hear while they still can, and its file is kept', async () => {
    const [ann, bob] = await world.people('Ann', 'Bob');
    const callId = await startCall(world, ann, await world.groupChat(ann, [bob]), { ring: false });
    const [a, b] = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
    const stop = await play(await (await clients.join(apiMedia(a), callId, { peerId: a.participantId })).send('opus'), 'opus');
    await ann.api.startRecording({ input: { callId } });
    await bob.api.consentToRecording({ input: { callId, consent: true } });
    await b.until('CallRecordingChanged', ({ call }) => call.recordingState === 'ON');
    await written(1);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const stopping = world.app.stop();
    assert.equal((await b.until('CallRecordingChanged')).call.recordingState, 'OFF');
    await Promise.all([ann, bob].map((person) => person.client.close()));
    await stopping;
    stop();
    const database = new pg.Client({ connectionString: world.databaseUrl });
    await database.connect();
    try {
      const { rows } = await database.query<{ file: string | null; bytes: string; ended: boolean }>('select file, bytes, ended_at is not null as ended from call_recordings');
      assert.deepEqual(rows.map(({ file, ended }) => [file !== null, ended]), [[true, true]]);
      assert.equal(statSync(join(recordings, rows[0]!.file!)).size, Number(rows[0]!.bytes));
      assert.equal((await database.query('select from files where id in (select id from call_recordings)')).rowCount, 1);
    } finally {
      await database.end();
    }
  });
});
