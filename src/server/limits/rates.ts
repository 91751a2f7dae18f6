import { isIPv6 } from 'node:net';
import type { Cluster, Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { connectCluster, connectRedis, isCluster, type RedisSettings } from '../../events/redis-connect.js';
import type { AttemptLimiter } from '../../lib/attempt-limiter.js';
import { DomainError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';

export interface Rate {
  /** What may still be spent in this window. */
  remaining: number;
  /** Seconds until the window ends. */
  resetAfter: number;
}

/** Tries to get in are counted over this long, seconds; afterwards an address begins anew. */
export const ATTEMPTS_WINDOW = 600;

export interface RateOptions {
  points: number;
  /** Length of the window, seconds. */
  seconds: number;
}

/** Longer than this a request does not wait for Redis: it is counted in this process then. */
const COMMAND_TIMEOUT_MS = 250;

/** Counts what people and addresses spend in windows of time: in this process, or for all processes in Redis. */
export class Rates {
  readonly #redis: Redis | Cluster | null;

  constructor(settings: RedisSettings | null, log: Logger) {
    this.#redis = !settings
      ? null
      : isCluster(settings)
        ? connectCluster(settings, { commandTimeout: COMMAND_TIMEOUT_MS })
        // Without an answer the connection is made anew, and until it stands nobody waits for it: the process counts.
        : connectRedis(settings, { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT_MS, socketTimeout: 1_000 });
    this.#redis?.on('error', (error: Error) => log.warn({ error: error.message }, 'redis of the limits'));
  }

  /** Null without Redis. */
  get redisReady(): boolean | null {
    return this.#redis ? this.#redis.status === 'ready' : null;
  }

  /** A kind of spending. While Redis is away each process counts by itself: limits are looser then, never gone. */
  limiter(name: string, { points, seconds }: RateOptions): Limiter {
    const options = { points, duration: seconds, keyPrefix: `omnitalk:rate:${name}` };
    const memory = new RateLimiterMemory(options);
    return new Limiter(this.#redis ? new RateLimiterRedis({ ...options, storeClient: this.#redis, insuranceLimiter: memory, rejectIfRedisNotReady: true }) : memory, points);
  }

  close(): void {
    this.#redis?.disconnect();
  }
}

export class Limiter implements AttemptLimiter {
  constructor(
    private readonly store: RateLimiterAbstract,
    readonly points: number,
  ) {}

  /** Throws RATE_LIMITED, with the seconds to wait, when the window's points are spent. */
  async spend(key: string, points = 1): Promise<Rate> {
    try {
      return rateOf(await this.store.consume(key, points));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new DomainError('RATE_LIMITED', 'Too much was asked in too short a time.', { retryAfter: Math.max(1, rateOf(error).resetAfter) });
    }
  }

  async consume(key: string, points = 1): Promise<void> {
    await this.spend(key, points);
  }
}

const rateOf = (result: RateLimiterRes): Rate => ({ remaining: Math.max(0, result.remainingPoints), resetAfter: Math.ceil(result.msBeforeNext / 1000) });

/** What an address is counted under: an IPv4 address itself, of IPv6 the /64, which is what one subscriber has. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head ? head.split(':') : [];
  const right = tail ? tail.split(':') : [];
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group || '0', 16).toString(16)).join(':')}::/64`;
}
