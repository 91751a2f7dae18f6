import type { AddressInfo } from 'node:net';
import { createDataSource } from '../ormconfig.js';
import { filesPortOf, type Config } from './config.js';
import { createContainer, type Container, type Outside } from './container.js';
import { migrate } from './db/migrate.js';
import { limitMsOf, SCHEDULES, sweepsOf, tasksOf } from './jobs/index.js';
import { JobRunner } from './jobs/runner.js';
import { systemClock, type Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { buildSchema } from './resolvers/build-schema.js';
import { hostOf, serve, type Serving } from './server/serve.js';
import { withMarks } from './server/viewer-parts.js';

export interface App {
  /** http://host:port */
  url: string;
  container: Container;
  serving: Serving;
  /** Null where JOBS is false. */
  jobs: JobRunner | null;
  /** Tells clients to go elsewhere, waits for what is under way, and closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** Brings the database up to the code, before several processes work with it. */
export async function prepareDatabase(url: string): Promise<void> {
  const source = createDataSource(url, 2);
  await source.initialize();
  try {
    await migrate(source);
  } finally {
    await source.destroy();
  }
}

/** Everything between a database that answers and a server that listens. `outside` replaces adapters that the settings would choose. */
export async function startApp(config: Config & { DATABASE_URL: string }, log: Logger, clock: Clock = systemClock, outside: Outside = {}): Promise<App> {
  /** What must be closed, newest first. */
  const closers: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  const source = createDataSource(config.DATABASE_URL, config.DATABASE_POOL);
  await source.initialize();
  closers.push(() => source.destroy());
  try {
    if (!outside.box) await migrate(source); // the primary has done it for all
    const container = await createContainer(config, source, log, clock, outside);
    closers.push(() => container.close());
    const build = () => buildSchema({ get: (type) => container.resolvers.get(type) });
    const serving = await serve(container, build(), withMarks(build()), filesPortOf(config));
    const { port } = serving.fastify.server.address() as AddressInfo;
    let jobs: JobRunner | null = null;
    closers.push(() => Promise.all([serving.close(), jobs?.stop(config.DRAIN * 1000), container.consumers.stop(config.DRAIN * 1000)]));
    jobs = config.JOBS
      ? await JobRunner.start({ databaseUrl: config.DATABASE_URL, tasks: tasksOf(container.jobs, container.tracing), limitMs: limitMsOf, schedules: SCHEDULES, sweeps: sweepsOf(container.jobs), clock, log })
      : null;
    if (config.JOBS) await container.consumers.start();
    return { url: `http://${hostOf(config)}:${port}`, container, serving, jobs, stop: () => (stopping ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}
