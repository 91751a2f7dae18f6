import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { FileFailure, FileKind, FileState, FileVariants } from '../../entities/file.js';

export interface FileRow {
  id: string;
  ownerId: string;
  state: FileState;
  failure: FileFailure | null;
  kind: FileKind;
  name: string;
  contentType: string;
  bytes: number;
  sha256: string | null;
  key: string | null;
  partBytes: number | null;
  uploadId: string | null;
  width: number | null;
  height: number | null;
  durationMs: number | null;
  blurhash: string | null;
  waveform: Buffer | null;
  variants: FileVariants | null;
  createdAt: Date;
  expiresAt: Date | null;
}

export const FILE_COLUMNS = `f.id, f.owner_id as "ownerId", f.state, f.failure, f.kind, f.name, f.content_type as "contentType", f.bytes::float8 as bytes, f.sha256, f.key,
  f.part_bytes as "partBytes", f.upload_id as "uploadId", f.width, f.height, f.duration_ms as "durationMs", f.blurhash, f.waveform, f.variants,
  f.created_at as "createdAt", f.expires_at as "expiresAt"`;

/** The name under which processes keep files: whoever writes to `files` calls `tx.changed(FILES, id)`. */
export const FILES = 'files';

const FILES_BY_ID = keyed<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = any($1)`);

/** A file, whoever asks: whoever may see what shows it may have it. */
export const fileById: LoaderDef<string, FileRow> = {
  cache: FILES,
  async batch(ids, { sql }) {
    return inOrder(ids, await FILES_BY_ID(sql, ids), (row) => row.id);
  },
};
