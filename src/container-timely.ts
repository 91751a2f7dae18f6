import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Hub } from './events/hub.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { MessageSearchResolver } from './resolvers/message-search.js';
import { ReceiptResolver } from './resolvers/receipts.js';
import { ScheduledMessageChangedResolver, ScheduledMessageResolver, ViewerScheduledResolver } from './resolvers/scheduled.js';
import { DisappearingMessages } from './services/disappearing.js';
import { MessageSearch } from './services/message-search.js';
import type { MessageService } from './services/messages.js';
import { ReceiptService } from './services/receipts.js';
import { ScheduledMessageService } from './services/scheduled-messages.js';
import { UpkeepService } from './services/upkeep.js';

export interface TimelyDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  hub: Hub;
  messages: MessageService;
}

export interface Timely {
  scheduled: ScheduledMessageService;
  receipts: ReceiptService;
  jobs: Pick<JobDeps, 'upkeep' | 'scheduled' | 'disappearing'>;
  resolvers: object[];
}

/** The part of the container that has to do with time: what is sent later, what disappears, how far people have read, finding what was said, and upkeep. */
export function makeTimely({ config, db, unitOfWork, clock, log, hub, messages }: TimelyDeps): Timely {
  const scheduled = new ScheduledMessageService(db, unitOfWork, messages, clock, log);
  const receipts = new ReceiptService(db.sql, hub);
  return {
    scheduled,
    receipts,
    jobs: { upkeep: new UpkeepService(db.background, clock, { sessions: config.RETENTION_SESSION_DAYS, notifications: config.RETENTION_NOTIFICATION_DAYS, deliveries: config.RETENTION_DELIVERY_DAYS }), scheduled, disappearing: new DisappearingMessages(db.background, unitOfWork, clock, log) },
    resolvers: [new ReceiptResolver(receipts), new MessageSearchResolver(new MessageSearch(db.sql)), new ScheduledMessageResolver(scheduled), new ViewerScheduledResolver(scheduled), new ScheduledMessageChangedResolver()],
  };
}
