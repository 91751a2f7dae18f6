import { hashInput, type Tx, type UnitOfWork } from '../db/unit-of-work.js';
import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { CardRef } from '../entities/message.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { InFlight } from '../lib/in-flight.js';
import { checkIdempotencyKey, cleanText } from '../lib/validate.js';
import { assertCanSend, slowModeFor } from '../policies/chat-policy.js';
import type { Actor, Reading } from './actor.js';
import { cleanAttachments, writeWithFiles, type NewAttachment } from './attachments.js';
import { lockChat, type ChatAccessReader } from './chat-access.js';
import { threadMessages } from './loaders/message-parts.js';
import { viewerMembership } from './loaders/chats.js';
import { MESSAGE_COLUMNS, messageByKey, messageColumns, shown, type MessageKey, type MessageRow } from './loaders/messages.js';
import { mentionsIn } from './mentions.js';
import { writeMessage, type Draft } from './message-writer.js';
import type { DraftParts, ModerationGate } from './moderation/gate.js';
import { cleanPoll, writePoll, type NewPoll } from './polls.js';
import type { SendQueue } from './send-queue.js';

export const MAX_TEXT_BYTES = 16 * 1024;
const MAX_PLACE_BYTES = 256;
const MAX_SEQ = 2 ** 31 - 1;

/** For a message `m`: the person `$5` has not deleted it for themself. */
const NOT_HIDDEN = 'not exists (select from message_marks h where h.chat_id = m.chat_id and h.seq = m.seq and h.user_id = $5 and h.hidden_at is not null)';

/** A place on earth, in degrees (WGS 84). */
export interface NewLocation {
  latitude: number;
  longitude: number;
  name: string | null;
}

export interface SendInput {
  chatId: string;
  text: string | null;
  attachments: readonly NewAttachment[];
  replyTo: MessageKey | null;
  threadRoot: MessageKey | null;
  poll: NewPoll | null;
  location: NewLocation | null;
  /** False: no card is made of what stands behind its link. */
  linkPreview?: false;
  idempotencyKey: string;
}

