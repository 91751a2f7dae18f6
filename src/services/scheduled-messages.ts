import type { Database } from '../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import { hashInput, type Tx, type UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import type { Clock } from '../lib/clock.js';
import { DomainError, invalidInput, notFound } from '../lib/errors.js';
import { newId } from '../lib/ids.js';
import type { Logger } from '../lib/logger.js';
import { cleanText } from '../lib/validate.js';
import { assertCanSend } from '../policies/chat-policy.js';
import type { Actor, Reading } from './actor.js';
import { cleanAttachments, MAX_ATTACHMENTS, type NewAttachment } from './attachments.js';
import { readChatAccess } from './chat-access.js';
import { claimFiles, releaseFiles } from './files/file-claims.js';
import type { MessageKey } from './loaders/messages.js';
import { scheduledById, SCHEDULED_COLUMNS, type ScheduledFailure, type ScheduledRow, type ScheduledState } from './loaders/scheduled-messages.js';
import { mentionsIn } from './mentions.js';
import type { Draft } from './message-writer.js';
import { MAX_TEXT_BYTES, type MessageService } from './messages.js';

export const MAX_WAITING_EACH = 100;
const EARLIEST_MS = 5_000;
const LATEST_MS = 365 * 86_400_000;
const BATCH = 50;
/** After this long a process that took a message and said no more is taken for dead, and another tries. */
const CLAIM_SECONDS = 30;
/** What a moment's trouble (slow mode, too much to do) waits at the most before the next try. */
const MAX_POSTPONE_SECONDS = 3_600;

export interface ScheduleInput {
  chatId: string;
  text: string | null;
  attachments: readonly NewAttachment[];
  replyTo: MessageKey | null;
  threadRoot: MessageKey | null;
  sendAt: Date;
  idempotencyKey: string;
}

/** Messages that are sent later. They get their number in the chat, and who may send is asked, when they are released. */
export class ScheduledMessageService {
  static readonly DUE = "exists (select from scheduled_messages where state = 'WAITING' and try_at <= $1)";

  constructor(
    private readonly db: Pick<Database, 'sql' | 'background'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly messages: Pick<MessageService, 'deliver'>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** The viewer's own, by the time at which they are due. */
  async list(reading: Reading, states: readonly ScheduledState[], args: PageArgs): Promise<Page<ScheduledRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    const from = request.from === null ? null : new Date(request.from[0] as number);
    const rows = await this.db.sql<ScheduledRow>(
      `select ${SCHEDULED_COLUMNS} from scheduled_messages s where s.sender_id = $1 and s.state = any($2) and ($3::timestamptz is null or (s.send_at, s.id) > ($3, $4::uuid))
       order by s.send_at, s.id limit $5`,
      [reading.viewer!.userId, states, from, request.from?.[1] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.sendAt.getTime(), row.id]);
  }

  /** One of the viewer's own, or null. */
  async find(reading: Reading, id: string): Promise<ScheduledRow | null> {
    const row = await reading.load(scheduledById, id);
    return row && row.senderId === reading.viewer?.userId ? row : null;
  }

