import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { AttemptLimiter } from './lib/attempt-limiter.js';
import type { Clock } from './lib/clock.js';
import { AccountResolver, ViewerAccountResolver } from './resolvers/account.js';
import { SessionResolver, SessionViewerStateResolver, ViewerSessionsResolver } from './resolvers/session.js';
import { AccountService } from './services/accounts.js';
import { AuthLimits } from './services/auth-limits.js';
import { Passwords } from './services/passwords.js';
import { loadServerKey, RefreshTokens } from './services/refresh-tokens.js';
import type { SessionGate } from './services/session-gate.js';
import { SessionService } from './services/sessions.js';
import type { AccessTokens } from './services/tokens.js';

export interface AccountDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  gate: SessionGate;
  tokens: AccessTokens;
  attempts: AttemptLimiter;
}

/** The part of the container that lets people in: accounts, sessions and every way to them. */
export async function makeAccounts({ config, db, unitOfWork, clock, gate, tokens, attempts }: AccountDeps): Promise<{ resolvers: object[] }> {
  const refreshTokens = new RefreshTokens(await loadServerKey(db.sql, 'refresh-token'));
  const sessions = new SessionService(db.sql, unitOfWork, gate, tokens, refreshTokens, config.REFRESH_TOKEN_TTL, clock);
  const limits = new AuthLimits(attempts);
  const passwords = new Passwords();
  const accounts = new AccountService(db.sql, unitOfWork, sessions, passwords, limits);
  return {
    resolvers: [
      new AccountResolver(accounts),
      new ViewerAccountResolver(),
      new SessionResolver(sessions),
      new SessionViewerStateResolver(),
      new ViewerSessionsResolver(sessions),
    ],
  };
}
