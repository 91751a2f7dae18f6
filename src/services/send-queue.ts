import type { Sql } from '../db/database.js';
import { isConflict } from '../db/failures.js';
import type { AfterCommit } from '../db/unit-of-work.js';
import { chatStream } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import { DomainError, notFound } from '../lib/errors.js';
import { assertCanRead, assertCanSend, assertCanSendEncrypted, slowModeFor, type ChatAccess } from '../policies/chat-policy.js';
import { isLookedAt } from '../policies/moderation-policy.js';
import type { ChatAccessReader } from './chat-access.js';
import type { MessageRow } from './loaders/messages.js';
import { earlierMessage, eventsOf, findEarlierMessage, refusal, writeMessages, writtenRow, type Draft, type Outcome, type Send } from './message-writer.js';
import type { ModerationGate } from './moderation/gate.js';
import type { RecentMessages } from './recent-messages.js';

interface Waiting {
  draft: Draft;
  access: ChatAccess;
  attempts: number;
  resolve(message: MessageRow): void;
  reject(error: unknown): void;
}

const MAX_WAITING = 20_000;
const MAX_BATCH = 256;
const MAX_CONCURRENT = 4;
/** Batches that wait for the lock of a chat: each holds a connection meanwhile. */
const MAX_LOCK_WAITS = 2;
const MAX_ATTEMPTS = 5;
/** SQLSTATE classes 22 (data exception) and 23 (constraint violation). */
const REFUSED_DATA = /^2[23]/;

/**
 * Writes messages in batches: what is waiting goes to the database in one round trip and one commit, in order for each
 * chat, while each send still succeeds or fails alone. A chat is in one batch at a time; one that another transaction has
 * locked is then sent by itself, so that it holds up nobody else.
 */
