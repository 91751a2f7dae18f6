import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { AttemptLimiter } from '../../lib/attempt-limiter.js';
import { DomainError } from '../../lib/errors.js';

/** Tries are counted over this long; afterwards a key begins anew. */
export const ATTEMPTS_WINDOW_SECONDS = 600;

/** Counts in this process alone. What it holds is bounded by the addresses that can connect within the window. */
export class MemoryAttemptLimiter implements AttemptLimiter {
  readonly #limiter: RateLimiterMemory;

  constructor(perWindow: number) {
    this.#limiter = new RateLimiterMemory({ points: perWindow, duration: ATTEMPTS_WINDOW_SECONDS, keyPrefix: 'attempts' });
  }

  async consume(key: string, points = 1): Promise<void> {
    try {
      await this.#limiter.consume(key, points);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw new DomainError('RATE_LIMITED', 'Too many tries: wait a while.', { retryAfter: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)) });
    }
  }
}
