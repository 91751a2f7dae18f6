import { DomainError, forbidden, notFound } from '../lib/errors.js';
import { assertRuns } from './member-policy.js';
import type { ModerationRules } from './moderation-policy.js';

/** What decides who may do what in a chat, as it stood at `aclVersion`. */
export interface ChatAccess {
  chat: {
    id: string;
    kind: 'DIRECT' | 'GROUP';
    encryption: 'NONE' | 'MLS';
    aclVersion: number;
    slowModeSeconds: number;
    /** What may be said: the chat's own rules and its group's. */
    rules: readonly ModerationRules[];
  };
  /** The actor's membership; null when they are not in the chat. */
  member: {
    role: 'OWNER' | 'ADMIN' | 'MEMBER';
    visibleFromSeq: number;
    /** Somebody who moderates lets them say nothing until then. */
    silencedUntil: Date | null;
  } | null;
  /** In a direct chat: one of the two has blocked the other. */
  blocked: boolean;
}

/** A chat that the actor is not in does not exist for them. */
export function assertCanRead(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  if (!access?.member) throw notFound('chat');
}

export function assertCanSend(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanRead(access);
  if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
  if (access.chat.encryption !== 'NONE') throw forbidden('This chat is end-to-end encrypted: it takes encrypted messages alone.');
}

/** A call's media is encrypted on its way, whatever the chat's messages are. */
export function assertCanCall(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanRead(access);
  if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
}

export const isChatAdmin = (access: ChatAccess): boolean => access.member?.role === 'OWNER' || access.member?.role === 'ADMIN';

/** Seconds between two messages of this member: slow mode is for members, not for those who run the chat. */
export const slowModeFor = (access: ChatAccess): number => (isChatAdmin(access) ? 0 : access.chat.slowModeSeconds);

/** For what a direct chat does not know: its two members are in it for good. */
export function assertIsGroupChat(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanRead(access);
  if (access.chat.kind === 'DIRECT') throw new DomainError('STATE_CONFLICT', 'A direct chat keeps its two members: archive it instead.');
}

/** A group chat is changed by those who run it, a direct chat by either of the two. */
export function assertCanUpdateChat(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanRead(access);
  if (access.chat.kind === 'GROUP') assertRuns(access.member.role, 'chat');
  if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
}
