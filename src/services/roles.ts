import type { Sql } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import { DomainError, forbidden, invalidInput, notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { boundedInt, cleanText } from '../lib/validate.js';
import { assertCanSuspend, assertMay } from '../policies/role-policy.js';
import { NOBODY, type Actor } from './actor.js';
import { audit } from './audit.js';
import type { SessionService } from './sessions.js';

const MAX_REASON_BYTES = 2_048;
const MAX_SUSPENSION_SECONDS = 365 * 86_400;
const ENDED_AT_ONCE = 100;

interface Person {
  id: string;
  kind: 'PERSON' | 'BOT';
  handle: string;
  role: Actor['role'];
  suspended: boolean;
  /** Null: until they are reinstated. */
  suspendedUntil: Date | null;
}
const PERSON = 'select id, kind, handle, role, suspended_at is not null as suspended, suspended_until as "suspendedUntil" from users';

/** Who does what for the place, and who is kept out of it. */
export class RoleService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Gives a role to whoever has this handle or e-mail address, on the word of the operator. Anybody may sign up with another's address: `proved` tells whether this one
   * was shown to be theirs. Sessions that stand have the role within seconds. Errors: NOT_FOUND.
   */
  async give(handleOrEmail: string, role: Actor['role']): Promise<{ handle: string; before: Actor['role']; proved: boolean }> {
    const name = handleOrEmail.trim().replace(/^@/, '').toLowerCase();
    return this.unitOfWork.run({ actorId: newId(), operation: 'giveRole' }, async (tx) => {
      const [found] = await tx.sql<{ id: string; proved: boolean }>(
        `select id, handle_key = $1 or email_verified_at is not null as proved from users where kind = 'PERSON' and (handle_key = $1 or email = $1)`,
        [name],
      );
      if (!found) throw notFound('person');
      const person = await lockPerson(tx, found.id);
      await setRole(tx, null, person, role);
      return { handle: person.handle, before: person.role, proved: found.proved };
    });
  }

  /**
   * Sets what somebody does for the place: nothing, one role, or ADMIN, which has the others in it. Sessions that stand have the role within seconds.
   * Errors: FORBIDDEN (also for oneself: so there is an administrator always), NOT_FOUND, INVALID_INPUT.
   */
  async set(actor: Actor, userId: string, roles: readonly Actor['role'][]): Promise<void> {
    assertMay(actor, 'SET_ROLES');
    const role = theOne(roles);
    if (userId === actor.userId) throw forbidden('Your own role is for another administrator to change.');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'setUserRoles' }, async (tx) => {
      const person = await lockPerson(tx, userId);
      if (person.kind === 'BOT') throw notFound('person');
      await setRole(tx, actor.userId, person, role);
      return null;
    });
  }
}

