import { createHash } from 'node:crypto';

/**
 * A fingerprint of 64 bits, of which near-same texts differ in few: M. Charikar, "Similarity estimation techniques from rounding algorithms" (STOC 2002). Each feature (a word, a pair of
 * neighbours) has a hash; bit by bit the features vote. Two texts are taken for one when at most 3 bits differ, the bound that G. Manku, A. Jain and A. Das Sarma found right for the web
 * ("Detecting near-duplicates for web crawling", WWW 2007). Null for a text too short to be told from others.
 */
export function simhash(text: string): bigint | null {
  const words = text.toLowerCase().normalize('NFKD').match(/[\p{L}\p{N}]+/gu)?.slice(0, MAX_WORDS) ?? [];
  if (words.length < LEAST_WORDS) return null;
  const votes = new Int32Array(64);
  const vote = (feature: string) => {
    const hash = createHash('md5').update(feature).digest().readBigUInt64BE();
    for (let bit = 0; bit < 64; bit++) votes[bit]! += (hash >> BigInt(bit)) & 1n ? 1 : -1;
  };
  words.forEach((word, index) => {
    vote(word);
    if (index) vote(`${words[index - 1]!} ${word}`);
  });
  return votes.reduce((bits, sum, bit) => (sum > 0 ? bits | (1n << BigInt(bit)) : bits), 0n);
}

/** Fewer words than these say too little. */
const LEAST_WORDS = 20;
const MAX_WORDS = 1_000;
/** Bits that may differ. */
export const NEAR = 3;

export function distance(a: bigint, b: bigint): number {
  let bits = 0;
  for (let rest = BigInt.asUintN(64, a ^ b); rest; rest &= rest - 1n) bits++;
  return bits;
}

/**
 * Four numbers of 18 bits (which quarter, and its 16 bits): of two fingerprints that differ in at most three bits, one quarter is the same. So an index over them finds every near one.
 */
export const quarters = (hash: bigint): number[] => [0, 1, 2, 3].map((index) => index * 65_536 + Number((hash >> BigInt(index * 16)) & 0xffffn));
