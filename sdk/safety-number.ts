/** A person, and the signature keys of their devices. */
export interface Identity {
  userId: string;
  signatureKeys: readonly Uint8Array[];
}

const VERSION = 0;
const ROUNDS = 5_200;
const CHUNKS = 6;
const CHUNK_BYTES = 5;
const DIGITS = 5;

/**
 * 60 digits that two people compare in another way (by voice, side by side), to know that the server has told each the true keys of the other. It is the numeric fingerprint of Signal
 * (NumericFingerprintGenerator of libsignal, version 0): of each of the two 30 digits, from 5,200 rounds of SHA-512 over the version, the keys in their order, and who it is; the smaller
 * half first, so that both see the same. Of several devices the keys go in together, sorted: a device more, or less, makes another number.
 */
export async function safetyNumber(one: Identity, other: Identity): Promise<string> {
  const halves = await Promise.all([half(one), half(other)]);
  return halves.sort().join('');
}

/** In groups of five, as people read it. */
export const spaced = (digits: string): string => digits.replace(/.{5}(?=.)/g, '$& ');

async function half({ userId, signatureKeys }: Identity): Promise<string> {
  const keys = joined([...signatureKeys].sort(compare));
  let hash = joined([Uint8Array.of(VERSION >> 8, VERSION & 0xff), keys, new TextEncoder().encode(userId)]);
  for (let round = 0; round < ROUNDS; round++) hash = new Uint8Array(await crypto.subtle.digest('SHA-512', joined([hash, keys])));
  let digits = '';
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    let value = 0;
    for (let byte = 0; byte < CHUNK_BYTES; byte++) value = value * 256 + hash[chunk * CHUNK_BYTES + byte]!;
    digits += String(value % 10 ** DIGITS).padStart(DIGITS, '0');
  }
  return digits;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length && at < b.length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