/** Who is kept out. */
export class SuspensionService {
  static readonly DUE = 'exists (select from users where suspended_until <= $1)';

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
    private readonly clock: Clock,
  ) {}

  /**
   * Ends somebody's sessions and lets them open none, for so many seconds, or (null) until they are reinstated; what they wrote stays. Of one who is suspended already only the end changes. Answers when it ends.
   * Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT.
   */
  async suspend(actor: Actor, userId: string, { reason, seconds }: { reason: string; seconds: number | null }): Promise<Date | null> {
    assertMay(actor, 'SUSPEND');
    const why = cleanText(reason, { field: 'reason', maxBytes: MAX_REASON_BYTES, multiline: true });
    checkSuspension(seconds, 'seconds');
    const { until } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'suspendUser' }, async (tx) => ({ until: await suspendIn(tx, this.sessions, actor, { userId, seconds, reason: why }) }));
    return until;
  }

  /** One round of ending suspensions whose time is over; true when there may be more. */
  async sweep(): Promise<boolean> {
    const due = await this.sql<{ id: string }>('select id from users where suspended_until <= $1 order by suspended_until limit $2', [this.clock.now(), ENDED_AT_ONCE]);
    for (const { id } of due) {
      await this.unitOfWork.run({ actorId: NOBODY, operation: 'endSuspension' }, async (tx) => {
        const ended = await tx.sql('update users set suspended_at = null, suspended_until = null, version = version + 1 where id = $1 and suspended_until <= $2 returning 1', [id, tx.now]);
        if (ended.length) await audit(tx, { actorId: null, action: 'USER_REINSTATED', subject: { type: 'User', id }, details: { reason: 'its time is over' } });
        return null;
      });
    }
    return due.length === ENDED_AT_ONCE;
  }

  /** Lets somebody in again: they sign in anew. Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT. */
  async reinstate(actor: Actor, userId: string, reason: string): Promise<void> {
    assertMay(actor, 'SUSPEND');
    const why = cleanText(reason, { field: 'reason', maxBytes: MAX_REASON_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'reinstateUser' }, async (tx) => {
      const person = await lockPerson(tx, userId);
      assertCanSuspend(actor, person);
      if (!person.suspended) return null;
      await tx.sql('update users set suspended_at = null, suspended_until = null, version = version + 1 where id = $1', [userId]);
      await audit(tx, { actorId: actor.userId, action: 'USER_REINSTATED', subject: { type: 'User', id: userId }, details: { reason: why } });
      return null;
    });
  }
}

/** Null: for good. Throws INVALID_INPUT. */
export function checkSuspension(seconds: number | null, field: string): void {
  if (seconds !== null) boundedInt(seconds, field, 1, MAX_SUSPENSION_SECONDS);
}

/** Suspends somebody within a decision of its own, as a moderator's. Answers when it ends. Errors: FORBIDDEN, NOT_FOUND. */
export async function suspendIn(tx: Tx, sessions: SessionService, actor: Actor, { userId, seconds, reason }: { userId: string; seconds: number | null; reason: string }): Promise<Date | null> {
  const person = await lockPerson(tx, userId);
  assertCanSuspend(actor, person);
  const until = seconds === null ? null : new Date(tx.now.getTime() + seconds * 1000);
  if (person.suspended && person.suspendedUntil?.getTime() === until?.getTime()) return until;
  await tx.sql('update users set suspended_at = coalesce(suspended_at, $2), suspended_until = $3, version = version + 1 where id = $1', [userId, tx.now, until]);
  await sessions.endAll(tx, userId, 'SUSPENDED');
  await audit(tx, { actorId: actor.userId, action: 'USER_SUSPENDED', subject: { type: 'User', id: userId }, details: { reason, ...(seconds === null ? {} : { seconds }) } });
  return until;
}

async function lockPerson(tx: Tx, userId: string): Promise<Person> {
  const [person] = await tx.sql<Person>(`${PERSON} where id = $1 and erased_at is null for no key update`, [userId]);
  if (!person) throw new DomainError('NOT_FOUND', 'There is no such person.', { field: 'userId' });
  return person;
}

async function setRole(tx: Tx, actorId: string | null, person: Person, role: Actor['role']): Promise<void> {
  if (person.role === role) return;
  await tx.sql('update users set role = $2, version = version + 1 where id = $1', [person.id, role]);
  tx.append(userStream(person.id), { kind: 'account.changed' });
  await audit(tx, { actorId, action: 'ROLE_SET', subject: { type: 'User', id: person.id }, details: { before: person.role, after: role } });
}

/** USER goes without saying, and ADMIN has the others in it. */
function theOne(roles: readonly Actor['role'][]): Actor['role'] {
  if (roles.length > 5) throw invalidInput('roles', 'roles holds more than 5 items.');
  if (roles.includes('ADMIN')) return 'ADMIN';
  const special = [...new Set(roles)].filter((role) => role !== 'USER');
  if (special.length > 1) throw invalidInput('roles', 'A person has one role beside USER; ADMIN has the others in it.');
  return special[0] ?? 'USER';
}
