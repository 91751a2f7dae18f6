import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Sql } from '../../db/database.js';
import { notFound } from '../../lib/errors.js';
import { servedAs } from '../../policies/file-types.js';
import type { ObjectStore } from '../../storage/store.js';
import { FILE_COLUMNS, type FileRow } from '../loaders/files.js';
import type { Link } from './file-urls.js';
import { stored } from './uploads.js';

/** A file that was deleted is served no longer than this afterwards. */
const KNOWN_MS = 2_000;
const KNOWN = 10_000;

/** What is served for a link. */
export interface Download {
  type: string;
  /** Shown by a browser; else it is saved. */
  inline: boolean;
  name: string;
  bytes: number;
  /** Of these bytes for ever: what stands behind a link does not change. */
  etag: string;
  expiresAt: Date;
  body(range?: { start: number; end: number }): Promise<Readable>;
}

/** Handing out files to whoever holds a link. */
export class DownloadService {
  readonly #known = new LRUCache<string, FileRow>({ max: KNOWN, ttl: KNOWN_MS });

  constructor(
    private readonly sql: Sql,
    private readonly store: ObjectStore,
  ) {}

  /** Errors: NOT_FOUND (deleted, never made ready), STORAGE_UNAVAILABLE. */
  async open({ fileId, name, expiresAt }: Link): Promise<Download> {
    const file = await this.#file(fileId);
    if (file?.state !== 'READY') throw notFound('file');
    const part = name === 'original' ? { key: file.key!, contentType: file.contentType, bytes: file.bytes } : file.variants?.[name];
    if (!part) throw notFound('file');
    const { type, inline } = servedAs(part.contentType);
    return { type, inline, name: file.name, bytes: part.bytes, etag: `"${fileId}-${name}"`, expiresAt, body: (range) => this.#read(fileId, part.key, range) };
  }

  async #read(id: string, key: string, range?: { start: number; end: number }): Promise<Readable> {
    return stored(this.store.read(key, range)).catch((error: unknown) => {
      this.#known.delete(id); // deleted, perhaps
      throw error;
    });
  }

  async #file(id: string): Promise<FileRow | null> {
    const known = this.#known.get(id);
    if (known) return known;
    const [file] = await this.sql<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = $1`, [id]);
    if (file?.state === 'READY') this.#known.set(id, file);
    return file ?? null;
  }
}
