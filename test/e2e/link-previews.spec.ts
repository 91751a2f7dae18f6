import assert from 'node:assert/strict';
import { decodeMessageId } from '../../src/lib/ids.js';
import { signedInAgain } from '../testkit/news.js';
import { ideographs } from '../testkit/noise.js';
import { Publisher } from '../testkit/publisher.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const page = (head: string) => `<!doctype html><html><head>${head}</head><body><p>Text</p></body></html>`;
const OPEN_GRAPH = page(`<title>Plain title</title><meta property="og:title" content="A &amp;quot;story&amp;quot; &lt;b&gt;of&lt;/b&gt; bread"><meta property="og:description" content="How it is&#10;baked">
  <meta property="og:image" content="/bread.jpg"><meta property="og:site_name" content="The Baker"><meta name="twitter:title" content="No">`);

describe('previews of links', function () {
  this.timeout(60_000);
  let world: World;
  let publisher: Publisher;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  /** Without jobs: a test says when messages are looked at, so that it can count. */
  before(async () => {
    publisher = await Publisher.start();
    world = await World.start({ settings: { ...publisher.settings, LINK_PREVIEWS: 'true', JOBS: 'false', ACCESS_TOKEN_TTL: '86400' } });
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob]);
  });
  after(async () => {
    await world.stop();
    await publisher.stop();
  });

  const work = async () => {
    const previews = world.app.container.jobs.linkPreviews!;
    while (await previews.sweep());
    while (await previews.fetchPages());
    while (await previews.sweep());
  };
  const say = async (person: Person, text: string, more: object = {}) => (await person.api.sendMessage({ input: { chatId, text, idempotencyKey: world.key(), ...more } })).sendMessage.message;
  const read = async (id: string) => {
    const { node } = await bob.api.message({ id });
    assert.ok(node?.__typename === 'Message');
    return node;
  };
  const head = async () => Number((await world.sql<{ head: string }>(`select sum(head) as head from streams`))[0]!.head);

  it('comes after the message, to everybody, and once', async () => {
    const url = publisher.serve('/bread', { body: OPEN_GRAPH });
    const streams = await Promise.all([ann, bob].map(async (person) => person.client.chatEvents(chatId, (await person.api.chat({ id: chatId })).chat!.eventCursor)));
    const sent = await say(ann, `Look: ${url}#crumbs, how nice.`);
    assert.deepEqual([sent.linkPreview, sent.version], [null, 1]);
    await work();
    const expected = { url, title: 'A "story" of bread', description: 'How it is baked', imageUrl: publisher.at('/bread.jpg'), siteName: 'The Baker', productCard: null };
    for (const stream of streams) {
      const [first, second] = await take(stream, 2);
      assert.ok(first!.__typename === 'MessageSent' && second!.__typename === 'MessageUpdated');
      assert.deepEqual([second!.message!.linkPreview, second!.message!.version], [expected, 2]);
      await stream.return?.();
    }
    const before = await head();
    await work();
    assert.deepEqual([await head(), publisher.times('/bread')], [before, 1]);
  });

  it('an address that is too long to be kept is passed over, and holds up nobody', async () => {
    const url = publisher.serve('/beside', { body: page('<title>Beside</title>') });
    const long = await say(ann, `https://example.com/${ideographs(2_000)}`);
    const { id } = await say(bob, url);
    await work();
    assert.deepEqual([(await read(long.id)).linkPreview, (await read(id)).linkPreview!.title], [null, 'Beside']);
  });

  it('a page is fetched once for all messages that name it', async () => {
    const url = publisher.serve('/once', { body: page('<title>Once</title>') });
    const sent = await Promise.all(Array.from({ length: 12 }, (_, n) => say(n % 2 ? ann : bob, `${url} ${n}`)));
    await work();
    const later = await say(ann, url);
    await work();
    for (const { id } of [...sent, later]) assert.equal((await read(id)).linkPreview!.title, 'Once');
    assert.equal(publisher.times('/once'), 1);
    world.clock.advance(25 * 3_600_000);
    [ann, bob] = [await signedInAgain(world, ann), await signedInAgain(world, bob)];
    const tomorrow = await say(ann, url);
    await work();
    assert.equal((await read(tomorrow.id)).linkPreview!.title, 'Once');
    assert.equal(publisher.times('/once'), 2);
  });

  it('none where the sender wants none, or takes it off', async () => {
    const url = publisher.serve('/quiet', { body: page('<title>Quiet</title>') });
    const key = world.key();
    const quiet = async () => (await ann.api.sendMessage({ input: { chatId, text: url, linkPreview: false, idempotencyKey: key } })).sendMessage.message;
    const { id } = await quiet();
    assert.equal((await quiet()).id, id);
    await work();
    assert.deepEqual([publisher.times('/quiet'), (await read(id)).linkPreview], [0, null]);
    await ann.api.editMessage({ input: { messageId: id, text: `${url} edited` } });
    await work();
    assert.deepEqual([publisher.times('/quiet'), (await read(id)).linkPreview], [0, null]);
    const loud = await say(ann, url);
    await work();
    await fails(bob.api.removeLinkPreview({ input: { messageId: loud.id } }), 'FORBIDDEN');
    const removed = (await ann.api.removeLinkPreview({ input: { messageId: loud.id } })).removeLinkPreview.message;
    assert.deepEqual([removed.linkPreview, removed.version], [null, 3]);
    const before = await head();
    await ann.api.removeLinkPreview({ input: { messageId: loud.id } });
    await work();
    assert.deepEqual([await head(), (await read(loud.id)).linkPreview], [before, null]);
  });

  it('follows an edit, and goes with a deletion', async () => {
    const one = publisher.serve('/one', { body: page('<title>One</title>') });
    const two = publisher.serve('/two', { body: page('<title>Two</title>') });
    const sent = await say(ann, one);
    const previews = world.app.container.jobs.linkPreviews!;
    await previews.sweep();
    await ann.api.editMessage({ input: { messageId: sent.id, text: two } });
    await work();
    assert.equal((await read(sent.id)).linkPreview!.title, 'Two');
    await ann.api.editMessage({ input: { messageId: sent.id, text: 'no link' } });
    await work();
    assert.equal((await read(sent.id)).linkPreview, null);
    // However old the message is: what was looked at is the text of then.
    world.clock.advance(2 * 3_600_000);
    await ann.api.editMessage({ input: { messageId: sent.id, text: `${one} once more` } });
    await work();
    assert.equal((await read(sent.id)).linkPreview!.title, 'One');
    const gone = await say(ann, one);
    await previews.sweep();
    await ann.api.deleteMessage({ input: { messageId: gone.id, scope: 'FOR_EVERYONE' } });
    const before = await head();
    await work();
    assert.deepEqual([await head(), (await read(gone.id)).linkPreview], [before, null]);
    assert.equal((await world.sql('select from link_preview_waits')).length, 0);
  });

  it('leads nowhere into our own network, and what gives nothing says nothing', async () => {
    const cases = [
      'http://127.0.0.1:1/secret', 'http://169.254.169.254/latest/meta-data/', 'http://localhost/', 'http://[::ffff:10.0.0.1]/',
      publisher.serve('/to-private', { status: 302, headers: { location: 'http://127.0.0.1:1/secret' } }), publisher.serve('/loop', { status: 302, headers: { location: '/loop' } }),
      publisher.serve('/picture', { body: 'x', type: 'image/png' }), publisher.serve('/missing', { status: 404, body: OPEN_GRAPH }), publisher.serve('/untitled', { body: '<p>hi</p>' }),
    ];
    const sent = await Promise.all(cases.map((url) => say(ann, url)));
    const before = await head();
    for (let round = 0; round < 4; round++) {
      await work();
      world.clock.advance(200_000);
    }
    for (const { id } of sent) assert.deepEqual([(await read(id)).linkPreview, (await read(id)).version], [null, 1]);
    assert.equal(await head(), before);
    assert.equal((await world.sql(`select from link_previews where state = 'PENDING'`)).length, 0);
  });

  it('takes the beginning of a page without end, and pictures of the web alone', async () => {
    const url = publisher.serve('/endless', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).write('<title>Endless</title><meta property="og:image" content="javascript:alert(1)">');
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const { id } = await say(ann, url);
    await work();
    assert.deepEqual((await read(id)).linkPreview, { url, title: 'Endless', description: null, imageUrl: null, siteName: null, productCard: null });
  });

  it('a server that is away is asked again; a message that nobody has looked at for an hour is left', async () => {
    let answers = 0;
    const url = publisher.serve('/away', (request, response) => (++answers < 3 ? request.socket.destroy() : response.writeHead(200, { 'content-type': 'text/html' }).end(page('<title>Back</title>'))));
    const { id } = await say(ann, url);
    for (let round = 0; round < 3; round++) {
      await work();
      world.clock.advance(60_000);
    }
    assert.equal((await read(id)).linkPreview!.title, 'Back');
    const late = await say(ann, publisher.serve('/late', { body: page('<title>Late</title>') }));
    world.clock.advance(2 * 3_600_000);
    await work();
    assert.deepEqual([(await read(late.id)).linkPreview, publisher.times('/late')], [null, 0]);
  });

  it('a send writes nothing for it: what is to be looked at is found by an index', async () => {
    const { db } = world.app.container;
    const count = async (text: string) => {
      const before = db.statements;
      const { id } = await say(ann, text);
      return { statements: db.statements - before, id };
    };
    await count('warm'); // the chat's snapshot is read once
    const plain = await count('plain');
    const linked = await count('https://example.com/');
    assert.equal(linked.statements, plain.statements);
    const { chatId: chat, seq } = decodeMessageId(linked.id);
    await ann.api.removeLinkPreview({ input: { messageId: linked.id } });
    assert.equal((await world.sql<{ state: string }>(`select preview->>'state' as state from messages where chat_id = $1 and seq = $2`, [chat, seq]))[0]!.state, 'OFF');
  });

  it('runs by itself where jobs run, also what was sent while none did', async () => {
    const url = publisher.serve('/by-itself', { body: page('<title>By itself</title>') });
    const { id } = await say(ann, url);
    const config = world.config;
    Object.assign(config, { JOBS: true });
    const app = await world.addNode();
    await eventually(async () => (await read(id)).linkPreview?.title === 'By itself', 'the preview is there', 45_000);
    await app.stop();
  });
});
