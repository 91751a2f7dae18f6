const LINK = /https?:\/\/[^\s<>"'`\u0000-\u0020]+/giu; // eslint-disable-line no-control-regex -- no address holds one
/** Of the text, and of the address made of it, in which a character beyond ASCII takes up to nine. It stands in indexes: an entry of a B-tree holds 2,704 bytes. */
const MAX_LENGTH = 2_048;
const AFTER_A_SENTENCE = new Set('.,;:!?…»”’)]}');
const OPENING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Without the marks of the sentence at its end. A closing bracket stays where the address itself has opened it: …/Mercury_(planet). Linear: a text may be nothing but brackets. */
function withoutSentence(link: string): string {
  const brackets = new Map<string, number>();
  for (const char of link) if ('()[]{}'.includes(char)) brackets.set(char, (brackets.get(char) ?? 0) + 1);
  let end = link.length;
  for (; end > 0 && AFTER_A_SENTENCE.has(link[end - 1]!); end--) {
    const last = link[end - 1]!;
    const opening = OPENING[last];
    if (opening === undefined) continue;
    if ((brackets.get(opening) ?? 0) >= brackets.get(last)!) break;
    brackets.set(last, brackets.get(last)! - 1);
  }
  return link.slice(0, end);
}

/** The first address of the web that a text names, of at most 2,048 characters of ASCII, without what belongs to the sentence around it; null when there is none. */
export function firstLink(text: string): string | null {
  for (const [match] of text.matchAll(LINK)) {
    const link = withoutSentence(match);
    if (link.length > MAX_LENGTH || !URL.canParse(link)) continue;
    const url = new URL(link);
    if (url.username || url.password || !url.hostname) continue;
    url.hash = '';
    if (url.href.length <= MAX_LENGTH) return url.href;
  }
  return null;
}
