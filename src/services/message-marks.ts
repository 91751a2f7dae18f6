import type { Sql } from '../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { userStream } from '../events/catalogue.js';
import { assertCanSee, assertCanStar } from '../policies/message-policy.js';
import type { Actor, Reading } from './actor.js';
import { readChatAccess } from './chat-access.js';
import { viewerMarks, type ViewerMarks } from './loaders/message-parts.js';
import { MESSAGE_COLUMNS, messageByKey, shown, type MessageKey, type MessageRow } from './loaders/messages.js';
import { readMessage } from './message-changes.js';

/** One's own marks on messages: nobody else learns of them, so that the chat is not locked. */
export class MessageMarkService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Errors: NOT_FOUND, STATE_CONFLICT (deleted). Starred already, or deleted by the actor for themself: changes nothing. */
  star(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.#mark(actor, key, 'starMessage', async (tx, message) => {
      assertCanStar(message);
      return tx.sql(
        `insert into message_marks (chat_id, seq, user_id, starred_at) values ($1, $2, $3, $4)
         on conflict (chat_id, seq, user_id) do update set starred_at = $4 where message_marks.starred_at is null and message_marks.hidden_at is null returning seq`,
        [key.chatId, key.seq, actor.userId, tx.now],
      );
    });
  }

  /** Errors: NOT_FOUND. */
  unstar(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.#mark(actor, key, 'unstarMessage', (tx) =>
      tx.sql('update message_marks set starred_at = null where chat_id = $1 and seq = $2 and user_id = $3 and starred_at is not null returning seq', [key.chatId, key.seq, actor.userId]),
    );
  }

  /** Deletes a message for the actor alone: lists leave it out, and it is no longer starred. Errors: NOT_FOUND. */
  hide(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.#mark(actor, key, 'deleteMessage', (tx) =>
      tx.sql(
        `insert into message_marks (chat_id, seq, user_id, hidden_at) values ($1, $2, $3, $4)
         on conflict (chat_id, seq, user_id) do update set hidden_at = $4, starred_at = null where message_marks.hidden_at is null returning seq`,
        [key.chatId, key.seq, actor.userId, tx.now],
      ),
    );
  }

  /** `change` answers a row when it has changed something. */
  #mark(actor: Actor, key: MessageKey, operation: string, change: (tx: Tx, message: MessageRow) => Promise<object[]>): Promise<MessageRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation }, async (tx) => {
      assertCanSee(await readChatAccess(tx.sql, key.chatId, actor.userId), key.seq);
      const message = await readMessage(tx, key);
      const changed = await change(tx, message);
      if (changed.length) tx.append(userStream(actor.userId), { kind: 'message.marks', ...key });
      return message;
    });
  }

  /** What of a message is the viewer's own. */
  async viewerState(reading: Reading, viewerId: string, message: MessageRow): Promise<ViewerMarks & { mentioned: boolean }> {
    const marks = (await reading.load(viewerMarks, message))!;
    return { ...marks, mentioned: message.mentions?.includes(viewerId) ?? false };
  }

  /** The viewer's starred messages that they may still see, the last starred first. */
  async starred(reading: Reading, viewerId: string, args: PageArgs): Promise<Page<MessageRow>> {
    const request = pageRequest(args, ['time', 'uuid', 'number']);
    const [at, chatId, seq] = request.from ?? [null, null, null];
    const rows = await this.sql<MessageRow & { starredAt: Date }>(
      `select ${MESSAGE_COLUMNS}, k.starred_at as "starredAt" from message_marks k
       join messages m on m.chat_id = k.chat_id and m.seq = k.seq
       join chat_members c on c.chat_id = k.chat_id and c.user_id = k.user_id and k.seq >= c.visible_from_seq
       where k.user_id = $1 and k.starred_at is not null and m.deleted_at is null and (m.expires_at is null or m.expires_at > $6)
         and ($2::timestamptz is null or (k.starred_at, k.chat_id, k.seq) < ($2, $3::uuid, $4::int))
       order by k.starred_at desc, k.chat_id desc, k.seq desc limit $5`,
      [viewerId, at === null ? null : new Date(at as number), chatId, seq, request.limit, reading.now],
    );
    for (const row of rows) reading.prime(messageByKey, row, shown(row, reading.now));
    return toPage(rows, request, (row) => [row.starredAt.getTime(), row.chatId, row.seq]);
  }
}
