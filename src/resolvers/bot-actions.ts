import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { FormValueRef } from '../entities/bot-card.js';
import { decodeId, decodeMessageId, encodeId, encodeMessageId } from '../lib/ids.js';
import {
  AnswerCallbackInput, AnswerCallbackPayload, BotCallbackType, CardButtonType, CardFormFieldType, CardFormType, FormValueType, InteractiveCardType, PressButtonInput, PressButtonPayload,
  SendBotCardInput, SendBotCardPayload, SubmitFormInput, SubmitFormPayload, UpdateBotCardInput, UpdateBotCardPayload, type CardInput,
} from '../schema/bot-actions.js';
import { UserType } from '../schema/user.js';
import type { BotCallbackService } from '../services/bots/callbacks.js';
import type { NewCard } from '../services/bots/card-input.js';
import type { BotCardService } from '../services/bots/cards.js';
import type { CallbackRow } from '../services/loaders/bot-callbacks.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import { AtMost } from './at-most.js';
import type { Context } from './context.js';

const newCard = ({ heading = null, rows, form }: CardInput): NewCard => ({
  heading,
  rows: (rows ?? []).map((row) => row.map(({ url = null, payload = null, ...button }) => ({ ...button, url, payload }))),
  form: form
    ? {
        submitLabel: form.submitLabel,
        fields: form.fields.map(({ hint = null, maxLength = null, min = null, max = null, options = null, earliest = null, latest = null, ...field }) => ({ ...field, hint, maxLength, min, max, options, earliest, latest })),
      }
    : null,
});
const told = ({ id, expiresAt }: CallbackRow): object => ({ callbackId: encodeId('BotCallback', id), expiresAt });

@Resolver()
export class BotActionsResolver {
  constructor(
    private readonly cards: BotCardService,
    private readonly callbacks: BotCallbackService,
  ) {}

  @Mutation(() => SendBotCardPayload, { description: 'By the token of a bot alone: a message with buttons, a form, or both.' })
  async sendBotCard(@Arg('input', () => SendBotCardInput) { chatId, text, card, replyToId, threadRootId, idempotencyKey }: SendBotCardInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    const viewer = context.requireViewer();
    const [replyTo, threadRoot] = [replyToId == null ? null : decodeMessageId(replyToId, 'replyToId'), threadRootId == null ? null : decodeMessageId(threadRootId, 'threadRootId')];
    return { message: await this.cards.send(viewer, { chatId: decodeId('Chat', chatId, 'chatId'), text, card: newCard(card), replyTo, threadRoot, idempotencyKey }) };
  }

  @Mutation(() => UpdateBotCardPayload, { description: 'By the bot whose card it is.' })
  async updateBotCard(@Arg('input', () => UpdateBotCardInput) { messageId, text, card, expectedVersion }: UpdateBotCardInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    return { message: await this.cards.update(context.requireViewer(), decodeMessageId(messageId), { text: text ?? null, card: newCard(card), expectedVersion: expectedVersion ?? null }) };
  }

  @Mutation(() => PressButtonPayload, { description: 'Tells the bot whose card it is, and nobody else; at most 30 times a minute, forms included.' })
  async pressButton(@Arg('input', () => PressButtonInput) { messageId, button, idempotencyKey }: PressButtonInput, @Ctx() context: Context): Promise<object> {
    return told(await this.callbacks.press(context.requireViewer(), decodeMessageId(messageId), button, idempotencyKey));
  }

  @Mutation(() => SubmitFormPayload, { description: 'Tells the bot whose card it is, and nobody else.' })
  async submitForm(@Arg('input', () => SubmitFormInput) { messageId, values, idempotencyKey }: SubmitFormInput, @Ctx() context: Context): Promise<object> {
    const given = values.map(({ key, text = null, number = null, choices = null, date = null }) => ({ key, text, number, choices, date }));
    return told(await this.callbacks.submit(context.requireViewer(), decodeMessageId(messageId), given, idempotencyKey));
  }

  @Mutation(() => AnswerCallbackPayload, { description: 'By the bot that was told, within 15 minutes: whoever has pressed, and nobody else, is shown it.' })
  async answerCallback(@Arg('input', () => AnswerCallbackInput) { callbackId, notice, alert }: AnswerCallbackInput, @Ctx() context: Context): Promise<object> {
    const callback = await this.callbacks.answer(context.requireViewer(), decodeId('BotCallback', callbackId, 'callbackId'), { notice: notice ?? null, alert });
    return { callbackId: encodeId('BotCallback', callback.id) };
  }
}

@Resolver(() => InteractiveCardType)
export class InteractiveCardResolver {
  @AtMost(64)
  @FieldResolver(() => [CardButtonType])
  buttons(@Root() { rows }: { rows: object[][] }): object[] {
    return rows.flatMap((buttons, row) => buttons.map((button) => ({ ...button, row })));
  }
}
@Resolver(() => CardFormType)
export class CardFormResolver {
  @AtMost(10)
  @FieldResolver(() => [CardFormFieldType])
  fields(@Root() { fields }: { fields: object[] }): object[] {
    return fields;
  }
}

@Resolver(() => BotCallbackType)
export class BotCallbackResolver {
  @FieldResolver()
  id(@Root() callback: CallbackRow): string {
    return encodeId('BotCallback', callback.id);
  }
  @FieldResolver()
  chatId(@Root() callback: CallbackRow): string {
    return encodeId('Chat', callback.chatId);
  }
  @FieldResolver()
  messageId(@Root() callback: CallbackRow): string {
    return encodeMessageId(callback.chatId, callback.seq);
  }
  @FieldResolver(() => UserType)
  user(@Root() callback: CallbackRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, callback.userId);
  }
  @AtMost(10)
  @FieldResolver(() => [FormValueType])
  values(@Root() { values }: CallbackRow): FormValueRef[] {
    return values ?? [];
  }
}

export const BOT_ACTION_RESOLVERS = [BotActionsResolver, InteractiveCardResolver, CardFormResolver, BotCallbackResolver];
