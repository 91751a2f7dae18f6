import type { Config } from '../../src/config.js';
import { runningEmbeddedUrl } from '../../src/db/embedded-connection.js';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.js';

/**
 * The database that the server uses with these settings: DATABASE_URL; else the embedded one of DATA_DIR, which is started where no
 * server has done so, and then stopped by `stop`.
 */
export async function connect(config: Config): Promise<{ url: string; stop(): Promise<void> }> {
  const running = config.DATABASE_URL ?? (await runningEmbeddedUrl(config.DATA_DIR));
  if (running !== null) return { url: running, stop: async () => undefined };
  return startEmbeddedPostgres({ dataDir: config.DATA_DIR, log: { info: () => undefined, warn: (message) => console.error(message) } });
}
