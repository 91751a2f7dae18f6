import type { Sql } from '../db/database.js';
import { hashInput, keyReused } from '../db/unit-of-work.js';
import type { Clock } from '../lib/clock.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { InFlight } from '../lib/in-flight.js';
import { checkIdempotencyKey, distinct } from '../lib/validate.js';
import { assertCanSend, slowModeFor } from '../policies/chat-policy.js';
import { assertCanSee, isForwardable } from '../policies/message-policy.js';
import type { Actor } from './actor.js';
import type { NewAttachments } from './attachments.js';
import type { ChatAccessReader } from './chat-access.js';
import { MESSAGE_COLUMNS, messageByKey, messageKey, shown, type MessageKey, type MessageRow } from './loaders/messages.js';
import { pollByKey, type PollRow } from './loaders/polls.js';
import type { Draft } from './message-writer.js';
import type { MessageService } from './messages.js';
import type { NewPoll } from './polls.js';

const MAX_MESSAGES = 30;
const MAX_CHATS = 5;

export interface ForwardInput {
  messages: MessageKey[];
  chatIds: string[];
  idempotencyKey: string;
}

interface Letter {
  draft: Draft;
  poll: NewPoll | null;
  files: NewAttachments | null;
}

/** Sending on what others have written: it keeps its origin, and goes the way of every message. */
export class ForwardService {
  readonly #underWay = new InFlight<MessageRow[]>();

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly access: ChatAccessReader,
    private readonly messages: MessageService,
  ) {}

  /**
   * Sends messages on, in the given order, into each of the chats; answers what was written, chat by chat. A poll is asked
   * anew, without its votes. Everything is checked before anything is sent; each message has a key derived from the
   * caller's, so that a repeat after a failure half way sends what is missing alone.
   * Errors: NOT_FOUND (a message, a chat), INVALID_INPUT, BLOCKED, SLOW_MODE, IDEMPOTENCY_KEY_REUSED, OVERLOADED.
   */
  async forward(actor: Actor, input: ForwardInput): Promise<MessageRow[]> {
    checkIdempotencyKey(input.idempotencyKey);
    const chatIds = distinct(input.chatIds, 'chatIds', MAX_CHATS);
    distinct(input.messages, 'messageIds', MAX_MESSAGES);
    const keys = [...new Map(input.messages.map((key) => [messageKey(key), key])).values()];
    if (!keys.length) throw invalidInput('messageIds', 'messageIds is empty.');
    if (!chatIds.length) throw invalidInput('chatIds', 'chatIds is empty.');
    const inputHash = hashInput({ keys, chatIds });
    return this.#underWay.run(`${actor.userId} ${input.idempotencyKey} ${inputHash.toString('base64')}`, async () => {
      const derived = (chat: number, message: number) => `forward ${input.idempotencyKey} ${chat} ${message}`; // no caller's key holds a space
      const earlier = await this.#earlier(actor, inputHash, chatIds.flatMap((chatId, chat) => keys.map((_, index) => ({ chatId, key: derived(chat, index) }))));
      if (earlier) return earlier;
      const sources = await this.#sources(actor, keys);
      await this.#assertMaySend(actor, chatIds, keys.length);
      const sent = await Promise.allSettled(
        chatIds.map((chatId, chat) => this.#send(sources.map((source, index) => letterOf(source, { chatId, senderId: actor.userId, idempotencyKey: derived(chat, index), inputHash })))),
      );
      for (const result of sent) if (result.status === 'rejected') throw result.reason;
      return sent.flatMap((result) => (result as PromiseFulfilledResult<MessageRow[]>).value);
    });
  }

  /** What an earlier use of the key has written, when that is everything; NOT_FOUND for who has been taken out of a chat since. */
  async #earlier(actor: Actor, inputHash: Buffer, wanted: { chatId: string; key: string }[]): Promise<MessageRow[] | null> {
    const rows = await this.sql<{ key: string; input_hash: Buffer; result: { seq: number } }>(
      `select key, input_hash, result from idempotency_keys where actor_id = $1 and operation = 'sendMessage' and key = any($2)`,
      [actor.userId, wanted.map(({ key }) => key)],
    );
    if (rows.some((row) => !row.input_hash.equals(inputHash))) throw keyReused();
    if (rows.length < wanted.length) return null;
    const seqs = new Map(rows.map((row) => [row.key, row.result.seq]));
    const found = (await messageByKey.batch(wanted.map(({ chatId, key }) => ({ chatId, seq: seqs.get(key)! })), { sql: this.sql, viewerId: null, now: this.clock.now() })).filter((row) => row !== null);
    const inChats = new Map(await Promise.all([...new Set(wanted.map(({ chatId }) => chatId))].map(async (chatId) => [chatId, await this.access.fresh(chatId, actor.userId)] as const)));
    for (const { chatId, seq } of found) assertCanSee(inChats.get(chatId) ?? null, seq);
    return found;
  }

  /** The messages as the actor sees them, with their polls, in the given order. */
  async #sources(actor: Actor, keys: MessageKey[]): Promise<{ message: MessageRow; poll: PollRow | null }[]> {
    const now = this.clock.now();
    const rows = await this.sql<MessageRow>(
      `select ${MESSAGE_COLUMNS} from unnest($1::uuid[], $2::int[]) with ordinality k(chat_id, seq, ord)
       join chat_members c on c.chat_id = k.chat_id and c.user_id = $3 and k.seq >= c.visible_from_seq
       join messages m on m.chat_id = k.chat_id and m.seq = k.seq
       where not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $3 and h.hidden_at is not null)
       order by k.ord`,
      [keys.map((key) => key.chatId), keys.map((key) => key.seq), actor.userId],
    );
    const missing = () => new DomainError('NOT_FOUND', 'There is no such message to forward.', { field: 'messageIds' });
    if (rows.length < keys.length || rows.some((row) => shown(row, now).deletedAt)) throw missing();
    if (!rows.every(isForwardable)) throw invalidInput('messageIds', 'One of the messages can’t be forwarded.');
    const polls = await pollByKey.batch(rows, { sql: this.sql, viewerId: null, now });
    return rows.map((message, index) => {
      const poll = polls[index] ?? null;
      if (message.card?.type === 'poll' && !poll) throw missing(); // deleted between the two readings
      return { message, poll };
    });
  }

  async #assertMaySend(actor: Actor, chatIds: string[], count: number): Promise<void> {
    for (const chatId of chatIds) {
      const access = await this.access.fresh(chatId, actor.userId);
      assertCanSend(access);
      if (count > 1 && slowModeFor(access) > 0) throw new DomainError('SLOW_MODE', 'Slow mode is on: this chat takes one message at a time.', { field: 'chatIds' });
    }
  }

  /** In order: neighbours with nothing but words together, since the queue of a chat keeps their order. */
  async #send(letters: Letter[]): Promise<MessageRow[]> {
    const sent: MessageRow[] = [];
    for (let at = 0; at < letters.length; ) {
      const next = letters.findIndex((letter, index) => index >= at && (letter.poll ?? letter.files));
      const end = next === at ? at + 1 : next < 0 ? letters.length : next;
      sent.push(...(await Promise.all(letters.slice(at, end).map(({ draft, ...parts }) => this.messages.deliver(draft, parts)))));
      at = end;
    }
    return sent;
  }
}

function letterOf({ message, poll }: { message: MessageRow; poll: PollRow | null }, to: Pick<Draft, 'chatId' | 'senderId' | 'idempotencyKey' | 'inputHash'>): Letter {
  const { chatId, seq, senderId, createdAt, kind, text, card } = message;
  const forward = message.forward ?? { chatId, seq, senderId, at: createdAt.toISOString() };
  return {
    // A status is answered in the chat with its author alone, and a bot's buttons are pressed where it is. Whom a text names is decided where it was written: sending it on calls nobody.
    draft: { ...to, kind: card?.type === 'interactive' ? 'TEXT' : kind, text, mentions: null, replyToSeq: null, threadRootSeq: null, forward, card: card?.type === 'status' || card?.type === 'interactive' ? null : card },
    poll: poll && { question: poll.question, options: poll.options.map((option) => option.text), multiple: poll.multiple, anonymous: poll.anonymous, closesAt: null },
    files: card?.type === 'files' ? { ids: card.ids, of: { chatId, seq } } : null,
  };
}
