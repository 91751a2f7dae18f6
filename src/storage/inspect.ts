import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { fileTypeFromBuffer } from 'file-type';

/** Enough of the beginning to tell a file by. */
const HEAD_BYTES = 64 * 1024;

export interface Inspection {
  bytes: number;
  /** In hex. */
  sha256: string;
  /** By its bytes; null for what has no signature, as text. */
  contentType: string | null;
}

/** Reads a file once from its beginning to its end, never holding more than a piece of it. `also` sees every piece, and is waited for. */
export async function inspect(body: Readable, also: ((chunk: Buffer) => Promise<void>) | null = null): Promise<Inspection> {
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let kept = 0;
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    if (kept < HEAD_BYTES) {
      head.push(chunk.subarray(0, HEAD_BYTES - kept));
      kept += Math.min(chunk.length, HEAD_BYTES - kept);
    }
    await also?.(chunk);
  }
  // A broken file is one without a type.
  const found = await fileTypeFromBuffer(Buffer.concat(head)).catch(() => undefined);
  return { bytes, sha256: hash.digest('hex'), contentType: found?.mime.split(';')[0] ?? null };
}
