import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../../src/db/process-identity.js';

const run = promisify(execFile);
const NAME = 'omnitalk-disk-';
const BALLAST = 'ballast-';
const LEFT_BLOCKS = 8;

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

  /** Leaves next to nothing. */
  async fill(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail <= LEFT_BLOCKS) return;
      // Others write meanwhile: who asks for more than there is gets nothing.
      const blocks = Math.max(1, Math.floor(bavail * 0.9));
      await run('fallocate', ['-l', String(blocks * bsize), join(this.folder, `${BALLAST}${attempt}`)]).catch(() => undefined);
    }
    throw new Error(`${this.folder} could not be filled`);
  }

  async free(): Promise<void> {
    for (const name of await readdir(this.folder)) if (name.startsWith(BALLAST)) await rm(join(this.folder, name), { force: true });
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
