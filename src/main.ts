import { startApp } from './app.js';
import { ConfigError, loadConfig, type Config } from './config.js';
import { startEmbeddedPostgres } from './db/embedded-postgres.js';
import { createLogger } from './lib/logger.js';

/** A second signal forces the end; but npm passes on the Ctrl-C that the terminal has sent to us too. */
const SAME_SIGNAL_MS = 500;

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger(config.LOG_LEVEL);
  const embedded = config.DATABASE_URL
    ? null
    : await startEmbeddedPostgres({ dataDir: config.DATA_DIR, log: { info: (message) => log.info(message), warn: (message) => log.warn(message) } });
  log.info(embedded ? `database: embedded PostgreSQL, data in ${config.DATA_DIR}` : 'database: DATABASE_URL');
  log.info(config.REDIS_URL ? 'bus: Redis at REDIS_URL' : 'bus: in-process (set REDIS_URL to run more than one process)');
  const ready: Config & { DATABASE_URL: string } = { ...config, DATABASE_URL: config.DATABASE_URL ?? embedded!.url };
  try {
    const app = await startApp(ready, log);
    let asked = 0;
    const stop = (signal: string) => {
      if (asked && performance.now() - asked > SAME_SIGNAL_MS) {
        log.warn({ signal }, 'stopping at once');
        process.exit(1);
      }
      if (asked) return;
      asked = performance.now();
      log.info({ signal }, 'stopping');
      app
        .stop()
        .then(() => embedded?.stop())
        .then(
          () => process.exit(0),
          (error: Error) => {
            log.fatal({ error: error.message, stack: error.stack }, 'could not stop cleanly');
            process.exit(1);
          },
        );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    log.info(`ready: GraphiQL at ${app.url}/graphql`);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

main().catch((error: Error) => {
  // Before there are settings there is no logger; whoever starts the server reads this.
  process.stderr.write(`${error instanceof ConfigError ? error.message : error.stack}\n`);
  process.exit(1);
});
