import { hashInput } from '../db/unit-of-work.js';
import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { InFlight } from '../lib/in-flight.js';
import { checkIdempotencyKey, cleanText } from '../lib/validate.js';
import type { Actor, Reading } from './actor.js';
import { viewerMembership, type ChatRow } from './loaders/chats.js';
import { MESSAGE_COLUMNS, messageByKey, shown, type MessageKey, type MessageRow } from './loaders/messages.js';
import type { SendQueue } from './send-queue.js';

export const MAX_TEXT_BYTES = 16 * 1024;
const MAX_MENTIONS = 100;
const MENTION = /(?<![\p{L}\p{N}_.@])@([a-z0-9_][a-z0-9_.]{1,30}[a-z0-9_])/giu;

export interface SendInput {
  chatId: string;
  text: string | null;
  attachmentIds: string[];
  replyTo: MessageKey | null;
  threadRoot: MessageKey | null;
  idempotencyKey: string;
}

/** Reading and sending messages; what changes a message afterwards stands in message-edits.ts. */
export class MessageService {
  readonly #underWay = new InFlight<MessageRow>();

  constructor(
    private readonly sql: Sql,
    private readonly queue: SendQueue,
  ) {}

  /** A message that the viewer may see, or null. */
  async find(reading: Reading, key: MessageKey): Promise<MessageRow | null> {
    const member = await reading.load(viewerMembership, key.chatId);
    return member && key.seq >= member.visibleFromSeq ? reading.load(messageByKey, key) : null;
  }

  /** The chat's history from where the viewer may see it, by number. Answers in threads are left out. */
  async history(reading: Reading, chatId: string, args: PageArgs): Promise<Page<MessageRow>> {
    const request = pageRequest(args, ['number']);
    const visibleFrom = await reading.visibleFrom(chatId);
    if (visibleFrom === Number.MAX_SAFE_INTEGER) return emptyPage();
    const from = request.from?.[0] as number | undefined;
    const rows = request.backward
      ? await this.sql<MessageRow>(
          `select ${MESSAGE_COLUMNS} from messages m where m.chat_id = $1 and m.seq >= $2 and m.seq < $3 and m.thread_root_seq is null order by m.seq desc limit $4`,
          [chatId, visibleFrom, from ?? 2 ** 31 - 1, request.limit],
        )
      : await this.sql<MessageRow>(
          `select ${MESSAGE_COLUMNS} from messages m where m.chat_id = $1 and m.seq >= $2 and m.seq > $3 and m.thread_root_seq is null order by m.seq limit $4`,
          [chatId, visibleFrom, from ?? 0, request.limit],
        );
    for (const row of rows) reading.prime(messageByKey, row, shown(row, reading.now));
    return toPage(rows, request, (row) => [row.seq]);
  }

  /** The newest message of the history that the viewer may see. */
  async last(reading: Reading, chat: ChatRow): Promise<MessageRow | null> {
    const page = await this.history(reading, chat.id, { last: 1 });
    return page.edges[0]?.node ?? null;
  }

  /**
   * Sends a message. A repeat under the same key answers the message that the first made.
   * Errors: NOT_FOUND (chat, reply target, thread root), BLOCKED, SLOW_MODE, INVALID_INPUT, IDEMPOTENCY_KEY_REUSED, OVERLOADED.
   */
  async send(actor: Actor, input: SendInput): Promise<MessageRow> {
    checkIdempotencyKey(input.idempotencyKey);
    const text = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    if (text === null) throw invalidInput('text', 'A message needs a text.');
    if (input.attachmentIds.length) throw new DomainError('NOT_FOUND', 'There is no such file.', { field: 'attachmentIds' });
    for (const [key, field] of [[input.replyTo, 'replyToId'], [input.threadRoot, 'threadRootId']] as const) {
      if (key && key.chatId !== input.chatId) throw new DomainError('NOT_FOUND', 'There is no such message in this chat.', { field });
    }
    const inputHash = hashInput({ ...input, text, idempotencyKey: undefined });
    const slot = `${actor.userId} ${input.idempotencyKey} ${inputHash.toString('base64')}`;
    return this.#underWay.run(slot, async () =>
      this.queue.send({
        chatId: input.chatId,
        senderId: actor.userId,
        idempotencyKey: input.idempotencyKey,
        inputHash,
        kind: 'TEXT',
        text,
        mentions: await this.mentionsIn(text, input.chatId),
        replyToSeq: input.replyTo?.seq ?? null,
        threadRootSeq: input.threadRoot?.seq ?? null,
        forward: null,
        card: null,
      }),
    );
  }

  /** The members of the chat whom a text names by `@handle`, in its order; null for none. */
  async mentionsIn(text: string, chatId: string): Promise<string[] | null> {
    if (!text.includes('@')) return null;
    const handles = [...new Set([...text.matchAll(MENTION)].map((match) => match[1]!.toLowerCase()))].slice(0, MAX_MENTIONS);
    if (!handles.length) return null;
    const rows = await this.sql<{ id: string }>(
      `select u.id from unnest($1::text[]) with ordinality h(handle, o) join users u on u.handle_key = h.handle
       join chat_members m on m.chat_id = $2 and m.user_id = u.id order by h.o`,
      [handles, chatId],
    );
    return rows.length ? rows.map((row) => row.id) : null;
  }
}

