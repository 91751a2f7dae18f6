import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../../src/db/process-identity.js';

const run = promisify(execFile);
const NAME = 'omnitalk-disk-';

/** A file system of its own, in memory, that can be filled to the last byte. Needs root on Linux; what a run that was killed left is removed by the next. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static async mount(megabytes: number): Promise<SmallDisk> {
    await sweep();
    const folder = join(tmpdir(), `${NAME}${process.pid}-${Date.now()}`);
    await mkdir(folder);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'omnitalk', folder]);
    return new SmallDisk(folder);
  }

  /** Leaves so many bytes. */
  async fill(left = 0): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    // Where somebody else has taken the last of it meanwhile, the disk is full too.
    await run('fallocate', ['-l', String(Math.max(1, bavail * bsize - left)), join(this.folder, 'ballast')]).catch(() => undefined);
    assert.ok((await statfs(this.folder)).bavail * bsize <= left + bsize * 1_000, 'the disk could not be filled');
  }

  async free(): Promise<void> {
    await rm(join(this.folder, 'ballast'), { force: true });
  }

  async close(): Promise<void> {
    await unmount(this.folder);
  }
}

async function unmount(folder: string): Promise<void> {
  await run('umount', ['-l', folder]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

async function sweep(): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const folder of mounts) {
    const pid = new RegExp(`/${NAME}(\\d+)-\\d+$`).exec(folder)?.[1];
    if (pid && !isAlive(Number(pid))) await unmount(folder);
  }
}
