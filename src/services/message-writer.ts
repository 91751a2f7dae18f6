import { bytesArray, plainArray, textArray } from '../db/array-literals.js';
import type { Sql } from '../db/database.js';
import { keyReused, type Tx } from '../db/unit-of-work.js';
import type { CardRef, ForwardRef, MessageKind, SystemRef } from '../entities/message.js';
import { chatStream } from '../events/catalogue.js';
import type { Published } from '../events/log.js';
import { DomainError, notFound } from '../lib/errors.js';
import { messageByKey, type MessageRow } from './loaders/messages.js';

/** A message to be written. */
export interface Draft {
  chatId: string;
  senderId: string;
  idempotencyKey: string | null;
  /** What the key is bound to. */
  inputHash: Buffer;
  kind: MessageKind;
  text: string | null;
  mentions: string[] | null;
  replyToSeq: number | null;
  threadRootSeq: number | null;
  forward: ForwardRef | null;
  card: CardRef | null;
}

/** A draft with what was decided about its sender. */
export interface Send {
  draft: Draft;
  /** The chat's version of who may do what, on which the decision stands; null when the caller holds the chat's lock. */
  aclVersion: number | null;
  /** The first message that the sender may see, and so answer. */
  visibleFromSeq: number;
  /** Seconds that the sender waits between two messages; 0: none. */
  slowModeSeconds: number;
}

export interface Outcome {
  status: 'ok' | 'stale' | 'busy' | 'key' | 'reply' | 'thread' | 'slow';
  seq: number | null;
  pos: string | null;
  epoch: string | null;
  expires_at: Date | null;
  root_pos: string | null;
}

/** Writes messages with their events, each succeeding or failing by its own status: the one way a message gets its number. */
export function writeMessages(sql: Sql, sends: readonly Send[], now: Date, skipLocked: boolean): Promise<Outcome[]> {
  const column = <Value>(pick: (draft: Draft) => Value) => sends.map((send) => pick(send.draft));
  const json = (value: object | null) => (value === null ? null : JSON.stringify(value));
  return sql<Outcome & { ord: number }>(`select * from send_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) order by ord`, [
    plainArray(column((draft) => draft.chatId)),
    plainArray(sends.map((send) => send.aclVersion)),
    plainArray(column((draft) => draft.senderId)),
    textArray(column((draft) => draft.idempotencyKey)),
    bytesArray(column((draft) => draft.inputHash)),
    plainArray(column((draft) => draft.kind)),
    textArray(column((draft) => draft.text)),
    textArray(column((draft) => json(draft.mentions))),
    plainArray(column((draft) => draft.replyToSeq)),
    plainArray(column((draft) => draft.threadRootSeq)),
    textArray(column((draft) => json(draft.forward))),
    textArray(column((draft) => json(draft.card))),
    plainArray(sends.map((send) => send.visibleFromSeq)),
    plainArray(sends.map((send) => send.slowModeSeconds)),
    now,
    skipLocked,
  ]);
}

/** The events that `writeMessages` has put into the log, by chat. */
export function eventsOf(sends: readonly Send[], outcomes: readonly Outcome[], now: Date): Published[] {
  const byChat = new Map<string, Published>();
  outcomes.forEach(({ status, seq, pos, epoch, root_pos }, index) => {
    if (status !== 'ok') return;
    const { draft } = sends[index]!;
    let published = byChat.get(draft.chatId);
    if (!published) byChat.set(draft.chatId, (published = { stream: chatStream(draft.chatId), epoch: epoch!, events: [] }));
    published.events.push({ pos: Number(pos), at: now.getTime(), ref: { kind: 'message.sent', seq: seq! } });
    if (root_pos !== null) published.events.push({ pos: Number(root_pos), at: now.getTime(), ref: { kind: 'message.updated', seq: draft.threadRootSeq! } });
  });
  return [...byChat.values()];
}

/** The row as `writeMessages` wrote it. */
export function writtenRow(draft: Draft, outcome: Outcome, now: Date): MessageRow {
  const { chatId, senderId, kind, replyToSeq, threadRootSeq, text, mentions, forward, card } = draft;
  return {
    chatId, seq: outcome.seq!, senderId, kind, version: 1, createdAt: now, editedAt: null, deletedAt: null, expiresAt: outcome.expires_at, replyToSeq, threadRootSeq,
    threadCount: 0, threadLastAt: null, text, mentions, forward, card, preview: null, reactions: null,
  };
}

