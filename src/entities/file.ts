export const FILE_KINDS = ['IMAGE', 'VIDEO', 'AUDIO', 'VOICE', 'OTHER'] as const;
export type FileKind = (typeof FILE_KINDS)[number];
export const FILE_STATES = ['UPLOADING', 'PROCESSING', 'READY', 'REJECTED', 'DELETED'] as const;
export type FileState = (typeof FILE_STATES)[number];
export const FILE_FAILURES = ['SIZE_MISMATCH', 'CHECKSUM_MISMATCH', 'TYPE_MISMATCH', 'UNSUPPORTED', 'UNREADABLE', 'TOO_MANY_PIXELS', 'TOO_LARGE_TO_SCAN', 'INFECTED'] as const;
/** Why a file was rejected. */
export type FileFailure = (typeof FILE_FAILURES)[number];

/** Something made of a file: a smaller picture, a rendition that browsers play. */
export interface FileVariant {
  key: string;
  contentType: string;
  bytes: number;
  width: number | null;
  height: number | null;
}
export type VariantName = 'thumbnail' | 'playback';
export type FileVariants = Partial<Record<VariantName, FileVariant>>;
