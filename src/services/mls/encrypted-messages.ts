import { hashInput } from '../../db/unit-of-work.js';
import type { EncryptedRef } from '../../entities/message.js';
import { invalidInput } from '../../lib/errors.js';
import { InFlight } from '../../lib/in-flight.js';
import { checkIdempotencyKey } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { MessageKey, MessageRow } from '../loaders/messages.js';
import { assertInChat } from '../messages.js';
import type { SendQueue } from '../send-queue.js';
import { groupIdOf, readInput } from './names.js';

/** As large as it is in a message that the server can read, with what padding and framing add. */
const MAX_CONTENT_BYTES = 64 * 1024;

export interface EncryptedInput {
  chatId: string;
  content: Buffer;
  replyTo: MessageKey | null;
  threadRoot: MessageKey | null;
  idempotencyKey: string;
}

/** What is said in encrypted chats: it goes the way of every message, and the server knows its epoch, its device and its size. */
export class EncryptedMessageService {
  readonly #underWay = new InFlight<MessageRow>();

  constructor(private readonly queue: SendQueue) {}

  /**
   * Sends an application message of the group's epoch (a PrivateMessage, RFC 9420, 6.3). A repeat under the same key answers the message that the first made, whatever its bytes: encrypted
   * again they would be others. Errors: NOT_FOUND (chat, reply target, thread root), BLOCKED, STATE_CONFLICT (not encrypted, no group), FORBIDDEN (the device is not in the group),
   * EPOCH_CONFLICT, SLOW_MODE, INVALID_INPUT, OVERLOADED.
   */
  async send(actor: Actor, { chatId, content, replyTo, threadRoot, idempotencyKey }: EncryptedInput): Promise<MessageRow> {
    checkIdempotencyKey(idempotencyKey);
    const { groupId, epoch, contentType } = readInput(content, 'content', MAX_CONTENT_BYTES, 'private');
    if (contentType !== 'application') throw invalidInput('content', 'It is not an application message.');
    const generation = generationOf(groupId, chatId);
    assertInChat(chatId, { replyToId: replyTo, threadRootId: threadRoot });
    const card: EncryptedRef = { type: 'encrypted', generation, epoch, deviceId: actor.sessionId, content: content.toString('base64') };
    const inputHash = hashInput({ encrypted: true, chatId, replyTo, threadRoot });
    return this.#underWay.run(`${actor.userId} ${idempotencyKey} ${inputHash.toString('base64')}`, () =>
      this.queue.send({
        chatId, senderId: actor.userId, idempotencyKey, inputHash, kind: 'ENCRYPTED', text: null, mentions: null,
        replyToSeq: replyTo?.seq ?? null, threadRootSeq: threadRoot?.seq ?? null, forward: null, card,
      }),
    );
  }
}

function generationOf(groupId: string, chatId: string): number {
  const generation = Number(/\/([1-9]\d{0,8})$/.exec(groupId)?.[1]);
  if (groupId !== groupIdOf(chatId, generation)) throw invalidInput('content', 'It is not of this chat’s group.');
  return generation;
}
