import type { Sql } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import type { Mailer } from '../messaging/messaging.js';
import { cleanEmail, typedPassword } from './account-input.js';
import { emailTaken, invalidCredentials, lockForSignIn } from './accounts.js';
import type { Actor } from './actor.js';
import type { AuthLimits } from './auth-limits.js';
import { userById, type UserRow } from './loaders/users.js';
import type { Mails } from './mails.js';
import { VERIFY_EMAIL_MS, type OneTimeCodes } from './one-time-codes.js';
import type { Passwords } from './passwords.js';

export interface VerificationJob {
  userId: string;
  email: string;
  /** When the mail is too late to be of use; milliseconds since 1970. */
  until: number;
}

/** Has an address checked by writing to it, in the transaction that learned of it. */
export const enqueueVerification = (tx: Tx, userId: string, email: string): Promise<void> =>
  tx.enqueue('send-email-verification', { userId, email, until: tx.now.getTime() + VERIFY_EMAIL_MS } satisfies VerificationJob);

const UNIQUE_VIOLATION = '23505';

/** People's e-mail addresses: proving them, and changing them. */
export class EmailService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly codes: OneTimeCodes,
    private readonly passwords: Passwords,
    private readonly mailer: Mailer,
    private readonly mails: Mails,
    private readonly limits: AuthLimits,
    private readonly clock: Clock,
  ) {}

  /**
   * Has a mail sent that proves the account's address, or another one, which becomes the account's once it is proved; whoever has
   * a password gives it for that. Whether somebody else has that address is not told.
   * Errors: INVALID_INPUT, INVALID_CREDENTIALS, RATE_LIMITED.
   */
  async requestVerification(actor: Actor, input: { email?: string | null; password?: string | null }, address: string): Promise<string> {
    const wanted = input.email == null ? null : cleanEmail(input.email);
    const password = input.password == null ? null : typedPassword(input.password);
    await this.limits.address(address);
    await this.limits.account('verify', actor.userId);
    const [own] = await this.sql<{ email: string | null; verified: boolean; hash: string | null }>(
      'select email, email_verified_at is not null as verified, password_hash as hash from users where id = $1',
      [actor.userId],
    );
    const email = wanted ?? own!.email;
    if (email === null) throw invalidInput('email', 'This account has no e-mail address yet: give one.');
    if (email !== own!.email && own!.hash !== null && !(await this.passwords.matches(own!.hash, password ?? ''))) throw invalidCredentials('password');
    if (email === own!.email && own!.verified) return email;
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'requestEmailVerification' }, (tx) => enqueueVerification(tx, actor.userId, email));
    return email;
  }

  /** The job behind it. The code is made here, so that nothing but the mail ever holds it. */
  async sendVerification({ userId, email, until }: VerificationJob): Promise<void> {
    const now = this.clock.now();
    if (now.getTime() >= until) return;
    const token = this.codes.token();
    const made = await this.sql(
      `insert into one_time_codes (id, purpose, subject, user_id, code_hash, created_at, expires_at)
       select $1, 'VERIFY_EMAIL', $2, u.id, $3, $4, $5 from users u where u.id = $6 and u.erased_at is null and not exists (
         select from users o where o.email = $2 and (o.id <> u.id or o.email_verified_at is not null)
       ) returning id`,
      [newId(), email, this.codes.hashToken(token), now, new Date(until), userId],
    );
    if (made.length) await this.mailer.send(this.mails.verification(email, token));
  }

  /** Takes the code of such a mail. Errors: CODE_INVALID (unknown, or used), CODE_EXPIRED, EMAIL_TAKEN (by somebody else meanwhile), RATE_LIMITED. */
  async verify(token: string, address: string): Promise<{ user: UserRow; email: string }> {
    await this.limits.address(address);
    const hash = this.codes.hashToken(token);
    const { userId, email } = await this.unitOfWork
      .run({ actorId: newId(), operation: 'verifyEmail' }, async (tx) => {
        const { userId, subject } = await spendToken(tx, 'VERIFY_EMAIL', hash);
        // Codes that were sent to the former address are good no longer.
        await voidTokens(tx, userId);
        await tx.sql('update users set email = $2, email_verified_at = $3, version = version + 1 where id = $1', [userId, subject, tx.now]);
        tx.append(userStream(userId), { kind: 'account.changed' });
        return { userId, email: subject };
      })
      .catch((error: { code?: string }) => {
        throw error.code === UNIQUE_VIOLATION ? emailTaken('token') : error;
      });
    const [user] = await userById.batch([userId], { sql: this.sql, viewerId: userId, now: this.clock.now() });
    return { user: user!, email };
  }
}

/**
 * Takes the token of a mail, with its person's row locked, so that two uses come one after the other. Errors: CODE_INVALID, CODE_EXPIRED.
 */
export async function spendToken(tx: Tx, purpose: 'VERIFY_EMAIL' | 'RESET_PASSWORD', hash: Buffer): Promise<{ userId: string; subject: string }> {
  const invalid = () => new DomainError('CODE_INVALID', 'This is not a code that can be used, or not any more.', { field: 'token' });
  const [sent] = await tx.sql<{ id: string; userId: string }>('select id, user_id as "userId" from one_time_codes where code_hash = $1 and purpose = $2', [hash, purpose]);
  if (!sent || !(await lockForSignIn(tx, sent.userId))) throw invalid();
  // Who is erased may have a mail on its way, by which they would have an address again, and nobody else could have it.
  const [spent] = await tx.sql<{ subject: string; expired: boolean }>(
    'update one_time_codes set used_at = $2 where id = $1 and used_at is null and exists (select from users u where u.id = user_id and u.erased_at is null) returning subject, expires_at <= $2 as expired',
    [sent.id, tx.now],
  );
  if (!spent) throw invalid();
  if (spent.expired) throw new DomainError('CODE_EXPIRED', 'This code has expired: ask for another.', { field: 'token' });
  return { userId: sent.userId, subject: spent.subject };
}

/** Makes what was mailed to a person and not used yet void; their row is locked. */
export const voidTokens = (tx: Tx, userId: string): Promise<unknown> => tx.sql('update one_time_codes set used_at = $2 where user_id = $1 and used_at is null', [userId, tx.now]);
