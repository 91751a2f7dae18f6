import sanitizeHtml from 'sanitize-html';

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
const BLOCK_END = /<\/(?:p|div|h[1-6]|li|blockquote|figcaption|tr|section|article)\s*>|<br\s*\/?>/gi;
/* eslint-disable-next-line no-control-regex -- naming control characters is the point */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** At most so many characters, cut at a word where there is one, with an ellipsis; never half a character. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '');
  const space = cut.lastIndexOf(' ');
  return `${(space > most / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

/** One line of plain text, whatever markup or entities stood in it. Publishers escape once, twice or not at all: what comes out is text, not HTML. */
export function plainLine(html: string, most: number): string {
  return shorten(plainText(html).replace(/\s+/g, ' ').trim(), most);
}

/** Plain text with a line a block. */
export function plainText(html: string): string {
  const stripped = sanitizeHtml(html.replace(BLOCK_END, '$&\n'), { allowedTags: [], allowedAttributes: {} });
  const text = stripped.replace(/&(?:amp|lt|gt|quot);/g, (entity) => ENTITIES[entity]!).toWellFormed().replace(CONTROLS, '');
  return text.split('\n').map((line) => line.replace(/[^\S\n]+/g, ' ').trim()).filter(Boolean).join('\n');
}

/** Of an address, as it came and as it is kept, and of what is made of it to tell articles apart. These stand in indexes: an entry of a B-tree holds 2,704 bytes, other columns among them. */
export const MAX_ADDRESS = 2_048;

/** An http(s) address without credentials, made absolute, in at most 2,048 characters of ASCII; null for everything else (javascript:, data:). */
export function webAddress(address: string | undefined | null, base?: string): string | null {
  const text = address?.trim();
  if (!text || text.length > MAX_ADDRESS || !URL.canParse(text, base)) return null;
  const url = new URL(text, base);
  return /^https?:$/.test(url.protocol) && !url.username && !url.password && url.href.length <= MAX_ADDRESS ? url.href : null;
}
