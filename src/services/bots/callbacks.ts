import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { FormValueRef, InteractiveCardRef } from '../../entities/bot-card.js';
import { userStream } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText } from '../../lib/validate.js';
import { assertCanPress } from '../../policies/bot-card-policy.js';
import type { Actor } from '../actor.js';
import { CALLBACK_COLUMNS, type CallbackRow } from '../loaders/bot-callbacks.js';
import type { MessageKey } from '../loaders/messages.js';
import { lockMessage } from '../message-changes.js';
import { cleanValues, type GivenValue } from './card-input.js';

/** How long a bot can answer. */
const ANSWERABLE_MS = 15 * 60_000;
/** A bot that was away hears of it for so long; then it is forgotten. */
const KEPT_DAYS = 7;
/** Of one person, of all cards. */
const A_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_NOTICE_BYTES = 512;
const BATCH = 500;

interface Pressed {
  button: string | null;
  payload: string | null;
  values: FormValueRef[] | null;
}

/** Pressing buttons and filling in forms of bots' cards, and what bots answer: each is told to one alone. */
export class BotCallbackService {
  static readonly DUE = `exists (select from bot_callbacks where created_at <= $1::timestamptz - interval '${KEPT_DAYS} days')`;

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Errors: NOT_FOUND (the message, or a button that is not, or no longer, on it), BLOCKED, FORBIDDEN (a bot), INVALID_INPUT (a link), STATE_CONFLICT (deleted, the bot is gone), RATE_LIMITED. */
  press(actor: Actor, key: MessageKey, button: string, idempotencyKey: string): Promise<CallbackRow> {
    return this.#call(actor, key, 'pressButton', idempotencyKey, { button }, ({ rows }) => {
      const pressed = rows.flat().find((one) => one.key === button);
      if (!pressed) throw new DomainError('NOT_FOUND', 'There is no such button on this card.', { field: 'button' });
      if (pressed.url !== null) throw invalidInput('button', 'This button is a link: it is opened.');
      return { button, payload: pressed.payload, values: null };
    });
  }

  /** Errors: as of `press`; INVALID_INPUT with `values.<key>` for what the form does not take. */
  submit(actor: Actor, key: MessageKey, given: readonly GivenValue[], idempotencyKey: string): Promise<CallbackRow> {
    return this.#call(actor, key, 'submitForm', idempotencyKey, { given }, ({ form }) => {
      if (!form) throw new DomainError('NOT_FOUND', 'There is no form on this card.', { field: 'messageId' });
      return { button: null, payload: null, values: cleanValues(form, given) };
    });
  }

  /**
   * What whoever has pressed is shown, by the bot that was told. The same again changes nothing.
   * Errors: NOT_FOUND, INVALID_INPUT, EXPIRED, STATE_CONFLICT (answered otherwise).
   */
  async answer(actor: Actor, id: string, input: { notice: string | null; alert: boolean }): Promise<CallbackRow> {
    const notice = input.notice === null ? null : cleanText(input.notice, { field: 'notice', maxBytes: MAX_NOTICE_BYTES, multiline: true });
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'answerCallback' }, async (tx) => {
      const [callback] = await tx.sql<CallbackRow>(`select ${CALLBACK_COLUMNS} from bot_callbacks c where c.id = $1 and c.bot_id = $2 for update`, [id, actor.userId]);
      if (!callback) throw new DomainError('NOT_FOUND', 'There is no such callback.', { field: 'callbackId' });
      if (callback.answeredAt) {
        if (callback.notice === notice && callback.alert === input.alert) return null;
        throw new DomainError('STATE_CONFLICT', 'It was answered already.', { field: 'callbackId' });
      }
      if (callback.expiresAt <= tx.now) throw new DomainError('EXPIRED', 'It is too late to answer this.', { field: 'callbackId' });
      await tx.sql('update bot_callbacks set answered_at = $2, notice = $3, alert = $4 where id = $1', [id, tx.now, notice, input.alert]);
      tx.append(userStream(callback.userId), { kind: 'callback.answered', callbackId: id, chatId: callback.chatId, seq: callback.seq });
      return null;
    });
    return this.#read(id);
  }

  /** Forgets what has had its time; true when there may be more. */
  async forget(): Promise<boolean> {
    const gone = await this.sql(`delete from bot_callbacks where id = any(array(select id from bot_callbacks where created_at <= $1::timestamptz - make_interval(days => $2) order by created_at limit $3 for update skip locked)) returning 1`, [
      this.clock.now(), KEPT_DAYS, BATCH,
    ]);
    return gone.length === BATCH;
  }

  async #call(actor: Actor, key: MessageKey, operation: 'pressButton' | 'submitForm', idempotencyKey: string, input: object, pick: (card: InteractiveCardRef) => Pressed): Promise<CallbackRow> {
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation, idempotencyKey, input: { key, ...input } }, async (tx) => {
      const { access, message } = await lockMessage(tx, key, actor.userId);
      // One at a time for each person, so that the limit holds.
      const [presser] = await tx.sql<{ kind: 'PERSON' | 'BOT' }>('select kind from users where id = $1 for no key update', [actor.userId]);
      assertCanPress(access, message, presser!.kind, await isHere(tx, message.senderId, key.chatId));
      const { button, payload, values } = pick(message.card as InteractiveCardRef);
      await assertRate(tx, actor.userId);
      const made = newId();
      await tx.sql('insert into bot_callbacks (id, bot_id, user_id, chat_id, seq, button, payload, "values", created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)', [
        made, message.senderId, actor.userId, key.chatId, key.seq, button, payload, values && JSON.stringify(values), tx.now, new Date(tx.now.getTime() + ANSWERABLE_MS),
      ]);
      tx.append(userStream(message.senderId), { kind: values ? 'form.submitted' : 'button.pressed', callbackId: made, chatId: key.chatId, seq: key.seq });
      return { id: made };
    });
    return this.#read(id);
  }

  async #read(id: string): Promise<CallbackRow> {
    const [row] = await this.sql<CallbackRow>(`select ${CALLBACK_COLUMNS} from bot_callbacks c where c.id = $1`, [id]);
    if (!row) throw notFound('callback');
    return row;
  }
}

/** Whether the bot whose card it is can still hear of it. */
async function isHere(tx: Tx, botId: string, chatId: string): Promise<boolean> {
  return (await tx.sql('select from chat_members m join users u on u.id = m.user_id where m.chat_id = $1 and m.user_id = $2 and u.suspended_at is null', [chatId, botId])).length > 0;
}

async function assertRate(tx: Tx, userId: string): Promise<void> {
  const [lately] = await tx.sql<{ n: number; first: Date | null }>('select count(*)::int as n, min(created_at) as first from bot_callbacks where user_id = $1 and created_at > $2', [userId, new Date(tx.now.getTime() - MINUTE_MS)]);
  if (lately!.n < A_MINUTE) return;
  throw new DomainError('RATE_LIMITED', `One presses at most ${A_MINUTE} times a minute.`, { retryAfter: Math.max(1, Math.ceil((lately!.first!.getTime() + MINUTE_MS - tx.now.getTime()) / 1000)) });
}
