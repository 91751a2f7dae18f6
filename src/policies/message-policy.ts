import { DomainError, forbidden, notFound } from '../lib/errors.js';
import { assertCanSend, assertCanTakePart, isChatAdmin, type ChatAccess } from './chat-policy.js';

/** What of a message decides who may do what with it. */
export interface MessageFacts {
  seq: number;
  senderId: string;
  kind: 'TEXT' | 'MEDIA' | 'VOICE' | 'CARD' | 'SYSTEM' | 'ENCRYPTED';
  deletedAt: Date | null;
  forward: object | null;
}

export type SeenBy = ChatAccess & { member: NonNullable<ChatAccess['member']> };

/** Those who run a group chat: in a direct chat nobody is above the other. */
const runsGroup = (access: SeenBy): boolean => access.chat.kind === 'GROUP' && isChatAdmin(access);

/** A message of a chat that the actor is not in, or from before they joined, does not exist for them. */
export function assertCanSee(access: ChatAccess | null, seq: number): asserts access is SeenBy {
  if (!access?.member || seq < access.member.visibleFromSeq) throw notFound('message');
}

export function assertStands(message: MessageFacts): void {
  if (message.deletedAt) throw new DomainError('STATE_CONFLICT', 'The message has been deleted.');
}

/** Words, and the caption of files. */
const EDITABLE: ReadonlySet<MessageFacts['kind']> = new Set(['TEXT', 'MEDIA']);

/** One's own words, while they stand: what was forwarded is somebody else's. */
export function assertCanEdit(access: SeenBy, message: MessageFacts, actorId: string): void {
  assertCanSend(access);
  if (message.senderId !== actorId) throw forbidden('Only its sender edits a message.');
  assertStands(message);
  if (!EDITABLE.has(message.kind) || message.forward) throw forbidden('Only a text that one wrote oneself can be edited.');
}

/** A card behind a link goes with one's own words. */
export function assertCanEditPreview(message: MessageFacts, actorId: string): void {
  if (message.senderId !== actorId) throw forbidden('Only its sender takes the preview off a message.');
  assertStands(message);
}

/** One's own, or anybody's by those who run a group chat. What the chat itself has written stays. */
export function assertCanDelete(access: SeenBy, message: MessageFacts, actorId: string): void {
  if (message.kind === 'SYSTEM') throw forbidden('What has happened to a chat can’t be deleted for everyone.');
  if (message.senderId !== actorId && !runsGroup(access)) {
    throw forbidden('Only its sender, or those who run a group chat, delete a message for everyone.');
  }
}

export function assertCanReact(access: SeenBy, message: MessageFacts): void {
  assertCanSend(access);
  assertStands(message);
}

/** Those who run a group chat; both in a direct chat. Unpinning asks the same, but the message need not stand. */
export function assertCanPin(access: SeenBy): void {
  assertCanTakePart(access);
  if (access.chat.kind === 'GROUP' && !isChatAdmin(access)) throw forbidden('Only those who run the chat pin messages.');
}

export function assertPinnable(message: MessageFacts): void {
  assertStands(message);
  if (message.kind === 'SYSTEM') throw forbidden('What has happened to a chat can’t be pinned.');
}

export function assertCanStar(message: MessageFacts): void {
  assertStands(message);
}

/** `closed`: the poll takes no more votes. */
export function assertCanVote(access: SeenBy, message: MessageFacts, closed: boolean): void {
  assertCanSend(access);
  assertStands(message);
  if (closed) throw new DomainError('STATE_CONFLICT', 'The poll is closed.');
}

/** Its sender, or those who run a group chat. */
export function assertCanClosePoll(access: SeenBy, message: MessageFacts, actorId: string): void {
  assertStands(message);
  if (message.senderId !== actorId && !runsGroup(access)) {
    throw forbidden('Only its sender, or those who run a group chat, close a poll.');
  }
}

/** What a chat has written itself stays in it, and what is encrypted is for its chat's devices alone. */
export const isForwardable = (message: Pick<MessageFacts, 'kind'>): boolean => message.kind !== 'SYSTEM' && message.kind !== 'ENCRYPTED';
