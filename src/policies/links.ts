const LINK = /https?:\/\/[^\s<>"'`\u0000-\u0020]+/giu; // eslint-disable-line no-control-regex -- no address holds one
const MAX_LENGTH = 2_048;
const AFTER_A_SENTENCE = /[.,;:!?…»”’)\]}]$/u;
const OPENING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** The first address of the web that a text names, without what belongs to the sentence around it; null when there is none. */
export function firstLink(text: string): string | null {
  for (const [match] of text.matchAll(LINK)) {
    let link = match;
    // A closing bracket stays where the address itself has opened it: …/Mercury_(planet).
    while (AFTER_A_SENTENCE.test(link)) {
      const last = link.at(-1)!;
      const opening = OPENING[last];
      if (opening && link.split(opening).length >= link.split(last).length) break;
      link = link.slice(0, -1);
    }
    if (link.length > MAX_LENGTH || !URL.canParse(link)) continue;
    const url = new URL(link);
    if (url.username || url.password || !url.hostname) continue;
    url.hash = '';
    return url.href;
  }
  return null;
}
