import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { Address } from '../loaders/orders.js';
import { cleanAddress } from './checkout-quote.js';

const MAX_ADDRESSES = 20;

export interface SavedAddress {
  id: string;
  label: string | null;
  address: Address;
}

/** Addresses that people keep, for their next order. An order keeps its own. */
export class AddressBook {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The oldest first; at most 20. */
  list(actor: Actor): Promise<SavedAddress[]> {
    return this.sql<SavedAddress>('select a.id, a.label, a.address from saved_addresses a where a.user_id = $1 order by a.id', [actor.userId]);
  }

  /** Keeps an address, or changes the one of this id. Errors: NOT_FOUND, INVALID_INPUT, LIMIT_REACHED. */
  async save(actor: Actor, id: string | null, given: Omit<SavedAddress, 'id'>): Promise<SavedAddress> {
    const label = given.label === null ? null : cleanText(given.label, { field: 'label', maxBytes: 64 });
    const address = cleanAddress(given.address);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'saveAddress' }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      if (id !== null) {
        const changed = await tx.sql('update saved_addresses set label = $3, address = $4 where id = $1 and user_id = $2 returning id', [id, actor.userId, label, JSON.stringify(address)]);
        if (!changed.length) throw notFound('address');
        return { id, label, address };
      }
      const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from saved_addresses where user_id = $1', [actor.userId]);
      if (count!.n >= MAX_ADDRESSES) throw new DomainError('LIMIT_REACHED', `At most ${MAX_ADDRESSES} addresses are kept.`);
      const made = newId();
      await tx.sql('insert into saved_addresses (id, user_id, label, address, created_at) values ($1, $2, $3, $4, $5)', [made, actor.userId, label, JSON.stringify(address), tx.now]);
      return { id: made, label, address };
    });
  }

  /** Errors: NOT_FOUND. */
  async remove(actor: Actor, id: string): Promise<string> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteAddress' }, async (tx) => {
      const gone = await tx.sql('delete from saved_addresses where id = $1 and user_id = $2 returning id', [id, actor.userId]);
      if (!gone.length) throw notFound('address');
    });
    return id;
  }
}
