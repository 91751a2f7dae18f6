import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Slots } from '../lib/slots.js';
import type { ReadFeed } from './feed.js';
import type { PageMeta, ReadPage } from './page.js';

/** Something fetched. */
export interface Fetched {
  body: Uint8Array;
  contentType: string;
  /** Where it came from in the end. */
  url: string;
}

/** What can't be read in this time is not read at all. */
const PATIENCE_MS = 10_000;
const IDLE_MS = 60_000;
const MAX_WAITING = 256;
const MAX_HEAP_MB = 256;

/**
 * Reads what others have published, in a thread beside the one that serves people: a feed of some megabytes takes a second to parse. A document that keeps the thread for longer than
 * its patience, or wants more memory than it has, ends the thread and nothing else. It is started when it is first needed, and ends when it is not for a minute.
 */
export class Reader {
  readonly #pool = new Piscina({
    // In development the sources run as they are, by the loader that this process was started with; threads inherit it.
    filename: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)),
    minThreads: 0, maxThreads: 1, idleTimeout: IDLE_MS, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  readonly #turn = new Slots(1, MAX_WAITING);

  constructor(private readonly patienceMs = PATIENCE_MS) {}

  feed(fetched: Fetched): Promise<ReadFeed> {
    return this.#run('feed', documentOf(fetched));
  }

  page(fetched: Fetched): Promise<ReadPage | null> {
    return this.#run('page', documentOf(fetched));
  }

  meta(fetched: Fetched): Promise<PageMeta | null> {
    return this.#run('meta', documentOf(fetched));
  }

  /** The sentences that stand for a text. */
  summary(text: string, language: string, count: number): Promise<string[]> {
    return this.#run('summary', { text, language, count });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #run<Result>(name: string, task: object): Promise<Result> {
    if (!(await this.#turn.take())) throw new Error('too many documents wait to be read');
    try {
      // Neither waiting nor the start of the thread, which takes seconds on a busy machine, is the document's fault.
      await this.#pool.run(null, { name: 'ready' });
      return (await this.#pool.run(task, { name, signal: AbortSignal.timeout(this.patienceMs) })) as Result;
    } finally {
      this.#turn.release();
    }
  }
}

const documentOf = ({ body, contentType, url }: Fetched) => ({ bytes: body, contentType, url });
