import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { probe } from '../testkit/probe.js';
import { eventually, take, World, type Person } from '../testkit/world.js';

const PLACE = '+47.3769+008.5417/';

describe('files: sound and video', function () {
  this.timeout(90_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'omnitalk-clips-'));
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
  });
  after(async () => {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A clip as ffmpeg makes it. */
  const clip = (name: string, ...args: string[]): Buffer => {
    const path = join(folder, name);
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...args, '-y', path]);
    return readFileSync(path);
  };
  const TONE = ['-f', 'lavfi', '-i', "aevalsrc='if(lt(t,1),0.02,0.8)*sin(440*2*PI*t)':d=2:s=48000"];
  const SCENE = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=10:duration=2'];
  const settled = async (person: Person, id: string) => {
    await eventually(async () => (await person.api.file({ id })).file!.state !== 'PROCESSING', 'it is looked at', 40_000);
    return (await person.api.file({ id })).file!;
  };
  const saved = async (url: string | null | undefined, name: string) => {
    const path = join(folder, name);
    writeFileSync(path, Buffer.from(await (await fetch(url!)).arrayBuffer()));
    return path;
  };
  const tagsOf = (path: string) => execFileSync('ffprobe', ['-v', 'error', '-show_format', '-show_streams', path]).toString();

  it('a voice message has its length and waveform, and its message is of that kind', async () => {
    const file = await world.upload(ann, clip('voice.webm', ...TONE, '-c:a', 'libopus'), { contentType: 'audio/webm', voice: true });
    assert.deepEqual([file.state, file.kind, file.contentType, file.failure], ['READY', 'VOICE', 'audio/webm', null]);
    assert.ok(Math.abs(file.durationMs! - 2_000) < 100, `${file.durationMs} ms`);
    const bars = file.waveform!;
    assert.deepEqual([bars.length, Math.max(...bars)], [64, 255]);
    assert.ok(Math.max(...bars.slice(2, 28)) < 20 && Math.min(...bars.slice(36, 62)) > 200, bars.join(' '));
    const { message } = (await ann.api.sendMessage({ input: { chatId, attachmentIds: [file.id!], idempotencyKey: world.key() } })).sendMessage;
    assert.equal(message.kind, 'VOICE');
  });

  it('sound that tells where it was recorded does so no longer; a video is no sound', async () => {
    const told = clip('place.m4a', ...TONE, '-c:a', 'aac', '-metadata', `location=${PLACE}`);
    assert.ok(tagsOf(join(folder, 'place.m4a')).includes('47.3769'));
    const file = await world.upload(ann, told, { contentType: 'audio/mp4' });
    assert.deepEqual([file.state, file.kind], ['READY', 'AUDIO']);
    assert.ok(!tagsOf(await saved(file.url, 'silent.m4a')).includes('47.3769'));
    const lie = await world.upload(ann, clip('lie.webm', ...SCENE, '-c:v', 'libvpx'), { contentType: 'audio/webm', voice: true });
    assert.deepEqual([lie.state, lie.failure], ['REJECTED', 'TYPE_MISMATCH']);
  });

  it('a video gets a poster, and loses what tells where it was taken', async () => {
    const body = clip('place.mp4', ...SCENE, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-metadata', `location=${PLACE}`);
    assert.ok(tagsOf(join(folder, 'place.mp4')).includes('47.3769'));
    const inbox = ann.client.inboxEvents();
    await take(inbox, 1, []);
    const { id } = await world.upload(ann, body, { contentType: 'video/mp4' });
    const file = await settled(ann, id!);
    assert.deepEqual([file.state, file.kind, file.width, file.height, file.playbackUrl], ['READY', 'VIDEO', 320, 240, null], 'every browser plays it');
    assert.ok(Math.abs(file.durationMs! - 2_000) < 200 && file.blurhash);
    const [event] = await take(inbox, 1);
    assert.ok(event?.__typename === 'FileChanged' && event.file?.state === 'READY' && event.fileId === id);
    const path = await saved(file.url, 'served.mp4');
    assert.ok(!tagsOf(path).includes('47.3769') && !readFileSync(path).includes('47.3769'));
    assert.deepEqual(probe(path).streams.map(({ codec_name }) => codec_name), ['h264']);
    const poster = await sharp(readFileSync(await saved(file.thumbnailUrl, 'poster.webp'))).metadata();
    assert.deepEqual([poster.format, poster.width, poster.height], ['webp', 320, 240]);
    inbox.close();
  });

  it('one that not every browser plays gets a rendition, and whoever reads its message hears of it', async () => {
    const body = clip('old.avi', ...SCENE, ...TONE, '-c:v', 'mpeg4', '-c:a', 'mp3', '-shortest');
    const { id } = await world.upload(ann, body, { contentType: 'video/vnd.avi' });
    assert.equal((await settled(ann, id!)).state, 'READY');
    const { message } = (await ann.api.sendMessage({ input: { chatId, attachmentIds: [id!], idempotencyKey: world.key() } })).sendMessage;
    await eventually(async () => (await ann.api.file({ id: id! })).file!.playbackUrl != null, 'a rendition is made', 60_000);
    const { node } = await bob.api.message({ id: message.id });
    assert.ok(node?.__typename === 'Message');
    const path = await saved(node.attachments[0]!.file.playbackUrl, 'rendition.mp4');
    assert.deepEqual(probe(path).streams.map(({ codec_name }) => codec_name).sort(), ['aac', 'h264']);
    const response = await fetch(node.attachments[0]!.file.url!, { method: 'HEAD' });
    assert.equal(response.headers.get('content-type'), 'application/octet-stream', 'the original is saved, not shown');
  });

  it('a list of other files that calls itself a video is not followed', async () => {
    const list = Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n`);
    for (const contentType of ['video/mp4', 'audio/mpeg', 'video/webm']) {
      const { id } = await world.upload(ann, list, { contentType });
      const file = await settled(ann, id!);
      assert.deepEqual([file.state, file.failure], ['REJECTED', 'TYPE_MISMATCH']);
    }
    const broken = clip('short.mp4', ...SCENE, '-c:v', 'libx264').subarray(0, 2_000);
    const { id } = await world.upload(ann, broken, { contentType: 'video/mp4' });
    const file = await settled(ann, id!);
    assert.deepEqual([file.state, file.failure], ['REJECTED', 'UNREADABLE']);
  });
});
