import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import type { AttemptLimiter } from '../lib/attempt-limiter.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { checkRegion, parsePhone } from '../lib/phone.js';
import { cleanText } from '../lib/validate.js';
import type { Actor } from './actor.js';
import { CONTACT_COLUMNS, type ContactRow } from './loaders/relations.js';
import { blockedPairs, lockPairs } from './pairs.js';
import { assertIsThere } from './person-checks.js';
import type { PresenceNews } from './presence-news.js';

export const MAX_CONTACTS = 10_000;
export const MAX_BATCH = 500;
const MAX_NAME_BYTES = 128;

export interface PhoneBookEntry {
  phone: string;
  name?: string | null;
}
export interface SyncContacts {
  entries: PhoneBookEntry[];
  /** The country of numbers without a country code. */
  defaultRegion?: string | null;
}
export interface SyncedContacts {
  /** Each number that found somebody, as it was given, and whom. */
  matches: { phone: string; contactId: string }[];
  /** What is no phone number, as it was given. */
  unrecognized: string[];
}

interface Entry {
  userId: string;
  name: string | null;
}

/** A person's address book. It is theirs alone; the other learns of it only where both have each other (`mutual`). */
export class ContactService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly presence: PresenceNews,
    /** How many numbers one person may look up. */
    private readonly lookups: AttemptLimiter,
  ) {}

  /**
   * Adds somebody, or renames who is there. Without a name it stays as it is; null takes it away.
   * Errors: NOT_FOUND, BLOCKED (by the actor), LIMIT_REACHED, INVALID_INPUT.
   */
  async add(actor: Actor, { userId, name }: { userId: string; name?: string | null }): Promise<void> {
    if (userId === actor.userId) throw invalidInput('userId', 'Nobody is their own contact.');
    const cleaned = cleanName(name, 'name');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'addContact' }, async (tx) => {
      await lockPairs(tx.sql, actor.userId, [userId]);
      await assertIsThere(tx.sql, userId, 'userId');
      const [blocked] = await tx.sql('select from blocks where blocker_id = $1 and blocked_id = $2', [actor.userId, userId]);
      if (blocked) throw new DomainError('BLOCKED', 'You have blocked this person: unblock them first.', { field: 'userId' });
      await this.#put(tx, actor.userId, [{ userId, name: cleaned }], name === null);
    });
  }

  /** Does nothing where there is no such contact. Errors: NOT_FOUND (user). */
  async remove(actor: Actor, userId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'removeContact' }, async (tx) => {
      await lockPairs(tx.sql, actor.userId, [userId]);
      await assertIsThere(tx.sql, userId, 'userId');
      if (await dropContact(tx, actor.userId, userId)) tx.afterCommit.push(() => this.presence.tell([actor.userId]));
    });
  }

  /**
   * Adds whoever of a phone book is here: people with a verified number who let themselves be found by it, and nobody across a
   * block. A name that is given replaces the one that is kept. Each number counts against the actor's share of lookups.
   * Errors: INVALID_INPUT, RATE_LIMITED, LIMIT_REACHED.
   */
  async sync(actor: Actor, { entries, defaultRegion }: SyncContacts): Promise<SyncedContacts> {
    if (entries.length > MAX_BATCH) throw invalidInput('entries', `entries holds more than ${MAX_BATCH} items.`);
    const region = defaultRegion == null ? undefined : checkRegion(defaultRegion, 'defaultRegion');
    const read = entries.map(({ phone, name }) => ({ given: phone, number: parsePhone(phone, region), name: cleanName(name, 'entries.name') }));
    const numbers = [...new Set(read.flatMap(({ number }) => number ?? []))];
    if (numbers.length) await this.lookups.consume(actor.userId, numbers.length);
    const found = numbers.length ? await this.#byPhone(actor.userId, numbers) : new Map<string, string>();
    const matched = read.flatMap(({ given, number, name }) => (number && found.has(number) ? [{ phone: given, userId: found.get(number)!, name }] : []));
    const entriesByUser = new Map(matched.map((entry) => [entry.userId, entry]));
    const kept = new Set<string>();
    if (entriesByUser.size) {
      await this.unitOfWork.run({ actorId: actor.userId, operation: 'syncContacts' }, async (tx) => {
        const ids = [...entriesByUser.keys()];
        await lockPairs(tx.sql, actor.userId, ids);
        // Asked again under the lock: a block may have come in between.
        const blocked = await blockedPairs(tx.sql, actor.userId, ids);
        kept.clear();
        for (const id of ids) if (!blocked.has(id)) kept.add(id);
        await this.#put(tx, actor.userId, [...kept].map((userId) => entriesByUser.get(userId)!), false);
      });
    }
    return {
      matches: matched.filter(({ userId }) => kept.has(userId)).map(({ phone, userId }) => ({ phone, contactId: userId })),
      unrecognized: read.filter(({ number }) => number === null).map(({ given }) => given),
    };
  }

  /** By the name that the owner knows them by. */
  async list(actor: Actor, args: PageArgs): Promise<Page<ContactRow>> {
    const request = pageRequest(args, ['string', 'uuid']);
    if (!request.size) return emptyPage();
    const [key, id] = request.from ?? [null, null];
    const rows = await this.sql<ContactRow & { key: string }>(
      `select * from (select ${CONTACT_COLUMNS}, lower(coalesce(c.name, u.display_name)) as key from contacts c join users u on u.id = c.contact_id where c.owner_id = $1) listed
       where $2::text is null or (key, "otherId") > ($2, $3::uuid) order by key, "otherId" limit $4`,
      [actor.userId, key, id, request.limit],
    );
    return toPage(rows, request, (row) => [row.key, row.otherId]);
  }

  async #byPhone(actorId: string, numbers: string[]): Promise<Map<string, string>> {
    const rows = await this.sql<{ id: string; phone: string }>(
      `select u.id, u.phone from users u where u.phone = any($1) and u.find_by_phone and u.suspended_at is null and u.id <> $2
         and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((u.id, $2), ($2, u.id)))`,
      [numbers, actorId],
    );
    return new Map(rows.map((row) => [row.phone, row.id]));
  }

  /** `clears`: an entry without a name takes the name away. */
  async #put(tx: Tx, ownerId: string, entries: Entry[], clears: boolean): Promise<void> {
    const written = await tx.sql<{ id: string; made: boolean }>(
      `insert into contacts (owner_id, contact_id, name, created_at) select $1, e.id, e.name, $4 from unnest($2::uuid[], $3::text[]) e(id, name) order by e.id
       on conflict (owner_id, contact_id) do update set name = excluded.name where contacts.name is distinct from excluded.name and ($5 or excluded.name is not null)
       returning contact_id as id, xmax = 0 as made`,
      [ownerId, entries.map((entry) => entry.userId), entries.map((entry) => entry.name), tx.now, clears],
    );
    const made = written.filter((row) => row.made).map((row) => row.id);
    if (made.length) {
      const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from contacts where owner_id = $1', [ownerId]);
      if (row!.n > MAX_CONTACTS) throw new DomainError('LIMIT_REACHED', `Nobody has more than ${MAX_CONTACTS} contacts.`);
      tx.afterCommit.push(() => this.presence.tell([ownerId]));
    }
    for (const { id } of written) tx.append(userStream(ownerId), { kind: 'contact.changed', userId: id });
    await tellMutual(tx, ownerId, made);
  }
}

/** Takes an entry out of somebody's contacts, under the pair's lock. False where there was none. */
export async function dropContact(tx: Tx, ownerId: string, otherId: string): Promise<boolean> {
  const gone = await tx.sql('delete from contacts where owner_id = $1 and contact_id = $2 returning 1', [ownerId, otherId]);
  if (!gone.length) return false;
  tx.append(userStream(ownerId), { kind: 'contact.changed', userId: otherId });
  await tellMutual(tx, ownerId, [otherId]);
  return true;
}

/** To those of the others who have the owner among their contacts, `mutual` has changed. */
async function tellMutual(tx: Tx, ownerId: string, otherIds: string[]): Promise<void> {
  if (!otherIds.length) return;
  const rows = await tx.sql<{ id: string }>('select owner_id as id from contacts where contact_id = $1 and owner_id = any($2)', [ownerId, otherIds]);
  for (const { id } of rows) tx.append(userStream(id), { kind: 'contact.changed', userId: ownerId });
}

const cleanName = (name: string | null | undefined, field: string): string | null => (name == null ? null : cleanText(name, { field, maxBytes: MAX_NAME_BYTES }));
