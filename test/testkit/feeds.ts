/** An item, as a feed of one of the publishers tells of it. */
export interface FixtureItem {
  /** Behind the publisher's own address. */
  path: string;
  title: string;
  summary: string;
  at: Date;
  category?: string;
  image?: string;
}

const cdata = (text: string): string => `<![CDATA[${text}]]>`;
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** As feeds.bbci.co.uk writes them: texts in CDATA, a link with trackers, a guid that is the link with `#0`, one small thumbnail. */
export const bbcFeed = (items: FixtureItem[], host = 'https://www.bbc.co.uk'): string => `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet title="XSL_formatting" type="text/xsl" href="/shared/bsp/xsl/rss/nolsol.xsl"?>
<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" version="2.0" xmlns:media="http://search.yahoo.com/mrss/">
    <channel>
        <title>${cdata('BBC News')}</title>
        <description>${cdata('BBC News - World')}</description>
        <link>https://www.bbc.co.uk/news/world</link>
        <image><url>https://news.bbcimg.co.uk/nol/shared/img/bbc_news_120x60.gif</url><title>BBC News</title><link>https://www.bbc.co.uk/news/world</link></image>
        <generator>RSS for Node</generator>
        <lastBuildDate>Thu, 08 Aug 2024 19:20:58 GMT</lastBuildDate>
        <atom:link href="https://feeds.bbci.co.uk/news/world/rss.xml" rel="self" type="application/rss+xml"/>
        <copyright>${cdata('Copyright: (C) British Broadcasting Corporation, see https://www.bbc.co.uk/usingthebbc/terms-of-use/#15metadataandrssfeeds for terms and conditions of reuse.')}</copyright>
        <language>${cdata('en-gb')}</language>
        <ttl>15</ttl>
${items
  .map(
    ({ path, title, summary, at, image }) => `        <item>
            <title>${cdata(title)}</title>
            <description>${cdata(summary)}</description>
            <link>${host}${path}?at_medium=RSS&amp;at_campaign=rss</link>
            <guid isPermaLink="false">${host}${path}#0</guid>
            <pubDate>${at.toUTCString()}</pubDate>
${image ? `            <media:thumbnail width="240" height="134" url="${image}"/>\n` : ''}        </item>`,
  )
  .join('\n')}
    </channel>
</rss>`;

/** As aljazeera.com/xml/rss/all.xml writes them: link first, a category, a guid that is no link, dates with +0000. */
export const alJazeeraFeed = (items: FixtureItem[], host = 'https://www.aljazeera.com'): string => `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/">
<channel>
  <title>Al Jazeera – Breaking News, World News and Video from Al Jazeera</title>
  <atom:link href="https://www.aljazeera.com/xml/rss/all.xml" rel="self" type="application/rss+xml" />
  <link>https://www.aljazeera.com</link>
  <description>Breaking News, World News and Video from Al Jazeera</description>
  <language>en-US</language>
  <image><title>Al Jazeera</title><link>https://www.aljazeera.com</link><url>https://www.aljazeera.com/images/logo_aje.png</url></image>
${items
  .map(
    ({ path, title, summary, at, category }, index) => `  <item>
    <link>${host}${path}?traffic_source=rss</link>
    <title>${escaped(title)}</title>
    <description>${cdata(summary)}</description>
    <pubDate>${at.toUTCString().replace('GMT', '+0000')}</pubDate>
    <category>${category ?? 'News'}</category>
    <guid isPermaLink="false">https://www.aljazeera.com/?t=${Math.floor(at.getTime() / 1000) + index}</guid>
  </item>`,
  )
  .join('\n')}
</channel>
</rss>`;

/** As rss.cnn.com writes them: stylesheets and feedburner's marks, pictures in a media:group of many sizes, and items that may have no date, or a description of markup. */
export const cnnFeed = (items: (Omit<FixtureItem, 'at'> & { at?: Date })[], host = 'https://www.cnn.com'): string => `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" media="screen" href="/~d/styles/rss2full.xsl"?>
<?xml-stylesheet type="text/css" media="screen" href="http://rss.cnn.com/~d/styles/itemcontent.css"?>
<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" version="2.0">
<channel>
<title>${cdata('CNN.com - RSS Channel - World')}</title>
<description>${cdata('CNN.com delivers up-to-the-minute news and information on the latest top stories, weather, entertainment, politics and more.')}</description>
<link>https://www.cnn.com/world/index.html</link>
<generator>coredev-bumblebee</generator>
<copyright>${cdata('Copyright (c) 2024 Turner Broadcasting System, Inc. All Rights Reserved.')}</copyright>
<language>${cdata('en-US')}</language>
<ttl>10</ttl>
<atom10:link xmlns:atom10="http://www.w3.org/2005/Atom" rel="self" type="application/rss+xml" href="http://rss.cnn.com/rss/edition_world" />
<feedburner:info uri="rss/edition_world" />
${items
  .map(
    ({ path, title, summary, at, image }) => `<item><title>${cdata(title)}</title><description>${escaped(`${summary}<img src="http://feeds.feedburner.com/~r/rss/edition_world/~4/x" height="1" width="1" alt=""/>`)}</description>
<link>${host}${path}</link><guid isPermaLink="true">${host}${path}</guid>${at ? `<pubDate>${at.toUTCString()}</pubDate>` : ''}
${
  image
    ? `<media:group>${[
        ['super-169', 619, 1100],
        ['large-11', 300, 300],
        ['story-body', 120, 120],
      ]
        .map(([size, height, width]) => `<media:content medium="image" url="${image}-${size}.jpg" height="${height}" width="${width}" type="image/jpeg"/>`)
        .join('')}</media:group>`
    : ''
}</item>`,
  )
  .join('\n')}
</channel>
</rss>`;

/** Sentences that are about one thing, different for each seed: long enough to be told from others. */
export function story(about: string, seed: number): string {
  const people = ['ministers', 'farmers', 'engineers', 'teachers', 'sailors', 'doctors', 'judges', 'painters'];
  const deeds = ['agreed on', 'argued about', 'voted against', 'celebrated', 'postponed', 'paid for', 'measured', 'forgot'];
  const places = ['in the northern valley', 'near the old harbour', 'at the summit', 'after a long night', 'before the vote', 'under heavy rain', 'without a plan', 'for the third time'];
  return Array.from({ length: 6 }, (_, n) => `${about} ${people[(seed + n) % 8]} ${deeds[(seed * 3 + n * 5) % 8]} ${about.toLowerCase()} ${places[(seed * 5 + n * 7) % 8]} number ${seed * 31 + n}.`).join(' ');
}
