import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import { NOBODY } from '../actor.js';
import { endApp } from '../apps/end-app.js';
import { retireBot } from '../bots/retirement.js';
import { leaveCase } from '../bots/support-cases.js';
import { lockChat } from '../chat-access.js';
import { dropContact } from '../contacts.js';
import { exitGroup, lockChatInGroup, lockGroup } from '../group-membership.js';
import { takeOut } from '../membership.js';
import { eraseMessages } from '../message-changes.js';
import type { SessionService } from '../sessions.js';
import { eraseStatuses } from '../statuses/status-erasure.js';
import { lockHighlightsWith, tellHighlight } from '../statuses/highlight-items.js';
import { tellOthers } from '../statuses/status-news.js';

/** `pseudonym` is taken in the transaction that decides, `files` when nothing shows them any more: erasure.ts. */
export const STEPS = ['pseudonym', 'apps', 'statuses', 'memberships', 'messages', 'contacts', 'bots', 'support', 'shops', 'files'] as const;
export type StepName = (typeof STEPS)[number];

/** Who acts: in the log of writes alone. */
export const MESSAGES_AT_ONCE = 200;
/** A statement of an erasure may look through a whole table. */
const PATIENCE = `set local statement_timeout = '15min'`;

/** What of an erasure takes more than a statement. Each part is a transaction of its own, and a repeat does no harm. */
export class ErasureSteps {
  readonly #steps: Readonly<Record<Exclude<StepName, 'pseudonym' | 'files'>, (userId: string) => Promise<number>>> = {
    apps: (userId) => this.#each('select id from apps where owner_id = $1 order by id', userId, async (tx, id) => void (await endApp(tx, this.sessions, id))),
    statuses: (userId) => this.#statuses(userId),
    memberships: (userId) => this.#memberships(userId),
    messages: (userId) => this.#messages(userId),
    contacts: (userId) => this.#contacts(userId),
    bots: (userId) => this.#bots(userId),
    support: (userId) => this.#each(`select id from support_cases where (asker_id = $1 or agent_id = $1) and state in ('OPEN', 'ASSIGNED') order by id`, userId, (tx, id) => leaveCase(tx, id, userId)),
    shops: (userId) => this.statement(`update products set status = 'ARCHIVED', version = version + 1 where status <> 'ARCHIVED' and shop_id in (select id from shops where owner_id = $1)`, userId),
  };

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sessions: SessionService,
  ) {}

  /** Answers how many things it has dealt with. */
  run(step: Exclude<StepName, 'pseudonym' | 'files'>, userId: string): Promise<number> {
    return this.#steps[step](userId);
  }

  /** A statement of a Holding. */
  statement(text: string, userId: string): Promise<number> {
    return this.#write(async (tx) => {
      await tx.sql(PATIENCE);
      return (await tx.sql<{ n: number }>(`with touched as (${text} returning 1) select count(*)::int as n from touched`, [userId]))[0]!.n;
    });
  }

  async #statuses(userId: string): Promise<number> {
    const highlights = await this.#each('select id from status_highlights where owner_id = $1 order by id', userId, async (tx, id) => {
      await tx.sql('select from status_highlights where id = $1 for update', [id]);
      await tx.sql('update statuses set kept = kept - 1 where id in (select status_id from status_highlight_items where highlight_id = $1)', [id]);
      await tx.sql('delete from status_highlights where id = $1', [id]);
      tellHighlight(tx, userId, id);
    });
    const statuses = await this.#each('select id from statuses where author_id = $1 and removed_at is null order by id', userId, async (tx, id) => {
      await lockHighlightsWith(tx, id);
      await tx.sql('select from statuses where id = $1 for no key update', [id]);
      await eraseStatuses(tx, [id]);
      tx.append(userStream(userId), { kind: 'status.deleted', statusId: id, authorId: userId, expired: false });
      await tellOthers(tx, id, 'DELETED');
    });
    return highlights + statuses;
  }

  async #memberships(userId: string): Promise<number> {
    const groups = await this.#each('select group_id as id from group_members where user_id = $1 order by 1', userId, async (tx, id) => {
      await lockGroup(tx.sql, id, userId);
      await exitGroup(tx, id, userId, userId, false);
    });
    const chats = await this.#each(`select m.chat_id as id from chat_members m join chats c on c.id = m.chat_id where m.user_id = $1 and c.kind = 'GROUP' order by 1`, userId, async (tx, id) => {
      await lockChatInGroup(tx, id, userId);
      await takeOut(tx, id, userId, userId);
    });
    const kept = await this.statement('update chat_members set draft = null, draft_updated_at = null, muted_until = null, pinned_at = null, archived_at = null where user_id = $1', userId);
    return groups + chats + kept;
  }

  async #messages(userId: string): Promise<number> {
    const chats = await this.#write(async (tx) => {
      await tx.sql(PATIENCE);
      return tx.sql<{ id: string }>(`select distinct chat_id as id from messages where sender_id = $1 and deleted_at is null and kind <> 'SYSTEM' order by 1`, [userId]);
    });
    let erased = 0;
    for (const { id } of chats) {
      for (let batch = MESSAGES_AT_ONCE; batch === MESSAGES_AT_ONCE; erased += batch) {
        batch = await this.#write(async (tx) => {
          await lockChat(tx.sql, id, userId);
          const rows = await tx.sql<{ seq: number }>(`select seq from messages where chat_id = $1 and sender_id = $2 and deleted_at is null and kind <> 'SYSTEM' order by seq limit $3`, [id, userId, MESSAGES_AT_ONCE]);
          await eraseMessages(tx, id, rows.map(({ seq }) => seq));
          return rows.length;
        });
      }
    }
    return erased;
  }

  async #contacts(userId: string): Promise<number> {
    const named = await this.#each('select owner_id as id from contacts where contact_id = $1 order by 1', userId, async (tx, id) => void (await dropContact(tx, id, userId)));
    return named + (await this.#each('select contact_id as id from contacts where owner_id = $1 order by 1', userId, async (tx, id) => void (await dropContact(tx, userId, id))));
  }

  /** One after another: what a bot leaves takes transactions of its own. */
  async #bots(userId: string): Promise<number> {
    const bots = await this.#each('select id from bots where owner_id = $1 order by id', userId, (tx, id) => retireBot(tx, this.sessions, id));
    const rows = await this.#write((tx) => tx.sql<{ id: string }>('select id from bots where owner_id = $1 order by id', [userId]));
    for (const { id } of rows) await this.#memberships(id);
    return bots;
  }

  /** One transaction for each row that a statement finds. */
  async #each(text: string, userId: string, work: (tx: Tx, id: string) => Promise<void>): Promise<number> {
    const rows = await this.#write((tx) => tx.sql<{ id: string }>(text, [userId]));
    for (const { id } of rows) await this.#write((tx) => work(tx, id));
    return rows.length;
  }

  #write<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'eraseUser' }, work);
  }
}
