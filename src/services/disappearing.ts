import type { Sql } from '../db/database.js';
import type { UnitOfWork } from '../db/unit-of-work.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import { NOBODY } from './actor.js';
import { eraseMessages } from './message-changes.js';

/** Messages that one round looks at: a chat with more takes several rounds, and others get their turn in each. */
const BATCH = 500;
/** How long a chat that was passed over is waited for; the others' next round comes after. */
const LOCK_WAIT = '1s';
const LOCK_NOT_AVAILABLE = '55P03';

/** Erases messages whose time is up. Readers don't see them from that moment on, whether or not they have been erased. */
export class DisappearingMessages {
  static readonly DUE = 'exists (select from messages where expires_at <= $1 and deleted_at is null)';

  /** Chats that were locked by others in the last round: those are waited for, so that a busy chat is not passed over for ever. */
  #passedOver = new Set<string>();

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** One round; true when there is more to erase. Processes that sweep together take different chats. */
  async sweep(): Promise<boolean> {
    const due = await this.sql<{ chatId: string; seqs: number[] }>(
      `select chat_id as "chatId", array_agg(seq) as seqs from (
         select chat_id, seq from messages where expires_at <= $1 and deleted_at is null and chat_id <> all($2) order by expires_at limit $3) due
       group by chat_id order by chat_id`,
      [this.clock.now(), [...this.#passedOver], BATCH],
    );
    // What was passed over is not looked for with the others, so that it doesn't fill their room.
    for (const chatId of this.#passedOver) due.push({ chatId, seqs: await this.#dueIn(chatId) });
    const waitFor = this.#passedOver;
    this.#passedOver = new Set();
    let looked = 0;
    for (const { chatId, seqs } of due) {
      looked += seqs.length;
      try {
        if (seqs.length && !(await this.#erase(chatId, seqs, waitFor.has(chatId)))) this.#passedOver.add(chatId);
      } catch (error) {
        // One chat's trouble is not the others'.
        this.#passedOver.add(chatId);
        if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) this.log.error({ chatId, error: (error as Error).message }, 'disappearing messages could not be erased');
      }
    }
    return looked >= BATCH && this.#passedOver.size === 0;
  }

  async #dueIn(chatId: string): Promise<number[]> {
    const rows = await this.sql<{ seq: number }>('select seq from messages where expires_at <= $1 and deleted_at is null and chat_id = $2 order by expires_at limit $3', [
      this.clock.now(), chatId, BATCH,
    ]);
    return rows.map((row) => row.seq);
  }

  /** False when the chat is locked by another transaction. */
  #erase(chatId: string, seqs: number[], wait: boolean): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'disappear' }, async (tx) => {
      if (wait) await tx.sql(`select set_config('lock_timeout', $1, true)`, [LOCK_WAIT]);
      const locked = await tx.sql(wait ? 'select id from chats where id = $1 for update' : 'select id from chats where id = $1 for update skip locked', [chatId]);
      if (!locked.length) return false;
      await eraseMessages(tx, chatId, seqs);
      return true;
    });
  }
}
