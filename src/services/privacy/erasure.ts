import { randomBytes } from 'node:crypto';
import { LONG_WORK, type Tx, type UnitOfWork } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { sameSecret } from '../../lib/secrets.js';
import { cleanText } from '../../lib/validate.js';
import { assertCanErase, assertMay } from '../../policies/role-policy.js';
import { typedPassword } from '../account-input.js';
import { invalidCredentials } from '../accounts.js';
import { NOBODY, type Actor } from '../actor.js';
import { audit } from '../audit.js';
import type { AuthLimits } from '../auth-limits.js';
import { avatarFileId } from '../files/avatars.js';
import { releaseFiles } from '../files/file-claims.js';
import type { FileRemoval } from '../files/file-removal.js';
import { USERS } from '../loaders/users.js';
import type { Passwords } from '../passwords.js';
import type { SessionService } from '../sessions.js';
import { type ErasureSteps } from './erasure-steps.js';
import { ROOMS } from './holdings/index.js';

export interface ErasureJob {
  userId: string;
}

interface Subject {
  id: string;
  kind: 'PERSON' | 'BOT';
  handle: string;
  role: Actor['role'];
  avatarUrl: string | null;
  passwordHash: string | null;
  erased: boolean;
}

/**
 * Forgets a person. At once: their name, their ways in, their sessions; the row of `users` is a pseudonym from then on. The rest follows in a job, room by room as
 * holdings/ declares. It can't be taken back.
 */
