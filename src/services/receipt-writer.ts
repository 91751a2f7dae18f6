import type { Sql } from '../db/database.js';
import { DomainError } from '../lib/errors.js';

export interface ReceiptMove {
  chatId: string;
  userId: string;
  /** Move the pointers to at least here. */
  read: number;
  delivered: number;
}
export interface Moved {
  chatId: string;
  userId: string;
  lastReadSeq: number;
  lastDeliveredSeq: number;
}
export type MoveResult = 'done' | 'not-a-member' | 'beyond';

interface Waiting {
  move: ReceiptMove;
  resolve(result: MoveResult): void;
  reject(error: unknown): void;
}

interface Known extends Moved {
  ord: number;
  lastSeq: number;
  moved: boolean;
}

const MAX_WAITING = 20_000;
const MAX_BATCH = 500;

/**
 * Writes pointers in batches: hundreds of people read a message at the same time, and what is waiting goes to the database
 * in one statement. A batch never waits for a row while it holds others, so it can't be part of a deadlock; rows that are
 * locked by somebody else are then written one by one.
 */
export class ReceiptWriter {
  #waiting: Waiting[] = [];
  #running = false;

  constructor(
    private readonly sql: Sql,
    private readonly onMoved: (moved: readonly Moved[]) => void,
  ) {}

  move(move: ReceiptMove): Promise<MoveResult> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new DomainError('OVERLOADED', 'Too many receipts are waiting to be written.', { retryAfter: 1 }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ move, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length) {
      const batch = this.#next();
      try {
        await this.#write(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  /** One move for each member of a chat; a second one waits for the next batch. */
  #next(): Waiting[] {
    const taken = new Map<string, Waiting>();
    const left: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const key = `${waiting.move.chatId} ${waiting.move.userId}`;
      if (taken.size < MAX_BATCH && !taken.has(key)) taken.set(key, waiting);
      else left.push(waiting);
    }
    this.#waiting = left;
    return [...taken.values()];
  }

  async #write(batch: Waiting[]): Promise<void> {
    const known = await this.#statement(MOVE_UNLOCKED, batch);
    this.#tell(known);
    for (const [index, { move, resolve, reject }] of batch.entries()) {
      const row = known.get(index);
      if (!row) resolve('not-a-member');
      else if (move.read > row.lastSeq || move.delivered > row.lastSeq) resolve('beyond');
      else if (row.moved || (move.read <= row.lastReadSeq && move.delivered <= row.lastDeliveredSeq)) resolve('done');
      else void this.#alone({ move, resolve, reject });
    }
  }

  /** Waits for the row's lock. */
  async #alone(waiting: Waiting): Promise<void> {
    try {
      this.#tell(await this.#statement(MOVE_WAITING, [waiting]));
      waiting.resolve('done');
    } catch (error) {
      waiting.reject(error);
    }
  }

  #tell(known: Map<number, Known>): void {
    const moved = [...known.values()].filter((row) => row.moved);
    if (moved.length) this.onMoved(moved.map(({ chatId, userId, lastReadSeq, lastDeliveredSeq }) => ({ chatId, userId, lastReadSeq, lastDeliveredSeq })));
  }

  async #statement(text: string, batch: Waiting[]): Promise<Map<number, Known>> {
    const column = <Value>(pick: (move: ReceiptMove) => Value) => batch.map(({ move }) => pick(move));
    const rows = await this.sql<Known>(text, [column((move) => move.chatId), column((move) => move.userId), column((move) => move.read), column((move) => move.delivered)]);
    return new Map(rows.map((row) => [row.ord - 1, row]));
  }
}

const move = (lock: string): string => `
with wanted as (select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) with ordinality w(chat_id, user_id, read_seq, delivered_seq, ord)),
known as (
  select w.*, c.last_seq, m.last_read_seq, m.last_delivered_seq from wanted w
  join chat_members m on m.chat_id = w.chat_id and m.user_id = w.user_id join chats c on c.id = w.chat_id),
free as (
  select m.chat_id, m.user_id from chat_members m join known k on k.chat_id = m.chat_id and k.user_id = m.user_id
  where greatest(k.read_seq, k.delivered_seq) <= k.last_seq and (m.last_read_seq < k.read_seq or m.last_delivered_seq < k.delivered_seq) ${lock}),
moved as (
  update chat_members m set last_read_seq = greatest(m.last_read_seq, k.read_seq), last_delivered_seq = greatest(m.last_delivered_seq, k.delivered_seq)
  from free f join known k on k.chat_id = f.chat_id and k.user_id = f.user_id where m.chat_id = f.chat_id and m.user_id = f.user_id
  returning m.chat_id, m.user_id, m.last_read_seq, m.last_delivered_seq)
select k.ord::int, k.chat_id as "chatId", k.user_id as "userId", k.last_seq as "lastSeq", moved.chat_id is not null as moved,
  coalesce(moved.last_read_seq, k.last_read_seq) as "lastReadSeq", coalesce(moved.last_delivered_seq, k.last_delivered_seq) as "lastDeliveredSeq"
from known k left join moved on moved.chat_id = k.chat_id and moved.user_id = k.user_id`;
const MOVE_UNLOCKED = move('for update of m skip locked');
const MOVE_WAITING = move('for update of m');
