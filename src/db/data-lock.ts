import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, startTimeOf } from './process-identity.js';

/** Another live process owns the data folder. */
export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';

  constructor(
    readonly dataDir: string,
    readonly ownerPid: number,
  ) {
    super(
      `${dataDir} is in use by the OmniTalk process ${ownerPid}. Stop that one first, or give this one another DATA_DIR ` +
        '(or a DATABASE_URL of its own).',
    );
  }
}

const lockFile = (dataDir: string): string => join(dataDir, 'omnitalk.lock');

interface Owner {
  pid: number;
  startTime: string;
}

/**
 * Takes the data folder for this process. The lock of a dead process is taken over; that of a live one is a `DataDirInUseError`.
 * Process numbers mean something on one machine only: a data folder must not be shared between machines or containers.
 * @returns a function that gives the folder back; safe to call twice.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = lockFile(dataDir);
  const own = JSON.stringify({ pid: process.pid, startTime: await startTimeOf(process.pid), token: randomUUID() });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, own, { mode: 0o600 });
  try {
    // Each round either takes the lock, finds a live owner, or clears one dead lock; a fourth round means a stampede of starts.
    for (let round = 0; round < 4; round += 1) {
      if (await linkIfAbsent(draft, file)) {
        return async () => {
          if ((await readIfPresent(file)) === own) await unlink(file);
        };
      }
      await clearIfDead(dataDir, file);
    }
  } finally {
    await unlink(draft);
  }
  throw new DataDirInUseError(dataDir, (await ownerOf(dataDir))?.pid ?? 0);
}

/** The live process that holds the folder, if there is one. */
export async function ownerOf(dataDir: string): Promise<Owner | undefined> {
  const text = await readIfPresent(lockFile(dataDir));
  return text === undefined ? undefined : liveOwner(text);
}

async function clearIfDead(dataDir: string, file: string): Promise<void> {
  const judged = await readIfPresent(file);
  if (judged === undefined) return;
  const owner = await liveOwner(judged);
  if (owner) throw new DataDirInUseError(dataDir, owner.pid);
  // Renaming is atomic: of several starts that saw the same dead lock, one moves it away and the others find it gone.
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Someone was faster between our look and our move: what we moved is their live lock, so it goes back.
  if ((await readIfPresent(aside)) !== judged) await linkIfAbsent(aside, file);
  await unlink(aside);
}

async function liveOwner(text: string): Promise<Owner | undefined> {
  let owner: Owner;
  try {
    owner = JSON.parse(text) as Owner;
  } catch {
    return undefined; // Torn by a power cut: whoever wrote it is gone.
  }
  if (!isAlive(owner.pid)) return undefined;
  const startTime = await startTimeOf(owner.pid);
  return startTime === '' || owner.startTime === '' || startTime === owner.startTime ? owner : undefined;
}

async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
