import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/** What a hash costs whoever makes one: memory in KiB, and passes over it. */
interface Cost {
  memoryCost: number;
  timeCost: number;
}
/** OWASP's choice for argon2id with one lane; about 20 ms. */
const OWASP: Cost = { memoryCost: 19_456, timeCost: 2 };
/** In the library's numbers. */
const ARGON2ID = 2;

/** Hashing and comparing passwords, by argon2id (RFC 9106). */
export class Passwords {
  /** What is compared with where there is nothing to compare with, so that the answer takes as long. */
  #nobodys: Promise<string> | null = null;

  constructor(private readonly cost = OWASP) {}

  hash(password: string): Promise<string> {
    return hash(password, { ...this.cost, algorithm: ARGON2ID, parallelism: 1 });
  }

  /** False for null, after as long as for any other: the time does not tell whether there is a password. */
  async matches(kept: string | null, password: string): Promise<boolean> {
    const nobodys = await (this.#nobodys ??= this.hash(randomBytes(32).toString('base64url')));
    const same = await verify(kept ?? nobodys, password);
    return kept !== null && same;
  }
}
