import type { RingEndReason, Source } from '../entities/call.js';

/**
 * Every event of the log: its kind, and what it refers to. Ids and numbers only: contents are read when the event is
 * delivered or replayed, so what was erased stays erased. docs/EVENTS.md is the reader's version of this file.
 */
export type ChatEventRef =
  | { kind: 'message.sent'; seq: number }
  | { kind: 'message.updated'; seq: number }
  | { kind: 'message.deleted'; seq: number }
  | { kind: 'reactions.changed'; seq: number }
  | { kind: 'pins.changed'; seq: number; pinned: boolean }
  /** `seq` and `pos` as they stood before: the member sees what comes after. */
  | { kind: 'member.joined'; userId: string; visibleFromSeq: number }
  | { kind: 'member.left'; userId: string }
  | { kind: 'member.updated'; userId: string }
  | { kind: 'chat.updated' }
  | { kind: 'document.changed'; documentId: string }
  /** Somebody has joined or left a group buy, or it was decided. */
  | { kind: 'groupbuy.changed'; groupBuyId: string }
  | { kind: 'call.started'; callId: string }
  | { kind: 'call.ended'; callId: string }
  /** The commit that leads out of this epoch. */
  | { kind: 'encryption.committed'; generation: number; epoch: number }
  /** A group was made, or a member's devices are others. */
  | { kind: 'encryption.changed' };

/** On a person's own stream. */
export type UserEventRef =
  | { kind: 'chat.added'; chatId: string }
  | { kind: 'chat.removed'; chatId: string }
  | { kind: 'chat.settings'; chatId: string }
  | { kind: 'contact.changed'; userId: string }
  | { kind: 'block.changed'; userId: string }
  | { kind: 'group.changed'; groupId: string }
  | { kind: 'message.marks'; chatId: string; seq: number }
  | { kind: 'scheduled.changed'; scheduledId: string }
  /** To whoever has said it, and to those who moderate. */
  | { kind: 'moderation.changed'; caseId: string }
  /** To whoever has asked for a person, to whoever has taken it, and to those who could. */
  | { kind: 'support.changed'; caseId: string }
  | { kind: 'profile.changed' }
  | { kind: 'account.changed' }
  | { kind: 'file.changed'; fileId: string }
  | { kind: 'sessions.changed'; sessionId: string }
  /** One of their devices was let into an encrypted chat. */
  | { kind: 'welcome.added'; welcomeId: string; deviceId: string; chatId: string }
  | { kind: 'keypackages.low'; deviceId: string }
  | StatusEventRef
  | BotEventRef
  | { kind: 'call.incoming'; callId: string }
  | { kind: 'call.ring.ended'; callId: string; reason: RingEndReason }
  | { kind: 'call.log'; callId: string }
  | { kind: 'order.changed'; orderId: string }
  /** New, or more of it. */
  | { kind: 'notification.added'; notificationId: string }
  | { kind: 'notifications.read' }
  | { kind: 'notification.preferences' };

/** Of statuses, on the streams of those who may see them, and of their author. */
export type StatusEventRef =
  | { kind: 'status.posted'; statusId: string; authorId: string }
  | { kind: 'status.deleted'; statusId: string; authorId: string; expired: boolean }
  /** To its author: who has seen it, and who has reacted. */
  | { kind: 'status.viewed'; statusId: string }
  /** To whoever has seen it, on their other devices. */
  | { kind: 'status.marks'; statusId: string; authorId: string }
  | { kind: 'status.muted'; userId: string }
  | { kind: 'status.highlight'; highlightId: string };

/** Of bots. To whose it is: it has changed. Of cards: on the stream of the bot whose card it is: what somebody has pressed or filled in. On theirs: what it has answered. */
export type BotEventRef =
  | { kind: 'bot.changed'; botId: string }
  | { kind: 'button.pressed'; callbackId: string; chatId: string; seq: number }
  | { kind: 'form.submitted'; callbackId: string; chatId: string; seq: number }
  | { kind: 'callback.answered'; callbackId: string; chatId: string; seq: number };

/** On a call's own stream. */
export type CallEventRef =
  /** Its state, its rules, whether it is recorded. */
  | { kind: 'call.updated' }
  | { kind: 'participant.waiting'; participantId: string }
  | { kind: 'participant.admitted'; participantId: string }
  | { kind: 'participant.joined'; participantId: string }
  /** Asked in, declined, lost or back, muted, of another role. */
  | { kind: 'participant.updated'; participantId: string }
  /** Their seat is on another device now, which `device` is. */
  | { kind: 'participant.moved'; participantId: string; device: string }
  | { kind: 'participant.muted'; participantId: string; source: Source; byId: string | null }
  | { kind: 'participant.left'; participantId: string }
  | { kind: 'participant.removed'; participantId: string }
  | { kind: 'host.changed'; participantId: string }
  | { kind: 'producer.added'; producerId: string; participantId: string }
  | { kind: 'producer.updated'; producerId: string; participantId: string }
  /** `reset`: with what carried it, and whoever sent it joins anew and sends it again; they are told of that alone. */
  | { kind: 'producer.closed'; producerId: string; participantId: string; reset?: true }
  | { kind: 'recording.changed' }
  /** What its host shows to be bought. */
  | { kind: 'showcase.changed' }
  /** What carried it is gone: everybody, or these, join anew, and find their seats. */
  | { kind: 'media.reset'; participantIds?: string[] }
  | { kind: 'call.over' };

/** On the stream of a section of a publisher. */
export type NewsEventRef = { kind: 'news.published'; articleId: string };

/** On a cart's own stream. */
export type CartEventRef =
  /** It was shared, is being paid, was ordered, or closed. */
  | { kind: 'cart.updated' }
  | { kind: 'cart.line'; variantId: string };

export type EventRef = ChatEventRef | UserEventRef | CallEventRef | NewsEventRef | CartEventRef;
export type EventKind = EventRef['kind'];

export const CHAT_EVENT_KINDS = [
  'message.sent',
  'message.updated',
  'message.deleted',
  'reactions.changed',
  'pins.changed',
  'member.joined',
  'member.left',
  'member.updated',
  'chat.updated',
  'document.changed',
  'groupbuy.changed',
  'call.started',
  'call.ended',
  'encryption.committed',
  'encryption.changed',
] as const satisfies ChatEventRef['kind'][];

export const chatStream = (chatId: string): string => `chat:${chatId}`;
export const userStream = (userId: string): string => `user:${userId}`;
export const newsStream = (sourceId: string): string => `news:${sourceId}`;
export const callStream = (callId: string): string => `call:${callId}`;
export const cartStream = (cartId: string): string => `cart:${cartId}`;

export interface StreamName {
  kind: 'chat' | 'user' | 'call' | 'news' | 'cart';
  id: string;
}
export function parseStream(stream: string): StreamName {
  const colon = stream.indexOf(':');
  return { kind: stream.slice(0, colon) as StreamName['kind'], id: stream.slice(colon + 1) };
}

/** An event with its place in its stream. */
export interface LoggedEvent {
  pos: number;
  /** When it was committed, within milliseconds; milliseconds since 1970. */
  at: number;
  ref: EventRef;
}
