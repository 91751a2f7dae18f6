import type { UnitOfWork } from '../db/unit-of-work.js';
import { DomainError } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { cleanDevice, cleanDisplayName } from './account-input.js';
import { lockForSignIn } from './accounts.js';
import type { AuthLimits } from './auth-limits.js';
import type { Identity, IdentityProvider } from './identity-provider.js';
import { makePerson } from './new-person.js';
import type { Grant, SessionService } from './sessions.js';

/** Coming in by a partner's own identity provider. */
export class IdentityService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    /** Null where none is set. */
    private readonly provider: IdentityProvider | null,
    private readonly limits: AuthLimits,
  ) {}

  /**
   * Signs in whoever the token is about, known by (issuer, subject) and by nothing else; the first time it makes the person, with a
   * handle like their name there. Errors: UNAUTHENTICATED, FORBIDDEN (suspended), INVALID_INPUT, RATE_LIMITED, UNAVAILABLE.
   */
  async signIn(input: { token: string; device?: string | null }, address: string): Promise<Grant> {
    const device = cleanDevice(input.device);
    await this.limits.address(address);
    if (!this.provider) throw new DomainError('UNAUTHENTICATED', 'This server takes tokens of no identity provider.', { field: 'token' });
    const identity = await this.provider.verify(input.token);
    const opened = await this.unitOfWork.run({ actorId: newId(), operation: 'signInWithIdentity' }, async (tx) => {
      const { issuer, subject } = identity;
      // Two first sign-ins at once would make two people.
      await tx.sql(`select pg_advisory_xact_lock(hashtextextended('identity ' || $1 || ' ' || $2, 0))`, [issuer, subject]);
      const [known] = await tx.sql<{ userId: string }>('select user_id as "userId" from identities where issuer = $1 and subject = $2', [issuer, subject]);
      const userId = known?.userId ?? (await makePerson(tx, { like: identity.username ?? identity.name, displayName: displayNameOf(identity) }));
      if (!known) await tx.sql('insert into identities (issuer, subject, user_id, created_at) values ($1, $2, $3, $4)', [issuer, subject, userId, tx.now]);
      return this.sessions.open(tx, (await lockForSignIn(tx, userId))!, device);
    });
    return this.sessions.grant(opened);
  }
}

/** The name that the provider tells, where it can be one here. */
function displayNameOf({ name, username }: Identity): string | null {
  for (const given of [name, username]) {
    try {
      if (given !== null) return cleanDisplayName(given);
    } catch {
      // The next one will do, or the handle.
    }
  }
  return null;
}
