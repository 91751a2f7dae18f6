import type { Sql } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { DomainError } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { sameSecret } from '../lib/secrets.js';
import { cleanDevice, cleanDisplayName, cleanEmail, cleanHandle, newPassword, typedPassword } from './account-input.js';
import type { Actor } from './actor.js';
import type { AuthLimits } from './auth-limits.js';
import { enqueueVerification } from './emails.js';
import type { Passwords } from './passwords.js';
import type { Grant, SessionService } from './sessions.js';

export interface SignUp {
  email: string;
  password: string;
  handle: string;
  displayName: string;
  device?: string | null;
}

export interface SignIn {
  email: string;
  password: string;
  device?: string | null;
}

/** Of a sign-in no field is named: which of the two is wrong is not told. */
export const invalidCredentials = (field?: string): DomainError =>
  field === undefined ? new DomainError('INVALID_CREDENTIALS', 'E-mail address and password do not go together.') : new DomainError('INVALID_CREDENTIALS', 'This is not the password.', { field });
export const emailTaken = (field: string): DomainError => new DomainError('EMAIL_TAKEN', 'There is an account with this e-mail address.', { field });

/** Coming in by e-mail address and password. */
export class AccountService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly passwords: Passwords,
    private readonly limits: AuthLimits,
  ) {}

  /** Makes a person and their first session. Errors: INVALID_INPUT, EMAIL_TAKEN, HANDLE_TAKEN, RATE_LIMITED. */
  async signUp(input: SignUp, address: string): Promise<Grant> {
    const email = cleanEmail(input.email);
    const password = newPassword(input.password);
    const handle = cleanHandle(input.handle);
    const displayName = cleanDisplayName(input.displayName);
    const device = cleanDevice(input.device);
    await this.limits.address(address);
    const passwordHash = await this.passwords.hash(password);
    const userId = newId();
    const opened = await this.unitOfWork.run({ actorId: userId, operation: 'signUp' }, async (tx) => {
      const made = await tx.sql(
        `insert into users (id, handle, handle_key, display_name, email, password_hash, created_at) values ($1, $2, lower($2), $3, $4, $5, $6) on conflict do nothing returning id`,
        [userId, handle, displayName, email, passwordHash, tx.now],
      );
      if (!made.length) {
        const [taken] = await tx.sql('select from users where email = $1', [email]);
        throw taken ? emailTaken('email') : handleTaken();
      }
      await enqueueVerification(tx, userId, email);
      return this.sessions.open(tx, { id: userId, role: 'USER', suspended: false }, device);
    });
    return this.sessions.grant(opened);
  }

  /**
   * Opens a session. An address that nobody has and a wrong password are answered alike, and as slowly.
   * Errors: INVALID_CREDENTIALS, FORBIDDEN (suspended; told only with the right password), INVALID_INPUT, RATE_LIMITED.
   */
  async signIn(input: SignIn, address: string): Promise<Grant> {
    const email = cleanEmail(input.email);
    const password = typedPassword(input.password);
    const device = cleanDevice(input.device);
    await this.limits.address(address);
    await this.limits.account('sign-in', email);
    const [user] = await this.sql<{ id: string; hash: string | null }>('select id, password_hash as hash from users where email = $1', [email]);
    if (!(await this.passwords.matches(user?.hash ?? null, password))) throw invalidCredentials();
    const opened = await this.unitOfWork.run({ actorId: user!.id, operation: 'signIn' }, async (tx) => {
      const person = await lockForSignIn(tx, user!.id);
      // The password may have been changed since it was compared, and all sessions ended: this one must not outlive that.
      if (!sameSecret(person?.passwordHash ?? null, user!.hash)) throw invalidCredentials();
      return this.sessions.open(tx, person!, device);
    });
    return this.sessions.grant(opened);
  }
}

export const handleTaken = (): DomainError => new DomainError('HANDLE_TAKEN', 'This handle is taken.', { field: 'handle' });

export interface SignInRow {
  id: string;
  role: Actor['role'];
  suspended: boolean;
  passwordHash: string | null;
}

/** Locks a person's row, so that their sign-ins, and changes of how they sign in, come one after the other. */
export async function lockForSignIn(tx: Tx, userId: string): Promise<SignInRow | null> {
  const [row] = await tx.sql<SignInRow>(
    'select id, role, suspended_at is not null as suspended, password_hash as "passwordHash" from users where id = $1 for no key update',
    [userId],
  );
  return row ?? null;
}
