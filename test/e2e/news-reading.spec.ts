import assert from 'node:assert/strict';
import { decodeId } from '../../src/lib/ids.js';
import type { ShortArticle, Summarizer, ToSummarize } from '../../src/news/summarizer.js';
import { bbcFeed, cnnFeed, story, type FixtureItem } from '../testkit/feeds.js';
import { addSource, administrator, articles, fetchFeeds, signedInAgain } from '../testkit/news.js';
import { Publisher } from '../testkit/publisher.js';
import { fails, take, World, type Person } from '../testkit/world.js';

const HOUR = 3_600_000;

/** Counts, and takes its time: what a language model does. */
class SlowModel implements Summarizer {
  readonly method = 'MODEL';
  readonly asked: ToSummarize[] = [];
  broken = false;
  async summarize(article: ToSummarize): Promise<ShortArticle> {
    this.asked.push(article);
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (this.broken) throw new Error('the model is away');
    return { sentences: [`In short: ${article.title}`], method: this.method };
  }
}

describe('news: reading, finding, sharing', function () {
  this.timeout(60_000);
  const model = new SlowModel();
  let world: World;
  let publisher: Publisher;
  let root: Person;
  let ann: Person;
  let bob: Person;
  const sources: Record<string, string> = {};
  const ago = (hours: number) => new Date(world.clock.now().getTime() - hours * HOUR);

  const page = (title: string, text: string) => `<!doctype html><html lang="en"><head><title>${title}</title><script>alert(1)</script></head><body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
    <article><h1>${title}</h1><img src="/picture.jpg" onerror="alert(2)" alt="A picture">${text.split('. ').map((sentence) => `<p>${sentence}. <a href="javascript:alert(3)" onclick="alert(4)">bad</a> <a href="/more">more</a></p>`).join('')}
    <iframe src="https://ads.example"></iframe><form><input></form><style>p{}</style></article><footer>Terms and conditions of a publisher</footer></body></html>`;

  before(async () => {
    publisher = await Publisher.start();
    world = await World.start({ nodes: 2, settings: { ...publisher.settings, NEWS: 'true', NEWS_BUILT_IN: 'false', JOBS: 'false', ACCESS_TOKEN_TTL: '86400' }, summarizer: model });
    root = await administrator(world);
    [ann, bob] = await world.people('Ann', 'Bob');
    let n = 0;
    const make = async (section: string, topic: string, items: Partial<FixtureItem>[]) => {
      const full = items.map((one): FixtureItem => ({ path: `/a${++n}`, title: `About ${topic} ${n}`, summary: story(`${topic}${n}`, n), at: ago(n), ...one }));
      sources[section] = (await addSource(world, root, publisher.serve(`/${section}`, { body: bbcFeed(full, publisher.at('')), type: 'application/rss+xml' }), { section, topics: [topic] })).id;
    };
    await make('science', 'Science', [{}, { title: 'Telescopes are running late' }, {}]);
    await make('sport', 'Sport', [{}, {}, { title: 'A late goal' }]);
    await make('culture', 'Culture', [{}, {}, {}]);
    await fetchFeeds(world);
  });
  after(async () => {
    await world.stop();
    await publisher.stop();
  });

  const titles = async (person: Person, variables: Parameters<Person['api']['news']>[0]) => (await articles(person, variables)).map(({ title }) => title);
  const byTitle = async (title: string) => (await articles(ann, { first: 50 })).find((article) => article.title === title)!;

  it('lists the newest first, by pages, sections and topics', async () => {
    const all = await titles(ann, { first: 100 });
    assert.equal(all.length, 9);
    const first = (await ann.api.news({ first: 4 })).news;
    const rest = (await ann.api.news({ first: 100, after: first.pageInfo.endCursor! })).news;
    assert.deepEqual([...first.edges, ...rest.edges].map(({ node }) => node.title), all);
    assert.deepEqual([first.pageInfo.hasNextPage, rest.pageInfo.hasNextPage], [true, false]);
    assert.deepEqual(await titles(ann, { filter: { sourceIds: [sources['sport']!] } }), all.slice(3, 6));
    assert.deepEqual(await titles(ann, { filter: { topics: ['SCIENCE', 'culture'] } }), [...all.slice(0, 3), ...all.slice(6)]);
    await fails(ann.api.news({ filter: { sourceIds: [ann.id] } }), 'INVALID_ID', 'sourceIds');
    await fails(ann.api.news({ after: 'nonsense' }), 'INVALID_CURSOR', 'after');
    await fails(world.client().api.news(), 'UNAUTHENTICATED');
  });

  it('finds words in their other forms, phrases, and what is not meant', async () => {
    assert.deepEqual(await titles(ann, { filter: { search: 'telescope runs' } }), ['Telescopes are running late']);
    assert.deepEqual(await titles(ann, { filter: { search: 'late' } }), ['Telescopes are running late', 'A late goal']);
    assert.deepEqual(await titles(ann, { filter: { search: 'late -goal' } }), ['Telescopes are running late']);
    assert.deepEqual(await titles(ann, { filter: { search: '"late goal"' }, order: 'RELEVANCE' }), ['A late goal']);
    assert.equal((await titles(ann, { filter: { search: `'"(& | !:*<` } })).length, 0);
    await fails(ann.api.news({ order: 'RELEVANCE' }), 'INVALID_INPUT', 'order');
    await fails(ann.api.news({ filter: { search: ' ' } }), 'INVALID_INPUT', 'search');
  });

  it('orders for whoever reads: by topics and sections, the read ones last, and pages that hold still', async () => {
    const plain = await titles(bob, { order: 'FOR_YOU', first: 100 });
    assert.deepEqual(plain, await titles(bob, { first: 100 }), 'without any reading it is the order of the news');
    const culture = await articles(bob, { filter: { sourceIds: [sources['culture']!] } });
    await bob.api.markArticleRead({ input: { articleId: culture[0]!.id } });
    await bob.api.bookmarkArticle({ input: { articleId: culture[0]!.id } });
    world.clock.advance(1000);
    const mine = await articles(bob, { order: 'FOR_YOU', first: 100 });
    assert.deepEqual(mine.slice(0, 2).map(({ topics }) => topics), [['Culture'], ['Culture']]);
    const place = mine.findIndex(({ id }) => id === culture[0]!.id);
    assert.ok(place > 2, 'what was read falls back');
    assert.deepEqual(mine[place]!.viewerState, { read: true, bookmarked: true });
    assert.deepEqual(await titles(ann, { order: 'FOR_YOU', first: 100 }), plain, 'nobody else’s order has changed');
    const first = (await bob.api.news({ order: 'FOR_YOU', first: place })).news;
    // One for the first time, and once more the first of the next page.
    for (const { id } of [mine.at(-1)!, mine[place]!]) await bob.api.markArticleRead({ input: { articleId: id } });
    world.clock.advance(1000);
    const rest = (await bob.api.news({ order: 'FOR_YOU', first: 100, after: first.pageInfo.endCursor! })).news;
    assert.deepEqual([...first.edges, ...rest.edges].map(({ node }) => node.id), mine.map(({ id }) => id));
  });

  it('recommends what one reads about, without what was read or dismissed, each with its reasons', async () => {
    const cleo = await world.person('Cleo');
    const recommended = async () => (await cleo.api.recommendedNews({ first: 20 })).viewer!.recommendedNews;
    const kinds = async () => [...new Set((await recommended()).flatMap(({ reasons }) => reasons.map(({ kind }) => kind)))];
    assert.equal((await recommended()).length, 9);
    assert.deepEqual(await kinds(), ['NEW']);
    const [read] = await articles(cleo, { filter: { sourceIds: [sources['culture']!] } });
    await cleo.api.markArticleRead({ input: { articleId: read!.id } });
    world.clock.advance(1000);
    const mine = await recommended();
    assert.equal(mine.length, 8);
    assert.ok(mine.every(({ article }) => article.id !== read!.id));
    assert.deepEqual([mine[0]!.article.topics, mine[0]!.reasons[0]!.kind, mine[0]!.reasons[0]!.text], [['Culture'], 'BECAUSE_OF', 'You read about culture.']);
    await cleo.api.dismissSuggestion({ input: { targetId: mine[0]!.article.id } });
    const left = await recommended();
    assert.deepEqual([left.length, left.some(({ article }) => article.id === mine[0]!.article.id)], [7, false]);
    await cleo.api.updatePersonalization({ input: { enabled: false } });
    assert.deepEqual([(await recommended()).length, await kinds()], [7, ['NEW']]);
    await fails(cleo.api.recommendedNews({ first: 51 }), 'INVALID_INPUT', 'first');
  });

  it('bookmarks: kept, listed, taken away', async () => {
    const [one, two] = await articles(ann, { first: 2 });
    for (const { id } of [one!, two!, one!]) {
      await ann.api.bookmarkArticle({ input: { articleId: id } });
      world.clock.advance(1000);
    }
    const list = async () => (await ann.api.newsBookmarks({ first: 10 })).viewer!.newsBookmarks.edges.map(({ node }) => node.id);
    assert.deepEqual(await list(), [two!.id, one!.id]);
    assert.equal((await ann.api.removeArticleBookmark({ input: { articleId: two!.id } })).removeArticleBookmark.article.viewerState!.bookmarked, false);
    assert.deepEqual(await list(), [one!.id]);
    await fails(ann.api.bookmarkArticle({ input: { articleId: `nws_${'0'.repeat(32)}` } }), 'NOT_FOUND');
  });

  it('reads an article in the app: its page without what stands around it, cleaned, fetched once', async () => {
    const article = await byTitle('Telescopes are running late');
    publisher.serve(new URL(article.url).pathname, { body: page(article.title, story('Lens', 5)) });
    const path = new URL(article.url).pathname;
    const read = await Promise.all(Array.from({ length: 10 }, () => ann.api.newsArticle({ id: article.id })));
    assert.equal(publisher.times(path), 1);
    const content = read[0]!.newsArticle!.content!;
    assert.equal(content.origin, 'PAGE');
    assert.match(content.html, /Lens doctors/);
    assert.match(content.text, /Lens doctors/);
    assert.match(content.html, new RegExp(`<a href="${publisher.at('/more')}" rel="noopener noreferrer nofollow" target="_blank">more</a>`));
    assert.match(content.html, new RegExp(`<img src="${publisher.at('/picture.jpg')}"`));
    assert.doesNotMatch(content.html, /alert|script|iframe|form|style|onclick|onerror|Terms and conditions|nav/i);
    await ann.api.newsArticle({ id: article.id });
    assert.equal(publisher.times(path), 1);
    assert.deepEqual(await titles(ann, { filter: { search: 'lens' } }), [article.title], 'and it is found by what it says');
  });

  it('a page that can’t be had is asked for again later, and is no error', async () => {
    const article = await byTitle('A late goal');
    const path = new URL(article.url).pathname;
    const content = async () => (await ann.api.newsArticle({ id: article.id })).newsArticle!.content;
    assert.equal(await content(), null);
    assert.equal(await content(), null);
    assert.equal(publisher.times(path), 1);
    publisher.serve(path, { body: page(article.title, story('Goal', 6)) });
    world.clock.advance(120_000);
    assert.match((await content())!.text, /Goal/);
    assert.equal(publisher.times(path), 2);
    assert.equal((await ann.api.newsArticle({ id: `nws_${'0'.repeat(32)}` })).newsArticle, null);
  });

  it('shares an article as a card, which stays when the article is forgotten', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const article = await byTitle('Telescopes are running late');
    const events = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    const input = { articleId: article.id, chatId, text: 'Read this, @bob', idempotencyKey: world.key() };
    const { message } = (await ann.api.shareArticle({ input })).shareArticle;
    assert.equal((await ann.api.shareArticle({ input })).shareArticle.message.id, message.id);
    await fails(ann.api.shareArticle({ input: { ...input, text: 'Another' } }), 'IDEMPOTENCY_KEY_REUSED');
    const [event] = await take(events, 1);
    assert.ok(event!.__typename === 'MessageSent' && event!.message!.card!.__typename === 'NewsCard');
    assert.deepEqual(event.message!.card, { __typename: 'NewsCard', title: article.title, url: article.url, imageUrl: null, publisher: 'BBC', article: { id: article.id } });
    assert.deepEqual([event.message!.kind, event.message!.text, event.message!.mentions.map(({ id }) => id)], ['CARD', 'Read this, @bob', [bob.id]]);
    const other = await world.directChat(ann, bob);
    const [forwarded] = (await bob.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [other], idempotencyKey: world.key() } })).forwardMessages.messages;
    assert.equal(forwarded!.card!.__typename, 'NewsCard');
    await fails(bob.api.shareArticle({ input: { articleId: article.id, chatId: await world.groupChat(ann, []), idempotencyKey: world.key() } }), 'NOT_FOUND');
    await fails(ann.api.shareArticle({ input: { articleId: `nws_${'0'.repeat(32)}`, chatId, idempotencyKey: world.key() } }), 'NOT_FOUND');
    await world.sql('delete from news_articles where id = $1', [decodeId('NewsArticle', article.id)]);
    const later = (await bob.api.messageBySeq({ chatId, seq: message.seq })).chat!.message!;
    assert.ok(later.card!.__typename === 'NewsCard' && later.card!.title === article.title && later.card!.article === null);
    await events.return?.();
  });

  it('summarises an article once, whoever asks on whichever server', async () => {
    const [article] = await articles(ann, { filter: { sourceIds: [sources['sport']!] } });
    model.asked.length = 0;
    const elsewhere = world.client(bob.accessToken, 1);
    const asked = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? ann.api : elsewhere.api).summarizeArticle({ input: { articleId: article!.id } })));
    assert.equal(model.asked.length, 1);
    assert.deepEqual(new Set(asked.map(({ summarizeArticle }) => JSON.stringify(summarizeArticle.summary))).size, 1);
    assert.deepEqual([asked[0]!.summarizeArticle.summary.sentences, asked[0]!.summarizeArticle.summary.method], [[`In short: ${article!.title}`], 'MODEL']);
    assert.deepEqual((await ann.api.newsArticle({ id: article!.id })).newsArticle!.shortVersion!.sentences, [`In short: ${article!.title}`]);
    // A new version is made short anew.
    await world.sql('update news_articles set version = version + 1 where id = $1', [decodeId('NewsArticle', article!.id)]);
    await ann.api.summarizeArticle({ input: { articleId: article!.id } });
    assert.equal(model.asked.length, 2);
    model.broken = true;
    const [other] = await articles(ann, { filter: { sourceIds: [sources['culture']!] } });
    await fails(ann.api.summarizeArticle({ input: { articleId: other!.id } }), 'UNAVAILABLE');
    model.broken = false;
    await ann.api.summarizeArticle({ input: { articleId: other!.id } });
    await fails(ann.api.summarizeArticle({ input: { articleId: `nws_${'0'.repeat(32)}` } }), 'NOT_FOUND');
  });

  it('summarises by the article’s own sentences where no model is configured', async () => {
    const plain = await World.start({ settings: { ...publisher.settings, NEWS: 'true', NEWS_BUILT_IN: 'false', JOBS: 'false' } });
    try {
      let chief = await administrator(plain);
      const text = story('River', 7);
      await addSource(plain, chief, publisher.serve('/plain', { body: bbcFeed([{ path: '/river', title: 'The river', summary: text, at: ago(1) }], publisher.at('')), type: 'application/rss+xml' }));
      await fetchFeeds(plain);
      const [article] = await articles(chief);
      const { summary } = (await chief.api.summarizeArticle({ input: { articleId: article!.id } })).summarizeArticle;
      assert.equal(summary.method, 'EXTRACTIVE');
      assert.equal(summary.sentences.length, 3);
      for (const sentence of summary.sentences) assert.ok(text.includes(sentence), sentence);
      // Old articles are forgotten, but for those that somebody keeps.
      await chief.api.bookmarkArticle({ input: { articleId: article!.id } });
      plain.clock.advance(91 * 24 * HOUR);
      chief = await signedInAgain(plain, chief);
      await plain.app.container.jobs.newsUpkeep.articles();
      assert.equal((await plain.sql('select from news_articles')).length, 1);
      await chief.api.removeArticleBookmark({ input: { articleId: article!.id } });
      // Nor are those that the feed lists still: dated or not, it would tell of them again.
      const kept = async () => {
        await plain.app.container.jobs.newsUpkeep.articles();
        return (await plain.sql('select from news_articles')).length;
      };
      const told = async () => (await plain.sql<{ head: number }>(`select coalesce(sum(head), 0)::int as head from streams where id like 'news:%'`))[0]!.head;
      assert.deepEqual([await kept(), await told()], [1, 1]);
      await fetchFeeds(plain);
      assert.deepEqual([await kept(), await told(), publisher.times('/plain')], [1, 1, 2]);
      const undated = { path: '/lake', title: 'The lake', summary: story('Lake', 8) };
      publisher.serve('/plain', { body: cnnFeed([undated], publisher.at('')), type: 'application/rss+xml' });
      plain.clock.advance(2 * HOUR);
      await fetchFeeds(plain);
      assert.deepEqual([await kept(), await told()], [1, 2], 'the other is listed no more');
      plain.clock.advance(91 * 24 * HOUR);
      await fetchFeeds(plain);
      assert.deepEqual([await kept(), await told()], [1, 2]);
      publisher.serve('/plain', { body: cnnFeed([{ ...undated, path: '/sea', title: 'The sea', summary: story('Sea', 9) }], publisher.at('')), type: 'application/rss+xml' });
      plain.clock.advance(2 * HOUR);
      await fetchFeeds(plain);
      assert.deepEqual([await kept(), (await plain.sql<{ title: string }>('select title from news_articles')).map(({ title }) => title)], [1, ['The sea']]);
    } finally {
      await plain.stop();
    }
  });
});
