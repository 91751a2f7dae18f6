import type { BotEventRef } from '../../events/catalogue.js';
import { encodeId, encodeMessageId } from '../../lib/ids.js';
import type { DeliveredEvent, Load, Make } from '../chat-events.js';
import { callbackById } from '../loaders/bot-callbacks.js';
import { botById } from '../loaders/bots.js';

/** What is forgotten is told without its contents. */
export async function hydrateBotEvent(ref: BotEventRef, make: Make, load: Load): Promise<DeliveredEvent> {
  if (ref.kind === 'bot.changed') {
    const bot = await load(botById, ref.botId);
    return make('BotChanged', { botId: encodeId('Bot', ref.botId), bot, settings: bot });
  }
  const callback = await load(callbackById, ref.callbackId);
  const of = { callbackId: encodeId('BotCallback', ref.callbackId), chatId: encodeId('Chat', ref.chatId), messageId: encodeMessageId(ref.chatId, ref.seq) };
  switch (ref.kind) {
    case 'button.pressed':
      return make('ButtonPressed', { ...of, callback });
    case 'form.submitted':
      return make('FormSubmitted', { ...of, callback });
    case 'callback.answered':
      return make('CallbackAnswered', { ...of, notice: callback?.notice ?? null, alert: callback?.alert ?? false });
  }
}
