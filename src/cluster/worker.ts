import { startApp, type App } from '../app.js';
import { ConfigError, type Config } from '../config.js';
import { systemClock } from '../lib/clock.js';
import { createLogger } from '../lib/logger.js';
import type { Box, Figure } from '../server/metrics.js';
import { WORKER_ARGUMENT, type FromPrimary, type FromWorker } from './talk.js';

/** Beyond DRAIN: for what is closed after it. */
const CLOSE_MS = 5_000;
/** Longer than the primary gives the others. */
const FIGURES_PATIENCE_MS = 3_000;

/** One of WORKERS processes on one port: serves until it is told to stop, or the primary is gone. */
export async function runWorker(config: Config): Promise<void> {
  const log = createLogger(config.LOG_LEVEL, { worker: Number(process.argv[2]?.slice(WORKER_ARGUMENT.length)) });
  if (!process.connected) process.exit(0); // gone while this one was loaded
  let app: App | null = null;
  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    // Nobody is connected yet to one that is still starting; `process.exit` may hang while modules are loaded.
    if (!app) return void process.kill(process.pid, 'SIGKILL');
    setTimeout(() => {
      log.error('could not stop in time');
      process.exit(1);
    }, config.DRAIN * 1000 + CLOSE_MS).unref();
    app.stop().then(
      () => process.exit(0),
      (error: Error) => {
        log.error({ error: error.message, stack: error.stack }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('disconnect', () => stop('the primary is gone'));
  // By itself too, so that one worker after the other can be replaced; the primary starts another.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('message', (message: FromPrimary) => {
    if (message.kind === 'stop') stop('the primary stops');
  });
  try {
    app = await startApp({ ...config, DATABASE_URL: config.DATABASE_URL! }, log, systemClock, { box: new BoxChannel() });
    tell({ kind: 'serving', url: app.url, filesPort: app.serving.filesPort });
  } catch (error) {
    const { message, stack } = error as Error;
    const reason = error instanceof ConfigError ? message : (stack ?? message);
    process.send?.({ kind: 'failed', reason } satisfies FromWorker, () => process.exit(1));
  }
}

/** What is said to a primary that is gone is lost, and nobody minds. */
const tell = (message: FromWorker): void => void process.send?.(message, () => undefined);

/** Reaches the other processes by the primary. */
class BoxChannel implements Box {
  readonly #asked = new Map<number, (text: string) => void>();
  #last = 0;

  constructor() {
    process.on('message', (message: FromPrimary) => {
      if (message.kind === 'figures') this.#asked.get(message.id)?.(message.text);
    });
  }

  readBy(read: () => Promise<Figure[]>): void {
    process.on('message', (message: FromPrimary) => {
      if (message.kind === 'read-figures') void read().then((figures) => tell({ kind: 'figures-read', id: message.id, figures }));
    });
  }

  async figures(): Promise<string> {
    const id = ++this.#last;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#asked.set(id, resolve);
        timer = setTimeout(() => reject(new Error('the primary does not answer')), FIGURES_PATIENCE_MS);
        tell({ kind: 'figures-wanted', id });
      });
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
    }
  }
}
