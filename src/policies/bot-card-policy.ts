import { DomainError, forbidden } from '../lib/errors.js';
import { assertCanSend } from './chat-policy.js';
import { assertStands, type MessageFacts, type SeenBy } from './message-policy.js';

/** A bot changes its own cards, while they stand. */
export function assertCanUpdateCard(access: SeenBy, message: MessageFacts & { card: { type: string } | null }, actorId: string): void {
  assertCanSend(access);
  if (message.senderId !== actorId) throw forbidden('Only the bot whose card it is changes it.');
  assertStands(message);
  if (message.card?.type !== 'interactive') throw forbidden('This message is not a card with buttons.');
}

/** `kind`: of whoever presses. `botIsHere`: the bot whose card it is can still be told. */
export function assertCanPress(access: SeenBy, message: MessageFacts & { card: { type: string } | null }, kind: 'PERSON' | 'BOT', botIsHere: boolean): void {
  assertCanSend(access);
  assertStands(message);
  if (message.card?.type !== 'interactive') throw new DomainError('NOT_FOUND', 'There is nothing to press on this message.', { field: 'messageId' });
  if (kind === 'BOT') throw forbidden('Bots press no buttons: they could keep each other busy for ever.');
  if (!botIsHere) throw new DomainError('STATE_CONFLICT', 'The bot is not in this chat any more.');
}
