import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { decode } from './decode.js';
import { MAX_CONTENT } from './feed.js';
import { cleanArticle } from './sanitize.js';
import { plainLine, plainText, shorten, webAddress } from './text.js';

/** The part of a page that is read, without what stands around it. */
export interface ReadPage {
  html: string;
  text: string;
}

/** What a page says of itself, for a card behind a link. */
export interface PageMeta {
  title: string | null;
  description: string | null;
  imageUrl: string | null;
  siteName: string | null;
}

/** Elements of a page that are looked at; a page of more is no article. */
const MAX_ELEMENTS = 20_000;
const LEAST_CHARACTERS = 140;

/** A page may leave out html, head and body, which browsers put in and linkedom doesn't. */
function documentOf(bytes: Uint8Array, contentType: string): ReturnType<typeof parseHTML>['document'] {
  const text = decode(bytes, contentType);
  return parseHTML(/<html[\s>]/i.test(text) ? text : `<!doctype html><html><head></head><body>${text}</body></html>`).document;
}

/** The article of a page by Readability (what Firefox's reader view is made of); null when there is none to be found. */
export function readPage(bytes: Uint8Array, contentType: string, url: string): ReadPage | null {
  const document = documentOf(bytes, contentType);
  // linkedom has no address of its own: relative ones are resolved by what the page says, else by us.
  const base = document.createElement('base');
  base.setAttribute('href', url);
  if (!document.querySelector('base')) document.head?.prepend(base);
  const article = new Readability(document as unknown as Document, { maxElemsToParse: MAX_ELEMENTS, charThreshold: LEAST_CHARACTERS }).parse();
  if (!article?.content) return null;
  const html = cleanArticle(article.content, url);
  const text = plainText(html);
  return text.length < LEAST_CHARACTERS || html.length > MAX_CONTENT ? null : { html, text: shorten(text, MAX_CONTENT) };
}

/** Open Graph (ogp.me), Twitter cards, and plain HTML, in this order; null when a page has not even a title. */
export function readMeta(bytes: Uint8Array, contentType: string, url: string): PageMeta | null {
  const document = documentOf(bytes, contentType);
  const metas = new Map<string, string>();
  for (const meta of document.querySelectorAll('meta')) {
    const name = (meta.getAttribute('property') ?? meta.getAttribute('name'))?.trim().toLowerCase();
    const content = meta.getAttribute('content')?.trim();
    if (name && content && !metas.has(name)) metas.set(name, content);
  }
  const line = (most: number, ...texts: (string | null | undefined)[]) => texts.map((text) => plainLine(text ?? '', most)).find(Boolean) ?? null;
  const title = line(200, metas.get('og:title'), metas.get('twitter:title'), document.querySelector('title')?.textContent);
  if (!title) return null;
  const image = [metas.get('og:image:secure_url'), metas.get('og:image'), metas.get('og:image:url'), metas.get('twitter:image'), metas.get('twitter:image:src'), document.querySelector('link[rel~="image_src"]')?.getAttribute('href')];
  return {
    title,
    description: line(500, metas.get('og:description'), metas.get('twitter:description'), metas.get('description')),
    imageUrl: image.map((one) => webAddress(one, url)).find((one) => one !== null) ?? null,
    siteName: line(100, metas.get('og:site_name'), metas.get('application-name')),
  };
}
