import type { Database } from './db/database.js';
import type { Config } from './config.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { AppOperationResolver } from './resolvers/app-operations.js';
import { AppPlanResolver } from './resolvers/app-plans.js';
import { AskingAppResolver, AuthorizedAppResolver, ViewerAuthorizedAppsResolver } from './resolvers/app-access.js';
import { ApiKeyResolver, AppResolver, ViewerAppsResolver } from './resolvers/apps.js';
import { AppAccessService } from './services/apps/app-access.js';
import { AppOperationService } from './services/apps/app-operations.js';
import { AppPlanService } from './services/apps/app-plans.js';
import { AppUsage } from './services/apps/app-usage.js';
import { AppService } from './services/apps/apps.js';
import { OAuthService } from './services/apps/oauth.js';
import { PartnerUsers } from './services/apps/partner-users.js';
import type { SessionService } from './services/sessions.js';
import type { AccessTokens } from './services/tokens.js';

export interface AppDeps {
  config: Config;
  log: Logger;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  tokens: AccessTokens;
  sessions: SessionService;
}

export interface Apps {
  service: AppService;
  oauth: OAuthService;
  users: PartnerUsers;
  usage: AppUsage;
  operations: AppOperationService;
  resolvers: object[];
}

/** The part of the container for programs of others: apps, keys, OAuth. */
export function makeApps({ config, log, db, unitOfWork, clock, tokens, sessions }: AppDeps): Apps {
  const service = new AppService(db.sql, unitOfWork, sessions, clock);
  const users = new PartnerUsers(db.sql, unitOfWork, tokens, clock);
  const access = new AppAccessService(db.sql, unitOfWork, sessions, clock);
  const oauth = new OAuthService(db.sql, unitOfWork, sessions, access, users, tokens, clock);
  const usage = new AppUsage(db.background, clock, log);
  const plans = new AppPlanService(db.sql, unitOfWork, config.APP_PLANS);
  const operations = new AppOperationService(db.sql, unitOfWork);
  const resolvers = [
    new AppOperationResolver(operations), new AppResolver(service, users, oauth), new AppPlanResolver(plans), new ApiKeyResolver(), new ViewerAppsResolver(service),
    new AskingAppResolver(access), new AuthorizedAppResolver(), new ViewerAuthorizedAppsResolver(access),
  ];
  return { service, oauth, users, usage, operations, resolvers };
}