export class ErasureService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly passwords: Passwords,
    private readonly limits: AuthLimits,
    private readonly steps: ErasureSteps,
    private readonly files: FileRemoval,
  ) {}

  /** Of somebody else, for administrators. Of one who is erased already nothing changes. Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT, STATE_CONFLICT (has a role, or a shop with orders under way). */
  async erase(actor: Actor, userId: string, reason: string): Promise<void> {
    assertMay(actor, 'ERASE_OTHERS');
    const why = cleanText(reason, { field: 'reason', maxBytes: 2_048, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'eraseUser' }, async (tx) => {
      const subject = await lockSubject(tx, userId);
      if (!subject || subject.kind === 'BOT') throw new DomainError('NOT_FOUND', 'There is no such person.', { field: 'userId' });
      if (!subject.erased) await this.#begin(tx, actor, subject, why);
      return null;
    });
  }

  /** One's own account: its handle, and its password where it has one, say that it is meant. Errors: INVALID_INPUT, INVALID_CREDENTIALS, STATE_CONFLICT, RATE_LIMITED. */
  async eraseOwn(actor: Actor, input: { handle: string; password: string | null }): Promise<void> {
    const password = input.password === null ? null : typedPassword(input.password);
    await this.limits.account('erase', actor.userId);
    const subject = await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteAccount' }, (tx) => lockSubject(tx, actor.userId));
    if (!subject || subject.handle.toLowerCase() !== input.handle.replace(/^@/, '').toLowerCase()) throw invalidInput('handle', 'This is not the handle of the account.');
    // Outside of the transaction: a password takes its time.
    if (subject.passwordHash !== null && !(await this.passwords.matches(subject.passwordHash, password ?? ''))) throw invalidCredentials('password');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteAccount' }, async (tx) => {
      const now = (await lockSubject(tx, actor.userId))!;
      if (!sameSecret(now.passwordHash, subject.passwordHash)) throw invalidCredentials('password');
      if (!now.erased) await this.#begin(tx, actor, now, null);
      return null;
    });
  }

  /** By a rule of retention. False where somebody must decide first (a role, a shop). */
  async eraseByTime(userId: string): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'eraseByTime' }, async (tx) => {
      const subject = await lockSubject(tx, userId);
      if (!subject || subject.erased || subject.role !== 'USER' || (await hasBusiness(tx, userId))) return false;
      await this.#begin(tx, null, subject, 'Nobody has used it for as long as accounts are kept.');
      return true;
    });
  }

  /** The job: everything else. It runs again from the beginning where it was cut off. */
  async run({ userId }: ErasureJob): Promise<void> {
    const counts: Record<string, number> = {};
    const done = new Set<string>();
    for (const holdings of Object.values(ROOMS)) {
      for (const { table, erased } of holdings) {
        if (erased === null) continue;
        if (typeof erased === 'string') counts[table] = await this.steps.statement(erased, userId);
        else if (erased.step !== 'pseudonym' && erased.step !== 'files' && !done.has(erased.step)) {
          done.add(erased.step);
          counts[table] = await this.steps.run(erased.step, userId);
        }
      }
    }
    await this.files.releaseFilesOf(userId);
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'finishErasure' }, async (tx) => {
      const [first] = await tx.sql<{ by: string | null }>('update erasures set finished_at = $2, counts = $3 where user_id = $1 and finished_at is null returning requested_by as by', [userId, tx.now, JSON.stringify(counts)]);
      if (first) await audit(tx, { actorId: first.by, action: 'USER_ERASURE_FINISHED', subject: { type: 'User', id: userId }, details: Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)) });
      return null;
    });
  }

  async #begin(tx: Tx, actor: Actor | null, subject: Subject, reason: string | null): Promise<void> {
    if (actor) assertCanErase(actor, subject);
    if (await hasBusiness(tx, subject.id)) throw new DomainError('STATE_CONFLICT', 'A shop of theirs has orders, group buys or payouts under way: they are finished first.');
    const { id } = subject;
    if (avatarFileId(subject.avatarUrl)) await releaseFiles(tx, 'USER_AVATAR', [{ id }]);
    const handle = `deleted_${randomBytes(6).toString('hex')}`;
    await tx.sql(
      `update users set handle = $2, handle_key = $2, display_name = 'Deleted account', about = null, avatar_url = null, email = null, email_verified_at = null, phone = null, password_hash = null,
         last_seen_at = null, presence_privacy = 'NOBODY', find_by_phone = false, discoverable = false, suspended_at = coalesce(suspended_at, $3), suspended_until = null, erased_at = $3, version = version + 1 where id = $1`,
      [id, handle, tx.now],
    );
    await tx.sql('delete from identities where user_id = $1', [id]);
    await this.sessions.endAll(tx, id, 'SUSPENDED');
    tx.changed(USERS, id);
    tx.append(userStream(id), { kind: 'profile.changed' });
    await tx.sql('insert into erasures (user_id, requested_by, created_at) values ($1, $2, $3) on conflict do nothing', [id, actor?.userId ?? null, tx.now]);
    await audit(tx, { actorId: actor?.userId ?? null, action: 'USER_ERASED', subject: { type: 'User', id }, details: { reason, own: actor?.userId === id } });
    await tx.enqueue('erase-user', { userId: id } satisfies ErasureJob, { key: `erase-user ${id}`, queue: LONG_WORK });
  }
}

async function lockSubject(tx: Tx, userId: string): Promise<Subject | null> {
  const [row] = await tx.sql<Subject>(
    'select id, kind, handle, role, avatar_url as "avatarUrl", password_hash as "passwordHash", erased_at is not null as erased from users where id = $1 for no key update',
    [userId],
  );
  return row ?? null;
}

/** Others wait for something that only they can do. */
async function hasBusiness(tx: Tx, userId: string): Promise<boolean> {
  const [row] = await tx.sql<{ busy: boolean }>(
    `select exists (select from shops s where s.owner_id = $1 and (
       exists (select from orders o where o.shop_id = s.id and o.state in ('PENDING', 'CONFIRMED')) or exists (select from group_buys g where g.shop_id = s.id and g.state = 'OPEN')
       or exists (select from payouts p where p.shop_id = s.id and p.state = 'REQUESTED'))) as busy`,
    [userId],
  );
  return row!.busy;
}
