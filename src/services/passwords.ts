import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/** OWASP's choice for argon2id (2, in the library's numbers): 19 MiB, two passes, one lane; about 20 ms. */
const OPTIONS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashing and comparing passwords, by argon2id (RFC 9106). */
export class Passwords {
  /** What is compared with where there is nothing to compare with, so that the answer takes as long. */
  #nobodys: Promise<string> | null = null;

  hash(password: string): Promise<string> {
    return hash(password, OPTIONS);
  }

  /** False for null, after as long as for any other: the time does not tell whether there is a password. */
  async matches(kept: string | null, password: string): Promise<boolean> {
    const nobodys = await (this.#nobodys ??= this.hash(randomBytes(32).toString('base64url')));
    const same = await verify(kept ?? nobodys, password);
    return kept !== null && same;
  }
}