export class SendQueue {
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #underWay = new Set<string>();
  readonly #locked = new Set<string>();
  #running = 0;
  /** Messages in the batches that run. */
  #writing = 0;
  #lockWaits = 0;
  #size = 0;
  /** Since the start: batches written, and the messages in them. */
  readonly written = { batches: 0, messages: 0 };
  #scheduled = false;
  #closed = false;
  #idle: (() => void) | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly access: ChatAccessReader,
    private readonly recent: RecentMessages,
    private readonly after: AfterCommit,
    private readonly gate: Pick<ModerationGate, 'pass'>,
  ) {}

  /** Resolves after commit. Rejects with the DomainError of this send alone. */
  async send(draft: Draft): Promise<MessageRow> {
    if (this.#closed || this.#size >= MAX_WAITING) throw new DomainError('OVERLOADED', 'Too many messages are waiting to be written.', { retryAfter: 1 });
    this.#size++;
    try {
      let access = await this.access.cached(draft.chatId, draft.senderId);
      // Nothing compares the version of what rules refuse: they are asked as they are now.
      // Nor does anything compare how a group stands where a message is refused for it.
      if (access && (isLookedAt(access) || !fits(access, draft))) access = await this.access.fresh(draft.chatId, draft.senderId);
      const earlier = await this.#judge(draft, access);
      if (earlier) return earlier;
      return await new Promise((resolve, reject) => this.#enqueue({ draft, access: access!, attempts: 0, resolve, reject }, false));
    } finally {
      if (--this.#size === 0) this.#idle?.();
    }
  }

  /** Null when the sender may send. Who no longer may, but has sent this before, gets the answer that was lost. */
  async #judge(draft: Draft, access: ChatAccess | null): Promise<MessageRow | null> {
    try {
      assertTakes(access, draft);
      if (isLookedAt(access)) await this.gate.pass(access, draft);
      return null;
    } catch (error) {
      const earlier = access?.member && draft.idempotencyKey !== null ? await findEarlierMessage(this.sql, draft, this.clock.now()) : null;
      if (earlier && earlier.seq >= access!.member!.visibleFromSeq) return earlier;
      throw error;
    }
  }

  /** Takes nothing more, and resolves when what was taken has been written. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#size) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  get size(): number {
    return this.#size;
  }

  #enqueue(send: Waiting, first: boolean): void {
    const lane = this.#waiting.get(send.draft.chatId);
    if (!lane) this.#waiting.set(send.draft.chatId, [send]);
    else if (first) lane.unshift(send);
    else lane.push(send);
    this.#schedule();
  }

  /** Waits for the turn of the loop to end, so that what arrived together is written together. */
  #schedule(): void {
    if (this.#scheduled || (this.#running >= MAX_CONCURRENT && this.#lockWaits >= MAX_LOCK_WAITS)) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (let batch; (batch = this.#nextBatch()).length; ) void this.#run(batch);
    });
  }

  #nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    const mayRun = this.#running < MAX_CONCURRENT && this.#isWorthwhile();
    for (const [chatId, lane] of this.#waiting) {
      if (this.#underWay.has(chatId)) continue;
      const alone = this.#locked.has(chatId);
      if (alone ? batch.length || this.#lockWaits >= MAX_LOCK_WAITS : !mayRun) continue;
      const taken = this.#take(lane, MAX_BATCH - batch.length);
      if (!lane.length) this.#waiting.delete(chatId);
      this.#underWay.add(chatId);
      batch.push(...taken);
      if (alone || batch.length >= MAX_BATCH) break;
    }
    return batch;
  }

  /**
   * A batch costs the database as much as ten messages do, whatever its size: beside others there is one more only when it is
   * at least half as large as they are together. What waits for that goes with the next that ends.
   */
  #isWorthwhile(): boolean {
    if (!this.#running) return true;
    let free = 0;
    for (const [chatId, lane] of this.#waiting) if (!this.#underWay.has(chatId) && !this.#locked.has(chatId)) free += lane.length;
    return free * 2 >= this.#writing;
  }

  /** At most one send of a member whom slow mode holds: the second is judged after the first has been written. */
  #take(lane: Waiting[], most: number): Waiting[] {
    const slowed = new Set<string>();
    let count = 0;
    for (const { draft, access } of lane) {
      if (count >= most) break;
      if (slowModeFor(access) > 0) {
        if (slowed.has(draft.senderId)) break;
        slowed.add(draft.senderId);
      }
      count++;
    }
    return lane.splice(0, count);
  }

  async #run(batch: Waiting[]): Promise<void> {
    this.written.batches++;
    this.written.messages += batch.length;
    const chats = new Set(batch.map((send) => send.draft.chatId));
    const wait = chats.size === 1 && this.#locked.has(batch[0]!.draft.chatId);
    const now = this.clock.now();
    if (wait) this.#lockWaits++;
    else {
      this.#running++;
      this.#writing += batch.length;
    }
    try {
      const outcomes = await this.#write(batch, now, !wait);
      await this.#settle(batch, outcomes, this.#publish(batch, outcomes, now), now, wait);
    } catch (error) {
      // Data that PostgreSQL refuses fails by itself: the others of the batch are written without it.
      if (batch.length > 1 && REFUSED_DATA.test((error as { code?: string }).code ?? '')) await this.#oneByOne(batch, now);
      else this.#failed(batch, error);
    } finally {
      for (const chatId of chats) {
        this.#underWay.delete(chatId);
        if (wait) this.#locked.delete(chatId);
      }
      if (wait) this.#lockWaits--;
      else {
        this.#running--;
        this.#writing -= batch.length;
      }
      if (this.#waiting.size) this.#schedule();
    }
  }

  async #oneByOne(batch: Waiting[], now: Date): Promise<void> {
    for (const send of batch) {
      try {
        const outcomes = await this.#write([send], now, false);
        await this.#settle([send], outcomes, this.#publish([send], outcomes, now), now, true);
      } catch (error) {
        this.#failed([send], error);
      }
    }
  }

  async #write(batch: Waiting[], now: Date, skipLocked: boolean): Promise<Outcome[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await writeMessages(this.sql, batch.map(sendOf), now, skipLocked);
      } catch (error) {
        if (attempt >= MAX_ATTEMPTS || !isConflict(error)) throw error;
      }
    }
  }

  /** Tells of what was written; answers it, null for what was not. */
  #publish(batch: Waiting[], outcomes: Outcome[], now: Date): (MessageRow | null)[] {
    const rows = outcomes.map((outcome, index) => (outcome.status === 'ok' ? writtenRow(batch[index]!.draft, outcome, now) : null));
    rows.forEach((row, index) => row && this.recent.put(chatStream(row.chatId), Number(outcomes[index]!.pos), row));
    this.after.publish(eventsOf(batch.map(sendOf), outcomes, now));
    return rows;
  }

  async #settle(batch: Waiting[], outcomes: Outcome[], rows: (MessageRow | null)[], now: Date, waited: boolean): Promise<void> {
    const again: Waiting[] = [];
    await Promise.all(
      batch.map(async (send, index) => {
        const outcome = outcomes[index]!;
        const { draft } = send;
        try {
          switch (outcome.status) {
            case 'ok':
              return send.resolve(rows[index]!);
            case 'stale': {
              if (++send.attempts >= MAX_ATTEMPTS) throw new DomainError('OVERLOADED', 'The chat changes too fast; try again.', { retryAfter: 1 });
              const access = await this.access.fresh(draft.chatId, draft.senderId);
              const earlier = await this.#judge(draft, access);
              if (earlier) return send.resolve(earlier);
              send.access = access!;
              return void again.push(send);
            }
            case 'busy':
              if (waited) throw notFound('chat');
              this.#locked.add(draft.chatId);
              return void again.push(send);
            case 'key': {
              // What was decided of the sender may be of before they were taken out: the key is looked for first, whatever has moved since.
              const access = await this.access.fresh(draft.chatId, draft.senderId);
              assertCanRead(access);
              return send.resolve(await earlierMessage(this.sql, draft, access.member.visibleFromSeq, now));
            }
            default:
              throw await refusal(this.sql, sendOf(send), outcome.status, now);
          }
        } catch (error) {
          this.#failed([send], error);
        }
      }),
    );
    again.sort((a, b) => batch.indexOf(b) - batch.indexOf(a));
    for (const send of again) this.#enqueue(send, true);
  }

  #failed(sends: Waiting[], error: unknown): void {
    for (const send of sends) send.reject(error);
  }
}

function assertTakes(access: ChatAccess | null, { card }: Draft): asserts access is ChatAccess {
  if (card?.type === 'encrypted') assertCanSendEncrypted(access, card);
  else assertCanSend(access);
}

function fits({ chat: { mls } }: ChatAccess, { card }: Draft): boolean {
  return card?.type !== 'encrypted' || (mls !== null && !mls.stale && mls.generation === card.generation && mls.epoch === card.epoch && mls.devices.includes(card.deviceId));
}

const sendOf = ({ draft, access }: Waiting): Send => ({
  draft,
  aclVersion: access.chat.aclVersion,
  visibleFromSeq: access.member!.visibleFromSeq,
  slowModeSeconds: slowModeFor(access),
});
