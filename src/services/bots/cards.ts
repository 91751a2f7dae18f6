import { isDeepStrictEqual } from 'node:util';
import type { Sql } from '../../db/database.js';
import { hashInput, type UnitOfWork } from '../../db/unit-of-work.js';
import { chatStream } from '../../events/catalogue.js';
import { DomainError, forbidden } from '../../lib/errors.js';
import { checkIdempotencyKey, cleanText } from '../../lib/validate.js';
import { assertCanUpdateCard } from '../../policies/bot-card-policy.js';
import type { Actor } from '../actor.js';
import { MESSAGE_COLUMNS, type MessageKey, type MessageRow } from '../loaders/messages.js';
import { mentionsIn } from '../mentions.js';
import { lockMessage } from '../message-changes.js';
import { assertInChat, MAX_TEXT_BYTES, type MessageService } from '../messages.js';
import type { ModerationGate } from '../moderation/gate.js';
import { cleanCard, type NewCard } from './card-input.js';

export interface SendCard {
  chatId: string;
  text: string;
  card: NewCard;
  replyTo: MessageKey | null;
  threadRoot: MessageKey | null;
  idempotencyKey: string;
}

/** Messages of bots with buttons and forms. What people do with them stands in callbacks.ts. */
export class BotCardService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly messages: Pick<MessageService, 'deliver'>,
    private readonly gate: Pick<ModerationGate, 'passEdit'>,
  ) {}

  /** Errors: FORBIDDEN (not a bot), and those of sending. A repeat under the same key answers the message that the first made. */
  async send(actor: Actor, { chatId, text: given, card: newCard, replyTo, threadRoot, idempotencyKey }: SendCard): Promise<MessageRow> {
    checkIdempotencyKey(idempotencyKey);
    await this.#assertBot(actor);
    const text = cleanText(given, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    const card = cleanCard(newCard, false);
    assertInChat(chatId, { replyToId: replyTo, threadRootId: threadRoot });
    const [replyToSeq, threadRootSeq] = [replyTo?.seq ?? null, threadRoot?.seq ?? null];
    const mentions = await mentionsIn(this.sql, text, chatId);
    return this.messages.deliver(
      { chatId, senderId: actor.userId, idempotencyKey, inputHash: hashInput({ chatId, text, card, replyToSeq, threadRootSeq }), kind: 'CARD', text, mentions, replyToSeq, threadRootSeq, forward: null, card },
      { poll: null, files: null },
    );
  }

  /**
   * Replaces the card, and the text where one is given; an earlier text is kept, as with every edit. The same again changes nothing.
   * Errors: NOT_FOUND, FORBIDDEN (not a bot, not its own, no such card), BLOCKED, MODERATED, INVALID_INPUT, STATE_CONFLICT (deleted, or no longer at `expectedVersion`).
   */
  async update(actor: Actor, key: MessageKey, input: { text: string | null; card: NewCard; expectedVersion: number | null }): Promise<MessageRow> {
    await this.#assertBot(actor);
    const given = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    const card = cleanCard(input.card, true);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'updateBotCard' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      assertCanUpdateCard(access, message, actor.userId);
      const text = given ?? message.text;
      if (text === message.text && isDeepStrictEqual(card, message.card)) return message;
      await this.gate.passEdit(access, { text, card });
      if (input.expectedVersion !== null && input.expectedVersion !== message.version) throw new DomainError('STATE_CONFLICT', `The message is at version ${message.version}.`, { field: 'expectedVersion' });
      const reworded = text !== message.text;
      if (reworded) await tx.sql('insert into message_edits (chat_id, seq, version, text, replaced_at) values ($1, $2, $3, $4, $5)', [key.chatId, key.seq, message.version, message.text, tx.now]);
      const [changed] = await tx.sql<MessageRow>(
        `update messages m set text = $3, card = $4, mentions = $5, edited_at = case when $6 then $7 else edited_at end, preview = case when $6 and preview->>'state' <> 'OFF' then null else preview end, version = version + 1
         where m.chat_id = $1 and m.seq = $2 returning ${MESSAGE_COLUMNS}`,
        [key.chatId, key.seq, text, JSON.stringify(card), reworded ? await mentionsIn(tx.sql, text, key.chatId) : message.mentions, reworded, tx.now],
      );
      tx.append(chatStream(key.chatId), { kind: 'message.updated', seq: key.seq });
      return changed!;
    });
  }

  /** What somebody is does not change. */
  async #assertBot({ userId }: Actor): Promise<void> {
    const [bot] = await this.sql('select from bots where id = $1', [userId]);
    if (!bot) throw forbidden('Buttons and forms are for bots: use the token of one.');
  }
}
