import './node-version.js';
import { startApp } from './app.js';
import { WorkerFailure, Workers } from './cluster/primary.js';
import { WORKER_ARGUMENT } from './cluster/talk.js';
import { runWorker } from './cluster/worker.js';
import { ConfigError, loadConfig, type Config } from './config.js';
import { startEmbeddedPostgres } from './db/embedded-postgres.js';
import { createLogger } from './lib/logger.js';

/** A second signal forces the end; but npm passes on the Ctrl-C that the terminal has sent to us too. */
const SAME_SIGNAL_MS = 500;

async function main(): Promise<void> {
  const config = loadConfig();
  if (process.argv[2]?.startsWith(WORKER_ARGUMENT)) return runWorker(config);
  const log = createLogger(config.LOG_LEVEL);
  const embedded = config.DATABASE_URL
    ? null
    : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, log: { info: (message) => log.info(message), warn: (message) => log.warn(message) } });
  log.info(embedded ? `database: embedded PostgreSQL, data in ${config.DATA_DIR}` : 'database: DATABASE_URL');
  log.info(config.REDIS_URL ? 'bus: Redis at REDIS_URL' : 'bus: in-process (set REDIS_URL to run more than one process)');
  const ready: Config & { DATABASE_URL: string } = { ...config, DATABASE_URL: config.DATABASE_URL ?? embedded!.url };
  try {
    const running = config.WORKERS > 1 ? await Workers.start(ready, log, (failure) => end(1, failure)) : await startApp(ready, log);
    let asked = 0;
    const end = (code: number, failure?: Error) => {
      asked = performance.now();
      if (failure) log.fatal({ error: failure.message }, 'stopping, since a worker dies over and over');
      running
        .stop()
        .then(() => embedded?.stop())
        .then(
          () => process.exit(code),
          (error: Error) => {
            log.fatal({ error: error.message, stack: error.stack }, 'could not stop cleanly');
            process.exit(1);
          },
        );
    };
    const stop = (signal: string) => {
      if (asked && performance.now() - asked > SAME_SIGNAL_MS) {
        log.warn({ signal }, 'stopping at once');
        process.exit(1);
      }
      if (asked) return;
      log.info({ signal }, 'stopping');
      end(0);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    log.info(`ready: GraphiQL at ${running.url}/graphql`);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

main().catch((error: Error) => {
  // Before there are settings there is no logger; whoever starts the server reads this.
  process.stderr.write(`${error instanceof ConfigError || error instanceof WorkerFailure ? error.message : error.stack}\n`);
  process.exit(1);
});
