import { pageRequest, emptyPage, type Page, type PageArgs } from '../db/pages.js';
import type { UnitOfWork } from '../db/unit-of-work.js';
import { chatStream } from '../events/catalogue.js';
import { DomainError } from '../lib/errors.js';
import { cleanText } from '../lib/validate.js';
import { assertCanDelete, assertCanEdit } from '../policies/message-policy.js';
import type { Actor, Reading } from './actor.js';
import { messageEdits, type EditRow } from './loaders/message-parts.js';
import { MESSAGE_COLUMNS, type MessageKey, type MessageRow } from './loaders/messages.js';
import { mentionsIn } from './mentions.js';
import { eraseMessages, lockMessage, readMessage } from './message-changes.js';
import { MAX_TEXT_BYTES } from './messages.js';
import type { ModerationGate } from './moderation/gate.js';

/** Changing one's words, and taking them back. */
export class MessageEditService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly gate: Pick<ModerationGate, 'passEdit'>,
  ) {}

  /**
   * Replaces the text of one's own message; the earlier one is kept for members to see. The same text again changes nothing.
   * Errors: NOT_FOUND, FORBIDDEN, BLOCKED, MODERATED, INVALID_INPUT (text), STATE_CONFLICT (deleted, or no longer at `expectedVersion`).
   */
  async edit(actor: Actor, key: MessageKey, input: { text: string; expectedVersion: number | null }): Promise<MessageRow> {
    const text = cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'editMessage' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      assertCanEdit(access, message, actor.userId);
      if (message.text === text) return message;
      await this.gate.passEdit(access, { text, card: message.card });
      if (input.expectedVersion !== null && input.expectedVersion !== message.version) {
        throw new DomainError('STATE_CONFLICT', `The message is at version ${message.version}.`, { field: 'expectedVersion' });
      }
      if (message.text !== null) await tx.sql('insert into message_edits (chat_id, seq, version, text, replaced_at) values ($1, $2, $3, $4, $5)', [key.chatId, key.seq, message.version, message.text, tx.now]);
      const [edited] = await tx.sql<MessageRow>(
        `update messages m set text = $3, mentions = $4, edited_at = $5, preview = case when preview->>'state' = 'OFF' then preview end, version = version + 1 where m.chat_id = $1 and m.seq = $2 returning ${MESSAGE_COLUMNS}`,
        [key.chatId, key.seq, text, await mentionsIn(tx.sql, text, key.chatId), tx.now],
      );
      tx.append(chatStream(key.chatId), { kind: 'message.updated', seq: key.seq });
      return edited!;
    });
  }

  /**
   * Deletes a message for everyone: what it held is erased. Again: changes nothing.
   * Errors: NOT_FOUND, FORBIDDEN.
   */
  async deleteForEveryone(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteMessage' }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      assertCanDelete(access, message, actor.userId);
      if (message.deletedAt) return message;
      await eraseMessages(tx, key.chatId, [key.seq]);
      return readMessage(tx, key);
    });
  }

  /** The earlier texts, oldest first; none of what was deleted. The caller has asked whether the message may be seen. */
  async history(reading: Reading, message: MessageRow, args: PageArgs): Promise<Page<EditRow>> {
    const request = pageRequest(args, ['number']);
    if (!message.editedAt || message.deletedAt) return emptyPage();
    return (await reading.load(messageEdits, { parent: message, request }))!;
  }
}
