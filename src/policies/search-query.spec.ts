import assert from 'node:assert/strict';
import fc from 'fast-check';
import { segmentsOf, splitSearch } from './search-query.js';

describe('search queries', () => {
  const cases: [string, string, string, boolean][] = [
    ['hel', '', 'hel:*', false],
    ['  hello wor ', 'hello', 'wor:*', false],
    ['cat or do', 'cat', 'do:*', true],
    ['a cat OR do', 'a cat', 'do:*', true],
    ['or do', 'or', 'do:*', false],
    ['cat or', 'cat or', '', false],
    ['"good morn', '"good morn', '', false],
    ['"good morning"', '"good morning"', '', false],
    ['"good morning" at', '"good morning"', 'at:*', false],
    ['plan b', 'plan', 'b', false],
    ['語', '', '語:*', false],
    ['cat -dog', 'cat -dog', '', false],
    ['Ünï', '', 'ünï:*', false],
    ['snake_case', 'snake_case', '', false],
    ['x@example.com', 'x@example.com', '', false],
    ['!!!', '!!!', '', false],
  ];
  for (const [typed, words, prefix, either] of cases) {
    it(`takes ${typed} apart`, () => assert.deepEqual(splitSearch(typed), { words, prefix, either }));
  }

  it('whatever is typed, the prefix is one word that to_tsquery takes', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (typed) => /^([\p{L}\p{M}\p{N}]+:\*|[a-z0-9])?$/u.test(splitSearch(typed).prefix)));
  });

  it('segments put together are the headline without its marks', () => {
    const piece = fc.string({ maxLength: 5 }).map((text) => text.replaceAll(/[<>]/g, ''));
    fc.assert(
      fc.property(fc.array(fc.record({ text: piece, match: fc.boolean() })), (pieces) => {
        const segments = segmentsOf(pieces.map(({ text, match }) => (match ? `<${text}>` : text)).join(''), '<', '>');
        assert.equal(segments.map(({ text }) => text).join(''), pieces.map(({ text }) => text).join(''));
        assert.deepEqual(segments.filter(({ match }) => match).map(({ text }) => text), pieces.filter(({ text, match }) => match && text).map(({ text }) => text));
      }),
    );
  });
});
