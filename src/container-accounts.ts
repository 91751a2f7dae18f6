import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { AttemptLimiter } from './lib/attempt-limiter.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Mailer, SmsSender } from './messaging/messaging.js';
import { AccountResolver, ViewerAccountResolver } from './resolvers/account.js';
import { IdentityResolver } from './resolvers/identity.js';
import { PhoneResolver } from './resolvers/phone.js';
import { EmailResolver, RecoveryResolver } from './resolvers/recovery.js';
import { SessionResolver, SessionViewerStateResolver, ViewerSessionsResolver } from './resolvers/session.js';
import { AccountService } from './services/accounts.js';
import { AuthLimits } from './services/auth-limits.js';
import { EmailService } from './services/emails.js';
import { IdentityService } from './services/identities.js';
import { IdentityProvider } from './services/identity-provider.js';
import { Mails } from './services/mails.js';
import { OneTimeCodes } from './services/one-time-codes.js';
import type { Passwords } from './services/passwords.js';
import { PhoneService } from './services/phone.js';
import { RecoveryService } from './services/recovery.js';
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
  mailer: Mailer;
  sms: SmsSender;
  passwords: Passwords;
}

export interface Accounts {
  resolvers: object[];
  sessions: SessionService;
  /** What background jobs call. */
  jobs: Pick<JobDeps, 'emails' | 'phone' | 'recovery'>;
}

/** The part of the container that lets people in: accounts, sessions and every way to them. */
export async function makeAccounts({ config, db, unitOfWork, clock, gate, tokens, attempts, mailer, sms, passwords }: AccountDeps): Promise<Accounts> {
  const refreshTokens = new RefreshTokens(await loadServerKey(db.sql, 'refresh-token'));
  const sessions = new SessionService(db.sql, unitOfWork, gate, tokens, refreshTokens, config.REFRESH_TOKEN_TTL, clock);
  const limits = new AuthLimits(attempts);
  const accounts = new AccountService(db.sql, unitOfWork, sessions, passwords, limits);
  const codes = new OneTimeCodes(await loadServerKey(db.sql, 'one-time-code'));
  const mails = new Mails(config.PUBLIC_URL ?? null);
  const emails = new EmailService(db.sql, unitOfWork, codes, passwords, mailer, mails, limits, clock);
  const recovery = new RecoveryService(db.sql, unitOfWork, sessions, codes, passwords, mailer, mails, limits, clock);
  const phone = new PhoneService(db.sql, unitOfWork, sessions, codes, sms, limits, clock);
  return {
    sessions,
    jobs: { emails, phone, recovery },
    resolvers: [
      new AccountResolver(accounts),
      new ViewerAccountResolver(),
      new SessionResolver(sessions),
      new SessionViewerStateResolver(),
      new ViewerSessionsResolver(sessions),
      new EmailResolver(emails),
      new RecoveryResolver(recovery),
      new PhoneResolver(phone),
      new IdentityResolver(new IdentityService(unitOfWork, sessions, providerOf(config, clock), limits)),
    ],
  };
}

/** The settings stand together or not at all: see config.ts. */
function providerOf({ OIDC_JWKS_URL, OIDC_ISSUER, OIDC_AUDIENCE }: Config, clock: Clock): IdentityProvider | null {
  return OIDC_JWKS_URL && OIDC_ISSUER && OIDC_AUDIENCE ? new IdentityProvider({ jwksUrl: OIDC_JWKS_URL, issuer: OIDC_ISSUER, audience: OIDC_AUDIENCE }, clock) : null;
}
