import assert from 'node:assert/strict';
import fc from 'fast-check';
import { firstLink } from './links.js';

describe('the link of a text', () => {
  const cases: [text: string, link: string | null][] = [
    ['no link', null],
    ['ftp://example.com/ and example.com', null],
    ['see https://example.com/a.', 'https://example.com/a'],
    ['(https://example.com/a)', 'https://example.com/a'],
    ['“https://example.com/a?b=c&d=e#part”, he said', 'https://example.com/a?b=c&d=e'],
    ['https://en.wikipedia.org/wiki/Mercury_(planet), or not', 'https://en.wikipedia.org/wiki/Mercury_(planet)'],
    ['[text](https://example.com/a)', 'https://example.com/a'],
    ['<https://example.com/a>', 'https://example.com/a'],
    ['HTTPS://EXAMPLE.COM/A!', 'https://example.com/A'],
    ['http://user:secret@example.com/ http://second.example/', 'http://second.example/'],
    ['https:// https://münchen.example/ü', 'https://xn--mnchen-3ya.example/%C3%BC'],
    ['http://[', null],
    [`https://example.com/${'a'.repeat(3_000)}`, null],
    [`https://example.com/${'字'.repeat(2_000)}`, null],
    [`https://example.com/${'字'.repeat(226)} is too long, https://example.com/b is not`, 'https://example.com/b'],
    [`https://example.com/a#${'字'.repeat(1_000)}`, 'https://example.com/a'],
  ];
  for (const [text, link] of cases) it(`${text.slice(0, 60)} → ${link}`, () => assert.equal(firstLink(text), link));

  it('whatever the text, what is found is an address of the web', () =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom('http://', 'https://', '://', ')', '(', '.'))), (parts) => {
        const link = firstLink(parts.join(''));
        if (link !== null) assert.match(new URL(link).protocol, /^https?:$/);
      }),
      { numRuns: 50 },
    ));
});
