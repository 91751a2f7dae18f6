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
    /** Of an encrypted chat whose group has been made. */
    mls: MlsStanding | null;
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

/** How an encrypted chat's group stands, for one member. */
export interface MlsStanding {
  generation: number;
  epoch: number;
  /** Somebody is in the group who is no longer in the chat, or a device that is gone. */
  stale: boolean;
  /** The member's devices that are in the group. */
  devices: string[];
}

/** In what a message was encrypted, and by which device. */
export interface Sealed {
  generation: number;
  epoch: number;
  deviceId: string;
}

/** A chat that the actor is not in does not exist for them. */
export function assertCanRead(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  if (!access?.member) throw notFound('chat');
}

/** For what the server can read. */
export function assertCanSend(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanTakePart(access);
  assertReadable(access);
}

/** For whatever needs words that the server can read. */
export function assertReadable(access: ChatAccess): void {
  if (access.chat.encryption !== 'NONE') throw new DomainError('ENCRYPTED_CHAT', 'This chat is end-to-end encrypted: the server takes nothing that it could read.');
}

/** For what only devices of the group can read. `EPOCH_CONFLICT`: of another epoch than the group's, or somebody has to be taken out of it first. */
export function assertCanSendEncrypted(access: ChatAccess | null, sealed: Sealed): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanTakePart(access);
  const { encryption, mls } = access.chat;
  if (encryption !== 'MLS') throw new DomainError('STATE_CONFLICT', 'This chat is not end-to-end encrypted.');
  if (!mls) throw new DomainError('STATE_CONFLICT', 'The chat has no group yet: make it first.');
  if (!mls.devices.includes(sealed.deviceId)) throw forbidden('This device is not in the chat’s group: join it first.');
  if (mls.stale) throw new DomainError('EPOCH_CONFLICT', 'Somebody is in the group who is no longer in the chat: take them out first.');
  if (mls.generation !== sealed.generation || mls.epoch !== sealed.epoch) throw new DomainError('EPOCH_CONFLICT', `The group is in epoch ${mls.epoch}.`);
}

/** For what says no more than that somebody does it: pins; and a call's media is encrypted on its way, whatever the chat's messages are. */
export function assertCanTakePart(access: ChatAccess | null): asserts access is ChatAccess & { member: NonNullable<ChatAccess['member']> } {
  assertCanRead(access);
  if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
}

export const isChatAdmin = (access: { member: Pick<NonNullable<ChatAccess['member']>, 'role'> | null }): boolean => access.member?.role === 'OWNER' || access.member?.role === 'ADMIN';

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
