import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A ZIP on this machine's disk that is written entry by entry, each as a stream: whatever its size, little of it is in memory. */
export class Archive {
  readonly #zip = new ZipFile();
  readonly #written: Promise<void>;

  private constructor(
    private readonly folder: string,
    /** The file, once `close` has resolved. */
    readonly path: string,
  ) {
    this.#written = pipeline(this.#zip.outputStream, createWriteStream(path));
    // It is waited for in `close`; until then a failure must not end the process.
    this.#written.catch(() => undefined);
  }

  static async open(): Promise<Archive> {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-export-'));
    return new Archive(folder, join(folder, 'export.zip'));
  }

  text(name: string, text: string): void {
    this.#zip.addBuffer(Buffer.from(text), name);
  }

  /** Resolves when all of it has been read. */
  async stream(name: string, body: Readable, compress = true): Promise<void> {
    this.#zip.addReadStream(body, name, { compress });
    await Promise.race([finished(body, { writable: false }), this.#written.then(() => Promise.reject(new Error('The archive ended early.')))]);
  }

  /** A JSON array of rows as they come. Answers how many. */
  async rows(name: string, batches: AsyncIterable<readonly object[]>): Promise<number> {
    let count = 0;
    async function* lines(): AsyncGenerator<string> {
      yield '[';
      for await (const rows of batches) {
        yield rows.map((row, index) => `${count + index ? ',' : ''}\n${JSON.stringify(row)}`).join('');
        count += rows.length;
      }
      yield '\n]\n';
    }
    await this.stream(name, Readable.from(lines(), { objectMode: false }));
    return count;
  }

  async close(): Promise<void> {
    this.#zip.end();
    await this.#written;
  }

  /** Removes what is on the disk. */
  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