/** Reading and sending messages; what changes a message afterwards stands in message-edits.ts. */
export class MessageService {
  readonly #underWay = new InFlight<MessageRow>();

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly queue: SendQueue,
    private readonly access: ChatAccessReader,
    private readonly gate: Pick<ModerationGate, 'pass'>,
  ) {}

  /** A message that the viewer may see, or null. */
  async find(reading: Reading, key: MessageKey): Promise<MessageRow | null> {
    const member = await reading.load(viewerMembership, key.chatId);
    return member && key.seq >= member.visibleFromSeq ? reading.load(messageByKey, key) : null;
  }

  /**
   * The chat's history from where the viewer may see it, by number. Left out are answers in threads, and what the viewer has deleted for themself.
   * Rows hold what the fields `asked` need, and no more.
   */
  async history(reading: Reading, chatId: string, args: PageArgs, asked: ReadonlySet<string>): Promise<Page<MessageRow>> {
    const request = pageRequest(args, ['number']);
    const visibleFrom = await reading.visibleFrom(chatId);
    if (visibleFrom === Number.MAX_SAFE_INTEGER) return emptyPage();
    const viewerId = reading.viewer?.userId ?? null;
    const from = request.from?.[0] as number | undefined;
    const few = messageColumns(asked);
    const range = request.backward ? 'm.seq < $3' : 'm.seq > $3';
    const rows = await this.sql<MessageRow>(
      `select ${few ?? MESSAGE_COLUMNS} from messages m where m.chat_id = $1 and m.seq >= $2 and ${range} and m.thread_root_seq is null and ${NOT_HIDDEN} order by m.seq${request.backward ? ' desc' : ''} limit $4`,
      [chatId, visibleFrom, from ?? (request.backward ? MAX_SEQ : 0), request.limit, viewerId],
    );
    for (const row of rows) {
      shown(row, reading.now);
      if (few) row.chatId = chatId;
      else reading.prime(messageByKey, row, row);
    }
    return toPage(rows, request, (row) => [row.seq]);
  }

  /**
   * The history around a number, whether or not there is such a message: up to half of `first` before it, the rest from it
   * on, and more on one side where the other has too few. Cursors are those of the history.
   */
  async around(reading: Reading, chatId: string, seq: number, first: number | null): Promise<Page<MessageRow>> {
    const { size } = pageRequest({ first }, []);
    const visibleFrom = await reading.visibleFrom(chatId);
    if (visibleFrom === Number.MAX_SAFE_INTEGER || size === 0) return emptyPage();
    const rows = await this.sql<MessageRow>(
      `(select ${MESSAGE_COLUMNS} from messages m where m.chat_id = $1 and m.seq >= $2 and m.seq < $3 and m.thread_root_seq is null and ${NOT_HIDDEN} order by m.seq desc limit $4)
       union all
       (select ${MESSAGE_COLUMNS} from messages m where m.chat_id = $1 and m.seq >= greatest($2, $3) and m.thread_root_seq is null and ${NOT_HIDDEN} order by m.seq limit $4)`,
      [chatId, visibleFrom, seq, size + 1, reading.viewer?.userId ?? null],
    );
    rows.sort((a, b) => a.seq - b.seq);
    const before = rows.filter((row) => row.seq < seq).length;
    const from = Math.max(0, Math.min(Math.max(before - Math.floor(size / 2), 0), rows.length - size));
    const kept = rows.slice(from, from + size);
    for (const row of kept) reading.prime(messageByKey, row, shown(row, reading.now));
    const page = toPage(kept, { size, limit: size + 1, backward: false, from: null }, (row) => [row.seq]);
    return { ...page, pageInfo: { ...page.pageInfo, hasPreviousPage: from > 0, hasNextPage: from + size < rows.length } };
  }

  /** The answers in the thread of a message that the viewer may see, oldest first. */
  async thread(reading: Reading, root: MessageKey, args: PageArgs): Promise<Page<MessageRow>> {
    return (await reading.load(threadMessages, { parent: root, request: pageRequest(args, ['number']) }))!;
  }

  /**
   * Sends a message. A repeat under the same key answers the message that the first made.
   * Errors: NOT_FOUND (chat, reply target, thread root, file), STATE_CONFLICT (a file that is not READY), BLOCKED, SLOW_MODE, HELD, MODERATED, INVALID_INPUT, IDEMPOTENCY_KEY_REUSED, OVERLOADED.
   */
  async send(actor: Actor, input: SendInput): Promise<MessageRow> {
    checkIdempotencyKey(input.idempotencyKey);
    if (input.poll && input.location) throw invalidInput('location', 'A message holds a poll or a location, not both.');
    const text = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    const poll = input.poll && cleanPoll(input.poll);
    const card: CardRef | null = poll ? { type: 'poll' } : input.location && { type: 'location', ...cleanLocation(input.location) };
    const files = cleanAttachments(input.attachments);
    if (files && card) throw invalidInput('attachmentIds', 'Files go with words, not with a poll or a location.');
    if (text === null && card === null && !files) throw invalidInput('text', 'A message needs a text, or something attached.');
    assertInChat(input.chatId, { replyToId: input.replyTo, threadRootId: input.threadRoot });
    const inputHash = hashInput({ ...input, text, idempotencyKey: undefined });
    const slot = `${actor.userId} ${input.idempotencyKey} ${inputHash.toString('base64')}`;
    return this.#underWay.run(slot, async () =>
      this.deliver(
        {
          chatId: input.chatId,
          senderId: actor.userId,
          idempotencyKey: input.idempotencyKey,
          inputHash,
          kind: card ? 'CARD' : 'TEXT',
          text,
          mentions: await mentionsIn(this.sql, text, input.chatId),
          replyToSeq: input.replyTo?.seq ?? null,
          threadRootSeq: input.threadRoot?.seq ?? null,
          forward: null,
          card: files ?? card,
        },
        { poll, files: files && { ids: files.ids, of: null }, linkPreview: input.linkPreview },
      ),
    );
  }

  /** Writes a draft that was checked: with others in one go, or with its poll or files, or the wish for no preview, in a transaction of its own. */
  async deliver(draft: Draft, parts: DraftParts): Promise<MessageRow> {
    const { poll, files, linkPreview } = parts;
    const unlooked = linkPreview === false && draft.text?.includes('://');
    if (!poll && !files && !unlooked) return this.queue.send(draft);
    const access = await this.access.fresh(draft.chatId, draft.senderId);
    if (access?.member) await this.gate.pass(access, draft, parts);
    return this.unitOfWork.run({ actorId: draft.senderId, operation: 'sendMessage' }, (tx) => (files ? writeWithFiles(tx, draft, files) : poll ? writePoll(tx, draft, poll) : writeWithoutPreview(tx, draft)));
  }
}

/** What a message answers stands in its chat. Throws NOT_FOUND with the field. */
export function assertInChat(chatId: string, keys: Readonly<Record<string, MessageKey | null>>): void {
  for (const [field, key] of Object.entries(keys)) if (key && key.chatId !== chatId) throw new DomainError('NOT_FOUND', 'There is no such message in this chat.', { field });
}

async function writeWithoutPreview(tx: Tx, draft: Draft): Promise<MessageRow> {
  const access = await lockChat(tx.sql, draft.chatId, draft.senderId);
  assertCanSend(access);
  const { message, repeated } = await writeMessage(tx, draft, { visibleFromSeq: access.member.visibleFromSeq, slowModeSeconds: slowModeFor(access) });
  if (!repeated) await tx.sql(`update messages set preview = '{"state":"OFF"}' where chat_id = $1 and seq = $2`, [message.chatId, message.seq]);
  return message;
}

function cleanLocation({ latitude, longitude, name }: NewLocation): NewLocation {
  if (!(latitude >= -90 && latitude <= 90)) throw invalidInput('location.latitude', 'A latitude is from -90 to 90 degrees.');
  if (!(longitude >= -180 && longitude <= 180)) throw invalidInput('location.longitude', 'A longitude is from -180 to 180 degrees.');
  return { latitude, longitude, name: name === null ? null : cleanText(name, { field: 'location.name', maxBytes: MAX_PLACE_BYTES }) };
}
