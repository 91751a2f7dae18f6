/** Counts tries (at signing in, at asking for codes) so that nobody can try without end. */
export interface AttemptLimiter {
  /** Counts `points` tries (1 unless told) against a key. Throws `RATE_LIMITED` with `retryAfter`, in seconds, once the key has used up its share. */
  consume(key: string, points?: number): Promise<void>;
}
