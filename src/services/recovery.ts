import type { Sql } from '../db/database.js';
import type { UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import { newId } from '../lib/ids.js';
import { sameSecret } from '../lib/secrets.js';
import type { Mailer } from '../messaging/messaging.js';
import { cleanEmail, newPassword, typedPassword } from './account-input.js';
import { invalidCredentials, lockForSignIn } from './accounts.js';
import type { Actor } from './actor.js';
import { unlinkApps } from './apps/end-app.js';
import type { AuthLimits } from './auth-limits.js';
import { spendToken, voidTokens } from './emails.js';
import { userById, type UserRow } from './loaders/users.js';
import type { Mails } from './mails.js';
import { RESET_PASSWORD_MS, type OneTimeCodes } from './one-time-codes.js';
import type { Passwords } from './passwords.js';
import type { SessionService } from './sessions.js';

export interface ResetJob {
  email: string;
  /** When the mail is too late to be of use; milliseconds since 1970. */
  until: number;
}

/** Passwords that were forgotten, and those that are changed. */
export class RecoveryService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly codes: OneTimeCodes,
    private readonly passwords: Passwords,
    private readonly mailer: Mailer,
    private readonly mails: Mails,
    private readonly limits: AuthLimits,
    private readonly clock: Clock,
  ) {}

  /**
   * Has a code mailed to the address, if an account has it. The same is done and answered for every address: only the job looks.
   * Errors: INVALID_INPUT, RATE_LIMITED.
   */
  async request(input: { email: string }, address: string): Promise<string> {
    const email = cleanEmail(input.email);
    await this.limits.address(address);
    await this.limits.account('reset', email);
    await this.unitOfWork.run({ actorId: newId(), operation: 'requestPasswordReset' }, (tx) =>
      tx.enqueue('send-password-reset', { email, until: tx.now.getTime() + RESET_PASSWORD_MS } satisfies ResetJob),
    );
    return email;
  }

  /** The job behind it. */
  async sendReset({ email, until }: ResetJob): Promise<void> {
    const now = this.clock.now();
    if (now.getTime() >= until) return;
    const token = this.codes.token();
    const made = await this.sql(
      `insert into one_time_codes (id, purpose, subject, user_id, code_hash, created_at, expires_at)
       select $1, 'RESET_PASSWORD', u.email, u.id, $2, $3, $4 from users u where u.email = $5 returning id`,
      [newId(), this.codes.hashToken(token), now, new Date(until), email],
    );
    if (made.length) await this.mailer.send(this.mails.passwordReset(email, token));
  }

  /**
   * Sets a new password by the code of such a mail, and ends every session. The mail proves the address; was it not proved before, then
   * whoever made the account may have been somebody else, and what else they could come in by is unlinked.
   * Errors: INVALID_INPUT, CODE_INVALID (unknown, or used), CODE_EXPIRED, RATE_LIMITED.
   */
  async reset(input: { token: string; password: string }, address: string): Promise<UserRow> {
    const password = newPassword(input.password);
    await this.limits.address(address);
    const passwordHash = await this.passwords.hash(password);
    const userId = await this.unitOfWork.run({ actorId: newId(), operation: 'resetPassword' }, async (tx) => {
      const { userId } = await spendToken(tx, 'RESET_PASSWORD', this.codes.hashToken(input.token));
      await voidTokens(tx, userId);
      const unproved = await tx.sql('update users set phone = null where id = $1 and email_verified_at is null returning id', [userId]);
      if (unproved.length) {
        await tx.sql('delete from identities where user_id = $1', [userId]);
        await unlinkApps(tx, this.sessions, userId);
        tx.append(userStream(userId), { kind: 'account.changed' });
      }
      await tx.sql('update users set password_hash = $2, email_verified_at = coalesce(email_verified_at, $3), version = version + 1 where id = $1', [userId, passwordHash, tx.now]);
      await this.sessions.endAll(tx, userId, 'PASSWORD_CHANGED');
      await tx.enqueue('send-password-changed', { userId });
      return userId;
    });
    return this.#user(userId);
  }

  /**
   * Sets another password, and ends every other session. Whoever has none yet (they came by phone or by an identity provider) gives no current one.
   * Errors: INVALID_INPUT, INVALID_CREDENTIALS, RATE_LIMITED.
   */
  async change(actor: Actor, input: { currentPassword?: string | null; newPassword: string }, address: string): Promise<{ user: UserRow; ended: string[] }> {
    const password = newPassword(input.newPassword, 'newPassword');
    const current = typedPassword(input.currentPassword ?? '', 'currentPassword');
    await this.limits.address(address);
    await this.limits.account('change-password', actor.userId);
    const [own] = await this.sql<{ hash: string | null }>('select password_hash as hash from users where id = $1', [actor.userId]);
    if (own!.hash !== null && !(await this.passwords.matches(own!.hash, current))) throw invalidCredentials('currentPassword');
    const passwordHash = await this.passwords.hash(password);
    const { ended } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'changePassword' }, async (tx) => {
      // As it was compared: of two changes at once, one wins.
      if (!sameSecret((await lockForSignIn(tx, actor.userId))!.passwordHash, own!.hash)) throw invalidCredentials('currentPassword');
      await voidTokens(tx, actor.userId);
      await tx.sql('update users set password_hash = $2, version = version + 1 where id = $1', [actor.userId, passwordHash]);
      await tx.enqueue('send-password-changed', { userId: actor.userId });
      return { ended: await this.sessions.endAll(tx, actor.userId, 'PASSWORD_CHANGED', actor.sessionId) };
    });
    return { user: await this.#user(actor.userId), ended };
  }

  /** The job that tells a person of it, where they have a proved address: somebody else may have done it. */
  async sendChanged({ userId }: { userId: string }): Promise<void> {
    const [row] = await this.sql<{ email: string }>('select email from users where id = $1 and email is not null and email_verified_at is not null', [userId]);
    if (row) await this.mailer.send(this.mails.passwordChanged(row.email));
  }

  async #user(userId: string): Promise<UserRow> {
    const [user] = await userById.batch([userId], { sql: this.sql, viewerId: userId, now: this.clock.now() });
    return user!;
  }
}
