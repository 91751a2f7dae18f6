import type { FileRow } from '../loaders/files.js';

/** Where a file stands until it is complete: whoever may send it can replace it there. */
export const uploadKey = ({ id, key, partBytes }: Pick<FileRow, 'id' | 'key' | 'partBytes'>): string => (partBytes === null ? `uploads/${id}` : key!);

/** The pieces in which a file is sent. */
export function partsOf({ bytes, partBytes }: Pick<FileRow, 'bytes' | 'partBytes'>): { number: number; offset: number; bytes: number }[] {
  if (partBytes === null) return [{ number: 1, offset: 0, bytes }];
  return Array.from({ length: Math.ceil(bytes / partBytes) }, (_, index) => ({ number: index + 1, offset: index * partBytes, bytes: Math.min(partBytes, bytes - index * partBytes) }));
}
