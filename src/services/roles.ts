import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import { DomainError, forbidden, invalidInput, notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import { cleanText } from '../lib/validate.js';
import { assertCanSuspend, assertMay } from '../policies/role-policy.js';
import type { Actor } from './actor.js';
import { audit } from './audit.js';
import type { SessionService } from './sessions.js';

const MAX_REASON_BYTES = 2_048;

interface Person {
  id: string;
  kind: 'PERSON' | 'BOT';
  handle: string;
  role: Actor['role'];
  suspended: boolean;
}
const PERSON = 'select id, kind, handle, role, suspended_at is not null as suspended from users';

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
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
  ) {}

  /**
   * Ends somebody's sessions and lets them open none; what they wrote stays. Of one who is suspended already nothing changes.
   * Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT.
   */
  async suspend(actor: Actor, userId: string, reason: string): Promise<void> {
    assertMay(actor, 'SUSPEND');
    const why = cleanText(reason, { field: 'reason', maxBytes: MAX_REASON_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'suspendUser' }, async (tx) => {
      await suspendIn(tx, this.sessions, actor, userId, why);
      return null;
    });
  }

  /** Lets somebody in again: they sign in anew. Errors: FORBIDDEN, NOT_FOUND, INVALID_INPUT. */
  async reinstate(actor: Actor, userId: string, reason: string): Promise<void> {
    assertMay(actor, 'SUSPEND');
    const why = cleanText(reason, { field: 'reason', maxBytes: MAX_REASON_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'reinstateUser' }, async (tx) => {
      const person = await lockPerson(tx, userId);
      assertCanSuspend(actor, person);
      if (!person.suspended) return null;
      await tx.sql('update users set suspended_at = null, version = version + 1 where id = $1', [userId]);
      await audit(tx, { actorId: actor.userId, action: 'USER_REINSTATED', subject: { type: 'User', id: userId }, details: { reason: why } });
      return null;
    });
  }
}

/** Suspends somebody within a decision of its own, as a moderator's. Errors: FORBIDDEN, NOT_FOUND. */
export async function suspendIn(tx: Tx, sessions: SessionService, actor: Actor, userId: string, reason: string): Promise<void> {
  const person = await lockPerson(tx, userId);
  assertCanSuspend(actor, person);
  if (person.suspended) return;
  await tx.sql('update users set suspended_at = $2, version = version + 1 where id = $1', [userId, tx.now]);
  await sessions.endAll(tx, userId, 'SUSPENDED');
  await audit(tx, { actorId: actor.userId, action: 'USER_SUSPENDED', subject: { type: 'User', id: userId }, details: { reason } });
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
