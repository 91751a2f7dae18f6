import type { Sql } from '../../db/database.js';
import { hashInput } from '../../db/unit-of-work.js';
import type { CardRef } from '../../entities/message.js';
import { DomainError } from '../../lib/errors.js';
import { InFlight } from '../../lib/in-flight.js';
import { checkIdempotencyKey, cleanText } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { MessageRow } from '../loaders/messages.js';
import { mentionsIn } from '../mentions.js';
import type { Draft } from '../message-writer.js';
import { MAX_TEXT_BYTES, type MessageService } from '../messages.js';

export interface SharedCard {
  chatId: string;
  text: string | null;
  idempotencyKey: string;
}

/** Sends cards of what is sold: they go the way of every message. */
export class CardSender {
  readonly #underWay = new InFlight<MessageRow>();

  constructor(
    private readonly sql: Sql,
    private readonly messages: MessageService,
  ) {}

  /** Errors: as those of sending. */
  async send(actor: Actor, to: SharedCard, card: CardRef): Promise<MessageRow> {
    const draft = await this.draft(actor, to, card);
    return this.#underWay.run(`${actor.userId} ${to.idempotencyKey} ${draft.inputHash.toString('base64')}`, () => this.messages.deliver(draft, { poll: null, files: null }));
  }

  /** The message, for whoever writes it together with something else. Errors: INVALID_INPUT. */
  async draft(actor: Actor, { chatId, text: given, idempotencyKey }: SharedCard, card: CardRef): Promise<Draft> {
    checkIdempotencyKey(idempotencyKey);
    const text = given === null ? null : cleanText(given, { field: 'text', maxBytes: MAX_TEXT_BYTES, multiline: true });
    const inputHash = hashInput({ chatId, text, card });
    const mentions = await mentionsIn(this.sql, text, chatId);
    return { chatId, senderId: actor.userId, idempotencyKey, inputHash, kind: 'CARD', text, mentions, replyToSeq: null, threadRootSeq: null, forward: null, card };
  }
}

/** Showing in a chat what can be bought. */
export class ProductSharing {
  constructor(
    private readonly sql: Sql,
    private readonly cards: CardSender,
  ) {}

  /** Errors: NOT_FOUND (a product that is not published, a variant of another one, the chat), and those of sending. */
  async share(actor: Actor, productId: string, variantId: string | null, to: SharedCard): Promise<MessageRow> {
    const [found] = await this.sql(
      `select from products p where p.id = $1 and p.status = 'PUBLISHED' and ($2::uuid is null or exists (select from product_variants v where v.id = $2 and v.product_id = p.id and v.active))`,
      [productId, variantId],
    );
    if (!found) throw new DomainError('NOT_FOUND', 'There is no such product to share.', { field: variantId === null ? 'productId' : 'variantId' });
    return this.cards.send(actor, to, { type: 'product', productId, variantId });
  }
}
