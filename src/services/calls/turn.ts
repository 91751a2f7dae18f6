import { createHmac } from 'node:crypto';
import type { Clock } from '../../lib/clock.js';
import { DomainError } from '../../lib/errors.js';
import type { CallCaller } from './caller.js';

/** Longer than a call usually is: a client asks again before it is over. */
export const TURN_TTL_SECONDS = 3_600;

export interface TurnCredentials {
  urls: string[];
  username: string;
  credential: string;
  expiresAt: Date;
}

/** Credentials for a coturn of the operator's own, by the secret that both know (coturn: use-auth-secret). */
export class TurnService {
  constructor(
    private readonly clock: Clock,
    private readonly options: { urls: readonly string[]; secret: string | undefined },
  ) {}

  get configured(): boolean {
    return this.options.urls.length > 0 && this.options.secret !== undefined;
  }

  /** Good for an hour. Throws CALLS_UNAVAILABLE where no TURN server is set up. */
  credentials({ userId, tokenId }: CallCaller): TurnCredentials {
    const { urls, secret } = this.options;
    if (!urls.length || secret === undefined) throw new DomainError('CALLS_UNAVAILABLE', 'There is no TURN server: the operator sets TURN_URLS and TURN_SECRET.');
    const expires = Math.floor(this.clock.now().getTime() / 1000) + TURN_TTL_SECONDS;
    // coturn reads the time before the colon, and shows what is behind it in its log.
    const username = `${expires}:${userId ?? tokenId}`;
    return { urls: [...urls], username, credential: createHmac('sha1', secret).update(username).digest('base64'), expiresAt: new Date(expires * 1000) };
  }
}
