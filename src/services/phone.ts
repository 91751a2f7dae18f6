import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import type { Sql } from '../db/database.js';
import { userStream } from '../events/catalogue.js';
import { DomainError } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import type { SmsSender } from '../messaging/messaging.js';
import { cleanDevice, cleanDisplayName, cleanHandle } from './account-input.js';
import { lockForSignIn } from './accounts.js';
import type { Actor } from './actor.js';
import type { AuthLimits } from './auth-limits.js';
import type { Clock } from '../lib/clock.js';
import { userById, type UserRow } from './loaders/users.js';
import { MAX_TRIES, PHONE_CODE_MS, type OneTimeCodes } from './one-time-codes.js';
import { makePerson } from './new-person.js';
import { cleanPhone } from '../lib/phone.js';
import type { Grant, OpenedSession, SessionRow, SessionService } from './sessions.js';

/** The next code for a number may be asked for after this long, and so many an hour: text messages cost money, and patience. */
export const RESEND_MS = 60_000;
export const MAX_CODES_AN_HOUR = 5;
const HOUR_MS = 3_600_000;

export interface CodeSent {
  phone: string;
  expiresAt: Date;
  resendAt: Date;
}

export interface VerifyPhone {
  phone: string;
  code: string;
  handle?: string | null;
  displayName?: string | null;
  device?: string | null;
}

/** Tokens for whoever came in by the number; none for a viewer who has linked it to their account. */
export type PhoneVerified = Grant | { accessToken: null; accessTokenExpiresAt: null; refreshToken: null; user: UserRow; session: SessionRow };

type Checked = { opened: OpenedSession } | 'linked' | 'CODE_INVALID' | 'CODE_EXPIRED' | 'TOO_MANY_ATTEMPTS';

const REFUSALS = {
  CODE_INVALID: 'This is not the code that was sent last.',
  CODE_EXPIRED: 'This code has expired: ask for another.',
  TOO_MANY_ATTEMPTS: 'Too many wrong codes: ask for another.',
} as const;

