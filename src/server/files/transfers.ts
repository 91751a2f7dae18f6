import { AtOnce } from '../../lib/at-once.js';
import { DomainError } from '../../lib/errors.js';
import { addressKey } from '../limits/rates.js';

export interface TransferLimits {
  /** In this process. */
  most: number;
  /** Of one address. */
  each: number;
}

/** What is being sent or fetched. */
export interface Transfer {
  /** Bytes so far. */
  moved(): number;
  /** Whether it is the other side that we wait for: our own store may be slow too. */
  waits(): boolean;
  end(): void;
}

/** Who moves less than this in a window, a slow telephone's fiftieth, only holds a place. */
const LEAST_BYTES = 32 * 1024;
const WINDOW_MS = 30_000;
const RETRY_SECONDS = 5;

/** How many send and fetch files at once, and how slowly they may: each has a place in memory, a connection and an open file. */
export class Transfers {
  readonly #seen = new Map<Transfer, number | null>();
  readonly #each: AtOnce;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly limits: TransferLimits) {
    this.#each = new AtOnce(limits.each);
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), WINDOW_MS);
    this.#timer.unref();
  }

  /** Answers what is to be called at the end. Throws OVERLOADED (no place here), RATE_LIMITED (too many of this address). */
  enter(address: string, transfer: Transfer): () => void {
    if (this.#seen.size >= this.limits.most) throw new DomainError('OVERLOADED', 'Too many files are being sent and fetched.', { retryAfter: RETRY_SECONDS });
    const leave = this.#each.enter(addressKey(address));
    if (!leave) throw new DomainError('RATE_LIMITED', `At most ${this.limits.each} files are sent and fetched at once.`, { retryAfter: RETRY_SECONDS });
    this.#seen.set(transfer, null);
    return () => {
      this.#seen.delete(transfer);
      leave();
    };
  }

  /** Ends those that have hardly moved since the last look, and for whose other side we wait. */
  look(): void {
    for (const [transfer, before] of this.#seen) {
      const moved = transfer.moved();
      if (before !== null && moved - before < LEAST_BYTES && transfer.waits()) transfer.end();
      else this.#seen.set(transfer, moved);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
