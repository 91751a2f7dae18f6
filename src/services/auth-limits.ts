import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { AttemptLimiter } from '../lib/attempt-limiter.js';

/** A try against one account weighs as much as this many from one address: a third as many are let through. */
const ACCOUNT_WEIGHT = 3;

/** How often an address, and whoever aims at one account, may try to come in. */
export class AuthLimits {
  constructor(private readonly limiter: AttemptLimiter) {}

  /** Throws `RATE_LIMITED`. */
  address(address: string): Promise<void> {
    return this.limiter.consume(`address ${networkOf(address)}`);
  }

  /**
   * The same for accounts that exist and those that don't. `name` is whatever the caller names the account by: it is hashed, so no key is long.
   * Throws `RATE_LIMITED`.
   */
  account(purpose: string, name: string): Promise<void> {
    return this.limiter.consume(`${purpose} ${createHash('sha256').update(name).digest('base64url')}`, ACCOUNT_WEIGHT);
  }
}

/** An IPv6 subscriber has a whole /64 to take addresses from, so that is what is counted; an IPv4 address is itself. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.split('%')[0]!.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right ? right.split(':') : [];
  const groups = right === undefined ? head : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
