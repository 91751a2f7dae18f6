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
  | { kind: 'document.changed'; documentId: string };

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
  | { kind: 'profile.changed' }
  | { kind: 'account.changed' }
  | { kind: 'sessions.changed'; sessionId: string };

export type EventRef = ChatEventRef | UserEventRef;
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
] as const satisfies ChatEventRef['kind'][];

export const chatStream = (chatId: string): string => `chat:${chatId}`;
export const userStream = (userId: string): string => `user:${userId}`;

export interface StreamName {
  kind: 'chat' | 'user';
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
