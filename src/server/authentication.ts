import { DomainError } from '../lib/errors.js';
import type { Viewer } from '../resolvers/context.js';
import type { AppService } from '../services/apps/apps.js';
import type { Guest } from '../services/calls/caller.js';
import type { SessionGate } from '../services/session-gate.js';
import type { AccessTokens } from '../services/tokens.js';

/** A person with an account, or a guest of a call: one of the two. */
export interface Authenticated {
  viewer: Viewer | null;
  guest: Guest | null;
  expiresAt: Date;
}

const MAX_TOKEN_LENGTH = 4_096;
const A_DAY_MS = 86_400_000;

/** Reads `Authorization: Bearer …`, from HTTP and from connection_init alike. */
export class Authentication {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionGate,
    private readonly keys: Pick<AppService, 'verifyKey'>,
    private readonly now: () => Date,
  ) {}

  /**
   * Null when nothing was given: the anonymous may sign up and in.
   * Throws UNAUTHENTICATED (not a token of ours), TOKEN_EXPIRED, SESSION_ENDED.
   */
  async authenticate(authorization: unknown): Promise<Authenticated | null> {
    if (authorization === undefined || authorization === null || authorization === '') return null;
    const match = typeof authorization === 'string' && authorization.length <= MAX_TOKEN_LENGTH ? /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) : null;
    if (!match) {
      const key = typeof authorization === 'string' ? /^Bearer (otk_[\w-]{43})$/i.exec(authorization) : null;
      if (key) return this.#byKey(key[1]!);
      throw new DomainError('UNAUTHENTICATED', 'Authorization is not of the form "Bearer <accessToken>".');
    }
    const { actor, guest, expiresAt } = this.tokens.verify(match[1]!);
    return { viewer: actor && (await this.sessions.check(actor)), guest, expiresAt };
  }

  /** A key of an app. A connection that one opens stands for a day, or as long as the key. */
  async #byKey(key: string): Promise<Authenticated> {
    const owner = await this.keys.verifyKey(key);
    if (!owner) throw new DomainError('UNAUTHENTICATED', 'The API key is not valid.');
    const { expiresAt, ...actor } = owner;
    const tomorrow = new Date(this.now().getTime() + A_DAY_MS);
    return { viewer: await this.sessions.check({ ...actor, role: 'USER' }), guest: null, expiresAt: expiresAt && expiresAt < tomorrow ? expiresAt : tomorrow };
  }
}
