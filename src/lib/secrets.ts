import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two hashes are of the same secret; none is of none. */
export const sameHash = (a: Buffer, b: Buffer | null): boolean => b !== null && a.length === b.length && timingSafeEqual(a, b);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether two texts are the same, or both are none: the time it takes doesn't tell how much of a guess is right, nor how long the secret is. */
export const sameSecret = (given: string | null, wanted: string | null): boolean => (given === null || wanted === null ? given === wanted : timingSafeEqual(digest(given), digest(wanted)));
