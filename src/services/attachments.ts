import type { Tx } from '../db/unit-of-work.js';
import type { FilesRef } from '../entities/message.js';
import { DomainError } from '../lib/errors.js';
import { cleanText, distinct } from '../lib/validate.js';
import { assertCanSend, slowModeFor } from '../policies/chat-policy.js';
import { lockChat } from './chat-access.js';
import { lockOwnFiles, tieFiles, tieFilesOf } from './files/file-claims.js';
import type { MessageKey, MessageRow } from './loaders/messages.js';
import { findEarlierMessage, writeMessage, type Draft } from './message-writer.js';

export const MAX_ATTACHMENTS = 10;

const MAX_CAPTION_BYTES = 1024;

/** A file as its sender gives it. */
export interface NewAttachment {
  fileId: string;
  caption: string | null;
}

/** Files that go with a message: the sender's own, or those of a message that is sent on. */
export interface NewAttachments {
  ids: string[];
  of: MessageKey | null;
}

/** What a message shows of its files; null without any. Errors: INVALID_INPUT. */
export function cleanAttachments(given: readonly NewAttachment[]): FilesRef | null {
  const ids = distinct(given.map(({ fileId }) => fileId), 'attachmentIds', MAX_ATTACHMENTS);
  if (!ids.length) return null;
  const captions = ids.map((id) => given.find(({ fileId }) => fileId === id)!.caption).map((caption) => (caption === null ? null : cleanText(caption, { field: 'attachments.caption', maxBytes: MAX_CAPTION_BYTES, multiline: true })));
  return { type: 'files', ids, ...(captions.some((caption) => caption !== null) ? { captions } : {}) };
}

/**
 * Writes a message with its files. One voice message by itself makes it VOICE, everything else MEDIA. Errors: as those of sending; NOT_FOUND, STATE_CONFLICT
 * (not READY), INVALID_INPUT of `attachmentIds`.
 */
export async function writeWithFiles(tx: Tx, draft: Draft, { ids, of }: NewAttachments): Promise<MessageRow> {
  const access = await lockChat(tx.sql, draft.chatId, draft.senderId);
  // Before the files are looked at: a repeat is answered whatever has become of them.
  const earlier = await findEarlierMessage(tx.sql, draft, tx.now);
  if (earlier && access?.member && earlier.seq >= access.member.visibleFromSeq) return earlier;
  assertCanSend(access);
  const files = of ? [] : await lockOwnFiles(tx, draft.senderId, ids, { field: 'attachmentIds', most: MAX_ATTACHMENTS });
  const kind = of ? draft.kind : files.length === 1 && files[0]!.kind === 'VOICE' ? 'VOICE' : 'MEDIA';
  const { message, repeated } = await writeMessage(tx, { ...draft, kind }, { visibleFromSeq: access.member.visibleFromSeq, slowModeSeconds: slowModeFor(access) });
  if (repeated) return message;
  const ref = { id: message.chatId, seq: message.seq };
  if (!of) await tieFiles(tx, ids, 'MESSAGE', ref);
  else if (!(await tieFilesOf(tx, { purpose: 'MESSAGE', ref: { id: of.chatId, seq: of.seq } }, ids, { purpose: 'MESSAGE', ref }))) {
    throw new DomainError('NOT_FOUND', 'There is no such message to forward.', { field: 'messageIds' });
  }
  return message;
}
