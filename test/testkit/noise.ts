/** Characters of U+4E00 to U+9FFF by chance: no packing makes much less of them. */
export const ideographs = (count: number): string => Array.from({ length: count }, () => String.fromCharCode(0x4e00 + Math.floor(Math.random() * 0x5200))).join('');
