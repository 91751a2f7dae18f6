import type { Sql } from '../db/database.js';
import { chatStream, userStream } from '../events/catalogue.js';
import type { ReceiptHint } from '../events/hub.js';
import { invalidInput, notFound } from '../lib/errors.js';
import { boundedInt } from '../lib/validate.js';
import type { Actor } from './actor.js';
import { ReceiptWriter } from './receipt-writer.js';

/** In chats with more members than this, receipts are told by counts, not by member. */
export const RECEIPTS_BY_MEMBER = 100;
const MAX_SEQ = 2 ** 31 - 1;

/** How far members have received and read, as one event tells it. */
export interface ReceiptSnapshot {
  receipts: { userId: string; lastReadSeq: number; lastDeliveredSeq: number }[] | null;
  readByAllSeq: number;
  newestSeq: number;
  readCount: number;
  deliveredCount: number;
}

/** Tells nodes that somebody's pointers moved. A hint, which may be lost: receipts are state, and are read again after a resume. */
export interface ReceiptHints {
  receipts(stream: string, hint: ReceiptHint): void;
}

/** Delivered and read: one pair of pointers for each member of a chat, which only ever move on. */
export class ReceiptService {
  readonly #writer: ReceiptWriter;

  constructor(
    private readonly sql: Sql,
    private readonly hints: ReceiptHints,
  ) {
    this.#writer = new ReceiptWriter(sql, (moves) => this.#tell(moves));
  }

  /** Errors: NOT_FOUND; INVALID_INPUT when the chat has no such message yet. A pointer that stands farther stays. */
  markDelivered(actor: Actor, chatId: string, seq: number): Promise<void> {
    return this.#mark(actor, chatId, { read: 0, delivered: boundedInt(seq, 'seq', 1, MAX_SEQ) });
  }

  /** What is read is delivered. Errors as of `markDelivered`. */
  markRead(actor: Actor, chatId: string, seq: number): Promise<void> {
    return this.#mark(actor, chatId, { read: boundedInt(seq, 'seq', 1, MAX_SEQ), delivered: seq });
  }

  /** As things stand; `moved`: the members whose pointers are asked for. */
  async snapshot(chatId: string, moved: readonly string[]): Promise<ReceiptSnapshot | null> {
    const [row] = await this.sql<ReceiptSnapshot>(SNAPSHOT, [chatId, moved, RECEIPTS_BY_MEMBER]);
    return row ?? null;
  }

  async #mark(actor: Actor, chatId: string, to: { read: number; delivered: number }): Promise<void> {
    const result = await this.#writer.move({ chatId, userId: actor.userId, ...to });
    if (result === 'not-a-member') throw notFound('chat');
    if (result === 'beyond') throw invalidInput('seq', 'The chat has no such message yet.');
  }

  #tell(moves: readonly { chatId: string; userId: string; lastReadSeq: number; lastDeliveredSeq: number }[]): void {
    const byChat = Map.groupBy(moves, (move) => move.chatId);
    for (const [chatId, inChat] of byChat) this.hints.receipts(chatStream(chatId), { moved: inChat.map((move) => move.userId) });
    // To the other devices of whoever it is: in large chats nothing else tells them.
    for (const { userId, ...own } of moves) this.hints.receipts(userStream(userId), { own });
  }
}

/**
 * `readByAllSeq` counts what one wrote oneself as read: a member has read up to the message before the first, past their
 * pointer, that somebody else wrote. That is looked up for those who are farthest behind; the pointer of the next bounds the rest.
 */
const SNAPSHOT = `
with c as (select last_seq, member_count from chats where id = $1),
members as materialized (select user_id, last_read_seq, last_delivered_seq from chat_members where chat_id = $1),
behind as (select user_id, last_read_seq, row_number() over (order by last_read_seq, user_id) as rank from members order by last_read_seq, user_id limit $3 + 1),
has_read as (
  select case when b.rank > $3 then b.last_read_seq else coalesce(
    (select o.seq - 1 from messages o where o.chat_id = $1 and o.seq > b.last_read_seq and o.sender_id <> b.user_id order by o.seq limit 1), c.last_seq) end as seq
  from behind b, c),
others as (select m.* from members m, c where m.user_id is distinct from (select sender_id from messages where chat_id = $1 and seq = c.last_seq))
select c.last_seq as "newestSeq",
  coalesce((select min(seq) from has_read), 0) as "readByAllSeq",
  (select count(*)::int from others where last_read_seq >= c.last_seq) as "readCount",
  (select count(*)::int from others where last_delivered_seq >= c.last_seq) as "deliveredCount",
  case when c.member_count <= $3 then coalesce((
    select json_agg(json_build_object('userId', user_id, 'lastReadSeq', last_read_seq, 'lastDeliveredSeq', last_delivered_seq) order by user_id)
    from members where user_id = any($2)), '[]') end as receipts
from c`;
