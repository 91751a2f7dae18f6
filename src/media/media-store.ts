import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where recordings go. */
export interface MediaStore {
  /** Takes over a finished file under this name. Answers the key to find it by. */
  put(name: string, file: string): Promise<{ key: string; bytes: number }>;
}

/** A folder of this machine; keys are paths inside it. */
export class FolderStore implements MediaStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(name: string, file: string): Promise<{ key: string; bytes: number }> {
    const target = join(this.#folder, name);
    await mkdir(dirname(target), { recursive: true });
    const { size } = await stat(file);
    await rename(file, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error;
      // On another file system a rename is a copy; whole before it has its name.
      await copyFile(file, `${target}.part`);
      await rename(`${target}.part`, target);
      await rm(file);
    });
    return { key: name, bytes: size };
  }
}
