import type { Sql } from '../db/database.js';
import type { AttemptLimiter } from '../lib/attempt-limiter.js';
import type { Clock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';

/**
 * A share of something for a window of time, counted in PostgreSQL: it holds across processes and restarts. For what is
 * asked rarely and must not be outwitted; a request's own limits stand in server/limits.
 */
export class Quota implements AttemptLimiter {
  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly options: { name: string; points: number; seconds: number },
  ) {}

  /** Counts nothing when it refuses. Throws `RATE_LIMITED` with the seconds until the window ends. */
  async consume(key: string, points = 1): Promise<void> {
    const { name, points: share, seconds } = this.options;
    const now = this.clock.now();
    const row = `${name} ${key}`;
    const taken = points > share ? [] : await this.sql(
      `insert into quotas (key, began_at, used) values ($1, $2, $3)
       on conflict (key) do update set
         began_at = case when quotas.began_at <= $2 - make_interval(secs => $5) then $2 else quotas.began_at end,
         used = case when quotas.began_at <= $2 - make_interval(secs => $5) then 0 else quotas.used end + $3
       where quotas.began_at <= $2 - make_interval(secs => $5) or quotas.used + $3 <= $4 returning 1`,
      [row, now, points, share, seconds],
    );
    if (taken.length) return;
    const [window] = await this.sql<{ beganAt: Date }>('select began_at as "beganAt" from quotas where key = $1', [row]);
    const left = window ? window.beganAt.getTime() + seconds * 1000 - now.getTime() : seconds * 1000;
    throw new DomainError('RATE_LIMITED', 'Too much was asked for: wait a while.', { retryAfter: Math.max(1, Math.ceil(left / 1000)) });
  }
}
