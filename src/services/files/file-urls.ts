import { createHmac, timingSafeEqual } from 'node:crypto';
import type { VariantName } from '../../entities/file.js';
import type { FileRow } from '../loaders/files.js';

/** `original`: what was uploaded, without what tells where it was taken. */
export type ServedName = 'original' | VariantName;
const SERVED: ReadonlySet<string> = new Set<ServedName>(['original', 'thumbnail', 'playback']);

export interface FileUrlOptions {
  key: string;
  /** Where uploads go, and downloads too unless a CDN stands before them; null: where this process listens. */
  filesUrl: string | null;
  cdnUrl: string | null;
  /** A link is good for one to two of these, seconds. */
  ttlSeconds: number;
}

/** What a link asks for. */
export interface Link {
  fileId: string;
  name: ServedName;
  expiresAt: Date;
}

/**
 * Signs links to files. A link names the file, what of it, and when it ends: a moment that moves in steps, so that everybody who asks within a
 * step gets the same link, and browsers, a CDN and events that are rendered once for all share it. It says nothing of who asks: whoever holds it has the
 * file, until it ends or the file is deleted.
 */
export class FileUrls {
  #filesUrl: string;
  readonly #cdnUrl: string | null;

  constructor(private readonly options: FileUrlOptions) {
    this.#filesUrl = options.filesUrl?.replace(/\/+$/, '') ?? '';
    this.#cdnUrl = options.cdnUrl?.replace(/\/+$/, '') ?? null;
  }

  /** Where this process serves files, unless the settings say how it is reached. */
  servedAt(url: string): void {
    if (this.options.filesUrl === null) this.#filesUrl = url;
  }

  of(file: Pick<FileRow, 'id'>, name: ServedName, now: Date): string {
    const { ttlSeconds } = this.options;
    const expires = (Math.floor(now.getTime() / 1000 / ttlSeconds) + 2) * ttlSeconds;
    const path = `files/${file.id}/${name}/${expires}`;
    return `${this.#cdnUrl ?? this.#filesUrl}/${path}/${this.#sign(path)}`;
  }

  /** For how long a link may be kept before it is handed on, milliseconds: it is then good for three quarters of `ttlSeconds` at the least. */
  get keepMs(): number {
    return this.options.ttlSeconds * 250;
  }

  /** What a path that came in asks for; null when it was not signed here, or has ended. */
  read(path: string, now: Date): Link | null {
    const match = /^\/(files\/([0-9a-f-]{36})\/([a-z]+)\/(\d{1,12}))\/([\w-]{43})$/.exec(path);
    if (!match || !SERVED.has(match[3]!) || !this.#isSigned(match[1]!, match[5]!)) return null;
    const expiresAt = new Date(Number(match[4]) * 1000);
    return expiresAt > now ? { fileId: match[2]!, name: match[3] as ServedName, expiresAt } : null;
  }

  /** Where a file is sent to through this server: whole, or a part of it. */
  upload(fileId: string, part: number | null, expiresAt: Date): string {
    const path = `uploads/${fileId}/${part ?? 0}/${Math.floor(expiresAt.getTime() / 1000)}`;
    return `${this.#filesUrl}/${path}/${this.#sign(path)}`;
  }

  readUpload(path: string, now: Date): { fileId: string; part: number | null } | null {
    const match = /^\/(uploads\/([0-9a-f-]{36})\/(\d{1,5})\/(\d{1,12}))\/([\w-]{43})$/.exec(path);
    if (!match || !this.#isSigned(match[1]!, match[5]!) || Number(match[4]) * 1000 <= now.getTime()) return null;
    return { fileId: match[2]!, part: Number(match[3]) || null };
  }

  #sign(path: string): string {
    return createHmac('sha256', this.options.key).update(path).digest('base64url');
  }

  #isSigned(path: string, signature: string): boolean {
    return timingSafeEqual(Buffer.from(this.#sign(path)), Buffer.from(signature));
  }
}
