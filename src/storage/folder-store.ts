import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, rmdir, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { StoreError, type ObjectStore, type SignedPut, type UploadTerms } from './store.js';

/** Keys are ours: this keeps a slip from leaving the folder. */
const KEY = /^(?!.*\.\.)[\w-][\w./-]*$/;

/** A folder of this machine (or one that all machines mount); keys are paths inside it. */
export class FolderStore implements ObjectStore {
  #turn = 0;

  constructor(private readonly folder: string) {}

  async putFile(key: string, path: string): Promise<{ bytes: number }> {
    return this.#guarded(async () => {
      const target = await this.#place(key);
      const { size } = await stat(path);
      await settle(path);
      try {
        await rename(path, target);
        await settle(dirname(target));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
        // On another file system a rename is a copy; whole before it has its name, and the source stays until it has.
        await this.#whole(target, (draft) => copyFile(path, draft));
        await rm(path);
      }
      return { bytes: size };
    });
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.#guarded(async () => {
      await this.#whole(await this.#place(key), (draft) => writeFile(draft, body, { flag: 'wx' }));
    });
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Readable> {
    const file = await this.#guarded(() => open(this.#path(key), 'r'));
    return file.createReadStream(range ?? {});
  }

  async size(key: string): Promise<number | null> {
    const found = await this.#guarded(() => stat(this.#path(key)).catch(absent));
    return found?.isFile() ? found.size : null;
  }

  withFile<Result>(key: string, work: (path: string) => Promise<Result>): Promise<Result> {
    return work(this.#path(key));
  }

  async move(from: string, to: string): Promise<void> {
    await this.#guarded(async () => {
      const target = await this.#place(to);
      await rename(this.#path(from), target);
      await settle(dirname(target));
    });
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.#guarded(() => rm(this.#path(key), { force: true }));
      // A folder of its own goes with what was in it. One that all share stays: somebody may be about to write there.
      if (key.split('/').length > 2) await rmdir(dirname(this.#path(key))).catch(() => undefined); // not empty: others stand there
    }
  }

  async removeAll(prefix: string): Promise<void> {
    await this.#guarded(() => rm(this.#path(prefix), { recursive: true, force: true }));
  }

  /** The parts are written into one file, each at its place; a marker for each says that it stands whole. */
  async beginParts(key: string): Promise<string> {
    const uploadId = 'parts';
    await this.#guarded(async () => {
      await standing(this.#markers(key, uploadId));
      await (await open(this.#draft(key, uploadId), 'a')).close();
      await settle(dirname(this.#draft(key, uploadId)));
    });
    return uploadId;
  }

  async signPut(): Promise<SignedPut | null> {
    return null;
  }

  async receive(key: string, part: { uploadId: string; number: number; offset: number } | null, terms: UploadTerms, body: Readable): Promise<void> {
    await this.#guarded(async () => {
      if (!part) return this.#whole(await this.#place(key), (draft) => write(draft, 'wx', 0, terms, body));
      const marker = join(this.#markers(key, part.uploadId), String(part.number));
      if (await stat(marker).catch(absent)) {
        // What has arrived whole is not written over: a repeat changes nothing.
        for await (const _chunk of body);
        return;
      }
      await write(this.#draft(key, part.uploadId), 'r+', part.offset, terms, body);
      await settle(this.#draft(key, part.uploadId));
      await (await open(marker, 'w')).close();
      await settle(dirname(marker));
    });
  }

  async partsOf(key: string, uploadId: string): Promise<number[]> {
    const names = (await this.#guarded(() => readdir(this.#markers(key, uploadId)).catch(absent))) ?? [];
    return names.map(Number).sort((a, b) => a - b);
  }

  async finishParts(key: string, uploadId: string, count: number): Promise<void> {
    if ((await this.size(key)) !== null) return; // by an earlier try
    if ((await this.partsOf(key, uploadId)).length < count) throw new StoreError('MISSING', 'Not all parts have arrived.');
    await this.#guarded(async () => {
      // A copy, by reference where the file system knows how: somebody may still have the other one open, to write into it.
      await this.#whole(this.#path(key), (draft) => copyFile(this.#draft(key, uploadId), draft, constants.COPYFILE_FICLONE));
      await rm(this.#draft(key, uploadId), { force: true });
      await rm(this.#markers(key, uploadId), { recursive: true, force: true });
    });
  }

  async abortParts(key: string, uploadId: string): Promise<void> {
    await this.#guarded(() => rm(this.#draft(key, uploadId), { force: true }));
    await this.#guarded(() => rm(this.#markers(key, uploadId), { recursive: true, force: true }));
  }

  close(): void {}

  #path(key: string): string {
    if (!KEY.test(key)) throw new Error(`not a key: ${key}`);
    return join(this.folder, key);
  }

  #draft(key: string, uploadId: string): string {
    return `${this.#path(key)}.${uploadId}`;
  }

  #markers(key: string, uploadId: string): string {
    return `${this.#draft(key, uploadId)}.there`;
  }

  async #place(key: string): Promise<string> {
    const path = this.#path(key);
    await standing(dirname(path));
    return path;
  }

  /** A file gets its name once it stands whole, and on the disk: nobody reads half of one, also after the power has failed, and what fails leaves nothing. */
  async #whole(target: string, make: (draft: string) => Promise<void>): Promise<void> {
    const draft = `${target}.${process.pid}-${++this.#turn}.part`;
    try {
      await make(draft);
      await settle(draft);
      await rename(draft, target);
      await settle(dirname(target));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw storeError(error);
    }
  }
}

const absent = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
};

function storeError(error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof StoreError || !syscall) return error;
  if (code === 'ENOENT') return new StoreError('MISSING', 'There is no such object.', { cause: error });
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return new StoreError('FULL', 'The disk is full.', { cause: error });
  return new StoreError('FAILED', message, { cause: error });
}

/** What has been written into a file, or been named in a folder, is there after the power has failed. */
async function settle(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder, and those above it that are missing. */
async function standing(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return; // it stood already
  for (let named = resolve(folder); named !== dirname(resolve(first)); named = dirname(named)) await settle(dirname(named));
}

/** Exactly the bytes that were agreed; not yet on the disk when it answers. */
async function write(path: string, flags: string, offset: number, { bytes, sha256 }: UploadTerms, body: Readable): Promise<void> {
  const file: FileHandle = await open(path, flags);
  try {
    const hash = sha256 === null ? null : createHash('sha256');
    let written = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (written + chunk.length > bytes) throw new StoreError('MISMATCH', `More than ${bytes} bytes came.`);
      hash?.update(chunk);
      for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done, chunk.length - done, offset + written + done)).bytesWritten;
      written += chunk.length;
    }
    if (written < bytes) throw new StoreError('MISMATCH', `${written} of ${bytes} bytes came.`);
    if (hash && hash.digest('hex') !== sha256) throw new StoreError('MISMATCH', 'The bytes have another checksum.');
  } finally {
    await file.close();
  }
}

