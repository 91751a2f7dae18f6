import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { LogConsumer } from './events/log-consumers.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { Outbound, type OutboundOptions } from './outbound/outbound.js';
import { NotificationWebhookResolver, ViewerWebhooksResolver, WebhookDeliveryResolver, WebhookResolver } from './resolvers/webhooks.js';
import type { PushQueue } from './services/notifications/push-queue.js';
import { WebhookMaker } from './services/webhooks/webhook-maker.js';
import { WebhookQueue } from './services/webhooks/webhook-queue.js';
import { WebhookService } from './services/webhooks/webhooks.js';

export interface WebhookDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  outbound: OutboundOptions;
  pushes: PushQueue;
}

export interface Webhooks {
  service: WebhookService;
  queue: WebhookQueue;
  consumers: LogConsumer[];
  jobs: Pick<JobDeps, 'webhooks'>;
  resolvers: object[];
  close(): Promise<void>;
}

/** The part of the container that tells endpoints of events. Its requests have slots of their own: endpoints that hang hold up no feed and no push. */
export function makeWebhooks({ config, db, unitOfWork, clock, log, outbound: options, pushes }: WebhookDeps): Webhooks {
  const outbound = new Outbound(options);
  const queue = new WebhookQueue(db.background, unitOfWork, clock, log, (url, request) => outbound.fetch(url, request), pushes);
  const service = new WebhookService(db.sql, unitOfWork, queue, (url) => outbound.checkEncrypted(url));
  return {
    service,
    queue,
    consumers: config.WEBHOOKS ? [new WebhookMaker(unitOfWork, queue)] : [],
    jobs: { webhooks: config.WEBHOOKS ? queue : null },
    resolvers: [new WebhookResolver(service), new WebhookDeliveryResolver(), new ViewerWebhooksResolver(service), new NotificationWebhookResolver(service)],
    async close() {
      await queue.close();
      await outbound.close();
    },
  };
}
