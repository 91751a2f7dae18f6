import { DomainError, forbidden, notFound } from '../lib/errors.js';
import { assertCanSend, isChatAdmin, type ChatAccess } from './chat-policy.js';

/** What of a document decides who may do what with it. */
export interface DocumentFacts {
  kind: 'WHITEBOARD' | 'CO_BROWSING';
  editing: 'EVERYONE' | 'ADMINS';
  createdBy: string;
  endedAt: Date | null;
}

export type DocumentReader = ChatAccess & { member: NonNullable<ChatAccess['member']> };

/** A document of a chat that the actor is not in does not exist for them. */
export function assertCanSeeDocument(access: ChatAccess | null): asserts access is DocumentReader {
  if (!access?.member) throw notFound('document');
}

/** Whoever may write in the chat. What is end-to-end encrypted never stands on a whiteboard of the server's. */
export function assertCanStartDocument(access: ChatAccess | null): asserts access is DocumentReader {
  assertCanSend(access);
}

/** Its maker, and those who run a group chat: they name it, say who edits, and take it away. */
export const runsDocument = (access: DocumentReader, document: DocumentFacts, actorId: string): boolean =>
  document.createdBy === actorId || (access.chat.kind === 'GROUP' && isChatAdmin(access));

export function assertRunsDocument(access: DocumentReader, document: DocumentFacts, actorId: string): void {
  if (!runsDocument(access, document, actorId)) throw forbidden('This is for its maker, and for those who run the chat.');
}

export function assertOpen(document: Pick<DocumentFacts, 'endedAt'>): void {
  if (document.endedAt) throw new DomainError('STATE_CONFLICT', 'It has ended.');
}

/** A whiteboard: every member, or those alone who run it. Co-browsing: its presenter. */
export const canEdit = (access: DocumentReader, document: DocumentFacts, actorId: string): boolean =>
  !access.blocked && !document.endedAt &&
  (document.kind === 'CO_BROWSING' ? document.createdBy === actorId : document.editing === 'EVERYONE' || runsDocument(access, document, actorId));

export function assertCanEditDocument(access: DocumentReader, document: DocumentFacts, actorId: string): void {
  if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
  assertOpen(document);
  if (!canEdit(access, document, actorId)) throw forbidden(document.kind === 'CO_BROWSING' ? 'Only its presenter shows something.' : 'You may look at this whiteboard, but not change it.');
}
