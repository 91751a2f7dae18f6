import assert from 'node:assert/strict';
import fc from 'fast-check';
import { alJazeeraFeed, bbcFeed, cnnFeed, story, type FixtureItem } from '../../test/testkit/feeds.js';
import { decode } from './decode.js';
import { readFeed, UnreadableFeed } from './feed.js';
import { cleanLink, linkKey } from './links.js';
import { readMeta, readPage } from './page.js';
import { Reader } from './reader.js';
import { cleanArticle } from './sanitize.js';
import { distance, NEAR, quarters, simhash } from './simhash.js';
import { plainLine, plainText, shorten } from './text.js';
import { textRank } from './textrank.js';

const bytes = (text: string) => Buffer.from(text);
const read = (text: string, base = 'https://feeds.example/x.xml') => readFeed(bytes(text), 'application/xml', base);

describe('reading feeds', () => {
  const items: FixtureItem[] = [1, 2, 3].map((n) => ({ path: `/s/${n}`, title: `Title ${n}`, summary: story('Sea', n), at: new Date(Date.UTC(2024, 7, n, 12)), category: 'News', image: `https://i.example/${n}.jpg` }));

  it('the same of all three publishers', () => {
    for (const [name, text, host] of [['bbc', bbcFeed(items), 'www.bbc.co.uk'], ['al jazeera', alJazeeraFeed(items), 'www.aljazeera.com'], ['cnn', cnnFeed(items), 'www.cnn.com']] as const) {
      const feed = read(text);
      assert.deepEqual(feed.items.map(({ url, title, publishedAt }) => [url, title, publishedAt]), items.map(({ path, title, at }) => [`https://${host}${path}`, title, at.getTime()]), name);
      assert.deepEqual([feed.broken, feed.language], [false, 'en']);
    }
    assert.equal(read(bbcFeed(items)).every, 900);
    assert.equal(read(cnnFeed(items)).items[0]!.imageUrl, 'https://i.example/1.jpg-super-169.jpg');
  });

  it('Atom, RDF and JSON Feed', () => {
    const atom = `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>T</title><id>i</id><updated>2024-01-01T00:00:00Z</updated><entry><title type="html">A &lt;i&gt;b&lt;/i&gt; &amp;amp; c</title><id>urn:1</id>
      <link rel="self" href="https://a.example/self"/><link rel="alternate" href="/x?utm_source=y"/><published>2024-01-01T02:00:00+02:00</published><author><name>Zoë</name></author>
      <content type="html">&lt;p&gt;${story('Lake', 4)} ${story('Lake', 5)} ${story('Lake', 6)}&lt;/p&gt;&lt;script&gt;1&lt;/script&gt;</content><category term="world" label="World"/></entry></feed>`;
    const [entry] = read(atom, 'https://a.example/feed').items;
    assert.deepEqual([entry!.title, entry!.url, entry!.author, entry!.topics, entry!.publishedAt], ['A b & c', 'https://a.example/x', 'Zoë', ['World'], Date.UTC(2024, 0, 1)]);
    assert.match(entry!.content!.html, /^<p>Lake/);
    const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>T</title><link>http://a.example</link><description>d</description></channel>
      <item rdf:about="http://a.example/1"><title>One</title><link>http://a.example/1</link><dc:date>2024-01-01T00:00:00Z</dc:date><dc:subject>Sci</dc:subject></item></rdf:RDF>`;
    assert.deepEqual(read(rdf).items.map(({ title, url, topics, publishedAt }) => [title, url, topics, publishedAt]), [['One', 'http://a.example/1', ['Sci'], Date.UTC(2024, 0, 1)]]);
    const json = JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', title: 'J', items: [{ id: '1', url: 'https://a.example/j', title: 'Jay', content_html: '<p>hi</p>', tags: ['x'], date_published: '2024-01-01T00:00:00Z' }] });
    assert.deepEqual(read(json).items.map(({ title, topics }) => [title, topics]), [['Jay', ['x']]]);
  });

  it('leaves out what has no title or no address of the web, and what stands twice', () => {
    const one = (inner: string) => `<item>${inner}</item>`;
    const feed = read(`<rss version="2.0"><channel><title>T</title>${[
      '<link>https://a.example/1</link>', '<title>No link</title>', '<title>Bad</title><link>javascript:alert(1)</link>', '<title>One</title><link>https://a.example/1?utm_medium=x</link>',
      '<title>Again</title><link>http://www.a.example/1/</link>', '<title>By guid</title><guid>https://a.example/2</guid><pubDate>yesterday</pubDate>',
    ].map(one).join('')}</channel></rss>`);
    assert.deepEqual(feed.items.map(({ title, publishedAt }) => [title, publishedAt]), [['One', null], ['By guid', null]]);
  });

  it('leaves out what has too long an address, in the form in which it is kept', () => {
    const links = { ideographs: `https://a.example/${'字'.repeat(300)}`, parameters: `https://a.example/?a=${'~'.repeat(1_500)}`, short: `https://a.example/${'字'.repeat(200)}` };
    const feed = read(`<rss version="2.0"><channel><title>T</title>${Object.entries(links).map(([title, link]) => `<item><title>${title}</title><link>${link}</link></item>`).join('')}</channel></rss>`);
    assert.deepEqual(feed.items.map(({ title }) => title), ['short']);
  });

  it('half a document, wherever it broke off: whole items alone', () => {
    const text = alJazeeraFeed(items);
    fc.assert(
      fc.property(fc.nat(text.length), (end) => {
        const part = text.slice(0, end);
        const whole = part.split('</item>').length - 1;
        try {
          const feed = read(part);
          assert.deepEqual(feed.items.map(({ title }) => title), items.slice(0, whole).map(({ title }) => title));
        } catch (error) {
          assert.ok(error instanceof UnreadableFeed && whole === 0, `${end}: ${String(error)}`);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('bytes without sense are refused, and never more', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), (noise, type) => {
        try {
          readFeed(noise, type, 'https://a.example/');
        } catch (error) {
          assert.ok(error instanceof UnreadableFeed, String(error));
        }
      }),
      { numRuns: 200 },
    ));
});

describe('text of others', () => {
  it('bytes as text, by what they are', () => {
    assert.equal(decode(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?>caf\xe9', 'latin1'), ''), '<?xml version="1.0" encoding="ISO-8859-1"?>café');
    assert.equal(decode(Buffer.from('caf\xe9 \x93', 'latin1'), 'text/html; charset=utf-8'), 'café “');
    assert.equal(decode(Buffer.from('\ufeffcafé'), 'text/html; charset=latin1'), 'café');
    assert.equal(decode(Buffer.from('<meta charset="windows-1251">\xcf\xf0', 'latin1'), 'text/html'), '<meta charset="windows-1251">Пр');
    assert.equal(decode(Buffer.from('ok'), 'text/html; charset=nonsense'), 'ok');
  });

  it('markup and entities become plain text', () => {
    assert.equal(plainLine('Tom &amp;amp; <b>Jerry</b>&nbsp;&#8217;s\n day', 100), 'Tom &amp; Jerry ’s day');
    assert.equal(plainText('<p>One</p><p>Two<br>Three</p><script>no</script>'), 'One\nTwo\nThree');
    assert.equal(shorten('one two three', 9), 'one two…');
    assert.ok(shorten('😀😀😀', 4).isWellFormed());
  });

  it('nothing that runs is left in an article, whatever is fed', () => {
    const nasty = ['<script>x</script>', '<a href="java\nscript:x">a</a>', '<img src=x onerror=y>', '<svg onload=x>', '<iframe src="//e">', '<p style="x" class="y" id="z" onclick="w">t</p>', '<a href="data:text/html,x">d</a>', '<<script>', '"><script>', '<math><mi//xlink:href="data:x">', '<style>@import "x"</style>', '<base href="//e">', '&lt;script&gt;'];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...nasty), fc.string(), fc.constantFrom('<p>', '</p>', '<table><tr><td>', '<'))), (parts) => {
        const html = cleanArticle(parts.join(''), 'https://a.example/b/');
        assert.doesNotMatch(html, /<(?:script|style|iframe|svg|math|base|form|object|embed)|<[^>]*\son\w+\s*=|<[^>]*(?:javascript|data):|<[^>]*\s(?:style|class|id)=/i);
      }),
      { numRuns: 300 },
    );
    assert.equal(cleanArticle('<a href="../c">c</a><img src="//i.example/p.png"><img>', 'https://a.example/b/'), '<a href="https://a.example/c" rel="noopener noreferrer nofollow" target="_blank">c</a><img src="https://i.example/p.png" alt="" loading="lazy" />');
  });

  it('links that lead to the same place are the same', () => {
    const same = ['https://www.bbc.com/news/articles/c1?at_medium=RSS&at_campaign=rss', 'http://bbc.com/news/articles/c1/', 'https://bbc.com/news/articles/c1#0', 'https://BBC.com/news/articles/c1?utm_source=x'];
    assert.deepEqual([...new Set(same.map(linkKey))], ['bbc.com/news/articles/c1']);
    assert.notEqual(linkKey('https://a.example/?id=1'), linkKey('https://a.example/?id=2'));
    assert.equal(linkKey('https://a.example/?b=2&a=1'), linkKey('https://a.example/?a=1&b=2'));
    assert.equal(cleanLink('https://www.aljazeera.com/a?traffic_source=rss&x=1#top'), 'https://www.aljazeera.com/a?x=1');
  });
});

