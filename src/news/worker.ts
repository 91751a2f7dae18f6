/** What is done to bytes of others, apart from the loop that serves people: parsing takes long, and can be ended by force. Each export is a task of the pool (reader.ts). */
import { readFeed } from './feed.js';
import { readMeta, readPage } from './page.js';
import { textRank } from './textrank.js';

interface Document {
  bytes: Uint8Array;
  contentType: string;
  url: string;
}

/** Answers once the thread stands. */
export const ready = () => true;
export const feed = ({ bytes, contentType, url }: Document) => readFeed(bytes, contentType, url);
export const page = ({ bytes, contentType, url }: Document) => readPage(bytes, contentType, url);
export const meta = ({ bytes, contentType, url }: Document) => readMeta(bytes, contentType, url);
export const summary = ({ text, language, count }: { text: string; language: string; count: number }) => textRank(text, language, count);
