import type { Readable } from 'node:stream';

/** What of an upload is bound into the permission to send it. */
export interface UploadTerms {
  bytes: number;
  contentType: string;
  /** Of the whole file, in hex; null where only a part is sent. */
  sha256: string | null;
}

/** Where a client sends bytes, and the headers that it must send with them. */
export interface SignedPut {
  url: string;
  headers: Record<string, string>;
}

/**
 * Where files are kept: by key, immutable once they stand. One interface for the folder and for S3, and one suite of tests
 * (test/storage/stores.spec.ts). What fails for want of room or of an answer throws StoreError.
 */
export interface ObjectStore {
  /** Takes over a file of this machine, whole or not at all. */
  putFile(key: string, path: string, contentType: string): Promise<{ bytes: number }>;
  put(key: string, body: Uint8Array, contentType: string): Promise<void>;
  /** Bytes from `start` to `end`, both included; all without a range. Throws StoreError MISSING. */
  read(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Null where there is no such object. */
  size(key: string): Promise<number | null>;
  /** Runs tools that want a file of this machine. */
  withFile<Result>(key: string, work: (path: string) => Promise<Result>): Promise<Result>;
  /** Gives an object another key. Throws StoreError MISSING. */
  move(from: string, to: string): Promise<void>;
  /** Forgets these objects; those that are not there are none. */
  remove(keys: readonly string[]): Promise<void>;
  /** Forgets everything whose key begins with `<prefix>/`. */
  removeAll(prefix: string): Promise<void>;

  /** Begins an upload in parts; answers the store's name for it. */
  beginParts(key: string, contentType: string): Promise<string>;
  /** Where the client sends the bytes to the store itself; null when they go through this server (`receive`). */
  signPut(key: string, part: { uploadId: string; number: number } | null, terms: UploadTerms, expiresAt: Date): Promise<SignedPut | null>;
  /** Takes bytes that came to this server. Answers once they are safe. Throws StoreError MISMATCH when they are not what was signed. */
  receive(key: string, part: { uploadId: string; number: number; offset: number } | null, terms: UploadTerms, body: Readable): Promise<void>;
  /** The numbers of the parts that have arrived whole. */
  partsOf(key: string, uploadId: string): Promise<number[]>;
  /** Makes one object of its parts, which nobody who still sends one can change. Throws StoreError MISSING when one has not arrived. */
  finishParts(key: string, uploadId: string, count: number): Promise<void>;
  /** Forgets an upload that will not be finished. Idempotent. */
  abortParts(key: string, uploadId: string): Promise<void>;
  close(): void;
}

/** MISSING: there is no such object. FULL: no room. MISMATCH: not the bytes that were agreed. FAILED: the store does not answer as it should. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly kind: 'MISSING' | 'FULL' | 'MISMATCH' | 'FAILED',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
