import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import { AnalyticsDayResolver, AnalyticsResolver, AnalyticsRevenueResolver } from './resolvers/analytics.js';
import { AuditResolver, RoleResolver } from './resolvers/operators.js';
import { AnalyticsService } from './services/analytics/analytics.js';
import { RollUp } from './services/analytics/roll-up.js';
import { AuditLog } from './services/audit.js';
import { RoleService, SuspensionService } from './services/roles.js';
import type { SessionService } from './services/sessions.js';

export interface OperatorDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  sessions: SessionService;
  clock: Clock;
}

/** The part of the container for those who run the place: roles, suspensions, what they did, and what goes on. */
export function makeOperators({ db, unitOfWork, sessions, clock }: OperatorDeps): { resolvers: object[]; jobs: Pick<JobDeps, 'analytics' | 'suspensions'> } {
  const analytics = [new AnalyticsResolver(new AnalyticsService(db.sql)), new AnalyticsDayResolver(), new AnalyticsRevenueResolver()];
  const suspensions = new SuspensionService(db.sql, unitOfWork, sessions, clock);
  return {
    resolvers: [...analytics, new RoleResolver(new RoleService(unitOfWork), suspensions), new AuditResolver(new AuditLog(db.sql))],
    jobs: { analytics: new RollUp(db.background, unitOfWork, clock), suspensions },
  };
}
