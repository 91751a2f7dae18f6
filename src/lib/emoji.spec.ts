import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanEmoji } from './emoji.js';

describe('emoji', () => {
  it('are taken whatever their number of code points', () => {
    for (const emoji of ['👍', '👍🏽', '❤️', '👩‍👩‍👧‍👦', '🇫🇷', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '1️⃣', '🏳️‍🌈', '🧑🏿‍🤝‍🧑🏻', '👁️‍🗨️', '🕵🏽‍♂️', '☝🏼']) assert.equal(cleanEmoji(emoji), emoji);
  });

  it('count as one, however a keyboard qualifies them', () => {
    assert.equal(cleanEmoji('❤'), '❤️');
    assert.equal(cleanEmoji('🏳‍🌈'), '🏳️‍🌈');
    assert.equal(cleanEmoji('1⃣'), '1️⃣');
    assert.equal(cleanEmoji('👍️'), '👍');
    assert.equal(cleanEmoji('🕵🏽‍♂'), '🕵🏽‍♂️');
    assert.equal(cleanEmoji('👁‍🗨'), '👁️‍🗨️');
  });

  it('every emoji of one code point is taken with and without its selector', () => {
    const rgi = new RegExp('^\\p{RGI_Emoji}$', 'v');
    let found = 0;
    for (let code = 0; code <= 0x1ffff; code++) {
      const point = String.fromCodePoint(code);
      const emoji = [point, `${point}\ufe0f`].find((text) => rgi.test(text));
      if (!emoji) continue;
      found++;
      assert.equal(cleanEmoji(point), emoji);
      assert.equal(cleanEmoji(`${point}\ufe0f`), emoji);
    }
    assert.ok(found > 1_000, `${found} emoji`);
  });

  it('nothing else is: no text, no two emoji, no halves', () => {
    for (const text of ['', 'a', '1', '#', ' ', '👍👍', '👍 ', 'ok👍', '\ud83d', '\ufe0f', '\u200d', '🏽👍', '🇫', '©️®️', 'x'.repeat(10_000), '👍\0']) assert.equal(cleanEmoji(text), null, JSON.stringify(text));
  });

  it('what is taken is one grapheme cluster, and is taken as it is', () => {
    const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3 }), (text) => {
        const emoji = cleanEmoji(text);
        if (emoji === null) return;
        assert.equal([...graphemes.segment(emoji)].length, 1);
        assert.equal(cleanEmoji(emoji), emoji);
      }),
      { numRuns: 2_000 },
    );
  });
});
