import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { befriend, feedOf } from '../testkit/statuses.js';
import { PIXEL } from '../testkit/pictures.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const DAY = 24 * 3_600_000;

describe('statuses with pictures and videos', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    await befriend(ann, bob);
  });
  after(() => world.stop());

  const picture = async (person = ann) => (await world.upload(person, PIXEL, { name: 'lake.png', contentType: 'image/png' })).id!;
  const post = async (fileId: string, more: object = {}) => (await ann.api.postStatus({ input: { fileId, idempotencyKey: world.key(), ...more } })).postStatus.status;
  /** Files whose bytes are in the store. */
  const stored = () => readdirSync(join(world.config.DATA_DIR, 'store', 'files'));
  const status = async (url: string | null | undefined) => (await fetch(url!)).status;
  const key = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const again = async (person: Person): Promise<Person> => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}` } });
    const client = world.client(signIn.accessToken);
    return { ...person, client, api: client.api };
  };

  it('a picture with its caption reaches whoever may see it; a video too', async () => {
    const inbox = bob.client.inboxEvents();
    await take(inbox, 1, []);
    const posted = await post(await picture(), { text: 'The lake' });
    assert.deepEqual([posted.kind, posted.text, posted.backgroundColor, posted.file?.kind], ['IMAGE', 'The lake', null, 'IMAGE']);
    const [event] = await take(inbox, 1);
    assert.ok(event?.__typename === 'StatusPosted' && event.status?.file?.url);
    assert.deepEqual(Buffer.from(await (await fetch(event.status.file.url)).arrayBuffer()), PIXEL);
    const clip = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=128x96:rate=5:duration=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4', 'pipe:1']);
    const video = await world.upload(ann, clip, { name: 'clip.mp4', contentType: 'video/mp4' });
    await eventually(async () => (await ann.api.file({ id: video.id! })).file?.state === 'READY', 'it is ready', 30_000);
    const shown = await post(video.id!);
    assert.deepEqual([shown.kind, shown.text, shown.file?.kind], ['VIDEO', null, 'VIDEO']);
    const [group] = await feedOf(bob);
    assert.deepEqual(group!.statuses.map(({ kind, file }) => [kind, file?.id]), [['IMAGE', posted.file!.id], ['VIDEO', video.id]]);
    inbox.close();
  });

  it('takes pictures and videos of the author’s own, and changes nothing when it refuses', async () => {
    const words = (await world.upload(ann, Buffer.from('a text'), { name: 'a.txt', contentType: 'text/plain' })).id!;
    const own = await picture();
    const { file: unsent } = (await ann.api.createUpload({ input: { name: 'b.png', contentType: 'image/png', bytes: 10, sha256: '0'.repeat(64), idempotencyKey: world.key() } })).createUpload;
    const before = [await world.sql('select from statuses'), await world.sql('select from file_references')];
    await fails(post(words), 'INVALID_INPUT', 'fileId');
    await fails(post(await picture(bob)), 'NOT_FOUND', 'fileId');
    await fails(post(unsent.id!), 'STATE_CONFLICT', 'fileId');
    await fails(post(own, { backgroundColor: '#ffffff' }), 'INVALID_INPUT', 'backgroundColor');
    await fails(post(own, { font: 'SERIF' }), 'INVALID_INPUT', 'font');
    assert.deepEqual([await world.sql('select from statuses'), await world.sql('select from file_references')], before);
    const idempotencyKey = world.key();
    const twice = await Promise.all([1, 2].map(() => post(own, { idempotencyKey })));
    assert.equal(twice[0]!.id, twice[1]!.id);
  });

  it('its file goes with it: when it is deleted, when its day is over, when it leaves its last highlight; not while anything else shows it', async () => {
    const files = await Promise.all([1, 2, 3, 4].map(() => picture()));
    const [deleted, over, kept, shared] = [await post(files[0]!), await post(files[1]!), await post(files[2]!), await post(files[3]!)];
    const chatId = await world.directChat(ann, bob);
    await ann.api.sendMessage({ input: { chatId, attachmentIds: [files[3]!], idempotencyKey: world.key() } });
    const { id: highlightId } = (await ann.api.createHighlight({ input: { title: 'Lakes', statusIds: [kept.id], idempotencyKey: world.key() } })).createHighlight.highlight;
    const urls = [deleted, over, kept, shared].map(({ file }) => file!.url);
    assert.deepEqual(await Promise.all(urls.map(status)), [200, 200, 200, 200]);
    await ann.api.deleteStatus({ input: { statusId: deleted.id } });
    await eventually(() => !stored().includes(key(files[0]!)), 'the bytes of what was deleted are gone');
    world.clock.advance(DAY);
    [ann, bob] = [await again(ann), await again(bob)];
    await eventually(() => !stored().includes(key(files[1]!)), 'the bytes of what has expired are gone');
    await eventually(async () => (await world.sql('select from statuses where not expired')).length === 0, 'all of them have expired');
    const held = (await bob.api.userHighlights({ userId: ann.id })).user!.viewerState!.highlights.edges[0]!.node;
    assert.equal(held.cover?.file?.id, files[2]);
    assert.equal(await status(held.cover?.file?.url), 200);
    assert.ok(stored().includes(key(files[3]!)), 'a message shows it still');
    await ann.api.deleteHighlight({ input: { highlightId } });
    await eventually(() => !stored().includes(key(files[2]!)), 'the bytes of what is kept no longer are gone');
    await eventually(async () => (await status(held.cover?.file?.url)) === 404, 'its link is dead');
    assert.ok(stored().includes(key(files[3]!)));
    assert.deepEqual(await world.sql(`select from file_references where purpose = 'STATUS'`), []);
  });
});
