import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { eventually, keeper, mediaServer, recordings, refuses, workerBinary } from '../../test/testkit/media.js';
import { probe } from '../../test/testkit/probe.js';
import { ClientWorker } from '../../test/testkit/rtc.js';
import { play } from '../../test/testkit/source.js';
import { createLogger } from '../lib/logger.js';
import type { MediaServer } from './media-server.js';

/** Silences of at least 0.4 s, in seconds from the beginning. */
function silences(file: string): { from: number; to: number }[] {
  const said = execFileSync('sh', ['-c', `ffmpeg -nostdin -i '${file}' -vn -af silencedetect=noise=-45dB:duration=0.4 -f null - 2>&1`], { encoding: 'utf8' });
  const times = (name: string) => [...said.matchAll(new RegExp(`silence_${name}: ([\\d.]+)`, 'g'))].map(([, time]) => Number(time));
  const ends = times('end');
  return times('start').map((from, index) => ({ from, to: ends[index] ?? Infinity }));
}

describe('recording', () => {
  let media: MediaServer;
  let clients: ClientWorker;
  let room: string;
  before(async () => {
    // Says why a track is missing.
    media = mediaServer({ workers: 2, peersPerRouter: 1, log: createLogger('warn') });
    clients = await ClientWorker.start(workerBinary());
  });
  after(async () => {
    await media.close();
    await clients.stop();
    rmSync(recordings, { recursive: true, force: true });
  });
  beforeEach(() => {
    room = randomUUID();
  });
  afterEach(async () => {
    await media.closeRoom(room);
    await eventually(() => assert.deepEqual([media.rooms().recordings, media.rooms().routers], [0, 0]));
    assert.deepEqual((await readdir(tmpdir())).filter((name) => name.startsWith('omnitalk-recording-')), []);
  });

  it('lays voices and pictures of all workers into one WebM, each at its time', async () => {
    const ann = await clients.join(media, room);
    const ben = await clients.join(media, room);
    const stops = [await play(await ann.send('opus'), 'opus'), await play(await ann.send('vp8'), 'vp8')];
    const began = performance.now();
    const { recordingId } = await media.startRecording(room, {});
    await refuses(media.startRecording(room, {}), 'CONFLICT');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // Ann falls silent, and Ben comes later.
    stops[0]!();
    const silent = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    stops[0] = await play(await ben.send('opus'), 'opus', 880);
    const pauseSeconds = (performance.now() - silent) / 1_000;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    for (const stop of stops) stop();
    await refuses(media.stopRecording(room, randomUUID()), 'NOT_FOUND');
    const recorded = await media.stopRecording(room, recordingId);
    const took = performance.now() - began;
    const file = join(recordings, recorded.file);
    const { format, streams } = probe(file);
    assert.match(format.format_name, /webm/);
    assert.deepEqual(streams.map(({ codec_name }) => codec_name).sort(), ['opus', 'vp8']);
    const video = streams.find(({ codec_type }) => codec_type === 'video')!;
    assert.equal(video.width, 320);
    assert.ok(Number(video.nb_read_packets) >= 30, `${video.nb_read_packets} frames of about 65`);
    assert.ok(recorded.bytes > 20_000);
    assert.ok(recorded.durationMs > 4_400 && recorded.durationMs <= took, `${recorded.durationMs} of ${took} ms`);
    assert.ok(Number(format.duration) > 3.5, format.duration);
    // Ann, then nobody for about a second, then Ben.
    const quiet = silences(file).filter(({ from, to }) => from > 0.3 && to < Number(format.duration) - 0.5);
    assert.equal(quiet.length, 1, JSON.stringify(silences(file)));
    const heard = quiet[0]!.to - quiet[0]!.from;
    assert.ok(heard > 0.5 && heard < pauseSeconds + 2, `${heard} s of silence, ${pauseSeconds} s of pause`);
    await refuses(media.stopRecording(room, recordingId), 'NOT_FOUND');
  }).timeout(60_000);

  it('leaves pictures out if asked, and ends by itself with the call', async () => {
    const ended = keeper(media)('recordingEnded');
    const ann = await clients.join(media, room);
    const stops = [await play(await ann.send('opus'), 'opus'), await play(await ann.send('vp8'), 'vp8')];
    const { recordingId } = await media.startRecording(room, { audioOnly: true });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await media.closeRoom(room);
    for (const stop of stops) stop();
    await eventually(() => assert.equal(ended.length, 1), 15_000);
    assert.equal(ended[0]!.recordingId, recordingId);
    assert.deepEqual(probe(join(recordings, ended[0]!.recorded!.file)).streams.map(({ codec_name }) => codec_name), ['opus']);
  }).timeout(60_000);

  it('ends by itself, and is kept, when it was forgotten', async () => {
    const forgetful = mediaServer({ longestRecordingMs: 1_500 });
    const ended = keeper(forgetful)('recordingEnded');
    const ann = await clients.join(forgetful, room);
    const stop = await play(await ann.send('opus'), 'opus');
    const { recordingId } = await forgetful.startRecording(room, {});
    await eventually(() => assert.equal(ended.length, 1), 30_000);
    stop();
    assert.deepEqual([ended[0]!.recordingId, forgetful.rooms().recordings, forgetful.rooms().rooms], [recordingId, 0, 1]);
    assert.deepEqual(probe(join(recordings, ended[0]!.recorded!.file)).streams.map(({ codec_name }) => codec_name), ['opus']);
    await forgetful.close();
  }).timeout(60_000);

  it('has nothing to show where nothing was said', async () => {
    const ann = await clients.join(media, room);
    await ann.send('opus');
    const { recordingId } = await media.startRecording(room, {});
    await refuses(media.stopRecording(room, recordingId), 'CONFLICT');
  }).timeout(30_000);

  it('does not begin in a call that has just ended, and keeps none that comes after it waiting', async () => {
    await clients.join(media, room);
    const starting = media.startRecording(room, {});
    await Promise.all([refuses(starting, 'NOT_FOUND'), media.closeRoom(room)]);
    await clients.join(media, room);
    const { recordingId } = await media.startRecording(room, {});
    await refuses(media.stopRecording(room, recordingId), 'CONFLICT');
  }).timeout(30_000);

  it('leaves nothing behind where it is not to be kept', async () => {
    const ended = keeper(media)('recordingEnded');
    const ann = await clients.join(media, room);
    const stop = await play(await ann.send('opus'), 'opus');
    const { recordingId } = await media.startRecording(room, {});
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await refuses(media.stopRecording(room, recordingId, false), 'CONFLICT');
    stop();
    assert.deepEqual(ended, [{ roomId: room, recordingId, recorded: null }]);
    assert.equal(existsSync(join(recordings, 'recordings', room)), false);
  }).timeout(30_000);
});
