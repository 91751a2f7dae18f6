import { parseFeed, type AtomFeed, type JsonFeed, type RdfFeed, type RssFeed } from 'feedsmith';
import { decode } from './decode.js';
import { cleanLink, linkKey } from './links.js';
import { cleanArticle } from './sanitize.js';
import { simhash } from './simhash.js';
import { MAX_ADDRESS, plainLine, plainText, shorten, webAddress } from './text.js';

const MAX_ITEMS = 200;
const MAX_TITLE = 300;
const MAX_SUMMARY = 1_000;
export const MAX_CONTENT = 200_000;
const MAX_TOPICS = 8;
/** Where the end of a document is looked for: comments may stand behind it. */
const END_CHARACTERS = 4_096;
/** Words in a feed's own contents from which it is the article, not a teaser. */
const FULL_WORDS = 120;

/** An article as a feed tells of it, cleaned. */
export interface FeedItem {
  /** What tells it from others: see `linkKey`. */
  key: string;
  url: string;
  title: string;
  summary: string | null;
  author: string | null;
  imageUrl: string | null;
  topics: string[];
  /** Milliseconds since 1970; null when the feed says nothing that can be understood. */
  publishedAt: number | null;
  /** The whole article, where the feed has it. */
  content: { html: string; text: string } | null;
  simhash: bigint | null;
}

export interface ReadFeed {
  title: string | null;
  homepage: string | null;
  language: string | null;
  /** How often it asks to be fetched, seconds. */
  every: number | null;
  items: FeedItem[];
  /** The document broke off: these are the items before that. */
  broken: boolean;
}

/** What a feed of any format says of one item. */
interface RawItem {
  link?: string | undefined;
  id?: string | undefined;
  title?: string | undefined;
  summary?: string | undefined;
  content?: string | undefined;
  author?: string | undefined;
  date?: unknown;
  topics?: (string | undefined)[] | undefined;
  images?: (string | undefined)[] | undefined;
}

export class UnreadableFeed extends Error {
  override readonly name = 'UnreadableFeed';
}

/** Reads RSS, Atom, RDF or JSON Feed. Throws UnreadableFeed. `base` is where it came from. */
export function readFeed(bytes: Uint8Array, contentType: string, base: string): ReadFeed {
  const text = decode(bytes, contentType);
  const broken = isBrokenOff(text);
  const parsed = parse(broken ? mended(text) : text);
  if (!parsed) throw new UnreadableFeed('neither RSS, Atom, RDF nor JSON Feed');
  const { title, homepage, language, every, items } = formatOf(parsed);
  const seen = new Set<string>();
  const kept = items.flatMap((raw) => clean(raw, base) ?? []).filter(({ key }) => !seen.has(key) && seen.add(key));
  return { title: title ? plainLine(title, MAX_TITLE) || null : null, homepage: webAddress(homepage, base), language: languageOf(language), every, items: kept, broken };
}

type Parsed = ReturnType<typeof parseFeed>;

function parse(text: string): Parsed | null {
  try {
    return parseFeed(text, { maxItems: MAX_ITEMS });
  } catch {
    return null;
  }
}

/** An XML document that doesn't end as it began. A parser that forgives would make half an item of what is half an item. */
function isBrokenOff(text: string): boolean {
  const root = /<(rss|feed|(?:\w+:)?RDF)[\s>]/.exec(text)?.[1];
  return root !== undefined && !new RegExp(`</${root}\\s*>`).test(text.slice(-END_CHARACTERS));
}

/** Half a document up to its last whole item, closed. */
function mended(text: string): string {
  const end = Math.max(text.lastIndexOf('</item>') + 7 * Number(text.includes('</item>')), text.lastIndexOf('</entry>') + 8 * Number(text.includes('</entry>')));
  if (end <= 0) return '';
  const root = /<(rss|feed|(?:\w+:)?RDF)[\s>]/.exec(text)?.[1];
  return root ? `${text.slice(0, end)}${root === 'rss' ? '</channel>' : ''}</${root}>` : '';
}

interface RawFeed {
  title?: string | undefined;
  homepage?: string | undefined;
  language?: string | undefined;
  every: number | null;
  items: RawItem[];
}

function formatOf({ format, feed }: Parsed): RawFeed {
  switch (format) {
    case 'rss':
      return { title: feed.title, homepage: feed.link, language: feed.language, every: everyOf(feed.ttl, feed.sy), items: (feed.items ?? []).map(rssItem) };
    case 'atom':
      return { title: feed.title?.value, homepage: alternate(feed.links), language: feed.xml?.lang, every: everyOf(undefined, feed.sy), items: (feed.entries ?? []).map(atomItem) };
    case 'rdf':
      return { title: feed.title, homepage: feed.link, language: feed.dc?.languages?.[0], every: everyOf(undefined, feed.sy), items: (feed.items ?? []).map(rdfItem) };
    case 'json':
      return { title: feed.title, homepage: feed.home_page_url, language: feed.language, every: null, items: (feed.items ?? []).map(jsonItem) };
  }
}

type Media = NonNullable<RssFeed.Item<unknown>['media']>;

