import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const BEAT_MS = 3_000;
/** A lock that was not touched for so long has lost its holder. Clocks of machines that share a cache may differ a little. */
const STALE_MS = 20_000;
const ASK_AGAIN_MS = 500;

export interface LockOptions {
  signal?: AbortSignal;
  onWait?: () => void;
  staleMs?: number;
}

/**
 * Runs `work` while no other process runs under the same lock. The holder touches the file as long as it lives, so that a killed one is found
 * out wherever it ran; process numbers would mean nothing across containers.
 */
export async function underLock<Result>(file: string, work: () => Promise<Result>, options: LockOptions = {}): Promise<Result> {
  await acquire(file, options);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(file, { force: true });
  }
}

async function acquire(file: string, { signal, onWait, staleMs = STALE_MS }: LockOptions): Promise<void> {
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await isStale(file, staleMs)) {
      await takeAway(file);
      continue;
    }
    if (!told) onWait?.();
    told = true;
    await delay(ASK_AGAIN_MS, undefined, signal ? { signal } : {});
  }
}

async function isStale(file: string, staleMs: number): Promise<boolean> {
  const seen = await stat(file).catch(() => null);
  return seen !== null && Date.now() - seen.mtimeMs > staleMs;
}

/** Of several who find it stale one alone succeeds to rename it; the others find it gone, or the new one. */
async function takeAway(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
