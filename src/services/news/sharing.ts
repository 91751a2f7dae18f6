import type { Sql } from '../../db/database.js';
import { hashInput } from '../../db/unit-of-work.js';
import type { CardRef } from '../../entities/message.js';
import { DomainError, notFound } from '../../lib/errors.js';
import { InFlight } from '../../lib/in-flight.js';
import { checkIdempotencyKey, cleanText } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { MessageKey, MessageRow } from '../loaders/messages.js';
import { mentionsIn } from '../mentions.js';
import { MAX_TEXT_BYTES, type MessageService } from '../messages.js';
import type { NewsMarks } from './marks.js';

export interface ShareInput {
  articleId: string;
  chatId: string;
  text: string | null;
  replyTo: MessageKey | null;
  idempotencyKey: string;
}

/** Brings an article into a chat: a message as any other, with a card. */
export class NewsSharing {
  readonly #underWay = new InFlight<MessageRow>();

  constructor(
    private readonly sql: Sql,
    private readonly messages: Pick<MessageService, 'deliver'>,
    private readonly marks: NewsMarks,
  ) {}

  /**
   * The card keeps title, link and picture as they are now, so that it stays when the article is forgotten. A repeat under the same key answers the message that the first made.
   * Errors: NOT_FOUND (article, chat, reply target), BLOCKED, SLOW_MODE, INVALID_INPUT, IDEMPOTENCY_KEY_REUSED, OVERLOADED.
   */
  async share(actor: Actor, input: ShareInput): Promise<MessageRow> {
    checkIdempotencyKey(input.idempotencyKey);
    const text = input.text === null ? null : cleanText(input.text, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    if (input.replyTo && input.replyTo.chatId !== input.chatId) throw new DomainError('NOT_FOUND', 'There is no such message in this chat.', { field: 'replyToId' });
    const inputHash = hashInput({ ...input, text, idempotencyKey: undefined, operation: 'shareArticle' });
    return this.#underWay.run(`${actor.userId} ${input.idempotencyKey} ${inputHash.toString('base64')}`, async () => {
      const card = await this.#card(input.articleId);
      const message = await this.messages.deliver(
        {
          chatId: input.chatId, senderId: actor.userId, idempotencyKey: input.idempotencyKey, inputHash, kind: 'CARD', text, mentions: await mentionsIn(this.sql, text, input.chatId),
          replyToSeq: input.replyTo?.seq ?? null, threadRootSeq: null, forward: null, card,
        },
        { poll: null, files: null },
      );
      // Beside the message: that it was shared counts for the sharer's own order alone, and its loss would do no harm.
      await this.marks.note(actor, input.articleId, 'shared').catch(() => undefined);
      return message;
    });
  }

  async #card(articleId: string): Promise<CardRef> {
    const [row] = await this.sql<{ title: string; url: string; imageUrl: string | null; publisher: string }>(
      'select a.title, a.url, a.image_url as "imageUrl", s.publisher from news_articles a join news_sources s on s.id = a.source_id where a.id = $1', [articleId],
    );
    if (!row) throw notFound('article');
    return { type: 'news', articleId, ...row };
  }
}
