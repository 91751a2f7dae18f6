import { hashInput, type UnitOfWork } from '../../db/unit-of-work.js';
import { forbidden } from '../../lib/errors.js';
import { cleanText } from '../../lib/validate.js';
import { assertCanSend } from '../../policies/chat-policy.js';
import type { Actor } from '../actor.js';
import { lockChat } from '../chat-access.js';
import { directChat } from '../chats.js';
import type { MessageKey } from '../loaders/messages.js';
import { mentionsIn } from '../mentions.js';
import { writeMessage } from '../message-writer.js';
import { MAX_TEXT_BYTES } from '../messages.js';
import { lockPairs } from '../pairs.js';
import { readStatus } from './statuses.js';

/** Answers to statuses: messages in the direct chat with the author, which is made where there is none. */
export class StatusReplies {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A repeat under the same key answers the message that the first made. Errors: NOT_FOUND, FORBIDDEN (their own, or an encrypted chat), INVALID_INPUT, IDEMPOTENCY_KEY_REUSED. */
  reply(actor: Actor, input: { statusId: string; text: string; idempotencyKey: string }): Promise<MessageKey> {
    const { statusId, idempotencyKey } = input;
    const text = cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'replyToStatus', idempotencyKey, input: { statusId, text } }, async (tx) => {
      const { authorId } = await readStatus(tx, statusId, actor.userId);
      if (authorId === actor.userId) throw forbidden('Nobody answers their own status.');
      await lockPairs(tx.sql, actor.userId, [authorId]);
      // Again under the lock: a block may have come in between.
      await readStatus(tx, statusId, actor.userId);
      const chatId = await directChat(tx, actor.userId, authorId);
      const access = await lockChat(tx.sql, chatId, actor.userId);
      assertCanSend(access);
      const draft = {
        chatId, senderId: actor.userId, idempotencyKey: null, inputHash: hashInput(null), kind: 'TEXT' as const, text, mentions: await mentionsIn(tx.sql, text, chatId),
        replyToSeq: null, threadRootSeq: null, forward: null, card: { type: 'status' as const, statusId, authorId },
      };
      const { message } = await writeMessage(tx, draft);
      return { chatId, seq: message.seq };
    });
  }
}