/** Pictures, the largest first. */
function pictures(media: Media | undefined): (string | undefined)[] {
  const contents = [...(media?.contents ?? []), ...(media?.groups ?? []).flatMap((group) => group.contents ?? [])];
  const shown = contents.filter(({ medium, type, url }) => medium === 'image' || type?.startsWith('image/') || /\.(?:jpe?g|png|webp)(?:\?|$)/i.test(url ?? ''));
  const thumbnails = [...(media?.thumbnails ?? []), ...(media?.groups ?? []).flatMap((group) => group.thumbnails ?? [])];
  return [...shown, ...thumbnails].sort((a, b) => (b.width ?? 0) - (a.width ?? 0)).map(({ url }) => url);
}

const rssItem = (item: RssFeed.Item<unknown>): RawItem => ({
  link: item.link ?? (item.guid?.isPermaLink === false ? undefined : item.guid?.value), id: item.guid?.value, title: item.title ?? item.dc?.titles?.[0], summary: item.description,
  content: item.content?.encoded, author: item.dc?.creators?.[0] ?? item.authors?.[0]?.name, date: item.pubDate ?? item.dc?.dates?.[0],
  topics: [...(item.categories ?? []).map(({ name }) => name), ...(item.dc?.subjects ?? [])],
  images: [...pictures(item.media), ...(item.enclosures ?? []).filter(({ type }) => type?.startsWith('image/')).map(({ url }) => url)],
});

const atomItem = (entry: AtomFeed.Entry<unknown>): RawItem => ({
  link: alternate(entry.links), id: entry.id, title: entry.title?.value, summary: entry.summary?.value, content: entry.content?.value, author: entry.authors?.[0]?.name, date: entry.published ?? entry.updated,
  topics: (entry.categories ?? []).map(({ label, term }) => label ?? term),
  images: [...pictures(entry.media as Media | undefined), ...(entry.links ?? []).filter(({ rel, type }) => rel === 'enclosure' && type?.startsWith('image/')).map(({ href }) => href)],
});

const rdfItem = (item: RdfFeed.Item<unknown>): RawItem => ({
  link: item.link ?? item.rdf?.about, id: item.rdf?.about, title: item.title ?? item.dc?.titles?.[0], summary: item.description, content: item.content?.encoded, author: item.dc?.creators?.[0],
  date: item.dc?.dates?.[0], topics: item.dc?.subjects, images: pictures(item.media as Media | undefined),
});

const jsonItem = (item: JsonFeed.Item<unknown>): RawItem => ({
  link: item.url ?? item.external_url, id: item.id, title: item.title, summary: item.summary ?? item.content_text, content: item.content_html, author: item.authors?.[0]?.name, date: item.date_published,
  topics: item.tags, images: [item.image, item.banner_image],
});

const alternate = (links: AtomFeed.Link<unknown>[] | undefined): string | undefined => (links?.find(({ rel }) => rel === undefined || rel === 'alternate') ?? links?.[0])?.href;

const PERIODS: Readonly<Record<string, number>> = { hourly: 3_600, daily: 86_400, weekly: 604_800, monthly: 2_592_000, yearly: 31_536_000 };
function everyOf(ttl: number | undefined, sy: { updatePeriod?: string; updateFrequency?: number } | undefined): number | null {
  if (ttl !== undefined && ttl > 0) return ttl * 60;
  const period = PERIODS[sy?.updatePeriod ?? ''];
  return period === undefined ? null : Math.round(period / Math.max(1, sy?.updateFrequency ?? 1));
}

const languageOf = (language: string | undefined): string | null => (/^[a-z]{2,3}(?=-|_|$)/i.exec(language?.trim() ?? '')?.[0] ?? null)?.toLowerCase() ?? null;

function clean(raw: RawItem, base: string): FeedItem | null {
  const title = plainLine(raw.title ?? '', MAX_TITLE);
  const link = webAddress(raw.link, base);
  if (!title || !link) return null;
  const url = cleanLink(link);
  const key = linkKey(url);
  // Parameters are written anew, and some characters take three there that took one.
  if (Math.max(url.length, key.length) > MAX_ADDRESS) return null;
  const summary = plainLine(raw.summary ?? '', MAX_SUMMARY) || null;
  const content = contentOf([raw.content, raw.summary], url);
  const date = Date.parse(typeof raw.date === 'string' ? raw.date : '');
  const topics = new Set((raw.topics ?? []).map((topic) => plainLine(topic ?? '', 60)).filter(Boolean));
  const image = [...(raw.images ?? []), /<img[^>]+src\s*=\s*["']([^"']+)/i.exec(raw.content ?? raw.summary ?? '')?.[1]];
  return {
    key, url, title, summary, author: plainLine(raw.author ?? '', 200) || null, imageUrl: image.map((one) => webAddress(one, url)).find((one) => one !== null) ?? null,
    topics: [...topics].slice(0, MAX_TOPICS), publishedAt: Number.isFinite(date) ? date : null, content, simhash: simhash(`${title}\n${content?.text ?? summary ?? ''}`),
  };
}

function contentOf(candidates: (string | undefined)[], url: string): FeedItem['content'] {
  for (const candidate of candidates) {
    if (!candidate || candidate.length > MAX_CONTENT * 2) continue;
    const html = cleanArticle(candidate, url);
    const text = plainText(html);
    if (html.length <= MAX_CONTENT && (text.match(/\S+/g)?.length ?? 0) >= FULL_WORDS) return { html, text: shorten(text, MAX_CONTENT) };
  }
  return null;
}
