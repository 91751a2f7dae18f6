/** In UTF-16 units: the longest recommended sequences (flags of regions, families) stay far below. */
const MAX_LENGTH = 64;
const EMOJI = new RegExp('^\\p{RGI_Emoji}$', 'v');
const TEXT_BY_DEFAULT = /^(?!\p{Emoji_Presentation})\p{Emoji}$/u;
const MODIFIER = /^\p{Emoji_Modifier}$/u;
const VARIATION_16 = '\ufe0f';

/**
 * One emoji, as the Unicode list of emoji for interchange writes it (UTS #51, RGI): one grapheme cluster, whatever its
 * number of code points. Keyboards differ in the invisible variation selector U+FE0F; it is put where it belongs, so
 * that one emoji counts as one. Null for everything else.
 */
export function cleanEmoji(value: string): string | null {
  if (value.length > MAX_LENGTH || !value.isWellFormed()) return null;
  if (EMOJI.test(value)) return value;
  const points = [...value].filter((point) => point !== VARIATION_16);
  const qualified = points.map((point, index) => (TEXT_BY_DEFAULT.test(point) && !MODIFIER.test(points[index + 1] ?? '') ? point + VARIATION_16 : point)).join('');
  return EMOJI.test(qualified) ? qualified : null;
}
