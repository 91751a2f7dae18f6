import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import type { Actor } from './actor.js';
import { bumpAcl } from './chat-access.js';
import { dropContact } from './contacts.js';
import { USER_COLUMNS, type UserRow } from './loaders/users.js';
import { directKeys, lockPairs } from './pairs.js';
import { assertIsThere } from './person-checks.js';
import type { PresenceNews } from './presence-news.js';

export const MAX_BLOCKED = 10_000;

/** Whom a person wants nothing of. The other is never told: they see less, and may not write directly. */
export class BlockService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly presence: PresenceNews,
  ) {}

  /**
   * Blocks somebody, and takes them out of the actor's contacts. A repeat does nothing. Errors: NOT_FOUND, LIMIT_REACHED, INVALID_INPUT (oneself).
   */
  async block(actor: Actor, userId: string): Promise<void> {
    if (userId === actor.userId) throw invalidInput('userId', 'Nobody blocks themself.');
    await this.#change(actor, userId, 'blockUser', async (tx) => {
      await assertIsThere(tx.sql, userId, 'userId');
      const made = await tx.sql('insert into blocks (blocker_id, blocked_id, created_at) values ($1, $2, $3) on conflict do nothing returning 1', [actor.userId, userId, tx.now]);
      if (!made.length) return false;
      const [row] = await tx.sql<{ n: number }>('select count(*)::int as n from blocks where blocker_id = $1', [actor.userId]);
      if (row!.n > MAX_BLOCKED) throw new DomainError('LIMIT_REACHED', `Nobody blocks more than ${MAX_BLOCKED} people.`);
      await dropContact(tx, actor.userId, userId);
      return true;
    });
  }

  /** Does nothing where there is no such block. Errors: NOT_FOUND. */
  async unblock(actor: Actor, userId: string): Promise<void> {
    await this.#change(actor, userId, 'unblockUser', async (tx) => {
      const gone = await tx.sql('delete from blocks where blocker_id = $1 and blocked_id = $2 returning 1', [actor.userId, userId]);
      // Who was suspended while they were blocked can still be unblocked.
      if (!gone.length) await assertIsThere(tx.sql, userId, 'userId');
      return gone.length > 0;
    });
  }

  /** Whom the actor has blocked, the newest first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<UserRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    if (!request.size) return emptyPage();
    const [time, id] = request.from ?? [null, null];
    const rows = await this.sql<UserRow & { blockedAt: Date }>(
      `select ${USER_COLUMNS}, b.created_at as "blockedAt" from blocks b join users u on u.id = b.blocked_id
       where b.blocker_id = $1 and ($2::timestamptz is null or (b.created_at, b.blocked_id) < ($2, $3::uuid)) order by b.created_at desc, b.blocked_id desc limit $4`,
      [actor.userId, time == null ? null : new Date(time), id, request.limit],
    );
    return toPage(rows, request, (row) => [row.blockedAt.getTime(), row.id]);
  }

  async #change(actor: Actor, userId: string, operation: string, work: (tx: Tx) => Promise<boolean>): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      await lockPairs(tx.sql, actor.userId, [userId]);
      // What was decided about sending in it holds no more.
      const chats = await tx.sql<{ id: string }>('select id from chats where direct_key = any($1) order by id for update', [Object.values(directKeys(actor.userId, userId))]);
      if (!(await work(tx))) return;
      for (const { id } of chats) await bumpAcl(tx.sql, id);
      tx.append(userStream(actor.userId), { kind: 'block.changed', userId });
      tx.afterCommit.push(() => this.presence.tell([actor.userId, userId]));
    });
  }
}
