import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** A phone code: six digits, for ten minutes and five tries. */
export const PHONE_CODE_MS = 600_000;
export const MAX_TRIES = 5;
export const VERIFY_EMAIL_MS = 86_400_000;
export const RESET_PASSWORD_MS = 3_600_000;

/** What is sent to people and comes back once. The database keeps hashes alone; the codes themselves are made where they are sent. */
export class OneTimeCodes {
  constructor(private readonly key: string) {}

  digits(): string {
    return String(randomInt(1_000_000)).padStart(6, '0');
  }

  /** Six digits are soon tried out, so their hash wants the server's key; and the row's id, so that no two are alike. */
  hashDigits(id: string, digits: string): Buffer {
    return createHmac('sha256', this.key).update(`${id} ${digits}`).digest();
  }

  matches(hash: Buffer, id: string, digits: string): boolean {
    return timingSafeEqual(hash, this.hashDigits(id, digits));
  }

  /** 256 bits, base64url: for a link, or to be pasted. */
  token(): string {
    return randomBytes(32).toString('base64url');
  }

  hashToken(token: string): Buffer {
    return createHash('sha256').update(token).digest();
  }

  /** A hash that nothing has: of a code that is not made yet. */
  unmade(): Buffer {
    return randomBytes(32);
  }
}
