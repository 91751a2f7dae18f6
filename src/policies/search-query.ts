/** What somebody typed, made of parts that PostgreSQL's `websearch_to_tsquery` and `to_tsquery` take. */
export interface SearchQuery {
  /** All but the last word, as typed: words, "phrases", `or`, -without. */
  words: string;
  /** The last word, which the person may still be typing: matched by its beginning, unless it is a single letter. Empty when it is none (it is quoted, or negated). */
  prefix: string;
  /** The last word is an alternative, not a further condition. */
  either: boolean;
}

const LAST_WORD = /^(.*?)(^|\s)([\p{L}\p{N}]+)$/su;

/** Takes the last word off, so that it is found by its beginning while it is typed. Everything else keeps its meaning. */
export function splitSearch(typed: string): SearchQuery {
  const text = typed.trim();
  const open = (text.match(/"/g)?.length ?? 0) % 2 === 1;
  const match = open ? null : LAST_WORD.exec(text);
  // A lone `or` at the end joins nothing yet.
  if (!match || /^or$/i.test(match[3]!)) return { words: text, prefix: '', either: false };
  const before = match[1]!.trim();
  const either = /(^|\s)or$/i.test(before) && before.length > 2;
  // One letter of an alphabet begins too many words.
  const prefix = /^[a-z0-9]$/i.test(match[3]!) ? match[3]! : `${match[3]!}:*`;
  return { words: either ? before.slice(0, -2).trim() : before, prefix: prefix.toLowerCase(), either };
}

export interface Segment {
  text: string;
  match: boolean;
}

/** Cuts a headline in which matches stand between two marks. Empty pieces are left out. */
export function segmentsOf(headline: string, open: string, close: string): Segment[] {
  const segments: Segment[] = [];
  const add = (text: string, match: boolean) => void (text && segments.push({ text, match }));
  headline.split(open).forEach((part, index) => {
    if (index === 0) return add(part, false);
    const end = part.indexOf(close);
    add(part.slice(0, end), true);
    add(part.slice(end + close.length), false);
  });
  return segments;
}