/** Coming in by a phone number, and linking one. */
export class PhoneService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly codes: OneTimeCodes,
    private readonly sms: SmsSender,
    private readonly limits: AuthLimits,
    private readonly clock: Clock,
  ) {}

  /** Has a code sent; the earlier ones are void then. Errors: INVALID_INPUT, RATE_LIMITED (the address; or the number, by `retryAfter`). */
  async requestCode(input: { phone: string }, address: string): Promise<CodeSent> {
    const phone = cleanPhone(input.phone);
    await this.limits.address(address);
    const { expiresAt, resendAt } = await this.unitOfWork.run({ actorId: newId(), operation: 'requestPhoneCode' }, async (tx) => {
      await lockNumber(tx, phone);
      await assertMaySend(tx, phone);
      await tx.sql(`update one_time_codes set used_at = $2 where purpose = 'PHONE' and subject = $1 and used_at is null`, [phone, tx.now]);
      const id = newId();
      const expiresAt = new Date(tx.now.getTime() + PHONE_CODE_MS);
      await tx.sql(`insert into one_time_codes (id, purpose, subject, code_hash, created_at, expires_at) values ($1, 'PHONE', $2, $3, $4, $5)`, [
        id, phone, this.codes.unmade(), tx.now, expiresAt,
      ]);
      await tx.enqueue('send-phone-code', { id });
      return { expiresAt, resendAt: new Date(tx.now.getTime() + RESEND_MS) };
    });
    return { phone, expiresAt, resendAt };
  }

  /** The job behind it: makes the code, so that nothing but the message ever holds it. Run again it sends another, and only that is good. */
  async sendCode({ id }: { id: string }): Promise<void> {
    const code = this.codes.digits();
    const [row] = await this.sql<{ phone: string }>(
      'update one_time_codes set code_hash = $2 where id = $1 and used_at is null and expires_at > $3 returning subject as phone',
      [id, this.codes.hashDigits(id, code), this.clock.now()],
    );
    if (row) await this.sms.send({ to: row.phone, text: `${code} is your code. It is good for ten minutes. Give it to nobody.` });
  }

  /**
   * Takes a code: signs its number's owner in, or a new person up (with a handle made for them unless they ask for one). With a
   * viewer it links the number to them instead.
   * Errors: CODE_INVALID, CODE_EXPIRED, TOO_MANY_ATTEMPTS, PHONE_TAKEN (linking), HANDLE_TAKEN, FORBIDDEN (suspended), INVALID_INPUT, RATE_LIMITED.
   * A code is spent by success alone.
   */
  async verifyCode(viewer: Actor | null, input: VerifyPhone, address: string): Promise<PhoneVerified> {
    const phone = cleanPhone(input.phone);
    const handle = input.handle == null ? null : cleanHandle(input.handle);
    const displayName = input.displayName == null ? null : cleanDisplayName(input.displayName);
    const device = cleanDevice(input.device);
    await this.limits.address(address);
    const checked = await this.unitOfWork.run<Checked>({ actorId: newId(), operation: 'verifyPhoneCode' }, async (tx) => {
      await lockNumber(tx, phone);
      const refusal = await this.#spend(tx, phone, input.code);
      if (refusal) return refusal;
      const [owner] = await tx.sql<{ id: string }>('select id from users where phone = $1', [phone]);
      if (viewer) {
        await link(tx, viewer.userId, phone, owner?.id ?? null);
        return 'linked';
      }
      const id = owner?.id ?? (await makePerson(tx, { handle, displayName, phone }));
      return { opened: await this.sessions.open(tx, (await lockForSignIn(tx, id))!, device) };
    });
    if (typeof checked === 'object') return this.sessions.grant(checked.opened);
    if (checked !== 'linked') throw new DomainError(checked, REFUSALS[checked], { field: 'code' });
    return { accessToken: null, accessTokenExpiresAt: null, refreshToken: null, ...(await this.#own(viewer!)) };
  }

  async #spend(tx: Tx, phone: string, code: string): Promise<keyof typeof REFUSALS | null> {
    const [sent] = await tx.sql<{ id: string; hash: Buffer; tries: number; expired: boolean }>(
      `select id, code_hash as hash, tries, expires_at <= $2 as expired from one_time_codes
       where purpose = 'PHONE' and subject = $1 and used_at is null order by created_at desc, id desc limit 1 for update`,
      [phone, tx.now],
    );
    if (!sent) return 'CODE_INVALID';
    if (sent.expired) return 'CODE_EXPIRED';
    if (sent.tries >= MAX_TRIES) return 'TOO_MANY_ATTEMPTS';
    if (!this.codes.matches(sent.hash, sent.id, code)) {
      await tx.sql('update one_time_codes set tries = tries + 1 where id = $1', [sent.id]);
      return 'CODE_INVALID';
    }
    await tx.sql('update one_time_codes set used_at = $2 where id = $1', [sent.id, tx.now]);
    return null;
  }

  async #own(viewer: Actor): Promise<{ user: UserRow; session: SessionRow }> {
    const [user] = await userById.batch([viewer.userId], { sql: this.sql, viewerId: viewer.userId, now: this.clock.now() });
    return { user: user!, session: await this.sessions.own(viewer) };
  }
}

/** Whatever is done with one number is done one after the other, also while nobody has it. */
const lockNumber = (tx: Tx, phone: string): Promise<unknown> => tx.sql(`select pg_advisory_xact_lock(hashtextextended('phone ' || $1, 0))`, [phone]);

async function assertMaySend(tx: Tx, phone: string): Promise<void> {
  const rows = await tx.sql<{ createdAt: Date }>(
    `select created_at as "createdAt" from one_time_codes where purpose = 'PHONE' and subject = $1 and created_at > $2 order by created_at desc limit $3`,
    [phone, new Date(tx.now.getTime() - HOUR_MS), MAX_CODES_AN_HOUR],
  );
  const waits = [
    rows[0] ? rows[0].createdAt.getTime() + RESEND_MS : 0,
    rows.length === MAX_CODES_AN_HOUR ? rows.at(-1)!.createdAt.getTime() + HOUR_MS : 0,
  ];
  const wait = Math.max(...waits) - tx.now.getTime();
  if (wait > 0) throw new DomainError('RATE_LIMITED', 'A code was sent to this number a moment ago, or too many were.', { field: 'phone', retryAfter: Math.ceil(wait / 1000) });
}

async function link(tx: Tx, userId: string, phone: string, ownerId: string | null): Promise<void> {
  if (ownerId !== null && ownerId !== userId) throw new DomainError('PHONE_TAKEN', 'This number belongs to another account.', { field: 'phone' });
  if (ownerId === userId) return;
  await tx.sql('update users set phone = $2, version = version + 1 where id = $1', [userId, phone]);
  tx.append(userStream(userId), { kind: 'account.changed' });
}