/**
 * The message that the first use of a draft's key made, for who sees the chat from `visibleFrom`: of a message can be asked what others have answered it since.
 * Throws IDEMPOTENCY_KEY_REUSED when that was another draft, NOT_FOUND.
 */
export async function earlierMessage(sql: Sql, draft: Draft, visibleFrom: number, now: Date): Promise<MessageRow> {
  const message = await findEarlierMessage(sql, draft, now);
  if (!message || message.seq < visibleFrom) throw notFound('message');
  return message;
}

/** As `earlierMessage`, for the caller to judge who sees it; null when the key was not used. */
export async function findEarlierMessage(sql: Sql, draft: Draft, now: Date): Promise<MessageRow | null> {
  const [earlier] = await sql<{ input_hash: Buffer; result: { seq: number } }>(
    `select input_hash, result from idempotency_keys where actor_id = $1 and operation = 'sendMessage' and key = $2`,
    [draft.senderId, draft.idempotencyKey],
  );
  if (!earlier) return null;
  if (!earlier.input_hash.equals(draft.inputHash)) throw keyReused();
  const [message] = await messageByKey.batch([{ chatId: draft.chatId, seq: earlier.result.seq }], { sql, viewerId: null, now });
  return message ?? null;
}

/** Why a send was refused, as its sender is told. */
export async function refusal(sql: Sql, { draft, slowModeSeconds }: Send, status: 'reply' | 'thread' | 'slow', now: Date): Promise<DomainError> {
  if (status === 'reply') return new DomainError('NOT_FOUND', 'There is no such message to reply to.', { field: 'replyToId' });
  if (status === 'thread') return new DomainError('NOT_FOUND', 'There is no such message to answer in a thread.', { field: 'threadRootId' });
  const [member] = await sql<{ last_sent_at: Date | null }>('select last_sent_at from chat_members where chat_id = $1 and user_id = $2', [draft.chatId, draft.senderId]);
  const waited = member?.last_sent_at ? (now.getTime() - member.last_sent_at.getTime()) / 1000 : 0;
  return new DomainError('SLOW_MODE', 'Slow mode is on: wait before the next message.', { retryAfter: Math.max(1, Math.ceil(slowModeSeconds - waited)) });
}

/**
 * Writes one message within a transaction that holds the chat's lock and has decided that the sender may; for what goes
 * with rows of its own (polls). Everything else goes through SendQueue.
 * `repeated`: the draft's key was used before, and nothing was written.
 */
export async function writeMessage(
  tx: Tx,
  draft: Draft,
  { visibleFromSeq = 1, slowModeSeconds = 0 }: { visibleFromSeq?: number; slowModeSeconds?: number } = {},
): Promise<{ message: MessageRow; repeated: boolean }> {
  const send: Send = { draft, aclVersion: null, visibleFromSeq, slowModeSeconds };
  const [outcome] = await writeMessages(tx.sql, [send], tx.now, false);
  switch (outcome!.status) {
    case 'ok':
      tx.written.push(...eventsOf([send], [outcome!], tx.now));
      return { message: writtenRow(draft, outcome!, tx.now), repeated: false };
    case 'key':
      return { message: await earlierMessage(tx.sql, draft, visibleFromSeq, tx.now), repeated: true };
    case 'stale':
    case 'busy':
      throw notFound('chat');
    default:
      throw await refusal(tx.sql, send, outcome!.status, tx.now);
  }
}

/**
 * Writes into a chat's history what has happened to the chat, under the chat's lock, which the caller holds. Such a message
 * is never unread, and doesn't disappear. Returns its number.
 */
export async function writeSystemMessage(tx: Tx, chatId: string, actorId: string, card: Omit<SystemRef, 'type'>): Promise<number> {
  const [chat] = await tx.sql<{ last_seq: number }>('update chats set last_seq = last_seq + 1, last_message_at = $2 where id = $1 returning last_seq', [chatId, tx.now]);
  const seq = chat!.last_seq;
  await tx.sql(`insert into messages (chat_id, seq, sender_id, kind, created_at, card) values ($1, $2, $3, 'SYSTEM', $4, $5)`, [
    chatId, seq, actorId, tx.now, JSON.stringify({ type: 'system', ...card } satisfies SystemRef),
  ]);
  tx.append(chatStream(chatId), { kind: 'message.sent', seq });
  return seq;
}
