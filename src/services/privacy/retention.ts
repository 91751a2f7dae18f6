import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import { lockChat } from '../chat-access.js';
import { eraseMessages } from '../message-changes.js';
import { NOBODY } from '../actor.js';
import type { ErasureService } from './erasure.js';
import type { DataExportService } from './exports.js';

const DAY_MS = 86_400_000;
const BATCH = 200;

/** Days for which things are kept; 0: for ever. */
export interface RetentionRules {
  messages: number;
  accounts: number;
  orderAddresses: number;
  exports: number;
}

/** The rules of how long what people leave is kept: a job asks them once a day. What has a time of its own (codes, notifications, the log) is with services/upkeep.ts. */
export class Retention {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly erasures: ErasureService,
    private readonly exports: DataExportService,
    private readonly rules: RetentionRules,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  async run(): Promise<void> {
    const { messages, accounts, orderAddresses, exports } = this.rules;
    const done = {
      messages: messages ? await this.#messages(this.#daysAgo(messages)) : 0,
      accounts: accounts ? await this.#accounts(this.#daysAgo(accounts)) : 0,
      orderAddresses: orderAddresses ? await this.#addresses(this.#daysAgo(orderAddresses)) : 0,
    };
    await this.exports.forget(this.#daysAgo(exports));
    if (Object.values(done).some((count) => count > 0)) this.log.info({ erased: done }, 'what had been kept for long enough was erased');
  }

  /** Erased for everybody, as by whoever wrote them. A chat's messages are in the order of time, so what is old is looked for from its beginning. */
  async #messages(before: Date): Promise<number> {
    let erased = 0;
    for (let after: string | null = NOBODY; after !== null; ) {
      const chats: { id: string }[] = await this.sql<{ id: string }>('select id from chats where id > $1 and created_at < $2 order by id limit $3', [after, before, BATCH]);
      for (const { id } of chats) {
        for (let batch = BATCH; batch === BATCH; erased += batch) batch = await this.#messagesOf(id, before);
      }
      after = chats.length === BATCH ? chats.at(-1)!.id : null;
    }
    return erased;
  }

  #messagesOf(chatId: string, before: Date): Promise<number> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'retainMessages' }, async (tx) => {
      await lockChat(tx.sql, chatId, NOBODY);
      const old = await tx.sql<{ seq: number }>(`select seq from messages where chat_id = $1 and created_at < $2 and deleted_at is null and kind <> 'SYSTEM' order by seq limit $3`, [chatId, before, BATCH]);
      await eraseMessages(tx, chatId, old.map(({ seq }) => seq));
      return old.length;
    });
  }

  /**
   * People who have had no session since, and for whom no program was there: neither by a key, nor for others by an app of theirs. Who has a role, or a shop with something under way, stays.
   */
  async #accounts(before: Date): Promise<number> {
    let erased = 0;
    for (let after: string | null = NOBODY; after !== null; ) {
      const idle: { id: string }[] = await this.sql<{ id: string }>(
        `select u.id from users u where u.id > $1 and u.kind = 'PERSON' and u.erased_at is null and u.role = 'USER' and u.created_at < $2 and coalesce(u.last_seen_at, u.created_at) < $2
           and not exists (select from sessions s where s.user_id = u.id and s.last_active_at >= $2)
           and not exists (select from apps a where a.owner_id = u.id and (
             exists (select from api_keys k where k.app_id = a.id and k.last_used_at >= $2) or exists (select from sessions s where s.app_id = a.id and s.last_active_at >= $2)
             or exists (select from app_usage n where n.app_id = a.id and n.day >= $2::date)))
         order by u.id limit $3`,
        [after, before, BATCH],
      );
      for (const { id } of idle) if (await this.erasures.eraseByTime(id)) erased++;
      after = idle.length === BATCH ? idle.at(-1)!.id : null;
    }
    return erased;
  }

  /** The country stays: the tax was by it. */
  async #addresses(before: Date): Promise<number> {
    const rows = await this.sql(
      `update orders set address = jsonb_build_object('name', '', 'line1', '', 'postalCode', '', 'city', '', 'country', address->>'country')
       where created_at < $1 and state in ('COMPLETED', 'CANCELLED') and address->>'name' <> '' returning 1`,
      [before],
    );
    return rows.length;
  }

  #daysAgo(days: number): Date {
    return new Date(this.clock.now().getTime() - days * DAY_MS);
  }
}
