import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import { AuditResolver, RoleResolver } from './resolvers/operators.js';
import { AuditLog } from './services/audit.js';
import { RoleService, SuspensionService } from './services/roles.js';
import type { SessionService } from './services/sessions.js';

export interface OperatorDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  sessions: SessionService;
}

/** The part of the container for those who run the place: roles, suspensions, and what they did. */
export function makeOperators({ db, unitOfWork, sessions }: OperatorDeps): { resolvers: object[] } {
  return { resolvers: [new RoleResolver(new RoleService(unitOfWork), new SuspensionService(unitOfWork, sessions)), new AuditResolver(new AuditLog(db.sql))] };
}
