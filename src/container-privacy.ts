import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { JobDeps } from './jobs/index.js';
import type { AttemptLimiter } from './lib/attempt-limiter.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { DataExportResolver, ErasureResolver, NotificationDataExportResolver, ViewerDataExportsResolver } from './resolvers/privacy.js';
import { AuthLimits } from './services/auth-limits.js';
import type { FileRemoval } from './services/files/file-removal.js';
import type { PushQueue } from './services/notifications/push-queue.js';
import type { Passwords } from './services/passwords.js';
import { ErasureSteps } from './services/privacy/erasure-steps.js';
import { ErasureService } from './services/privacy/erasure.js';
import { DataExportService } from './services/privacy/exports.js';
import { Retention } from './services/privacy/retention.js';
import { Quota } from './services/quota.js';
import type { SessionService } from './services/sessions.js';
import type { ObjectStore } from './storage/store.js';

export interface PrivacyDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  store: ObjectStore;
  sessions: SessionService;
  attempts: AttemptLimiter;
  passwords: Passwords;
  fileRemoval: FileRemoval;
  pushes: PushQueue;
}

const EXPORTS_A_DAY = { name: 'data-exports', points: 3, seconds: 86_400 };

/** The part of the container for what people may ask of a place that has their data, and for how long it keeps it. */
export function makePrivacy({ config, db, unitOfWork, clock, log, store, sessions, attempts, passwords, fileRemoval, pushes }: PrivacyDeps): { resolvers: object[]; jobs: Pick<JobDeps, 'exports' | 'erasures' | 'erasureSteps' | 'retention'> } {
  const exports = new DataExportService(db.background, unitOfWork, store, new Quota(db.sql, clock, EXPORTS_A_DAY), config.RETENTION_EXPORT_DAYS, pushes, log);
  const erasureSteps = new ErasureSteps(unitOfWork, sessions);
  const erasures = new ErasureService(unitOfWork, sessions, passwords, new AuthLimits(attempts), erasureSteps, fileRemoval);
  const rules = { messages: config.RETENTION_MESSAGE_DAYS, accounts: config.RETENTION_ACCOUNT_DAYS, orderAddresses: config.RETENTION_ORDER_DAYS, exports: config.RETENTION_EXPORT_DAYS };
  return {
    resolvers: [new DataExportResolver(exports), new ErasureResolver(erasures), new ViewerDataExportsResolver(exports), new NotificationDataExportResolver()],
    jobs: { exports, erasures, erasureSteps, retention: new Retention(db.background, unitOfWork, erasures, exports, rules, clock, log) },
  };
}
