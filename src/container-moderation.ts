import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { LogConsumer } from './events/log-consumers.js';
import type { JobDeps } from './jobs/index.js';
import type { LanguageModel } from './language/contract.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { ModerationBanResolver, ModerationCaseResolver, ModerationVerbsResolver, ViewerModerationResolver } from './resolvers/moderation.js';
import { ModerationCases } from './services/moderation/cases.js';
import { ModerationRulesService } from './services/moderation/rules.js';
import { SanctionService } from './services/moderation/sanctions.js';
import { ModerationWatch } from './services/moderation/watch.js';
import { Quota } from './services/quota.js';
import type { SessionService } from './services/sessions.js';

/** How often a model is asked about messages of one chat in an hour. */
const ASKED_AN_HOUR = 600;

export interface ModerationDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  sessions: SessionService;
  model: LanguageModel | null;
}

/** The part of the container that is about what may be said. */
export function makeModeration({ config, db, unitOfWork, clock, log, sessions, model }: ModerationDeps): { jobs: Pick<JobDeps, 'moderation' | 'moderationWatch'>; consumers: LogConsumer[]; resolvers: object[] } {
  const rules = new ModerationRulesService(db.sql, unitOfWork);
  const cases = new ModerationCases(db.sql, unitOfWork, sessions);
  const sanctions = new SanctionService(db.sql, unitOfWork);
  const watch = new ModerationWatch(db, unitOfWork, model, new Quota(db.sql, clock, { name: 'moderation-model', points: ASKED_AN_HOUR, seconds: 3_600 }), log);
  return {
    jobs: { moderation: cases, moderationWatch: watch },
    consumers: config.MODERATION ? [watch] : [],
    resolvers: [new ModerationVerbsResolver(rules, cases, sanctions), new ViewerModerationResolver(rules, cases, sanctions), new ModerationCaseResolver(), new ModerationBanResolver()],
  };
}
