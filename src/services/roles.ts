import type { UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import { notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import type { Actor } from './actor.js';

/** Who is a moderator or an administrator. */
export class RoleService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Gives a role to whoever has this handle or e-mail address. Anybody may sign up with another's address: `proved` tells whether this one
   * was shown to be theirs. Sessions that stand have the role within seconds. Errors: NOT_FOUND.
   */
  async give(handleOrEmail: string, role: Actor['role']): Promise<{ handle: string; before: Actor['role']; proved: boolean }> {
    const name = handleOrEmail.trim().replace(/^@/, '').toLowerCase();
    return this.unitOfWork.run({ actorId: newId(), operation: 'giveRole' }, async (tx) => {
      const [person] = await tx.sql<{ id: string; handle: string; before: Actor['role']; proved: boolean }>(
        `select id, handle, role as before, handle_key = $1 or email_verified_at is not null as proved
         from users where kind = 'PERSON' and (handle_key = $1 or email = $1) for no key update`,
        [name],
      );
      if (!person) throw notFound('person');
      if (person.before !== role) {
        await tx.sql('update users set role = $2, version = version + 1 where id = $1', [person.id, role]);
        tx.append(userStream(person.id), { kind: 'account.changed' });
      }
      return { handle: person.handle, before: person.before, proved: person.proved };
    });
  }
}