  /**
   * Keeps a message until `sendAt`, which is 5 seconds to a year ahead.
   * Errors: NOT_FOUND (chat, reply target, thread root, file), STATE_CONFLICT (a file that is not READY), BLOCKED, INVALID_INPUT, LIMIT_REACHED (100 are waiting).
   */
  async schedule(actor: Actor, input: ScheduleInput): Promise<ScheduledRow> {
    const text = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    const files = cleanAttachments(input.attachments);
    if (text === null && !files) throw invalidInput('text', 'A message needs a text, or something attached.');
    const { idempotencyKey, ...bound } = input;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'scheduleMessage', idempotencyKey, input: { ...bound, text } }, async (tx) => {
      const wait = input.sendAt.getTime() - tx.now.getTime();
      if (wait < EARLIEST_MS || wait > LATEST_MS) throw invalidInput('sendAt', 'sendAt is at least 5 seconds and at most a year ahead.');
      const access = await readChatAccess(tx.sql, input.chatId, actor.userId);
      assertCanSend(access);
      await assertMessage(tx, input, input.replyTo, access.member.visibleFromSeq, 'replyToId');
      await assertMessage(tx, input, input.threadRoot, access.member.visibleFromSeq, 'threadRootId');
      // One at a time for each person, so that the limit holds.
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [waiting] = await tx.sql<{ n: number }>(`select count(*)::int as n from scheduled_messages where sender_id = $1 and state = 'WAITING'`, [actor.userId]);
      if (waiting!.n >= MAX_WAITING_EACH) throw new DomainError('LIMIT_REACHED', `At most ${MAX_WAITING_EACH} messages wait to be sent.`);
      const made = newId();
      if (files) await claimFiles(tx, actor.userId, files.ids, 'SCHEDULED', { id: made }, { field: 'attachmentIds', most: MAX_ATTACHMENTS });
      await tx.sql('insert into scheduled_messages (id, chat_id, sender_id, input, send_at, try_at, created_at) values ($1, $2, $3, $4, $5, $5, $6)', [
        made, input.chatId, actor.userId, JSON.stringify({ text, files, replyToSeq: input.replyTo?.seq ?? null, threadRootSeq: input.threadRoot?.seq ?? null }), input.sendAt, tx.now,
      ]);
      tx.append(userStream(actor.userId), { kind: 'scheduled.changed', scheduledId: made });
      return { id: made };
    });
    return this.#read(id);
  }

  /**
   * Takes back what waits, and puts away what has failed. Of what was cancelled before, nothing changes.
   * Errors: NOT_FOUND; STATE_CONFLICT when it has been sent, or is being sent.
   */
  async cancel(actor: Actor, id: string): Promise<ScheduledRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'cancelScheduledMessage' }, async (tx) => {
      const [row] = await tx.sql<{ state: ScheduledState; sending: boolean }>('select state, sending from scheduled_messages where id = $1 and sender_id = $2 for update', [id, actor.userId]);
      if (!row) throw notFound('scheduled message');
      if (row.state === 'CANCELLED') return null;
      if (row.state === 'SENT' || (row.state === 'WAITING' && row.sending)) throw new DomainError('STATE_CONFLICT', 'The message has been sent already.');
      await tx.sql(`update scheduled_messages set state = 'CANCELLED', input = '{}', failure = null where id = $1`, [id]);
      await releaseFiles(tx, 'SCHEDULED', [{ id }]);
      tx.append(userStream(actor.userId), { kind: 'scheduled.changed', scheduledId: id });
      return null;
    });
    return this.#read(id);
  }

  /**
   * Sends what is due; true when there may be more. A message is taken by one process at a time. Its idempotency key is
   * made of its id, so when that process dies between sending and noting it, the next finds what was sent.
   */
  async release(): Promise<boolean> {
    const due = await this.db.background<ScheduledRow & { suspended: boolean }>(
      `update scheduled_messages s set sending = true, try_at = $1::timestamptz + make_interval(secs => $3) from users u
       where u.id = s.sender_id and s.id = any(array(select id from scheduled_messages where state = 'WAITING' and try_at <= $1 order by try_at, id limit $2 for update skip locked))
       returning ${SCHEDULED_COLUMNS}, u.suspended_at is not null as suspended`,
      [this.clock.now(), BATCH, CLAIM_SECONDS],
    );
    due.sort((a, b) => a.sendAt.getTime() - b.sendAt.getTime() || (a.id < b.id ? -1 : 1));
    const byChat = Map.groupBy(due, (row) => row.chatId);
    await Promise.all(
      [...byChat.values()].map(async (rows) => {
        for (const row of rows) await this.#send(row, row.suspended).catch((error: Error) => this.log.error({ scheduledId: row.id, error: error.message }, 'a scheduled message could not be sent; it is tried again'));
      }),
    );
    return due.length === BATCH;
  }

  async #send(row: ScheduledRow, suspended: boolean): Promise<void> {
    try {
      // What a process sent that then died is sent, whatever has happened since.
      const earlier = await this.#sentBefore(row);
      if (earlier !== null) return await this.#settle(row, 'SENT', earlier, null);
      if (suspended) return await this.#settle(row, 'FAILED', null, 'NOT_ALLOWED');
      const { seq } = await this.#write(row);
      await this.#settle(row, 'SENT', seq, null);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error.details.retryAfter === undefined) return this.#settle(row, 'FAILED', null, failureOf(error));
      const again = new Date(this.clock.now().getTime() + Math.min(error.details.retryAfter, MAX_POSTPONE_SECONDS) * 1000);
      await this.db.sql(`update scheduled_messages set sending = false, try_at = $2 where id = $1 and state = 'WAITING'`, [row.id, again]);
    }
  }

  async #sentBefore(row: ScheduledRow): Promise<number | null> {
    const [earlier] = await this.db.sql<{ seq: number }>(
      `select (result->>'seq')::int as seq from idempotency_keys where actor_id = $1 and operation = 'sendMessage' and key = $2`,
      [row.senderId, keyOf(row)],
    );
    return earlier?.seq ?? null;
  }

  async #write(row: ScheduledRow): Promise<{ seq: number }> {
    const draft: Draft = {
      chatId: row.chatId,
      senderId: row.senderId,
      idempotencyKey: keyOf(row),
      inputHash: hashInput({ scheduled: row.id }),
      kind: 'TEXT',
      text: row.text,
      mentions: await mentionsIn(this.db.sql, row.text, row.chatId),
      replyToSeq: row.replyToSeq,
      threadRootSeq: row.threadRootSeq,
      forward: null,
      card: row.files,
    };
    const files = row.files && { ids: row.files.ids, of: null };
    const send = (one: Draft) => this.messages.deliver(one, { poll: null, files });
    try {
      return await send(draft);
    } catch (error) {
      // What it answers has been deleted meanwhile: the words are sent all the same.
      if (error instanceof DomainError && error.details.field === 'replyToId') return send({ ...draft, replyToSeq: null });
      throw error;
    }
  }

  async #settle(row: ScheduledRow, state: 'SENT' | 'FAILED', seq: number | null, failure: ScheduledFailure | null): Promise<void> {
    await this.unitOfWork.run({ actorId: row.senderId, operation: 'releaseScheduledMessage' }, async (tx) => {
      // The text of what was sent lives on in the message alone: there it can be deleted.
      const settled = await tx.sql(
        `update scheduled_messages set state = $2, sent_seq = $3, failure = $4, sending = false, input = case when $2 = 'SENT' then '{}' else input end
         where id = $1 and state = 'WAITING' returning id`,
        [row.id, state, seq, failure],
      );
      if (!settled.length) return null;
      // The message has its files from now on.
      if (state === 'SENT') await releaseFiles(tx, 'SCHEDULED', [{ id: row.id }]);
      tx.append(userStream(row.senderId), { kind: 'scheduled.changed', scheduledId: row.id });
      return null;
    });
  }

  async #read(id: string): Promise<ScheduledRow> {
    const [row] = await this.db.sql<ScheduledRow>(`select ${SCHEDULED_COLUMNS} from scheduled_messages s where s.id = $1`, [id]);
    return row!;
  }
}

/** With a space: no client can have used it. */
const keyOf = (row: ScheduledRow): string => `scheduled ${row.id}`;

async function assertMessage(tx: Tx, { chatId }: ScheduleInput, key: MessageKey | null, visibleFrom: number, field: string): Promise<void> {
  if (!key) return;
  const sees = key.chatId === chatId && key.seq >= visibleFrom;
  const [found] = sees ? await tx.sql('select from messages where chat_id = $1 and seq = $2 and deleted_at is null', [chatId, key.seq]) : [];
  if (!found) throw new DomainError('NOT_FOUND', 'There is no such message in this chat.', { field });
}

function failureOf(error: DomainError): ScheduledFailure {
  if (error.code === 'NOT_FOUND' && error.details.field !== 'attachmentIds') return error.details.field === 'threadRootId' ? 'THREAD_GONE' : 'NOT_A_MEMBER';
  return error.code === 'BLOCKED' || error.code === 'HELD' ? error.code : 'NOT_ALLOWED';
}
