import { invalidInput } from '../lib/errors.js';
import { decodeId } from '../lib/ids.js';
import type { AttachmentInput } from '../schema/file.js';
import type { NewAttachment } from '../services/attachments.js';

/** The files that an input names, by either of its fields. */
export function newAttachments({ attachmentIds, attachments }: { attachmentIds?: string[] | null; attachments?: AttachmentInput[] | null }): NewAttachment[] {
  if (attachmentIds?.length && attachments?.length) throw invalidInput('attachments', 'Files are given as attachments or as attachmentIds, not both.');
  return [
    ...(attachmentIds ?? []).map((id) => ({ fileId: decodeId('File', id, 'attachmentIds'), caption: null })),
    ...(attachments ?? []).map(({ fileId, caption }) => ({ fileId: decodeId('File', fileId, 'attachments.fileId'), caption: caption ?? null })),
  ];
}

/** As they are shown. */
export const shownAttachments = (files: { ids: string[]; captions?: (string | null)[] } | null): { id: string; caption: string | null }[] =>
  files?.ids.map((id, index) => ({ id, caption: files.captions?.[index] ?? null })) ?? [];
