import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Clock } from './lib/clock.js';
import { ApiKeyResolver, AppResolver, ViewerAppsResolver } from './resolvers/apps.js';
import { AppService } from './services/apps/apps.js';
import { OAuthService } from './services/apps/oauth.js';
import type { SessionService } from './services/sessions.js';
import type { AccessTokens } from './services/tokens.js';

export interface AppDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  tokens: AccessTokens;
  sessions: SessionService;
}

export interface Apps {
  service: AppService;
  oauth: OAuthService;
  resolvers: object[];
}

/** The part of the container for programs of others: apps, keys, OAuth. */
export function makeApps({ db, unitOfWork, clock, tokens, sessions }: AppDeps): Apps {
  const service = new AppService(db.sql, unitOfWork, sessions, tokens, clock);
  const oauth = new OAuthService(db.sql, unitOfWork, sessions, tokens, clock);
  return { service, oauth, resolvers: [new AppResolver(service, oauth), new ApiKeyResolver(), new ViewerAppsResolver(service)] };
}
