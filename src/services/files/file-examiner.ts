import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { FileFailure, FileVariants } from '../../entities/file.js';
import { judgeType } from '../../policies/file-types.js';
import { PictureError, readPicture } from '../../storage/images.js';
import { inspect, type Inspection } from '../../storage/inspect.js';
import { ScanError, type Scanner } from '../../storage/scanner.js';
import { ClipError, isPlayable, PLAYBACK_MINUTES, poster, readClip, rendition, waveform, withoutTags } from '../../storage/sound-and-video.js';
import { StoreError, type ObjectStore } from '../../storage/store.js';
import type { FileRow } from '../loaders/files.js';

/** What was found out about a file. */
export type Found = Partial<Pick<FileRow, 'kind' | 'contentType' | 'bytes' | 'sha256' | 'key' | 'width' | 'height' | 'durationMs' | 'blurhash' | 'waveform'>> & {
  variants?: FileVariants;
  /** Of a video that not every browser plays: a rendition is still to be made. */
  wantsPlayback?: boolean;
};

/** The bytes are not what they should be, and never will be. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
  constructor(readonly failure: FileFailure) {
    super(failure);
  }
}

/** Larger pictures would have to be held by the tools that read them. */
const MAX_PICTURE_BYTES = 128 * 1024 * 1024;
const MAX_PLAYBACK_SOURCE = 2 * 1024 * 1024 * 1024;

/** Looks at a file's bytes and makes what is shown of it. Everything is read piece by piece, or by tools from a file. */
export class FileExaminer {
  constructor(
    private readonly store: ObjectStore,
    private readonly scanner: Scanner | null,
  ) {}

  /** `folder`: for what is made on the way. Throws Rejected. */
  async examine(file: FileRow, folder: string): Promise<Found> {
    const seen = await this.#inspect(file.key!);
    if (seen.bytes !== file.bytes) throw new Rejected('SIZE_MISMATCH');
    if (seen.sha256 !== file.sha256) throw new Rejected('CHECKSUM_MISMATCH');
    const type = judgeType(file, seen.contentType);
    if (typeof type === 'string') throw new Rejected(type);
    switch (type.kind) {
      case 'IMAGE':
        if (file.bytes > MAX_PICTURE_BYTES) throw new Rejected('TOO_MANY_PIXELS');
        return { ...type, ...(await this.#picture(file, type.contentType, folder)) };
      case 'OTHER':
        return type;
      case 'VIDEO':
      case 'AUDIO':
      case 'VOICE': {
        if (!isPlayable(type.contentType)) throw new Rejected('UNSUPPORTED');
        const found = await this.store.withFile(file.key!, (path) => (type.kind === 'VIDEO' ? this.#video : this.#sound).call(this, file, path, type.contentType, folder)).catch(rejected);
        return { ...type, ...found };
      }
    }
  }

  /** A rendition of a video that is READY; null where none can be made. */
  async playback(file: FileRow, folder: string): Promise<FileVariants | null> {
    const target = join(folder, 'playback.mp4');
    try {
      await this.store.withFile(file.key!, (path) => rendition(path, file.contentType, target));
    } catch (error) {
      if (error instanceof ClipError) return null;
      throw error;
    }
    const key = `files/${file.id}/playback`;
    const { bytes } = await this.store.putFile(key, target, 'video/mp4');
    return { ...file.variants, playback: { key, contentType: 'video/mp4', bytes, width: null, height: null } };
  }

  /** Once, from beginning to end: what it is, and whether it harms. */
  async #inspect(key: string): Promise<Inspection> {
    const body = await this.store.read(key).catch((error: unknown) => {
      throw error instanceof StoreError && error.kind === 'MISSING' ? new Rejected('SIZE_MISMATCH') : error;
    });
    const scan = this.scanner && (await this.scanner.begin());
    try {
      const seen = await inspect(body, scan && ((chunk) => scan.write(chunk)));
      if (scan && (await scan.end()) !== null) throw new Rejected('INFECTED');
      return seen;
    } catch (error) {
      throw error instanceof ScanError && error.kind === 'TOO_LARGE' ? new Rejected('TOO_LARGE_TO_SCAN') : error;
    } finally {
      scan?.abort();
      body.destroy();
    }
  }

  async #picture(file: FileRow, contentType: string, folder: string): Promise<Found> {
    const clean = join(folder, 'clean');
    const { width, height, blurhash, thumbnail, cleaned } = await this.store.withFile(file.key!, (path) => readPicture(path, clean)).catch(rejected);
    return { width, height, blurhash, variants: await this.#thumbnail(file, thumbnail), ...(cleaned ? await this.#instead(file, clean, contentType) : {}) };
  }

  async #sound(file: FileRow, path: string, contentType: string, folder: string): Promise<Found> {
    const clip = await readClip(path, contentType);
    if (clip.video) throw new Rejected('TYPE_MISMATCH');
    const loudness = await waveform(path, contentType);
    const found: Found = { durationMs: clip.durationMs ?? loudness.durationMs, waveform: loudness.waveform };
    if (!clip.tellsPlace) return found;
    const clean = join(folder, 'clean');
    await withoutTags(path, contentType, clean);
    return { ...found, ...(await this.#instead(file, clean, contentType)) };
  }

  async #video(file: FileRow, path: string, contentType: string, folder: string): Promise<Found> {
    const { video, durationMs, playsEverywhere } = await readClip(path, contentType);
    if (!video) throw new Rejected('TYPE_MISMATCH');
    const [clean, still] = [join(folder, 'clean'), join(folder, 'poster.png')];
    await withoutTags(path, contentType, clean);
    await poster(clean, contentType, durationMs, still);
    const { blurhash, thumbnail } = await readPicture(still, join(folder, 'unused'));
    const variants = await this.#thumbnail(file, thumbnail);
    const wantsPlayback = !playsEverywhere && file.bytes <= MAX_PLAYBACK_SOURCE && (durationMs ?? 0) <= PLAYBACK_MINUTES * 60_000;
    return { ...video, durationMs, blurhash, variants, wantsPlayback, ...(await this.#instead(file, clean, contentType)) };
  }

  async #thumbnail(file: FileRow, { body, contentType, width, height }: { body: Buffer; contentType: string; width: number; height: number }): Promise<FileVariants> {
    const key = keyOf(file, 'thumbnail', createHash('sha256').update(body).digest('hex'));
    await this.store.put(key, body, contentType);
    return { thumbnail: { key, contentType, bytes: body.length, width, height } };
  }

  /** What is served instead of what was uploaded. */
  async #instead(file: FileRow, path: string, contentType: string): Promise<Found> {
    const { sha256 } = await inspect(createReadStream(path));
    const key = keyOf(file, 'clean', sha256);
    const { bytes } = await this.store.putFile(key, path, contentType);
    return { key, bytes, sha256 };
  }
}

/** Named by its bytes: of two runs of one file, which may make others (another release, an id that a tool invents), none writes over what the other has put on record. */
const keyOf = ({ id }: FileRow, name: string, sha256: string): string => `files/${id}/${name}-${sha256}`;

function rejected(error: unknown): never {
  if (error instanceof PictureError) throw new Rejected(error.kind);
  if (error instanceof ClipError) throw new Rejected('UNREADABLE');
  throw error;
}