describe('fingerprints of texts', () => {
  const text = [1, 2, 3, 4].map((n) => story('Ocean', n)).join(' ');

  it('near for near texts, far for others, none for short ones', () => {
    const hash = simhash(text)!;
    assert.ok(distance(hash, simhash(text.toUpperCase().replaceAll('.', ' — '))!) === 0);
    assert.ok(distance(hash, simhash(`${text} Agencies.`)!) <= NEAR);
    assert.ok(distance(hash, simhash([5, 6, 7, 8].map((n) => story('Desert', n)).join(' '))!) > NEAR * 3);
    assert.equal(simhash('Too short to tell'), null);
  });

  it('of two that are near, one quarter is the same', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.uniqueArray(fc.nat(63), { maxLength: NEAR }), (hash, bits) => {
        const other = bits.reduce((value, bit) => value ^ (1n << BigInt(bit)), hash);
        assert.equal(distance(hash, other), bits.length);
        assert.ok(quarters(hash).some((quarter) => quarters(other).includes(quarter)));
      }),
    ));
});

describe('making short', () => {
  it('the sentences that the others speak of, in the order of the text, whole and its own', () => {
    const text = 'The dam above the town broke on Monday night. A baker sold bread as usual today. Water from the broken dam flooded the town on Monday. My cat likes warm milk very much. The town asked why the dam broke on Monday night.';
    const picked = textRank(text, 'en', 2);
    assert.deepEqual(picked, ['The dam above the town broke on Monday night.', 'The town asked why the dam broke on Monday night.']);
    assert.deepEqual(textRank('One sentence stands alone here.', 'en', 3), ['One sentence stands alone here.']);
    assert.deepEqual(textRank('', 'xx-nonsense-tag', 3), []);
    assert.equal(textRank('انهار السد فوق المدينة ليلة الاثنين. غمرت مياه السد المدينة يوم الاثنين. تحب قطتي الحليب الدافئ كثيرا جدا.', 'ar', 2).length, 2);
  });

  it('never more than asked for, each a part of the text', () =>
    fc.assert(
      fc.property(fc.lorem({ maxCount: 40, mode: 'sentences' }), fc.integer({ min: 1, max: 5 }), (text, count) => {
        const picked = textRank(text, 'en', count);
        assert.ok(picked.length <= count && picked.every((sentence) => text.includes(sentence)));
      }),
      { numRuns: 30 },
    ));
});

