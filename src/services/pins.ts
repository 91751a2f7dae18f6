import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { UnitOfWork } from '../db/unit-of-work.js';
import { chatStream } from '../events/catalogue.js';
import { DomainError } from '../lib/errors.js';
import { assertCanPin, assertPinnable } from '../policies/message-policy.js';
import type { Actor, Reading } from './actor.js';
import { MESSAGE_COLUMNS, messageByKey, shown, type MessageKey, type MessageRow } from './loaders/messages.js';
import { lockMessage } from './message-changes.js';

export const MAX_PINS = 50;

/** What a chat keeps at its top. */
export class PinService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Pinned already: changes nothing. Errors: NOT_FOUND, FORBIDDEN, BLOCKED, LIMIT_REACHED, STATE_CONFLICT (deleted). */
  pin(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'pinMessage' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      assertCanPin(access);
      assertPinnable(message);
      const made = await tx.sql('insert into pinned_messages (chat_id, seq, pinned_by, pinned_at) values ($1, $2, $3, $4) on conflict do nothing returning seq', [
        key.chatId, key.seq, actor.userId, tx.now,
      ]);
      if (!made.length) return message;
      const [row] = await tx.sql<{ pins: number }>(
        `select count(*)::int as pins from pinned_messages p join messages m on m.chat_id = p.chat_id and m.seq = p.seq
         where p.chat_id = $1 and (m.expires_at is null or m.expires_at > $2)`,
        [key.chatId, tx.now],
      );
      if (row!.pins > MAX_PINS) throw new DomainError('LIMIT_REACHED', `A chat has at most ${MAX_PINS} pinned messages.`);
      tx.append(chatStream(key.chatId), { kind: 'pins.changed', seq: key.seq, pinned: true });
      return message;
    });
  }

  /** Not pinned: changes nothing. Errors: NOT_FOUND, FORBIDDEN, BLOCKED. */
  unpin(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'unpinMessage' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      assertCanPin(access);
      const gone = await tx.sql('delete from pinned_messages where chat_id = $1 and seq = $2 returning seq', [key.chatId, key.seq]);
      if (gone.length) tx.append(chatStream(key.chatId), { kind: 'pins.changed', seq: key.seq, pinned: false });
      return message;
    });
  }

  /** The pinned messages that the viewer may see, the last pinned first. */
  async list(reading: Reading, chatId: string, args: PageArgs): Promise<Page<MessageRow>> {
    const request = pageRequest(args, ['time', 'number']);
    const visibleFrom = await reading.visibleFrom(chatId);
    if (visibleFrom === Number.MAX_SAFE_INTEGER) return emptyPage();
    const [at, seq] = request.from ?? [null, null];
    const rows = await this.sql<MessageRow & { pinnedAt: Date }>(
      `select ${MESSAGE_COLUMNS}, p.pinned_at as "pinnedAt" from pinned_messages p join messages m on m.chat_id = p.chat_id and m.seq = p.seq
       where p.chat_id = $1 and p.seq >= $2 and m.deleted_at is null and (m.expires_at is null or m.expires_at > $6)
         and ($3::timestamptz is null or (p.pinned_at, p.seq) < ($3, $4::int))
         and not exists (select from message_marks h where h.chat_id = p.chat_id and h.seq = p.seq and h.user_id = $7 and h.hidden_at is not null)
       order by p.pinned_at desc, p.seq desc limit $5`,
      [chatId, visibleFrom, at === null ? null : new Date(at as number), seq, request.limit, reading.now, reading.viewer?.userId ?? null],
    );
    for (const row of rows) reading.prime(messageByKey, row, shown(row, reading.now));
    return toPage(rows, request, (row) => [row.pinnedAt.getTime(), row.seq]);
  }
}
