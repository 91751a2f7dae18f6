import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { decodeId } from '../../src/lib/ids.js';
import { alJazeeraFeed, bbcFeed, cnnFeed, story, type FixtureItem } from '../testkit/feeds.js';
import { addSource, administrator, articles, fetchFeeds, signedInAgain } from '../testkit/news.js';
import { ideographs } from '../testkit/noise.js';
import { Publisher } from '../testkit/publisher.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const MINUTE = 60_000;

describe('news: from feeds to articles', function () {
  this.timeout(60_000);
  let world: World;
  let publisher: Publisher;
  let root: Person;
  let ann: Person;
  let paths = 0;
  /** Without jobs: feeds are fetched when a test says so, so that it can count. */
  before(async () => {
    publisher = await Publisher.start();
    world = await World.start({ settings: { ...publisher.settings, NEWS: 'true', NEWS_BUILT_IN: 'false', JOBS: 'false', ACCESS_TOKEN_TTL: '86400' } });
    root = await administrator(world);
    ann = await world.person('Ann');
  });
  after(async () => {
    await world.stop();
    await publisher.stop();
  });
  afterEach(() => world.sql(`update news_sources set state = 'PAUSED'`));

  const path = () => `/feed-${++paths}`;
  const ago = (minutes: number) => new Date(Math.floor((world.clock.now().getTime() - minutes * MINUTE) / 1000) * 1000);
  const item = (n: number, more: Partial<FixtureItem> = {}): FixtureItem => ({ path: `/news/articles/c${n}`, title: `Story ${n}`, summary: story(`Topic${n}`, n), at: ago(n), ...more });
  const rss = (body: string | Buffer, headers: Record<string, string> = {}) => ({ body, type: 'application/rss+xml; charset=utf-8', headers });
  const sourceOf = async (id: string) => (await ann.api.newsSources({ first: 100 })).newsSources.edges.map(({ node }) => node).find((node) => node.id === id)!;
  const dueIn = async (id: string): Promise<number> => {
    const [row] = await world.sql<{ at: Date }>('select next_fetch_at as at from news_sources where id = $1', [decodeId('NewsSource', id)]);
    return (row!.at.getTime() - world.clock.now().getTime()) / 1000;
  };
  const counts = async () => (await world.sql<{ articles: number; places: number; heads: number }>(
    `select (select count(*)::int from news_articles) as articles, (select count(*)::int from news_article_sources) as places, (select coalesce(sum(head), 0)::int from streams where id like 'news:%') as heads`,
  ))[0]!;

  it('begins with the sections of BBC, Al Jazeera and CNN at their real addresses, and with the feeds of the settings', async () => {
    const other = await World.start({ settings: { NEWS: 'true', JOBS: 'false', NEWS_FEEDS: 'Example|Tests|https://example.com/feed.xml' } });
    try {
      const person = await other.person('Ann');
      const sources = (await person.api.newsSources({ first: 100 })).newsSources.edges.map(({ node }) => node);
      const sections = Map.groupBy(sources, ({ publisher: name }) => name);
      assert.deepEqual(Object.fromEntries([...sections].map(([name, all]) => [name, all.length])), { 'Al Jazeera': 5, BBC: 9, CNN: 7, Example: 1 });
      assert.equal(sections.get('BBC')!.find(({ section }) => section === 'World')!.feedUrl, 'https://feeds.bbci.co.uk/news/world/rss.xml');
      assert.equal(sections.get('CNN')!.find(({ section }) => section === 'Top stories')!.feedUrl, 'http://rss.cnn.com/rss/edition.rss');
      assert.deepEqual(new Set(sections.get('Al Jazeera')!.map(({ feedUrl }) => feedUrl)), new Set(['https://www.aljazeera.com/xml/rss/all.xml']));
      await other.addNode(); // begins with the same again
      assert.equal((await other.sql('select from news_sources')).length, 22);
    } finally {
      await other.stop();
    }
  });

  it('sources are the administrators’', async () => {
    const input = { publisher: 'P', section: 'S', feedUrl: 'https://example.com/x.xml', idempotencyKey: 'once' };
    await fails(ann.api.createNewsSource({ input }), 'FORBIDDEN');
    await fails(root.api.createNewsSource({ input: { ...input, feedUrl: 'file:///etc/passwd' } }), 'INVALID_INPUT', 'feedUrl');
    await fails(root.api.createNewsSource({ input: { ...input, everySeconds: 5 } }), 'INVALID_INPUT', 'everySeconds');
    await fails(root.api.createNewsSource({ input: { ...input, language: 'english' } }), 'INVALID_INPUT', 'language');
    const made = (await root.api.createNewsSource({ input })).createNewsSource.source;
    assert.equal((await root.api.createNewsSource({ input })).createNewsSource.source.id, made.id);
    await fails(root.api.createNewsSource({ input: { ...input, idempotencyKey: 'twice' } }), 'STATE_CONFLICT', 'feedUrl');
    await fails(ann.api.updateNewsSource({ input: { sourceId: made.id, paused: true } }), 'FORBIDDEN');
    assert.equal((await root.api.updateNewsSource({ input: { sourceId: made.id, paused: true } })).updateNewsSource.source.state, 'PAUSED');
  });

  it('reads a feed as BBC writes it', async () => {
    const where = path();
    const at = ago(1);
    const source = await addSource(world, root, publisher.serve(where, rss(bbcFeed([item(1, { at, title: 'Rise &amp; fall of “Guaidó” <b>now</b>', image: 'https://ichef.bbci.co.uk/1.jpg' })]))), { topics: ['World'] });
    await fetchFeeds(world);
    const [article] = await articles(ann, { filter: { sourceIds: [source.id] } });
    assert.deepEqual(
      { ...article, id: '', source: article!.source.section },
      {
        id: '', url: 'https://www.bbc.co.uk/news/articles/c1', title: 'Rise & fall of “Guaidó” now', summary: story('Topic1', 1), author: null, imageUrl: 'https://ichef.bbci.co.uk/1.jpg', language: 'en',
        topics: ['World'], publishedAt: at.toISOString(), updatedAt: null, source: where.slice(1), viewerState: { read: false, bookmarked: false },
      },
    );
  });

  it('reads a feed as Al Jazeera writes it: one feed, its sections by category, fetched once', async () => {
    const where = path();
    const url = publisher.serve(where, rss(alJazeeraFeed([item(10, { title: 'Gaza’s "tents" & rain', category: 'News' }), item(11, { category: 'Economy' }), item(12, { category: 'Sport' })])));
    const all = await addSource(world, root, url, { publisher: 'Al Jazeera', section: 'All' });
    const economy = await addSource(world, root, url, { publisher: 'Al Jazeera', section: 'Economy', category: 'economy', topics: ['Business'] });
    await fetchFeeds(world);
    assert.equal(publisher.times(where), 1);
    assert.deepEqual((await articles(ann, { filter: { sourceIds: [all.id] } })).map(({ title }) => title), ['Gaza’s "tents" & rain', 'Story 11', 'Story 12']);
    const [article, ...more] = await articles(ann, { filter: { sourceIds: [economy.id] } });
    assert.deepEqual([article!.title, article!.url, article!.topics, more.length], ['Story 11', 'https://www.aljazeera.com/news/articles/c11', ['Economy', 'Business'], 0]);
  });

  it('reads a feed as CNN writes it: markup in descriptions, pictures in many sizes, items without a date', async () => {
    const source = await addSource(world, root, publisher.serve(path(), rss(cnnFeed([{ path: '/2024/08/08/world/storm/index.html', title: 'Storm hits coast', summary: 'It rained.', image: 'http://cdn.cnn.com/a' }]))), { publisher: 'CNN' });
    await fetchFeeds(world);
    const [article] = await articles(ann, { filter: { sourceIds: [source.id] } });
    assert.deepEqual([article!.summary, article!.imageUrl, article!.url], ['It rained.', 'http://cdn.cnn.com/a-super-169.jpg', 'https://www.cnn.com/2024/08/08/world/storm/index.html']);
    assert.ok(Math.abs(new Date(article!.publishedAt).getTime() - world.clock.now().getTime()) < MINUTE);
  });

  it('asks only for what has changed, and a feed that flips its order tells nothing twice', async () => {
    const where = path();
    const items = [item(20), item(21), item(22)];
    const source = await addSource(world, root, publisher.serve(where, rss(bbcFeed(items), { etag: '"one"', 'last-modified': 'Thu, 08 Aug 2024 19:20:58 GMT' })));
    await fetchFeeds(world);
    const before = await counts();
    world.clock.advance(60 * MINUTE);
    await fetchFeeds(world);
    assert.equal(publisher.times(where), 2);
    const [, second] = publisher.asked.get(where)!;
    assert.deepEqual([second!['if-none-match'], second!['if-modified-since']], ['"one"', 'Thu, 08 Aug 2024 19:20:58 GMT']);
    publisher.serve(where, rss(bbcFeed([...items].reverse()), { etag: '"two"' }));
    world.clock.advance(60 * MINUTE);
    await fetchFeeds(world);
    assert.equal(publisher.times(where), 3);
    assert.deepEqual(await counts(), before);
    // A headline that is mended changes the article, and tells nobody that it is new.
    publisher.serve(where, rss(bbcFeed([{ ...items[0]!, title: 'Story 20, corrected' }, ...items.slice(1)])));
    world.clock.advance(60 * MINUTE);
    await fetchFeeds(world);
    assert.deepEqual(await counts(), before);
    const [changed] = await articles(ann, { filter: { sourceIds: [source.id], search: 'corrected' } });
    assert.equal(changed!.title, 'Story 20, corrected');
    assert.ok(changed!.updatedAt);
  });

  it('keeps the pace that a feed has asked for, also while it answers that nothing has changed', async () => {
    const where = path();
    const slow = bbcFeed([item(25)]).replace('<ttl>15</ttl>', '<ttl>45</ttl>');
    const source = await addSource(world, root, publisher.serve(where, rss(slow, { etag: '"slow"' })));
    for (let times = 1; times <= 3; times++) {
      await fetchFeeds(world);
      const due = await dueIn(source.id);
      assert.ok(publisher.times(where) === times && due >= 2_700 && due <= 2_970, `${times}: ${due}`);
      world.clock.advance(50 * MINUTE);
    }
    publisher.serve(where, rss(slow.replace('<ttl>45</ttl>', ''), { etag: '"quick"' }));
    for (const times of [4, 5]) {
      await fetchFeeds(world);
      const due = await dueIn(source.id);
      assert.ok(publisher.times(where) === times && due >= 300 && due <= 330, `${times}: ${due}`);
      world.clock.advance(50 * MINUTE);
    }
  });

  it('one article however many sections and publishers tell it, and each section tells it once', async () => {
    const [one, two, three] = [path(), path(), path()];
    const same = item(30);
    const text = story('Flood', 3);
    const sources = [
      await addSource(world, root, publisher.serve(one, rss(bbcFeed([same], 'https://www.bbc.co.uk'))), { topics: ['World'] }),
      await addSource(world, root, publisher.serve(two, rss(bbcFeed([same, item(31, { title: 'The flood', summary: text })], 'http://bbc.co.uk'))), { topics: ['Science'] }),
      await addSource(world, root, publisher.serve(three, rss(alJazeeraFeed([item(32, { path: '/flood', title: 'The flood!', summary: `“${text}”` })]))), { publisher: 'Al Jazeera' }),
    ];
    const before = await counts();
    await fetchFeeds(world);
    const after = await counts();
    assert.deepEqual([after.articles - before.articles, after.places - before.places, after.heads - before.heads], [2, 4, 4]);
    const found = await articles(ann, { filter: { sourceIds: sources.map(({ id }) => id) } });
    assert.deepEqual(found.length, 2);
    const [first] = found.filter(({ title }) => title === 'Story 30');
    assert.deepEqual(new Set(first!.topics), new Set(['World', 'Science']));
    const flood = (await ann.api.newsArticle({ id: found.find(({ title }) => title !== 'Story 30')!.id })).newsArticle!;
    assert.deepEqual(new Set(flood.places.map(({ source }) => source.publisher)), new Set(['BBC', 'Al Jazeera']));
  });

  describe('a feed that can’t be had', () => {
    it('is asked later and later, then at its pace again', async () => {
      const where = path();
      const source = await addSource(world, root, publisher.serve(where, { status: 500 }));
      const pauses: number[] = [];
      for (let failure = 1; failure <= 3; failure++) {
        await fetchFeeds(world);
        pauses.push(await dueIn(source.id));
        world.clock.advance((pauses.at(-1)! + 1) * 1000);
      }
      assert.ok(pauses[0]! >= 600 && pauses[1]! >= 1_200 && pauses[2]! >= 2_400 && pauses[2]! <= 2_700, String(pauses));
      assert.deepEqual([(await sourceOf(source.id)).failures, (await sourceOf(source.id)).failure], [3, 'HTTP 500']);
      publisher.serve(where, rss(bbcFeed([item(40)])));
      await fetchFeeds(world);
      // BBC's ttl is 15 minutes.
      const due = await dueIn(source.id);
      assert.ok(due >= 900 && due <= 990, String(due));
      assert.deepEqual([(await sourceOf(source.id)).failures, (await sourceOf(source.id)).failure], [0, null]);
      assert.equal(publisher.times(where), 4);
    });

    it('waits as long as its server says, and ends when it is gone for good', async () => {
      const where = path();
      const source = await addSource(world, root, publisher.serve(where, { status: 429, headers: { 'retry-after': '7200' } }));
      await fetchFeeds(world);
      assert.ok((await dueIn(source.id)) >= 7_200);
      publisher.serve(where, { status: 410 });
      world.clock.advance(4 * 60 * MINUTE);
      await fetchFeeds(world);
      assert.equal((await sourceOf(source.id)).state, 'GONE');
      world.clock.advance(24 * 60 * MINUTE);
      [root, ann] = [await signedInAgain(world, root), await signedInAgain(world, ann)];
      await fetchFeeds(world);
      assert.equal(publisher.times(where), 2);
      await root.api.updateNewsSource({ input: { sourceId: source.id, paused: false } });
      publisher.serve(where, rss(bbcFeed([item(41)])));
      await fetchFeeds(world);
      assert.deepEqual([(await sourceOf(source.id)).state, publisher.times(where)], ['ACTIVE', 3]);
    });

    it('leads nowhere into our own network', async () => {
      for (const feedUrl of ['http://127.0.0.1:1/feed', 'http://169.254.169.254/latest', 'http://[::1]/feed', publisher.serve(path(), { status: 302, headers: { location: 'http://10.0.0.1/feed' } })]) {
        const source = await addSource(world, root, feedUrl, { section: feedUrl });
        await fetchFeeds(world);
        assert.match((await sourceOf(source.id)).failure!, /^FORBIDDEN_(?:ADDRESS|URL)$/);
      }
    });
  });

  it('an item with an address that is too long to be kept is left out, and the others are taken', async () => {
    const source = await addSource(world, root, publisher.serve(path(), rss(bbcFeed([item(45, { at: ago(2) }), item(46, { path: `/${ideographs(1_900)}`, at: ago(1) })]))));
    await fetchFeeds(world);
    assert.deepEqual((await articles(ann, { filter: { sourceIds: [source.id] } })).map(({ title }) => title), ['Story 45']);
    assert.equal((await sourceOf(source.id)).failure, null);
  });

  describe('a broken feed', () => {
    const whole = () => bbcFeed([item(50, { at: ago(3) }), item(51, { at: ago(2) }), item(52, { at: ago(1) })]);
    const endless = (response: ServerResponse) => {
      const chunk = Buffer.alloc(65_536, '<item>');
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };

    it('half a document: what came whole is taken, and it is asked for again', async () => {
      const text = whole();
      const source = await addSource(world, root, publisher.serve(path(), rss(text.slice(0, text.lastIndexOf('<pubDate>')))));
      await fetchFeeds(world);
      assert.deepEqual((await articles(ann, { filter: { sourceIds: [source.id] } })).map(({ title }) => title), ['Story 51', 'Story 50']);
      assert.equal((await sourceOf(source.id)).failure, 'BROKEN_OFF');
    });

    it('in another encoding than it says, and in one that few use', async () => {
      const [one, two] = [path(), path()];
      const made = (title: string) => bbcFeed([item(title.length + 900, { title, summary: title })]);
      const wrong = await addSource(world, root, publisher.serve(one, rss(Buffer.from(made('Café à Genève – déjà vu'.replace('–', '-')), 'latin1'))));
      const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(made('القاهرة').replace('UTF-8', 'UTF-16'), 'utf16le')]);
      const rare = await addSource(world, root, publisher.serve(two, { body: utf16, type: 'application/rss+xml' }));
      await fetchFeeds(world);
      assert.deepEqual((await articles(ann, { filter: { sourceIds: [wrong.id] } })).map(({ title }) => title), ['Café à Genève - déjà vu']);
      assert.deepEqual((await articles(ann, { filter: { sourceIds: [rare.id] } })).map(({ title }) => title), ['القاهرة']);
    });

    it('a gigabyte, an entity bomb, a loop, a page, nothing: each has its reason, and changes nothing', async () => {
      const bomb = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, n) => `<!ENTITY lol${n + 1} "${`&lol${n || ''};`.repeat(10)}">`).join('')}]>`;
      const cases: [name: string, reason: string, serve: (where: string) => string][] = [
        ['gigabyte announced', 'TOO_LARGE', (where) => publisher.serve(where, (_request, response) => void response.writeHead(200, { 'content-length': String(2 ** 30) }).write('<rss>'))],
        ['gigabyte', 'TOO_LARGE', (where) => publisher.serve(where, (_request, response) => endless(response))],
        ['loop', 'TOO_MANY_REDIRECTS', (where) => publisher.serve(where, { status: 302, headers: { location: where } })],
        ['page', 'UNREADABLE', (where) => publisher.serve(where, { body: '<!doctype html><title>Moved</title>' })],
        ['nothing', 'UNREADABLE', (where) => publisher.serve(where, rss(''))],
        ['bomb alone', 'UNREADABLE', (where) => publisher.serve(where, rss(`${bomb}<lolz>&lol9;</lolz>`))],
      ];
      const before = await counts();
      const sources = new Map<string, string>();
      for (const [name, , serve] of cases) sources.set(name, (await addSource(world, root, serve(path()), { section: name })).id);
      await fetchFeeds(world);
      for (const [name, reason] of cases) assert.equal((await sourceOf(sources.get(name)!)).failure, reason, name);
      assert.deepEqual(await counts(), before);
      // The bomb in a feed that is one: nothing is expanded.
      const armed = await addSource(world, root, publisher.serve(path(), rss(bbcFeed([item(60, { title: 'x' })]).replace(/<\?xml[^>]*>/, bomb).replace('<![CDATA[x]]>', 'Boom &lol9;'))));
      await fetchFeeds(world);
      const [article] = await articles(ann, { filter: { sourceIds: [armed.id] } });
      assert.ok(article!.title.length < 30, article!.title);
    });
  });

  it('newsPublished: live, and what was missed behind a cursor; of other sections nothing', async () => {
    const [one, two] = [path(), path()];
    const first = await addSource(world, root, publisher.serve(one, rss(bbcFeed([]))));
    const second = await addSource(world, root, publisher.serve(two, rss(bbcFeed([item(70)]))));
    await fails(ann.client.newsEvents([]).next(), 'INVALID_INPUT', 'sourceIds');
    await fails(ann.client.newsEvents([ann.id]).next(), 'INVALID_ID', 'sourceIds');
    await fails(ann.client.newsEvents([first.id], [second.eventCursor]).next(), 'INVALID_CURSOR', 'after');
    await fails(world.client().newsEvents([first.id]).next(), 'UNAUTHENTICATED');
    const streams = [ann, root].map((person) => person.client.newsEvents([first.id], [first.eventCursor]));
    await eventually(() => world.app.serving.channels.size > 0, 'they stand');
    publisher.serve(one, rss(bbcFeed([item(72, { at: ago(1) }), item(71, { at: ago(5) })])));
    await fetchFeeds(world);
    for (const stream of streams) {
      const events = await take(stream, 2);
      assert.deepEqual(events.map((event) => event.__typename === 'NewsPublished' && [event.offset, event.article!.title, event.sourceId]), [[1, 'Story 71', first.id], [2, 'Story 72', first.id]]);
    }
    assert.equal(world.app.serving.subscriptions.groups, 1);
    for (const stream of streams) await stream.return?.();
    // Away meanwhile.
    const resumed = ann.client.newsEvents([first.id, second.id], [first.eventCursor, second.eventCursor]);
    const missed = await take(resumed, 3);
    assert.deepEqual(missed.map((event) => event.__typename === 'NewsPublished' && event.article!.title).sort(), ['Story 70', 'Story 71', 'Story 72']);
    await resumed.return?.();
  });

  it('runs by itself where jobs run', async () => {
    const where = path();
    const working = await World.start({ settings: { ...publisher.settings, NEWS: 'true', NEWS_BUILT_IN: 'false' } });
    try {
      const chief = await administrator(working);
      await addSource(working, chief, publisher.serve(where, rss(bbcFeed([item(80)]))));
      await eventually(async () => (await articles(chief)).length === 1, 'the article is there', 45_000);
      assert.equal(publisher.times(where), 1);
    } finally {
      await working.stop();
    }
  });
});