describe('pages', () => {
  it('a page without an article, and one that is none', () => {
    assert.equal(readPage(bytes('<p>short</p>'), 'text/html', 'https://a.example/'), null);
    assert.match(readPage(bytes(`<title>T</title><article><p>${story('Bare', 1)}</p><p>${story('Bare', 2)}</p></article>`), 'text/html', 'https://a.example/')!.text, /^Bare/);
    assert.equal(readPage(bytes(''), 'text/html', 'https://a.example/'), null);
    assert.equal(readMeta(bytes('<p>untitled</p>'), 'text/html', 'https://a.example/'), null);
    assert.deepEqual(readMeta(bytes('<title> A\n page </title><meta name="twitter:image" content="/t.png">'), 'text/html', 'https://a.example/x'), { title: 'A page', description: null, imageUrl: 'https://a.example/t.png', siteName: null });
  });

  it('a thread that is kept busy is ended, and the next document is read', async function () {
    this.timeout(60_000);
    const reader = new Reader(300);
    try {
      // Elements in elements: a page that takes its parser long.
      const heavy = Buffer.from(`<article>${'<p>word word word word<b>'.repeat(150_000)}</article>`);
      await assert.rejects(reader.page({ body: heavy, contentType: 'text/html', url: 'https://a.example/' }));
    } finally {
      await reader.close();
    }
    const other = new Reader();
    assert.equal((await other.feed({ body: bytes(bbcFeed([])), contentType: '', url: 'https://a.example/' })).items.length, 0);
    await other.close();
  });
});
